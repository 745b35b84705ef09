// What has been checked: groups of lines that open, the difference between what should be and what is, fields to copy. For the DNS of a
// domain and for the health of the server alike.
import { html, useCallback, useEffect, useRef, useState } from "./view.mjs";
import { get, post } from "./api.mjs";
import { listen } from "./events.mjs";
import { Ago, Button, Card, Copy, Icon, Pill } from "./parts.mjs";
import { toast } from "./toast.mjs";

export const TONES = { ok: "ok", warn: "warn", fail: "error", optional: "neutral", unknown: "neutral" };
export const ICONS = { ok: "circle-check", warn: "alert-triangle", fail: "alert-circle", optional: "circle-dashed", unknown: "help-circle" };

const AGAIN_MS = [30_000, 120_000, 600_000]; // while somebody looks
const FRESH_MS = 30_000;

/** What was found last, and checking again: at once when that is old, then ever more seldom while the page is in view. */
export function useChecks(readPath, checkPath, again = []) {
  const [state, setState] = useState({ value: undefined, error: null });
  const [busy, setBusy] = useState(false);
  const alive = useRef(true);
  const step = useRef(0);
  const timer = useRef(0);
  const read = useCallback(async () => {
    try {
      const value = await get(readPath);
      if (alive.current) setState({ value, error: null });
      return value;
    } catch (error) {
      if (alive.current) setState((old) => ({ value: old.value, error }));
      return null;
    }
  }, again);
  const later = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => (document.visibilityState === "visible" ? check() : later()), AGAIN_MS[Math.min(step.current, AGAIN_MS.length - 1)]);
    step.current += 1;
  };
  const check = useCallback(async (only = "") => {
    setBusy(only || true);
    try {
      const value = await post(checkPath, checkPath.startsWith("/health") ? { only } : undefined);
      if (!alive.current) return;
      setState({ value, error: null });
      if (value.news) step.current = 0;
    } catch (error) {
      if (alive.current) setState((old) => ({ value: old.value, error }));
    }
    if (!alive.current) return;
    setBusy(false);
    later();
  }, again);
  useEffect(() => {
    alive.current = true;
    step.current = 0;
    read().then((value) => {
      if (!value || !alive.current || (value.practice_mode && value.domain)) return;
      if (!value.checked_at || Date.now() - new Date(value.checked_at) > FRESH_MS) check();
      else later();
    });
    // Other settings may need other records; the link came back: what was missed is read.
    const stop = listen((event) => (event.topic === "config" ? check() : event.topic === "resync" && read()));
    return () => {
      alive.current = false;
      clearTimeout(timer.current);
      stop();
    };
  }, [read]);
  const now = (only) => {
    step.current = 0;
    check(typeof only === "string" ? only : "");
  };
  return { ...state, reload: read, busy, check: now };
}

/** Verdict, age, what to do with all of it. */
export function Verdict({ of, value, more, children }) {
  return html`<section class="card verdict">
    <div class="step"><span class=${`disc ${TONES[value.state]}`}><${Icon} name=${ICONS[value.state]} /></span>
      <div class="grow"><b>${value.headline}</b>
        <p class="muted">${value.checked_at ? html`Checked <${Ago} at=${value.checked_at} />${value.source && ` ${value.source}`}.` : value.practice_mode && value.domain ? "" : "The first check is running …"}</p></div>
      ${children}</div>
    ${!(value.practice_mode && value.domain) && html`<div class="buttons"><${Button} icon="refresh" kind="primary" busy=${of.busy === true} onClick=${of.check}>${of.busy === true ? "Checking …" : "Check again"}</${Button}>${more}</div>`}
  </section>`;
}

/** The bar that tells what has changed, until it is closed. */
export function News({ value }) {
  const [closed, setClosed] = useState("");
  if (!value.news || closed === value.checked_at) return null;
  return html`<div class="banner ok news" role="status"><${Icon} name="circle-check" /><p>${value.news}</p>
    <button type="button" class="copy" aria-label="Close" onClick=${() => setClosed(value.checked_at)}><${Icon} name="x" /></button></div>`;
}

export function Groups({ of, value, subject }) {
  return value.groups.map((group) => html`<${Group} key=${group.area} of=${of} group=${group} value=${value} subject=${subject} />`);
}

function Group({ of, group, value, subject }) {
  const [all, setAll] = useState(false);
  const rows = value.items.filter((check) => check.area === group.area);
  const row = (check) => html`<${StatusRow} key=${check.id} check=${check} of=${of} provider=${value.provider} subject=${subject} />`;
  return html`<${Card} title=${group.title} actions=${group.total > 0 && html`<${Pill} kind=${TONES[group.state]} icon=${ICONS[group.state]}>${group.progress}</${Pill}>`}>
    <p class="muted">${group.purpose}</p>
    <div class="checklist">${rows.filter((check) => !check.acknowledged).map(row)}
      ${all && rows.filter((check) => check.acknowledged).map(row)}</div>
    ${group.hidden > 0 && html`<button type="button" class="link start" aria-expanded=${String(all)} onClick=${() => setAll(!all)}>${all ? `Hide ${group.hidden} again` : `${group.hidden} hidden`}</button>`}
  </${Card}>`;
}

