import { html, useEffect, useState } from "../lib/view.mjs";
import { get, post, remove, seg } from "../lib/api.mjs";
import { Button, Card, Confirm, Dialog, Empty, Failure, Field, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count, number } from "../lib/format.mjs";

const NAMED = 5; // accounts in the explanation why a domain stays

export function Domains({ task }) {
  const domains = useLoad(() => get("/domains"), ["config"]);
  const accounts = useLoad(() => get("/accounts"), ["config"]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState(null);
  useEffect(() => {
    if (task === "new") setAdding(true);
  }, [task]);
  const close = () => {
    setAdding(false);
    if (location.hash === "#/domains/new") location.hash = "/domains";
  };
  const add = html`<${Button} kind="primary" icon="world-plus" onClick=${() => setAdding(true)}>Add domain</${Button}>`;
  return html`<${Title} intro="The names after the @ for which this server takes mail." actions=${add}>Domains</${Title}>
    <${Loaded} of=${domains}>${({ items }) =>
      items.length
        ? html`<${Card}><table class="cards">
            <thead><tr><th scope="col">Domain</th><th scope="col">State</th><th scope="col" class="number">Accounts</th><th scope="col" class="number">Addresses</th><th scope="col">Other addresses go to</th><th scope="col"><span class="offscreen">Remove</span></th></tr></thead>
            <tbody>${items.map(
              (domain) => html`<tr key=${domain.name}>
                <th scope="row">${domain.unicode}${domain.description && html`<small>${domain.description}</small>`}</th>
                <td class="pillcell">${domain.disabled ? html`<${Pill}>disabled</${Pill}>` : html`<${Pill} kind="ok">active</${Pill}>`}</td>
                <td data-label="Accounts" class="number">${number(domain.accounts)}</td>
                <td data-label="Addresses" class="number">${number(domain.addresses)}</td>
                <td data-label="Other addresses go to">${domain.catch_all ? html`<a href=${`#/accounts/${seg(domain.catch_all)}`}>${domain.catch_all}</a>` : html`<span class="muted">refused</span>`}</td>
                <td class="end"><button type="button" class="copy danger" aria-label=${`Remove ${domain.unicode}`} onClick=${() => setRemoving(domain)}>Remove…</button></td>
              </tr>`,
            )}</tbody>
          </table></${Card}>`
        : html`<${Card}><${Empty} icon="world" text="No domain yet. Add the domain that you want to receive mail for.">${add}</${Empty}></${Card}>`}
    </${Loaded}>
    ${adding && html`<${AddDomain} onClose=${close} onAdded=${domains.reload} />`}
    ${removing && html`<${RemoveDomain} domain=${removing} accounts=${accounts.value?.items ?? []} onClose=${() => setRemoving(null)} onRemoved=${domains.reload} />`}`;
}

function RemoveDomain({ domain, accounts, onClose, onRemoved }) {
  const inside = accounts.filter((account) => account.domain === domain.name);
  if (inside.length) {
    const names = inside.slice(0, NAMED).map((account) => account.full_name || account.id).join(", ");
    const more = inside.length > NAMED ? ` and ${inside.length - NAMED} more` : "";
    const [live, them] = inside.length === 1 ? ["lives", "it"] : ["live", "them"];
    return html`<${Dialog} title=${`${domain.unicode} can't be removed yet`} onClose=${onClose}>
      <p>${count(inside.length, "account")} still ${live} in it: ${names}${more}. Remove ${them} first, under Accounts.</p>
      <div class="buttons"><${Button} onClick=${onClose}>Close</${Button}><a class="button primary" href="#/accounts">Show accounts</a></div>
    </${Dialog}>`;
  }
  const lost = accounts.flatMap((account) => account.addresses.map((each) => each.address)).filter((address) => address.endsWith(`@${domain.name}`));
  return html`<${Confirm} title=${`Remove the domain ${domain.unicode}?`} verb="Remove domain" confirmName=${domain.unicode} onClose=${onClose}
    onYes=${async () => {
      await remove(`/domains/${seg(domain.name)}`);
      onRemoved();
      toast(`${domain.unicode} was removed.`);
    }}>
    <p>Mail to it will be refused from now on.${lost.length > 0 && ` These addresses go away with it: ${lost.join(", ")}.`}</p>
  </${Confirm}>`;
}

function AddDomain({ onClose, onAdded }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    setFault(name.trim() ? "" : "Enter the name of your domain, such as example.org.");
    if (!name.trim()) return;
    setBusy(true);
    try {
      const domain = await post("/domains", { name: name.trim(), description });
      onAdded();
      toast(`${domain.unicode} was added.`);
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const nameFault = fault || error?.at?.("/name") || "";
  const descriptionFault = error?.at?.("/description") || "";
  return html`<${Dialog} title="Add a domain" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Domain" help="The part after the @ in the addresses. It should belong to you." value=${name} placeholder="example.org" autofocus autocomplete="off" autocapitalize="none" spellcheck="false" fault=${nameFault} onInput=${(e) => setName(e.target.value)} />
    <${Field} label="Description" optional help="For yourself, such as “the family”." value=${description} fault=${descriptionFault} onInput=${(e) => setDescription(e.target.value)} />
    ${error && !nameFault && !descriptionFault && html`<${Failure} error=${error} />`}
    <p class="muted">Gatepost accepts mail for it at once. For mail from the internet to find the way here, the domain's DNS records must point here too.</p>
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Add domain</${Button}></div>
  </form></${Dialog}>`;
}
