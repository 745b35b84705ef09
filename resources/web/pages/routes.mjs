// Which way mail takes: all routes in the order in which they are looked at, edited as a draft, with the tester beside them.
import { html, useEffect, useMemo, useRef, useState } from "../lib/view.mjs";
import { ApiError, call, get } from "../lib/api.mjs";
import { listen } from "../lib/events.mjs";
import { Fields } from "../lib/controls.mjs";
import { getSpec } from "../lib/form.mjs";
import { number } from "../lib/format.mjs";
import { Button, Dialog, Failure, Icon, Loaded, Title, useDebounced, useLoad } from "../lib/parts.mjs";
import * as model from "../lib/routedraft.mjs";
import { toast } from "../lib/toast.mjs";
import { beginAll, withValue } from "../lib/values.mjs";
import { Tester } from "../lib/routetester.mjs";

const INTRO = "Which way mail takes. The first route that matches decides; where none does, mail goes out directly.";
const CHECK_MS = 300;
let kept = null; // the draft outlives the page

const put = (body, revision) => call("PUT", "/routes/lists", { body, revision });
const nameOf = ({ level, owner }) => (level === "server" ? "Everyone" : `The ${level} ${owner}`);
const idOf = ({ level, owner }) => (owner ? `${level}/${owner}` : "");

/** `inside`: below the heading of the account or domain `scope`, as a tab of it. */
export function Routes({ scope = "", inside = false }) {
  const loaded = useLoad(async () => {
    const [spec, routes, accounts, domains] = await Promise.all([getSpec("routes"), get("/routes"), get("/accounts"), get("/domains")]);
    return { spec, routes, accounts: accounts.items, domains: domains.items };
  });
  return html`<${Loaded} of=${loaded}>${(all) => html`<${Editor} ...${all} scope=${scope} inside=${inside} />`}</${Loaded}>`;
}

