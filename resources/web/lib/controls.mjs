// One control for each kind of field that the server's specifications know (backend/api/forms.py lists the kinds).
import { html, useEffect, useRef, useState } from "./view.mjs";
import { get } from "./api.mjs";
import { holds, isEmpty, valueAt } from "./conditions.mjs";
import { begin, beginAll, beginVariant, brief, equal, fill, pointer, withValue } from "./values.mjs";
import { Button, Icon, useLoad } from "./parts.mjs";
import { dateTime } from "./format.mjs";

const UNITS = [[1, "bytes"], [1024, "KiB"], [1024 ** 2, "MiB"], [1024 ** 3, "GiB"]];
const SECONDS = { s: "seconds", min: "minutes", h: "hours", d: "days" };
const FEW = 3; // so many choices are shown at once

/** The fields of an object that stands at `at`; what is seldom needed folds away. `form`: values, set, faults. */
export function Fields({ fields, form, at = [] }) {
  const shown = fields.filter((field) => holds(field.show_if, form.values, at));
  const basic = shown.filter((field) => (field.level ?? "basic") === "basic");
  const more = shown.filter((field) => !basic.includes(field));
  const draw = (field) => html`<${Control} key=${field.key} field=${field} form=${form} at=${at} />`;
  const faulty = more.some((field) => form.faults.some((fault) => within(fault.path, [...at, field.key])));
  return html`${basic.map(draw)}
    ${more.length > 0 && html`<details class="more" open=${faulty || undefined}><summary>More settings</summary><div class="fields">${more.map(draw)}</div></details>`}`;
}

const within = (path, place) => path === pointer(place) || path.startsWith(`${pointer(place)}/`);
const words = (fault) => [fault.message, fault.fix].filter(Boolean).join(" ");

function Control({ field, form, at }) {
  const path = field.key === "" ? at : [...at, field.key];
  const id = pointer(path);
  const value = valueAt(form.values, path);
  const fault = form.faults.filter((each) => each.path === id).map(words).join(" ");
  const set = (next) => form.set(path, next);
  const [touched, touch] = useState(false);
  const source = field.suggest_from ? valueAt(form.values, [...at, ...field.suggest_from.split("/")]) : null;
  useEffect(() => {
    if (form.isNew && !touched && source) set(String(source).split("@")[0].split(".").filter((part) => !/^(smtp|mail|mx\d*|www)$/.test(part))[0]?.toLowerCase() ?? "");
  }, [source]);
  const needed = field.required || (field.required_if && holds(field.required_if, form.values, at));
  const described = [field.help && `${id}?`, fault && `${id}!`].filter(Boolean).join(" ") || undefined;
  const shared = {
    id,
    "aria-describedby": described,
    "aria-invalid": fault ? "true" : undefined,
    disabled: field.readonly || form.readonly || (field.enable_if && !holds(field.enable_if, form.values, at)) || undefined,
  };
  const Kind = CONTROLS[field.kind] ?? Text;
  const inner = html`<${Kind} field=${field} form=${form} path=${path} value=${value} set=${(next) => (touch(true), set(next))} shared=${shared} />`;
  const isGroup = Kind.isGroup?.(field);
  const label = html`${field.label}${!needed && OPTIONAL.has(field.kind) && isEmpty(field.default ?? null) && !field.key.startsWith("_") && field.key !== "" && html` <span class="muted">(optional)</span>`}`;
  const notes = html`${field.help && html`<small id=${`${id}?`}>${field.help}${field.zero && !/\b0\b/.test(field.help) && ` 0 means ${field.zero}.`}${field.restart && " Counts after a restart of the server."}</small>`}
    ${field.help_long && html`<details class="long"><summary>Learn more</summary><small>${field.help_long}</small></details>`}
    ${field.resettable && !equal(value, field.default) && !shared.disabled && html`<button type="button" class="link small" onClick=${() => set(structuredClone(field.default))}>Reset to ${brief(field.default)}</button>`}
    ${fault && html`<small id=${`${id}!`} class="fault"><${Icon} name="alert-circle" />${fault}</small>`}`;
  if (isGroup) {
    return html`<fieldset id=${id} tabindex="-1" aria-describedby=${described} class=${`group ${fault ? "faulty" : ""}`} data-field=${field.key}>
      <legend>${label}</legend>${notes}${inner}</fieldset>`;
  }
  if (field.kind === "bool") {
    return html`<div class=${fault ? "field faulty" : "field"} data-field=${field.key}><div class="check">${inner}<label for=${id}>${field.label}</label></div>${notes}</div>`;
  }
  return html`<div class=${`field w-${field.width ?? "l"} ${fault ? "faulty" : ""}`} data-field=${field.key}>
    ${field.key !== "" && html`<label for=${id}>${label}</label>`}${inner}${notes}</div>`;
}

