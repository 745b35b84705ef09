import { html, useState } from "../lib/view.mjs";
import { get, post, remove, seg } from "../lib/api.mjs";
import { Button, Card, Confirm, Dialog, Empty, Failure, Field, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count } from "../lib/format.mjs";

export function Domains() {
  const domains = useLoad(() => get("/domains"), ["config"]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState(null);
  const add = html`<${Button} kind="primary" icon="world-plus" onClick=${() => setAdding(true)}>Add a domain</${Button}>`;
  return html`<${Title} intro="The names behind the @ for which this server takes mail." actions=${add}>Domains</${Title}>
    <${Loaded} of=${domains}>${({ items }) =>
      items.length
        ? html`<${Card}><table class="cards">
            <thead><tr><th scope="col">Domain</th><th scope="col">State</th><th scope="col">Accounts</th><th scope="col">Addresses</th><th scope="col">Other addresses go to</th><th></th></tr></thead>
            <tbody>${items.map(
              (domain) => html`<tr key=${domain.name}>
                <th scope="row">${domain.unicode}${domain.description && html`<small>${domain.description}</small>`}</th>
                <td data-label="State">${domain.disabled ? html`<${Pill} kind="warn">switched off</${Pill}>` : html`<${Pill} kind="ok">ok</${Pill}>`}</td>
                <td data-label="Accounts" class="number">${domain.accounts}</td>
                <td data-label="Addresses" class="number">${domain.addresses}</td>
                <td data-label="Other addresses go to">${domain.catch_all ? html`<a href=${`#/accounts/${seg(domain.catch_all)}`}>${domain.catch_all}</a>` : html`<span class="muted">nobody, they are refused</span>`}</td>
                <td class="end"><${Button} icon="trash" aria-label=${`Remove ${domain.unicode}`} onClick=${() => setRemoving(domain)}>Remove</${Button}></td>
              </tr>`,
            )}</tbody>
          </table></${Card}>`
        : html`<${Card}><${Empty} icon="world" text="No domain yet. Add the one that your addresses shall end in.">${add}</${Empty}></${Card}>`}
    </${Loaded}>
    ${adding && html`<${AddDomain} onClose=${() => setAdding(false)} />`}
    ${removing &&
    html`<${Confirm} title=${`Remove the domain ${removing.unicode}?`} verb="Remove domain" confirmName=${removing.unicode} onClose=${() => setRemoving(null)}
      onYes=${async () => {
        await remove(`/domains/${seg(removing.name)}`);
        domains.reload();
        toast(`${removing.unicode} was removed.`);
      }}>
      <p>Mail to it is refused from then on. ${removing.accounts ? `${count(removing.accounts, "account")} with ${count(removing.addresses, "address", "addresses")} ${removing.accounts === 1 ? "lives" : "live"} in it; remove or move ${removing.accounts === 1 ? "it" : "them"} first.` : "No account lives in it."}</p>
    </${Confirm}>`}`;
}

function AddDomain({ onClose }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const domain = await post("/domains", { name, description });
      toast(`${domain.unicode} was added. Now give it an account.`);
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const nameFault = error?.at?.("/name") ?? "";
  return html`<${Dialog} title="Add a domain" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Domain" help="The part behind the @, such as example.org." value=${name} placeholder="example.org" autofocus autocomplete="off" fault=${nameFault} onInput=${(e) => setName(e.target.value)} />
    <${Field} label="Description (optional)" help="A note for yourself." value=${description} fault=${error?.at?.("/description")} onInput=${(e) => setDescription(e.target.value)} />
    ${error && !nameFault && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Add domain</${Button}></div>
  </form></${Dialog}>`;
}
