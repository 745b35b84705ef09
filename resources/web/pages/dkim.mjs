// A domain's keys for signatures: which there are, which sign, making, choosing, changing and removing them.
import { html, useState } from "../lib/view.mjs";
import { call, get, post, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Confirm, Dialog, Empty, Failure, Field, Loaded, Pill, Value, useLoad } from "../lib/parts.mjs";
import { ActionCard } from "../lib/tabs.mjs";
import { toast } from "../lib/toast.mjs";

const ALGORITHMS = { rsa2048: "RSA, 2048 bits", ed25519: "Ed25519" };

export function Dkim({ name }) {
  const path = `/domains/${seg(name)}/dkim`;
  const [check, setCheck] = useState(false);
  const [asking, setAsking] = useState(null);
  const keys = useLoad(() => get(path, { check: check || undefined }), ["config"], [name, check]);
  const sign = (names) => call("PUT", `${path}/sign`, { body: { selectors: names } }).then(keys.reload, (error) => (toast(error.message, { kind: "error" }), keys.reload()));
  const choose = async (key, signs, now) => {
    await sign(signs ? [...now, key] : now.filter((each) => each !== key));
    toast(`${key} ${signs ? "signs from now on" : "does not sign any more"}.`, { undo: () => sign(now) });
  };
  const actions = html`<div class="buttons">
    <${Button} icon="search" onClick=${() => (check ? keys.reload() : setCheck(true))}>Look in the DNS</${Button}>
    <${Button} icon="plus" onClick=${() => setAsking("add")}>Make a key…</${Button}></div>`;
  return html`<${Loaded} of=${keys}>${(dkim) => html`
    ${dkim.rotation && html`<${Banner} icon="refresh"><b>The keys are being changed.</b> ${dkim.rotation.next}</${Banner}>`}
    <${Card} title="Keys" icon="key" actions=${actions}>
      <p class="muted">Each message that leaves is signed with a key of the domain. Others look the public half up in the DNS, and so know that the message is really from here.</p>
      ${dkim.selectors.length === 0 && html`<${Empty} icon="key" text="No key yet. Without one, mail leaves without a signature, and many will treat it as junk." />`}
      ${dkim.selectors.map((key) => html`<section class="key" key=${key.name}>
        <div class="step"><b>${key.name}</b><${InDns} of=${key.in_dns} /><span class="muted grow">${ALGORITHMS[key.algorithm]}${key.made_at && html`, made <${Ago} at=${key.made_at} />`}</span>
          <label class="check"><input type="checkbox" checked=${key.signs} aria-label=${`${key.name} signs`} onChange=${(event) => choose(key.name, event.target.checked, dkim.sign)} />Signs</label>
          <button type="button" class="copy danger" aria-label=${`Remove the key ${key.name}`} onClick=${() => setAsking(key)}>Remove…</button></div>
        ${key.record ? html`<div class="values"><${Value} label="DNS name (TXT)" value=${key.record.name} /><${Value} label="Value" value=${key.record.value} /></div>` : html`<p class="fault">The key can't be read. Make a new one, and remove this.</p>`}
      </section>`)}
    </${Card}>
    <${ActionCard} form="dkim" action="rotate" name=${name} title="Change the keys" text="About once a year, or when somebody may have copied one: new keys are made and published first, then they sign, then the old ones go." onDone=${keys.reload} />
    ${asking === "add" && html`<${AddKey} path=${path} onClose=${() => setAsking(null)} onAdded=${keys.reload} />`}
    ${asking?.name && html`<${Confirm} title=${`Remove the key ${asking.name}?`} verb="Remove the key" confirmName=${asking.signs ? asking.name : undefined} onClose=${() => setAsking(null)}
      onYes=${async () => { await call("DELETE", `${path}/selectors/${seg(asking.name)}`, { query: { even_if_signing: asking.signs || undefined } }); toast(`The key ${asking.name} was removed.`); keys.reload(); }}>
      <p>${asking.signs && "Mail is signed with it now, and would leave without this signature. "}It can't be brought back. Remove its DNS record too, a week after it has signed for the last time.</p></${Confirm}>`}
  `}</${Loaded}>`;
}

function InDns({ of }) {
  if (of === null || of === undefined) return html`<${Pill} icon="circle-dashed">in the DNS? not looked up</${Pill}>`;
  return of ? html`<${Pill} kind="ok">in the DNS</${Pill}>` : html`<${Pill} kind="error">not in the DNS</${Pill}>`;
}

function AddKey({ path, onClose, onAdded }) {
  const [key, setKey] = useState("");
  const [algorithm, setAlgorithm] = useState("rsa2048");
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await post(`${path}/selectors`, { name: key.trim(), algorithm });
      onAdded();
      toast("The key was made. Publish its DNS record before it signs.");
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<${Dialog} title="Make a key" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <${Field} label="Name" optional autofocus help="Empty: the year and a letter." placeholder="2027a" value=${key} fault=${error?.at?.("/name")} autocomplete="off" onInput=${(event) => setKey(event.target.value)} />
    <${Field} label="Algorithm" help="RSA is understood by everyone; Ed25519 is shorter, for use beside it.">${(shared) => html`<select ...${shared} value=${algorithm} onChange=${(event) => setAlgorithm(event.target.value)}>${Object.entries(ALGORITHMS).map(([value, label]) => html`<option value=${value}>${label}</option>`)}</select>`}</${Field}>
    <p class="muted">It does not sign yet: publish its DNS record first.</p>
    ${error && !error.at?.("/name") && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Make the key</${Button}></div>
  </form></${Dialog}>`;
}
