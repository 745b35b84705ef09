// One account: what there is to do, its addresses, limits, sign-ins, how a mail app reaches it, routes, settings.
import { html, useState } from "../lib/view.mjs";
import { get, patch, post, remove, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Dialog, Empty, Failure, Field, Icon, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { SpecForm } from "../lib/form.mjs";
import { ActionCard, Bar, Steps, Tabs } from "../lib/tabs.mjs";
import { lazy } from "../lib/lazy.mjs";
import { toast } from "../lib/toast.mjs";
import { count, number, size, until } from "../lib/format.mjs";
import { NewPassword } from "./passwords.mjs";
import { SelfTest } from "./selftest.mjs";

const STATES = { active: ["ok", "in use"], full: ["error", "full"], disabled: ["neutral", "switched off"] };

const Routes = lazy(() => import("./routes.mjs"), "Routes");

const TABS = {
  account: Summary,
  "account-addresses": Addresses,
  "account-limits": Limits,
  "account-sign-in": SignIn,
  connect: lazy(() => import("./connect.mjs"), "Connect"),
  "account-routes": ({ id }) => html`<${Routes} scope=${`account/${id}`} inside />`,
  "account-settings": ({ id }) => html`<${SpecForm} id="account" name=${id} actions=${false} />`,
};

const pathOf = (account) => `/accounts/${seg(account.id)}`;
const failed = (error) => toast(error.message, { kind: "error" });

export function Account({ id, page }) {
  const account = useLoad(() => get(`/accounts/${seg(id)}`), ["config", "mail", "sign_ins"], [id]);
  const Panel = TABS[page];
  return html`<a class="back" href="#/accounts"><${Icon} name="arrow-left" />Accounts</a>
    <${Loaded} of=${account}>${(value) => {
      const [tone, word] = STATES[value.state];
      return html`<${Title} intro=${value.addresses.map((each) => each.address).join(", ") || "no address"} actions=${html`<${SelfTest} account=${id} kind="" />`}>${value.full_name || value.id}<${Pill} kind=${tone}>${word}</${Pill}></${Title}>
        <${Tabs} page=${page} name=${value.id} label="Parts of the account" />
        <${Panel} key=${page} id=${value.id} account=${value} reload=${account.reload} />`;
    }}</${Loaded}>`;
}

function Summary({ id, account }) {
  const steps = useLoad(() => get(`${pathOf(account)}/steps`), ["config", "mail", "sign_ins"], [id]);
  return html`<${Steps} items=${steps.value?.items ?? []} />
    <${Card} title="Details" icon="user"><dl class="facts">
      <dt>Name</dt><dd>${account.full_name || "–"}</dd>
      <dt>Account</dt><dd>${account.id}</dd>
      <dt>Addresses</dt><dd>${account.addresses.map((each) => each.address + (each.catch_all ? " (catch-all)" : "")).join(", ") || "no address"}</dd>
      <dt>Mail stored</dt><dd>${size(account.used_bytes)}${account.quota_bytes > 0 && ` of ${size(account.quota_bytes)}`} in ${count(account.messages, "message")}<${Bar} used=${account.used_bytes} limit=${account.quota_bytes} label="Room used" /></dd>
      <dt>Last sign-in</dt><dd>${account.last_sign_in_at ? html`<${Ago} at=${account.last_sign_in_at} />` : "never"}</dd>
    </dl></${Card}>
    <${ActionCard} form="account" action="remove" name=${account.id} title="Remove the account" text="All mail of the account is deleted with it. What else that means is shown before anything happens." onDone=${() => (location.hash = "/accounts")} />`;
}

function Addresses({ account, reload }) {
  const [asking, setAsking] = useState(null);
  const path = `${pathOf(account)}/addresses`;
  const take = async (entry) => {
    try {
      await remove(`${path}/${seg(entry.address)}`);
      toast(`${entry.address} was removed. Mail to it is refused now.`, { undo: () => post(path, { address: entry.address, mailbox: entry.mailbox }).then(reload) });
      reload();
    } catch (problem) {
      failed(problem);
    }
  };
  return html`<${Card} title="Addresses" icon="at" actions=${html`<${Button} kind="primary" icon="plus" onClick=${() => setAsking("add")}>Add address…</${Button}>`}>
    ${account.addresses.length === 0 && html`<p class="muted">No address: nobody can write to this account.</p>`}
    <ul class="rows">${account.addresses.map(
      (entry) => html`<li key=${entry.address}><span class="grow"><b>${entry.address}</b><small>${entry.catch_all && "all other addresses of the domain, "}into ${entry.mailbox}</small></span>
        <button type="button" class="copy" aria-label=${`Choose the mailbox for ${entry.address}`} onClick=${() => setAsking(entry)}>Mailbox…</button>
        <button type="button" class="copy danger" aria-label=${`Remove the address ${entry.address}`} onClick=${() => take(entry)}><${Icon} name="trash" /></button></li>`,
    )}</ul>
    ${asking === "add" && html`<${AddAddress} account=${account} path=${path} onClose=${() => setAsking(null)} reload=${reload} />`}
    ${asking?.address && html`<${Mailbox} entry=${asking} path=${path} onClose=${() => setAsking(null)} reload=${reload} />`}
  </${Card}>`;
}

/** A dialog with fields that sends something: stays open with its faults until that worked. */
function Sheet({ title, verb, known, send, said, onClose, reload, children }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await send();
      reload();
      toast(said);
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}><form onSubmit=${submit} novalidate>
    ${children((path) => error?.at?.(path))}
    ${error && !known.some((path) => error.at?.(path)) && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>${verb}</${Button}></div>
  </form></${Dialog}>`;
}

const MAILBOX_HELP = "Where its mail is put; it is made when it is missing.";

function AddAddress({ account, path, onClose, reload }) {
  const [text, setText] = useState("");
  const [mailbox, setMailbox] = useState("INBOX");
  const send = () => post(path, { address: text.trim(), mailbox: mailbox.trim() || "INBOX" });
  return html`<${Sheet} title="Add an address" verb="Add address" known=${["/address", "/mailbox"]} send=${send} said="The address was added." onClose=${onClose} reload=${reload}>${(fault) => html`
    <${Field} label="Address" autofocus help=${`Or @${account.domain} for all other addresses of the domain (catch-all).`} value=${text} fault=${fault("/address")} placeholder=${`shop@${account.domain}`} autocomplete="off" autocapitalize="none" onInput=${(event) => setText(event.target.value)} />
    <${Field} label="Mailbox" help=${MAILBOX_HELP} value=${mailbox} fault=${fault("/mailbox")} autocomplete="off" onInput=${(event) => setMailbox(event.target.value)} />`}</${Sheet}>`;
}

function Mailbox({ entry, path, onClose, reload }) {
  const [mailbox, setMailbox] = useState(entry.mailbox);
  const send = () => patch(`${path}/${seg(entry.address)}`, { mailbox: mailbox.trim() });
  return html`<${Sheet} title=${`Mail to ${entry.address}`} verb="Save" known=${["/mailbox"]} send=${send} said=${`Mail to ${entry.address} has a mailbox chosen for it now.`} onClose=${onClose} reload=${reload}>${(fault) => html`
    <${Field} label="Mailbox" autofocus help=${`${MAILBOX_HELP} What has arrived stays where it is.`} value=${mailbox} fault=${fault("/mailbox")} autocomplete="off" onInput=${(event) => setMailbox(event.target.value)} />`}</${Sheet}>`;
}

function Limits({ id, account }) {
  const sent = useLoad(() => get(`${pathOf(account)}/limits`), ["queue", "config"], [id]);
  const line = (name, limit) => html`<dt>${name}</dt><dd>${number(limit.used)} of ${count(limit.limit, "recipient")}${limit.room_at && `; there is room again ${until(limit.room_at)}`}<${Bar} used=${limit.used} limit=${limit.limit} label=${name} /></dd>`;
  return html`<${Card} title="Within the last 24 hours" icon="send"><${Loaded} of=${sent}>${(value) => html`<dl class="facts">${line("Sent to", value.messages)}${line("To new people", value.first_time)}</dl>`}</${Loaded}></${Card}>
    <${SpecForm} id="account-limits" name=${id} />`;
}

function SignIn({ id, account, reload }) {
  const [asking, setAsking] = useState(false);
  const list = useLoad(() => get("/sign-ins", { account: id, limit: 50 }), ["sign_ins"], [id]);
  const setDisabled = async (disabled) => {
    try {
      await patch(pathOf(account), { disabled });
      toast(disabled ? "Nobody can sign in any more." : "Signing in is possible again.", { undo: () => patch(pathOf(account), { disabled: !disabled }).then(reload) });
    } catch (problem) {
      failed(problem);
    }
    reload();
  };
  const verb = account.disabled ? "Allow again" : "Switch off";
  return html`<${Card} title="Password" icon="key"><div class="step"><p class="muted grow">It is stored so that nobody can read it, not even you. Set a new one when it is lost or known to others.</p><${Button} icon="key" onClick=${() => setAsking(true)}>Set a new password…</${Button}></div></${Card}>
    <${Card} title="Signing in" icon="login"><div class="step"><p class="muted grow">${account.disabled ? "It is switched off: nobody can sign in to the account or send from it. Mail to it is still taken." : "When it is switched off, the account keeps its mail and still gets new mail, but nobody can sign in to it or send from it."}</p><${Button} icon="ban" aria-label=${`${verb}: signing in to the account`} onClick=${() => setDisabled(!account.disabled)}>${verb}</${Button}></div></${Card}>
    <${Card} title="Last sign-ins" icon="history"><${Loaded} of=${list}>${({ items }) =>
      items.length === 0
        ? html`<${Empty} icon="login" text="Nobody has signed in yet. Sign-ins of mail programs to this account, and refused tries, show here."><a class="button" href=${`#${pathOf(account)}/connect`}>Connect a mail app</a></${Empty}>`
        : html`<table class="cards"><thead><tr><th scope="col">When</th><th scope="col">Result</th><th scope="col">With</th><th scope="col">From</th><th scope="col">As</th><th scope="col">Method</th></tr></thead>
          <tbody>${items.map((item) => html`<tr key=${item.at + item.peer}><th scope="row"><${Ago} at=${item.at} /></th><td class="pillcell"><${Pill} kind=${item.succeeded ? "ok" : "error"}>${item.succeeded ? "signed in" : "refused"}</${Pill}></td><td data-label="With">${item.protocol}</td><td data-label="From"><code>${item.peer || "this computer"}</code></td><td data-label="As">${item.address}</td><td data-label="Method" class="muted">${item.mechanism}</td></tr>`)}</tbody></table>`}</${Loaded}></${Card}>
    ${asking && html`<${NewPassword} account=${id} address=${account.address || id} onClose=${() => setAsking(false)} />`}`;
}
