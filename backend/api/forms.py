"""What goes over the admin API about forms: their specification, their values, what a save answers.

A `Spec` says all that a face needs to draw a form or a list: it is made on the server from the settings' models, in the
language of `Accept-Language`. There are no `$ref`s, no unions and no JSON Schema in it. In its JSON, whatever is at its default is left out.

Values are plain JSON:

| kind | value |
|---|---|
| text, code, file, ref, choice | text; `file` is a path on the server's computer; `choice` may be a number or a boolean too |
| secret | from the server `{"set": true}` or `{"set": false}`. To the server: the same, or left out: stays as it is; a text: the new one; null: forget it |
| int, float, bool | number, boolean |
| multi | list of the chosen values |
| list | list of values of the `item` field |
| map | object from keys (of the field `key_field`) to values of the `item` field |
| object | object of its `fields`; null when `nullable` and switched off |
| variant | object of the chosen variant's fields, and its `tag` with the variant's value |
| size | bytes |
| duration | number in the field's `duration_unit` |
| datetime | `2026-11-23T20:15:00Z` |
| readonly | anything; shown as text, needs not be sent back |

A field that is not shown (`show_if`) keeps its value and sends it. A field of the form that is left out stays as it is on the
server; one inside of an object or an entry gets its default. Values that the form has no field for are refused.
Faults come all at once (status 422), each with the JSON pointer of its field in these values: `/via/auth/username`. The tag of
a variant is `/via/kind`; a key of a map that is wrong has the pointer of its entry.
"""

from typing import Annotated, Literal

from pydantic import Field as Setting
from pydantic import JsonValue

from backend.api.conditions import Cond
from backend.api.types import Problem, Reply, Request

Kind = Literal[
    "text",
    "secret",
    "int",
    "float",
    "bool",
    "choice",
    "multi",
    "list",
    "map",
    "object",
    "variant",
    "ref",
    "duration",
    "size",
    "datetime",
    "file",
    "code",
    "readonly",
]
Level = Literal["basic", "advanced", "expert"]
Width = Literal["xs", "s", "m", "l", "full"]

MAX_VALUES = 20_000
"""Values in one form that is sent, a security limit."""
MAX_DEPTH = 12
"""Levels of a form that is sent, a security limit."""


class Choice(Reply):
    """`disabled`: why it can't be chosen now; empty when it can."""

    value: JsonValue
    label: str
    help: str = ""
    icon: str = ""
    disabled: str = ""


class ChoicesFrom(Reply):
    """Choices that the server lists. `path` is a GET route below /api/v1; its reply has the list in `items`.

    `{key}` in it is the key of the form. In each entry, `value` and `label` name the members to take. `create` is the page on which a new one is made: a picker
    always offers it. `empty`: what to say when there is none yet. `first`: choices in front, such as "none".
    """

    path: str
    items: str = "items"
    value: str = "name"
    label: str = ""
    create: str = ""
    create_label: str = ""
    empty: str = ""
    first: list[Choice] = Setting(default_factory=list)


class Pattern(Reply):
    """`regex` must match the whole text, in the part of the syntax that Python and browsers share."""

    regex: str
    message: str


class Variant(Reply):
    """One card of a variant field. `help` says in one line what it is for."""

    value: str
    title: str
    help: str = ""
    icon: str = ""
    level: Level = "basic"
    fields: "list[Field]" = Setting(default_factory=list)


