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
];
