// The DNS records of a domain: what should be there, what is, and how to get from one to the other.
import { html } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Banner, Button, Copy, Loaded, Pill, useLoad } from "../lib/parts.mjs";
import { Groups, News, Verdict, useChecks } from "../lib/checks.mjs";

export function Dns({ name: domain }) {
  const base = `/domains/${seg(domain)}/dns`;
  const checks = useChecks(base, `${base}/check`, [domain]);
  const records = useLoad(() => get(`${base}/records`), ["config"], [domain]);
  const zone = records.value?.zone ?? "";
  const more = zone && html`<${Button} icon="device-floppy" onClick=${() => save(`${domain}.zone`, zone)}>Download zone file</${Button}><${Copy} value=${zone} label="the zone file" text="Copy zone file" />`;
  return html`<${Loaded} of=${checks}>${(value) => html`
    <${Verdict} of=${checks} value=${value} more=${more}>${value.provider.name && html`<${Pill} kind="info" icon="world">${`DNS at ${value.provider.name}`}</${Pill}>`}</${Verdict}>
    <${News} value=${value} />
    <${Groups} of=${checks} value=${value} subject=${domain} />
    ${value.items.length > 0 && html`<p class="muted">DNS can take up to an hour. You may leave this page: what changes is noticed all the same.</p>`}
    ${value.name_servers.length > 0 && html`<p><small>Name servers of the domain: ${value.name_servers.join(", ")}</small></p>`}
    ${value.notes.map((note) => html`<${Banner} key=${note}>${note}</${Banner}>`)}
  `}</${Loaded}>`;
}

function save(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
