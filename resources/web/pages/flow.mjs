// A wizard that the server leads through: one question per screen, the list of steps at the side, back at any time.
import { html, useEffect, useRef, useState } from "../lib/view.mjs";
import { ApiError, call, get, post, seg } from "../lib/api.mjs";
import { Fields } from "../lib/controls.mjs";
import { beginAll, equal, withValue } from "../lib/values.mjs";
import { Report } from "../lib/form.mjs";
import { Banner, Button, Card, Copy, Failure, Field, Icon, Loaded, Pill, Value, useLoad } from "../lib/parts.mjs";
import { find, match } from "../lib/pages.mjs";
import { toast } from "../lib/toast.mjs";

const TYPES = { "new-domain": "domain", "rotate-keys": "dkim", "new-account": "account", "new-alias": "alias", "new-transport": "transport", "new-route": "route" };
const RESULTS = { ok: ["ok", "check", "fine"], warn: ["warn", "alert-triangle", "look at this"], fail: ["error", "alert-circle", "not yet"], unknown: ["neutral", "help-circle", "could not tell"], running: ["neutral", "clock", "looking …"], skipped: ["neutral", "circle-dashed", "left out"] };
const EFFECTS = { dns: "world", restart: "refresh", secret: "key", note: "info-circle", change: "check" };

/** `#/accounts/new`: begins one, and takes its place in the history. Names in the path and behind a `?` are what it begins with. */
export function StartFlow({ page, id, context: _, ...names }) {
  const [error, setError] = useState(null);
  const asked = Object.fromEntries(new URLSearchParams(location.hash.split("?")[1] ?? ""));
  const start = async () => {
    setError(null);
    try {
      const step = await post("/flows", { type: TYPES[id] ?? id, context: { ...asked, ...names } });
      location.replace(`#/flow/${step.id}`);
    } catch (problem) {
      setError(problem);
    }
  };
  useEffect(() => void start(), []);
  return error
    ? html`<header class="title"><h1 tabindex="-1">${page.title}</h1></header><${Failure} error=${error} retry=${start} />${error.code === "flow.no_domain" && html`<a class="button primary" href="#/domains/new">Add a domain</a>`}`
    : html`<div class="skeleton" role="status" aria-label="Loading"><i></i><i></i></div>`;
}

export function Flow({ id }) {
  const loaded = useLoad(() => get(`/flows/${seg(id)}`), ["flow"], [id]);
  return html`<${Loaded} of=${loaded}>${(step) => html`<${Frame} key=${id} loaded=${step} />`}</${Loaded}>`;
}