const OPTIONAL = new Set(["text", "secret", "datetime", "file", "code"]);

function Text({ field, value, set, shared }) {
  const list = field.suggestions?.length ? `${shared.id}~` : undefined;
  const rest = { ...shared, value: value ?? "", placeholder: field.placeholder, maxlength: field.max_length, spellcheck: false, autocomplete: "off", list, "aria-label": field.key === "" ? field.label : undefined, onInput: (event) => set(event.target.value) };
  if (field.multiline || field.kind === "code") return html`<textarea ...${rest} class=${field.kind === "code" ? "code" : ""} rows=${field.kind === "code" ? 14 : 3}></textarea>`;
  return html`<input ...${rest} />${list && html`<datalist id=${list}>${field.suggestions.map((each) => html`<option value=${each} />`)}</datalist>`}`;
}

function Secret({ field, value, set, shared }) {
  const stored = useRef(value?.set === true).current;
  const typed = typeof value === "string" ? value : "";
  const gone = value === null && stored;
  return html`<div class="with-button"><input ...${shared} type="password" autocomplete="new-password" maxlength=${field.max_length} value=${typed}
      placeholder=${gone ? "It will be forgotten" : stored ? "Stored – leave empty to keep it" : field.placeholder}
      onInput=${(event) => set(event.target.value || { set: stored })} />
    ${stored && !field.required && html`<button type="button" class="copy" onClick=${() => set(gone ? { set: true } : null)}>${gone ? "Keep it" : "Forget it"}</button>`}</div>`;
}

function NumberBox({ field, value, set, shared }) {
  // What is no number yet stays as it was typed; the server says what is wrong with it.
  const typed = (text) => (text.trim() === "" ? null : String(Number(text)) === text ? Number(text) : text);
  const settle = (event) => event.target.value.trim() !== "" && Number.isFinite(Number(event.target.value)) && set(Number(event.target.value));
  return html`<div class="with-unit"><input ...${shared} inputmode=${field.kind === "float" ? "decimal" : "numeric"} autocomplete="off" value=${value ?? ""}
    onInput=${(event) => set(typed(event.target.value))} onBlur=${settle} />${(field.kind === "duration" ? SECONDS[field.duration_unit ?? "s"] : field.unit) && html`<span class="muted">${field.kind === "duration" ? SECONDS[field.duration_unit ?? "s"] : field.unit}</span>`}</div>`;
}

function Size({ field, value, set, shared }) {
  const [unit, setUnit] = useState(() => [...UNITS].reverse().find(([bytes]) => value && value % bytes === 0)?.[0] ?? 1024 ** 2);
  const shown = typeof value === "number" ? value / unit : value;
  return html`<div class="with-unit"><input ...${shared} inputmode="decimal" autocomplete="off" value=${shown ?? ""}
      onInput=${(event) => set(event.target.value.trim() === "" ? null : Number.isFinite(Number(event.target.value)) ? Math.round(Number(event.target.value) * unit) : event.target.value)} />
    <select aria-label=${`Unit of ${field.label}`} value=${unit} disabled=${shared.disabled} onChange=${(event) => setUnit(Number(event.target.value))}>${UNITS.map(([bytes, name]) => html`<option value=${bytes}>${name}</option>`)}</select></div>`;
}

