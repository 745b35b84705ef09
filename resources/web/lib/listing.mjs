// A list that the server describes: columns, filters, sorting, pages, what can be done with a row or with many.
import { html, useState } from "./view.mjs";
import { call, get } from "./api.mjs";
import { holds, valueAt } from "./conditions.mjs";
import { ActionButton, getSpec } from "./form.mjs";
import { Ago, Button, Confirm, Empty, Icon, Loaded, Pill, useDebounced, useLoad } from "./parts.mjs";
import { number, size } from "./format.mjs";
import { Bar } from "./tabs.mjs";
import { toast } from "./toast.mjs";

const PAGE = 50;
const TONES = { check: "ok", "circle-check": "ok", "alert-triangle": "warn", clock: "warn", "hand-stop": "warn", "alert-circle": "error", ban: "error", "info-circle": "info", send: "info" };

export function SpecList({ id, query = {}, onOpen }) {
  const spec = useLoad(() => getSpec(id), [], [id]);
  return html`<${Loaded} of=${spec}>${(value) => html`<${Rows} key=${id} spec=${value} fixed=${query} onOpen=${onOpen} />`}</${Loaded}>`;
}

function Rows({ spec, fixed, onOpen }) {
  const listing = spec.listing;
  const [search, setSearch] = useState("");
  const [filters, setFilters] = useState({});
  const [sort, setSort] = useState(listing.sort ?? "");
  const [at, setAt] = useState(0);
  const [picked, setPicked] = useState(() => new Set());
  const wanted = useDebounced(search);
  const [cursors, setCursors] = useState([]); // of the pages before this one, where the server pages by them
  const toStart = () => (setAt(0), setCursors([]));
  const query = listing.cursor ? { ...fixed, ...filters, text: wanted, limit: PAGE, cursor: cursors.at(-1) } : listing.paged ? { ...fixed, ...filters, search: wanted, sort, limit: PAGE, offset: at } : fixed;
  const found = useLoad(() => get(listing.path, query), listing.events ?? ["config"], [JSON.stringify(query)]);
  const asked = Boolean(search || Object.values(filters).some((value) => value !== "" && value !== null && value !== undefined));
  return html`<div class="listing">
    ${(listing.searchable !== false || listing.filters?.length > 0) && html`<div class="filters">
      ${listing.searchable !== false && html`<input class="filter" type="search" aria-label=${`Search ${spec.title}`} placeholder="Search" value=${search} onInput=${(event) => (setSearch(event.target.value), toStart())} />`}
      ${listing.filters?.map((field) => html`<select key=${field.key} aria-label=${field.label} value=${filters[field.key] ?? ""} onChange=${(event) => (setFilters({ ...filters, [field.key]: event.target.value }), toStart())}>
        <option value="">${field.label}: all</option>${field.choices.map((choice) => html`<option value=${choice.value}>${choice.label}</option>`)}</select>`)}
    </div>`}
    <${Loaded} of=${found}>${(reply) => {
      const all = reply[listing.items ?? "items"];
      const rows = listing.paged || listing.cursor ? all : shown(all, listing, wanted, filters, sort);
      const total = reply.total ?? rows.length;
      if (rows.length === 0 && asked) return html`<${Empty} icon="filter" text="Nothing matches."><${Button} onClick=${() => (setSearch(""), setFilters({}))}>Clear the filter</${Button}></${Empty}>`;
      if (rows.length === 0) return html`<${Empty} icon=${listing.empty.icon || "circle-dashed"} text=${`${listing.empty.title} ${listing.empty.text ?? ""}`}>${listing.empty.action && html`<${ActionButton} action=${listing.empty.action} name="" />`}</${Empty}>`;
      return html`${picked.size > 0 && html`<${Selection} listing=${listing} picked=${picked} clear=${() => setPicked(new Set())} reload=${found.reload} />`}
        <table class="cards"><thead><tr>${listing.mass_actions?.length > 0 && html`<th class="c-check"><input type="checkbox" aria-label="Choose all" checked=${picked.size === rows.length} onChange=${(event) => setPicked(new Set(event.target.checked ? rows.map((row) => row[listing.key ?? "name"]) : []))} /></th>`}
          ${listing.columns.map((column) => html`<${Head} key=${column.key} column=${column} sort=${sort} setSort=${setSort} />`)}${listing.row_actions?.length > 0 && html`<th><span class="offscreen">Actions</span></th>`}</tr></thead>
          <tbody>${rows.map((row) => html`<${Row} key=${row[listing.key ?? "name"]} row=${row} listing=${listing} picked=${picked} setPicked=${setPicked} onOpen=${onOpen} reload=${found.reload} />`)}</tbody></table>
        ${listing.cursor && (cursors.length > 0 || reply.next) && html`<div class="pager"><${Button} icon="chevron-left" disabled=${!cursors.length} onClick=${() => setCursors(cursors.slice(0, -1))}>Newer</${Button}><span>${number(total)} in all</span><${Button} icon="chevron-right" disabled=${!reply.next} onClick=${() => setCursors([...cursors, reply.next])}>Older</${Button}></div>`}
        ${listing.paged && total > PAGE && html`<div class="pager"><${Button} icon="chevron-left" disabled=${at === 0} onClick=${() => setAt(Math.max(0, at - PAGE))}>Newer</${Button}><span>${number(at + 1)}–${number(Math.min(at + PAGE, total))} of ${number(total)}</span><${Button} icon="chevron-right" disabled=${at + PAGE >= total} onClick=${() => setAt(at + PAGE)}>Older</${Button}></div>`}`;
    }}</${Loaded}>
  </div>`;
}

