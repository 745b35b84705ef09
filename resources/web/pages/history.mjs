// What has left the queue, and how; the same words as in ui/presenters/history.py.
import { html, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Chips, Empty, Icon, Loaded, Pill, Title, useDebounced, useLoad } from "../lib/parts.mjs";
import { Attempts, Drawer, useTick } from "../lib/queue.mjs";
import { ago, count, dateTime, number, size } from "../lib/format.mjs";

const PAGE = 100;
const RESULTS = { delivered: ["ok", "delivered"], returned: ["error", "came back later"], failed: ["error", "gave up"], dropped: ["neutral", "dropped"] };
const FILTERS = [["", "All"], ["delivered", "Delivered"], ["failed", "Gave up"], ["returned", "Came back later"], ["dropped", "Dropped"]];
const SPANS = [["", "Any time"], ["1", "Last hour"], ["24", "Last 24 hours"], ["168", "Last 7 days"]];
const HOUR_MS = 3_600_000;
const CAME_BACK = { failed: "Could not be delivered", delayed: "Delayed", delivered: "Delivered" };
const REPORT_TONES = { failed: ["error", "arrow-back-up"], delivered: ["ok", "check"] };

function headline(item) {
  const when = ago(item.left_at);
  const by = item.acted_by ? ` by ${item.acted_by}` : "";
  if (item.result === "delivered") return `Taken by ${item.server || "the other server"} ${when}`;
  if (item.result === "returned") return `Taken ${when}, and reported as failed later`;
  return item.result === "dropped" ? `Dropped${by} ${when}` : `Given up${by} ${when}`;
}

const pathText = (item) => (item.transport ? `By ${item.transport}` : "Directly to the other server") + (item.transport_reason ? `: ${item.transport_reason}` : "");

function totalText({ total, counted, days }) {
  const kept = days ? `; kept for ${count(days, "day")}` : "";
  return `${counted > 0 && total >= counted ? "more than " : ""}${count(total, "message")}${kept}`;
}

const Result = ({ item }) => html`<${Pill} kind=${RESULTS[item.result][0]}>${RESULTS[item.result][1]}</${Pill}>`;

export function History({ id = "" }) {
  const [filter, setFilter] = useState({});
  const [cursors, setCursors] = useState([]); // of the pages before this one
  const text = useDebounced(filter.text?.trim() ?? "");
  const domain = useDebounced(filter.domain?.trim() ?? "");
  const set = (name) => (value) => (setFilter({ ...filter, [name]: value }), setCursors([]));
  const clear = () => (setFilter({}), setCursors([]));
  const read = () => {
    const since = filter.hours ? new Date(Date.now() - filter.hours * HOUR_MS).toISOString() : "";
    return get("/queue/history", { text, domain, result: filter.result, account: filter.account, since, limit: PAGE, cursor: cursors.at(-1) });
  };
  const list = useLoad(read, ["queue"], [text, domain, filter.result, filter.account, filter.hours, cursors.length]);
  const accounts = useLoad(() => get("/accounts"), ["config"]);
  const isFiltered = Object.values(filter).some(Boolean);
  return html`<a class="back" href="#/queue"><${Icon} name="arrow-left" />Queue</a>
    <${Title} intro="Mail that has left the queue, and how.">Sent and failed</${Title}>
    <div class="filters" role="search">
      <${Chips} label="Show" entries=${FILTERS} value=${filter.result ?? ""} onChange=${set("result")} />
      <input type="search" class="filter end" value=${filter.text ?? ""} placeholder="Search address, subject, answer" aria-label="Search what was sent" onInput=${(event) => set("text")(event.target.value)} />
    </div>
    <div class="filters second">
      <select aria-label="Account" value=${filter.account ?? ""} onChange=${(event) => set("account")(event.target.value)}><option value="">All accounts</option>
        ${accounts.value?.items.map((each) => html`<option key=${each.id} value=${each.id}>${each.full_name || each.id}</option>`)}</select>
      <input type="search" class="narrow" value=${filter.domain ?? ""} placeholder="Domain of the recipient" aria-label="Domain of the recipient" onInput=${(event) => set("domain")(event.target.value)} />
      <select aria-label="When" value=${filter.hours ?? ""} onChange=${(event) => set("hours")(event.target.value)}>${SPANS.map(([hours, words]) => html`<option key=${hours} value=${hours}>${words}</option>`)}</select>
      ${list.value && html`<span class="muted" role="status">${totalText(list.value)}</span>`}
    </div>
    <div class=${id ? "with-drawer" : ""}>
      <${Card}><${Loaded} of=${list}>${({ items, next, total }) => {
        if (!items.length) {
          return isFiltered
            ? html`<${Empty} icon="filter" text="No message matches."><${Button} icon="x" onClick=${clear}>Clear the filter</${Button}></${Empty}>`
            : html`<${Empty} icon="history" text="Nothing has been sent yet. Every message that leaves the queue is listed here for a while: taken by the other server, given up, or dropped." />`;
        }
        const first = cursors.length * PAGE;
        return html`<${Table} items=${items} open=${id} />
          ${(cursors.length > 0 || next) && html`<nav class="pager" aria-label="Pages of what was sent">
            <${Button} icon="chevron-left" disabled=${!cursors.length} onClick=${() => setCursors(cursors.slice(0, -1))}>Newer</${Button}>
            <span>${number(first + 1)}–${number(first + items.length)} of ${number(Math.max(total, first + items.length))}</span>
            <${Button} icon="chevron-right" disabled=${!next} onClick=${() => setCursors([...cursors, next])}>Older</${Button}></nav>`}`;
      }}</${Loaded}></${Card}>
      ${id && html`<${Details} id=${id} key=${id} />`}
    </div>`;
}