function Editor({ spec, routes, accounts, domains, scope, inside }) {
  const [draft, setDraft] = useState(() => (kept && model.changes(kept) ? kept : model.begin(routes)));
  const [editing, setEditing] = useState(null); // { place, index, settings }
  const [clash, setClash] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [focus, setFocus] = useState(null); // the key of the card that takes the focus after it was moved
  const now = useRef(draft);
  now.current = kept = draft;
  const many = model.changes(draft);
  const owners = [...accounts.map(({ id }) => ({ level: "account", owner: id })), ...domains.map(({ name }) => ({ level: "domain", owner: name }))];
  const [level, ...rest] = scope.split("/");
  const chosen = owners.find((place) => place.level === level && place.owner === rest.join("/"));

  // Somebody else has saved: what is untouched follows, a draft finds out at its save.
  useEffect(() => listen((event) => event.topic === "config" && !model.changes(now.current) && get("/routes").then((found) => !model.changes(now.current) && setDraft(model.renewed(now.current, found)), () => {})), []);
  const lists = useMemo(() => model.changed(draft), [draft]);
  const settled = useDebounced(lists, CHECK_MS);
  const body = JSON.stringify(settled);
  useEffect(() => {
    let current = true;
    if (settled.length) put({ lists: settled, dry_run: true }, draft.base.revision).then((told) => current && setDraft((old) => model.withTold(old, told)), () => {});
    return () => (current = false);
  }, [body]);
  useEffect(() => {
    if (focus) document.getElementById(`route-${focus.key}`)?.focus();
  }, [focus]);

  // Stable, so that cards that have not changed are not drawn again.
  const act = useRef((verb, place, key, to) => {
    const old = now.current;
    const index = model.listOf(old, place).findIndex((rule) => rule.key === key);
    const rule = model.listOf(old, place)[index];
    if (verb === "change") setEditing({ place, index, settings: rule.settings });
    else if (verb === "below") setEditing({ place, index: index + 1 });
    else if (verb === "remove") {
      setDraft(model.without(old, place, index));
      const next = model.listOf(old, place)[index + 1] ?? model.listOf(old, place)[index - 1];
      if (next) setFocus({ key: next.key });
    } else if (verb === "switch") setDraft(model.withSettings(old, place, index, { ...rule.settings, disabled: !rule.settings.disabled }));
    else {
      const target = verb === "up" ? index - 1 : verb === "down" ? index + 1 : model.listOf(old, place).findIndex((each) => each.key === to);
      if (target < 0 || target >= model.listOf(old, place).length) return;
      setDraft(model.moved(old, place, index, target));
      setFocus({ key });
    }
  }).current;

  const discard = async () => {
    setError(null);
    setDraft(model.begin(await get("/routes").catch(() => draft.base)));
  };
  const save = async (what = draft) => {
    setBusy(true);
    setError(null);
    try {
      const before = what.base.revision;
      const saved = await put({ lists: model.changed(what) }, before);
      setDraft(model.begin(saved));
      const undo = () => call("POST", `/config/revisions/${before}/revert`, { revision: saved.revision }).then(discard).then(() => toast("Taken back."), (problem) => toast(problem.message, { kind: "error" }));
      toast("Saved.", { undo });
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      if (problem.status !== 409) return setError(problem);
      const theirs = await get("/routes");
      const merged = model.rebased(what, theirs);
      if (merged) return save(merged);
      setClash({ what, theirs });
    } finally {
      setBusy(false);
    }
  };
  const account = chosen?.level === "account" && accounts.find(({ id }) => id === chosen.owner);
  const theirDomains = chosen && (account ? new Set(account.addresses.map(({ address }) => address.split("@").at(-1))) : new Set([chosen.owner]));
  const places = chosen && [chosen, ...draft.lists.filter((list) => list.level === "domain" && list.rules.length && theirDomains.has(list.owner) && !model.same(list, chosen)).map(({ level, owner }) => ({ level, owner }))];
  const addAt = chosen ?? model.SERVER;
  const add = () => setEditing({ place: addAt, index: model.listOf(draft, addAt).length, choose: true });
  const adder = html`<${Button} kind="primary" icon="plus" onClick=${add}>Add a route</${Button}>`;
  return html`${!inside && html`<${Title} intro=${INTRO} actions=${adder}>Routes</${Title}>`}
    <div class="with-tester"><div class="routes">
      ${inside ? html`<div class="buttons start">${adder}</div>` : owners.length > 0 && html`<div class="filters"><select aria-label="Show" value=${chosen ? scope : ""} onChange=${(event) => (location.hash = event.target.value ? `/routes/${event.target.value}` : "/routes")}>
        <option value="">All routes</option>${owners.map((place) => html`<option value=${idOf(place)}>${nameOf(place)}</option>`)}</select></div>`}
      ${model.groups(draft, places).map((group) => html`<${Group} key=${idOf(group)} group=${group} act=${act} />`)}
      <div class="route otherwise"><${Icon} name="send" /><div><b>Otherwise: deliver directly</b><small>To the server that the recipient's domain names in the DNS.</small></div></div>
      ${error && html`<${Failure} error=${error} />`}
      ${many > 0 && html`<div class="save-bar selection" role="group" aria-label="Draft"><b role="status">${model.changesText(draft)}</b>
        <${Button} onClick=${discard}>Discard</${Button}><${Button} kind="primary" icon="device-floppy" busy=${busy} onClick=${() => save()}>Save order and rules</${Button}></div>`}
    </div>
    <${Tester} key=${scope} lists=${lists} accounts=${accounts} scope=${chosen} /></div>
    ${editing && html`<${RouteDialog} spec=${spec} draft=${draft} ...${editing} owners=${owners} onClose=${() => setEditing(null)} onDone=${(next, key) => (setEditing(null), setDraft(next), setTimeout(() => setFocus({ key })))} />`}
    ${clash && html`<${Dialog} title="Somebody else has changed these routes in the meantime" onClose=${() => setClash(null)}>
      <p>Which ones are to hold? The others can be found in the list of changes of the settings.</p>
      <div class="buttons"><${Button} onClick=${() => setClash(null)}>Back to the draft</${Button}><${Button} onClick=${() => (setClash(null), setDraft(model.begin(clash.theirs)))}>Take theirs</${Button}>
      <${Button} kind="primary" onClick=${() => (setClash(null), save(model.forced(clash.what, clash.theirs)))}>Save mine</${Button}></div></${Dialog}>`}`;
}

function Group({ group, act }) {
  const { level, owner, rules } = group;
  const title = owner ? `${model.TITLES[level]} · ${owner}` : model.TITLES[level];
  return html`<section aria-label=${title}><header><h2>${title}</h2><small>${rules.length ? model.NOTES[level] : "none"}</small></header>
    <ol>${rules.map((rule, at) => html`<${Rule} key=${rule.key} rule=${rule} level=${level} owner=${owner} position=${at + 1} last=${at === rules.length - 1} act=${act} />`)}</ol></section>`;
}

let dragged = null;

