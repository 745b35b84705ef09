import { html, useEffect, useRef, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Chips, Confirm, Empty, Icon, Loaded, Pill, Title, useDebounced, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count, dateTime, milliseconds, number, size, until } from "../lib/format.mjs";

const PAGE = 100;
const STATES = {
  waiting: ["info", "waiting"], held: ["warn", "on hold"], sending: ["info", "sending now"],
  done: ["ok", "sent"], failed: ["error", "gave up"], dropped: ["neutral", "dropped"],
};
const FILTERS = [["", "All"], ["waiting", "Waiting"], ["held", "On hold"], ["sending", "Sending now"]];
const DONE = { kick: "will be tried now", hold: "put on hold", release: "released", drop: "dropped", fail: "given up; the senders are told" };
const BACKWARDS = { hold: "release", release: "hold" };

// Ids that are dropped unless somebody undoes it within ten seconds. They outlive the page.
const dropping = new Set();

const stateOf = (item) => (item.state === "waiting" && item.attempts > 0 ? ["warn", "trying again"] : STATES[item.state]);

function State({ item }) {
  const [tone, word] = stateOf(item);
  return html`<${Pill} kind=${tone}>${word}</${Pill}>`;
}

function doneText(verb, { changed, missing }) {
  const gone = missing?.length ? ` ${count(missing.length, "message was", "messages were")} not there any more.` : "";
  return `${count(changed, "message")} ${DONE[verb]}.${gone}`;
}

export function Queue({ id }) {
  const [text, setText] = useState("");
  const [state, setState] = useState("");
  const [offset, setOffset] = useState(0);
  const [selected, setSelected] = useState(() => new Map()); // id → item
  const [failing, setFailing] = useState(false);
  const settled = useDebounced(text.trim());
  const list = useLoad(() => get("/queue", { limit: PAGE, offset, text: settled, state }), ["queue"], [settled, state, offset]);

  /** Does it and says so, with a way back where there is one. */
  const act = async (verb, ids) => {
    try {
      const reply = await post(`/queue/${verb}`, { ids });
      const back = BACKWARDS[verb];
      toast(doneText(verb, reply), back && { undo: () => post(`/queue/${back}`, { ids }).then(list.reload) });
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
    list.reload();
  };

  // What is dropped can't be brought back on the server. So it is kept back at once, leaves the table, and is dropped after ten seconds.
  const drop = async (items) => {
    const ids = items.map((item) => item.id);
    const free = items.filter((item) => item.state !== "held").map((item) => item.id);
    try {
      if (free.length) await post("/queue/hold", { ids: free });
    } catch (problem) {
      toast(problem.message, { kind: "error" });
      return;
    }
    for (const each of ids) dropping.add(each);
    const end = async (verb, those) => {
      try {
        if (those.length) await post(`/queue/${verb}`, { ids: those });
      } catch (problem) {
        toast(problem.message, { kind: "error" });
      }
      for (const each of ids) dropping.delete(each);
      list.reload();
    };
    if (ids.includes(Number(id))) location.hash = "/queue";
    list.reload();
    toast(`${count(ids.length, "message")} will be dropped. Nobody is told.`, { undo: () => end("release", free), then: () => end("drop", ids) });
  };

  const chosen = [...selected.values()];
  const ids = chosen.map((item) => item.id);
  const clear = () => setSelected(new Map());
  const withSelection = (verb) => () => {
    clear();
    act(verb, ids);
  };
  const clearFilter = () => {
    setText("");
    setState("");
    setOffset(0);
  };

  return html`<${Title} intro="Mail on its way to other servers.">Queue</${Title}>
    <div class="filters" role="search">
      <${Chips} label="Show" entries=${FILTERS} value=${state} onChange=${(value) => { setState(value); setOffset(0); }} />
      ${list.value && html`<span class="muted" role="status">${number(list.value.waiting)} waiting${list.value.held > 0 && `, ${number(list.value.held)} on hold`}</span>`}
      <input type="search" class="filter" value=${text} placeholder="Search sender, recipient, answer" aria-label="Search the queue" onInput=${(e) => { setText(e.target.value); setOffset(0); }} />
    </div>
    ${ids.length > 0 &&
    html`<div class="selection" role="toolbar" aria-label="For the selected messages">
      <b>${count(ids.length, "message")} selected</b>
      <${Button} kind="primary" icon="refresh" onClick=${withSelection("kick")}>Retry now</${Button}>
      <${Button} icon="player-pause" onClick=${withSelection("hold")}>Hold</${Button}>
      <${Button} icon="player-play" onClick=${withSelection("release")}>Release</${Button}>
      <${Button} icon="arrow-back-up" onClick=${() => setFailing(true)}>Fail with notice…</${Button}>
      <${Button} kind="danger" icon="trash" onClick=${() => { clear(); drop(chosen); }}>Drop silently</${Button}>
    </div>`}
    <div class=${id ? "with-drawer" : ""}>
      <${Card}><${Loaded} of=${list}>${({ items, total }) => {
        const shown = items.filter((item) => !dropping.has(item.id));
        if (!shown.length) {
          return settled || state
            ? html`<${Empty} icon="filter" text="No message matches."><${Button} icon="x" onClick=${clearFilter}>Clear the filter</${Button}></${Empty}>`
            : html`<${Empty} icon="mail-forward" text="Nothing is waiting. Mail you send appears here until the other server accepts it." />`;
        }
        return html`<${Table} items=${shown} selected=${selected} setSelected=${setSelected} open=${id} />
          ${total > PAGE && html`<nav class="pager" aria-label="Pages of the queue">
            <${Button} icon="chevron-left" disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - PAGE))}>Previous</${Button}>
            <span>${number(offset + 1)}–${number(Math.min(offset + PAGE, total))} of ${number(total)}</span>
            <${Button} icon="chevron-right" disabled=${offset + PAGE >= total} onClick=${() => setOffset(offset + PAGE)}>Next</${Button}>
          </nav>`}`;
      }}</${Loaded}></${Card}>
      ${id && html`<${Drawer} id=${id} key=${id} act=${act} drop=${drop} />`}
    </div>
    ${failing &&
    html`<${Confirm} title=${`Give up on ${count(ids.length, "message")}?`} verb="Fail with notice" keep="Keep trying" onClose=${() => setFailing(false)} onYes=${async () => { await act("fail", ids); clear(); }}>
      <p>The senders get a failure notice, and the messages leave the queue.</p>
    </${Confirm}>`}`;
}

function useTick() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
}

