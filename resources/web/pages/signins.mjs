import { html, useState } from "../lib/view.mjs";
import { Banner, Chips, Title } from "../lib/parts.mjs";
import { SpecList } from "../lib/listing.mjs";

const VIEWS = [["sign-ins", "All"], ["sign-in-sources", "Refused, by address"]];

/** `peer`: only what came from there. */
export function SignIns({ peer }) {
  const [view, setView] = useState("sign-ins");
  const shown = peer ? "sign-ins" : view;
  const choose = (next) => {
    setView(next);
    if (peer) location.hash = "#/signins";
  };
  return html`<${Title} intro="Who signed in, or tried to, with a mail app or to the administration.">Sign-ins</${Title}>
    <div class="filters"><${Chips} label="Show" entries=${VIEWS} value=${shown} onChange=${choose} /></div>
    ${peer && html`<${Banner} action=${html`<a class="button" href="#/signins">Show all</a>`}>Only sign-ins from ${peer}</${Banner}>`}
    <${SpecList} key=${shown + (peer ?? "")} id=${shown} query=${peer ? { peer } : {}} />`;
}
