// When a field of a form is shown or needed. The rules stand in backend/api/conditions.py; tests/contract/conditions.json
// holds the cases on which both must agree.

/**
 * @param {object|undefined|null} cond a condition as the server sends it; none holds
 * @param {object} values of the whole form
 * @param {(string|number)[]} [here] where the object stands whose field has the condition
 */
export function holds(cond, values, here = []) {
  if (!cond) return true;
  if (cond.all) return cond.all.every((each) => holds(each, values, here));
  if (cond.any) return cond.any.some((each) => holds(each, values, here));
  if (cond.not) return !holds(cond.not, values, here);
  const value = valueAt(values, absolute(cond.path, here));
  if (typeof cond.empty === "boolean") return isEmpty(value) === cond.empty;
  if (cond.in) return (Array.isArray(value) ? value : [value]).some((one) => cond.in.some((wanted) => same(one, wanted)));
  if (typeof value !== "number") return false;
  return (cond.min ?? -Infinity) <= value && value <= (cond.max ?? Infinity);
}

/** The names from the top of the form on. */
export function absolute(path, here) {
  const parts = path.split("/");
  if (path.startsWith("/")) return parts.slice(1);
  const steps = here.map(String);
  while (parts[0] === "..") {
    parts.shift();
    steps.pop();
  }
  return [...steps, ...parts];
}

/** null where the path leads nowhere. */
export function valueAt(values, path) {
  let value = values;
  for (const part of path.map(String)) {
    if (Array.isArray(value)) value = /^\d{1,6}$/.test(part) ? value[Number(part)] : null;
    else if (typeof value === "object" && value !== null) value = Object.hasOwn(value, part) ? value[part] : null;
    else return null;
    value ??= null;
  }
  return value;
}

/** Whether it counts as not filled in. 0 and false are values. */
export function isEmpty(value) {
  if (value === null || value === undefined || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object") return false;
  const keys = Object.keys(value);
  return keys.length === 0 || (keys.length === 1 && value.set === false);
}

function same(left, right) {
  return (left === null || typeof left !== "object") && left === right;
}
