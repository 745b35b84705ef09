"""What a form is to the server: where its values come from, what a change of them makes of the configuration.

A form stands on one part of the configuration. Faults that the models find there are led back to the path in the form's values.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar, cast

from pydantic import BaseModel, JsonValue, ValidationError

from backend.admin.forms.wording import fault_of_model
from backend.admin.language import Words
from backend.admin.services import Services
from backend.admin.specs.check import KEY_PATH, Fault, Path, check_values
from backend.admin.specs.compile import compile_fields
from backend.api import forms as f
from backend.config.fields import MAX_NAME_CHARS
from backend.config.model import Config

Values = dict[str, JsonValue]
M = TypeVar("M", bound=BaseModel)


class InvalidError(Exception):
    """The values can't be used."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{'/'.join(fault.path)}: {fault.code}" for fault in faults))
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a save does with secrets: the new ones, and those to forget, by their path in the form. Others stay."""

    given: Mapping[Path, str]
    forgotten: frozenset[Path]
    held: dict[Path, str] = field(default_factory=dict)
    """What a form has looked up before the save, for afterwards."""

    def __repr__(self) -> str:
        return f"Secrets({len(self.given)} given, {len(self.forgotten)} forgotten)"


class Form(ABC):
    """One kind of form. `key` of one that there is only once is empty."""

    id: str

    @cached_property
    def spec(self) -> f.Spec:
        """In English, without its version."""
        return self.make_spec()

    @abstractmethod
    def make_spec(self) -> f.Spec: ...

    def normal_key(self, key: str) -> str:
        """As the configuration spells it."""
        return key

    @abstractmethod
    def read(self, config: Config, key: str) -> Values | None:
        """The values that hold, without secrets; None when there is no such thing."""

    @abstractmethod
    def write(self, config: Config, key: str, values: Values) -> Config:
        """The configuration with them.

        Raises:
            InvalidError: faults of single values, with their paths in the form.
        """

    @abstractmethod
    def place(self, key: str) -> Path:
        """Where it stands in the configuration, for faults between settings."""

    def path_of(self, below: Path) -> Path:
        """From a path below `place` to one in the values."""
        return below

    def first_values(self) -> Values:
        """What a new one begins with; only of forms that create."""
        return {}

    def check_key(self, key: str) -> list[Fault]:  # noqa: ARG002  # others need it
        """Of a new one."""
        return []

    def title(self, key: str) -> str:
        return key

    async def mark_secrets(  # noqa: B027  # most forms have none
        self, services: Services, key: str, values: Values
    ) -> None:
        """Puts `{"set": …}` where the values have secrets."""

    async def keep_secrets(  # noqa: B027  # most forms have none
        self, services: Services, key: str, secrets: Secrets, *, is_new: bool, before: bool
    ) -> None:
        """Before and after the change of the configuration."""

    def check_secrets(self, secrets: Secrets) -> list[Fault]:  # noqa: ARG002  # others need it
        return []

    def notes(self, old: Values | None, new: Values, words: Words) -> list[f.Effect]:  # noqa: ARG002  # others need them
        """Effects beside those that the differences tell."""
        return []


def _all_basic(fields: Sequence[f.Field]) -> list[f.Field]:
    """Who comes to a form of a few settings came for these."""
    return [
        each.model_copy(update={"level": "basic", "fields": _all_basic(each.fields)})
        for each in fields
    ]


@dataclass(eq=False)
class PartForm(Form):
    """A form on some settings of one model, as they are. `only` empty: on all of them."""

    id: str
    model: type[BaseModel]
    words: f.Spec
    """Everything of the specification but its fields."""
    get: Callable[[Config, str], BaseModel | None]
    put: Callable[[Config, str, Any], Config]
    prefix: Callable[[str], Path]
    only: tuple[str, ...] = ()
    spelled: Callable[[str], str] = str
    plain: bool = False
    """All its settings are shown at once."""

    def make_spec(self) -> f.Spec:
        fields = compile_fields(self.model, only=self.only)
        if self.plain or not any(each.level == "basic" for each in fields):
            fields = _all_basic(fields)
        return self.words.model_copy(update={"id": self.id, "fields": fields})

    def normal_key(self, key: str) -> str:
        return self.spelled(key)

    def place(self, key: str) -> Path:
        return self.prefix(key)

    def read(self, config: Config, key: str) -> Values | None:
        found = self.get(config, key)
        if found is None:
            return None
        names = set(self.only or self.model.model_fields)
        return cast(Values, found.model_dump(mode="json", include=names))

    def write(self, config: Config, key: str, values: Values) -> Config:
        found = self.get(config, key)
        assert found is not None
        return self.put(config, key, checked(self.model, {**found.model_dump(), **values}))


@dataclass(eq=False)
class NamedForm(PartForm):
    """On one of several things under names that people choose; it makes new ones too."""

    key_field: f.Field | None = None

    def make_spec(self) -> f.Spec:
        spec = super().make_spec()
        return spec.model_copy(update={"creates": True, "key_field": self.key_field})

    def first_values(self) -> Values:
        return first_values_of(self.spec.fields)

    def check_key(self, key: str) -> list[Fault]:
        return check_key(self.key_field, key)

    def write(self, config: Config, key: str, values: Values) -> Config:
        found = self.get(config, key)
        stored = {} if found is None else found.model_dump()
        return self.put(config, key, checked(self.model, {**stored, **values}))


class RowForm(Form):
    """A form whose values are rows of a database, not settings. `check` has found no fault in what is saved."""

    def read(self, config: Config, key: str) -> Values | None:  # noqa: ARG002  # rows are read from the database
        return None

    def write(self, config: Config, key: str, values: Values) -> Config:  # noqa: ARG002  # rows are written by `save_row`
        return config

    def place(self, key: str) -> Path:  # noqa: ARG002  # it has none in the configuration
        return ()

    @abstractmethod
    async def save_row(self, services: Services, key: str, values: Values) -> list[Fault]:
        """Writes it, or tells why not."""


def checked(model: type[M], data: Mapping[str, Any]) -> M:
    """Raises:
    InvalidError: with every fault that the model finds, at its path in `data`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        raise InvalidError([fault_of_model(each) for each in found]) from None


