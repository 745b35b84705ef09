import { html, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Copy, Empty, Icon, Loaded, Pill, Timeline, Title, stepOf, useDebounced, useLoad } from "../lib/parts.mjs";
import { duration } from "../lib/format.mjs";
import { SelfTest } from "./selftest.mjs";

export function Activity() {
  const [text, setText] = useState("");
  const settled = useDebounced(text.trim());
  const list = useLoad(() => get("/timeline", { limit: 100, text: settled }), ["timeline"], [settled]);
  return html`<${Title} intro="Messages that came in and went out, and what became of each." actions=${html`<${SelfTest} />`}>Activity</${Title}>
    <div class="filters" role="search"><input type="search" class="filter wide" value=${text} placeholder="Address, Message-ID, queue number or IP address" aria-label="Search messages" onInput=${(e) => setText(e.target.value)} /></div>
    <${Card}><${Loaded} of=${list}>${({ items }) => {
      if (items.length) return html`<ul class="rows">${items.map((item) => html`<${Row} item=${item} key=${item.trace} />`)}</ul>`;
      if (settled) return html`<${Empty} icon="search" text=${`No message matches “${settled}”.`}><${Button} icon="x" onClick=${() => setText("")}>Clear the filter</${Button}></${Empty}>`;
      return html`<${Empty} icon="mail" text="No message yet. Send yourself one and watch every step it takes."><${SelfTest} /></${Empty}>`;
    }}</${Loaded}></${Card}>`;
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

function took(steps) {
  const ms = new Date(steps.at(-1).at) - new Date(steps[0].at);
  return ms < 1000 ? `${ms} ms` : duration(ms / 1000);
}

const VERDICTS = {
  delivered: (steps) => `It arrived in the mailbox, ${took(steps)} after it was first seen.`,
  sent: (steps) => `The other server took it, ${took(steps)} after it was first seen.`,
  rejected: () => "It was refused.",
  bounced: () => "It could not be delivered. The sender was told.",
  held: () => "It is on hold until someone releases it.",
  deferred: () => "It was not taken yet. The server tries again by itself.",
  queued: () => "It waits in the queue.",
  dropped: () => "It was removed from the queue.",
  reported: () => "Another server told more about it later.",
  accepted: () => "It was accepted.",
};

export function Message({ id }) {
  const trace = useLoad(() => get(`/timeline/${seg(id)}`), ["timeline"], [id]);
  return html`<a class="back" href="#/activity"><${Icon} name="arrow-left" />Activity</a>
    <${Loaded} of=${trace}>${({ summary, steps }) => {
      const out = summary.direction === "out";
      const who = out ? summary.recipients.join(", ") : summary.sender;
      const last = steps.at(-1);
      const { tone, icon, word } = stepOf(last?.kind);
      return html`
        <${Title} intro=${`From ${summary.sender || "(no sender)"} to ${summary.recipients.join(", ") || "(nobody)"}`}>${out ? "To" : "From"} ${who || "(no address)"}</${Title}>
        <${Banner} kind=${last ? tone : "info"} icon=${last ? icon : "clock"}>${last ? (VERDICTS[last.kind]?.(steps) ?? `Now: ${word || last.kind}.`) : "On its way …"}</${Banner}>
        <${Card} title="What happened" icon="route" actions=${html`<${Copy} value=${summary.trace} label="the message's trace number" text="Copy trace number" />`}><${Timeline} steps=${steps} /></${Card}>`;
    }}</${Loaded}>`;
}