class Field(Reply):
    """One field. Labels stand above, help and fault below, in one column.

    `level` other than basic: behind "More settings". `default` is what "reset" goes back to; a face shows that only when `resettable`.
    `restart`: a change counts only after the server was started again. `show_if` hides the field, `required_if` makes it
    needed, `enable_if` greys it out. Checks in the face are a courtesy: the server's word is final.
    `widget` is a wish: radio, cards, chips, textarea, toggle, group_toggle, reorder, sentence, password; a face that does not know
    it draws the kind's own. `custom:NAME` must exist in both faces.
    """

    key: str
    kind: Kind
    label: str
    help: str = ""
    help_long: str = ""
    placeholder: str = ""
    unit: str = ""
    default: JsonValue = None
    resettable: bool = False
    required: bool = False
    nullable: bool = False
    readonly: bool = False
    autofocus: bool = False
    level: Level = "basic"
    width: Width = "l"
    widget: str = ""
    icon: str = ""
    restart: bool = False
    keywords: str = ""
    """Other words by which the search finds it."""
    ask: str = ""
    """What to say when it is missing: "Enter the server name". The server's fault says the same."""

    show_if: Cond | None = None
    required_if: Cond | None = None
    enable_if: Cond | None = None

    # int, float, size, duration
    min: int | float | None = None
    max: int | float | None = None
    duration_unit: Literal["s", "min", "h", "d"] = "s"
    zero: str = ""
    """What 0 stands for, such as "no limit"; a face may offer it as a switch."""

    # text, secret, code
    min_length: int | None = None
    max_length: int | None = None
    pattern: Pattern | None = None
    multiline: bool = False
    language: str = ""
    """Of code: toml, json, text."""
    suggestions: list[str] = Setting(default_factory=list)
    suggest_from: str = ""
    """A path (see `backend.api.conditions`) from whose value this one is proposed while it is empty or untouched: the
    first label of a host name, the part before an @."""

    # choice, multi, ref; also text with proposals
    choices: list[Choice] = Setting(default_factory=list)
    choices_from: ChoicesFrom | None = None

    # file
    accept: list[str] = Setting(default_factory=list)

    # object
    fields: "list[Field]" = Setting(default_factory=list)

    # variant
    tag: str = ""
    variants: list[Variant] = Setting(default_factory=list)

    # list, map
    item: "Field | None" = None
    key_field: "Field | None" = None
    """Of a map: what its keys are."""
    ordered: bool = False
    """The order means something: offer to move entries."""
    min_items: int | None = None
    max_items: int | None = None
    add_label: str = ""
    item_title: str = ""
    """How an entry is called in a list of objects: text with `{key}` for a value of the entry, `{#}` for its place and
    `{@}` for its key in a map."""


class Section(Reply):
    """A part of a form: keys of top-level fields in their order. A field that no section names stands at the end."""

    title: str = ""
    help: str = ""
    icon: str = ""
    fields: list[str]
    collapsed: bool = False
    level: Level = "basic"


class Confirm(Reply):
    """Asked before an action. `type_name`: the name of the thing must be typed."""

    title: str
    text: str = ""
    verb: str
    type_name: bool = False


class Undo(Reply):
    """The request that takes an action back: as in `Action`, filled with the values from before it."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str
    body: dict[str, JsonValue] = Setting(default_factory=dict)


class Action(Reply):
    """Something to do from a form, a row or a selection.

    Either `page` (a path in the face) or `method` and `path` (a route below /api/v1); both may hold `{key}` for the key of the form or
    the row, and `{name}` for a column. `body` is what is sent, its texts filled in the same way (a text that is nothing but `{name}` becomes the value itself); with `sends` "values" the values of the form, with "keys" the chosen
    rows as `{"ids": [...]}`. `unsaved`: works on what is not saved yet. `result`: what comes back: nothing worth showing,
    a job to be followed, or a report to be shown.
    """

    id: str
    title: str
    help: str = ""
    icon: str = ""
    kind: Literal["primary", "plain", "danger"] = "plain"
    page: str = ""
    method: Literal["", "GET", "POST", "PUT", "PATCH", "DELETE"] = ""
    path: str = ""
    body: dict[str, JsonValue] = Setting(default_factory=dict)
    sends: Literal["", "values", "keys"] = ""
    unsaved: bool = False
    result: Literal["", "job", "report"] = ""
    done: str = ""
    """What to say afterwards."""
    confirm: Confirm | None = None
    undo: Undo | None = None
    """Offered for ten seconds afterwards."""
    show_if: Cond | None = None
    """Over the form's or the row's values."""


class Column(Reply):
    """`key` is a path in the row (`via/kind`). `kind` says how the value is written; of a `state`, `choices` has words and icons."""

    key: str
    title: str
    kind: Literal["text", "code", "number", "size", "time", "bool", "state", "list", "count"] = (
        "text"
    )
    help: str = ""
    sortable: bool = True
    main: bool = False
    """The column that names the row; it is a link to `ListSpec.page`."""
    width: Width = "m"
    priority: int = 1
    """On narrow screens, what has the largest number goes first."""
    empty: str = ""
    of: str = ""
    """Of a size: the path of the whole that it is a part of, 0 for none; a bar shows the share."""
    choices: list[Choice] = Setting(default_factory=list)


class EmptyText(Reply):
    """What a list says that has no row yet."""

    title: str
    text: str = ""
    icon: str = ""
    action: Action | None = None


class ListSpec(Reply):
    """A list of things. `path` is a GET route below /api/v1, the rows are its reply's `items`, `key` names the member that tells them
    apart. `paged`: the route takes `limit`, `offset`, `search`, `sort` (a column, `-` in front for downwards) and the
    filters by their keys as query, and gives `total`; otherwise the face has all rows and does that itself.
    """

    path: str
    items: str = "items"
    key: str = "name"
    columns: list[Column]
    filters: list[Field] = Setting(default_factory=list)
    sort: str = ""
    searchable: bool = True
    paged: bool = False
    cursor: bool = False
    """The route takes `limit`, `text` (what is searched for), the filters, and as `cursor` what the reply before gave as `next`;
    empty after the last page. It can't be sorted."""
    page: str = ""
    """Where a row opens, with `{key}`."""
    actions: list[Action] = Setting(default_factory=list)
    row_actions: list[Action] = Setting(default_factory=list)
    mass_actions: list[Action] = Setting(default_factory=list)
    empty: EmptyText
    events: list[str] = Setting(default_factory=list)
    """Topics of the event stream after which it is to be loaded again."""


