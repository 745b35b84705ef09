import { html, useState } from "../lib/view.mjs";
import { WRONG_PASSWORD, get, post, remove, seg } from "../lib/api.mjs";
import { Ago, Banner, Button, Card, Chips, Confirm, Failure, Field, Icon, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { THEMES, setTheme, useTheme } from "../lib/theme.mjs";
import { toast } from "../lib/toast.mjs";
import { duration, number, size } from "../lib/format.mjs";
import { SubPages } from "./formpage.mjs";
import { SHORTEST_PASSWORD } from "./passwords.mjs";

const SHOWN_SESSIONS = 8;
const SECURITY = { tls: ["ok", "TLS"], starttls: ["ok", "STARTTLS"], none: ["neutral", "not encrypted"] };

export function Server() {
  const status = useLoad(() => get("/status"), ["problems", "config", "server"]);
  const [restarting, setRestarting] = useState(false);
  const restart = html`<${Button} icon="refresh" onClick=${() => setRestarting(true)}>Restart…</${Button}>`;
  return html`<${Loaded} of=${status}>${(value) => html`
    <${Title} intro=${`For ${duration(value.uptime_s)}. Closing this page does not stop it.`} actions=${restart}><span class="disc ok"><${Icon} name="circle-check" /></span>The server is running.</${Title}>
    <div class="columns">
      <div><${Card} title="Settings of the server" icon="settings"><${SubPages} of="server" /></${Card}><${Ports} ports=${value.ports} /><${StoredMail} /><${Password} /></div>
      <div><${Facts} status=${value} /><${Sessions} /><${Appearance} /></div>
    </div>`}</${Loaded}>
    ${restarting &&
    html`<${Confirm} title="Restart the server?" verb="Restart" keep="Keep running" onClose=${() => setRestarting(false)} onYes=${() => post("/server/restart")}>
      <p>Mail apps lose their connection for a moment and come back by themselves. No mail is lost.</p>
    </${Confirm}>`}`;
}

function Ports({ ports }) {
  // Each door once, even if it is open on several addresses.
  const doors = [...new Map([...ports].sort((a, b) => a.port - b.port).map((port) => [`${port.port} ${port.purpose}`, port])).values()];
  return html`<${Card} title="Ports" icon="plug">
    ${doors.length === 0 && html`<p class="muted">No port is open.</p>`}
    ${doors.length > 0 && html`<table><thead><tr><th scope="col">Port</th><th scope="col">For</th><th scope="col">Encryption</th></tr></thead>
      <tbody>${doors.map((port) => html`<tr key=${port.port + port.purpose}><th scope="row" class="figures">${port.port}</th><td>${port.purpose}</td><td><${Pill} kind=${SECURITY[port.security][0]}>${SECURITY[port.security][1]}</${Pill}></td></tr>`)}</tbody></table>`}
  </${Card}>`;
}

function Facts({ status }) {
  return html`<${Card} title="This server" icon="server"><dl class="facts">
    <dt>Disk</dt><dd>${size(status.disk.free_bytes)} free of ${size(status.disk.total_bytes)}</dd>
    ${status.memory_bytes > 0 && html`<dt>Memory</dt><dd>${size(status.memory_bytes)}</dd>`}
    <dt>Host name</dt><dd>${status.hostname}</dd>
    <dt>Version</dt><dd>${status.version}</dd>
    <dt>Data folder</dt><dd><code>${status.data_folder}</code></dd>
    <dt>Process</dt><dd>${status.pid}</dd>
    <dt>Settings</dt><dd><a href="#/settings">change ${number(status.config_revision)}</a></dd>
  </dl></${Card}>`;
}

/** Checks the stored mail against itself; the work goes on when one leaves the page. */
function StoredMail() {
  const jobs = useLoad(() => get("/jobs"), ["jobs"]);
  const [error, setError] = useState(null);
  const job = jobs.value?.items.filter((each) => each.kind === "verify").sort((a, b) => b.started_at.localeCompare(a.started_at))[0];
  const run = (path) => async () => {
    setError(null);
    try {
      await post(path);
      jobs.reload();
    } catch (problem) {
      setError(problem);
    }
  };
  const runs = job?.state === "running";
  return html`<${Card} title="Stored mail" icon="database">
    <p class="muted">Reads all mail and compares it with what was noted when it came. It takes a while and disturbs nothing.</p>
    ${runs && html`<div class="progress"><progress max=${job.total || undefined} value=${job.total ? job.done : undefined} aria-label="Progress of the check"></progress><span class="muted">${job.total > 0 && `${number(job.done)} of ${number(job.total)}`} ${job.text}</span></div>`}
    ${job?.state === "done" && !job.problems.length && html`<${Banner} kind="ok" icon="check">All is well, <${Ago} at=${job.ended_at} />. ${job.text}</${Banner}>`}
    ${job?.state === "cancelled" && html`<p class="muted">The last check was stopped.</p>`}
    ${job?.state === "failed" && html`<${Banner} kind="error" icon="alert-circle">The check failed. ${job.text}</${Banner}>`}
    ${job?.problems.length > 0 && html`<ul class="faults" role="alert">${job.problems.map((problem) => html`<li>${problem.message} ${problem.fix}</li>`)}</ul>`}
    ${error && html`<${Failure} error=${error} />`}
    <div class="buttons start">${runs ? html`<${Button} icon="player-stop" onClick=${run(`/jobs/${seg(job.id)}/cancel`)}>Stop the check</${Button}>` : html`<${Button} icon="shield-check" onClick=${run("/verify")}>Check the stored mail</${Button}>`}</div>
  </${Card}>`;
}

function Sessions() {
  const list = useLoad(() => get("/sessions"), ["sign_ins"]);
  const end = async (session) => {
    try {
      await remove(`/sessions/${seg(session.id)}`);
      toast("That session has ended.");
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
    list.reload();
  };
  return html`<${Card} title="Signed in to the administration" icon="key"><${Loaded} of=${list}>${({ items }) => html`<ul class="rows">${[...items].sort((a, b) => b.current - a.current || b.used_at.localeCompare(a.used_at)).slice(0, SHOWN_SESSIONS).map(
    (session) => html`<li key=${session.id}><span class="grow"><b>${session.current ? "This browser" : (session.program || "A program")}</b><small>${session.peer || "this computer"} · used <${Ago} at=${session.used_at} /></small></span>
      ${!session.current && html`<button type="button" class="link" aria-label=${`Sign out ${(session.program || "A program")} of ${session.peer}`} onClick=${() => end(session)}>Sign out</button>`}</li>`,
  )}</ul>${items.length > SHOWN_SESSIONS && html`<p class="muted">and ${number(items.length - SHOWN_SESSIONS)} more</p>`}${items.length === 0 && html`<p class="muted">Nobody but this computer's owner.</p>`}`}</${Loaded}></${Card}>`;
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [fault, setFault] = useState("");
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    setFault(next.length < SHORTEST_PASSWORD ? `Use at least ${SHORTEST_PASSWORD} characters.` : "");
    if (next.length < SHORTEST_PASSWORD) return;
    setBusy(true);
    try {
      await post("/session/password", { current, new: next });
      setCurrent("");
      setNext("");
      toast("The new password holds. Other browsers were signed out.");
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const currentFault = error?.code === WRONG_PASSWORD ? error.message : error?.at?.("/current");
  const nextFault = fault || error?.at?.("/new");
  return html`<${Card} title="Administrator's password" icon="lock"><form onSubmit=${submit} novalidate>
    <input type="text" class="offscreen" name="username" value="admin" autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
    <${Field} label="Password now" type="password" autocomplete="current-password" value=${current} fault=${currentFault} onInput=${(e) => setCurrent(e.target.value)} />
    <${Field} label="New password" help=${`At least ${SHORTEST_PASSWORD} characters.`} type="password" autocomplete="new-password" value=${next} fault=${nextFault} onInput=${(e) => setNext(e.target.value)} />
    ${error && !currentFault && !nextFault && html`<${Failure} error=${error} />`}
    <div class="buttons start"><${Button} type="submit" busy=${busy}>Change password</${Button}></div>
  </form></${Card}>`;
}

function Appearance() {
  const theme = useTheme();
  return html`<${Card} title="Appearance" icon="sun-moon"><p class="muted">System follows light and dark as your computer does.</p>
    <${Chips} label="Appearance" entries=${THEMES} value=${theme} onChange=${setTheme} /></${Card}>`;
}
