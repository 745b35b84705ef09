// Lists of things that people name, and the form of one: what it is called is asked first, then its form opens.
import { html, useState } from "../lib/view.mjs";
import { seg } from "../lib/api.mjs";
import { Button, Card, Dialog, Field, Icon, Loaded, Title, useLoad } from "../lib/parts.mjs";
import { ActionButton, SpecForm, getSpec } from "../lib/form.mjs";
import { SpecList } from "../lib/listing.mjs";
import { PAGES } from "../lib/registry.mjs";

const Back = ({ to }) => to && html`<a class="back" href=${`#${to.path}`}><${Icon} name="arrow-left" />${to.title}</a>`;
const parentOf = (page) => PAGES.find((each) => each.id === page.parent);
const listOf = (page) => PAGES.find((each) => each.path === page.path.slice(0, page.path.lastIndexOf("/")));

export function KeyedList({ page, task }) {
  const spec = useLoad(() => getSpec(page.form), [], [page.form]);
  const add = spec.value?.listing.actions.map((action) => html`<${ActionButton} key=${action.id} action=${action} name="" />`);
  return html`<${Back} to=${parentOf(page)} /><${Title} intro=${spec.value?.help} actions=${add}>${page.title}</${Title}>
    <${Card}><${SpecList} id=${page.form} /></${Card}>
    ${task === "new" && spec.value && html`<${AskKey} spec=${spec.value} path=${page.path} />`}`;
}

function AskKey({ spec, path }) {
  const field = spec.key_field;
  const [key, setKey] = useState("");
  const [fault, setFault] = useState("");
  const goOn = (event) => {
    event.preventDefault();
    const wanted = key.trim();
    if (!wanted) setFault(field.ask || `${field.label} is missing.`);
    else if (wanted === "new") setFault("“new” has a meaning of its own here. Choose another one.");
    else if (field.pattern && !new RegExp(`^(?:${field.pattern.regex})$`, "u").test(wanted)) setFault(field.pattern.message);
    else location.hash = `${path}/${seg(wanted)}`;
  };
  return html`<${Dialog} title=${spec.listing.actions[0].title} onClose=${() => (location.hash = path)}><form onSubmit=${goOn}>
    <${Field} label=${field.label} help=${field.help} placeholder=${field.placeholder} value=${key} fault=${fault} autocomplete="off" autofocus onInput=${(event) => (setKey(event.target.value), setFault(""))} />
    <div class="buttons"><a class="button" href=${`#${path}`}>Cancel</a><${Button} kind="primary" type="submit">Go on</${Button}></div></form></${Dialog}>`;
}

export function KeyedForm({ page, name }) {
  const spec = useLoad(() => getSpec(page.form), [], [page.form]);
  const list = listOf(page);
  return html`<${Back} to=${list} /><${Title} intro=${spec.value?.help}>${name}</${Title}>
    <${Loaded} of=${spec}>${() => html`<${SpecForm} id=${page.form} name=${name} onSaved=${() => (location.hash = list.path)} />`}</${Loaded}>`;
}