function Check({ value, set, shared }) {
  return html`<input ...${shared} type="checkbox" checked=${value === true} onChange=${(event) => set(event.target.checked)} />`;
}

function Choice({ field, value, set, shared }) {
  if (asRadios(field)) return html`<${Radios} field=${field} choices=${field.choices ?? []} value=${value} set=${set} shared=${shared} />`;
  return html`<${Select} field=${field} choices=${field.choices ?? []} value=${value} set=${set} shared=${shared} />`;
}
const asRadios = (field) => field.widget === "radio" || (field.choices?.length <= FEW && field.choices.some((choice) => choice.help));
Choice.isGroup = asRadios;

function Select({ field, choices, value, set, shared }) {
  const all = field.nullable && !choices.some((choice) => choice.value === null) ? [{ value: null, label: "–" }, ...choices] : choices;
  const at = all.findIndex((choice) => equal(choice.value, value ?? null));
  // A value that is no longer among the choices stays until another one is picked.
  return html`<select ...${shared} onChange=${(event) => set(all[event.target.value].value)}>
    ${at < 0 && html`<option selected disabled value="">${isEmpty(value) ? "Choose …" : String(value)}</option>`}
    ${all.map((choice, index) => html`<option value=${index} selected=${index === at} disabled=${Boolean(choice.disabled)}>${choice.label}${choice.disabled && ` – ${choice.disabled}`}</option>`)}
  </select>`;
}

function Radios({ choices, value, set, shared, cards = false }) {
  return html`<div class=${cards ? "radio-cards" : "radios"} role="radiogroup">${choices.map(
    (choice, index) => html`<label class=${equal(choice.value, value) ? "chosen" : ""} key=${index}>
      <input type="radio" name=${shared.id} disabled=${shared.disabled || Boolean(choice.disabled)} checked=${equal(choice.value, value)} onChange=${() => set(choice.value)} />
      ${cards && choice.icon && html`<${Icon} name=${choice.icon} />`}
      <span><b>${choice.label}</b>${(choice.disabled || choice.help) && html`<small>${choice.disabled || choice.help}</small>`}</span></label>`,
  )}</div>`;
}

function Multi({ field, value, set, shared }) {
  const chosen = Array.isArray(value) ? value : [];
  const flip = (choice) => set(chosen.some((one) => equal(one, choice.value)) ? chosen.filter((one) => !equal(one, choice.value)) : [...chosen, choice.value]);
  return html`<div class="radios">${(field.choices ?? []).map(
    (choice, index) => html`<label key=${index}><input type="checkbox" disabled=${shared.disabled || Boolean(choice.disabled)} checked=${chosen.some((one) => equal(one, choice.value))} onChange=${() => flip(choice)} />
      <span>${choice.label}${(choice.disabled || choice.help) && html`<small>${choice.disabled || choice.help}</small>`}</span></label>`,
  )}</div>`;
}
Multi.isGroup = () => true;

/** What the server lists; there is always a way to make a new one, and a word when there is none. */
function Ref({ field, value, set, shared }) {
  const { path, items = "items", value: key = "name", label = "", create, create_label, empty, first = [] } = field.choices_from ?? {};
  const found = useLoad(() => get(path), ["config"], [path]);
  const rows = found.value?.[items] ?? [];
  const choices = [...first, ...rows.map((row) => ({ value: row[key], label: (label && row[label]) || String(row[key]) }))];
  return html`<${Select} field=${field} choices=${choices} value=${value} set=${set} shared=${shared} />
    ${found.value && rows.length === 0 && empty && html`<small>${empty}</small>`}
    ${found.error && html`<small class="fault">${found.error.message}</small>`}
    ${create && html`<a class="small" href=${`#${create}`}>${create_label || "Make a new one"}</a>`}`;
}

