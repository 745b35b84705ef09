// One event stream for the whole browser: the tab that holds the lock reads it and passes events on to the others.
// HTTP/1.1 allows six connections to one server; a stream a tab would make the seventh tab hang.

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];

const listeners = new Set();
const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("gatepost-events") : null;
let started = false;
let connectNow = () => {};

/** `callback(event)` for every event; returns how to stop. Events have a `topic`; `link` tells whether the stream is up. */
export function listen(callback) {
  listeners.add(callback);
  start();
  return () => listeners.delete(callback);
}

/** After signing in again: every page reads its things anew, and the stream does not wait for its turn. */
export function refresh() {
  share({ topic: "resync" });
  connectNow();
}

function tell(event) {
  for (const callback of [...listeners]) callback(event);
}

function start() {
  if (started) return;
  started = true;
  channel?.addEventListener("message", (message) => tell(message.data));
  if (navigator.locks) navigator.locks.request("gatepost-events", () => readForever());
  else readForever();
}

function share(event) {
  tell(event);
  channel?.postMessage(event);
}

function readForever() {
  return new Promise(() => {
    let failures = 0;
    let timer = 0;
    let source = null;
    const connect = () => {
      source = new EventSource("/api/v1/events");
      source.onopen = () => {
        if (failures) share({ topic: "resync" });
        failures = 0;
        share({ topic: "link", up: true });
      };
      source.onmessage = (message) => share(JSON.parse(message.data));
      source.onerror = () => {
        // The browser reconnects by itself unless the server refused; then this does, ever more slowly.
        if (failures === 0) share({ topic: "link", up: false });
        failures += 1;
        if (source.readyState === EventSource.CLOSED) {
          timer = setTimeout(connect, RETRY_MS[Math.min(failures - 1, RETRY_MS.length - 1)]);
        }
      };
    };
    connectNow = () => {
      if (source.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      connect();
    };
    connect();
  });
}
