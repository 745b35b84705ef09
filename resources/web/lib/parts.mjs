// The small things that every page is made of. Text from outside is only ever put into text nodes.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./view.mjs";
import { ago, dateTime, timeOfDay } from "./format.mjs";

export function Icon({ name, label }) {
  const style = { "--icon": `url("icons/${name}.svg")` };
  return label
    ? html`<span class="icon" style=${style} role="img" aria-label=${label}></span>`
    : html`<span class="icon" style=${style} aria-hidden="true"></span>`;
}

export function Button({ icon, kind = "", busy = false, children, ...rest }) {
  return html`<button type="button" class=${`button ${kind}`} aria-busy=${busy} disabled=${busy} ...${rest}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span>
  </button>`;
}

/** A state as a word, a shape and a colour: ok, warn, error, info, neutral. */
export function Pill({ kind = "neutral", icon, children }) {
  const icons = { ok: "check", warn: "alert-triangle", error: "alert-circle", info: "info-circle", neutral: "clock" };
  return html`<span class=${`pill ${kind}`}><${Icon} name=${icon || icons[kind]} />${children}</span>`;
}

export function Title({ children, intro, actions }) {
  const heading = useRef(null);
  // A change of page is announced by moving the focus to its heading.
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return html`<header class="title">
    <div>
      <h1 tabindex="-1" ref=${heading}>${children}</h1>
      ${intro && html`<p class="muted">${intro}</p>`}
    </div>
    ${actions && html`<div class="actions">${actions}</div>`}
  </header>`;
}

export function Card({ title, icon, actions, children, ...rest }) {
  return html`<section class="card" ...${rest}>
    ${title && html`<header><h2>${icon && html`<${Icon} name=${icon} />`}${title}</h2>${actions}</header>`}
    ${children}
  </section>`;
}

export function Empty({ icon, text, children }) {
  return html`<div class="empty"><${Icon} name=${icon} /><p>${text}</p>${children}</div>`;
}

export function Failure({ error, retry }) {
  return html`<div class="banner error" role="alert">
    <${Icon} name="alert-circle" /><p>${error.message}</p>
    ${retry && html`<${Button} onClick=${retry} icon="refresh">Try again</${Button}>`}
  </div>`;
}

export function Banner({ kind = "info", icon = "info-circle", children, action }) {
  return html`<div class=${`banner ${kind}`} role="status"><${Icon} name=${icon} /><p>${children}</p>${action}</div>`;
}

/** What a page shows of something that is being read: a skeleton after a moment, the failure with a way on, or the thing. */
export function Loaded({ of, children }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200);
    return () => clearTimeout(timer);
  }, []);
  if (of.value !== undefined) {
    return html`${of.error && html`<${Failure} error=${of.error} retry=${of.reload} />`}${children(of.value)}`;
  }
  if (of.error) return html`<${Failure} error=${of.error} retry=${of.reload} />`;
  return late ? html`<div class="skeleton" role="status" aria-label="Loading"><i></i><i></i><i></i></div>` : null;
}

/** Reads something now, when `again` changes, and whenever an event of these topics comes. */
export { useLoad } from "./load.mjs";

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS browsers have no clipboard interface; the old way works everywhere.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "offscreen";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** `value`: the text, or a function that makes it when it is asked for. */
export function Copy({ value, label, text = "Copy" }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await toClipboard(typeof value === "function" ? value() : value);
    setDone(true);
    setTimeout(() => setDone(false), 1500);
  };
  return html`<button type="button" class="copy" onClick=${copy} aria-label=${`Copy ${label}`}>
    <${Icon} name=${done ? "check" : "copy"} /><span aria-live="polite">${done ? "Copied" : text}</span>
  </button>`;
}

/** A value that belongs elsewhere, with its copy button. */
export function Value({ label, value, secret = false, help }) {
  const [shown, setShown] = useState(!secret);
  return html`<div class="value">
    <span class="label">${label}</span>
    <code>${shown ? value : "••••••••••••"}</code>
    ${secret &&
    html`<button type="button" class="copy" onClick=${() => setShown(!shown)} aria-label=${`${shown ? "Hide" : "Show"} ${label}`}>
      <${Icon} name=${shown ? "eye-off" : "eye"} />
    </button>`}
    <${Copy} value=${value} label=${label} />
    ${help && html`<small>${help}</small>`}
  </div>`;
}

let fieldCount = 0;