function Table({ items, open }) {
  useTick();
  return html`<table class="cards queue past">
    <colgroup><col class="c-to" /><col class="c-from" /><col class="c-subject" /><col class="c-state" /><col class="c-when" /><col /></colgroup>
    <thead><tr><th scope="col">To</th><th scope="col" class="spare">From</th><th scope="col" class="spare">Subject</th><th scope="col">Result</th><th scope="col">When</th><th scope="col" class="spare">Last answer</th></tr></thead>
    <tbody>${items.map(
      (item) => html`<tr key=${item.id} class=${String(item.id) === open ? "open" : ""}>
        <th scope="row" title=${item.recipient}><a href=${`#/queue/history/${item.id}`}>${item.recipient}</a></th>
        <td data-label="From" class="spare" title=${item.sender}>${item.sender || "(this server)"}</td>
        <td data-label="Subject" class="spare" title=${item.subject}>${item.subject || "(no subject)"}</td>
        <td class="pillcell"><${Result} item=${item} /></td>
        <td data-label="When"><time datetime=${item.left_at} title=${dateTime(item.left_at)}>${ago(item.left_at)}</time></td>
        <td class="answer spare muted" title=${item.last_answer || undefined}>${item.answer_in_short || item.last_answer}</td>
      </tr>`,
    )}</tbody></table>`;
}

function Details({ id }) {
  const detail = useLoad(() => get(`/queue/history/${seg(id)}`), ["queue"], [id]);
  const gone = detail.error?.status === 404;
  return html`<${Drawer} heading=${gone ? "Gone" : detail.value ? detail.value.item.subject || "(no subject)" : "…"} back="/queue/history">
    ${gone && html`<p class="muted">It is not in the history (any more).</p>`}
    ${!gone && html`<${Loaded} of=${detail}>${({ item, attempts, reports }) => html`
      <p class="muted">${item.sender || "(this server)"} → ${item.recipient}<br />${size(item.size_bytes)} · accepted <${Ago} at=${item.created_at} /></p>
      <div><${Result} item=${item} /></div>
      <p class="next">${headline(item)}</p>
      ${item.last_answer && html`<p class="muted">${item.last_answer}</p>`}
      ${reports?.length > 0 && html`<h3>Came back later</h3><ol class="timeline">${reports.map((report) => html`<${Report} key=${report.at} report=${report} />`)}</ol>`}
      <h3>Path</h3><p>${pathText(item)}</p>
      <h3>Attempts</h3><${Attempts} attempts=${attempts} none="It was not tried." />
      ${item.trace && html`<p><a href=${`#/activity/${seg(item.trace)}`}>Its whole way</a></p>`}`}</${Loaded}>`}
  </${Drawer}>`;
}

function Report({ report }) {
  const [tone, icon] = REPORT_TONES[report.kind] ?? ["warn", "clock"];
  const code = report.status ? ` (${report.status})` : "";
  const unsure = report.certain === false ? " – it fits, but nothing proves that it belongs here" : "";
  return html`<li class=${tone}><${Icon} name=${icon} /><div><p>${(CAME_BACK[report.kind] ?? report.kind) + code + unsure}</p>
    ${report.text && html`<small>${report.text}</small>`}${report.reporter && html`<small>reported by ${report.reporter}</small>`}</div>
    <time datetime=${report.at} title=${dateTime(report.at)}><${Ago} at=${report.at} /></time></li>`;
}
