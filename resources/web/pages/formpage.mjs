// A page that is one form of the settings: what the registry names, drawn from the server's specification.
import { html } from "../lib/view.mjs";
import { SpecForm, getSpec } from "../lib/form.mjs";
import { Icon, Title, useLoad } from "../lib/parts.mjs";
import { PAGES } from "../lib/registry.mjs";

export function FormPage({ page }) {
  const spec = useLoad(() => getSpec(page.form), [], [page.form]);
  const parent = PAGES.find((each) => each.id === page.parent);
  return html`${parent && html`<a class="back" href=${`#${parent.path}`}><${Icon} name="arrow-left" />${parent.title}</a>`}
    <${Title} intro=${spec.value?.help}>${page.title}</${Title}>
    <${SpecForm} id=${page.form} />`;
}

/** The forms below a page, as a list of links. */
export function SubPages({ of }) {
  return html`<ul class="rows">${PAGES.filter((page) => page.parent === of && page.form && !page.path.includes("{")).map(
    (page) => html`<li key=${page.id}><a href=${`#${page.path}`}><${Icon} name=${page.icon} /><span class="grow"><b>${page.title}</b></span><${Icon} name="chevron-right" /></a></li>`,
  )}</ul>`;
}
