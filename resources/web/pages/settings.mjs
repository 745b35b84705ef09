import { html, useState } from "../lib/view.mjs";
import { call, get, post } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Confirm, Dialog, Empty, Failure, Field, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";

export function Settings() {
  const config = useLoad(() => get("/config"), ["config"]);
  const [restarting, setRestarting] = useState(false);
  const restart = html`<${Button} icon="refresh" onClick=${() => setRestarting(true)}>Restart the server</${Button}>`;
  return html`<${Title} intro="The settings as files, every change of them, and your own password." actions=${restart}>Settings</${Title}>
    <${Loaded} of=${config}>${(value) => html`<${Files} config=${value} key=${value.revision} />`}</${Loaded}>
    <div class="columns"><${Revisions} /><${Password} /></div>
    ${restarting &&
    html`<${Confirm} title="Restart the server?" verb="Restart" keep="Keep running" onClose=${() => setRestarting(false)} onYes=${async () => { await post("/server/restart"); toast("The server restarts. This takes a few seconds."); }}>
      <p>Mail apps lose their connection for a moment and come back by themselves. No mail is lost.</p>
    </${Confirm}>`}`;
}

function Files({ config }) {
  const names = Object.keys(config.files);
  const [name, setName] = useState(names.includes("domains.toml") ? "domains.toml" : names[0]);
  const [draft, setDraft] = useState(config.files);
  const [checked, setChecked] = useState(null);
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const changed = names.filter((each) => draft[each] !== config.files[each]);
  const files = Object.fromEntries(changed.map((each) => [each, draft[each]]));
  const run = async (action) => {
    setBusy(true);
    setError(null);
    try {
      await action();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const check = () => run(async () => setChecked(await call("POST", "/config/check", { body: { files } })));
  const apply = () =>
    run(async () => {
      const applied = await call("PUT", "/config", { body: { files }, revision: config.revision });
      toast(applied.needs_restart ? "Saved. A part of it holds after a restart." : "Saved, and in force.");
    });
  return html`<${Card} title="Files" icon="settings">
    <div class="tabs" role="tablist">${names.map((each) => html`<button type="button" role="tab" aria-selected=${each === name} onClick=${() => setName(each)}>${each}${changed.includes(each) ? " •" : ""}</button>`)}</div>
    <textarea class="code" rows="18" spellcheck="false" aria-label=${`Text of ${name}`} value=${draft[name]} onInput=${(e) => { setDraft({ ...draft, [name]: e.target.value }); setChecked(null); }}></textarea>
    ${error && (error.issues?.length ? html`<ul class="faults" role="alert">${error.issues.map((issue) => html`<li><code>${issue.file ? `${issue.file}:${issue.line}` : issue.path}</code> ${issue.message} ${issue.fix}</li>`)}</ul>` : html`<${Failure} error=${error} />`)}
    ${checked &&
    (checked.problems.length
      ? html`<ul class="faults" role="alert">${checked.problems.map((issue) => html`<li><code>${issue.file ? `${issue.file}:${issue.line}` : issue.path}</code> ${issue.message} ${issue.fix}</li>`)}</ul>`
      : html`<${Banner} kind="ok" icon="check">No fault found. ${checked.effects.join(" ")} ${checked.needs_restart ? "A part of it needs a restart." : ""}</${Banner}>`)}
    <div class="buttons">
      <${Button} disabled=${!changed.length} onClick=${() => setDraft(config.files)}>Discard</${Button}>
      <${Button} icon="check" busy=${busy} onClick=${check}>Check</${Button}>
      <${Button} kind="primary" icon="device-floppy" busy=${busy} onClick=${() => (changed.length ? apply() : toast("Nothing was changed."))}>Save and apply</${Button}>
    </div>
  </${Card}>`;
}

function Revisions() {
  const list = useLoad(() => get("/config/revisions"), ["config"]);
  const [shown, setShown] = useState(null);
  const [reverting, setReverting] = useState(null);
  const show = async (number) => setShown(await get(`/config/revisions/${number}/diff`));
  return html`<${Card} title="Changes" icon="history"><${Loaded} of=${list}>${({ items, current }) =>
      items.length === 0
        ? html`<${Empty} icon="history" text="No change yet." />`
        : html`<ul class="rows">${items.slice(0, 50).map(
            (item) => html`<li key=${item.number}><span class="grow"><b>${item.number}. ${item.summary || "Change"}</b><small>${item.author} · <${Ago} at=${item.at} /></small></span>
              <button type="button" class="link" onClick=${() => show(item.number)}>What changed</button>
              ${item.number !== current && html`<button type="button" class="link" onClick=${() => setReverting(item)}>Go back to this</button>`}</li>`,
          )}</ul>`}
    </${Loaded}>
    ${shown && html`<${Dialog} wide title=${`Change ${shown.number}`} onClose=${() => setShown(null)}><pre class="diff">${shown.diff.split("\n").map((line) => html`<span class=${line.startsWith("+") ? "plus" : line.startsWith("-") ? "minus" : ""}>${line}\n</span>`)}</pre>
      <div class="buttons"><${Button} kind="primary" onClick=${() => setShown(null)}>Close</${Button}></div></${Dialog}>`}
    ${reverting &&
    html`<${Confirm} title=${`Go back to the settings of change ${reverting.number}?`} verb="Go back" keep="Stay" onClose=${() => setReverting(null)}
      onYes=${async () => { await call("POST", `/config/revisions/${reverting.number}/revert`, { revision: list.value.current }); toast("The old settings hold again."); }}>
      <p>That is a change of its own: you can come back from it too. Mail is not touched.</p></${Confirm}>`}
  </${Card}>`;
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      await post("/session/password", { current, new: next });
      setCurrent("");
      setNext("");
      toast("The new password holds. Other browsers were signed out.");
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<${Card} title="Administrator's password" icon="lock"><form onSubmit=${submit} novalidate>
    <${Field} label="Password now" type="password" autocomplete="current-password" value=${current} fault=${error?.at?.("/current")} onInput=${(e) => setCurrent(e.target.value)} />
    <${Field} label="New password" help="At least 12 characters." type="password" autocomplete="new-password" value=${next} fault=${error?.at?.("/new")} onInput=${(e) => setNext(e.target.value)} />
    ${error && !error.at?.("/current") && !error.at?.("/new") && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} type="submit" icon="key">Change password</${Button}></div>
  </form></${Card}>`;
}
