import { html, useEffect, useRef, useState } from "../lib/view.mjs";
import { call, get } from "../lib/api.mjs";
import { Banner, Button, Card, Failure, Icon, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { Ask, Diff, Effects } from "../lib/diff.mjs";
import { toast } from "../lib/toast.mjs";

const SEVERITY = { error: "", warning: "Warning: ", info: "Note: " };

// What is typed outlives the page: going elsewhere to look something up loses nothing. As `ui/presenters/drafts.py`.
const drafts = { base: 0, began: {}, files: {}, behind: false };
const isDirty = () => Object.keys(drafts.files).length > 0;
addEventListener("beforeunload", (event) => isDirty() && event.preventDefault());

function beginFrom(config) {
  Object.assign(drafts, { base: config.revision, began: config.files, behind: false });
}

/** The settings that hold, read anew. Only a change of a file that is being written here stands in the way. */
function meet(config) {
  if (!isDirty() || config.revision === drafts.base) {
    drafts.behind = false;
    if (!isDirty()) beginFrom(config);
  } else if (Object.keys(drafts.files).some((name) => config.files[name] !== drafts.began[name])) drafts.behind = true;
  else beginFrom(config);
}

export function Settings() {
  const config = useLoad(() => get("/config"), ["config"]);
  return html`<${Title} intro="Everything as text, checked before it holds. Passwords are kept elsewhere and are not in it."
      actions=${html`<a class="button" href="#/settings/revisions"><${Icon} name="history" /><span>Changes of the settings</span></a><a class="button" href="#/settings/postmaster"><${Icon} name="user" /><span>Postmaster</span></a>`}>Settings</${Title}>
    <${Loaded} of=${config}>${(value) => html`<${Files} config=${value} reload=${config.reload} />`}</${Loaded}>`;
}

function Files({ config, reload }) {
  const names = Object.keys(config.files);
  const [name, setName] = useState(names.includes("domains.toml") ? "domains.toml" : names[0]);
  const [, redraw] = useState(0);
  const [checked, setChecked] = useState(null);
  const [asking, setAsking] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const area = useRef(null);
  meet(config);
  const changed = names.filter((each) => each in drafts.files);

  const edit = (event) => {
    if (event.target.value === config.files[name] && !drafts.behind) delete drafts.files[name];
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
    try {
      await action();
    } catch (problem) {
      setError(problem);
      if (problem.status === 409) reload();
    }
    setBusy(false);
  };
  const find = () => call("POST", "/config/check", { body: { files: drafts.files } });
  const refuses = (found) => found.problems.some((problem) => problem.severity === "error");
  const check = () => run(async () => setChecked(await find()));
  const save = () =>
    run(async () => {
      const found = await find();
      setChecked(refuses(found) ? { ...found, files: null } : null);
      if (!refuses(found)) setAsking(found);
    });
  const apply = () =>
    run(async () => {
      const before = drafts.base;
      const applied = await call("PUT", "/config", { body: { files: drafts.files }, revision: before });
      drafts.files = {};
      setAsking(null);
      const undo = () => call("POST", `/config/revisions/${before}/revert`, { revision: applied.revision }).then(() => toast("The settings are as they were before."), (problem) => toast(problem.message, { kind: "error" }));
      toast(applied.needs_restart ? "Saved. A part of it holds after a restart of the server." : "Saved, and in force.", { undo });
      reload();
    });
  const compare = () => {
    beginFrom(config);
    check();
  };
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
  const refused = error?.status === 422 && error.issues.length ? error.issues : null;
  const problems = refused ?? checked?.problems ?? [];
  const text = drafts.files[name] ?? config.files[name];
  return html`<${Card}>
    <div class="tabs" role="group" aria-label="File">${names.map((each) => html`<button type="button" key=${each} aria-pressed=${String(each === name)} onClick=${() => setName(each)}>${each}${changed.includes(each) && html`<span class="muted"> (changed)</span>`}</button>`)}</div>
    ${drafts.behind && html`<${Banner} kind="warn" icon="alert-triangle" action=${html`<${Button} onClick=${compare}>Compare</${Button}><${Button} onClick=${discard}>Take the new text</${Button}>`}>The settings were changed elsewhere meanwhile (change ${config.revision}). Saving your text would undo that. Compare shows what yours would change in the new one.</${Banner}>`}
    <${Editor} name=${name} text=${text} area=${area} faulty=${problems.filter((each) => each.file === name).map((each) => each.line)} onInput=${edit} />
    ${problems.length > 0 && html`<ul class="faults" role="alert">${problems.map((problem) => html`<li>
      ${problem.file && (problem.line ? html`<button type="button" class="link" onClick=${() => goTo(problem)}>${problem.file}, line ${problem.line}</button>` : html`<code>${problem.file}</code>`)}
      <span>${SEVERITY[problem.severity]}${problem.message}</span> ${problem.fix}</li>`)}</ul>`}
    ${error && !refused && !asking && !drafts.behind && html`<${Failure} error=${error} />`}
    ${checked && !refuses(checked) && html`<${Banner} kind="ok" icon="check">No fault found.</${Banner}><${Effects} of=${checked} />`}
    <div class="buttons start">
      <${Button} kind="primary" icon="device-floppy" busy=${busy} disabled=${!changed.length || drafts.behind} onClick=${save}>Save…</${Button}>
      <${Button} icon="check" busy=${busy} disabled=${!changed.length || drafts.behind} onClick=${check}>Check</${Button}>
      <${Button} disabled=${!changed.length} onClick=${discard}>Discard</${Button}>
    </div>
    ${checked?.files && html`<${Diff} files=${checked.files} />`}
    ${asking && html`<${Ask} title="Save these settings?" found=${asking} verb="Save and apply" busy=${busy} error=${error} onYes=${apply} onClose=${() => setAsking(null)} />`}
  </${Card}>`;
}

/** The text with its line numbers, which scroll along. */
function Editor({ name, text, area, faulty, onInput }) {
  const numbers = useRef(null);
  const lines = text.split("\n").length;
  const follow = () => {
    numbers.current.scrollTop = area.current.scrollTop;
  };
  useEffect(follow);
  return html`<div class="editor"><div class="numbers code" ref=${numbers} aria-hidden="true">${Array.from({ length: lines }, (_, at) => html`<span class=${faulty.includes(at + 1) ? "faulty" : ""}>${at + 1}</span>`)}</div>
    <textarea class="code" rows="22" spellcheck="false" autocapitalize="none" ref=${area} aria-label=${`Text of ${name}`} value=${text} onInput=${onInput} onScroll=${follow}></textarea></div>`;
}
