// What is on its way out: filters, bursts, a table with pages, actions on a selection, the story of one message.
import { html, useEffect, useRef, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Chips, Empty, Icon, Loaded, Pill, Title, useDebounced, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count, number, size } from "../lib/format.mjs";
import { Asking, Attempts, Drawer, FILTERS, Menu, TLS, answerOf, attemptsOf, burstText, bursts, countText, doneText, factsOf, filterOf, headline, isDropping, postponeChoices, stateOf, transportOf, useActions, useTick, wordOf } from "../lib/queue.mjs";

const PAGE = 100;

function State({ item, children }) {
  const [tone, word] = stateOf(item);
  return html`<${Pill} kind=${tone}>${children ?? word}</${Pill}>`;
}

export function Queue({ id = "" }) {
  const rule = id.startsWith("rule/") ? id : "";
  const open = rule ? "" : id;
  const [text, setText] = useState("");
  const [chip, setChip] = useState(rule);
  const [domain, setDomain] = useState("");
  const [account, setAccount] = useState("");
  const [cursors, setCursors] = useState([]); // of the pages before this one
  const [selected, setSelected] = useState(() => new Map()); // id → item
  const [all, setAll] = useState(false);
  const settled = useDebounced(text.trim());
  const filter = filterOf(chip, { text: settled, domain, account });
  const again = [JSON.stringify(filter), cursors.length];
  const list = useLoad(() => get("/queue", { ...filter, limit: PAGE, cursor: cursors.at(-1) }), ["queue"], again);
  const groups = useLoad(() => get("/queue/groups"), ["queue"]);
  const holds = useLoad(() => get("/queue/holds"), ["queue", "config"]);
  const accounts = useLoad(() => get("/accounts"), ["config"]);
  const transports = useLoad(() => get("/transports"), ["config"]);
  const reload = () => (list.reload(), groups.reload(), holds.reload());
  const actions = useActions(reload);
  useTick();

  const clear = () => (setSelected(new Map()), setAll(false));
  const toStart = () => (setCursors([]), clear());
  const only = (set) => (value) => (set(value), toStart());
  useEffect(() => {
    if (rule) only(setChip)(rule);
  }, [rule]);
  const clearFilter = () => {
    for (const set of [setText, setChip, setDomain, setAccount]) set("");
    toStart();
    if (rule) location.hash = "/queue";
  };

  const total = list.value?.total ?? 0;
  const ids = [...selected.keys()];
  const target = all ? { matching: filter, at_most: total, many: total } : { ids, many: ids.length };
  const chips = rule || chip.startsWith("rule/") ? [...FILTERS, [chip, `Held by ${chip.slice(5)}`]] : FILTERS;
  const paused = holds.value?.paused;
  const isFiltered = Object.keys(filter).length > 0;

  const links = html`<a class="button" href="#/queue/history"><${Icon} name="history" /><span>Sent and failed</span></a>
    <a class="button" href="#/queue/holds"><${Icon} name="hand-stop" /><span>Hold rules</span></a>
    ${holds.value && !paused && html`<${Pause} reload=${reload} />`}`;
  return html`<${Title} intro="Mail on its way to other servers." actions=${links}>Queue</${Title}>
    ${paused && html`<${Paused} holds=${holds.value} reload=${reload} />`}
    ${bursts(groups.value?.items ?? []).map((group) => html`<${Burst} key=${group.domain} group=${group} actions=${actions} show=${() => (setDomain(group.domain), setChip("problem"), toStart())} />`)}
    <div class="filters" role="search">
      <${Chips} label="Show" entries=${chips} value=${chip} onChange=${(value) => (only(setChip)(value === chip && chip.startsWith("rule/") ? "" : value), rule && (location.hash = "/queue"))} />
      <input type="search" class="filter end" value=${text} placeholder="Search sender, recipient, subject, answer" aria-label="Search the queue" onInput=${(event) => only(setText)(event.target.value)} />
    </div>
    ${selected.size > 0
      ? html`<${Selection} target=${target} total=${total} all=${all} setAll=${setAll} actions=${actions} clear=${clear} transports=${transports.value?.items ?? []} />`
      : html`<div class="filters second">
          <${Pick} label="Domain" first="All domains" value=${domain} onChange=${only(setDomain)} entries=${(groups.value?.items ?? []).map((group) => [group.domain, `${group.domain} (${group.count})`])} />
          <${Pick} label="Account" first="All accounts" value=${account} onChange=${only(setAccount)} entries=${(accounts.value?.items ?? []).map((each) => [each.id, each.full_name || each.id])} />
          ${list.value && html`<span class="muted" role="status">${countText(list.value)}</span>`}
        </div>`}
    <div class=${open ? "with-drawer" : ""}>
      <${Card}><${Loaded} of=${list}>${({ items, next }) => {
        const shown = items.filter((item) => !isDropping(item, filter));
        if (!shown.length) {
          return isFiltered
            ? html`<${Empty} icon="filter" text="No message matches."><${Button} icon="x" onClick=${clearFilter}>Clear the filter</${Button}></${Empty}>`
            : html`<${Empty} icon="mail-forward" text="Nothing is waiting. Mail you send appears here until the other server accepts it." />`;
        }
        const first = cursors.length * PAGE;
        return html`<${Table} items=${shown} selected=${selected} setSelected=${(next) => (setAll(false), setSelected(next))} open=${open} />
          ${(cursors.length > 0 || next) && html`<nav class="pager" aria-label="Pages of the queue">
            <${Button} icon="chevron-left" disabled=${!cursors.length} onClick=${() => setCursors(cursors.slice(0, -1))}>Previous</${Button}>
            <span>${number(first + 1)}–${number(first + items.length)} of ${number(total)}</span>
            <${Button} icon="chevron-right" disabled=${!next} onClick=${() => setCursors([...cursors, next])}>Next</${Button}>
          </nav>`}`;
      }}</${Loaded}></${Card}>
      ${open && html`<${Details} id=${open} key=${open} actions=${actions} />`}
    </div>
    <${Asking} actions=${actions} />`;
}

