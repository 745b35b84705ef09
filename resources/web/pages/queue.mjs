import { html, useEffect, useState } from "../lib/view.mjs";
import { get, post } from "../lib/api.mjs";
import { Ago, Button, Card, Confirm, Empty, Failure, Icon, Loaded, Pill, Title, useDebounced, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count, dateTime, size } from "../lib/format.mjs";

const PAGE = 100;
const STATES = { waiting: "info", held: "warn", sending: "ok", done: "ok", failed: "error", dropped: "neutral" };
const FILTERS = [["", "All"], ["waiting", "Waiting"], ["held", "Held back"], ["sending", "Sending"]];

export function Queue({ id }) {
  const [text, setText] = useState("");
  const [state, setState] = useState("");
  const [offset, setOffset] = useState(0);
  const [selected, setSelected] = useState(() => new Set());
  const [failing, setFailing] = useState(false);
  const settled = useDebounced(text);
  const list = useLoad(() => get("/queue", { limit: PAGE, offset, text: settled, state }), ["queue"], [settled, state, offset]);

  const act = async (verb, ids, done) => {
    try {
      const reply = await post(`/queue/${verb}`, { ids });
      list.reload();
      done?.(reply);
      return reply;
    } catch (problem) {
      toast(problem.message, { kind: "error" });
      return null;
    }
  };
  const ids = [...selected];
  const what = count(ids.length, "message");
  const clear = () => setSelected(new Set());
  const hold = () => act("hold", ids, () => { clear(); toast(`${what} held back.`, { undo: () => act("release", ids) }); });
  // Dropping can't be undone on the server: it is held back at once and dropped when nobody has undone it.
  const drop = async () => {
    if (!(await act("hold", ids))) return;
    clear();
    toast(`${what} will be dropped; nobody is told.`, { undo: () => act("release", ids), then: () => act("drop", ids) });
  };

  return html`<${Title} intro="Mail on its way out, until the other server has taken it.">Queue</${Title}>
    <div class="filters" role="search">
      <input type="search" class="filter" value=${text} placeholder="Address or answer" aria-label="Filter by address or answer" onInput=${(e) => { setText(e.target.value); setOffset(0); }} />
      ${FILTERS.map(([value, name]) => html`<button type="button" class="chip" aria-pressed=${state === value} onClick=${() => { setState(value); setOffset(0); }}>${name}</button>`)}
    </div>
    ${ids.length > 0 &&
    html`<div class="selection" role="toolbar" aria-label="For the selected messages">
      <b>${what} selected</b>
      <${Button} icon="refresh" onClick=${() => act("kick", ids, () => { clear(); toast(`Trying ${what} again now.`); })}>Retry now</${Button}>
      <${Button} icon="mail-pause" onClick=${hold}>Hold back</${Button}>
      <${Button} icon="player-play" onClick=${() => act("release", ids, () => { clear(); toast(`${what} released.`); })}>Release</${Button}>
      <${Button} icon="arrow-back-up" onClick=${() => setFailing(true)}>Fail with notice</${Button}>
      <${Button} icon="trash" onClick=${drop}>Drop silently</${Button}>
    </div>`}
    <div class=${id ? "with-drawer" : ""}>
      <${Card}><${Loaded} of=${list}>${({ items, total }) =>
        items.length === 0
          ? settled || state
            ? html`<${Empty} icon="filter" text="No waiting message matches."><${Button} onClick=${() => { setText(""); setState(""); }}>Clear the filter</${Button}></${Empty}>`
            : html`<${Empty} icon="mail" text="Nothing is waiting. Mail you send appears here until the other server accepts it." />`
          : html`<${Table} items=${items} selected=${selected} setSelected=${setSelected} open=${id} />
            ${total > PAGE && html`<div class="pager">
              <${Button} icon="chevron-left" disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - PAGE))}>Earlier</${Button}>
              <span>${offset + 1}–${Math.min(offset + PAGE, total)} of ${total.toLocaleString()}</span>
              <${Button} icon="chevron-right" disabled=${offset + PAGE >= total} onClick=${() => setOffset(offset + PAGE)}>Later</${Button}>
            </div>`}`}
      </${Loaded}></${Card}>
      ${id && html`<${Drawer} id=${id} act=${act} />`}
    </div>
    ${failing &&
    html`<${Confirm} title=${`Give up on ${what}?`} verb="Fail with notice" keep="Keep trying" onClose=${() => setFailing(false)} onYes=${async () => { await post("/queue/fail", { ids }); clear(); list.reload(); toast(`${what} failed; the senders get a notice.`); }}>
      <p>The senders get a failure notice, and the messages leave the queue.</p>
    </${Confirm}>`}`;
}

