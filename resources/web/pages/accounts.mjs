import { html, useEffect, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Dialog, Empty, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { count, size } from "../lib/format.mjs";
import { AddAccount, stateOf } from "./account.mjs";

const FILTER_FROM = 10; // accounts
const SHOWN_ADDRESSES = 2;

export function Accounts({ task }) {
  const accounts = useLoad(() => get("/accounts"), ["config", "mail", "sign_ins"]);
  const domains = useLoad(() => get("/domains"), ["config"]);
  const [adding, setAdding] = useState(false);
  const [filter, setFilter] = useState("");
  useEffect(() => {
    if (task === "new") setAdding(true);
  }, [task]);
  const close = () => {
    setAdding(false);
    if (location.hash === "#/accounts/new") location.hash = "/accounts";
  };
  const add = html`<${Button} kind="primary" icon="user-plus" onClick=${() => setAdding(true)}>Add account</${Button}>`;
  const matches = (account) => `${account.id} ${account.full_name} ${account.addresses.map((each) => each.address).join(" ")}`.toLowerCase().includes(filter.trim().toLowerCase());
  return html`<${Title} intro="The people who have mail here. Each has a mailbox, a password and one or more addresses." actions=${add}>Accounts</${Title}>
    <${Loaded} of=${accounts}>${({ items }) => {
      if (!items.length) return html`<${Card}><${Empty} icon="users" text="No account yet. An account is a person with an address, a password and a mailbox.">${add}</${Empty}></${Card}>`;
      const shown = items.filter(matches);
      return html`${items.length > FILTER_FROM && html`<div class="filters" role="search"><input type="search" class="filter" value=${filter} placeholder="Name or address" aria-label="Filter accounts" onInput=${(e) => setFilter(e.target.value)} /></div>`}
        <${Card}>
        ${shown.length === 0 && html`<${Empty} icon="filter" text=${`No account matches “${filter}”.`}><${Button} icon="x" onClick=${() => setFilter("")}>Clear the filter</${Button}></${Empty}>`}
        ${shown.length > 0 && html`<table class="cards">
          <thead><tr><th scope="col">Name</th><th scope="col">Addresses</th><th scope="col">State</th><th scope="col">Mail stored</th><th scope="col">Last sign-in</th></tr></thead>
          <tbody>${shown.map((account) => html`<${AccountRow} account=${account} key=${account.id} />`)}</tbody>
        </table>`}
      </${Card}>`;
    }}</${Loaded}>
    ${adding && domains.value && domains.value.items.length > 0 && html`<${AddAccount} domains=${domains.value.items} onClose=${close} onAdded=${accounts.reload} />`}
    ${adding && domains.value && domains.value.items.length === 0 &&
    html`<${Dialog} title="Add a domain first" onClose=${close}><p>An address needs a domain, and there is none yet.</p>
      <div class="buttons"><${Button} onClick=${close}>Cancel</${Button}><a class="button primary" href="#/domains/new">Add domain</a></div></${Dialog}>`}`;
}

function AccountRow({ account }) {
  const [tone, word] = stateOf(account);
  const more = account.addresses.length - SHOWN_ADDRESSES;
  return html`<tr>
    <th scope="row"><a href=${`#/accounts/${seg(account.id)}`}>${account.full_name || account.id}</a></th>
    <td class="whole">${account.addresses.slice(0, SHOWN_ADDRESSES).map((each) => html`<div key=${each.address}>${each.address}${each.catch_all && " (catch-all)"}</div>`)}${more > 0 && html`<small>and ${more} more</small>`}${!account.addresses.length && html`<span class="muted">no address</span>`}</td>
    <td class="pillcell"><${Pill} kind=${tone}>${word}</${Pill}></td>
    <td data-label="Mail stored">${size(account.used_bytes)}${account.quota_bytes > 0 && ` of ${size(account.quota_bytes)}`} in ${count(account.messages, "message")}</td>
    <td data-label="Last sign-in">${account.last_sign_in_at ? html`<${Ago} at=${account.last_sign_in_at} />` : "never"}</td>
  </tr>`;
}