function Frame({ loaded }) {
  const [step, setStep] = useState(loaded);
  const [values, setValues] = useState(() => begun(loaded));
  const [busy, setBusy] = useState("");
  const [error, setError] = useState(null);
  const [typed, setTyped] = useState("");
  const heading = useRef(null);
  const summary = useRef(null);
  // What was found out meanwhile; what is being typed stays.
  useEffect(() => {
    if (loaded.step !== step.step) enter(loaded);
    else setStep((old) => ({ ...loaded, issues: old.issues, values: old.values }));
  }, [loaded]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [step.step]);

  const enter = (next) => {
    setStep(next);
    setValues(begun(next));
    setTyped("");
  };
  const send = async (action, more = {}) => {
    setBusy(action === "run" ? more.run : action);
    setError(null);
    try {
      const sends = step.kind === "form" || step.kind === "menu";
      const next = await post(`/flows/${seg(step.id)}`, { action, at: step.step, values: sends ? values : {}, typed, ...more });
      if (next.over) location.hash = step.links?.find((link) => link.primary)?.page ?? "/";
      else if (next.step !== step.step) enter(next);
      else {
        setStep(next);
        if (next.issues?.length) setTimeout(() => (document.getElementById(next.issues[0].path) ?? summary.current)?.focus());
      }
      return next;
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setError(problem);
    } finally {
      setBusy("");
    }
  };
  const later = async () => {
    if (await send("go", { step: step.step })) {
      toast("It is kept. Go on with it from the overview.");
      location.hash = "/";
    }
  };
  const giveUp = async () => {
    await call("DELETE", `/flows/${seg(step.id)}`);
    location.hash = "/";
  };
  // Whoever goes elsewhere finds what was typed when coming back.
  const latest = useRef(null);
  latest.current = { step, values };
  useEffect(() => () => {
    const { step: last, values: typed } = latest.current;
    if (last.kind === "form" && !last.over && !equal(typed, begun(last))) call("POST", `/flows/${seg(last.id)}`, { body: { action: "go", step: last.step, at: last.step, values: typed }, quiet: true }).catch(() => {});
  }, []);
  const set = (path, value) => setValues((old) => withValue(old, path, value));
  const untested = step.issues?.some((issue) => issue.code === "flow.untested");
  const homeless = (step.issues ?? []).filter((issue) => !["form", "menu"].includes(step.kind) || !issue.path || untested);
  const form = { values, set, faults: step.issues ?? [], isNew: true, readonly: Boolean(busy) };
  const done = step.kind === "done";
  return html`<form class="flow" novalidate onSubmit=${(event) => (event.preventDefault(), send("next"))}>
    <aside class="flow-rail">
      <p class="muted">${step.name}</p>
      <ol aria-label="Steps">${step.rail.map((item) => html`<li key=${item.id} class=${item.state} aria-current=${item.state === "current" ? "step" : undefined}>
        <${Icon} name=${item.state === "done" ? "check" : item.state === "current" ? "chevron-right" : "circle-dashed"} label=${item.state === "done" ? "Done" : undefined} />${item.open ? html`<button type="button" class="link" onClick=${() => send("go", { step: item.id })}>${item.title}</button>` : html`<span>${item.title}</span>`}</li>`)}</ol>
      ${step.why && html`<p class="why">${step.why}</p>`}
    </aside>
    <div class="flow-main">
      <header class="title"><div><p class="muted flow-at">${step.name} · step ${step.rail.findIndex((item) => item.state === "current") + 1} of ${step.rail.length}</p><h1 tabindex="-1" ref=${heading}>${step.title}</h1>${step.intro && html`<p class="muted">${step.intro}</p>`}</div></header>
      ${error && html`<${Failure} error=${error} />`}
      ${homeless.length > 0 && html`<div class="banner ${untested ? "warn" : "error"}" role="alert" tabindex="-1" ref=${summary}><${Icon} name="alert-triangle" /><div>${homeless.map((issue) => html`<p>${issue.message} ${issue.fix}</p>`)}</div></div>`}
      <${Body} key=${step.step} step=${step} form=${form} send=${send} busy=${busy} />
      ${step.actions?.length > 0 && html`<div class="buttons start">${step.actions.map((action) => html`<${Button} key=${action.id} icon=${action.icon} busy=${busy === action.id} onClick=${() => send("run", { run: action.id })}>${action.title}</${Button}>`)}</div>`}
      ${step.report && html`<${Report} report=${plain(step.report)} />`}
      ${step.type_name && html`<${Field} label=${`Type ${step.type_name} to confirm`} value=${typed} autocomplete="off" onInput=${(event) => setTyped(event.target.value)} />`}
      <footer class="save-bar buttons start">
        ${step.can_back && html`<${Button} icon="chevron-left" onClick=${() => send("back")}>Back</${Button}>`}
        ${step.primary && html`<${Button} type="submit" kind=${step.danger ? "danger" : "primary"} busy=${busy === "next"}>${step.primary}</${Button}>`}
        ${untested && html`<${Button} onClick=${() => send("next", { anyway: true })}>Go on all the same</${Button}>`}
        ${step.skip && html`<${Button} onClick=${() => send("skip")}>${step.skip}</${Button}>`}
        ${!done && html`<span class="grow"></span><button type="button" class="link" onClick=${later}>Save and continue later</button><button type="button" class="link" onClick=${giveUp}>${step.applied ? "Close the wizard" : "Give up"}</button>`}
      </footer>
    </div>
  </form>`;
}

const begun = (step) => ({ ...beginAll(step.fields), ...step.values });
const plain = (report) => ({ ...report, steps: report.steps?.map((each) => ({ name: each.title, text: each.text, ok: { ok: true, fail: false }[each.result] })) });

function Body({ step, form, send, busy }) {
  if (step.kind === "form") return html`<${Form} step=${step} form=${form} />`;
  if (step.kind === "menu") return html`<${Menu} step=${step} form=${form} />`;
  if (step.kind === "checks") return html`<${Checks} step=${step} />`;
  if (step.kind === "review") return html`<${Review} step=${step} send=${send} busy=${busy} />`;
  if (step.kind === "page") return html`<${Inner} path=${step.page} />`;
  if (step.kind === "done") return html`<${Done} step=${step} />`;
  return null;
}

