import { html, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { LeftFlows } from "../lib/left.mjs";
import { Ago, Button, Card, Dialog, Empty, Failure, Field, Icon, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { count, number } from "../lib/format.mjs";
import { toast } from "../lib/toast.mjs";
import { Row } from "./activity.mjs";
import { SelfTest } from "./selftest.mjs";

const SHOWN = 3; // cards at once
const DISCS = { ok: "circle-check", warn: "alert-triangle", error: "alert-circle" };
const ICONS = { ...DISCS, info: "info-circle", neutral: "info-circle" };

export function Overview() {
  const page = useLoad(() => get("/overview"), ["status", "problems", "queue", "config", "timeline"]);
  const [error, setError] = useState(null);
  const act = (path, body) => async () => {
    setError(null);
    try {
      await post(path, body);
      page.reload();
    } catch (problem) {
      setError(problem);
    }
  };
  return html`<${Loaded} of=${page}>${(value) => html`
    <${Title} intro=${value.about}
      actions=${html`<${Button} icon="refresh" onClick=${page.reload}>Check now</${Button}><${Pausing} paused=${value.sending_paused} act=${act} reload=${page.reload} /><${SelfTest} />`}>
      <span class=${`disc ${value.tone}`}><${Icon} name=${DISCS[value.tone]} /></span><span class="sentence">${value.headline}</span>
    </${Title}>
    ${error && html`<${Failure} error=${error} />`}
    <${LeftFlows} />
    <${Attention} items=${value.attention} act=${act} reload=${page.reload} />
    <div class="stats">${value.stats.map((stat) => html`<a class="card stat" href=${`#${stat.path}`} key=${stat.id}>
      <span class="muted"><${Icon} name=${stat.icon} />${stat.label}</span>
      <span class="figure"><strong>${number(stat.value)}</strong><${Bars} days=${stat.days} /></span>
      <small class=${stat.alert ? "warned" : ""}>${stat.alert && html`<${Icon} name="alert-triangle" />`}${stat.note}</small>
    </a>`)}</div>
    ${value.steps.length > 0 && html`<${Card} title="Next steps">${value.steps.map((step) => html`<div class="step" key=${step.id}>
      <${Icon} name=${step.icon} /><div class="grow"><b>${step.title}</b><p class="muted">${step.text}</p></div>
      ${step.path.startsWith("/start") ? html`<span class="muted">In the window on the server</span>` : html`<a class="button" href=${`#${step.path}`}>${step.action}</a>`}
      <button type="button" class="copy" aria-label=${`Do not suggest any more: ${step.title}`} title="Do not suggest this any more" onClick=${act(`/overview/steps/${seg(step.id)}/put-away`)}><${Icon} name="x" /></button>
    </div>`)}</${Card}>`}
    <div class="columns uneven">
      <${Card} title="Recent mail" icon="activity" actions=${html`<a href="#/activity">All activity</a>`}>
        ${value.recent.length
          ? html`<ul class="rows">${value.recent.map((item) => html`<${Row} item=${item} key=${item.trace} short />`)}</ul>`
          : html`<${Empty} icon="mail" text="No message yet. Send yourself one and watch every step it takes." />`}
      </${Card}>
      <${Card} title="System" icon="server" actions=${html`<a href="#/server">Details</a>`}>
        <dl class="facts">${value.facts.map((fact) => html`<dt>${fact.label}</dt><dd class=${fact.tone === "neutral" ? "" : `toned ${fact.tone}`}>
          ${fact.tone !== "neutral" && html`<${Icon} name=${ICONS[fact.tone]} />`}${fact.path ? html`<a href=${`#${fact.path}`}>${fact.value}</a>` : fact.value}
          ${fact.label === "Disk" && html`<meter min="0" max=${value.disk.total_bytes} high=${value.disk.total_bytes * 0.9} value=${value.disk.total_bytes - value.disk.free_bytes} aria-label="Disk space in use"></meter>`}</dd>`)}</dl>
      </${Card}>
    </div>`}
  </${Loaded}>`;
}

/** A figure of each of the last fourteen days, today last. */
function Bars({ days }) {
  if (!days.length) return null;
  const most = Math.max(1, ...days);
  const high = (value) => Math.max(2, (value / most) * 24);
  return html`<svg class="bars" viewBox="0 0 84 24" width="84" height="24" role="img" aria-label=${`On the last ${days.length} days: ${days.join(", ")}`}>${days.map(
    (value, at) => html`<rect key=${at} x=${at * 6} y=${24 - high(value)} width="4" height=${high(value)} rx="1" class=${value ? "some" : ""} />`,
  )}</svg>`;
}

function Attention({ items, act, reload }) {
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState({});
  const [leave, setLeave] = useState(null);
  if (!items.length) return null;
  const done = { resume: "/queue/resume", restart: "/server/restart" };
  return html`<section class="attention" aria-label="Needs attention">
    ${(all ? items : items.slice(0, SHOWN)).map((item) => {
      const key = `${item.code} ${item.subject}`;
      const { action } = item;
      return html`<article class=${`banner ${item.tone}`} key=${key}>
        <${Icon} name=${ICONS[item.tone]} />
        <div><p><b>${item.title}</b></p>${item.body && html`<p>${item.body}</p>`}${open[key] && html`<p class="why">${item.why}</p>`}
          <div class="buttons start">
            ${action && (action.call ? html`<${Button} kind="primary" onClick=${act(done[action.call])}>${action.title}</${Button}>` : html`<a class="button primary" href=${`#${action.path}`}>${action.title}</a>`)}
            ${item.why && html`<button type="button" class="button" aria-expanded=${String(Boolean(open[key]))} onClick=${() => setOpen({ ...open, [key]: !open[key] })}><span>Why?</span></button>`}
            ${item.may_acknowledge && html`<${Button} onClick=${() => setLeave(item)}>Acknowledge…</${Button}>`}
          </div></div>
        ${item.since && html`<${Ago} at=${item.since} />`}
      </article>`;
    })}
    ${items.length > SHOWN && !all && html`<button type="button" class="link start" onClick=${() => setAll(true)}>${count(items.length - SHOWN, "more thing")} to look at</button>`}
    ${leave && html`<${Acknowledge} item=${leave} reload=${reload} onClose=${() => setLeave(null)} />`}
  </section>`;
}

function Acknowledge({ item, reload, onClose }) {
  const [note, setNote] = useState("");
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const name = { code: item.code, subject: item.subject };
    try {
      await post("/problems/acknowledge", { ...name, note });
    } catch (problem) {
      setError(problem);
      return;
    }
    toast("It does not call for attention any more, until it says something else.", { undo: () => post("/problems/unacknowledge", name).then(reload) });
    onClose();
    reload();
  };
  return html`<${Dialog} title="Leave it as it is?" onClose=${onClose}><form onSubmit=${submit}>
    <p>${item.title}</p><p class="muted">It is shown again when it gets worse or says something else.</p>
    <${Field} label="Why it can stay" optional value=${note} maxlength="500" autofocus onInput=${(event) => setNote(event.target.value)} />
    ${error && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary">Acknowledge</${Button}></div>
  </form></${Dialog}>`;
}

/** Pausing asks nothing: it is taken back with one click, and says so. */
function Pausing({ paused, act, reload }) {
  if (paused) return html`<${Button} icon="player-play" onClick=${act("/queue/resume")}>Resume sending</${Button}>`;
  const pause = async () => {
    await act("/queue/pause", {})();
    toast("Sending is paused. Mail is still received, and waits in the queue.", { undo: () => post("/queue/resume").then(reload) });
  };
  return html`<${Button} icon="player-pause" onClick=${pause}>Pause sending</${Button}>`;
}
