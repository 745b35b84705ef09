// Is the server itself well?
import { html } from "../lib/view.mjs";
import { Loaded, Title } from "../lib/parts.mjs";
import { Groups, News, Verdict, useChecks } from "../lib/checks.mjs";

export function Health() {
  const checks = useChecks("/health", "/health/check");
  return html`<${Title} intro="Looks at what the server needs, and says what to do where something is missing.">Checks</${Title}>
    <${Loaded} of=${checks}>${(value) => html`<${Verdict} of=${checks} value=${value} />
      <${News} value=${value} />
      <${Groups} of=${checks} value=${value} subject="" />`}</${Loaded}>`;
}
