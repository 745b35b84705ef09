import { html, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { Ago, Button, Card, Empty, Failure, Icon, Loaded, Pill, Title, useLoad } from "../lib/parts.mjs";
import { stepKind } from "../lib/parts.mjs";
import { count, duration, size } from "../lib/format.mjs";

const SHOWN_PROBLEMS = 3;
const RECENT = 8;
const DISCS = { ok: "circle-check", attention: "alert-triangle", problem: "alert-circle" };
const KINDS = { ok: "ok", attention: "warn", problem: "error" };

export function Overview() {
  const status = useLoad(() => get("/status"), ["status", "problems", "queue", "config", "jobs"]);
  const recent = useLoad(() => get("/timeline", { limit: RECENT }), ["timeline"]);
  return html`<${Loaded} of=${status}>${(value) => html`
    <${Title} intro=${`${value.hostname} · running for ${duration(value.uptime_s)}`}>
      <span class=${`disc ${KINDS[value.verdict]}`}><${Icon} name=${DISCS[value.verdict]} /></span>${value.headline}
    </${Title}>
    <${Attention} problems=${value.problems} />
    <${Counters} counters=${value.counters} />
    <div class="columns">
      <${Card} title="Recent mail" icon="activity" actions=${html`<a href="#/trace">All</a>`}>
        <${Loaded} of=${recent}>${(list) =>
          list.items.length
            ? html`<ul class="rows">${list.items.map((item) => html`<${RecentRow} item=${item} key=${item.trace} />`)}</ul>`
            : html`<${Empty} icon="mail" text="Nothing has come or gone yet."><${SelfTest} /></${Empty}>`}
        </${Loaded}>
      </${Card}>
      <${System} status=${value} />
    </div>`}
  </${Loaded}>`;
}

function Attention({ problems }) {
  const [all, setAll] = useState(false);
  if (!problems.length) return null;
  const shown = all ? problems : problems.slice(0, SHOWN_PROBLEMS);
  return html`<section class="attention" aria-label="Needs attention">
    ${shown.map(
      (problem) => html`<article class=${`banner ${problem.severity === "warning" ? "warn" : problem.severity}`} key=${problem.code + problem.subject}>
        <${Icon} name=${problem.severity === "error" ? "alert-circle" : "alert-triangle"} />
        <div><p>${problem.message}</p>${problem.fix && html`<p class="muted">${problem.fix}</p>`}</div>
        ${problem.since && html`<${Ago} at=${problem.since} />`}
      </article>`,
    )}
    ${problems.length > SHOWN_PROBLEMS && !all && html`<button type="button" class="link" onClick=${() => setAll(true)}>${problems.length - SHOWN_PROBLEMS} more</button>`}
  </section>`;
}

function Counters({ counters }) {
  const cards = [
    ["Received today", counters.received, "inbox", "#/trace", `${counters.rejected.toLocaleString()} refused`],
    ["Sent today", counters.sent, "send", "#/trace", `${counters.submitted.toLocaleString()} handed in`],
    ["Waiting", counters.queue_waiting, "mail-forward", "#/queue", `${counters.queue_held.toLocaleString()} held back`],
    ["Sign-ins today", counters.sign_ins, "key", "#/signins", `${counters.sign_in_failures.toLocaleString()} failed`],
  ];
  return html`<div class="stats">
    ${cards.map(
      ([title, number, icon, href, foot]) => html`<a class="card stat" href=${href} key=${title}>
        <span class="muted"><${Icon} name=${icon} />${title}</span><strong>${number.toLocaleString()}</strong><small>${foot}</small>
      </a>`,
    )}
  </div>`;
}

function RecentRow({ item }) {
  return html`<li>
    <a href=${`#/trace/${seg(item.trace)}`}>
      <${Icon} name=${item.direction === "out" ? "arrow-up" : "arrow-down"} label=${item.direction === "out" ? "outgoing" : "incoming"} />
      <span class="grow"><b>${item.direction === "out" ? item.recipients.join(", ") : item.sender || "bounce message"}</b><small>${item.text}</small></span>
      <${Pill} kind=${stepKind(item.outcome)}>${item.outcome}</${Pill}>
      <${Ago} at=${item.last_at} />
    </a>
  </li>`;
}

/** Sends the first account a message and goes to its timeline. */
export function SelfTest({ account }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const send = async () => {
    setBusy(true);
    setError(null);
    try {
      let id = account;
      if (!id) {
        const accounts = await get("/accounts");
        if (!accounts.items.length) throw new Error("Add an account first: there is nobody to send to.");
        id = accounts.items[0].id;
      }
      const sent = await post(`/accounts/${seg(id)}/test-message`);
      location.hash = `/trace/${seg(sent.trace)}`;
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return html`<${Button} kind="primary" icon="send" busy=${busy} onClick=${send}>Send yourself a message</${Button}>
    ${error && html`<${Failure} error=${error} />`}`;
}

function System({ status }) {
  const used = status.disk.total_bytes - status.disk.free_bytes;
  return html`<${Card} title="System" icon="server">
    <dl class="facts">
      <dt>Space on the disk</dt>
      <dd>${size(status.disk.free_bytes)} free <meter min="0" max=${status.disk.total_bytes} value=${used} aria-label="Space used"></meter></dd>
      <dt>Domains and accounts</dt><dd>${count(status.domains, "domain")}, ${count(status.accounts, "account")}</dd>
      <dt>Memory</dt><dd>${size(status.memory_bytes)}</dd>
      <dt>Version</dt><dd>${status.version}</dd>
      <dt>Data folder</dt><dd><code>${status.data_folder}</code></dd>
    </dl>
    <details>
      <summary>${count(status.ports.length, "open port")}</summary>
      <table><thead><tr><th scope="col">Port</th><th scope="col">For</th><th scope="col">Encryption</th></tr></thead>
        <tbody>${status.ports.map(
          (port) => html`<tr key=${port.service + port.host + port.port}><td>${port.host}:${port.port}</td><td>${port.purpose}</td><td>${{ none: "none", starttls: "STARTTLS", tls: "TLS" }[port.security]}</td></tr>`,
        )}</tbody>
      </table>
    </details>
    <div class="buttons"><${SelfTest} /></div>
  </${Card}>`;
}
