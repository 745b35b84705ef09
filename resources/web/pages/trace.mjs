import { html, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Card, Copy, Empty, Icon, Loaded, Pill, Timeline, Title, stepKind, useDebounced, useLoad } from "../lib/parts.mjs";
import { SelfTest } from "./overview.mjs";

export function Traces() {
  const [text, setText] = useState("");
  const settled = useDebounced(text);
  const list = useLoad(() => get("/timeline", { limit: 100, text: settled }), ["timeline"], [settled]);
  return html`<${Title} intro="Every message's way through this server, newest first." actions=${html`<${SelfTest} />`}>Messages</${Title}>
    <div class="filters" role="search"><input type="search" class="filter" value=${text} placeholder="Address, Message-ID, queue number or IP address" aria-label="Find a message" onInput=${(e) => setText(e.target.value)} /></div>
    <${Card}><${Loaded} of=${list}>${({ items }) =>
      items.length === 0
        ? html`<${Empty} icon="route" text=${settled ? `No message matches “${settled}”.` : "Nothing has come or gone yet."} />`
        : html`<ul class="rows">${items.map(
            (item) => html`<li key=${item.trace}><a href=${`#/trace/${seg(item.trace)}`}>
              <${Icon} name=${item.direction === "out" ? "arrow-up" : "arrow-down"} label=${item.direction === "out" ? "outgoing" : "incoming"} />
              <span class="grow"><b>${item.sender || "bounce message"} → ${item.recipients.join(", ") || "nobody"}</b><small>${item.text}</small></span>
              <${Pill} kind=${stepKind(item.outcome)}>${item.outcome}</${Pill}><${Ago} at=${item.last_at} /></a></li>`,
          )}</ul>`}
    </${Loaded}></${Card}>`;
}

export function Trace({ id }) {
  const trace = useLoad(() => get(`/timeline/${seg(id)}`), ["timeline"], [id]);
  return html`<a class="back" href="#/trace">← Messages</a>
    <${Loaded} of=${trace}>${({ summary, steps }) => html`
      <${Title} intro=${`${summary.sender || "bounce message"} → ${summary.recipients.join(", ")}`}>${summary.text || "On its way"}</${Title}>
      <${Card} title="What happened" icon="route" actions=${html`<${Copy} value=${summary.trace} label="the message's trace number" />`}><${Timeline} steps=${steps} /></${Card}>`}
    </${Loaded}>`;
}
