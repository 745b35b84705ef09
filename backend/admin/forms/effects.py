"""What a save does, as sentences: which fields change, which DNS records are to be added or changed, whether a restart is needed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from backend.admin.forms.form import Form, Values
from backend.admin.language import Words
from backend.api import forms as f
from backend.checkup.facts import gather_facts
from backend.checkup.records import Record, expected_records
from backend.config.model import Config

MAX_CHANGES = 50  # sentences about fields in one reply
MAX_DOMAINS = 20  # whose records are compared

SENTENCES = (
    "“{label}” is set to {new}.",
    "“{label}” changes from {old} to {new}.",
    "“{label}” changes.",
    "“{label}” gets an entry: {entry}.",
    "“{label}” loses an entry: {entry}.",
    "“{label}”, {entry}: changes.",
    "“{label}”: a new password is kept.",
    "“{label}”: the password is forgotten.",
    "And {count} more changes.",
    "{name} is added.",
    "Nothing changes.",
    "No restart is needed.",
    "The server must be started again before this counts: {fields}.",
    "DNS record to add for {domain}: {type} {name}: {value}",
    "DNS record to change for {domain}: {type} {name}: {value}",
    "DNS record that may go for {domain}: {type} {name}",
    "The records of other domains change in the same way.",
    "on",
    "off",
    "nothing",
)
"""All texts of this module, for the catalogue."""


def effects_of(
    form: Form,
    key: str,
    old: Values | None,
    new: Values,
    configs: tuple[Config, Config],
    words: Words,
) -> list[f.Effect]:
    """`new` holds the secrets that are given, as texts; they are not told."""
    changes: list[f.Effect] = []
    if old is None:
        changes.append(f.Effect(text=words("{name} is added.", name=form.title(key))))
    else:
        changes += _changes(form.spec.fields, old, new, words)
    if len(changes) > MAX_CHANGES:
        more = words("And {count} more changes.", count=len(changes) - MAX_CHANGES)
        changes[MAX_CHANGES:] = [f.Effect(text=more)]
    if not changes:
        return [f.Effect(text=words("Nothing changes."), kind="note")]
    return [
        *changes,
        *form.notes(old, new, words),
        *_dns(*configs, words),
        _restart(form, old, new, words),
    ]


def needs_restart(form: Form, old: Values | None, new: Values) -> list[str]:
    """Labels of the fields whose change counts after a restart only."""
    return [
        each.label
        for each in form.spec.fields
        if (old or {}).get(each.key) != new.get(each.key)
        and _restarts(each, (old or {}).get(each.key), new.get(each.key))
    ]


def _restarts(field: f.Field, old: JsonValue, new: JsonValue) -> bool:
    if field.kind != "object" or not isinstance(old, dict) or not isinstance(new, dict):
        return field.restart
    return any(each.restart and old.get(each.key) != new.get(each.key) for each in field.fields)


def _restart(form: Form, old: Values | None, new: Values, words: Words) -> f.Effect:
    names = [words(label) for label in needs_restart(form, old, new)]
    if not names:
        return f.Effect(text=words("No restart is needed."), kind="note")
    text = words(
        "The server must be started again before this counts: {fields}.", fields=", ".join(names)
    )
    return f.Effect(text=text, kind="restart", page="/server")


# --- fields --------------------------------------------------------------------------------------------------------------


def _changes(
    fields: Sequence[f.Field], old: Mapping[str, Any], new: Mapping[str, Any], words: Words
) -> Iterator[f.Effect]:
    for each in fields:
        before, after = old.get(each.key), new.get(each.key)
        if before == after or each.kind == "readonly" or each.key not in new:
            continue
        label = words(each.label)
        if each.kind == "secret":
            yield from _secret(label, after, words)
        elif each.kind == "object" and isinstance(before, dict) and isinstance(after, dict):
            yield from _changes(each.fields, before, after, words)
        elif each.kind == "variant" and isinstance(before, dict) and isinstance(after, dict):
            yield from _variant(each, before, after, words)
        elif isinstance(before, dict) and isinstance(after, dict):
            yield from _entries(label, before, after, words)
        elif isinstance(before, list) and isinstance(after, list):
            yield from _items(each, label, before, after, words)
        elif isinstance(before, dict | list) or isinstance(after, dict | list):
            yield f.Effect(text=words("“{label}” changes.", label=label))
        else:
            yield _leaf(each, label, before, after, words)


def _leaf(
    field: f.Field, label: str, before: JsonValue, after: JsonValue, words: Words
) -> f.Effect:
    new = shown(field, after, words)
    if before in (None, ""):
        return f.Effect(text=words("“{label}” is set to {new}.", label=label, new=new))
    old = shown(field, before, words)
    return f.Effect(
        text=words("“{label}” changes from {old} to {new}.", label=label, old=old, new=new)
    )


def _secret(label: str, after: JsonValue, words: Words) -> Iterator[f.Effect]:
    if isinstance(after, str):
        text = words("“{label}”: a new password is kept.", label=label)
        yield f.Effect(text=text, kind="secret")
    elif after is None:
        text = words("“{label}”: the password is forgotten.", label=label)
        yield f.Effect(text=text, kind="secret")


def _variant(
    field: f.Field, before: dict[str, Any], after: dict[str, Any], words: Words
) -> Iterator[f.Effect]:
    titles = {each.value: each.title for each in field.variants}
    kinds = before.get(field.tag), after.get(field.tag)
    if kinds[0] != kinds[1]:
        old, new = (f"“{words(titles.get(str(kind), str(kind)))}”" for kind in kinds)
        yield f.Effect(
            text=words(
                "“{label}” changes from {old} to {new}.",
                label=words(field.label),
                old=old,
                new=new,
            )
        )
    fields = next((each.fields for each in field.variants if each.value == kinds[1]), [])
    if kinds[0] == kinds[1]:
        yield from _changes(fields, before, after, words)


def _entries(
    label: str, before: dict[str, Any], after: dict[str, Any], words: Words
) -> Iterator[f.Effect]:
    for key in before:
        if key not in after:
            yield f.Effect(text=words("“{label}” loses an entry: {entry}.", label=label, entry=key))
    for key, value in after.items():
        if key not in before:
            yield f.Effect(text=words("“{label}” gets an entry: {entry}.", label=label, entry=key))
        elif before[key] != value:
            yield f.Effect(text=words("“{label}”, {entry}: changes.", label=label, entry=key))


def _items(
    field: f.Field, label: str, before: list[Any], after: list[Any], words: Words
) -> Iterator[f.Effect]:
    simple = all(isinstance(each, str | int | float) for each in (*before, *after))
    if not simple or sorted(map(str, before)) == sorted(map(str, after)):
        yield f.Effect(text=words("“{label}” changes.", label=label))
        return
    item = field.item or field
    for each in before:
        if each not in after:
            entry = shown(item, each, words)
            yield f.Effect(
                text=words("“{label}” loses an entry: {entry}.", label=label, entry=entry)
            )
    for each in after:
        if each not in before:
            entry = shown(item, each, words)
            yield f.Effect(
                text=words("“{label}” gets an entry: {entry}.", label=label, entry=entry)
            )


def shown(field: f.Field, value: JsonValue, words: Words) -> str:
    """A value in a sentence."""
    for choice in field.choices:
        if choice.value == value:
            return f"“{words(choice.label)}”"
    if isinstance(value, bool):
        return words("on" if value else "off")
    if value is None or value == "":
        return words("nothing")
    if value == 0 and field.zero:
        return words(field.zero)
    if field.kind == "size" and isinstance(value, int):
        return _size(value)
    if field.kind == "duration":
        return f"{value} {field.duration_unit}"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _size(value: int) -> str:
    for exponent, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if value >= 1024**exponent:
            return f"{value / 1024**exponent:.4g} {unit}"
    return f"{value} bytes"


# --- DNS -----------------------------------------------------------------------------------------------------------------


def effects_of_configs(old: Config, new: Config, words: Words) -> list[f.Effect]:
    """The DNS records that are to be changed."""
    return list(_dns(old, new, words))


def _dns(old: Config, new: Config, words: Words) -> Iterator[f.Effect]:
    """Keys for signatures are left out: they do not change here."""
    both = [name for name in new.domains.domains if name in old.domains.domains]
    if old.server == new.server and old.domains.transports == new.domains.transports:
        names = [n for n in both if old.domains.domains[n] != new.domains.domains[n]]
    else:
        names = both
    found = [each for name in names[:MAX_DOMAINS] for each in _records(name, old, new, words)]
    yield from found
    if found and len(names) > MAX_DOMAINS:
        text = words("The records of other domains change in the same way.")
        yield f.Effect(text=text, kind="dns", page="/domains")


def _records(domain: str, old: Config, new: Config, words: Words) -> Iterator[f.Effect]:
    before, after = (
        {(each.type, each.name, each.code): each for each in _wanted(config, domain)}
        for config in (old, new)
    )
    page = f"/domains/{domain}/dns"

    def effect(text: str, record: Record, value: str = "") -> f.Effect:
        filled = words(text, domain=domain, type=record.type, name=record.name, value=value)
        return f.Effect(text=filled, kind="dns", page=page)

    for place, record in after.items():
        earlier = before.get(place)
        values = [each for each in record.values if earlier is None or each not in earlier.values]
        for value in values:
            is_change = earlier is not None and len(earlier.values) == 1 == len(record.values)
            yield effect(
                "DNS record to change for {domain}: {type} {name}: {value}"
                if is_change
                else "DNS record to add for {domain}: {type} {name}: {value}",
                record,
                value,
            )
    for place, record in before.items():
        if place not in after:
            yield effect("DNS record that may go for {domain}: {type} {name}", record)


def _wanted(config: Config, domain: str) -> list[Record]:
    return expected_records(gather_facts(config, domain))
