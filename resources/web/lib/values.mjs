// The values of a form: what stands where, what a new entry begins with, and how two changes become one.
import { valueAt } from "./conditions.mjs";

export const pointer = (path) => path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
export const equal = (left, right) => JSON.stringify(sorted(left)) === JSON.stringify(sorted(right));

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value ?? null;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** The same values but for one place; `undefined` takes a key away. */
export function withValue(values, path, value) {
  if (path.length === 0) return value;
  const [first, ...rest] = path;
  const copy = Array.isArray(values) ? [...values] : { ...values };
  const next = withValue(copy[first] ?? {}, rest, value);
  if (next === undefined) delete copy[first];
  else copy[first] = next;
  return copy;
}

const EMPTY = { bool: false, multi: [], list: [], map: {}, secret: { set: false } };

/** What a field begins with in a new entry. */
export function begin(field) {
  if (field.default !== undefined && field.default !== null) return structuredClone(field.default);
  if (field.nullable) return null;
  if (field.kind === "object") return beginAll(field.fields);
  if (field.kind === "variant") return field.variants?.length ? beginVariant(field, field.variants[0]) : null;
  if (field.kind === "choice" && field.choices?.length) return field.choices[0].value;
  return structuredClone(EMPTY[field.kind] ?? (["text", "code", "file", "ref"].includes(field.kind) ? "" : null));
}

export const beginAll = (fields = []) => Object.fromEntries(fields.map((field) => [field.key, begin(field)]));
export const beginVariant = (field, variant) => ({ [field.tag]: variant.value, ...beginAll(variant.fields) });

/** A title such as `{#}. to {to}` with the values of an entry. */
export function fill(template, entry, place, key = "") {
  return template.replace(/\{([^}]+)\}/g, (_, name) => {
    if (name === "#") return place + 1;
    if (name === "@") return key;
    const value = valueAt(entry, name.split("/"));
    return Array.isArray(value) ? value.join(", ") : (value ?? "");
  });
}

/**
 * Two people have changed the same form. What only one of them has touched is taken over; what both have changed
 * differently is a clash. Top-level fields count as wholes.
 * @returns {{values: object, clashes: {key: string, label: string, mine: any, theirs: any}[]}}
 */
export function merge(fields, base, mine, theirs) {
  const values = { ...theirs };
  const clashes = [];
  for (const { key, label } of fields) {
    if (equal(mine[key], base[key])) continue;
    values[key] = mine[key];
    if (!equal(theirs[key], base[key]) && !equal(theirs[key], mine[key])) clashes.push({ key, label, mine: mine[key], theirs: theirs[key] });
  }
  return { values, clashes };
}

/** A value in a few words, for people. */
export function brief(value) {
  if (value === null || value === undefined || value === "") return "nothing";
  if (value === true || value === false) return value ? "on" : "off";
  if (Array.isArray(value)) return value.length ? value.map((each) => (typeof each === "object" ? brief(each) : each)).join(", ") : "nothing";
  if (typeof value !== "object") return String(value);
  if (Object.keys(value).length === 1 && "set" in value) return value.set ? "the one that is stored" : "nothing";
  return Object.entries(value).map(([name, each]) => `${name} ${brief(each)}`).join("; ") || "nothing";
}
