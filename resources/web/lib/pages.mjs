// Which page stands at which path. The paths are the window's page names too.
import { Overview } from "../pages/overview.mjs";
import { Domains } from "../pages/domains.mjs";
import { Accounts } from "../pages/accounts.mjs";
import { Account } from "../pages/account.mjs";
import { Queue } from "../pages/queue.mjs";
import { Trace, Traces } from "../pages/trace.mjs";
import { LiveLog } from "../pages/log.mjs";
import { SignIns } from "../pages/signins.mjs";
import { Settings } from "../pages/settings.mjs";
import { Missing } from "../pages/missing.mjs";

/** In the rail, in this order. `words`: what else people call it. */
export const SECTIONS = [
  { path: "/", title: "Overview", icon: "layout-dashboard", words: "start home status health" },
  { path: "/domains", title: "Domains", icon: "world", words: "names addresses" },
  { path: "/accounts", title: "Accounts", icon: "users", words: "people passwords mailboxes connect mail app phone test message" },
  { path: "/queue", title: "Queue", icon: "mail-forward", words: "outgoing waiting retry bounce hold" },
  { path: "/trace", title: "Messages", icon: "route", words: "trace timeline where is my mail" },
  { path: "/log", title: "Live log", icon: "terminal-2", words: "lines errors debug" },
  { path: "/signins", title: "Sign-ins", icon: "key", words: "logins failures security" },
  { path: "/settings", title: "Settings", icon: "settings", words: "configuration toml revisions revert server restart password" },
];

const PAGES = [
  { pattern: /^\/$/, title: "Overview", view: Overview },
  { pattern: /^\/domains$/, title: "Domains", view: Domains },
  { pattern: /^\/accounts$/, title: "Accounts", view: Accounts },
  { pattern: /^\/accounts\/(?<id>[^/]+)$/, title: "Account", view: Account },
  { pattern: /^\/queue(\/(?<id>\d+))?$/, title: "Queue", view: Queue },
  { pattern: /^\/trace$/, title: "Messages", view: Traces },
  { pattern: /^\/trace\/(?<id>[^/]+)$/, title: "Message", view: Trace },
  { pattern: /^\/log$/, title: "Live log", view: LiveLog },
  { pattern: /^\/signins$/, title: "Sign-ins", view: SignIns },
  { pattern: /^\/settings$/, title: "Settings", view: Settings },
];

export function find(path) {
  for (const page of PAGES) {
    const match = page.pattern.exec(path);
    if (match) return { page, parameters: match.groups ?? {} };
  }
  return { page: { title: "Not found", view: Missing }, parameters: { path } };
}
