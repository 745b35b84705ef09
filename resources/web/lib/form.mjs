// A form that the server describes: read, edited as a draft that outlives the page, tried, saved, merged on conflict.
import { html, useEffect, useRef, useState } from "./view.mjs";
import { ApiError, call, get, seg } from "./api.mjs";
import { holds } from "./conditions.mjs";
import { Fields } from "./controls.mjs";
import { beginAll, brief, equal, merge, withValue } from "./values.mjs";
import { Banner, Button, Card, Confirm, Dialog, Failure, Loaded, useDebounced, useLoad } from "./parts.mjs";
import { listen } from "./events.mjs";
import { toast } from "./toast.mjs";

const TRY_MS = 700;
const specs = new Map();
const drafts = new Map(); // by form and key: what was typed, and on what it is based

export const getSpec = async (id) => {
  if (!specs.has(id)) specs.set(id, get(`/ui/specs/${seg(id)}`));
  return specs.get(id).catch((error) => (specs.delete(id), Promise.reject(error)));
};

addEventListener("beforeunload", (event) => drafts.size > 0 && event.preventDefault());

const valuesPath = (id, name) => `/forms/${seg(id)}/${seg(name || "-")}`;
const escape = (text, values, name) => text.replace(/\{(\w+)\}/g, (_, key) => (key === "key" ? name : (values[key] ?? "")));
/** The texts of an action's body, filled in. */
function filled(body, values, name) {
  if (typeof body === "string") {
    const whole = /^\{(\w+)\}$/.exec(body)?.[1];
    return whole in values ? values[whole] : escape(body, values, name);
  }
  if (Array.isArray(body)) return body.map((each) => filled(each, values, name));
  if (body === null || typeof body !== "object") return body;
  return Object.fromEntries(Object.entries(body).map(([key, each]) => [key, filled(each, values, name)]));
}

/**
 * `name`: the key of the thing that is edited, empty for a new one or when there is only one.
 * `onSaved(saved)` is called after a save. `start`: values that a new one begins with.
 */
export function SpecForm({ id, name = "", onSaved, onCancel, verb = "Save", start, actions = true }) {
  const loaded = useLoad(async () => ({ spec: await getSpec(id), form: await get(valuesPath(id, name)) }), [], [id, name]);
  return html`<${Loaded} of=${loaded}>${({ spec, form }) => html`<${Editor} key=${`${id}/${name}`} spec=${spec} form=${form} name=${name} reload=${loaded.reload} onSaved=${onSaved} onCancel=${onCancel} verb=${verb} start=${start} actions=${actions} />`}</${Loaded}>`;
}

