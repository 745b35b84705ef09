// Short notes at the foot of the page; some with Undo. Whatever waits for its ten seconds is done when the page is left.
import { html, useEffect, useState } from "./view.mjs";
import { Icon } from "./parts.mjs";

const SHOWN_MS = 10_000;
const toasts = new Map();
const watchers = new Set();
let lastId = 0;

function changed() {
  for (const watcher of watchers) watcher([...toasts.values()]);
}

/** `undo` adds a button; `then` is done after ten seconds unless undone. */
export function toast(text, { undo, then, kind = "info" } = {}) {
  const id = (lastId += 1);
  const end = (undone) => {
    const entry = toasts.get(id);
    if (!entry) return;
    clearTimeout(entry.timer);
    toasts.delete(id);
    changed();
    if (undone) undo?.();
    else then?.();
  };
  toasts.set(id, { id, text, kind, canUndo: Boolean(undo), end, timer: setTimeout(() => end(false), SHOWN_MS) });
  changed();
}

addEventListener("pagehide", () => {
  for (const entry of [...toasts.values()]) entry.end(false);
});

export function Toasts() {
  const [shown, setShown] = useState([]);
  useEffect(() => {
    watchers.add(setShown);
    return () => watchers.delete(setShown);
  }, []);
  return html`<div class="toasts" role="status" aria-live="polite">
    ${shown.map(
      (entry) => html`<div class=${`toast ${entry.kind}`} key=${entry.id}>
        <p>${entry.text}</p>
        ${entry.canUndo && html`<button type="button" class="link" onClick=${() => entry.end(true)}>Undo</button>`}
        <button type="button" class="copy" aria-label="Close" onClick=${() => entry.end(false)}><${Icon} name="x" /></button>
      </div>`,
    )}
  </div>`;
}