function Table({ items, selected, setSelected, open }) {
  const before = useRef(-1);
  useTick();
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
  const all = items.every((item) => selected.has(item.id));
  const toggleAll = () => setSelected(all ? new Map() : new Map(items.map((item) => [item.id, item])));
  return html`<table class="cards queue">
    <colgroup><col class="c-check" /><col class="c-to" /><col class="c-from" /><col class="c-state" /><col class="c-next" /><col class="c-tries" /><col /><col class="c-size" /></colgroup>
    <thead><tr>
      <th scope="col"><input type="checkbox" aria-label="Select all on this page" checked=${all} onChange=${toggleAll} /></th>
      <th scope="col">To</th><th scope="col" class="spare">From</th><th scope="col">State</th><th scope="col" class="spare">Next try</th><th scope="col" class="spare number">Tries</th><th scope="col">Last answer</th><th scope="col" class="spare number">Size</th>
    </tr></thead>
    <tbody>${items.map(
      (item, index) => html`<tr key=${item.id} class=${String(item.id) === open ? "open" : ""}>
        <td class="tick"><input type="checkbox" aria-label=${`Select the message to ${item.recipient}`} checked=${selected.has(item.id)} onClick=${(event) => toggle(index, event)} /></td>
        <th scope="row"><a href=${`#/queue/${item.id}`}>${item.recipient}</a></th>
        <td data-label="From" class="spare">${item.sender || "(this server)"}</td>
        <td class="pillcell"><${State} item=${item} /></td>
        <td data-label="Next try" class="spare">${item.state === "waiting" ? nextTry(item) : ""}</td>
        <td data-label="Tries" class="spare number">${item.attempts}</td>
        <td class="answer muted">${item.last_answer || item.note}</td>
        <td data-label="Size" class="spare number">${size(item.size_bytes)}</td>
      </tr>`,
    )}</tbody>
  </table>`;
}

