// The tabs of a thing, as the list of pages has them, and its heading.
import { html, useEffect, useRef } from "./view.mjs";
import { seg } from "./api.mjs";
import { ActionButton, getSpec } from "./form.mjs";
import { Icon, useLoad } from "./parts.mjs";
import { PAGES } from "./registry.mjs";

const thingOf = (page) => page.path.split("}")[0];

/** `page`: the id of the one that is open; `name`: of the thing. */
export function Tabs({ page, name, label }) {
  const open = PAGES.find((each) => each.id === page);
  const tabs = PAGES.filter((each) => each.tab && thingOf(each) === thingOf(open));
  const row = useRef(null);
  // On a phone the row is wider than the screen: the open tab is to be seen.
  useEffect(() => {
    const here = row.current.querySelector("[aria-current]");
    row.current.scrollLeft = here ? here.offsetLeft - (row.current.clientWidth - here.clientWidth) / 2 : 0;
  }, [page]);
  return html`<nav class="tabs" aria-label=${label} ref=${row}>${tabs.map(
    (each) => html`<a key=${each.id} href=${`#${each.path.replace(/\{\w+\}/, seg(name))}`} aria-current=${each.id === page ? "page" : undefined}>${each.tab}</a>`,
  )}</nav>`;
}

const MARKS = { required: ["error", "alert-circle"], recommended: ["warn", "alert-triangle"], optional: ["info", "info-circle"] };

/** What is still to do, the most urgent first. */
export function Steps({ items }) {
  if (!items.length) return null;
  return html`<section class="card"><header><h2>What is still to do</h2></header><ul class="rows to-do">${items.map(
    (step) => html`<li key=${step.id}><span class=${`mark ${MARKS[step.severity][0]}`}><${Icon} name=${MARKS[step.severity][1]} label=${step.severity} /></span>
      <span class="grow"><b>${step.title}${step.severity === "optional" && " (optional)"}</b><small>${step.text}</small></span>
      <span><a class=${`button ${step.severity === "required" ? "primary" : ""}`} href=${`#${step.page}`}>${step.verb}</a></span></li>`,
  )}</ul></section>`;
}

/** One action of a form's specification on a thing, with what it means in words. */
export function ActionCard({ form, action, name, title, text, onDone }) {
  const spec = useLoad(() => getSpec(form), [], [form]);
  const found = spec.value?.actions.find((each) => each.id === action);
  return html`<section class="card"><header><h2>${title}</h2></header><div class="step"><p class="muted grow">${text}</p>${found && html`<${ActionButton} action=${found} name=${name} onDone=${onDone} />`}</div></section>`;
}

/** A share of a whole; its colour says that it gets tight. */
export function Bar({ used, limit, label }) {
  if (!limit) return null;
  const share = Math.min(1, used / limit);
  return html`<meter class="bar-of" min="0" max="1" high="0.9" optimum="0" value=${share} aria-label=${label}>${Math.round(share * 100)} %</meter>`;
}
