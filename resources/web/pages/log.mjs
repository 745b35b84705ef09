import { html, useEffect, useMemo, useRef, useState } from "../lib/view.mjs";
import { get } from "../lib/api.mjs";
import { Button, Copy, Empty, Failure, Title } from "../lib/parts.mjs";
import { count, number, timeOfDay } from "../lib/format.mjs";

const KEPT = 10_000;
const FIRST = 1000;
const DRAWN = 500; // rows in the page at once; the newest ones
const AGAIN_MS = 1500;
const BATCH_MS = 100;
const NEAR_END = 24;
const LEVELS = [["debug", "Everything"], ["info", "Information and worse"], ["warning", "Warnings and worse"], ["error", "Errors only"]];
const RANK = { debug: 0, info: 1, warning: 2, error: 3 };

const quoted = (value) => {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  return !text || text.includes(" ") ? `"${text}"` : text;
};
const fieldsOf = (line) => Object.entries(line.fields).map(([name, value]) => `${name}=${quoted(value)}`).join(" ");
const asText = (line) => `${line.at} ${line.level.toUpperCase().padEnd(7)} ${line.logger}: ${line.message}  ${fieldsOf(line)}`.trimEnd() + (line.trace ? `\n${line.trace}` : "");

const partOf = (line) => line.logger.split(".")[0];

/** All words must occur; between slashes it is a regular expression. */
function matcher(text) {
  const plain = text.trim().toLowerCase();
  if (!plain) return { fits: () => true };
  const words = plain.split(/\s+/);
  const byWords = (line) => {
    const all = asText(line).toLowerCase();
    return words.every((word) => all.includes(word));
  };
  if (plain.length < 3 || !plain.startsWith("/") || !plain.endsWith("/")) return { fits: byWords };
  try {
    const pattern = new RegExp(text.trim().slice(1, -1), "i");
    return { fits: (line) => pattern.test(asText(line)) };
  } catch {
    return { fits: byWords, broken: true };
  }
}

/** The lines, oldest first, as long as `running`. A server that was started anew counts from the beginning. */
function useLines(running) {
  const [lines, setLines] = useState([]);
  const [error, setError] = useState(null);
  const last = useRef(0);
  useEffect(() => {
    if (!running) return undefined;
    let stream;
    let timer = 0;
    let batchTimer = 0;
    let batch = [];
    let ended = false;
    const flush = () => {
      batchTimer = 0;
      const more = batch;
      batch = [];
      setLines((old) => [...old, ...more].slice(-KEPT));
    };
    const add = (more) => {
      const fresh = more.filter((line) => line.seq > last.current);
      if (!fresh.length) return;
      last.current = fresh.at(-1).seq;
      batch.push(...fresh.map((line) => ({ ...line, key: `${line.at} ${line.seq}` })));
      batchTimer ||= setTimeout(flush, BATCH_MS);
    };
    const open = async () => {
      try {
        let log = await get("/log", { limit: FIRST, after: last.current });
        if (log.last_seq < last.current) {
          last.current = 0;
          log = await get("/log", { limit: FIRST });
        }
        if (ended) return;
        setError(null);
        add(log.lines);
      } catch (problem) {
        if (ended) return;
        setError(problem);
        timer = setTimeout(open, AGAIN_MS);
        return;
      }
      stream = new EventSource(`/api/v1/log/stream?after=${last.current}`);
      stream.onmessage = (message) => add([JSON.parse(message.data)]);
      stream.onerror = () => {
        stream.close();
        timer = setTimeout(open, AGAIN_MS);
      };
    };
    open();
    return () => {
      ended = true;
      clearTimeout(timer);
      clearTimeout(batchTimer);
      if (batch.length) flush();
      stream?.close();
    };
  }, [running]);
  return { lines, error, clear: () => setLines([]) };
}