class Spec(Reply):
    """A form, a list, or both. `version` changes with the content."""

    id: str
    version: str
    title: str
    help: str = ""
    icon: str = ""
    key: Literal["", "domain", "account", "transport", "alias", "name"] = ""
    """What the key is; empty: there is only one such form, and its key is `-`."""
    page: str = ""
    """Where it is edited, with `{key}`."""
    creates: bool = False
    """A PUT to a key that is not there yet makes the thing. A face asks for the key first, with `key_field`; its faults have
    the path `/@key`."""
    key_field: Field | None = None
    fields: list[Field] = Setting(default_factory=list)
    layout: list[Section] = Setting(default_factory=list)
    actions: list[Action] = Setting(default_factory=list)
    listing: ListSpec | None = None


class SpecHead(Reply):
    id: str
    version: str
    title: str
    page: str = ""


class Specs(Reply):
    """`language` is the one that the texts are in."""

    items: list[SpecHead]
    language: str


class FormValues(Reply):
    """`revision` goes into `If-Match` of the save. `exists`: false shows what a new one begins with."""

    id: str
    key: str = ""
    title: str = ""
    exists: bool = True
    values: dict[str, JsonValue]
    revision: int
    issues: list[Problem] = Setting(default_factory=list)
    """What is worth a word though it can be saved (warnings)."""


class SaveForm(Request):
    """All values of the form. A secret that stays is left out or `{"set": true}`."""

    values: dict[str, JsonValue]


class SaveQuery(Request):
    """`dry_run`: checks and tells the effects, changes nothing."""

    dry_run: bool = False


class Effect(Reply):
    """One thing that the save does or asks for, as a sentence. `page`: where more about it stands."""

    text: str
    kind: Literal["change", "dns", "restart", "secret", "note"] = "change"
    page: str = ""


class Saved(Reply):
    """`saved` false: it was a dry run. `needs_restart`: a part counts only after the server was started again."""

    saved: bool = True
    revision: int
    values: dict[str, JsonValue]
    """As they are now, in their normal form."""
    effects: list[Effect] = Setting(default_factory=list)
    needs_restart: bool = False
    warnings: list[Problem] = Setting(default_factory=list)


class Conflict(Reply):
    """In the refusal of a save (409, member `conflict`): what holds now, and what the save began from, if that is still known."""

    theirs: FormValues
    base: FormValues | None = None


class FoundItem(Reply):
    """What the search has found: a page, a form, or a field of one. `path` is the page to open; `field` the pointer of the field in
    the form, which is one of the thing's own when the path is that of a list. `words`: what else it is found by.
    """

    title: str
    kind: Literal["page", "form", "field"]
    path: str
    icon: str = ""
    context: str = ""
    """The title of the form."""
    field: str = ""
    help: str = ""
    words: str = ""


class Found(Reply):
    items: list[FoundItem]


class SearchQuery(Request):
    """`q` empty: everything that can be found."""

    q: str = Setting(default="", max_length=200)
    limit: Annotated[int, Setting(ge=1, le=2000)] = 20
