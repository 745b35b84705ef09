// Ctrl+K: pages, accounts and domains by a few letters.
import { html, useEffect, useState } from "./view.mjs";
import { get } from "./api.mjs";
import { Dialog, Icon } from "./parts.mjs";
import { SECTIONS } from "./pages.mjs";

const MAX_SHOWN = 8;

export function Finder({ onClose }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [things, setThings] = useState([]);

  useEffect(() => {
    const pages = SECTIONS.map((page) => ({ ...page, hint: "Page" }));
    setThings(pages);
    Promise.all([get("/accounts"), get("/domains")]).then(
      ([accounts, domains]) =>
        setThings([
          ...pages,
          ...accounts.items.map((account) => ({
            path: `/accounts/${account.id}`, title: account.addresses[0]?.address ?? account.id, words: `${account.id} ${account.full_name}`, icon: "user", hint: "Account",
          })),
          ...domains.items.map((domain) => ({ path: "/domains", title: domain.unicode, words: domain.name, icon: "world", hint: "Domain" })),
        ]),
      () => {},
    );
  }, []);

  const needle = text.trim().toLowerCase();
  const found = things.filter((thing) => `${thing.title} ${thing.words}`.toLowerCase().includes(needle)).slice(0, MAX_SHOWN);
  const go = (thing) => {
    location.hash = thing.path;
    onClose();
  };
  const keys = (event) => {
    if (event.key === "ArrowDown") setChosen(Math.min(chosen + 1, found.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && found[chosen]) go(found[chosen]);
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title="Find" onClose=${onClose}>
    <input class="finder" type="search" value=${text} aria-label="Find a page, an account or a domain" placeholder="A page, an account, a domain" autofocus
      role="combobox" aria-expanded="true" aria-controls="found" aria-activedescendant=${found[chosen] ? `found-${chosen}` : undefined}
      onInput=${(event) => { setText(event.target.value); setChosen(0); }} onKeyDown=${keys} />
    <ul class="found" id="found" role="listbox" aria-label="Found">
      ${found.map(
        (thing, index) => html`<li key=${thing.hint + thing.title} id=${`found-${index}`} role="option" aria-selected=${index === chosen} onClick=${() => go(thing)}>
          <${Icon} name=${thing.icon} /><span>${thing.title}</span><small>${thing.hint}</small>
        </li>`,
      )}
    </ul>
    ${found.length === 0 && html`<p class="muted">Nothing is called “${text}”.</p>`}
  </${Dialog}>`;
}
