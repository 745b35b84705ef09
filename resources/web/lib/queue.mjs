// How messages of the queue are told and what is done with them; the same words as in ui/presenters/queue.py.
import { html, useEffect, useRef, useState } from "./view.mjs";
import { post } from "./api.mjs";
import { Ago, Confirm, Icon } from "./parts.mjs";
import { toast } from "./toast.mjs";
import { count, dateTime, milliseconds, number, timeOfDay, until } from "./format.mjs";

const STATES = {
  waiting: ["info", "waiting"], held: ["warn", "on hold"], sending: ["info", "sending now"],
  done: ["ok", "sent"], failed: ["error", "gave up"], dropped: ["neutral", "dropped"],
};
export const FILTERS = [["", "All"], ["problem", "Problem"], ["held", "On hold"], ["later", "Sending later"], ["sending", "Sending now"]];
const BURST_FROM = 3;
const BURSTS_SHOWN = 3;
const DAY_MS = 86_400_000;

export const TLS = [["default", "As the recipient's domain asks"], ["verified", "Only with verified encryption"], ["insecure", "Also without verified encryption…"]];

/** What the server is asked for. `chip`: of FILTERS, or `rule/NAME` for what one hold rule keeps back. */
export function filterOf(chip, { text = "", domain = "", account = "" } = {}) {
  const filter = {};
  if (text) filter.text = text;
  if (domain) filter.domain = domain;
  if (account) filter.account = account;
  if (chip === "problem" || chip === "later") filter[chip] = true;
  else if (chip.startsWith("rule/")) filter.rule = chip.slice(5);
  else if (chip) filter.state = chip;
  return filter;
}

/** Practice mode keeps it: a time of the next try would promise what does not happen. */
const staysHere = (item) => Boolean(item.note?.startsWith("practice mode"));

/** Tone and words. */
export function stateOf(item) {
  const [tone, word] = STATES[item.state];
  if (item.state === "held" && item.note?.startsWith("sending is paused")) return [tone, "sending is paused"];
  if (item.state === "held" && item.hold_rule) return [tone, `on hold: rule ${item.hold_rule}`];
  if (item.state !== "waiting") return [tone, word];
  if (staysHere(item)) return ["info", "stays here"];
  if (item.send_at) return ["info", `will be sent ${until(item.send_at)}`];
  if (!item.next_attempt_at) return [tone, word];
  return [item.attempts ? "warn" : "info", `next try ${until(item.next_attempt_at)}`];
}

export const wordOf = (item) => STATES[item.state][1];
export const attemptsOf = (item) => (item.attempts ? `${item.attempts} of ${item.max_attempts ?? 8}` : "none yet");
export const answerOf = (item) => item.answer_in_short || item.last_answer || item.note || "";
export const transportOf = (item) => (item.transport || "direct") + (item.transport_chosen ? " (by hand)" : "");

export function headline(item) {
  if (item.state === "held") return "On hold until you release it";
  if (item.state === "sending") return "Being sent now";
  if (item.state === "waiting" && staysHere(item)) return "It stays here";
  if (item.state === "waiting" && !item.send_at && !item.next_attempt_at) return "Waits; no time for a try is set";
  const word = stateOf(item)[1];
  return word[0].toUpperCase() + word.slice(1);
}

/** What else is to be known about it: a sentence each. */
export function factsOf(item) {
  const facts = item.note ? [item.note] : [];
  if (item.tls_choice && item.tls_choice !== "default") facts.push(`Encryption, by hand: ${TLS.find(([key]) => key === item.tls_choice)[1].replace("…", "")}.`);
  if (item.unconfirmed) facts.push(`It was sent ${count(item.unconfirmed, "time")} without an answer, so it may have arrived already.`);
  return facts;
}

/** The domains that put off several messages: each is one line with one action. */
export const bursts = (groups) => groups.filter((group) => group.problem >= BURST_FROM && group.answer && group.next_attempt_at).slice(0, BURSTS_SHOWN);

