// What differs between two texts, as the server compares them: marks, colours, and inside of a line the pieces.
import { html } from "./view.mjs";
import { Button, Dialog, Failure } from "./parts.mjs";
import { number } from "./format.mjs";

const MARKS = { same: " ", removed: "−", added: "+", gap: "⋯" };
const TAGS = { removed: "del", added: "ins" };
const SHOWN_EFFECTS = 12;

export function Diff({ files }) {
  if (!files.length) return html`<p class="muted">The texts are the same.</p>`;
  return html`<div class="diff" role="region" tabindex="0" aria-label="What changes">${files.map(
    (file) => html`<h3 key=${file.file}>${file.file}</h3><pre>${file.lines.map((line) => html`<${Line} line=${line} />`)}</pre>
      ${file.left_out > 0 && html`<p class="muted">and ${number(file.left_out)} more lines</p>`}`,
  )}</div>`;
}

function Line({ line }) {
  const tag = TAGS[line.kind];
  const parts = line.parts ?? [];
  return html`<span class=${line.kind}><i aria-hidden="true">${String(line.kind === "gap" ? "" : line.new || line.old).padStart(4)}</i> <b>${MARKS[line.kind]}</b> ${parts.map((part) => (part.changed && tag ? html`<${tag}>${part.text}</${tag}>` : part.text))}${"\n"}</span>`;
}

export function Effects({ of }) {
  const said = of.effects?.length ? of.effects : ["Nothing changes but the text itself."];
  return html`<ul class="plain">${said.slice(0, SHOWN_EFFECTS).map((effect) => html`<li>${effect}</li>`)}
    ${said.length > SHOWN_EFFECTS && html`<li>And ${number(said.length - SHOWN_EFFECTS)} more.</li>`}
    ${of.needs_restart && html`<li><b>A part of it holds after a restart of the server.</b></li>`}</ul>`;
}

/** Shows what a change of the settings would do, in words and in lines, before it is made. */
export function Ask({ title, found, verb, note, busy, error, onYes, onClose }) {
  return html`<${Dialog} wide title=${title} onClose=${onClose}>
    <${Effects} of=${found} /><${Diff} files=${found.files ?? []} />
    ${note && html`<p class="muted">${note}</p>`}
    ${error && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} kind="primary" autofocus busy=${busy} onClick=${onYes}>${verb}</${Button}></div>
  </${Dialog}>`;
}
