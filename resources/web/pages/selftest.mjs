import { html, useState } from "../lib/view.mjs";
import { get, post, seg } from "../lib/api.mjs";
import { Button, Dialog, Failure, Field } from "../lib/parts.mjs";

/** Sends an account a message and goes to its timeline. Asks which account only when there are several. */
export function SelfTest({ account, kind = "primary" }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [accounts, setAccounts] = useState(null);
  const [chosen, setChosen] = useState("");
  const sendTo = async (id) => {
    setBusy(true);
    setError(null);
    try {
      const sent = await post(`/accounts/${seg(id)}/test-message`);
      location.hash = `/activity/${seg(sent.trace)}`;
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const begin = async () => {
    if (account) {
      await sendTo(account);
      return;
    }
    setBusy(true);
    setError(null);
    try {
      const { items } = await get("/accounts", { limit: 500 });
      if (!items.length) throw new Error("Add an account first: the message needs somebody to go to.");
      if (items.length === 1) {
        await sendTo(items[0].id);
        return;
      }
      setChosen(items[0].id);
      setAccounts(items);
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const close = () => setAccounts(null);
  const submit = (event) => {
    event.preventDefault();
    sendTo(chosen);
  };
  return html`<${Button} kind=${kind} icon="send" busy=${busy} onClick=${begin}>Send yourself a message</${Button}>
    ${error && !accounts && html`<${Failure} error=${error} />`}
    ${accounts &&
    html`<${Dialog} title="Send yourself a message" onClose=${close}><form onSubmit=${submit}>
      <p>The server sends it through its own SMTP port, as another server would. You see every step.</p>
      <${Field} label="To">${(shared) => html`<select ...${shared} value=${chosen} onChange=${(e) => setChosen(e.target.value)}>
        ${accounts.map((each) => html`<option value=${each.id}>${each.addresses.find((a) => !a.catch_all)?.address ?? each.id}</option>`)}</select>`}</${Field}>
      ${error && html`<${Failure} error=${error} />`}
      <div class="buttons"><${Button} onClick=${close}>Cancel</${Button}><${Button} type="submit" kind="primary" icon="send" busy=${busy}>Send</${Button}></div>
    </form></${Dialog}>`}`;
}
