import { html, useEffect, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Copy, Empty, Failure, Icon, Loaded, Pill, Timeline, Title, stepOf, useDebounced, useLoad } from "../lib/parts.mjs";
import { SelfTest } from "./selftest.mjs";

const PAGE = 100;

export function Activity() {
  const [text, setText] = useState("");
  const settled = useDebounced(text.trim());
  const list = useLoad(() => get("/timeline", { limit: PAGE, text: settled }), ["timeline"], [settled]);
  const [older, setOlder] = useState({ items: [], next: null });
  useEffect(() => setOlder({ items: [], next: null }), [settled]);
  const next = older.next ?? list.value?.next;
  const more = async () => {
    try {
      const page = await get("/timeline", { limit: PAGE, text: settled, cursor: next });
      setOlder((old) => ({ items: [...old.items, ...page.items], next: page.next }));
    } catch (error) {
      setOlder((old) => ({ ...old, error }));
    }
  };
  return html`<${Title} intro="Messages that came in and went out, and what became of each." actions=${html`<${SelfTest} />`}>Activity</${Title}>
    <div class="filters" role="search"><input type="search" class="filter wide" value=${text} placeholder="Address, Message-ID, trace, queue number or IP address" aria-label="Search messages" onInput=${(e) => setText(e.target.value)} />
      ${settled && list.value?.understood && list.value.understood !== "text" && html`<span class="muted" role="status">Searched for as ${list.value.understood}</span>`}</div>
    <${Card}><${Loaded} of=${list}>${({ items }) => {
      const known = new Set(items.map((item) => item.trace));
      const all = [...items, ...older.items.filter((item) => !known.has(item.trace))];
      if (all.length) return html`<ul class="rows">${all.map((item) => html`<${Row} item=${item} key=${item.trace} />`)}</ul>`;
      if (next) return html`<p class="muted">None among the newest messages.</p>`;
      if (settled) return html`<${Empty} icon="search" text=${`No message matches “${settled}”.`}><${Button} icon="x" onClick=${() => setText("")}>Clear the filter</${Button}></${Empty}>`;
      return html`<${Empty} icon="mail" text="No message yet. Send yourself one and watch every step it takes."><${SelfTest} /></${Empty}>`;
    }}</${Loaded}>
    ${older.error && html`<${Failure} error=${older.error} />`}
    ${next && html`<${Button} onClick=${more} icon="history">Older messages</${Button}>`}</${Card}>`;
}

/** One message in a list. `short`: only the other side is named. */
export function Row({ item, short = false }) {
  const out = item.direction === "out";
  const to = item.recipients.length > 2 ? `${item.recipients.slice(0, 2).join(", ")} …` : item.recipients.join(", ");
  const from = item.sender || "(no sender)";
  const who = short ? (out ? to : from) : `${from} → ${to || "(nobody)"}`;
  const { tone, word } = stepOf(item.outcome);
  return html`<li>
    <a href=${`#/activity/${seg(item.trace)}`}>
      <${Icon} name=${out ? "arrow-up" : "arrow-down"} label=${out ? "outgoing" : "incoming"} />
      <span class="grow"><b title=${who}>${who || "(no address)"}</b><small title=${item.text}>${item.text}</small></span>
      <span class="state"><${Pill} kind=${tone}>${word || item.outcome || "seen"}</${Pill}><${Ago} at=${item.last_at} /></span>
    </a>
  </li>`;
}

const ICONS = { ok: "circle-check", warn: "alert-triangle", error: "alert-circle", info: "clock", neutral: "info-circle" };

export function Message({ id }) {
  const trace = useLoad(() => get(`/timeline/${seg(id)}`), ["timeline", "queue"], [id]);
  return html`<a class="back" href="#/activity"><${Icon} name="arrow-left" />Activity</a>
    <${Loaded} of=${trace}>${({ summary, steps, tone, sentence, question, reasons, links, over }) => {
      const out = summary.direction === "out";
      const who = out ? summary.recipients.join(", ") : summary.sender;
      return html`
        <${Title} intro=${`From ${summary.sender || "(no sender)"} to ${summary.recipients.join(", ") || "(nobody)"}`}>${out ? "To" : "From"} ${who || "(no address)"}</${Title}>
        <${Banner} kind=${tone} icon=${ICONS[tone]}>${sentence}</${Banner}>
        ${question && html`<${Card} title=${question} icon="help-circle"><ul class="plain">${reasons.map((reason) => html`<li key=${reason}>${reason}</li>`)}</ul></${Card}>`}
        <div class="columns uneven">
          <${Card} title="What happened" icon="route"><${Timeline} steps=${steps} />${!over && html`<p class="muted" role="status">More steps appear here as they happen.</p>`}</${Card}>
          <${Card} title="More about it" icon="search" actions=${html`<${Copy} value=${summary.trace} label="the message's trace number" text="Copy trace number" />`}>
            <ul class="rows">${links.map((link) => html`<li key=${link.path}><a href=${`#${link.path}`}><${Icon} name=${link.icon} /><span class="grow"><b>${link.title}</b></span></a></li>`)}</ul>
          </${Card}>
        </div>`;
    }}</${Loaded}>`;
}
