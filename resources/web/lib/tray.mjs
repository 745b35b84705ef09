// Long work on the server, at the top right of every page: what runs, how far it is, and how it ended.
import { html, useEffect, useState } from "./view.mjs";
import { get, post, seg } from "./api.mjs";
import { listen } from "./events.mjs";
import { Button, Icon } from "./parts.mjs";
import { count, duration, number } from "./format.mjs";

const ENDS = {
  done: ["check", "ok", (job) => (job.problems.length ? `${count(job.problems.length, "thing")} to look at` : "finished")],
  failed: ["alert-circle", "error", () => "failed"],
  cancelled: ["player-stop", "neutral", () => "stopped"],
};

/** What runs, and what has ended without anybody having looked. */
function useJobs() {
  const [jobs, setJobs] = useState([]);
  useEffect(() => {
    let heard = 0;
    const read = async () => {
      const before = heard;
      const reply = await get("/jobs").catch(() => null);
      if (heard !== before) await read(); // else what came meanwhile would be taken back
      else if (reply) setJobs(reply.items);
    };
    read();
    return listen((event) => {
      if (event.topic === "jobs") {
        heard += 1;
        setJobs((old) => [event.job, ...old.filter((job) => job.id !== event.job.id)]);
      } else if (event.topic === "resync" || (event.topic === "link" && event.up)) read();
    });
  }, []);
  return jobs.filter((job) => job.state === "running" || !job.seen).sort((a, b) => b.started_at.localeCompare(a.started_at));
}

export function Tray() {
  const jobs = useJobs();
  const [open, setOpen] = useState(false);
  if (!jobs.length) return null;
  const running = jobs.filter((job) => job.state === "running");
  const [first] = running;
  const share = first?.total ? ` ${Math.floor((first.done / first.total) * 100)} %` : "";
  const ended = jobs.length - running.length;
  const text = running.length ? `${running.length > 1 ? `${running.length} tasks` : first.title}${share}` : `${count(ended, "task")} ended`;
  const hide = (event) => {
    if (event.key === "Escape") setOpen(false);
  };
  return html`<div class="tray" onKeyDown=${hide}>
    <button type="button" class="button" aria-expanded=${String(open)} aria-controls="tray" onClick=${() => setOpen(!open)}><${Icon} name=${running.length ? "clock" : "check"} /><span>${text}</span></button>
    ${open && html`<section class="card" id="tray" aria-label="Long work">${jobs.map((job) => html`<${Item} job=${job} key=${job.id} />`)}</section>`}
  </div>`;
}

function Item({ job }) {
  const [asked, setAsked] = useState(false);
  const act = (what) => () => post(`/jobs/${seg(job.id)}/${what}`).catch(() => {});
  const title = html`<a href=${`#${job.path}`}><b>${job.title || job.kind}</b></a>`;
  if (job.state === "running") {
    const facts = [
      job.total > 0 ? `${number(job.done)} of ${number(job.total)}` : "",
      job.rate ? `${job.rate < 10 ? job.rate.toFixed(1) : number(Math.round(job.rate))}/s` : "",
      job.remaining_s === null ? "" : `about ${duration(job.remaining_s)} left`,
      job.text,
    ];
    return html`<div class="job">${title}
      <progress max=${job.total || undefined} value=${job.total ? job.done : undefined} aria-label=${job.title}></progress>
      <small class="muted">${facts.filter(Boolean).join(" · ")}</small>
      ${asked ? html`<p>${job.cancelling}</p><div class="buttons start"><${Button} onClick=${() => setAsked(false)}>Go on</${Button}><${Button} kind="danger" icon="player-stop" onClick=${act("cancel")}>Stop</${Button}></div>` : html`<div class="buttons start"><${Button} icon="player-stop" onClick=${() => setAsked(true)}>Stop…</${Button}></div>`}
    </div>`;
  }
  const [icon, tone, say] = ENDS[job.state];
  return html`<div class="job">${title}
    <p class=${`toned ${tone}`}><${Icon} name=${icon} />${say(job)}</p>
    ${job.text && html`<small class="muted">${job.text}</small>`}
    ${job.problems.length > 0 && html`<ul class="plain">${job.problems.slice(0, 5).map((problem) => html`<li>${problem.message}</li>`)}</ul>`}
    <div class="buttons start"><${Button} icon="check" onClick=${act("seen")}>Seen</${Button}></div>
  </div>`;
}
