import { html, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Dialog, Empty, Failure, Field, Loaded, Pill, Title, Value, useLoad } from "../lib/parts.mjs";
import { size } from "../lib/format.mjs";

export function Accounts() {
  const accounts = useLoad(() => get("/accounts"), ["config", "mail", "sign_ins"]);
  const [adding, setAdding] = useState(false);
  const [filter, setFilter] = useState("");
  const add = html`<${Button} kind="primary" icon="user-plus" onClick=${() => setAdding(true)}>Add an account</${Button}>`;
  const matches = (account) => `${account.id} ${account.full_name} ${account.addresses.map((a) => a.address).join(" ")}`.toLowerCase().includes(filter.toLowerCase());
  return html`<${Title} intro="People and things that have mailboxes here." actions=${add}>Accounts</${Title}>
    <${Loaded} of=${accounts}>${({ items }) => {
      if (!items.length) return html`<${Card}><${Empty} icon="users" text="No account yet. Each person gets one, with as many addresses as needed.">${add}</${Empty}></${Card}>`;
      const shown = items.filter(matches);
      return html`<${Card}>
        ${items.length > 10 && html`<input type="search" class="filter" value=${filter} placeholder="Filter" aria-label="Filter accounts" onInput=${(e) => setFilter(e.target.value)} />`}
        ${shown.length === 0 && html`<${Empty} icon="filter" text=${`No account matches “${filter}”.`}><${Button} onClick=${() => setFilter("")}>Clear the filter</${Button}></${Empty}>`}
        ${shown.length > 0 && html`<table class="cards">
          <thead><tr><th scope="col">Account</th><th scope="col">Addresses</th><th scope="col">State</th><th scope="col">Messages</th><th scope="col">Space</th><th scope="col">Last sign-in</th></tr></thead>
          <tbody>${shown.map(
            (account) => html`<tr key=${account.id}>
              <th scope="row"><a href=${`#/accounts/${seg(account.id)}`}>${account.full_name || account.id}</a>${account.full_name && html`<small>${account.id}</small>`}</th>
              <td data-label="Addresses">${account.addresses.slice(0, 2).map((a) => html`<div>${a.address}${a.catch_all && html` <small>catch-all</small>`}</div>`)}${account.addresses.length > 2 && html`<small>and ${account.addresses.length - 2} more</small>`}</td>
              <td data-label="State">${account.disabled ? html`<${Pill} kind="warn">sign-in off</${Pill}>` : html`<${Pill} kind="ok">ok</${Pill}>`}</td>
              <td data-label="Messages" class="number">${account.messages.toLocaleString()}</td>
              <td data-label="Space" class="number">${size(account.used_bytes)}${account.quota_bytes > 0 && html` <small>of ${size(account.quota_bytes)}</small>`}</td>
              <td data-label="Last sign-in">${account.last_sign_in_at ? html`<${Ago} at=${account.last_sign_in_at} />` : html`<span class="muted">never</span>`}</td>
            </tr>`,
          )}</tbody>
        </table>`}
      </${Card}>`;
    }}</${Loaded}>
    ${adding && html`<${AddAccount} onClose=${() => setAdding(false)} onAdded=${accounts.reload} />`}`;
}

function AddAccount({ onClose, onAdded }) {
  const domains = useLoad(() => get("/domains"), ["config"]);
  const [local, setLocal] = useState("");
  const [domain, setDomain] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [added, setAdded] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    const chosen = domain || domains.value.items[0].name;
    try {
      setAdded(await post("/accounts", { address: local.includes("@") ? local : `${local}@${chosen}`, full_name: name, ...(password ? { password } : {}) }));
      onAdded();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (added) {
    return html`<${Dialog} title=${`${added.account.addresses[0].address} is ready`} onClose=${onClose}>
      ${added.password
        ? html`<p>This password is shown now and never again. Copy it into a password manager, or write it down.</p><${Value} label="Password" value=${added.password} />`
        : html`<p>It signs in with the password that you chose.</p>`}
      <div class="buttons"><${Button} onClick=${onClose}>Close</${Button}>
        <${Button} kind="primary" icon="device-mobile" onClick=${() => { location.hash = `/accounts/${seg(added.account.id)}`; }}>Connect a mail app</${Button}></div>
    </${Dialog}>`;
  }
  const known = ["/address", "/password", "/full_name"];
  return html`<${Dialog} title="Add an account" onClose=${onClose}><${Loaded} of=${domains}>${({ items }) =>
    items.length === 0
      ? html`<${Empty} icon="world" text="An account needs a domain, and there is none yet."><a href="#/domains">Add a domain first</a></${Empty}>`
      : html`<form onSubmit=${submit} novalidate>
          <${Field} label="Name" help="Whose account it is; optional." value=${name} autofocus autocomplete="off" fault=${error?.at?.("/full_name")} onInput=${(e) => setName(e.target.value)} />
          <div class="joined">
            <${Field} label="Address" value=${local} placeholder="anna" autocomplete="off" fault=${error?.at?.("/address")} onInput=${(e) => setLocal(e.target.value)} />
            <span aria-hidden="true">@</span>
            <${Field} label="Domain">${(shared) => html`<select ...${shared} value=${domain} onChange=${(e) => setDomain(e.target.value)}>${items.map((d) => html`<option value=${d.name}>${d.unicode}</option>`)}</select>`}</${Field}>
          </div>
          <${Field} label="Password (optional)" help="Leave it empty and Gatepost makes up a good one." type="password" autocomplete="new-password" value=${password} fault=${error?.at?.("/password")} onInput=${(e) => setPassword(e.target.value)} />
          ${error && !known.some((path) => error.at?.(path)) && html`<${Failure} error=${error} />`}
          <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Add account</${Button}></div>
        </form>`}
  </${Loaded}></${Dialog}>`;
}
