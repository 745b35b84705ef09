// Numbers, sizes and times as people read them; the same words as in the window.

/** Groups of three, parted by a thin space: right in every language. */
export const number = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
export const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

export function size(bytes) {
  if (bytes < 1000) return count(bytes, "byte");
  let value = bytes;
  for (const unit of ["KB", "MB", "GB", "TB"]) {
    value /= 1000;
    if (value < 999.5 || unit === "TB") return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return "";
}

/** `12 s`, `4 min`, `3 h 20 min`, `2 days`. */
export function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86400) {
    const minutes = Math.floor((whole % 3600) / 60);
    return `${Math.floor(whole / 3600)} h${minutes ? ` ${minutes} min` : ""}`;
  }
  return count(Math.floor(whole / 86400), "day");
}

/** "in 12 min", "3 h ago"; "just now" within ten seconds. */
export function ago(iso, now = Date.now()) {
  if (!iso) return "";
  const seconds = (new Date(iso).getTime() - now) / 1000;
  if (seconds > 1) return `in ${duration(seconds)}`;
  return seconds > -10 ? "just now" : `${duration(-seconds)} ago`;
}

/** "in 12 min"; "now" once it is due. */
export function until(iso, now = Date.now()) {
  if (!iso) return "";
  const seconds = (new Date(iso).getTime() - now) / 1000;
  return seconds < 1 ? "now" : `in ${duration(seconds)}`;
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
export const timeOfDay = (iso) => (iso ? clock.format(new Date(iso)) : "");
export const dateTime = (iso) => (iso ? dayAndClock.format(new Date(iso)) : "");
export const milliseconds = (value) => (value < 1000 ? `${value} ms` : `${(value / 1000).toFixed(1)} s`);
