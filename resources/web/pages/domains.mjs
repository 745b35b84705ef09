// Domains for which this server takes mail.
import { html } from "../lib/view.mjs";
import { Card, Icon, Title } from "../lib/parts.mjs";
import { LeftFlows } from "../lib/left.mjs";
import { SpecList } from "../lib/listing.mjs";

export function Domains() {
  return html`<${Title} intro="The names after the @ for which this server takes mail." actions=${html`<a class="button primary" href="#/domains/new"><${Icon} name="world-plus" />Add a domain</a>`}>Domains</${Title}>
    <${LeftFlows} types=${["domain", "remove-domain", "dkim"]} />
    <${Card}><${SpecList} id="domain" /></${Card}>`;
}