/** One check: closed a line, open everything about it. */
export function StatusRow({ check, of, provider, subject }) {
  const [open, setOpen] = useState(false);
  const url = subject ? "" : html`<button type="button" class="copy" disabled=${Boolean(of.busy)} onClick=${() => of.check(check.id)}><${Icon} name="refresh" />Check this again</button>`;
  return html`<details class="checkrow" open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary><span class="pillbox"><${Pill} kind=${TONES[check.state]} icon=${ICONS[check.state]}>${check.word}</${Pill}></span>
      <span class="grow"><b>${check.title}</b>${check.type ? html`<code>${check.name}</code>` : html`<small>${check.summary}</small>`}</span>
      ${check.type && html`<span class="type">${check.type}</span>`}<${Icon} name="chevron-down" /></summary>
    ${open && html`<div class="inside">
      ${check.type && html`<p>${check.summary}</p>`}${check.purpose && html`<p class="muted">${check.purpose}</p>`}
      ${check.type && html`<div class="columns sides"><${Side} title="Is now" lines=${check.now} mark="gone" empty="Nothing is there." /><${Side} title="Should be" lines=${check.should} mark="new" empty="Only you know it." /></div>`}
      ${check.fix && html`<div class="fix"><h3>What to do</h3><p>${check.fix.text} ${check.fix.path && html`<a href=${`#${check.fix.path}`}>Open the page</a>`}</p></div>`}
      ${check.entries.length > 0 && html`<${Entries} check=${check} provider=${provider} />`}
      <p><small>${check.how} ${check.worldwide}${check.since && html` First seen like this <${Ago} at=${check.since} />.`}</small></p>
      ${(url || check.state !== "ok" || check.acknowledged) && html`<div class="buttons start">${url}<${Acknowledge} check=${check} of=${of} subject=${subject} /></div>`}
    </div>`}
  </details>`;
}

/** Every line has a sign in front, and what differs is marked within it: never by colour alone. */
function Side({ title, lines, mark, empty }) {
  const sign = mark === "new" ? "+" : "−";
  return html`<div class="side"><h3>${title}</h3>${lines.length
    ? lines.map((line, at) => {
        const differs = line.some((span) => span.mark === mark);
        return html`<div class=${differs ? `diffline ${mark}` : "diffline"} key=${at}><span aria-hidden="true">${differs ? sign : " "}</span><code>${line.map((span) =>
          span.mark === "new" ? html`<ins>${span.text}</ins>` : span.mark === "gone" ? html`<del>${span.text}</del>` : span.text,
        )}</code></div>`;
      })
    : html`<p class="muted">${empty}</p>`}</div>`;
}

function Entries({ check, provider }) {
  return html`<div class="entriesbox"><h3>${check.where}</h3>
    ${check.entries.map(
      (entry, at) => html`<div class="values" key=${at}>${entry.fields.map(
        ({ label, value }) => html`<div class="value" key=${label}><span class="label">${label}</span>${value ? html`<code>${value}</code><span></span><${Copy} value=${value} label=${label} />` : html`<span class="muted">(leave it empty)</span>`}</div>`,
      )}${entry.note && html`<small>${entry.note}</small>`}</div>`,
    )}
    ${check.state !== "ok" && provider && check.in_zone && html`<details><summary>${provider.name ? `How to do that at ${provider.name}` : "How to do that"}</summary><ol class="steps">${provider.steps.map((step) => html`<li key=${step}>${step}</li>`)}</ol></details>`}
  </div>`;
}

function Acknowledge({ check, of, subject }) {
  const [asking, setAsking] = useState(false);
  const [note, setNote] = useState("");
  const show = async () => {
    await post("/checks/unacknowledge", { subject, id: check.id }).catch((error) => toast(error.message, { kind: "error" }));
    of.reload();
  };
  const hide = async (event) => {
    event.preventDefault();
    try {
      await post("/checks/acknowledge", { subject, id: check.id, note });
      setAsking(false);
      toast(`“${check.title}” is hidden until it changes.`, { undo: show });
    } catch (error) {
      toast(error.message, { kind: "error" });
    }
    of.reload();
  };
  if (check.acknowledged) {
    const { note: said, by, at } = check.acknowledged;
    return html`<p class="grow muted">Hidden by ${by} <${Ago} at=${at} />${said && `: “${said}”`}</p><${Button} icon="eye" onClick=${show}>Show again</${Button}>`;
  }
  if (check.state === "ok") return null;
  if (!asking) return html`<button type="button" class="copy" onClick=${() => setAsking(true)}><${Icon} name="eye-off" />Hide until it changes …</button>`;
  return html`<form class="filters grow" onSubmit=${hide}><input class="filter" aria-label="Note, such as why that is fine" placeholder="Why that is fine (optional)" maxlength="500" value=${note} onInput=${(event) => setNote(event.target.value)} />
    <${Button} type="submit">Hide it</${Button}><${Button} onClick=${() => setAsking(false)}>Cancel</${Button}></form>`;
}
