"""What both faces must draw and give back, in one list: every field of every form, and the values of forms of a real server.

for case in cases():             a form with values that bring every field in it to light, and the keys that must be drawn
keys = await furnish(client)     something behind each form; form → key
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from backend.admin.forms.table import FORMS
from backend.api import forms as f
from backend.api import types as t
from backend.api.aliases import AddAlias
from backend.api.client import Client
from backend.api.delivery import AddMailRoute, AddTransport, RouteSettings, TransportSettings
from backend.api.queue import HoldRuleSettings

NOT_DRAWN: dict[tuple[str, str], str] = {}
"""(form, pointer of the field) → why a face goes without it. Nothing so far."""


ONLY_MADE: dict[str, str] = {
    "suppression": "An entry of the list is made anew instead of changed; the list shows what it is.",
}
"""Forms whose values are not read back, and why."""


@dataclass(frozen=True)
class Case:
    """`keys`: of the fields that the values bring to light, as often as they stand in them."""

    form: str
    spec: f.Spec
    values: dict[str, JsonValue]
    pointers: frozenset[str]
    keys: Counter[str]


def cases() -> Iterator[Case]:
    """Several of a form with variants: one for each of them."""
    for form in FORMS:
        spec = form.spec.model_copy(update={"fields": [_plain(each) for each in form.spec.fields]})
        turns = max((len(each.variants) for each in _all(spec.fields)), default=0) or 1
        for turn in range(turns):
            drawn: list[tuple[str, str]] = []
            values = {
                field.key: _sample(field, turn, f"/{field.key}", drawn) for field in spec.fields
            }
            drawn = [(p, key) for p, key in drawn if (form.id, p) not in NOT_DRAWN]
            yield Case(
                form.id,
                spec,
                values,
                frozenset(pointer for pointer, _ in drawn),
                Counter(key for _, key in drawn),
            )


def _plain(field: f.Field) -> f.Field:
    """Shown whatever the other values are, and unfolded."""
    return field.model_copy(
        update={
            "show_if": None,
            "level": "basic",
            "fields": [_plain(each) for each in field.fields],
            "item": _plain(field.item) if field.item is not None else None,
            "variants": [
                each.model_copy(update={"fields": [_plain(one) for one in each.fields]})
                for each in field.variants
            ],
        }
    )


def _all(fields: Sequence[f.Field]) -> Iterator[f.Field]:
    for field in fields:
        yield field
        yield from _all(field.fields)
        for variant in field.variants:
            yield from _all(variant.fields)
        if field.item is not None:
            yield from _all([field.item])


def _sample(field: f.Field, turn: int, at: str, drawn: list[tuple[str, str]]) -> JsonValue:
    if field.key:  # an entry is drawn by what is in it
        drawn.append((at, field.key))
    match field.kind:
        case "bool":
            return True
        case "int" | "float" | "duration" | "size":
            low = field.min if field.min is not None else 0
            return int(low) + (1 if field.max is None or low < field.max else 0)
        case "multi":
            return [choice.value for choice in field.choices[:1]]
        case "choice":
            return field.choices[-1].value if field.choices else "x"
        case "secret":
            return {"set": True}
        case "datetime":
            return "2026-01-02T03:04:05Z"
        case "object":
            return {one.key: _sample(one, turn, f"{at}/{one.key}", drawn) for one in field.fields}
        case "variant":
            variant = field.variants[turn % len(field.variants)]
            inside = {
                one.key: _sample(one, turn, f"{at}/{one.key}", drawn) for one in variant.fields
            }
            return {field.tag: variant.value, **inside}
        case "list":
            assert field.item is not None
            if field.item.kind in {"text", "ref"}:
                return ["entry.example.org"]  # chips, or plain lines that are one control
            return [_sample(field.item, turn, f"{at}/0", drawn)]
        case "map":
            assert field.item is not None
            return {"entry": _sample(field.item, turn, f"{at}/entry", drawn)}
        case _:
            return "text"


async def furnish(client: Client, domain: str) -> dict[str, str]:
    """Something behind every form; gives each form's key."""
    anna = f"anna@{domain}"
    await client.add_account(t.AddAccount(address=anna, id="anna", full_name="Anna Meier"))
    await client.add_alias(AddAlias(address=f"family@{domain}", members=[anna]))
    relay = TransportSettings(kind="submissions", host="smtp.relay.example", username="me")
    await client.add_transport(AddTransport(name="relay", settings=relay, password="secret 17"))
    route = RouteSettings(to_domain=[".example.net"], transport="relay")
    for level, owner in (("server", ""), ("domain", domain), ("account", "anna")):
        await client.add_mail_route(
            AddMailRoute.model_validate(
                {"level": level, "owner": owner, "position": 0, "route": route}
            )
        )
    await client.add_hold_rule("keep", HoldRuleSettings(to_domain=["slow.example"]))
    keys = {
        "domain": domain,
        "dkim": domain,
        "alias": f"family@{domain}",
        "account": "anna",
        "transport": "relay",
        "hold-rule": "keep",
    }
    return {form.id: keys.get(form.id, keys.get(form.id.partition("-")[0], "-")) for form in FORMS}


async def existing(client: Client, keys: dict[str, str]) -> dict[str, f.FormValues]:
    """The forms with something behind them, as the server has them now."""
    found = {}
    for form, key in keys.items():
        if form not in ONLY_MADE:
            found[form] = await client.form(form, key)
            assert found[form].exists, form
    return found


CHANGES: tuple[tuple[str, str, Any], ...] = (
    ("account", "full_name", "Anna Schmidt"),  # text
    ("account", "disabled", True),  # bool
    ("account-limits", "max_outgoing_messages_per_day", 17),  # int
    ("account-limits", "quota_bytes", 3_000_000_000),  # size
    ("server-admin", "session_minutes", 45),  # duration
    ("server-log", "level", "debug"),  # choice
    ("postmaster", "postmaster_account", "anna"),  # ref
    ("hold-rule", "to_domain", ["slow.example", "other.example"]),  # list
    ("domain", "description", "Our home"),
)
"""One of each kind: form, field, and what it becomes."""


def changed(values: dict[str, JsonValue], field: str, value: Any) -> dict[str, JsonValue]:
    return {**deepcopy(values), field: value}