function Editor({ spec, form, name, reload, onSaved, onCancel, verb, start, actions }) {
  const place = `${spec.id}/${name}`;
  const fresh = () => ({ base: form, values: { ...beginAll(spec.fields), ...form.values, ...(form.exists ? {} : start) } });
  const [draft, setDraft] = useState(() => drafts.get(place) ?? fresh());
  const [faults, setFaults] = useState(form.issues ?? []);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const [clash, setClash] = useState(null);
  const [effects, setEffects] = useState([]);
  const summary = useRef(null);
  const restored = useRef(drafts.has(place)).current;
  const dirty = !equal(draft.values, fresh().values) || (!form.exists && Boolean(start));

  useEffect(() => {
    if (equal(draft.values, draft.base.values)) drafts.delete(place);
    else drafts.set(place, draft);
  }, [draft]);
  // Somebody else has saved: an untouched form follows, a draft finds out at its save.
  useEffect(() => listen((event) => event.topic === "config" && !drafts.has(place) && reload()), [place]);
  useEffect(() => {
    if (!drafts.has(place)) setDraft(fresh());
  }, [form]);

  const tried = useDebounced(draft, TRY_MS);
  useEffect(() => {
    let current = true;
    if (!drafts.has(place)) setEffects([]);
    else send(tried, true).then((saved) => current && setEffects(saved.effects ?? []), () => {});
    return () => (current = false);
  }, [tried]);

  const send = ({ values, base }, dry) => call("PUT", valuesPath(spec.id, name), { body: { values }, query: { dry_run: dry || undefined }, revision: base.revision });
  const set = (path, value) => setDraft((old) => ({ ...old, values: withValue(old.values, path, value) }));
  const discard = () => {
    drafts.delete(place);
    setDraft(fresh());
    setFaults([]);
    setError(null);
    if (onCancel) onCancel();
  };
  const save = async (what = draft) => {
    setBusy(true);
    setError(null);
    setFaults([]);
    try {
      const saved = await send(what, false);
      drafts.delete(place);
      toast(saved.needs_restart ? "Saved. A part of it counts after a restart of the server." : "Saved.");
      if (onSaved) onSaved(saved, what.values);
      reload();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      const conflict = problem.reply.conflict;
      if (problem.status === 409 && conflict) {
        const { values, clashes } = merge(spec.fields, (conflict.base ?? what.base).values, what.values, conflict.theirs.values);
        const next = { base: conflict.theirs, values };
        if (clashes.length === 0) return save(next);
        setClash({ next, clashes });
      } else {
        setFaults(problem.issues);
        setError(problem);
        setTimeout(() => summary.current?.focus());
      }
    } finally {
      setBusy(false);
    }
  };

  const context = { values: draft.values, set, faults, isNew: !form.exists, readonly: busy };
  const sections = spec.layout?.length ? spec.layout : [{ fields: spec.fields.map((field) => field.key) }];
  const named = new Set(sections.flatMap((section) => section.fields));
  const rest = spec.fields.filter((field) => !named.has(field.key));
  const offered = actions ? (spec.actions ?? []).filter((action) => (form.exists || action.unsaved) && holds(action.show_if, draft.values)) : [];
  return html`<form novalidate class="spec" onSubmit=${(event) => (event.preventDefault(), save())}>
    ${restored && dirty && html`<${Banner} icon="history">What you typed before is still here, not saved yet.</${Banner}>`}
    ${error && html`<div class="banner error" role="alert" tabindex="-1" ref=${summary}><div><p>${error.issues.length > 1 ? `${error.issues.length} things need another look:` : "This needs another look:"}</p>
      <ul class="plain">${(error.issues.length ? error.issues : [{ path: "", message: error.message }]).map((issue) => html`<li><${FaultLink} issue=${issue} /></li>`)}</ul></div></div>`}
    ${sections.map((section, index) => {
      const fields = section.fields.map((key) => spec.fields.find((field) => field.key === key)).filter(Boolean);
      if (index === sections.length - 1) fields.push(...rest);
      const inner = html`${section.help && html`<p class="muted">${section.help}</p>`}<${Fields} fields=${fields} form=${context} />`;
      if (!section.collapsed) return html`<${Card} key=${index} title=${section.title} icon=${section.icon}><div class="fields">${inner}</div></${Card}>`;
      const faulty = faults.some((fault) => section.fields.includes(fault.path.split("/")[1]));
      return html`<details class="card" key=${index} open=${faulty || undefined}><summary>${section.title}</summary><div class="fields">${inner}</div></details>`;
    })}
    ${effects.length > 0 && html`<${Card} title="What saving does" icon="info-circle"><ul class="plain">${effects.map((effect) => html`<li>${effect.text}${effect.page && html` <a href=${`#${effect.page}`}>Show</a>`}</li>`)}</ul></${Card}>`}
    <div class="save-bar buttons start">
      <${Button} kind="primary" type="submit" icon="device-floppy" busy=${busy} onClick=${() => save()}>${verb}</${Button}>
      ${(dirty || onCancel) && html`<${Button} onClick=${discard}>${onCancel ? "Cancel" : "Discard"}</${Button}>`}
      ${offered.map((action) => html`<${ActionButton} key=${action.id} action=${action} name=${name} values=${draft.values} onDone=${reload} />`)}
    </div>
    ${clash && html`<${Merge} clash=${clash} onClose=${() => setClash(null)} onSave=${(next) => (setClash(null), setDraft(next), save(next))} />`}
  </form>`;
}

