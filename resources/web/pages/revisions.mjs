import { html, useState } from "../lib/view.mjs";
import { call, get } from "../lib/api.mjs";
import { Ago, Button, Card, Empty, Icon, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { Ask, Diff } from "../lib/diff.mjs";
import { toast } from "../lib/toast.mjs";
import { number } from "../lib/format.mjs";

const PAGE = 50;

export function Revisions({ change }) {
  const [at, setAt] = useState(0);
  const list = useLoad(() => get("/config/revisions", { limit: PAGE, offset: at }), ["config"], [at]);
  return html`<a class="back" href="#/settings"><${Icon} name="arrow-left" />Settings</a>
    <${Title} intro="Each can be looked at and gone back to. Going back is a change of its own; mail is not touched.">Changes of the settings</${Title}>
    <${Loaded} of=${list}>${({ items, current, total }) => {
      if (!items.length) return html`<${Empty} icon="history" text="No change yet. Every change of the settings is kept here." />`;
      const shown = Number(change) || items[0].number;
      return html`<div class="halves"><${Card}><ul class="rows changes">${items.map(
        (item) => html`<li key=${item.number}><a href=${`#/settings/revisions/${item.number}`} aria-current=${item.number === shown ? "true" : undefined}>
          <span class="grow"><b>${item.number}. ${item.summary || "Change"}</b><small>${item.author} · <${Ago} at=${item.at} />${item.number === current && " · holds now"}</small></span></a></li>`,
      )}</ul>
      ${total > PAGE && html`<div class="pager"><${Button} icon="chevron-left" disabled=${at === 0} onClick=${() => setAt(Math.max(0, at - PAGE))}>Newer</${Button}><span>${number(total)} in all</span><${Button} icon="chevron-right" disabled=${at + PAGE >= total} onClick=${() => setAt(at + PAGE)}>Older</${Button}></div>`}</${Card}>
      <${One} key=${shown} number=${shown} item=${items.find((each) => each.number === shown)} current=${current} /></div>`;
    }}</${Loaded}>`;
}

function One({ number: which, item, current }) {
  const diff = useLoad(() => get(`/config/revisions/${which}/diff`), [], [which]);
  const [asking, setAsking] = useState(null);
  const [state, setState] = useState({});
  const attempt = async (work) => {
    setState({ busy: true });
    try {
      await work();
      setState({});
    } catch (error) {
      setState({ error });
      if (!asking) toast(error.message, { kind: "error" });
    }
  };
  const revert = (to, from) => call("POST", `/config/revisions/${to}/revert`, { revision: from });
  const goBack = () =>
    attempt(async () => {
      const made = await revert(which, current);
      setAsking(null);
      const undo = () => revert(current, made.revision).then(() => toast("The settings are as they were before."), (error) => toast(error.message, { kind: "error" }));
      if (made.revision === current) toast("The settings were like that already.");
      else toast(`The old settings hold again.${made.needs_restart ? " A part of them after a restart of the server." : ""}`, { undo });
      location.hash = "#/settings/revisions";
    });
  return html`<${Card} title=${`${which}. ${item?.summary || "Change"}`} icon="history"
      actions=${which !== current && html`<${Button} icon="restore" busy=${state.busy} onClick=${() => attempt(async () => setAsking(await get(`/config/revisions/${which}/revert`)))}>Go back to this…</${Button}>`}>
    <${Loaded} of=${diff}>${(value) => html`<${Diff} files=${value.files} />`}</${Loaded}>
    ${asking && html`<${Ask} title=${`Go back to the settings of change ${which}?`} found=${asking} verb="Go back" busy=${state.busy} error=${state.error} onYes=${goBack} onClose=${() => setAsking(null)}
      note="That is a change of its own: you can come back from it too. Mail is not touched." />`}
  </${Card}>`;
}