function Table({ items, selected, setSelected, open }) {
  const toggle = (id) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  const all = items.every((item) => selected.has(item.id));
  return html`<table class="cards queue">
    <thead><tr>
      <th><input type="checkbox" aria-label="Select all on this page" checked=${all} onChange=${() => setSelected(all ? new Set() : new Set(items.map((item) => item.id)))} /></th>
      <th scope="col">To</th><th scope="col">From</th><th scope="col">State</th><th scope="col">Attempts</th><th scope="col">Last answer</th><th scope="col">Size</th>
    </tr></thead>
    <tbody>${items.map(
      (item) => html`<tr key=${item.id} class=${String(item.id) === open ? "open" : ""}>
        <td><input type="checkbox" aria-label=${`Select the message to ${item.recipient}`} checked=${selected.has(item.id)} onChange=${() => toggle(item.id)} /></td>
        <th scope="row"><a href=${`#/queue/${item.id}`}>${item.recipient}</a></th>
        <td data-label="From">${item.sender || html`<span class="muted">bounce message</span>`}</td>
        <td data-label="State"><${Pill} kind=${STATES[item.state]}>${item.state}</${Pill}> ${item.note ? html`<small>${item.note}</small>` : item.state === "waiting" && item.next_attempt_at && html`<small>next try <${Ago} at=${item.next_attempt_at} /></small>`}</td>
        <td data-label="Attempts" class="number">${item.attempts}</td>
        <td data-label="Last answer" class="answer">${item.last_answer || html`<span class="muted">none yet</span>`}</td>
        <td data-label="Size" class="number">${size(item.size_bytes)}</td>
      </tr>`,
    )}</tbody>
  </table>`;
}

function Drawer({ id, act }) {
  const detail = useLoad(() => get(`/queue/${id}`), ["queue"], [id]);
  useEffect(() => {
    const close = (event) => { if (event.key === "Escape" && !document.querySelector("dialog")) location.hash = "/queue"; };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);
  return html`<aside class="drawer card" aria-label="Message">
    <header><h2>Message ${id}</h2><a class="copy" href="#/queue" aria-label="Close"><${Icon} name="x" /></a></header>
    <${Loaded} of=${detail}>${({ item, attempts, route, route_steps, headers }) => html`
      <p><b>${item.sender || "bounce message"}</b> → <b>${item.recipient}</b></p>
      <p><${Pill} kind=${STATES[item.state]}>${item.state}</${Pill}> ${item.note || (item.next_attempt_at && html`next try <${Ago} at=${item.next_attempt_at} />`)}</p>
      ${item.state === "waiting" && html`<div class="buttons"><${Button} kind="primary" icon="refresh" onClick=${() => act("kick", [item.id])}>Retry now</${Button}></div>`}
      <h3>Path</h3><p>${route || "Decided at the next attempt."}</p>
      ${route_steps.length > 0 && html`<details><summary>Why</summary><ul>${route_steps.map((step) => html`<li>${step}</li>`)}</ul></details>`}
      <h3>Attempts</h3>
      ${attempts.length === 0 && html`<p class="muted">None yet.</p>`}
      <ol class="timeline">${attempts.map(
        (attempt) => html`<li class=${attempt.succeeded ? "ok" : "warn"} key=${attempt.at}><${Icon} name=${attempt.succeeded ? "check" : "clock"} />
          <div><p>${attempt.answer}</p><small>${[attempt.host, attempt.ip, attempt.tls || "no TLS", `${attempt.duration_ms} ms`].filter(Boolean).join(" · ")}</small></div>
          <time datetime=${attempt.at}>${dateTime(attempt.at)}</time></li>`,
      )}</ol>
      ${item.trace && html`<p><a href=${`#/trace/${encodeURIComponent(item.trace)}`}>The message's whole way</a></p>`}
      ${headers && html`<details><summary>Headers</summary><pre>${headers}</pre></details>`}`}
    </${Loaded}>
  </aside>`;
}