/** Leads to the field, through whatever is folded over it. */
function FaultLink({ issue }) {
  const text = [issue.message, issue.fix].filter(Boolean).join(" ");
  const go = (event) => {
    event.preventDefault();
    let path = issue.path;
    while (path && !document.getElementById(path)) path = path.slice(0, path.lastIndexOf("/"));
    const target = document.getElementById(path);
    for (let up = target?.parentElement; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
    target?.focus();
  };
  return issue.path ? html`<a href="#" onClick=${go}>${text}</a>` : text;
}

function Merge({ clash, onClose, onSave }) {
  const [mine, setMine] = useState(() => new Set(clash.clashes.map((each) => each.key)));
  const flip = (key, keep) => setMine((old) => new Set(keep ? [...old, key] : [...old].filter((each) => each !== key)));
  const done = () => {
    const values = { ...clash.next.values };
    for (const { key, theirs } of clash.clashes) if (!mine.has(key)) values[key] = theirs;
    onSave({ ...clash.next, values });
  };
  return html`<${Dialog} title="Somebody else has changed this in the meantime" onClose=${onClose} wide>
    <p>Everything else is merged. Choose what holds for ${clash.clashes.length === 1 ? "this one" : "these"}:</p>
    ${clash.clashes.map(
      ({ key, label, mine: own, theirs }) => html`<fieldset class="group" key=${key}><legend>${label}</legend><div class="radios">
        <label><input type="radio" name=${key} checked=${mine.has(key)} onChange=${() => flip(key, true)} /><span>Yours<small>${brief(own)}</small></span></label>
        <label><input type="radio" name=${key} checked=${!mine.has(key)} onChange=${() => flip(key, false)} /><span>Theirs<small>${brief(theirs)}</small></span></label></div></fieldset>`,
    )}
    <div class="buttons"><${Button} onClick=${onClose}>Back to the form</${Button}><${Button} kind="primary" onClick=${done}>Save this</${Button}></div>
  </${Dialog}>`;
}

/** One action of a form or a row: goes to a page, or asks and does. */
export function ActionButton({ action, name, values = {}, onDone, quiet = false }) {
  const [asking, setAsking] = useState(false);
  const [report, setReport] = useState(null);
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      const body = action.sends === "values" ? { ...action.body, values } : action.method === "GET" || action.method === "DELETE" ? undefined : filled(action.body ?? {}, values, name);
      const reply = await call(action.method, escape(action.path, values, seg(name)), { body });
      if (action.result === "report") setReport(reply);
      else toast(action.done || `${action.title}: done.`, action.undo && { undo: () => takeBack(action.undo) });
      onDone?.(reply);
    } finally {
      setBusy(false);
    }
  };
  const takeBack = ({ method = "POST", path, body }) =>
    call(method, escape(path, values, seg(name)), { body: method === "DELETE" ? undefined : filled(body ?? {}, values, name) }).catch((error) => toast(error.message, { kind: "error" })).then(() => onDone?.());
  const go = () => (action.confirm ? setAsking(true) : run().catch((error) => toast(error.message, { kind: "error" })));
  const confirm = action.confirm;
  if (action.page) return html`<a class=${quiet ? `copy ${action.kind ?? ""}` : `button ${action.kind ?? ""}`} href=${`#${escape(action.page, values, seg(name))}`}>${action.title}</a>`;
  return html`<${Button} kind=${quiet ? "" : (action.kind ?? "")} icon=${action.icon} busy=${busy} title=${action.help} onClick=${go}>${action.title}</${Button}>
    ${asking && html`<${Confirm} title=${escape(confirm.title, values, name)} verb=${confirm.verb} confirmName=${confirm.type_name ? name : undefined} onYes=${run} onClose=${() => setAsking(false)}>${confirm.text && html`<p>${escape(confirm.text, values, name)}</p>`}</${Confirm}>`}
    ${report && html`<${Dialog} title=${action.title} onClose=${() => setReport(null)} wide><${Report} report=${report} /><div class="buttons"><${Button} onClick=${() => setReport(null)}>Close</${Button}></div></${Dialog}>`}`;
}

/** What a test found: a sentence, its steps, what to do. */
export function Report({ report }) {
  return html`<${Banner} kind=${report.ok ? "ok" : "error"} icon=${report.ok ? "circle-check" : "alert-circle"}>${report.message} ${report.fix}</${Banner}>
    ${report.steps?.length > 0 && html`<ol class="plain">${report.steps.map((step) => html`<li>${step.name}: ${step.text} ${step.ok === true ? "✓" : step.ok === false ? "✕" : ""}</li>`)}</ol>`}
    ${report.excerpt && html`<details><summary>What was said</summary><pre>${report.excerpt}</pre></details>`}`;
}

/** For pages that ask before a draft is lost. */
export const hasDraft = (id, name = "") => drafts.has(`${id}/${name}`);
export { Failure };
