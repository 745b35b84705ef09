// Routes that are being edited: the draft and what differs in it from what is saved. ui/presenters/routes.py does the same in the window.
// A draft: { base, lists, first }; lists and first are [{ level, owner, rules: [{ key, settings, sentence, warning, hits }] }].
import { count } from "./format.mjs";
import { equal } from "./values.mjs";

const LEVELS = ["account", "domain", "server"];
export const TITLES = { account: "Account routes", domain: "Domain routes", server: "Server routes" };
export const NOTES = {
  account: "Looked at first, for mail that this account sends.",
  domain: "Looked at next, for mail with a sender in this domain.",
  server: "Looked at last, for all mail.",
};
export const SERVER = { level: "server", owner: "" };
let lastKey = 0;

export const same = (a, b) => a.level === b.level && a.owner === b.owner;
export const listOf = (draft, place) => draft.lists.find((list) => same(list, place))?.rules ?? [];

export function begin(base) {
  const lists = [];
  for (const { level, owner, position, settings, ...told } of base.items) {
    let list = lists.find((each) => each.level === level && each.owner === owner);
    if (!list) lists.push((list = { level, owner, rules: [] }));
    list.rules.push({ key: (lastKey += 1), settings, sentence: told.sentence, warning: told.warning ?? "", hits: told.hits ?? 0 });
  }
  return { base, lists, first: lists };
}

/** A draft without changes, read again: what is as before is not drawn again. */
export const renewed = (draft, found) => (equal(found.items, draft.base.items) && draft.lists === draft.first ? { ...draft, base: found } : begin(found));

/** The same draft with other rules in one list. */
export function withRules(draft, { level, owner }, rules) {
  const known = draft.lists.some((list) => same(list, { level, owner }));
  const next = { level, owner, rules };
  return { ...draft, lists: known ? draft.lists.map((list) => (same(list, next) ? next : list)) : [...draft.lists, next] };
}

export const withNew = (draft, place, index, settings) => withRules(draft, place, listOf(draft, place).toSpliced(index, 0, { key: (lastKey += 1), settings, sentence: "", warning: "", hits: 0 }));
export const without = (draft, place, index) => withRules(draft, place, listOf(draft, place).toSpliced(index, 1));

export function withSettings(draft, place, index, settings) {
  const rules = [...listOf(draft, place)];
  const old = rules[index];
  const told = equal({ ...old.settings, disabled: settings.disabled }, settings) ? old.sentence : "";
  rules[index] = { ...old, settings, sentence: told, warning: "" };
  return withRules(draft, place, rules);
}

export function moved(draft, place, from, to) {
  const rules = [...listOf(draft, place)];
  const [rule] = rules.splice(from, 1);
  rules.splice(Math.max(0, Math.min(to, rules.length)), 0, rule);
  return withRules(draft, place, rules);
}

const settingsOf = (rules) => rules.map((rule) => rule.settings);
const before = (draft, place) => draft.first.find((list) => same(list, place))?.rules ?? [];

/** The lists that are to be saved. */
export const changed = (draft) =>
  draft.lists.filter((list) => list.rules !== before(draft, list) && !equal(settingsOf(list.rules), settingsOf(before(draft, list)))).map(({ level, owner, rules }) => ({ level, owner, routes: settingsOf(rules) }));

/** How many changes: rules that came, went, differ, or were moved. */
export function changes(draft) {
  let total = 0;
  for (const list of draft.lists) {
    const old = before(draft, list);
    if (list.rules === old) continue;
    const first = new Map(old.map((rule, at) => [rule.key, [at, rule]]));
    const kept = list.rules.filter((rule) => first.has(rule.key));
    total += list.rules.length + first.size - 2 * kept.length;
    total += kept.filter((rule) => rule !== first.get(rule.key)[1] && !equal(rule.settings, first.get(rule.key)[1].settings)).length;
    total += kept.length - longestRise(kept.map((rule) => first.get(rule.key)[0]));
  }
  return total;
}

/** How many can stay where they are. */
function longestRise(numbers) {
  const ends = [];
  for (const number of numbers) {
    const at = ends.findIndex((end) => end >= number);
    ends[at < 0 ? ends.length : at] = number;
  }
  return ends.length;
}

export const changesText = (draft) => `${count(changes(draft), "change")} not saved yet`;

/** What the server says of the draft: sentences, warnings, hits. */
export function withTold(draft, told) {
  const found = new Map(told.items.map((item) => [`${item.level}/${item.owner}/${item.position}`, item]));
  const lists = draft.lists.map((list) => {
    let other = false;
    const rules = list.rules.map((rule, at) => {
      const item = found.get(`${list.level}/${list.owner ?? ""}/${at + 1}`);
      if (!item || !equal(item.settings, rule.settings)) return rule;
      if (item.sentence === rule.sentence && (item.warning ?? "") === rule.warning) return rule;
      other = true;
      return { ...rule, sentence: item.sentence, warning: item.warning ?? "", hits: item.hits ?? 0 };
    });
    return other ? { ...list, rules } : list;
  });
  return { ...draft, lists };
}

/** One's own lists in the place of theirs; all others as they have them. */
export function forced(draft, theirs) {
  let now = begin(theirs);
  for (const list of draft.lists) if (changed(draft).some((each) => same(each, list))) now = withRules(now, list, list.rules.map((rule) => ({ ...rule, key: (lastKey += 1) })));
  return now;
}

/** The draft on what somebody else has saved meanwhile; null when both have changed the same list. */
export function rebased(draft, theirs) {
  const now = begin(theirs);
  const clash = changed(draft).some((mine) => !equal(settingsOf(listOf(now, mine)), settingsOf(before(draft, mine))));
  return clash ? null : forced(draft, theirs);
}

/** The lists in the order in which they are looked at; `places`: these only, also when they are empty. */
export function groups(draft, places) {
  const wanted = places ?? draft.lists.filter((list) => list.rules.length > 0).map(({ level, owner }) => ({ level, owner }));
  const all = wanted.some((place) => same(place, SERVER)) ? wanted : [...wanted, SERVER];
  const key = (place) => `${LEVELS.indexOf(place.level)} ${place.owner}`;
  return [...all].sort((a, b) => (key(a) < key(b) ? -1 : 1)).map((place) => ({ ...place, rules: listOf(draft, place) }));
}

/** From where the settings have a fault to the field of the route; null: another route's. */
export function faultPath({ level, owner }, index, path) {
  const head = `${level === "server" ? "" : `/${level}s/${owner}`}/routes/${index}/`;
  return path.startsWith(head) ? path.slice(head.length - 1) : null;
}