export function burstText(group) {
  const text = `${count(group.problem, "message")} to ${group.domain}: ${group.answer_in_short || group.answer}`;
  if (!group.next_attempt_at) return text;
  const left = new Date(group.next_attempt_at) - Date.now();
  const due = left < 60_000 ? "now" : left < (DAY_MS * 20) / 24 ? timeOfDay(group.next_attempt_at).slice(0, 5) : dateTime(group.next_attempt_at);
  return `${text}, next try ${due}`;
}

export const countText = (page) =>
  [`${number(page.waiting ?? 0)} waiting`, page.held && `${number(page.held)} on hold`, page.problem && `${number(page.problem)} with a problem`].filter(Boolean).join(", ");

const DONE = {
  kick: ["will be tried now"], hold: ["put on hold"], release: ["released"], drop: ["dropped"], fail: ["given up; the senders are told"], postpone: ["postponed"],
  transport: ["takes the other way", "take the other way"], tls: ["follows the other rule", "follow the other rule"], undo: ["as before"],
};

export function doneText(verb, { changed = 0, missing }) {
  const words = (changed !== 1 && DONE[verb][1]) || DONE[verb][0];
  const gone = missing?.length ? ` For ${count(missing.length, "message")} this was not possible.` : "";
  return `${count(changed, "message")} ${words}.${gone}`;
}

/** Words and moments, as of now where the user is. */
export function postponeChoices(now = new Date()) {
  const after = (milliseconds) => new Date(now.getTime() + milliseconds);
  const morning = after(DAY_MS);
  morning.setHours(8, 0, 0, 0);
  return [["For an hour", after(DAY_MS / 24)], ["For four hours", after(DAY_MS / 6)], ["Until tomorrow at 08:00", morning], ["For three days", after(3 * DAY_MS)], ["For a week", after(7 * DAY_MS)]];
}

// What is dropped unless somebody undoes it within ten seconds. It outlives the page.
const dropping = new Set();
export const isDropping = (item, filter) => [...dropping].some((each) => each.ids?.includes(item.id) || (each.matching && JSON.stringify(each.matching) === JSON.stringify(filter)));

/**
 * What can be done with messages. A target is `{ids}` or `{matching, at_most}`, and `many`, the number that was shown.
 * `asking` is the question that is open, to be drawn by `Asking`.
 */
export function useActions(reload) {
  const [asking, setAsking] = useState(null);
  const fail = (problem) => toast(problem.message, { kind: "error" });
  const send = (verb, { ids, matching, at_most }, more = {}) => post(`/queue/${verb}`, { ids, matching, at_most, ...more });
  const undo = (before) => before?.length && post("/queue/undo", { before }).then((reply) => reply.missing?.length && toast(doneText("undo", reply)), fail).then(reload);

  const act = async (verb, target, more) => {
    try {
      const reply = await send(verb, target, more);
      toast(doneText(verb, reply), verb !== "kick" && reply.before?.length && { undo: () => undo(reply.before) });
    } catch (problem) {
      fail(problem);
    }
    reload();
  };

  // They leave the table now and the queue in ten seconds. What is named is kept back so long, so that Undo is a real one.
  const drop = async (target) => {
    let before = [];
    try {
      if (target.ids) before = (await send("hold", target)).before ?? [];
    } catch (problem) {
      return fail(problem);
    }
    dropping.add(target);
    const end = (work) => Promise.resolve(work).catch(fail).then(() => (dropping.delete(target), reload()));
    reload();
    toast(`${count(target.many, "message")} will be dropped. Nobody is told.`, { undo: () => end(undo(before)), then: () => end(send("drop", target)) });
  };

  // `then`: once it was answered with yes.
  const ask = (verb, target, more, then) => setAsking({ verb, target, more, then });
  return { act, drop, ask, asking, setAsking };
}

