// One domain: what there is to do, its addresses and aliases, signatures, policies, routes, settings.
import { html } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Card, Empty, Icon, Loaded, Pill, Title, Value, useLoad } from "../lib/parts.mjs";
import { SpecForm } from "../lib/form.mjs";
import { SpecList } from "../lib/listing.mjs";
import { ActionCard, Steps, Tabs } from "../lib/tabs.mjs";
import { lazy } from "../lib/lazy.mjs";
import { number } from "../lib/format.mjs";

const Dns = lazy(() => import("./dns.mjs"), "Dns");
const Dkim = lazy(() => import("./dkim.mjs"), "Dkim");

const Routes = lazy(() => import("./routes.mjs"), "Routes");

const TABS = {
  domain: Summary,
  "domain-addresses": ({ name }) => html`<${Card}><${SpecList} id="account-addresses" query=${{ domain: name }} onOpen=${(row) => (location.hash = row.page)} /></${Card}>`,
  "domain-aliases": ({ name }) => html`<div class="buttons start"><a class="button primary" href=${`#/aliases/new?domain=${seg(name)}`}><${Icon} name="plus" />Add an alias</a></div><${Card}><${SpecList} id="alias" query=${{ domain: name }} /></${Card}>`,
  dns: Dns,
  dkim: Dkim,
  "domain-policies": Policies,
  "domain-routes": ({ name }) => html`<${Routes} scope=${`domain/${name}`} inside />`,
  "domain-settings": ({ name }) => html`<${SpecForm} id="domain" name=${name} actions=${false} />`,
};

export function Domain({ name, page }) {
  const view = useLoad(() => get(`/domains/${seg(name)}`), ["config"], [name]);
  const Panel = TABS[page];
  return html`<a class="back" href="#/domains"><${Icon} name="arrow-left" />Domains</a>
    <${Loaded} of=${view}>${(value) => html`
      <${Title}>${value.domain.unicode}<${State} view=${value} /></${Title}>
      <${Tabs} page=${page} name=${name} label="Parts of the domain" />
      <${Panel} key=${page} name=${value.domain.name} view=${value} />`}</${Loaded}>`;
}

function State({ view }) {
  if (view.domain.disabled) return html`<${Pill}>switched off</${Pill}>`;
  return view.steps.some((step) => step.severity === "required") ? html`<${Pill} kind="warn">needs attention</${Pill}>` : html`<${Pill} kind="ok">in use</${Pill}>`;
}

function Summary({ name, view: { domain, steps } }) {
  return html`<${Steps} items=${steps} />
    <${Card} title="Details" icon="world"><dl class="facts">
      <dt>Accounts</dt><dd>${number(domain.accounts)}</dd>
      <dt>Addresses</dt><dd>${number(domain.addresses)}</dd>
      <dt>Aliases and lists</dt><dd>${number(domain.aliases)}</dd>
      <dt>Other addresses go to</dt><dd>${domain.catch_all ? html`<a href=${`#/accounts/${seg(domain.catch_all)}`}>${domain.catch_all}</a>` : "nobody: such mail is refused"}</dd>
      <dt>Mail that leaves</dt><dd>${!domain.signed ? "not signed" : domain.dkim_made_at ? html`signed, with a key made <${Ago} at=${domain.dkim_made_at} />` : "signed"}</dd>
      ${domain.unicode !== domain.name && html`<dt>Name in the DNS</dt><dd>${domain.name}</dd>`}
      ${domain.description && html`<dt>Description</dt><dd>${domain.description}</dd>`}
    </dl></${Card}>
    <${Card} title="Add" icon="plus"><div class="buttons start"><a class="button" href=${`#/accounts/new?domain=${seg(name)}`}><${Icon} name="user-plus" />Add an account</a><a class="button" href=${`#/aliases/new?domain=${seg(name)}`}><${Icon} name="users" />Add an alias</a></div></${Card}>
    <${ActionCard} form="domain" action="remove" name=${name} title="Remove the domain" text="Mail to the domain is refused from then on. What else that means is shown before anything happens." onDone=${() => (location.hash = "/domains")} />`;
}

const SHOWN = ["dmarc", "mta_sts", "mta_sts_host", "tlsrpt"];
const RULES = { sts: "MTA-STS", tlsa: "DANE", "no-policy-found": "none" };

function Policies({ name }) {
  const records = useLoad(() => get(`/domains/${seg(name)}/dns/records`), ["config"], [name]);
  const outcomes = useLoad(() => get("/tls/outcomes", { domain: name, limit: 50 }), ["queue"], [name]);
  return html`<${SpecForm} id="domain-policies" name=${name} />
    <${Card} title="What others are told in the DNS" icon="world"><${Loaded} of=${records}>${({ items }) =>
      items.filter((record) => SHOWN.includes(record.code)).map(
        (record) => html`<section key=${record.code + record.name}><h3>${record.title}</h3><p class="muted">${record.purpose}</p>
          <div class="values"><${Value} label=${`Name (${record.type})`} value=${record.name} />${record.values.map((value) => html`<${Value} key=${value} label="Value" value=${value} />`)}</div></section>`,
      )}</${Loaded}></${Card}>
    <${Card} title="Encrypted connections to the domain" icon="shield-check"><${Loaded} of=${outcomes}>${({ items }) =>
      items.length === 0
        ? html`<${Empty} icon="shield-check" text="No connection yet. When this server delivers to the domain elsewhere, each day shows here how encryption went." />`
        : html`<table class="cards"><thead><tr><th scope="col">Day (UTC)</th><th scope="col">Rule</th><th scope="col" class="number">Encrypted</th><th scope="col" class="number">Failed</th><th scope="col">What failed</th></tr></thead>
            <tbody>${items.map((each) => html`<tr key=${each.day + each.policy_type + each.policy_domain}><th scope="row">${each.day}</th><td data-label="Rule">${RULES[each.policy_type]}</td><td data-label="Encrypted" class="number">${number(each.successes)}</td><td data-label="Failed" class="number">${number(each.failures)}</td><td data-label="What failed">${each.details.map((one) => `${one.count} × ${one.result}`).join(", ") || "–"}</td></tr>`)}</tbody></table>`}</${Loaded}></${Card}>`;
}
