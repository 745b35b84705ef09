// Ctrl+K: pages, things to do, accounts, domains and settings, by name, synonym or what they are for.
import { html, useEffect, useState } from "./view.mjs";
import { get } from "./api.mjs";
import { Dialog, Icon, useDebounced } from "./parts.mjs";
import { SECTIONS } from "./pages.mjs";

const MAX_SHOWN = 12;
const MAX_FOUND = 2000; // settings that the search knows
const ACTIONS = [
  { title: "Add an account", path: "/accounts/new", icon: "user-plus", hint: "Do", words: "new person user mailbox" },
  { title: "Add a domain", path: "/domains/new", icon: "world-plus", hint: "Do", words: "new host name" },
];

function ofAccount(account) {
  const title = account.full_name || account.id;
  const words = `${account.id} ${account.addresses.map((each) => each.address).join(" ")}`;
  const path = `/accounts/${account.id}`;
  return [
    { path, title, words, icon: "user", hint: "Account" },
    { path: `${path}/connect`, title: `Connect a mail app to ${title}`, words: `${words} imap smtp settings thunderbird outlook phone`, icon: "device-mobile", hint: "Do" },
  ];
}

export function Finder({ onClose }) {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [things, setThings] = useState([]);
  const [accounts, setAccounts] = useState([]);
  const settled = useDebounced(text.trim());

  useEffect(() => {
    const pages = [...SECTIONS.map((page) => ({ ...page, hint: "Page" })), ...ACTIONS];
    setThings(pages);
    Promise.all([get("/domains"), get("/ui/search", { limit: MAX_FOUND })]).then(
      ([domains, settings]) =>
        setThings([
          ...pages,
          ...domains.items.map((domain) => ({ path: "/domains", title: domain.unicode, words: `${domain.name} ${domain.description}`, icon: "world", hint: "Domain" })),
          ...settings.items
            .filter((each) => each.kind !== "page")
            .map((each) => ({ path: each.path, title: each.context ? `${each.title} (${each.context})` : each.title, words: `${each.help} ${each.words}`, icon: each.icon || "settings", hint: "Setting" })),
        ]),
      () => {},
    );
  }, []);

  // The server looks through the accounts: there may be thousands.
  useEffect(() => {
    let current = true;
    get("/accounts", { search: settled, limit: MAX_SHOWN }).then(({ items }) => current && setAccounts((old) => [...new Map([...old, ...items.flatMap(ofAccount)].map((each) => [each.path, each])).values()]), () => {});
    return () => {
      current = false;
    };
  }, [settled]);

  const wanted = text.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const rank = (thing) => (thing.title.toLowerCase().startsWith(wanted[0] ?? "") ? 0 : 1);
  const found = [...things, ...accounts]
    .filter((thing) => wanted.every((word) => `${thing.title} ${thing.hint} ${thing.words}`.toLowerCase().includes(word)))
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, MAX_SHOWN);
  const go = (thing) => {
    location.hash = thing.path;
    onClose();
  };
  const keys = (event) => {
    if (event.key === "ArrowDown") setChosen(Math.min(chosen + 1, found.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && found[chosen]) go(found[chosen]);
    else if (event.key === "Escape") onClose(); // the browser would only empty the field
    else return;
    event.preventDefault();
  };
  return html`<${Dialog} title="Find" onClose=${onClose}>
    <input class="finder" type="search" value=${text} aria-label="Find a page, an account or a domain" placeholder="A page, an account, a domain" autofocus
      role="combobox" aria-expanded="true" aria-autocomplete="list" aria-controls="found" aria-activedescendant=${found[chosen] ? `found-${chosen}` : undefined}
      onInput=${(event) => { setText(event.target.value); setChosen(0); }} onKeyDown=${keys} />
    <ul class="found" id="found" role="listbox" aria-label="Found">
      ${found.map(
        (thing, index) => html`<li key=${thing.hint + thing.title + thing.path} id=${`found-${index}`} role="option" aria-selected=${String(index === chosen)} onClick=${() => go(thing)}>
          <${Icon} name=${thing.icon} /><span>${thing.title}</span><small>${thing.hint}</small>
        </li>`,
      )}
    </ul>
    ${found.length === 0 && html`<p class="muted">Nothing is called “${text}”.</p>`}
  </${Dialog}>`;
}
