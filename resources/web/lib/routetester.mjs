// The tester beside the routes: which way would this message take, by the rules as they are being edited, and why?
import { html, useEffect, useState } from "./view.mjs";
import { get, post } from "./api.mjs";
import { Banner, Card, Field, Icon, useDebounced, useLoad } from "./parts.mjs";

const MOST = 8;
const QUEUED = 50;

/** Somebody is in the middle of typing an address. */
const unfinished = (text) => /(^@|[@.\s-]$)/.test(text.trim());

export function Tester({ lists, accounts, scope }) {
  const [from, setFrom] = useState(scope?.level === "domain" ? scope.owner : "");
  const [to, setTo] = useState("");
  const [account, setAccount] = useState(scope?.level === "account" ? scope.owner : "");
  const [attempt, setAttempt] = useState(1);
  const [queued, setQueued] = useState("");
  const [found, setFound] = useState({});
  const waiting = useLoad(() => get("/queue", { limit: QUEUED }), ["queue"]);
  const asked = useDebounced(JSON.stringify({ ...(queued ? { queue_id: Number(queued) } : { from, to, account }), attempts: [attempt - 1], draft_lists: lists }));
  useEffect(() => {
    let current = true;
    const question = JSON.parse(asked);
    if (!question.queue_id && !question.to.trim()) setFound({});
    else if (question.queue_id || !(unfinished(question.to) || unfinished(question.from))) post("/routes/evaluate", question).then((value) => current && setFound({ value }), (error) => current && setFound({ error }));
    return () => (current = false);
  }, [asked]);
  const last = found.value?.spans.at(-1)?.last ?? MOST;
  return html`<aside aria-label="Tester"><${Card} title="Which way does it take?"><div class="fields">
    <${Field} label="From" value=${from} placeholder="anna@example.org" help="Empty is a failure notice of this server." autocomplete="off" disabled=${Boolean(queued)} onInput=${(event) => setFrom(event.target.value)} />
    <${Field} label="To" value=${to} placeholder="friend@example.net" autocomplete="off" disabled=${Boolean(queued)} onInput=${(event) => setTo(event.target.value)} />
    <${Field} label="Account">${(shared) => html`<select ...${shared} value=${account} disabled=${Boolean(queued)} onChange=${(event) => setAccount(event.target.value)}><option value="">whose address it is from</option>${accounts.map(({ id }) => html`<option>${id}</option>`)}</select>`}</${Field}>
    <${Field} label=${`Attempt ${attempt}`}>${(shared) => html`<input ...${shared} type="range" min="1" max=${Math.max(2, last)} value=${attempt} aria-valuetext=${`Attempt ${attempt}`} onInput=${(event) => setAttempt(Number(event.target.value))} />`}</${Field}>
    <${Field} label="Or a message in the queue">${(shared) => html`<select ...${shared} value=${queued} onChange=${(event) => setQueued(event.target.value)}><option value="">none</option>${waiting.value?.items.map((item) => html`<option value=${item.id}>${item.recipient}, ${item.attempts} attempts</option>`)}</select>`}</${Field}></div>
    <div class="result" aria-live="polite">${found.error && html`<${Banner} kind="warn" icon="alert-triangle">${found.error.message}</${Banner}>`}
      ${found.value ? html`<${Way} found=${found.value} attempt=${attempt} isDraft=${lists.length > 0} />` : !found.error && html`<p class="muted">Enter a recipient, or choose a message, to see which way it takes.</p>`}</div>
  </${Card}></aside>`;
}

function Way({ found, attempt, isDraft }) {
  const [answer] = found.answers;
  const on = (span) => span.first <= attempt && attempt <= span.last;
  return html`${found.notice && html`<${Banner} kind="warn" icon="alert-triangle">${found.notice}</${Banner}>`}
    <${Banner} kind=${answer.known ? "ok" : "error"} icon=${answer.known ? "circle-check" : "alert-circle"}><b>${answer.headline}</b></${Banner}>
    ${isDraft && html`<small>With your changes, which are not saved yet.</small>`}
    ${!found.is_local && html`<div class="forecast" aria-hidden="true">${found.spans.map((span) => html`<span class=${on(span) ? "on" : ""} style=${{ flexGrow: span.last - span.first + 1 }}>${span.last > span.first ? `${span.first}–${span.last}` : span.first} ${span.transport || "direct"}</span>`)}</div>
      <small>All attempts: ${found.forecast}.</small>
      <ol class="path" aria-label="Rules that were looked at, in order">${answer.steps.map((step) => html`<li class=${step.matched ? "hit" : "miss"} key=${step.level + step.position}>
        <span class="rule"><${Icon} name=${step.matched ? "check" : "x"} label=${step.matched ? "decides" : "passed over"} /><span>${step.level[0].toUpperCase()}${step.level.slice(1)} rule ${step.position} → ${step.transport}</span></span><small>${step.reason}</small></li>`)}</ol>`}`;
}
