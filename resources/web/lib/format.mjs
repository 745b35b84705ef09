// Numbers, sizes and times as people read them.

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** "in 12 minutes", "3 hours ago"; "just now" within ten seconds. */
export function ago(iso, now = Date.now()) {
  if (!iso) return "";
  const seconds = (new Date(iso).getTime() - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  if (Math.abs(seconds) < 10) return "just now";
  return relative.format(Math.round(seconds), "second");
}

export const timeOfDay = (iso) => (iso ? clock.format(new Date(iso)) : "");
export const dateTime = (iso) => (iso ? dayAndClock.format(new Date(iso)) : "");
export const count = (number, one, many = `${one}s`) => `${number.toLocaleString()} ${number === 1 ? one : many}`;

export function duration(seconds) {
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return count(Math.floor(seconds / length), unit);
  }
  return count(Math.floor(seconds), "second");
}