function Pick({ label, first, entries, value, onChange }) {
  const known = value && !entries.some(([key]) => key === value) ? [[value, value], ...entries] : entries;
  return html`<select aria-label=${label} value=${value} onChange=${(event) => onChange(event.target.value)}>
    <option value="">${first}</option>${known.map(([key, words]) => html`<option key=${key} value=${key}>${words}</option>`)}</select>`;
}

const tell = (work, reload) => work.then((text) => toast(text), (problem) => toast(problem.message, { kind: "error" })).then(reload);
const resume = (reload) => tell(post("/queue/resume").then((reply) => `Sending goes on. ${doneText("release", reply)}`), reload);

function Pause({ reload }) {
  const pause = () =>
    post("/queue/pause", {}).then(
      () => toast("Sending is paused.", { undo: () => resume(reload) }),
      (problem) => toast(problem.message, { kind: "error" }),
    ).then(reload);
  return html`<${Button} icon="player-pause" onClick=${pause}>Pause sending</${Button}>`;
}

function Paused({ holds, reload }) {
  const held = holds.items.find((each) => each.name === holds.pause_rule)?.held ?? 0;
  return html`<${Banner} kind="warn" icon="alert-triangle" action=${html`<${Button} icon="player-play" onClick=${() => resume(reload)}>Resume sending</${Button}>`}>
    <b>Sending is paused.</b> Mail is accepted and kept. ${count(held, "message")} will leave when you go on.</${Banner}>`;
}

function Burst({ group, actions, show }) {
  const target = { matching: { domain: group.domain, problem: true }, at_most: group.problem, many: group.problem };
  const buttons = html`<div class="buttons start"><${Button} onClick=${show} aria-label=${`Show the messages to ${group.domain}`}>Show</${Button}>
    <${Button} icon="refresh" onClick=${() => actions.act("kick", target)} aria-label=${`Retry all to ${group.domain} now`}>Retry all now</${Button}></div>`;
  return html`<${Banner} kind="warn" icon="alert-triangle" action=${buttons}>${burstText(group)}</${Banner}>`;
}

function Selection({ target, total, all, setAll, actions, clear, transports }) {
  const act = (verb, more) => (clear(), actions.act(verb, target, more));
  const ways = [[null, "What the routes say"], ["", "Directly to the recipient's server"], ...transports.map(({ name }) => [name, `By ${name}`])];
  return html`<div class="selection" role="toolbar" aria-label="For the selected messages">
    <b>${all ? `All ${number(total)} that match` : `${count(target.many, "message")} selected`}</b>
    ${!all && total > target.many && html`<button type="button" class="link" onClick=${() => setAll(true)}>Select all ${number(total)} that match</button>`}
    <${Button} kind="primary" icon="refresh" onClick=${() => act("kick")}>Retry now</${Button}>
    <${Button} icon="player-pause" onClick=${() => act("hold")}>Hold</${Button}>
    <${Button} icon="player-play" onClick=${() => act("release")}>Release</${Button}>
    <${Menu} icon="route" title="Transport" label="Choose the transport" entries=${ways.map(([transport, words]) => [() => act("transport", { transport }), words])} />
    <${Menu} icon="lock" title="Encryption" label="Choose the encryption" entries=${TLS.map(([tls, words]) => [() => (tls === "insecure" ? actions.ask("tls", target, { tls }, clear) : act("tls", { tls })), words])} />
    <${Menu} icon="clock" title="Postpone" label="Postpone" entries=${postponeChoices().map(([words, at]) => [() => act("postpone", { until: at.toISOString() }), words])} />
    <${Button} icon="arrow-back-up" onClick=${() => actions.ask("fail", target, undefined, clear)}>Fail with notice…</${Button}>
    <${Button} kind="danger" icon="trash" onClick=${() => (clear(), actions.drop(target))}>Drop silently</${Button}>
  </div>`;
}

