// Addresses for several people: all of them, and one.
import { html } from "../lib/view.mjs";
import { Card, Icon, Title } from "../lib/parts.mjs";
import { SpecForm } from "../lib/form.mjs";
import { LeftFlows } from "../lib/left.mjs";
import { SpecList } from "../lib/listing.mjs";

export function Aliases() {
  return html`<${Title} intro="One address whose mail goes to several people here." actions=${html`<a class="button primary" href="#/aliases/new"><${Icon} name="plus" />Add an alias</a>`}>Aliases</${Title}>
    <${LeftFlows} types=${["alias"]} />
    <${Card}><${SpecList} id="alias" /></${Card}>`;
}

export function Alias({ name }) {
  return html`<a class="back" href="#/aliases"><${Icon} name="arrow-left" />Aliases</a><${Title}>${name}</${Title}><${SpecForm} id="alias" name=${name} />`;
}
