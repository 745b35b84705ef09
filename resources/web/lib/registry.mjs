// Written from backend/api/pages.py by `python -m backend.admin.browser_pages`; a test holds the two together.
export const AREAS = {"overview": "Overview", "mail": "Mail", "delivery": "Delivery", "activity": "Activity", "health": "Health", "system": "System"};
export const PAGES = [
  {"id": "overview", "area": "overview", "title": "Overview", "path": "/", "icon": "layout-dashboard", "words": "home start status health attention dashboard", "bar": true},
  {"id": "domains", "area": "mail", "title": "Domains", "path": "/domains", "icon": "world", "words": "dns names host", "form": "domain"},
  {"id": "accounts", "area": "mail", "title": "Accounts", "path": "/accounts", "icon": "users", "words": "people users addresses passwords mailbox", "bar": true, "form": "account"},
  {"id": "account", "area": "mail", "title": "Account", "path": "/accounts/{account}", "icon": "user", "parent": "accounts", "form": "account"},
  {"id": "queue", "area": "delivery", "title": "Queue", "path": "/queue", "icon": "mail-forward", "words": "waiting outgoing hold retry bounce", "bar": true},
  {"id": "activity", "area": "activity", "title": "Activity", "path": "/activity", "icon": "activity", "words": "trace messages timeline delivered rejected where is my mail", "bar": true},
  {"id": "message", "area": "activity", "title": "Message", "path": "/activity/{trace}", "icon": "mail", "parent": "activity"},
  {"id": "log", "area": "activity", "title": "Live log", "path": "/log", "icon": "terminal-2", "words": "debug errors lines"},
  {"id": "signins", "area": "activity", "title": "Sign-ins", "path": "/signins", "icon": "key", "words": "logins failures security"},
  {"id": "settings", "area": "system", "title": "Settings", "path": "/settings", "icon": "settings", "words": "configuration toml files revisions go back"},
  {"id": "server", "area": "system", "title": "Server", "path": "/server", "icon": "server", "words": "start stop restart ports folder dark light appearance password browser sessions check stored mail"},
  {"id": "postmaster", "area": "system", "title": "Postmaster", "path": "/settings/postmaster", "icon": "user", "parent": "settings", "form": "postmaster"},
  {"id": "server-name", "area": "system", "title": "Name of the server", "path": "/system/server", "icon": "server", "parent": "server", "form": "server-name"},
  {"id": "server-listeners", "area": "system", "title": "Ports", "path": "/system/ports", "icon": "plug", "words": "listeners bind addresses nat", "parent": "server", "form": "server-listeners"},
  {"id": "server-tls", "area": "system", "title": "Certificates", "path": "/system/certificates", "icon": "lock", "words": "tls ssl", "parent": "server", "form": "server-tls"},
  {"id": "server-limits", "area": "system", "title": "Limits", "path": "/system/limits", "icon": "shield-check", "parent": "server", "form": "server-limits"},
  {"id": "server-outbound", "area": "system", "title": "Outgoing mail", "path": "/system/outgoing", "icon": "send", "words": "dns resolver concurrency", "parent": "server", "form": "server-outbound"},
  {"id": "server-admin", "area": "system", "title": "Security of the administration", "path": "/system/security", "icon": "key", "words": "browser sessions password allowed names", "parent": "server", "form": "server-admin"},
  {"id": "server-log", "area": "system", "title": "Log settings", "path": "/system/log", "icon": "terminal-2", "words": "debug level", "parent": "server", "form": "server-log"},
];