function Table({ items, selected, setSelected, open }) {
  const before = useRef(-1);
  // With Shift, everything between the last one and this one.
  const toggle = (index, event) => {
    const next = new Map(selected);
    const on = event.target.checked;
    const from = event.shiftKey && before.current >= 0 ? before.current : index;
    for (const item of items.slice(Math.min(from, index), Math.max(from, index) + 1)) {
      if (on) next.set(item.id, item);
      else next.delete(item.id);
    }
    before.current = index;
    setSelected(next);
  };
  const whole = items.every((item) => selected.has(item.id));
  const toggleAll = () => setSelected(whole ? new Map() : new Map(items.map((item) => [item.id, item])));
  return html`<table class="cards queue">
    <colgroup><col class="c-check" /><col class="c-to" /><col class="c-from" /><col class="c-subject" /><col class="c-size" /><col class="c-state" /><col class="c-tries" /><col /><col class="c-way" /></colgroup>
    <thead><tr>
      <th scope="col"><input type="checkbox" aria-label="Select all on this page" checked=${whole} onChange=${toggleAll} /></th>
      <th scope="col">To</th><th scope="col" class="spare">From</th><th scope="col" class="spare">Subject</th><th scope="col" class="spare wide number">Size</th><th scope="col">State</th><th scope="col" class="spare">Attempts</th><th scope="col">Last answer</th><th scope="col" class="spare wide">Transport</th>
    </tr></thead>
    <tbody>${items.map(
      (item, index) => html`<tr key=${item.id} class=${String(item.id) === open ? "open" : ""}>
        <td class="tick"><input type="checkbox" aria-label=${`Select the message to ${item.recipient}`} checked=${selected.has(item.id)} onClick=${(event) => toggle(index, event)} /></td>
        <th scope="row" title=${item.recipient}><a href=${`#/queue/${item.id}`}>${item.recipient}</a></th>
        <td data-label="From" class="spare" title=${item.sender}>${item.sender || "(this server)"}</td>
        <td data-label="Subject" class="spare" title=${item.subject}>${item.subject || "(no subject)"}</td>
        <td data-label="Size" class="spare wide number">${size(item.size_bytes)}</td>
        <td class="pillcell"><${State} item=${item} /></td>
        <td data-label="Attempts" class="spare">${attemptsOf(item)}</td>
        <td class="answer muted" title=${item.last_answer || undefined}>${answerOf(item)}</td>
        <td data-label="Transport" class="spare wide muted" title=${item.transport_reason || undefined}>${transportOf(item)}</td>
      </tr>`,
    )}</tbody>
  </table>`;
}

function Details({ id, actions }) {
  const detail = useLoad(() => get(`/queue/${seg(id)}`), ["queue"], [id]);
  useTick();
  const gone = detail.error?.status === 404;
  return html`<${Drawer} heading=${gone ? "Gone" : detail.value ? detail.value.item.subject || "(no subject)" : "…"} back="/queue">
    ${gone && html`<p class="muted">This message has left the queue. <a href=${`#/queue/history/${seg(id)}`}>What became of it</a></p>`}
    ${!gone && html`<${Loaded} of=${detail}>${({ item, attempts, route, route_steps: why, asked, headers }) => {
      const one = { ids: [item.id], many: 1 };
      const act = (verb) => () => actions.act(verb, one).then(detail.reload);
      return html`<p class="muted">${item.sender || "(this server)"} → ${item.recipient}<br />${size(item.size_bytes)} · accepted <${Ago} at=${item.created_at} /> · tried ${attemptsOf(item)}</p>
      <div><${State} item=${item}>${wordOf(item)}</${State}></div>
      <p class="next">${headline(item)}</p>
      ${factsOf(item).map((fact) => html`<p class="muted">${fact}</p>`)}
      <div class="buttons start">
        <${Button} kind="primary" icon="refresh" disabled=${item.state !== "waiting"} onClick=${act("kick")}>Retry now</${Button}>
        ${item.state === "held" && html`<${Button} icon="player-play" onClick=${act("release")}>Release</${Button}>`}
        ${item.state === "waiting" && html`<${Button} icon="player-pause" onClick=${act("hold")}>Hold</${Button}>`}
        <${Button} kind="danger" icon="trash" onClick=${() => ((location.hash = "/queue"), actions.drop(one))}>Drop</${Button}>
      </div>
      <h3>Path</h3><p>${route || item.transport_reason || "Directly to the other server."}</p>
      ${why?.length > 0 && html`<ul class="muted plain">${why.map((step) => html`<li>${step}</li>`)}</ul>`}
      ${asked?.length > 0 && html`<h3>Asked for by the sender</h3><ul class="plain">${asked.map((wish) => html`<li>${wish}</li>`)}</ul>`}
      <h3>Attempts</h3><${Attempts} attempts=${attempts} />
      <h3>Message</h3><pre>${headers?.trim() || "(none)"}</pre>
      <div class="buttons start"><a class="button" href=${`/api/v1/queue/${item.id}/message`} download=${`message-${item.id}.eml`}><${Icon} name="device-floppy" /><span>Save the message…</span></a>
        ${item.trace && html`<a href=${`#/activity/${seg(item.trace)}`}>Its whole way</a>`}</div>`;
    }}</${Loaded}>`}
  </${Drawer}>`;
}