function Moment({ value, set, shared }) {
  const local = value ? new Date(new Date(value) - new Date(value).getTimezoneOffset() * 60_000).toISOString().slice(0, 16) : "";
  return html`<input ...${shared} type="datetime-local" value=${local} onInput=${(event) => set(event.target.value ? new Date(event.target.value).toISOString().replace(".000", "") : null)} />`;
}

function Readonly({ value, shared }) {
  const isTime = typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);
  return html`<output id=${shared.id}>${isTime ? dateTime(value) : brief(value)}</output>`;
}

function Group({ field, form, path, value, set }) {
  const before = useRef(null);
  const on = value !== null && value !== undefined;
  const flip = () => {
    if (on) before.current = value;
    set(on ? null : (before.current ?? beginAll(field.fields)));
  };
  return html`${field.nullable && html`<label class="check"><input type="checkbox" checked=${on} disabled=${form.readonly} onChange=${flip} /><span>${on ? "Switched on" : "Switched off"}</span></label>`}
    ${(on || !field.nullable) && html`<${Fields} fields=${field.fields ?? []} form=${form} at=${path} />`}`;
}
Group.isGroup = () => true;

function Variant({ field, form, path, value, set, shared }) {
  const left = useRef({}); // what was typed for the others comes back with them
  const variants = field.variants ?? [];
  const now = variants.find((variant) => variant.value === value?.[field.tag]);
  const choose = (tag) => {
    if (now) left.current[now.value] = value;
    set(left.current[tag] ?? beginVariant(field, variants.find((variant) => variant.value === tag)));
  };
  const choices = variants.map(({ value: tag, title, help, icon }) => ({ value: tag, label: title, help, icon }));
  return html`<${Radios} cards=${field.widget === "cards"} choices=${choices} value=${now?.value} set=${choose} shared=${shared} />
    ${now?.fields?.length > 0 && html`<div class="fields" key=${now.value}><${Fields} fields=${now.fields} form=${form} at=${path} /></div>`}`;
}
Variant.isGroup = () => true;

const hasChips = (field) => field.widget === "chips" && field.item?.kind === "text";
const isPlain = (field) => !["object", "variant", "list", "map"].includes(field.item?.kind);

function List({ field, form, path, value, set, shared }) {
  const entries = Array.isArray(value) ? value : [];
  const full = entries.length >= (field.max_items ?? Infinity);
  const without = (index) => set(entries.filter((_, at) => at !== index));
  const move = (index, by) => {
    const copy = [...entries];
    copy.splice(index + by, 0, ...copy.splice(index, 1));
    set(copy);
  };
  if (hasChips(field)) return html`<${Chips} field=${field} entries=${entries} set=${set} without=${without} shared=${shared} form=${form} />`;
  return html`<ol class="entries">${entries.map((entry, index) => {
    const title = field.item_title ? fill(field.item_title, entry, index) : `${field.item.label} ${index + 1}`;
    return html`<li key=${index} class=${isPlain(field) ? "plain-entry" : "entry"}>
      ${!isPlain(field) && html`<b>${title}</b>`}
      <${Entry} field=${field.item} form=${form} at=${[...path, index]} />
      ${!shared.disabled && html`<span class="entry-buttons">
        ${field.ordered && html`<button type="button" class="copy" disabled=${index === 0} aria-label=${`Move ${title} up`} onClick=${() => move(index, -1)}><${Icon} name="arrow-up" /></button>
        <button type="button" class="copy" disabled=${index === entries.length - 1} aria-label=${`Move ${title} down`} onClick=${() => move(index, 1)}><${Icon} name="arrow-down" /></button>`}
        <button type="button" class="copy danger" aria-label=${`Remove ${title}`} onClick=${() => without(index)}><${Icon} name="trash" /></button></span>`}
    </li>`;
  })}</ol>
  ${!shared.disabled && !full && html`<${Button} icon="plus" class="button start" onClick=${() => set([...entries, begin(field.item)])}>${field.add_label || `Add ${field.item.label.toLowerCase()}`}</${Button}>`}`;
}
List.isGroup = (field) => !hasChips(field);

