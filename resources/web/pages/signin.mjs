import { html, useState } from "../lib/view.mjs";
import { call } from "../lib/api.mjs";
import { Button, Dialog, Failure, Field } from "../lib/parts.mjs";

/** `dialog`: the session ended while a page was open; what was typed there stays. */
export function SignIn({ onSignedIn, dialog = false }) {
  const [password, setPassword] = useState("");
  const [keep, setKeep] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      onSignedIn(await call("POST", "/session", { body: { password, keep_signed_in: keep }, quiet: true }));
      setBusy(false);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  const form = html`<form onSubmit=${submit}>
    <input type="text" class="offscreen" name="username" value="admin" autocomplete="username" tabindex="-1" aria-hidden="true" readonly />
    <${Field} label="Administrator's password" type="password" name="password" autocomplete="current-password" value=${password} autofocus required
      onInput=${(event) => setPassword(event.target.value)} />
    <label class="check"><input type="checkbox" checked=${keep} onChange=${(event) => setKeep(event.target.checked)} />Keep me signed in on this device</label>
    ${error && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} type="submit" kind="primary" busy=${busy} icon="login">Sign in</${Button}></div>
  </form>`;
  if (dialog) {
    return html`<${Dialog} title="Please sign in again" ><p class="muted">Your session has ended. What you were doing is kept.</p>${form}</${Dialog}>`;
  }
  return html`<main class="signin" id="content">
    <img src="icons/gatepost.svg" alt="" width="56" height="56" />
    <h1>Gatepost</h1>
    ${form}
    <p class="muted">Password lost? On the server's own computer, open the Gatepost window, or type <code>gatepost admin-password</code>.</p>
  </main>`;
}
