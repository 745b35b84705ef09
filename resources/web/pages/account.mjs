import { html, useState } from "../lib/view.mjs";
import { get, patch, post, remove, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Confirm, Dialog, Failure, Field, Icon, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count, number, size } from "../lib/format.mjs";
import { Connect } from "./connect.mjs";
import { NewPassword, SHORTEST_PASSWORD, ShownPassword, passwordFault } from "./passwords.mjs";
import { SelfTest } from "./selftest.mjs";

const MEGABYTE = 1_000_000;

export const mainAddress = (account) => account.addresses.find((each) => !each.catch_all)?.address ?? account.id;

export function stateOf(account) {
  if (account.disabled) return ["neutral", "disabled"];
  if (account.quota_bytes && account.used_bytes >= account.quota_bytes) return ["error", "full"];
  return ["ok", "active"];
}

export function Account({ id, tab }) {
  const account = useLoad(() => get(`/accounts/${seg(id)}`), ["config", "mail", "sign_ins"], [id]);
  const path = `#/accounts/${seg(id)}`;
  return html`<a class="back" href="#/accounts"><${Icon} name="arrow-left" />Accounts</a>
    <${Loaded} of=${account}>${(value) => {
      const [tone, word] = stateOf(value);
      return html`
        <${Title} intro=${value.addresses.map((each) => each.address).join(", ") || "no address"} actions=${html`<${SelfTest} account=${id} />`}>${value.full_name || value.id}<${Pill} kind=${tone}>${word}</${Pill}></${Title}>
        <nav class="tabs" aria-label="Parts of the account">
          <a href=${path} aria-current=${tab ? undefined : "page"}>Summary</a><a href=${`${path}/connect`} aria-current=${tab ? "page" : undefined}>Connect a mail app</a>
        </nav>
        ${tab ? html`<${Connect} id=${id} />` : html`<${Summary} account=${value} reload=${account.reload} />`}`;
    }}</${Loaded}>`;
}