function shown(rows, listing, search, filters, sort) {
  const words = search.toLowerCase();
  const key = sort.replace(/^-/, "");
  const down = sort.startsWith("-") ? -1 : 1;
  const kept = rows.filter(
    (row) =>
      (!words || listing.columns.some((column) => String(valueAt(row, column.key.split("/")) ?? "").toLowerCase().includes(words))) &&
      Object.entries(filters).every(([name, value]) => !value || String(valueAt(row, name.split("/"))) === value),
  );
  if (!key) return kept;
  const of = (row) => valueAt(row, key.split("/"));
  return kept.sort((a, b) => down * (typeof of(a) === "number" ? of(a) - of(b) : String(of(a) ?? "").localeCompare(String(of(b) ?? ""))));
}

function Head({ column, sort, setSort }) {
  const state = sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : undefined;
  const isNumber = ["number", "size", "count"].includes(column.kind);
  return html`<th scope="col" class=${isNumber ? "number" : ""} aria-sort=${state} title=${column.help}>${
    column.sortable === false ? column.title : html`<button type="button" class="sorter" onClick=${() => setSort(state === "ascending" ? `-${column.key}` : column.key)}>${column.title}${state && html`<${Icon} name=${state === "ascending" ? "arrow-up" : "arrow-down"} />`}</button>`
  }</th>`;
}

function Row({ row, listing, picked, setPicked, onOpen, reload }) {
  const key = row[listing.key ?? "name"];
  const pick = (event) => setPicked((old) => new Set(event.target.checked ? [...old, key] : [...old].filter((each) => each !== key)));
  return html`<tr>
    ${listing.mass_actions?.length > 0 && html`<td class="tick"><input type="checkbox" aria-label=${`Choose ${key}`} checked=${picked.has(key)} onChange=${pick} /></td>`}
    ${listing.columns.map((column) => {
      const value = valueAt(row, column.key.split("/"));
      const cell = html`<${Cell} column=${column} value=${value} row=${row} />`;
      if (!column.main) return html`<td key=${column.key} data-label=${column.title} class=${["number", "size", "count"].includes(column.kind) ? "number" : ""}>${cell}</td>`;
      const href = listing.page ? `#${listing.page.replace("{key}", encodeURIComponent(key))}` : undefined;
      return html`<th scope="row" key=${column.key}>${href ? html`<a href=${href}>${cell}</a>` : onOpen ? html`<button type="button" class="link" onClick=${() => onOpen(row)}>${cell}</button>` : cell}</th>`;
    })}
    ${listing.row_actions?.length > 0 && html`<td class="end">${listing.row_actions.filter((action) => holds(action.show_if, row)).map((action) => html`<${ActionButton} key=${action.id} action=${action} name=${String(key)} values=${row} onDone=${reload} quiet />`)}</td>`}
  </tr>`;
}

function Cell({ column, value, row }) {
  if (value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0 && column.kind !== "count")) return html`<span class="muted">${column.empty || "–"}</span>`;
  const choice = column.choices?.find((each) => each.value === value);
  if (column.kind === "state") return html`<${Pill} kind=${TONES[choice?.icon] ?? "neutral"} icon=${choice?.icon}>${choice?.label ?? String(value)}</${Pill}>`;
  if (column.kind === "time") return html`<${Ago} at=${value} />`;
  if (column.kind === "size") {
    const whole = column.of && valueAt(row, column.of.split("/"));
    return whole ? html`${size(value)} of ${size(whole)}<${Bar} used=${value} limit=${whole} label=${column.title} />` : size(value);
  }
  if (column.kind === "number") return number(value);
  if (column.kind === "count") return Array.isArray(value) ? (value.length ? number(value.length) : html`<span class="muted">${column.empty || "0"}</span>`) : number(value);
  if (column.kind === "bool") return value ? "yes" : "no";
  if (column.kind === "list") return value.join(", ");
  if (column.kind === "code") return html`<code>${value}</code>`;
  return choice?.label ?? String(value);
}

function Selection({ listing, picked, clear, reload }) {
  const [asking, setAsking] = useState(null);
  const run = async (action) => {
    await call(action.method, action.path, { body: { ...action.body, ids: [...picked] } });
    toast(action.done || `${action.title}: ${number(picked.size)}.`);
    clear();
    reload();
  };
  const go = (action) => (action.confirm ? setAsking(action) : run(action).catch((error) => toast(error.message, { kind: "error" })));
  return html`<div class="selection" role="group" aria-label="Selection"><b>${number(picked.size)} chosen</b>
    ${listing.mass_actions.map((action) => html`<${Button} key=${action.id} icon=${action.icon} kind=${action.kind === "danger" ? "danger" : ""} onClick=${() => go(action)}>${action.title}</${Button}>`)}
    <button type="button" class="copy" onClick=${clear}>Clear</button>
    ${asking && html`<${Confirm} title=${asking.confirm.title} verb=${asking.confirm.verb} onYes=${() => run(asking)} onClose=${() => setAsking(null)}><p>${asking.confirm.text}</p></${Confirm}>`}
  </div>`;
}