function Rule({ rule, level, owner, position, last, act }) {
  return useMemo(() => {
    const place = { level, owner };
    const { settings, sentence, warning, hits, key } = rule;
    const name = `route ${position}`;
    const go = (verb) => () => act(verb, place, key);
    const keys = (event) => {
      const verb = event.altKey && { ArrowUp: "up", ArrowDown: "down" }[event.key];
      const own = event.target === event.currentTarget && { Enter: "change", " ": "switch", Delete: "remove", Insert: "below" }[event.key];
      if (!verb && !own) return;
      event.preventDefault();
      act(verb || own, place, key);
    };
    const mine = () => dragged && model.same(dragged.place, place) && dragged.key !== key;
    const over = (event) => mine() && (event.preventDefault(), event.currentTarget.classList.add("target"));
    const out = (event) => event.currentTarget.classList.remove("target");
    const drop = (event) => {
      out(event);
      if (!mine()) return;
      event.preventDefault();
      act("to", place, dragged.key, key);
    };
    const start = (event) => {
      dragged = { place, key };
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", String(key));
    };
    return html`<li id=${`route-${key}`} class=${settings.disabled ? "route off" : "route"} tabindex="0" draggable="true" aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown"
      onKeyDown=${keys} onDragStart=${start} onDragEnd=${() => (dragged = null)} onDragOver=${over} onDragLeave=${out} onDrop=${drop}>
      <i class="grip" aria-hidden="true"></i><b class="muted">${position}</b>
      <div class="grow"><p>${sentence ? sentence.split("**").map((part, at) => (at % 2 ? html`<b>${part}</b>` : part)) : "…"}</p>
        ${settings.disabled && html`<small>Switched off.</small>`}
        ${Boolean(warning) && html`<small class="warns"><${Icon} name="alert-triangle" />Never matches: ${warning}.</small>`}
        ${Boolean(settings.comment) && html`<small>${settings.comment}</small>`}
        <span class="tools">
          <button type="button" class="copy" aria-label=${`Move ${name} up`} disabled=${position === 1} onClick=${go("up")}><${Icon} name="arrow-up" /></button>
          <button type="button" class="copy" aria-label=${`Move ${name} down`} disabled=${last} onClick=${go("down")}><${Icon} name="arrow-down" /></button>
          <button type="button" class="copy" aria-label=${`Change ${name}`} onClick=${go("change")}>Change</button>
          <button type="button" class="copy" aria-label=${`Add a route below ${name}`} onClick=${go("below")}><${Icon} name="plus" />Below</button>
          <button type="button" class="copy danger" aria-label=${`Remove ${name}`} onClick=${go("remove")}><${Icon} name="trash" /></button>
          <small class="hits">${number(hits)} in 30 days</small></span></div>
      <input type="checkbox" role="switch" aria-label=${`${name[0].toUpperCase()}${name.slice(1)} in use`} checked=${!settings.disabled} onChange=${go("switch")} /></li>`;
  }, [rule, level, owner, position, last]);
}

/** One route as a form; the server looks at it before the dialog closes. */
function RouteDialog({ spec, draft, place: given, index: at, settings, choose, owners, onClose, onDone }) {
  const fields = spec.fields[0].item.fields;
  const [values, setValues] = useState(() => ({ ...beginAll(fields), ...settings }));
  const [place, setPlace] = useState(given);
  const [faults, setFaults] = useState([]);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const index = model.same(place, given) ? at : model.listOf(draft, place).length;
  const submit = async (event) => {
    event.preventDefault();
    setFaults([]);
    setError(null);
    const made = { ...values, minimum_attempts: values.minimum_attempts ?? 0 };
    if (!Number.isInteger(made.minimum_attempts) || made.minimum_attempts < 0 || made.minimum_attempts > 100) return setFaults([{ path: "/minimum_attempts", message: "Enter a number from 0 to 100." }]);
    if (!made.transport) return setFaults([{ path: "/transport", message: "Choose a transport." }]);
    const next = settings ? model.withSettings(draft, place, index, made) : model.withNew(draft, place, index, made);
    setBusy(true);
    try {
      const told = await put({ lists: model.changed(next), dry_run: true }, draft.base.revision);
      onDone(model.withTold(next, told), model.listOf(next, place)[index].key);
    } catch (problem) {
      const found = (problem.issues ?? []).map((issue) => ({ ...issue, path: model.faultPath(place, index, issue.path) }));
      setFaults(found.filter((issue) => issue.path));
      if (!found.length || found.some((issue) => !issue.path)) setError(problem);
      setBusy(false);
    }
  };
  const form = { values, set: (path, value) => setValues((old) => withValue(old, path, value)), faults, isNew: !settings };
  return html`<${Dialog} title=${settings ? "Change the route" : "Add a route"} onClose=${onClose}><form class="spec" novalidate onSubmit=${submit}>
    ${choose && html`<div class="field"><label for="whose">Whose mail</label><select id="whose" aria-describedby="whose-help" autofocus value=${idOf(place)} onChange=${(event) => setPlace([model.SERVER, ...owners].find((each) => idOf(each) === event.target.value))}>
      ${[model.SERVER, ...owners].map((each) => html`<option value=${idOf(each)}>${nameOf(each)}</option>`)}</select><small id="whose-help">Routes of accounts are looked at first, those of the server last.</small></div>`}
    <div class="fields"><${Fields} fields=${fields} form=${form} /></div>
    ${error && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} kind="primary" type="submit" busy=${busy}>${settings ? "Change the draft" : "Add to the draft"}</${Button}></div></form></${Dialog}>`;
}