/** A labelled control: the label above, then the field, its help, its fault. */
export function Field({ label, help, fault, children, optional = false, autofocus = false, ...rest }) {
  const [id] = useState(() => `field-${(fieldCount += 1)}`);
  // The attribute alone counts only for what is there when the page or the dialog opens.
  useEffect(() => {
    if (autofocus) document.getElementById(id)?.focus();
  }, []);
  const described = [help && `${id}-help`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  const shared = { id, "aria-describedby": described, "aria-invalid": fault ? "true" : undefined };
  return html`<div class=${fault ? "field faulty" : "field"}>
    <label for=${id}>${label}${optional && html` <span class="muted">(optional)</span>`}</label>
    ${children ? children(shared) : html`<input ...${shared} ...${rest} />`}
    ${help && html`<small id=${`${id}-help`}>${help}</small>`}
    ${fault && html`<small id=${`${id}-fault`} class="fault"><${Icon} name="alert-circle" />${fault}</small>`}
  </div>`;
}

let dialogCount = 0;

/** A native modal dialog. `onClose` is called for Esc and for its own buttons alike; without it the dialog stays. */
export function Dialog({ title, children, onClose, wide = false }) {
  const element = useRef(null);
  const [id] = useState(() => `dialog-${(dialogCount += 1)}`);
  // Before the browser draws: what is typed next must go into the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog.showModal();
    return () => {
      dialog.close(); // while it is open, nothing behind it takes the focus
      if (before?.isConnected) before.focus();
    };
  }, []);
  const cancel = (event) => {
    if (event.target !== element.current) return;
    event.preventDefault();
    onClose?.();
  };
  // A second Esc closes it without asking: it is opened again unless the page has let it go.
  const closed = () => setTimeout(() => element.current?.isConnected && element.current.showModal());
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} onCancel=${cancel} onClose=${closed} aria-labelledby=${id}>
    <h2 id=${id}>${title}</h2>
    ${children}
  </dialog>`;
}

/**
 * Asks before something that can't be undone. `confirmName`: must be typed in first.
 * The safe button has the focus; the other one says what happens.
 */
export function Confirm({ title, children, verb, keep = "Keep", confirmName, onYes, onClose }) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const go = async () => {
    if (confirmName && typed.trim() !== confirmName) {
      setError(new Error(`Type “${confirmName}” to confirm.`));
      return;
    }
    setBusy(true);
    try {
      await onYes();
      onClose();
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    ${children}
    ${confirmName && html`<${Field} label=${`Type ${confirmName} to confirm`} value=${typed} autocomplete="off" onInput=${(e) => setTyped(e.target.value)} />`}
    ${error && html`<${Failure} error=${error} />`}
    <div class="buttons">
      <${Button} onClick=${onClose} autofocus>${keep}</${Button}>
      <${Button} kind="danger" busy=${busy} onClick=${go}>${verb}</${Button}>
    </div>
  </${Dialog}>`;
}

// kind → tone, icon, word of the state
const STEPS = {
  received: ["info", "arrow-down", "arriving"], checked: ["info", "shield-check", "checked"], accepted: ["ok", "check", "accepted"],
  signed: ["info", "key", "signed"], unsigned: ["warn", "alert-triangle", "not signed"],
  rejected: ["error", "ban", "refused"], delivered: ["ok", "inbox", "delivered"], queued: ["info", "clock", "waiting"],
  attempt: ["info", "send", "sending"], sent: ["ok", "send", "sent"], deferred: ["warn", "clock", "trying again"],
  bounced: ["error", "arrow-back-up", "came back"], held: ["warn", "hand-stop", "on hold"], dropped: ["neutral", "trash", "dropped"], reported: ["info", "inbox", "reported"],
};

export function stepOf(kind) {
  const [tone, icon, word] = STEPS[kind] ?? ["neutral", "circle-dashed", ""];
  return { tone, icon, word };
}

// What the sentence of a step or the head of the page says already; as in the window.
const TOLD = new Set(["direction", "sender", "recipient", "recipients", "account", "mailbox", "session"]);

/** A message's way, step by step, in plain words. */
export function Timeline({ steps }) {
  return html`<ol class="timeline" aria-live="polite">
    ${steps.map((step) => {
      const notes = Object.entries(step.details ?? {}).filter(([name, value]) => value && !TOLD.has(name));
      return html`<li class=${stepOf(step.kind).tone} key=${step.at + step.kind + step.text} data-kind=${step.kind}>
        <${Icon} name=${stepOf(step.kind).icon} />
        <div><p>${step.text || step.kind}</p>
          ${notes.length > 0 && html`<small>${notes.map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`).join(" · ")}</small>`}</div>
        <time datetime=${step.at} title=${dateTime(step.at)}>${timeOfDay(step.at)}</time>
      </li>`;
    })}
  </ol>`;
}

/** One of several, all in view: `entries` are [value, name]. */
export function Chips({ entries, value, onChange, label }) {
  return html`<div class="chips" role="group" aria-label=${label}>${entries.map(
    ([key, name]) => html`<button type="button" class="chip" key=${key} aria-pressed=${String(value === key)} onClick=${() => onChange(key)}>${name}</button>`,
  )}</div>`;
}

/** A time that says how long ago, renewed every ten seconds. */
export function Ago({ at }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
  return at ? html`<time datetime=${at} title=${dateTime(at)}>${ago(at)}</time>` : null;
}

export function useDebounced(value, milliseconds = 250) {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
