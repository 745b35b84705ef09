import { html, useState } from "../lib/view.mjs";
import { get, patch, post, remove, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Confirm, Dialog, Failure, Field, Loaded, Pill, Title, Value, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count, size } from "../lib/format.mjs";
import { SelfTest } from "./overview.mjs";

const SECURITY = { tls: "TLS (also called SSL/TLS)", starttls: "STARTTLS", none: "none" };

export function Account({ id }) {
  const account = useLoad(() => get(`/accounts/${seg(id)}`), ["config", "mail", "sign_ins"], [id]);
  const settings = useLoad(() => get(`/accounts/${seg(id)}/connect`), ["config"], [id]);
  const [dialog, setDialog] = useState("");
  const close = () => setDialog("");
  return html`<a class="back" href="#/accounts">← Accounts</a>
    <${Loaded} of=${account}>${(value) => html`
      <${Title} intro=${value.addresses.map((a) => a.address).join(" · ")} actions=${html`<${SelfTest} account=${id} />`}>
        ${value.full_name || value.id} ${value.disabled && html`<${Pill} kind="warn">sign-in off</${Pill}>`}
      </${Title}>
      <div class="columns">
        <${Loaded} of=${settings}>${(connect) => html`<${Connect} connect=${connect} />`}</${Loaded}>
        <div>
          <${Addresses} account=${value} reload=${account.reload} />
          <${Card} title="About" icon="user">
            <dl class="facts">
              <dt>Mail</dt><dd>${count(value.messages, "message")}, ${size(value.used_bytes)}${value.quota_bytes ? ` of ${size(value.quota_bytes)}` : ""}</dd>
              <dt>Last sign-in</dt><dd>${value.last_sign_in_at ? html`<${Ago} at=${value.last_sign_in_at} />` : "never"}</dd>
              <dt>May send</dt><dd>to ${count(value.max_outgoing_messages_per_day, "recipient")} a day, ${value.max_first_time_recipients_per_day.toLocaleString()} of them new</dd>
            </dl>
            <div class="buttons">
              <${Button} icon="key" onClick=${() => setDialog("password")}>Set a new password</${Button}>
              <${Button} icon="lock" onClick=${async () => {
                await patch(`/accounts/${seg(id)}`, { disabled: !value.disabled });
                account.reload();
                toast(value.disabled ? "Sign-in is on again." : "Sign-in is off. Mail still arrives.", {
                  undo: async () => { await patch(`/accounts/${seg(id)}`, { disabled: value.disabled }); account.reload(); },
                });
              }}>${value.disabled ? "Switch sign-in on" : "Switch sign-in off"}</${Button}>
              <${Button} kind="danger" icon="trash" onClick=${() => setDialog("remove")}>Remove account</${Button}>
            </div>
          </${Card}>
        </div>
      </div>
      ${dialog === "password" && html`<${NewPassword} id=${id} onClose=${close} />`}
      ${dialog === "remove" &&
      html`<${Confirm} title=${`Remove the account ${value.id}?`} verb="Remove account and mail" confirmName=${value.id} onClose=${close}
        onYes=${async () => { await remove(`/accounts/${seg(id)}`); toast(`${value.id} was removed.`); location.hash = "/accounts"; }}>
        <p><b>${count(value.messages, "message")} (${size(value.used_bytes)})</b> and ${count(value.addresses.length, "address", "addresses")} go with it. This can't be undone.</p>
      </${Confirm}>`}`}
    </${Loaded}>`;
}

