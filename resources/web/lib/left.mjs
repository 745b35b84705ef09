// Wizards that were left half-way, on the overview and on the lists that they belong to.
import { html } from "./view.mjs";
import { get } from "./api.mjs";
import { Ago, Card, useLoad } from "./parts.mjs";

/** `types`: of which kinds; all when left out. Nothing is drawn when there is none. */
export function LeftFlows({ types }) {
  const found = useLoad(() => get("/flows"), ["flow"]);
  const items = (found.value?.items ?? []).filter((item) => !types || types.includes(item.type)).slice(0, 5);
  if (!items.length) return null;
  return html`<${Card} title="Go on with" icon="history"><ul class="next">${items.map((item) => html`<li key=${item.id}><div><a href=${`#/flow/${item.id}`}>${item.name}${item.about && `: ${item.about}`}</a><small>You stopped at “${item.step_title}”, <${Ago} at=${item.at} /></small></div></li>`)}</ul></${Card}>`;
}
