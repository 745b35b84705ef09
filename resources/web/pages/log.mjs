import { html, useEffect, useRef, useState } from "../lib/view.mjs";
import { get } from "../lib/api.mjs";
import { Button, Copy, Empty, Failure, Title } from "../lib/parts.mjs";
import { timeOfDay } from "../lib/format.mjs";

const KEPT = 10_000;
const DRAWN = 500; // rows in the page at once; the newest ones
const LEVELS = ["debug", "info", "warning", "error"];

export function LiveLog() {
  const [lines, setLines] = useState([]);
  const [level, setLevel] = useState("info");
  const [text, setText] = useState("");
  const [running, setRunning] = useState(true);
  const [error, setError] = useState(null);
  const last = useRef(0);
  const box = useRef(null);

  useEffect(() => {
    if (!running) return undefined;
    let stream;
    let ended = false;
    const add = (more) => {
      if (!more.length) return;
      last.current = more[more.length - 1].seq;
      setLines((old) => [...old, ...more].slice(-KEPT));
    };
    get("/log", { limit: 1000, level: "debug", after: last.current }).then(
      (log) => {
        if (ended) return;
        add(log.lines);
        setError(null);
        stream = new EventSource(`/api/v1/log/stream?after=${last.current}`);
        stream.onmessage = (message) => {
          const line = JSON.parse(message.data);
          if (line.seq > last.current) add([line]);
        };
      },
      (problem) => setError(problem),
    );
    return () => {
      ended = true;
      stream?.close();
    };
  }, [running]);

  const needle = text.toLowerCase();
  const worst = LEVELS.indexOf(level);
  const words = (line) => `${line.logger} ${line.message} ${Object.entries(line.fields).map(([name, value]) => `${name}=${value}`).join(" ")}`;
  const shown = lines.filter((line) => LEVELS.indexOf(line.level) >= worst && (!needle || words(line).toLowerCase().includes(needle)));
  useEffect(() => {
    if (running && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown.length, running]);
  const all = () => shown.map((line) => `${line.at} ${line.level.toUpperCase()} ${words(line)}`).join("\n");

  return html`<${Title} intro="What the server does, line by line. Passwords and message texts are never logged."
      actions=${html`<${Button} icon=${running ? "player-pause" : "player-play"} onClick=${() => setRunning(!running)}>${running ? "Pause" : "Go on"}</${Button}><${Copy} value=${all()} label="the lines shown" />`}>Live log</${Title}>
    <div class="filters" role="search">
      <input type="search" class="filter" value=${text} placeholder="Only lines with" aria-label="Only lines that hold this text" onInput=${(e) => setText(e.target.value)} />
      <label>From <select value=${level} onChange=${(e) => setLevel(e.target.value)}>${LEVELS.map((name) => html`<option>${name}</option>`)}</select></label>
    </div>
    ${error && html`<${Failure} error=${error} />`}
    <div class="log card" ref=${box} tabindex="0" role="log" aria-label="Log lines" aria-live="off">
      ${shown.length === 0 && html`<${Empty} icon="terminal-2" text=${lines.length ? "No line matches the filter." : "No line yet."} />`}
      ${shown.slice(-DRAWN).map(
        (line) => html`<div class=${`line ${line.level}`} key=${line.seq}><time>${timeOfDay(line.at)}</time><b>${line.level}</b><span>${line.logger}</span>
          <span class="grow">${line.message} ${Object.entries(line.fields).map(([name, value]) => html`<i>${name}=${String(value)} </i>`)}${line.trace && html`<details><summary>Trace</summary><pre>${line.trace}</pre></details>`}</span></div>`,
      )}
    </div>`;
}