function Summary({ account, reload }) {
  const [dialog, setDialog] = useState("");
  const close = () => setDialog("");
  const path = `/accounts/${seg(account.id)}`;
  const setDisabled = async (disabled) => {
    try {
      await patch(path, { disabled });
      toast(disabled ? "The account is disabled. Its mail still arrives." : "The account is enabled again.", { undo: () => patch(path, { disabled: !disabled }).then(reload) });
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
    reload();
  };
  const addresses = account.addresses.map((each) => each.address).join(", ") || "none";
  return html`<div class="columns">
      <${Addresses} account=${account} reload=${reload} />
      <div>
        <${Card} title="Details" icon="user" actions=${html`<${Button} icon="settings" aria-label="Change the account" onClick=${() => setDialog("edit")}>Change…</${Button}>`}>
          <dl class="facts">
            <dt>Mail stored</dt><dd>${size(account.used_bytes)}${account.quota_bytes > 0 && ` of ${size(account.quota_bytes)}`} in ${count(account.messages, "message")}</dd>
            <dt>Last sign-in</dt><dd>${account.last_sign_in_at ? html`<${Ago} at=${account.last_sign_in_at} />` : "never"}</dd>
            <dt>Messages a day, at most</dt><dd>${number(account.max_outgoing_messages_per_day)}</dd>
            <dt>New recipients a day, at most</dt><dd>${number(account.max_first_time_recipients_per_day)}</dd>
            <dt>Account name</dt><dd>${account.id}</dd>
          </dl>
        </${Card}>
        <${Card} title="Password" icon="key"><div class="step"><p class="muted grow">It is stored so that nobody can read it, not even you. Set a new one when it is lost or known to others.</p>
          <${Button} onClick=${() => setDialog("password")}>Set a new password…</${Button}></div></${Card}>
        <${Card} title="Remove or disable" icon="ban">
          <div class="step"><p class="muted grow">${account.disabled ? "It is disabled: nobody can sign in to it. Its mail still arrives." : "A disabled account keeps getting its mail, but nobody can sign in to it."}</p>
            <${Button} aria-label=${account.disabled ? "Enable the account" : "Disable the account"} onClick=${() => setDisabled(!account.disabled)}>${account.disabled ? "Enable" : "Disable"}</${Button}></div>
          <div class="step"><p class="muted grow">Removing the account deletes all its mail from this computer.</p>
            <${Button} kind="danger" icon="trash" onClick=${() => setDialog("remove")}>Remove account…</${Button}></div>
        </${Card}>
      </div>
    </div>
    ${dialog === "edit" && html`<${EditAccount} account=${account} onClose=${close} onSaved=${reload} />`}
    ${dialog === "password" && html`<${NewPassword} account=${account.id} address=${mainAddress(account)} onClose=${close} />`}
    ${dialog === "remove" &&
    html`<${Confirm} title=${`Remove the account ${mainAddress(account)}?`} verb="Remove account" confirmName=${account.id} onClose=${close}
      onYes=${async () => { await remove(path); toast(`${account.full_name || account.id} was removed.`); location.hash = "/accounts"; }}>
      <p>All its mail goes with it: ${count(account.messages, "message")}, ${size(account.used_bytes)}. This can't be undone. Mail to its addresses (${addresses}) will be refused.</p>
    </${Confirm}>`}`;
}

function Addresses({ account, reload }) {
  const [text, setText] = useState("");
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const path = `/accounts/${seg(account.id)}/addresses`;
  const add = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post(path, { address: text.trim() });
      setText("");
      reload();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const take = async (entry) => {
    setError(null);
    try {
      await remove(`${path}/${seg(entry.address)}`);
      toast(`${entry.address} was removed. Mail to it is refused now.`, {
        undo: () => post(path, { address: entry.address, mailbox: entry.mailbox }).then(reload),
      });
      reload();
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<${Card} title="Addresses" icon="at">
    ${account.addresses.length === 0 && html`<p class="muted">No address: nobody can write to this account.</p>`}
    <ul class="rows">${account.addresses.map(
      (entry) => html`<li key=${entry.address}><span class="grow"><b>${entry.address}</b><small>${entry.catch_all ? "all other addresses of the domain" : `into ${entry.mailbox}`}</small></span>
        <button type="button" class="copy" aria-label=${`Remove the address ${entry.address}`} onClick=${() => take(entry)}><${Icon} name="trash" /></button></li>`,
    )}</ul>
    <form onSubmit=${add} novalidate>
      <${Field} label="Another address" help=${`Or @${account.domain} for all other addresses of the domain (catch-all).`} value=${text} fault=${error?.at?.("/address")} placeholder=${`shop@${account.domain}`} autocomplete="off" onInput=${(e) => setText(e.target.value)} />
      ${error && !error.at?.("/address") && html`<${Failure} error=${error} />`}
      <div class="buttons start"><${Button} type="submit" icon="plus" busy=${busy}>Add address</${Button}></div>
    </form>
  </${Card}>`;
}

const NUMBERS = {
  max_outgoing_messages_per_day: ["Messages a day", "Sending stops for the day above this number: it limits the harm of a stolen password."],
  max_first_time_recipients_per_day: ["New recipients a day", "People that this account never wrote to before."],
  quota_bytes: ["Room for mail, in MB", "0 means no limit."],
};

function EditAccount({ account, onClose, onSaved }) {
  const [values, setValues] = useState({
    full_name: account.full_name,
    max_outgoing_messages_per_day: String(account.max_outgoing_messages_per_day),
    max_first_time_recipients_per_day: String(account.max_first_time_recipients_per_day),
    quota_bytes: String(Math.floor(account.quota_bytes / MEGABYTE)),
  });
  const [faults, setFaults] = useState({});
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const set = (name) => (event) => setValues({ ...values, [name]: event.target.value });
  const fault = (name) => faults[name] || error?.at?.(`/${name}`);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    const wrong = Object.keys(NUMBERS).filter((name) => !/^\d{1,12}$/.test(values[name].trim()));
    setFaults(Object.fromEntries(wrong.map((name) => [name, "Enter a whole number."])));
    if (wrong.length) return;
    setBusy(true);
    try {
      // Room is only sent when it was changed: it is shown in whole megabytes.
      const room = Number(values.quota_bytes) * MEGABYTE;
      await patch(`/accounts/${seg(account.id)}`, {
        full_name: values.full_name,
        max_outgoing_messages_per_day: Number(values.max_outgoing_messages_per_day),
        max_first_time_recipients_per_day: Number(values.max_first_time_recipients_per_day),
        ...(Math.floor(account.quota_bytes / MEGABYTE) === Number(values.quota_bytes) ? {} : { quota_bytes: room }),
      });
      onSaved();
      toast("The account was changed.");
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const placed = error && ["full_name", ...Object.keys(NUMBERS)].some((name) => error.at?.(`/${name}`));
  return html`<${Dialog} title="Change the account" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Name" optional autofocus value=${values.full_name} autocomplete="off" fault=${fault("full_name")} onInput=${set("full_name")} />
    ${Object.entries(NUMBERS).map(([name, [label, help]]) => html`<${Field} key=${name} label=${label} help=${help} inputmode="numeric" value=${values[name]} fault=${fault(name)} onInput=${set(name)} />`)}
    ${error && !placed && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Save</${Button}></div>
  </form></${Dialog}>`;
}

export function AddAccount({ domains, onClose, onAdded }) {
  const [local, setLocal] = useState("");
  const [domain, setDomain] = useState(domains[0]?.name ?? "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [faults, setFaults] = useState({});
  const [added, setAdded] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    const wrong = { "/address": local.trim() ? "" : "Enter the part before the @, such as anna.", "/password": passwordFault(password) };
    setFaults(wrong);
    if (Object.values(wrong).some(Boolean)) return;
    setBusy(true);
    const address = local.includes("@") ? local.trim() : `${local.trim()}@${domain}`;
    try {
      setAdded(await post("/accounts", { address, full_name: name.trim(), ...(password ? { password } : {}) }));
      onAdded();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (added) {
    const address = mainAddress(added.account);
    const connect = () => { location.hash = `/accounts/${seg(added.account.id)}/connect`; };
    return html`<${ShownPassword} title=${`${address} is ready`} address=${address} password=${added.password} onClose=${onClose} onConnect=${connect} />`;
  }
  const known = ["/address", "/password", "/full_name"];
  const fault = (path) => faults[path] || error?.at?.(path);
  return html`<${Dialog} title="Add an account" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Name" optional help="As it is shown to the people she or he writes to." placeholder="Anna Example" value=${name} autofocus autocomplete="off" fault=${fault("/full_name")} onInput=${(e) => setName(e.target.value)} />
    <div class="joined">
      <${Field} label="Address" value=${local} placeholder="anna" autocomplete="off" autocapitalize="none" fault=${fault("/address")} onInput=${(e) => setLocal(e.target.value)} />
      <${Field} label="Domain">${(shared) => html`<select ...${shared} value=${domain} onChange=${(e) => setDomain(e.target.value)}>${domains.map((each) => html`<option value=${each.name}>@${each.unicode}</option>`)}</select>`}</${Field}>
    </div>
    <${Field} label="Password" optional help=${`At least ${SHORTEST_PASSWORD} characters. Leave it empty to get a strong one, which is shown once.`} type="password" autocomplete="new-password" value=${password} fault=${fault("/password")} onInput=${(e) => setPassword(e.target.value)} />
    ${error && !known.some((path) => error.at?.(path)) && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Add account</${Button}></div>
  </form></${Dialog}>`;
}
