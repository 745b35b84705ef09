// The admin API as one function. A refusal is thrown as an ApiError that holds every problem with its field.

const PREFIX = "/api/v1";
const TIMEOUT_MS = 60_000;
export const WRONG_PASSWORD = "access.password";
const KEEPALIVE_LENGTH = 30_000;

let csrfToken = "";
let onSignedOut = () => {};

export function setCsrfToken(token) {
  csrfToken = token;
}

/** Called when the server no longer knows this session; the page stays as it is behind the sign-in dialog. */
export function whenSignedOut(callback) {
  onSignedOut = callback;
}

export class ApiError extends Error {
  constructor(status, reply) {
    super(reply.issues?.map((issue) => [issue.message, issue.fix].filter(Boolean).join(" ")).join(" ") || reply.title);
    this.status = status;
    this.code = reply.code;
    this.issues = reply.issues ?? [];
    this.reply = reply;
  }

  /** The text for one field, by its JSON pointer. */
  at(path) {
    const issue = this.issues.find((each) => each.path === path);
    return issue ? [issue.message, issue.fix].filter(Boolean).join(" ") : "";
  }
}

const UNREACHABLE = { title: "The server does not answer. It may be restarting; this page tries again by itself.", code: "unreachable" };

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: object, query?: object, revision?: number, quiet?: boolean}} [options]
 */
export async function call(method, path, { body, query, revision, quiet } = {}) {
  // Forms come in the language that the pages are in, not in the browser's.
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (revision !== undefined) headers["If-Match"] = `"${revision}"`;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== "") parameters.set(name, String(value));
  }
  const search = parameters.size ? `?${parameters}` : "";
  const text = body === undefined ? undefined : JSON.stringify(body);
  let response;
  try {
    response = await fetch(PREFIX + path + search, {
      method,
      headers,
      body: text,
      // What is asked for while the page is being left must still arrive; browsers allow 64 KiB of that.
      keepalive: method !== "GET" && (text?.length ?? 0) < KEEPALIVE_LENGTH,
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiError(0, UNREACHABLE);
  }
  const type = response.headers.get("Content-Type") ?? "";
  const reply = type.includes("json") ? await response.json() : await response.text();
  if (response.ok) return reply;
  // A wrong password is refused with 401 too, but the session stands.
  if (response.status === 401 && !quiet && reply.code !== WRONG_PASSWORD) onSignedOut();
  throw new ApiError(response.status, typeof reply === "object" ? reply : { title: `The server answered ${response.status}.`, code: "http" });
}

export const get = (path, query) => call("GET", path, { query });
export const post = (path, body = undefined) => call("POST", path, { body });
export const patch = (path, body) => call("PATCH", path, { body });
export const remove = (path) => call("DELETE", path);
/** One segment of a path. */
export const seg = (value) => encodeURIComponent(value);