/** A message that is kept back for a reason (practice mode) has no next try, whatever its time says. */
const keptBack = (item) => Boolean(item.note) && new Date(item.next_attempt_at) < Date.now();
const nextTry = (item) => (keptBack(item) ? "" : until(item.next_attempt_at));

function headline(item) {
  if (item.state === "held") return "On hold until you release it";
  if (item.state === "sending") return "Being sent now";
  if (item.state === "waiting" && keptBack(item)) return "It waits here";
  if (item.state === "waiting") return item.next_attempt_at ? `Next try ${until(item.next_attempt_at)}` : "Waits; no time for a try is set";
  return STATES[item.state][1];
}

function Drawer({ id, act, drop }) {
  const detail = useLoad(() => get(`/queue/${id}`), ["queue"], [id]);
  const heading = useRef(null);
  useTick();
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    const close = (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) location.hash = "/queue";
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);
  const gone = detail.error?.status === 404;
  return html`<aside class="drawer card" aria-label="Details of the message">
    <header><h2 tabindex="-1" ref=${heading}>To ${detail.value?.item.recipient ?? "…"}</h2><a class="copy" href="#/queue" aria-label="Close the details"><${Icon} name="x" /></a></header>
    ${gone && html`<p class="muted">This message has left the queue.</p>`}
    ${!gone && html`<${Loaded} of=${detail}>${({ item, attempts, route, route_steps: why, asked, headers }) => html`
      <p class="muted">From ${item.sender || "(this server)"} · ${size(item.size_bytes)} · accepted <${Ago} at=${item.created_at} /></p>
      <div><${State} item=${item} /></div>
      <p class="next">${headline(item)}</p>
      ${item.note && html`<p class="muted">${item.note}</p>`}
      <div class="buttons start">
        <${Button} kind="primary" icon="refresh" disabled=${!["waiting", "held"].includes(item.state)} onClick=${() => act("kick", [item.id])}>Retry now</${Button}>
        ${item.state === "held"
          ? html`<${Button} icon="player-play" onClick=${() => act("release", [item.id])}>Release</${Button}>`
          : html`<${Button} icon="player-pause" onClick=${() => act("hold", [item.id])}>Hold</${Button}>`}
        <${Button} kind="danger" icon="trash" onClick=${() => drop([item])}>Drop</${Button}>
      </div>
      <h3>Path</h3><p>${route || item.transport_reason || "Directly to the other server."}</p>
      ${why.length > 0 && html`<ul class="muted plain">${why.map((step) => html`<li>${step}</li>`)}</ul>`}
      ${asked?.length > 0 && html`<h3>Asked for by the sender</h3><ul class="plain">${asked.map((wish) => html`<li>${wish}</li>`)}</ul>`}
      <h3>Attempts</h3>
      ${attempts.length === 0 && html`<p class="muted">It has not been tried yet.</p>`}
      <ol class="timeline">${attempts.map(
        (attempt) => html`<li class=${attempt.succeeded ? "ok" : "warn"} key=${attempt.at}><${Icon} name=${attempt.succeeded ? "check" : "clock"} />
          <div><p>${attempt.answer || (attempt.succeeded ? "Taken" : "No answer")}</p><small>${[attempt.host ? attempt.host + (attempt.ip ? ` (${attempt.ip})` : "") : "no server reached", attempt.tls || "not encrypted", milliseconds(attempt.duration_ms), ...(attempt.policy ? [attempt.policy] : [])].join(" · ")}</small></div>
          <time datetime=${attempt.at} title=${dateTime(attempt.at)}><${Ago} at=${attempt.at} /></time></li>`,
      )}</ol>
      <h3>Message</h3>
      ${item.trace && html`<p><a href=${`#/activity/${seg(item.trace)}`}>Its whole way through this server</a></p>`}
      <pre>${headers.trim() || "(none)"}</pre>`}
    </${Loaded}>`}
  </aside>`;
}
