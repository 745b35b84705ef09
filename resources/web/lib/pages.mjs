// Which page stands at which path. The paths are the window's page names too.
import { Overview } from "../pages/overview.mjs";
import { Domains } from "../pages/domains.mjs";
import { Accounts } from "../pages/accounts.mjs";
import { Account } from "../pages/account.mjs";
import { Queue } from "../pages/queue.mjs";
import { Activity, Message } from "../pages/activity.mjs";
import { LiveLog } from "../pages/log.mjs";
import { SignIns } from "../pages/signins.mjs";
import { Settings } from "../pages/settings.mjs";
import { Server } from "../pages/server.mjs";
import { Missing } from "../pages/missing.mjs";

/** In the rail, in this order. `words`: what else people call it. `bar`: in the bar of a phone; the others are under More. */
export const SECTIONS = [
  { path: "/", title: "Overview", icon: "layout-dashboard", words: "home start status health attention dashboard", bar: true },
  { path: "/domains", title: "Domains", icon: "world", words: "dns names host" },
  { path: "/accounts", title: "Accounts", icon: "users", words: "people users addresses passwords mailbox", bar: true },
  { path: "/queue", title: "Queue", icon: "mail-forward", words: "waiting outgoing hold retry bounce", bar: true },
  { path: "/activity", title: "Activity", icon: "activity", words: "trace messages timeline delivered rejected where is my mail", bar: true },
  { path: "/log", title: "Live log", icon: "terminal-2", words: "debug errors lines" },
  { path: "/signins", title: "Sign-ins", icon: "key", words: "logins failures security" },
  { path: "/settings", title: "Settings", icon: "settings", words: "configuration toml files revisions go back" },
  { path: "/server", title: "Server", icon: "server", words: "restart ports folder dark light appearance password browser sessions check stored mail" },
];

// `key`: a page stays as it is (filter, selection, scroll) while its key stays the same.
const PAGES = [
  { pattern: /^\/$/, title: "Overview", view: Overview },
  { pattern: /^\/domains(\/(?<task>new))?$/, title: "Domains", view: Domains },
  { pattern: /^\/accounts(\/(?<task>new))?$/, title: "Accounts", view: Accounts },
  { pattern: /^\/accounts\/(?<id>[^/]+)(\/(?<tab>connect))?$/, title: "Account", view: Account, key: "id" },
  { pattern: /^\/queue(\/(?<id>\d+))?$/, title: "Queue", view: Queue },
  { pattern: /^\/activity$/, title: "Activity", view: Activity },
  { pattern: /^\/(activity|trace)\/(?<id>[^/]+)$/, title: "Message", view: Message, key: "id" },
  { pattern: /^\/trace$/, title: "Activity", view: Activity },
  { pattern: /^\/log$/, title: "Live log", view: LiveLog },
  { pattern: /^\/signins$/, title: "Sign-ins", view: SignIns },
  { pattern: /^\/settings$/, title: "Settings", view: Settings },
  { pattern: /^\/server$/, title: "Server", view: Server },
];

export function find(path) {
  for (const page of PAGES) {
    const match = page.pattern.exec(path);
    if (!match) continue;
    const parameters = { ...match.groups };
    return { page, parameters, key: page.title + (page.key ? parameters[page.key] : "") };
  }
  return { page: { title: "Not found", view: Missing }, parameters: { path }, key: path };
}

export const isCurrent = (section, path) => (section.path === "/" ? path === "/" : path === section.path || path.startsWith(`${section.path}/`));
