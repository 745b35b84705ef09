import { html, useRef, useState } from "../lib/view.mjs";
import { call, get } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Confirm, Dialog, Empty, Failure, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";
import { count } from "../lib/format.mjs";

const SHOWN_CHANGES = 30;
const SEVERITY = { error: "", warning: "Warning: ", info: "Note: " };

// What is typed outlives the page: going elsewhere to look something up loses nothing.
const drafts = { base: 0, files: {} };
const isDirty = () => Object.keys(drafts.files).length > 0;
addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());

export function Settings() {
  const config = useLoad(() => get("/config"), ["config"]);
  return html`<${Title} intro="Everything as text, checked before it holds, and every change with its way back.">Settings</${Title}>
    <${Loaded} of=${config}>${(value) => html`<${Files} config=${value} reload=${config.reload} />`}</${Loaded}>
    <${Revisions} />`;
}

function Files({ config, reload }) {
  const names = Object.keys(config.files);
  const [name, setName] = useState(names.includes("domains.toml") ? "domains.toml" : names[0]);
  const [, redraw] = useState(0);
  const [checked, setChecked] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const area = useRef(null);
  const changed = names.filter((each) => each in drafts.files);
  const behind = changed.length > 0 && drafts.base !== config.revision;

  const edit = (event) => {
    if (!isDirty()) drafts.base = config.revision;
    if (event.target.value === config.files[name]) delete drafts.files[name];
    else drafts.files[name] = event.target.value;
    setChecked(null);
    redraw((n) => n + 1);
  };
  const discard = () => {
    drafts.files = {};
    setChecked(null);
    setError(null);
    redraw((n) => n + 1);
  };
  const run = async (action) => {
    setBusy(true);
    setError(null);
    setChecked(null);
    try {
      await action();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const check = () => run(async () => setChecked(await call("POST", "/config/check", { body: { files: drafts.files } })));
  const apply = () =>
    run(async () => {
      const applied = await call("PUT", "/config", { body: { files: drafts.files }, revision: drafts.base });
      drafts.files = {};
      toast(applied.needs_restart ? "Saved. A part of it holds after a restart of the server." : "Saved, and in force.");
      reload();
    });
  /** Marks the line that a fault names. */
  const goTo = ({ file, line }) => {
    setName(file);
    setTimeout(() => {
      const lines = area.current.value.split("\n");
      const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
      area.current.focus();
      area.current.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
      area.current.scrollTop = (area.current.scrollHeight / lines.length) * Math.max(0, line - 5);
    });
  };
  const refused = error?.issues?.length ? error.issues : null;
  const problems = refused ?? checked?.problems ?? [];
  const stands = checked && !checked.problems.some((problem) => problem.severity === "error");
  return html`<${Card} title="Files" icon="settings">
    <div class="tabs" role="group" aria-label="File">${names.map((each) => html`<button type="button" key=${each} aria-pressed=${String(each === name)} onClick=${() => setName(each)}>${each}${changed.includes(each) && html`<span class="muted"> (changed)</span>`}</button>`)}</div>
    <textarea class="code" rows="20" spellcheck="false" autocapitalize="none" ref=${area} aria-label=${`Text of ${name}`} value=${drafts.files[name] ?? config.files[name]} onInput=${edit}></textarea>
    ${behind && html`<${Banner} kind="warn" icon="alert-triangle" action=${html`<${Button} onClick=${discard}>Take the new text</${Button}>`}>The settings were changed elsewhere meanwhile (change ${config.revision}). Copy what you typed, then take the new text: saving yours would undo that change.</${Banner}>`}
    ${problems.length > 0 && html`<ul class="faults" role="alert">${problems.map((problem) => html`<li>
      ${problem.file && (problem.line ? html`<button type="button" class="link" onClick=${() => goTo(problem)}>${problem.file}, line ${problem.line}</button>` : html`<code>${problem.file}</code>`)} ${problem.path && html`<code>${problem.path}</code>`}
      <span>${SEVERITY[problem.severity]}${problem.message}</span> ${problem.fix}</li>`)}</ul>`}
    ${error && !refused && html`<${Failure} error=${error} />`}
    ${stands && html`<${Banner} kind="ok" icon="check">No fault found. ${checked.effects.join(" ")} ${checked.needs_restart && "A part of it needs a restart of the server."}</${Banner}>`}
    <div class="buttons start">
      <${Button} kind="primary" icon="device-floppy" busy=${busy} disabled=${!changed.length || behind} onClick=${apply}>Save and apply</${Button}>
      <${Button} icon="check" busy=${busy} disabled=${!changed.length} onClick=${check}>Check</${Button}>
      <${Button} disabled=${!changed.length} onClick=${discard}>Discard</${Button}>
    </div>
  </${Card}>`;
}

function Revisions() {
  const list = useLoad(() => get("/config/revisions"), ["config"]);
  const [shown, setShown] = useState(null);
  const [reverting, setReverting] = useState(null);
  const show = async (number) => {
    try {
      setShown(await get(`/config/revisions/${number}/diff`));
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
  };
  return html`<${Card} title="Changes" icon="history"><${Loaded} of=${list}>${({ items, current }) =>
      items.length === 0
        ? html`<${Empty} icon="history" text="No change yet." />`
        : html`<ul class="rows changes">${items.slice(0, SHOWN_CHANGES).map(
            (item) => html`<li key=${item.number}><span class="grow"><b>${item.number}. ${item.summary || "Change"}</b><small>${item.author} · <${Ago} at=${item.at} />${item.number === current && " · holds now"}</small></span>
              <button type="button" class="link" aria-label=${`What change ${item.number} did`} onClick=${() => show(item.number)}>What changed</button>
              ${item.number !== current && html`<button type="button" class="link" aria-label=${`Go back to change ${item.number}`} onClick=${() => setReverting(item)}>Go back to this</button>`}</li>`,
          )}</ul>${items.length > SHOWN_CHANGES && html`<p class="muted">${count(items.length - SHOWN_CHANGES, "older change")} not shown.</p>`}`}
    </${Loaded}>
    ${shown && html`<${Diff} of=${shown} onClose=${() => setShown(null)} />`}
    ${reverting &&
    html`<${Confirm} title=${`Go back to the settings of change ${reverting.number}?`} verb="Go back" keep="Stay" onClose=${() => setReverting(null)}
      onYes=${async () => { await call("POST", `/config/revisions/${reverting.number}/revert`, { revision: list.value.current }); toast("The old settings hold again."); }}>
      <p>That is a change of its own: you can come back from it too. Mail is not touched.</p></${Confirm}>`}
  </${Card}>`;
}

function Diff({ of, onClose }) {
  const kind = (line) => (/^(\+\+\+|---|@@)/.test(line) ? "muted" : line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : "");
  return html`<${Dialog} wide title=${`What change ${of.number} did`} onClose=${onClose}>
    <pre class="diff" tabindex="0" aria-label="Difference">${of.diff.trim() ? of.diff.split("\n").map((line) => html`<span class=${kind(line)}>${`${line}\n`}</span>`) : "Nothing: the texts are the same."}</pre>
    <div class="buttons"><${Button} kind="primary" autofocus onClick=${onClose}>Close</${Button}></div></${Dialog}>`;
}