def with_domains(config: Config, **changes: object) -> Config:
    return replace(config, domains=config.domains.model_copy(update=changes))


def with_server(config: Config, **changes: object) -> Config:
    return replace(config, server=config.server.model_copy(update=changes))


def first_values_of(fields: Sequence[f.Field]) -> Values:
    """What a new thing begins with: defaults, and empty where something must be filled in."""
    empty: dict[str, JsonValue] = {"text": "", "file": "", "code": "", "ref": "", "multi": []}
    empty |= {"list": [], "map": {}, "bool": False}
    values: Values = {}
    for each in fields:
        if each.default is not None or each.nullable:
            values[each.key] = each.default
        elif each.kind == "object":
            values[each.key] = first_values_of(each.fields)
        else:
            values[each.key] = empty.get(each.kind)
    return values


_NAME = r"[a-z0-9][a-z0-9._-]*"


def name_field(ask: str, *, suggest_from: str = "", help_: str = "How routes call it.") -> f.Field:
    """Of a thing that people give a name."""
    return f.Field(
        key="name",
        kind="text",
        label="Name",
        help=help_,
        required=True,
        autofocus=True,
        placeholder="relay",
        max_length=MAX_NAME_CHARS,
        pattern=f.Pattern(
            regex=_NAME,
            message="Lower-case letters, digits, “.”, “_” and “-”, the first a letter or digit.",
        ),
        suggest_from=suggest_from,
        ask=ask,
    )


def check_key(field: f.Field | None, key: str) -> list[Fault]:
    """Whether a new thing can be called so; faults have the path of a key."""
    assert field is not None
    return check_values([field.model_copy(update={"key": KEY_PATH[0]})], {KEY_PATH[0]: key})