export function LiveLog({ session = "" }) {
  const [level, setLevel] = useState(session ? "debug" : "info");
  const [text, setText] = useState(session);
  const [part, setPart] = useState("");
  const [running, setRunning] = useState(true);
  const [following, setFollowing] = useState(true);
  const box = useRef(null);
  const { lines, error, clear } = useLines(running);
  const { fits, broken } = useMemo(() => matcher(text), [text]);
  const shown = useMemo(() => lines.filter((line) => RANK[line.level] >= RANK[level] && (!part || partOf(line) === part) && fits(line)), [lines, level, part, fits]);
  const parts = useMemo(() => [...new Set(lines.map(partOf))].sort(), [lines]);
  const onlySession = (cid) => {
    setText(`cid=${cid}`);
    setLevel("debug");
    setPart("");
  };
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };
  useEffect(() => {
    if (following) toEnd();
  }, [shown, following]);
  const scrolled = () => setFollowing(box.current.scrollTop + box.current.clientHeight >= box.current.scrollHeight - NEAR_END);
  const all = () => shown.map(asText).join("\n");
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${all()}\n`], { type: "text/plain" }));
    link.download = "gatepost-log.txt";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  return html`<${Title} intro="What the server does, line by line. Passwords and message texts are never logged."
      actions=${html`<${Button} icon=${running ? "player-pause" : "player-play"} onClick=${() => setRunning(!running)}>${running ? "Pause" : "Go on"}</${Button}>
        <${Button} icon="device-floppy" disabled=${!shown.length} onClick=${save}>Save…</${Button}>
        <${Button} icon="trash" disabled=${!lines.length} onClick=${clear}>Clear</${Button}>
        <${Copy} value=${all} label="the lines shown" />`}>Live log</${Title}>
    <div class="filters" role="search">
      <input type="search" class="filter" value=${text} placeholder="Words, or /a regular expression/" aria-label="Only lines with" onInput=${(e) => setText(e.target.value)} />
      <select value=${level} aria-label="Level" onChange=${(e) => setLevel(e.target.value)}>${LEVELS.map(([value, name]) => html`<option value=${value}>${name}</option>`)}</select>
      <select value=${part} aria-label="Part of the server" onChange=${(e) => setPart(e.target.value)}><option value="">All parts</option>${parts.map((each) => html`<option value=${each}>${each}</option>`)}</select>
      <span class="muted" role="status">${count(shown.length, "line")}${shown.length !== lines.length && ` of ${number(lines.length)}`}${!running && ", paused"}</span>
    </div>
    ${broken && html`<p class="muted" role="status">This is no regular expression. It is searched for as plain words.</p>`}
    ${error && html`<${Failure} error=${error} />`}
    <div class="logbox">
      <div class="log card" ref=${box} tabindex="0" role="log" aria-label="Log lines" aria-live="off" onScroll=${scrolled}>
        ${shown.length === 0 && html`<${Empty} icon="terminal-2" text=${lines.length ? "No line matches the filter." : "No line yet."} />`}
        ${shown.length > DRAWN && html`<p class="muted">The newest ${number(DRAWN)} are shown; Save and Copy take all.</p>`}
        ${shown.slice(-DRAWN).map((line) => html`<${Line} line=${line} key=${line.key} onlySession=${onlySession} />`)}
      </div>
      ${!following && shown.length > 0 && html`<${Button} icon="arrow-down" onClick=${() => { setFollowing(true); toEnd(); }}>Newest lines</${Button}>`}
    </div>`;
}

function Line({ line, onlySession }) {
  return html`<div class=${`line ${line.level}`}><time datetime=${line.at}>${timeOfDay(line.at)}</time><b>${line.level}</b><span class="logger" title=${line.logger}>${line.logger}</span>
    <span class="grow">${line.message} <i>${fieldsOf(line)}</i>${line.fields.cid && html` <button type="button" class="link" onClick=${() => onlySession(line.fields.cid)}>Only this session</button>`}${line.trace && html`<details><summary>Trace</summary><pre>${line.trace}</pre></details>`}</span></div>`;
}