export function Asking({ actions }) {
  const { asking, setAsking, act } = actions;
  if (!asking) return null;
  const { verb, target, more, then } = asking;
  const many = count(target.many, "message");
  const words = verb === "fail"
    ? [`Give up on ${many}?`, "Fail with notice", "Keep trying", "The senders get a failure notice, and the messages leave the queue."]
    : [`Send ${many} without verified encryption?`, "Allow it", "Cancel", "Others on the way may read or change the messages, and they may go to a wrong server. What the recipient's domain asks for does not count any more for them."];
  return html`<${Confirm} title=${words[0]} verb=${words[1]} keep=${words[2]} onClose=${() => setAsking(null)} onYes=${() => act(verb, target, more).then(then)}><p>${words[3]}</p></${Confirm}>`;
}

/** A button with choices below: `entries` are [what to do, words]. */
export function Menu({ icon, title, label, entries }) {
  const element = useRef(null);
  const close = () => element.current && (element.current.open = false);
  useEffect(() => {
    const elsewhere = (event) => !element.current?.contains(event.target) && close();
    addEventListener("click", elsewhere);
    addEventListener("focusin", elsewhere);
    return () => (removeEventListener("click", elsewhere), removeEventListener("focusin", elsewhere));
  }, []);
  const key = (event) => {
    if (event.key !== "Escape" || !element.current.open) return;
    event.stopPropagation();
    close();
    element.current.querySelector("summary").focus();
  };
  return html`<details class="choices" ref=${element} onKeyDown=${key}><summary class="button" aria-label=${label}><${Icon} name=${icon} /><span>${title}</span><${Icon} name="chevron-down" /></summary>
    <div class="menu">${entries.map(([choose, words]) => html`<button type="button" key=${words} onClick=${() => (close(), choose())}>${words}</button>`)}</div></details>`;
}

/** Who was asked, what was said, and how it ended. */
export function Attempts({ attempts, none = "It has not been tried yet." }) {
  if (!attempts?.length) return html`<p class="muted">${none}</p>`;
  return html`<ol class="timeline">${attempts.map((attempt) => {
    const title = attempt.in_short || attempt.answer || (attempt.succeeded ? "Taken" : "No answer");
    const where = attempt.host ? attempt.host + (attempt.ip ? ` (${attempt.ip})` : "") : "no server reached";
    const facts = [where, attempt.transport && `by ${attempt.transport}`, attempt.tls || "not encrypted", milliseconds(attempt.duration_ms ?? 0)];
    return html`<li class=${attempt.succeeded ? "ok" : "warn"} key=${attempt.at}><${Icon} name=${attempt.succeeded ? "check" : "clock"} />
      <div><p>${title}</p><small>${facts.filter(Boolean).join(" · ")}</small>
        ${attempt.policy && html`<small>${attempt.policy}</small>`}
        ${attempt.answer && attempt.answer !== title && html`<small>${attempt.answer}</small>`}
        ${attempt.excerpt && html`<details><summary>Show dialogue</summary><pre>${attempt.excerpt}</pre></details>`}</div>
      <time datetime=${attempt.at} title=${dateTime(attempt.at)}><${Ago} at=${attempt.at} /></time></li>`;
  })}</ol>`;
}

/** Draws again every ten seconds: times move. */
export function useTick() {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 10_000);
    return () => clearInterval(timer);
  }, []);
}

/** A drawer beside a list: Esc goes back to `path`. */
export function Drawer({ heading, back, children }) {
  const title = useRef(null);
  useEffect(() => {
    title.current?.focus({ preventScroll: true });
    const close = (event) => {
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) location.hash = back;
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, []);
  return html`<aside class="drawer card" aria-label="Details of the message">
    <header><h2 tabindex="-1" ref=${title}>${heading}</h2><a class="copy" href=${`#${back}`} aria-label="Close the details"><${Icon} name="x" /></a></header>
    ${children}</aside>`;
}
