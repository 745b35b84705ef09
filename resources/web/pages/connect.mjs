// Connect a mail app: the settings to copy, in the order in which programs ask for them, and steps for the program at hand.
import { html, useEffect, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Chips, Copy, Icon, Loaded, Pill, Value, useLoad } from "../lib/parts.mjs";
import { Report } from "../lib/form.mjs";
import { timeOfDay } from "../lib/format.mjs";
import { toast } from "../lib/toast.mjs";

const SECURITY = { tls: "SSL/TLS", starttls: "STARTTLS", none: "None (only on this computer)" };
const PROTOCOLS = { imap: "Incoming mail (IMAP)", smtp: "Outgoing mail (SMTP)" };
const rowsOf = (server) => [
  ["Server", server.host],
  ["Port", String(server.port)],
  ["Security", SECURITY[server.security]],
  ["User name", server.user_name],
  ["Authentication", server.authentication[0].toUpperCase() + server.authentication.slice(1)],
];

function asText(settings) {
  const parts = [`E-mail address: ${settings.address}`];
  if (settings.full_name) parts.push(`Name: ${settings.full_name}`);
  for (const server of [...settings.incoming, ...settings.outgoing]) {
    parts.push("", PROTOCOLS[server.protocol] + (server.recommended ? " (recommended)" : ""));
    parts.push(...rowsOf(server).map(([label, value]) => `  ${label}: ${value}`));
  }
  return parts.join("\n");
}

/** The one to use, and the others. */
function ranked(servers) {
  const best = servers.find((server) => server.recommended) ?? servers[0];
  return [best, servers.filter((server) => server !== best)];
}

const LOOK_MS = 5000;
const JUST_NOW_MS = 120_000;

export function Connect({ id }) {
  const path = `/accounts/${seg(id)}/connect`;
  const settings = useLoad(() => get(path), ["config"], [id]);
  const [device, setDevice] = useState("apple");
  const [report, setReport] = useState(null);
  const [busy, setBusy] = useState(false);
  // Who asks the server for settings is no event: the page looks from time to time.
  useEffect(() => {
    const timer = setInterval(() => document.hidden || settings.reload(), LOOK_MS);
    return () => clearInterval(timer);
  }, [settings.reload]);
  const check = async () => {
    setBusy(true);
    try {
      setReport(await post(`${path}/check`));
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
    setBusy(false);
  };
  return html`<${Loaded} of=${settings}>${(value) => {
    const [incoming, otherIncoming] = ranked(value.incoming);
    const [outgoing, otherOutgoing] = ranked(value.outgoing);
    const others = [...otherIncoming, ...otherOutgoing];
    const chosen = value.devices.find((each) => each.id === device) ?? value.devices[0];
    const asked = value.asked_at && Date.now() - new Date(value.asked_at) < JUST_NOW_MS;
    return html`
      <${Card} title="How to" icon="device-mobile" actions=${html`<${Copy} value=${() => asText(value)} label="all settings, without the password" text="Copy all settings" />`}>
        <${Chips} label="Device" entries=${value.devices.map((each) => [each.id, each.title])} value=${chosen?.id} onChange=${setDevice} />
        <div class="columns"><ol class="steps">${chosen?.steps.map((step) => html`<li key=${step}>${step}</li>`)}</ol>${chosen?.profile && html`<${Profile} path=${path} />`}</div>
        <p role="status" class=${asked ? "asked" : "muted"}>${asked ? html`<${Icon} name="circle-check" /> A mail app has asked this server for its settings <${Ago} at=${value.asked_at} />.` : "As soon as a mail app asks this server for its settings, it shows here."}</p>
        <div class="buttons start"><${Button} icon="search" busy=${busy} onClick=${check}>Do mail apps find the settings?</${Button}>
          ${value.ca_path && html`<a class="button" href=${value.ca_path} download="gatepost-ca.pem"><${Icon} name="shield-check" />Download the certificate</a>`}</div>
        ${report && html`<${Report} report=${report} />`}
      </${Card}>
      <div class="columns">${[incoming, outgoing].filter(Boolean).map((server) => html`<${Way} server=${server} key=${server.protocol} />`)}</div>
      ${others.length > 0 && html`<details><summary>Other ways to connect</summary><div class="columns">${others.map((server) => html`<${Way} server=${server} key=${server.protocol + server.port} />`)}</div></details>`}`;
  }}</${Loaded}>`;
}

/** A code that leads a phone to its settings, once. */
function Profile({ path }) {
  const [link, setLink] = useState(null);
  const [busy, setBusy] = useState(false);
  const make = async () => {
    setBusy(true);
    try {
      setLink(await post(`${path}/profile`));
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
    setBusy(false);
  };
  if (!link) return html`<div class="qr-box"><${Button} kind="primary" icon="device-mobile" busy=${busy} onClick=${make}>Make a code</${Button}><small class="muted">It leads to the settings, without the password. It works once, for 15 minutes.</small></div>`;
  return html`<div class="qr-box"><img class="qr" width="200" height="200" src=${`data:image/svg+xml,${encodeURIComponent(link.qr_svg)}`} alt="Code with a link to the settings, without the password" />
    <small class="muted">It works once, until ${timeOfDay(link.expires_at)}. ${link.note}</small>
    <div class="buttons start"><${Copy} value=${link.url} label="the link" text="Copy the link" /><button type="button" class="copy" onClick=${make}>Make a new one</button></div></div>`;
}

function Way({ server }) {
  return html`<${Card} title=${PROTOCOLS[server.protocol]} actions=${server.recommended && html`<${Pill} kind="ok">recommended</${Pill}>`}>
    <div class="values">${rowsOf(server).map(([label, value]) => html`<${Value} key=${label} label=${label} value=${value} />`)}</div>
    ${server.note && html`<p class="muted">${server.note}</p>`}
  </${Card}>`;
}
