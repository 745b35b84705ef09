import { html, useState } from "../lib/view.mjs";
import { get } from "../lib/api.mjs";
import { Ago, Card, Chips, Empty, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";

const WITH = { imap: "mail app, reading", submission: "mail app, sending", admin: "administration" };

export function SignIns() {
  const [which, setWhich] = useState("");
  const failed = which === "failed";
  const list = useLoad(() => get("/sign-ins", { limit: 200, failed }), ["sign_ins"], [failed]);
  return html`<${Title} intro="Who signed in, or tried to, with a mail app or here.">Sign-ins</${Title}>
    <div class="filters"><${Chips} label="Show" entries=${[["", "All"], ["failed", "Failed"]]} value=${which} onChange=${setWhich} /></div>
    <${Card}><${Loaded} of=${list}>${({ items }) =>
      items.length === 0
        ? html`<${Empty} icon="key" text=${failed ? "No failed sign-in. Good." : "Nobody has signed in yet."} />`
        : html`<table class="cards"><thead><tr><th scope="col">Name</th><th scope="col">Result</th><th scope="col">With</th><th scope="col">Method</th><th scope="col">From</th><th scope="col">When</th></tr></thead>
          <tbody>${items.map(
            (item) => html`<tr key=${item.at + item.peer + item.address}><th scope="row">${item.address || item.account || "(no name)"}</th>
              <td class="pillcell"><${Pill} kind=${item.succeeded ? "ok" : "error"}>${item.succeeded ? "signed in" : "refused"}</${Pill}></td>
              <td>${WITH[item.protocol] ?? item.protocol}</td><td class="muted">${item.mechanism}</td>
              <td data-label="From"><code>${item.peer || "this computer"}</code></td><td><${Ago} at=${item.at} /></td></tr>`,
          )}</tbody></table>`}
    </${Loaded}></${Card}>`;
}