function Form({ step, form }) {
  const sections = step.layout?.length ? step.layout : [{ fields: step.fields.map((field) => field.key) }];
  return sections.map((section, index) => {
    const fields = section.fields.map((key) => step.fields.find((field) => field.key === key)).filter(Boolean);
    const inner = html`${section.help && html`<p class="muted">${section.help}</p>`}<${Fields} fields=${fields} form=${form} />`;
    if (!section.collapsed) return html`<${Card} key=${index} title=${section.title}><div class="fields">${inner}</div></${Card}>`;
    const faulty = form.faults.some((fault) => section.fields.includes(fault.path.split("/")[1]));
    return html`<details class="card" key=${index} open=${faulty || undefined}><summary>${section.title}</summary><div class="fields">${inner}</div></details>`;
  });
}

function Menu({ step, form }) {
  return html`<div class="radio-cards" role="radiogroup" aria-label=${step.title}>${step.options.map((option) => html`<label key=${option.value} class=${form.values.choice === option.value ? "chosen" : ""}>
    <input type="radio" name="choice" disabled=${Boolean(option.disabled) || form.readonly} checked=${form.values.choice === option.value} onChange=${() => form.set(["choice"], option.value)} />
    ${option.icon && html`<${Icon} name=${option.icon} />`}<span><b>${option.title}</b> ${option.recommended && html`<${Pill} kind="info">${option.recommended}</${Pill}>`}<small>${option.disabled || option.help}</small></span></label>`)}</div>`;
}

function Checks({ step }) {
  return html`${step.verdict && html`<${Banner} kind=${step.checks.some((check) => check.result === "fail") ? "error" : step.checks.some((check) => check.result === "warn") ? "warn" : step.checks.some((check) => check.result === "unknown") ? "info" : "ok"}>${step.verdict}</${Banner}>`}
    <${Card}><ul class="checks" aria-live="polite" aria-busy=${step.running}>${step.checks.map((check) => {
      const [kind, icon, word] = RESULTS[check.result];
      return html`<li key=${check.id} data-result=${check.result}><div class="step"><div class="grow"><b>${check.title}</b>${check.text && html`<p>${check.text}</p>`}${check.fix && html`<p class="muted">${check.fix}</p>`}</div><${Pill} kind=${kind} icon=${icon}>${word}</${Pill}></div>
        ${check.expected && html`<div class="with-button"><code class="grow">${check.expected}</code><${Copy} value=${check.expected} label=${check.title} /></div>`}</li>`;
    })}</ul></${Card}>`;
}

function Review({ step, send, busy }) {
  return html`<${Card}><dl class="review">${step.rows.map((row) => html`<div key=${row.label}><dt>${row.label}</dt><dd>${row.value}</dd>${row.step && html`<button type="button" class="link" disabled=${Boolean(busy)} aria-label=${`Change ${row.label}`} onClick=${() => send("go", { step: row.step })}>Change</button>`}</div>`)}</dl></${Card}>
    ${step.effects?.length > 0 && html`<${Card} title="What happens then"><ul class="effects">${step.effects.map((effect) => html`<li key=${effect.text}><${Icon} name=${EFFECTS[effect.kind ?? "change"]} /><span>${effect.text}</span></li>`)}</ul></${Card}>`}`;
}

/** A page of its own inside the frame of the wizard. */
function Inner({ path }) {
  if (match(path)?.rest !== "") return html`<${Card}><p><a href=${`#${path}`}>Open it</a></p></${Card}>`;
  const { page, parameters, key } = find(path);
  return html`<div class="inner" key=${key}><${page.view} ...${parameters} /></div>`;
}

function Done({ step }) {
  return html`${step.secrets?.map((secret) => html`<${Card} key=${secret.label}><${Value} label=${secret.label} value=${secret.value} help=${secret.help} /></${Card}>`)}
    <${Card}><ul class="next">${step.links.map((link) => html`<li key=${link.page}><${Icon} name=${link.icon || "chevron-right"} /><div><a href=${`#${link.page}`}>${link.title}</a>${link.help && html`<small>${link.help}</small>`}</div></li>`)}</ul></${Card}>`;
}
