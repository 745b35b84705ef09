// An account's password: setting one, and showing one the only time it can be shown.
import { html, useState } from "../lib/view.mjs";
import { post, seg } from "../lib/api.mjs";
import { Banner, Button, Dialog, Failure, Field, Value } from "../lib/parts.mjs";
import { toast } from "../lib/toast.mjs";

export const SHORTEST_PASSWORD = 12;

/** An empty one is fine: the server makes one up. */
const passwordFault = (password) =>
  password && password.length < SHORTEST_PASSWORD ? `Use at least ${SHORTEST_PASSWORD} characters, or leave it empty to get a generated one.` : "";

function ShownPassword({ title, address, password, onClose }) {
  return html`<${Dialog} title=${title} onClose=${onClose}>
    ${address && html`<${Value} label="User name" value=${address} />`}
    <${Value} label="Password" value=${password} />
    <${Banner} kind="warn" icon="alert-triangle"><b>This is the only time the password is shown.</b> Copy it into the mail program or a password safe now. If it is lost, set a new one.</${Banner}>
    <div class="buttons">
      <${Button} kind="primary" autofocus onClick=${onClose}>Done</${Button}>
    </div>
  </${Dialog}>`;
}

export function NewPassword({ account, address, onClose }) {
  const [password, setPassword] = useState("");
  const [made, setMade] = useState(null);
  const [fault, setFault] = useState("");
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setError(null);
    setFault(passwordFault(password));
    if (passwordFault(password)) return;
    setBusy(true);
    try {
      const reply = await post(`/accounts/${seg(account)}/password`, password ? { password } : {});
      if (reply.password) setMade(reply.password);
      else {
        toast("The password was set.");
        onClose();
      }
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  if (made) return html`<${ShownPassword} title="The new password" address=${address} password=${made} onClose=${onClose} />`;
  return html`<${Dialog} title="Set a new password" onClose=${onClose}><form onSubmit=${submit} novalidate>
    <p>Mail programs that use the old password must be told the new one.</p>
    <${Field} label="New password" optional help="Leave it empty to get a strong one, which is shown once." type="password" autocomplete="new-password" autofocus value=${password} fault=${fault || error?.at?.("/password")} onInput=${(e) => setPassword(e.target.value)} />
    ${error && !error.at?.("/password") && html`<${Failure} error=${error} />`}
    <div class="buttons"><${Button} onClick=${onClose}>Cancel</${Button}><${Button} type="submit" kind="primary" busy=${busy}>Set password</${Button}></div>
  </form></${Dialog}>`;
}
