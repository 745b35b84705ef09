// Reading from the server, and reading again when an event says that something has changed.
import { useCallback, useEffect, useRef, useState } from "./view.mjs";
import { listen } from "./events.mjs";

const QUIET_MS = 150; // a burst of events makes one reading

/**
 * @param {() => Promise<any>} read
 * @param {string[]} topics events that make the value stale
 * @param {any[]} again values that `read` depends on
 * @returns {{value: any, error: Error | null, reload: () => void}} the last value stays while a new one is read
 */
export function useLoad(read, topics = [], again = []) {
  const [state, setState] = useState({ value: undefined, error: null });
  const turn = useRef(0);
  const reload = useCallback(async () => {
    const mine = (turn.current += 1);
    try {
      const value = await read();
      if (mine === turn.current) setState({ value, error: null });
    } catch (error) {
      if (mine === turn.current) setState((old) => ({ value: old.value, error }));
    }
  }, again);
  useEffect(() => {
    reload();
    let timer = 0;
    const stop = listen((event) => {
      const matters = topics.includes(event.topic) || event.topic === "resync" || (event.topic === "link" && event.up);
      if (!matters) return;
      clearTimeout(timer);
      timer = setTimeout(reload, QUIET_MS);
    });
    return () => {
      turn.current += 1;
      clearTimeout(timer);
      stop();
    };
  }, [reload]);
  return { ...state, reload };
}
