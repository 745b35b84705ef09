// The people who have mail here.
import { html } from "../lib/view.mjs";
import { Card, Icon, Title } from "../lib/parts.mjs";
import { LeftFlows } from "../lib/left.mjs";
import { SpecList } from "../lib/listing.mjs";

export function Accounts() {
  return html`<${Title} intro="The people who have mail here. Each has a mailbox, a password and one or more addresses." actions=${html`<a class="button primary" href="#/accounts/new"><${Icon} name="user-plus" />Add an account</a>`}>Accounts</${Title}>
    <${LeftFlows} types=${["account", "remove-account"]} />
    <${Card}><${SpecList} id="account" /></${Card}>`;
}
