// Pages that are fetched when they are opened: what nobody looks at is not loaded.
import { html, useEffect, useState } from "./view.mjs";
import { Failure } from "./parts.mjs";

const LATE_MS = 200;

/** `fetch`: how the module is imported; `name`: the component in it. */
export function lazy(fetch, name) {
  let module = null;
  return function Lazy(props) {
    const [state, setState] = useState({});
    const load = () => {
      setState({});
      fetch().then(
        (found) => setState({ ready: Boolean((module = found)) }),
        () => setState({ error: new Error("This page could not be fetched. The server may be restarting.") }),
      );
      setTimeout(() => setState((now) => (now.ready || now.error ? now : { late: true })), LATE_MS);
    };
    useEffect(() => {
      if (!module) load();
    }, []);
    if (module) return html`<${module[name]} ...${props} />`;
    // A module that failed to load stays failed in the browser until the whole page is loaded again.
    if (state.error) return html`<${Failure} error=${state.error} retry=${() => location.reload()} />`;
    return state.late ? html`<div class="skeleton" role="status" aria-label="Loading"><i></i><i></i><i></i></div>` : null;
  };
}
