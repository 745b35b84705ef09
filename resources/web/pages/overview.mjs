import { html, useState } from "../lib/view.mjs";
import { get, seg } from "../lib/api.mjs";
import { LeftFlows } from "../lib/left.mjs";
import { Ago, Button, Card, Empty, Icon, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { count, duration, number, size } from "../lib/format.mjs";
import { Row } from "./activity.mjs";
import { SelfTest } from "./selftest.mjs";

const SHOWN_PROBLEMS = 3;
const RECENT = 8;
const READ = 200; // messages that the bars are counted from
const HOURS = 12;
const DISCS = { ok: "circle-check", attention: "alert-triangle", problem: "alert-circle" };
const KINDS = { ok: "ok", attention: "warn", problem: "error" };
const SEVERITIES = ["error", "warning", "info"];

export function Overview() {
  const status = useLoad(() => get("/status"), ["status", "problems", "queue", "config", "jobs"]);
  const recent = useLoad(() => get("/timeline", { limit: READ }), ["timeline"]);
  const accounts = useLoad(() => get("/accounts"), ["config"]);
  const reload = () => {
    status.reload();
    recent.reload();
  };
  return html`<${Loaded} of=${status}>${(value) => html`
    <${Title} intro=${`${value.hostname} · ${count(value.accounts, "account")} in ${count(value.domains, "domain")} · running for ${duration(value.uptime_s)}`}
      actions=${html`<${Button} icon="refresh" onClick=${reload}>Check now</${Button}><${SelfTest} />`}>
      <span class=${`disc ${KINDS[value.verdict]}`}><${Icon} name=${DISCS[value.verdict]} /></span><span class="sentence">${value.headline}</span>
    </${Title}>
    <${LeftFlows} />
    <${Attention} problems=${value.problems} />
    <${Counters} counters=${value.counters} items=${recent.value?.items ?? []} />
    <${NextStep} status=${value} accounts=${accounts.value?.items} />
    <div class="columns uneven">
      <${Card} title="Recent mail" icon="activity" actions=${html`<a href="#/activity">All activity</a>`}>
        <${Loaded} of=${recent}>${(list) =>
          list.items.length
            ? html`<ul class="rows">${list.items.slice(0, RECENT).map((item) => html`<${Row} item=${item} key=${item.trace} short />`)}</ul>`
            : html`<${Empty} icon="mail" text="No message yet. Send yourself one and watch every step it takes." />`}
        </${Loaded}>
      </${Card}>
      <${System} status=${value} />
    </div>`}
  </${Loaded}>`;
}

function Attention({ problems }) {
  const [all, setAll] = useState(false);
  if (!problems.length) return null;
  const ranked = [...problems].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  const shown = all ? ranked : ranked.slice(0, SHOWN_PROBLEMS);
  return html`<section class="attention" aria-label="Needs attention">
    ${shown.map(
      (problem) => html`<article class=${`banner ${problem.severity === "warning" ? "warn" : problem.severity}`} key=${problem.code + problem.subject}>
        <${Icon} name=${{ error: "alert-circle", warning: "alert-triangle", info: "info-circle" }[problem.severity]} />
        <div><p><b>${problem.message}</b></p>${problem.fix && html`<p>${problem.fix}</p>`}${problem.file && html`<p><code>${problem.file}${problem.line ? `, line ${problem.line}` : ""}</code></p>`}</div>
        ${problem.since && html`<${Ago} at=${problem.since} />`}
      </article>`,
    )}
    ${problems.length > SHOWN_PROBLEMS && !all && html`<button type="button" class="link start" onClick=${() => setAll(true)}>${count(problems.length - SHOWN_PROBLEMS, "more thing")} to look at</button>`}
  </section>`;
}

function Counters({ counters, items }) {
  const held = counters.queue_held;
  const cards = [
    ["Received today", counters.received, "inbox", "#/activity", `${number(counters.rejected)} refused`, "in"],
    ["Sent today", counters.sent, "send", "#/activity", counters.bounced ? `${number(counters.bounced)} came back` : "none came back", "out"],
    ["Waiting in the queue", counters.queue_waiting, "mail-forward", "#/queue", held ? `${number(held)} on hold` : "none on hold", ""],
    ["Sign-ins today", counters.sign_ins, "key", "#/signins", `${number(counters.sign_in_failures)} failed`, ""],
  ];
  return html`<div class="stats">
    ${cards.map(
      ([title, value, icon, href, foot, direction]) => html`<a class="card stat" href=${href} key=${title}>
        <span class="muted"><${Icon} name=${icon} />${title}</span>
        <span class="figure"><strong>${number(value)}</strong>${direction && html`<${Bars} items=${items} direction=${direction} />`}</span>
        <small>${foot}</small>
      </a>`,
    )}
  </div>`;
}

/** Messages an hour in the last twelve hours, the running one last. */
function Bars({ items, direction }) {
  const top = Math.floor(Date.now() / 3_600_000) + 1;
  const bars = Array(HOURS).fill(0);
  for (const item of items) {
    const age = top - 1 - Math.floor(new Date(item.started_at) / 3_600_000);
    if (item.direction === direction && age >= 0 && age < HOURS) bars[HOURS - 1 - age] += 1;
  }
  const most = Math.max(1, ...bars);
  return html`<svg class="bars" viewBox="0 0 72 24" width="72" height="24" aria-hidden="true">${bars.map(
    (value, index) => html`<rect key=${index} x=${index * 6} y=${24 - Math.max(2, (value / most) * 24)} width="4" height=${Math.max(2, (value / most) * 24)} rx="1" class=${value ? "some" : ""} />`,
  )}</svg>`;
}

/** The first weeks' suggestion; gone once mail comes in by itself. */
function NextStep({ status, accounts }) {
  if (!accounts || (status.counters.received > 20 && !status.practice_mode)) return null;
  const first = accounts[0];
  const [icon, title, text, action, path] = first
    ? ["device-mobile", "Connect a mail app", "Read and write this mail with Thunderbird, Outlook or a phone.", "Show the settings", `/accounts/${seg(first.id)}/connect`]
    : ["user-plus", "Add a first account", "A person with an address and a mailbox.", "Add account", "/accounts/new"];
  return html`<${Card}><div class="step"><${Icon} name=${icon} /><div class="grow"><b>${title}</b><p class="muted">${text}</p></div><a class="button" href=${`#${path}`}>${action}</a></div></${Card}>`;
}

function System({ status }) {
  const { free_bytes: free, total_bytes: total } = status.disk;
  return html`<${Card} title="System" icon="server" actions=${html`<a href="#/server">Details</a>`}>
    <dl class="facts">
      <dt>Disk</dt><dd>${size(free)} free of ${size(total)}<meter min="0" max=${total} high=${total * 0.9} value=${total - free} aria-label="Disk space in use"></meter></dd>
      ${status.memory_bytes > 0 && html`<dt>Memory</dt><dd>${size(status.memory_bytes)}</dd>`}
      <dt>Host name</dt><dd>${status.hostname}</dd>
      <dt>Version</dt><dd>${status.version}</dd>
      <dt>Data folder</dt><dd><code>${status.data_folder}</code></dd>
    </dl>
  </${Card}>`;
}
