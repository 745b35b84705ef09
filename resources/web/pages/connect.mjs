// Connect a mail app: the settings to copy, in the order in which programs ask for them, and steps for the program at hand.
import { html, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Card, Chips, Copy, Icon, Loaded, Pill, Value, useLoad } from "../lib/parts.mjs";

const SECURITY = { tls: "SSL/TLS", starttls: "STARTTLS", none: "None (only on this computer)" };
const PROTOCOLS = { imap: "Incoming mail (IMAP)", smtp: "Outgoing mail (SMTP)" };
const DEVICES = [["any", "Any program"], ["thunderbird", "Thunderbird"], ["phone", "Phone or tablet"], ["outlook", "Outlook"]];

function stepsFor(device, { address, trust_note: trust }) {
  const last = [...(trust ? [trust] : []), "Your password is the one shown when the account was made. It can be set anew under Summary."];
  switch (device) {
    case "thunderbird":
      return [
        "Open Account Settings, then Account Actions → Add Mail Account.",
        `Enter your name, ${address} and your password, then Configure manually.`,
        "Copy server, port, security and user name from this page. Choose “Normal password”.",
        ...last,
      ];
    case "phone":
      return [
        "The phone must reach this computer: both in the same network, and a server name that is not “localhost”.",
        "In the mail app add an account of the kind “IMAP” or “Other”.",
        "Open this page on the phone, or send yourself the settings, and copy them.",
        ...last,
      ];
    case "outlook":
      return [
        `Choose File → Add Account and enter ${address}.`,
        "Open “Advanced options”, tick “Let me set up my account manually”, choose IMAP.",
        "Copy the values of both servers from this page.",
        ...last,
      ];
    default:
      return [`Choose “IMAP” as the kind of account and enter ${address}.`, "Copy the values of both servers from this page.", ...last];
  }
}

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

export function Connect({ id }) {
  const settings = useLoad(() => get(`/accounts/${seg(id)}/connect`), ["config"], [id]);
  const [device, setDevice] = useState("any");
  return html`<${Loaded} of=${settings}>${(value) => {
    const [incoming, otherIncoming] = ranked(value.incoming);
    const [outgoing, otherOutgoing] = ranked(value.outgoing);
    const others = [...otherIncoming, ...otherOutgoing];
    return html`
      <${Card} title="How to" icon="device-mobile" actions=${html`<${Copy} value=${() => asText(value)} label="all settings, without the password" text="Copy all settings" />`}>
        <${Chips} label="Program" entries=${DEVICES} value=${device} onChange=${setDevice} />
        <ol class="steps">${stepsFor(device, value).map((step) => html`<li key=${step}>${step}</li>`)}</ol>
        ${value.ca_path && html`<div class="buttons start"><a class="button" href=${value.ca_path} download="gatepost-ca.pem"><${Icon} name="shield-check" />Download the certificate</a></div>`}
      </${Card}>
      <div class="columns">${[incoming, outgoing].filter(Boolean).map((server) => html`<${Way} server=${server} key=${server.protocol} />`)}</div>
      ${others.length > 0 && html`<details><summary>Other ways to connect</summary><div class="columns">${others.map((server) => html`<${Way} server=${server} key=${server.protocol + server.port} />`)}</div></details>`}`;
  }}</${Loaded}>`;
}

function Way({ server }) {
  return html`<${Card} title=${PROTOCOLS[server.protocol]} actions=${server.recommended && html`<${Pill} kind="ok">recommended</${Pill}>`}>
    <div class="values">${rowsOf(server).map(([label, value]) => html`<${Value} key=${label} label=${label} value=${value} />`)}</div>
    ${server.note && html`<p class="muted">${server.note}</p>`}
  </${Card}>`;
}
