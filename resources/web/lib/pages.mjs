// Which page stands at which path. The paths are the window's page names too.
import { PAGES } from "./registry.mjs";
import { lazy } from "./lazy.mjs";

const Missing = lazy(() => import("../pages/missing.mjs"), "Missing");

const FLOW = { view: lazy(() => import("../pages/flow.mjs"), "StartFlow"), own: true, key: "id", rest: "context" };
const FORM = { view: lazy(() => import("../pages/formpage.mjs"), "FormPage"), own: true, key: "id" };

// What draws each page of the registry. `rest`: the parameter that gets what follows the page's path. `key`: a page stays as it is
// (filter, selection, scroll) while its key stays the same.
// `thing`: all with the same stay one page, which is told by `page` which of its tabs is open.
const DOMAIN = { view: lazy(() => import("../pages/domain.mjs"), "Domain"), names: { domain: "name" }, key: "name", thing: "domain" };
const ACCOUNT = { view: lazy(() => import("../pages/account.mjs"), "Account"), names: { account: "id" }, key: "id", thing: "account" };
const VIEWS = {
  overview: { view: lazy(() => import("../pages/overview.mjs"), "Overview") },
  domains: { view: lazy(() => import("../pages/domains.mjs"), "Domains") },
  domain: { ...DOMAIN },
  "domain-addresses": { ...DOMAIN },
  "domain-aliases": { ...DOMAIN },
  dns: { ...DOMAIN },
  dkim: { ...DOMAIN },
  "domain-policies": { ...DOMAIN },
  "domain-routes": { ...DOMAIN },
  "domain-settings": { ...DOMAIN },
  accounts: { view: lazy(() => import("../pages/accounts.mjs"), "Accounts") },
  account: { ...ACCOUNT },
  "account-addresses": { ...ACCOUNT },
  "account-limits": { ...ACCOUNT },
  "account-sign-in": { ...ACCOUNT },
  connect: { ...ACCOUNT },
  "account-routes": { ...ACCOUNT },
  "account-settings": { ...ACCOUNT },
  aliases: { view: lazy(() => import("../pages/aliases.mjs"), "Aliases") },
  alias: { view: lazy(() => import("../pages/aliases.mjs"), "Alias"), names: { alias: "name" }, key: "name" },
  history: { view: lazy(() => import("../pages/history.mjs"), "History"), rest: "id" },
  "hold-rules": { view: lazy(() => import("../pages/keyed.mjs"), "KeyedList"), own: true, rest: "task", key: "id" },
  "hold-rule": { view: lazy(() => import("../pages/keyed.mjs"), "KeyedForm"), own: true, names: { rule: "name" }, key: "name" },
  suppressions: { view: lazy(() => import("../pages/keyed.mjs"), "KeyedList"), own: true, rest: "task", key: "id" },
  suppression: { view: lazy(() => import("../pages/keyed.mjs"), "KeyedForm"), own: true, names: { address: "name" }, key: "name" },
  queue: { view: lazy(() => import("../pages/queue.mjs"), "Queue"), rest: "id" },
  transports: { view: lazy(() => import("../pages/transports.mjs"), "Transports"), rest: "task" },
  transport: { view: lazy(() => import("../pages/transports.mjs"), "Transport"), names: { transport: "name" }, key: "name" },
  routes: { view: lazy(() => import("../pages/routes.mjs"), "Routes"), rest: "scope" },
  activity: { view: lazy(() => import("../pages/activity.mjs"), "Activity") },
  message: { view: lazy(() => import("../pages/activity.mjs"), "Message"), names: { trace: "id" }, key: "id" },
  log: { view: lazy(() => import("../pages/log.mjs"), "LiveLog"), rest: "session" },
  signins: { view: lazy(() => import("../pages/signins.mjs"), "SignIns"), rest: "peer" },
  health: { view: lazy(() => import("../pages/health.mjs"), "Health") },
  settings: { view: lazy(() => import("../pages/settings.mjs"), "Settings") },
  revisions: { view: lazy(() => import("../pages/revisions.mjs"), "Revisions"), rest: "change" },
  "new-domain": { ...FLOW },
  "rotate-keys": { ...FLOW },
  "remove-domain": { ...FLOW },
  "new-account": { ...FLOW },
  "remove-account": { ...FLOW },
  "new-alias": { ...FLOW },
  "new-transport": { ...FLOW },
  "new-route": { ...FLOW },
  flow: { view: lazy(() => import("../pages/flow.mjs"), "Flow"), names: { flow: "id" }, key: "id" },
  server: { view: lazy(() => import("../pages/server.mjs"), "Server") },
  postmaster: { ...FORM },
  "server-name": { ...FORM },
  "server-listeners": { ...FORM },
  "server-tls": { ...FORM },
  "server-limits": { ...FORM },
  "server-outbound": { ...FORM },
  "server-admin": { ...FORM },
  "server-log": { ...FORM },
};


/** In the rail, in this order; `bar`: in the bar of a phone, the others are under More. */
export const SECTIONS = PAGES.filter((page) => !page.parent);

// Links that were given out under an older name.
const OLDER = [[/^\/trace(?=\/|$)/, "/activity"]];

/** The page of a path, the names in it, and what follows; as `match` in backend/api/pages.py. */
export function match(path, pages = PAGES) {
  const wanted = path.split("?")[0].split("/").filter(Boolean);
  let best = null;
  for (const page of pages) {
    const parts = page.path.split("/").filter(Boolean);
    if (parts.length > wanted.length || (!parts.length && wanted.length)) continue;
    const fits = parts.every((part, at) => (part.startsWith("{") ? wanted[at] !== "new" : part === wanted[at]));
    if (!fits) continue;
    const literal = parts.filter((part) => !part.startsWith("{")).length;
    if (best && (best.parts.length > parts.length || (best.parts.length === parts.length && best.literal >= literal))) continue;
    best = { page, parts, literal };
  }
  if (!best) return null;
  const names = {};
  best.parts.forEach((part, at) => {
    if (part.startsWith("{")) names[part.slice(1, -1)] = plain(wanted[at]);
  });
  return { page: best.page, names, rest: plain(wanted.slice(best.parts.length).join("/")) };
}

function plain(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a broken % in a link that somebody typed
  }
}

export function find(path) {
  const found = match(OLDER.reduce((text, [old, now]) => text.replace(old, now), path));
  const drawn = found && VIEWS[found.page.id];
  if (!drawn || (found.rest && !drawn.rest)) return { page: { title: "Not found", view: Missing }, parameters: { path: plain(path) }, key: path };
  const parameters = drawn.own ? { page: found.page, id: found.page.id } : {};
  for (const [name, value] of Object.entries(found.names)) parameters[drawn.names?.[name] ?? name] = value;
  if (drawn.rest && found.rest) parameters[drawn.rest] = found.rest;
  if (drawn.thing) parameters.page = found.page.id;
  return { page: { ...found.page, view: drawn.view }, parameters, key: (drawn.thing ?? found.page.id) + (drawn.key ? parameters[drawn.key] : "") };
}

export const isCurrent = (section, path) => (section.path === "/" ? path === "/" : path === section.path || path.startsWith(`${section.path}/`));