function Connect({ connect }) {
  const server = (entry) => html`<section class="server" key=${entry.protocol + entry.port}>
    <h3>${entry.protocol === "imap" ? "Incoming (IMAP)" : "Outgoing (SMTP)"} ${entry.recommended && html`<${Pill} kind="ok">recommended</${Pill}>`}</h3>
    <${Value} label="Server" value=${entry.host} />
    <${Value} label="Port" value=${String(entry.port)} />
    <div class="value"><span class="label">Encryption</span><span>${SECURITY[entry.security]}</span></div>
    <${Value} label="User name" value=${entry.user_name} />
    ${entry.note && html`<p class="muted">${entry.note}</p>`}
  </section>`;
  const [first, rest] = [[...connect.incoming.filter((e) => e.recommended), ...connect.outgoing.filter((e) => e.recommended)], [...connect.incoming, ...connect.outgoing].filter((e) => !e.recommended)];
  return html`<${Card} title="Connect a mail app" icon="device-mobile">
    <p>Most apps ask for name, address and password, and then for these. The password is the account's.</p>
    <${Value} label="Address" value=${connect.address} />
    ${first.map(server)}
    ${rest.length > 0 && html`<details><summary>Other ways to connect</summary>${rest.map(server)}</details>`}
    ${connect.trust_note && html`<${Banner} icon="shield-check" action=${connect.ca_path && html`<a class="button" href=${connect.ca_path} download="gatepost-ca.pem">Download certificate</a>`}>${connect.trust_note}</${Banner}>`}
  </${Card}>`;
}

function Addresses({ account, reload }) {
  const [text, setText] = useState("");
  const [error, setError] = useState(null);
  const add = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      await post(`/accounts/${seg(account.id)}/addresses`, { address: text.trim() });
      setText("");
      reload();
    } catch (problem) {
      setError(problem);
    }
  };
  const take = async (entry) => {
    try {
      await remove(`/accounts/${seg(account.id)}/addresses/${seg(entry.address)}`);
      reload();
      toast(`${entry.address} was removed; mail to it is refused.`, {
        undo: async () => { await post(`/accounts/${seg(account.id)}/addresses`, { address: entry.address, mailbox: entry.mailbox }); reload(); },
      });
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<${Card} title="Addresses" icon="at">
    <ul class="rows">${account.addresses.map(
      (entry) => html`<li key=${entry.address}><span class="grow"><b>${entry.address}</b><small>${entry.catch_all ? "catch-all: everything that no other address takes" : `to ${entry.mailbox}`}</small></span>
        <button type="button" class="copy" aria-label=${`Remove ${entry.address}`} onClick=${() => take(entry)}><span class="icon" style=${{ "--icon": 'url("icons/trash.svg")' }}></span></button></li>`,
    )}</ul>
    <form onSubmit=${add}>
      <${Field} label="Another address" help="Or @example.org for everything that no other address takes." value=${text} fault=${error?.at?.("/address")} placeholder=${`name@${account.domain}`} onInput=${(e) => setText(e.target.value)} />
      ${error && !error.at?.("/address") && html`<${Failure} error=${error} />`}
      <div class="buttons"><${Button} type="submit" icon="plus">Add address</${Button}></div>
    </form>
  </${Card}>`;
}

function NewPassword({ id, onClose }) {
  const [password, setPassword] = useState("");
  const [made, setMade] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const reply = await post(`/accounts/${seg(id)}/password`, password ? { password } : {});
      if (reply.password) setMade(reply.password);
      else {
        toast("The new password holds from now on.");
        onClose();
      }
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (made) {
    return html`<${Dialog} title="The new password" onClose=${onClose}>
      <p>It is shown now and never again. Mail apps will ask for it.</p><${Value} label="Password" value=${made} />
      <div class="buttons"><${Button} kind="primary" onClick=${onClose}>Done</${Button}></div>
    </${Dialog}>`;
  }
  return html`<${Dialog} title="Set a new password" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Password" help="Leave it empty and Gatepost makes up a good one." type="password" autocomplete="new-password" autofocus value=${password} fault=${error?.at?.("/password")} onInput=${(e) => setPassword(e.target.value)} />
    ${error && !error.at?.("/password") && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Set password</${Button}></div>
  </form></${Dialog}>`;
}
