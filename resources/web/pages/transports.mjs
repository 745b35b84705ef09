// Ways out for mail: the list, and one with its form, its test, its use and what it asks of the DNS.
import { html } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Icon, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { ActionButton, SpecForm, getSpec } from "../lib/form.mjs";
import { LeftFlows } from "../lib/left.mjs";
import { SpecList } from "../lib/listing.mjs";

const IN_USE = "While routes use it, it can't be removed. Change or remove those first.";
const MOST_PLACES = 10;

export function Transports() {
  const spec = useLoad(() => getSpec("transport"));
  return html`<${Title} intro=${spec.value?.help} actions=${spec.value?.listing.actions.map((action) => html`<${ActionButton} action=${action} name="" />`)}>Transports</${Title}>
    <${LeftFlows} types=${["transport", "route"]} />
    <${Card}><${SpecList} id="transport" /></${Card}>`;
}

export function Transport({ name }) {
  const spec = useLoad(() => getSpec("transport"));
  const found = useLoad(() => get(`/transports/${seg(name)}`), ["config", "queue"], [name]);
  const now = found.value;
  const done = (action) => () => (action.id === "remove" ? (location.hash = "/transports") : found.reload());
  const actions = now && spec.value?.actions.map((action) =>
    action.id === "remove" && now.places.length > 0
      ? html`<${Button} icon=${action.icon} kind="danger" disabled title=${IN_USE}>${action.title}</${Button}>`
      : html`<${ActionButton} key=${action.id} action=${action} name=${name} onDone=${done(action)} />`);
  const intro = now && `${now.summary[0].toUpperCase()}${now.summary.slice(1)}.`;
  return html`<a class="back" href="#/transports"><${Icon} name="arrow-left" />Transports</a>
    <${Title} intro=${intro} actions=${actions}>${name}</${Title}>
    <${Loaded} of=${found}>${(value) => html`<${State} of=${value} /><${SpecForm} id="transport" name=${name} actions=${false} onSaved=${found.reload} />`}</${Loaded}>`;
}

const password = (of) => (!of.needs_password ? "none needed" : of.has_password ? "stored" : "missing");

function State({ of }) {
  const last = of.last_result;
  const places = of.places.slice(0, MOST_PLACES);
  return html`${of.needs_password && !of.has_password && html`<${Banner} kind="warn" icon="alert-triangle"><b>This transport signs in, but its password is missing.</b> Enter it below; until then, mail on this way waits.</${Banner}>`}
    <${Card} title="How it stands"><dl class="facts">
      <dt>Password</dt><dd>${password(of)}</dd>
      <dt>Last result</dt><dd>${last ? html`${last.tested ? "test" : "delivery"} ${last.ok ? "worked" : "failed"} <${Ago} at=${last.at} />: ${last.text}` : "not used yet"}</dd>
      <dt>Used by</dt><dd>${places.length
        ? html`<ul class="bare">${places.map((place) => html`<li><a href=${`#/routes${place.owner && `/${place.level}/${seg(place.owner)}`}`}>${place.text}</a></li>`)}</ul>${of.places.length > MOST_PLACES && html`<small>and ${of.places.length - MOST_PLACES} more</small>`}<small>${IN_USE}</small>`
        : html`no route, so no mail takes it <a href="#/routes">Open the routes</a>`}</dd></dl></${Card}>
    ${(of.spf.length > 0 || of.spf_hint) && html`<${Card} title="SPF records">
      ${of.spf_hint && html`<p>${of.spf_hint}</p>`}
      ${of.spf.length > 0 && html`<ul class="plain">${of.spf.map((note) => html`<li>${note.text} ${note.page && html`<a href=${`#${note.page}`} aria-label=${`DNS records of ${note.domain}`}>DNS records</a>`}</li>`)}</ul>`}</${Card}>`}`;
}
