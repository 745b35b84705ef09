import { html } from "../lib/view.mjs";
import { Empty, Title } from "../lib/parts.mjs";

export function Missing({ path }) {
  return html`<${Title}>Not found</${Title}>
    <${Empty} icon="help-circle" text=${`There is no page “${path}”.`}><a href="#/">To the overview</a></${Empty}>`;
}