const Entry = ({ field, form, at }) =>
  field.kind === "object" && !field.nullable ? html`<div class="fields"><${Fields} fields=${field.fields ?? []} form=${form} at=${at} /></div>` : html`<${Control} field=${{ ...field, key: "" }} form=${form} at=${at} />`;

/** Short texts in a row; Enter, a comma or pasting many adds them. */
function Chips({ field, entries, set, without, shared, form }) {
  const [text, setText] = useState("");
  const add = (typed) => {
    const fresh = typed.split(/[\s,;]+/).filter((each) => each && !entries.includes(each));
    setText("");
    if (fresh.length) set([...entries, ...fresh].slice(0, field.max_items ?? Infinity));
  };
  const keys = (event) => {
    if (event.key === "Enter" || event.key === ",") {
      if (!text.trim() && event.key === "Enter") return;
      event.preventDefault();
      add(text);
    } else if (event.key === "Backspace" && !text && entries.length) without(entries.length - 1);
  };
  return html`<div class="tokens">${entries.map((entry, index) => {
      const faulty = form.faults.some((fault) => fault.path === `${shared.id}/${index}`);
      return html`<span class=${faulty ? "token faulty" : "token"} key=${entry}>${entry}${!shared.disabled && html`<button type="button" aria-label=${`Remove ${entry}`} onClick=${() => without(index)}><${Icon} name="x" /></button>`}</span>`;
    })}
    <input id=${shared.id} aria-describedby=${shared["aria-describedby"]} aria-label=${field.add_label || `Add to ${field.label}`} disabled=${shared.disabled} value=${text} placeholder=${field.item.placeholder} autocomplete="off"
      onInput=${(event) => setText(event.target.value)} onKeyDown=${keys} onBlur=${() => add(text)}
      onPaste=${(event) => /[\s,;]/.test(event.clipboardData.getData("text").trim()) && (event.preventDefault(), add(event.clipboardData.getData("text")))} /></div>
    ${form.faults.filter((fault) => fault.path.startsWith(`${shared.id}/`)).map((fault) => html`<small class="fault"><${Icon} name="alert-circle" />${words(fault)}</small>`)}`;
}

function Table({ field, form, path, value, set, shared }) {
  const [name, setName] = useState("");
  const entries = Object.entries(value ?? {});
  const add = () => {
    if (name.trim() && !(name.trim() in (value ?? {}))) set({ ...value, [name.trim()]: begin(field.item) });
    setName("");
  };
  return html`<ol class="entries">${entries.map(([key, entry], index) => html`<li class="entry" key=${key}>
      <b>${field.item_title ? fill(field.item_title, entry, index, key) : key}</b>
      <${Entry} field=${field.item} form=${form} at=${[...path, key]} />
      ${form.faults.filter((fault) => fault.path === pointer([...path, key])).map((fault) => html`<small class="fault">${words(fault)}</small>`)}
      ${!shared.disabled && html`<span class="entry-buttons"><button type="button" class="copy danger" aria-label=${`Remove ${key}`} onClick=${() => set(withValue(value, [key], undefined))}><${Icon} name="trash" /></button></span>`}
    </li>`)}</ol>
    ${!shared.disabled && html`<div class="with-button"><input aria-label=${field.key_field?.label ?? "Name"} placeholder=${field.key_field?.placeholder || field.key_field?.label} value=${name} onInput=${(event) => setName(event.target.value)}
      onKeyDown=${(event) => event.key === "Enter" && (event.preventDefault(), add())} /><${Button} icon="plus" onClick=${add}>${field.add_label || "Add"}</${Button}></div>`}`;
}
Table.isGroup = () => true;

export const CONTROLS = {
  text: Text, code: Text, file: Text, secret: Secret, int: NumberBox, float: NumberBox, duration: NumberBox, size: Size, bool: Check, choice: Choice, multi: Multi,
  ref: Ref, datetime: Moment, readonly: Readonly, object: Group, variant: Variant, list: List, map: Table,
};
