"""From the two TOML texts to a checked configuration, with all faults at once, each with file, line and path."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from backend.config.check import check
from backend.config.fields import normal_address
from backend.config.lines import Path, find_lines, line_of
from backend.config.model import DomainsConfig, ServerConfig
from backend.config.sentences import pointer, to_problem
from backend.core.address import AddressError, parse_domain
from backend.core.errors import ConfigError
from backend.core.problems import Problem

M = TypeVar("M", bound=BaseModel)

SERVER_FILE = "server.toml"
DOMAINS_FILE = "domains.toml"
MAX_KEY_PARTS = 50  # names in a dotted name, a security limit: paths cost their length squared
_QUOTED = re.compile(r"\"(?:[^\"\\\n]|\\.)*+\"?|'[^'\n]*'?|#[^\n]*")
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")

# What tomllib says, in words for people; anything else is shown as it says it.
_SYNTAX = {
    "Invalid value": "There is no usable value, or the list is not closed",
    "Expected '=' after a key in a key/value pair": "There is no equals sign behind the name",
    "Cannot overwrite a value": "The setting stands in the file twice",
    "Expected newline or end of document after a statement": "Something follows the value on the same line",
    "Invalid statement": "This line is neither a setting nor a table",
    "Unterminated string": "The closing quotation mark is missing",
    "Illegal character '\\n'": "The closing quotation mark is missing at the end of the line",
    "Unclosed array": "The closing bracket of the list is missing",
    "Invalid initial character for a key part": "The name of the setting is missing or holds a character that needs quotation marks",
}


@lru_cache(maxsize=4)
def _lines(text: str) -> Mapping[Path, int]:
    return find_lines(text)


@dataclass(frozen=True, slots=True)
class Completed:
    """A destination that was written as a bare localpart (behaviour A1)."""

    account: str
    localpart: str
    address: str


@dataclass(frozen=True, slots=True)
class Parsed(Generic[M]):
    """One file. `model` is None when there are problems. `spelling` leads from a path in the model to the key as the
    file has it, where the two differ.
    """

    model: M | None
    problems: tuple[Problem, ...]
    text: str = ""
    spelling: dict[Path, str] = field(default_factory=dict)
    completed: tuple[Completed, ...] = ()

    def line(self, path: Path) -> int:
        written = tuple(
            self.spelling.get(path[: index + 1], part) for index, part in enumerate(path)
        )
        return line_of(_lines(self.text), written)


@dataclass(frozen=True, slots=True)
class Loaded:
    server: ServerConfig
    domains: DomainsConfig
    server_file: Parsed[ServerConfig]
    domains_file: Parsed[DomainsConfig]


def load_texts(server_text: str, domains_text: str) -> Loaded:
    """Raises:
    ConfigError: with every fault of both files.
    """
    server, domains = parse_server(server_text), parse_domains(domains_text)
    problems = [*server.problems, *domains.problems]
    if server.model is not None and domains.model is not None and not problems:
        for problem in check(server.model, domains.model):
            problems.append(_locate(problem, server, domains))
        if not problems:
            return Loaded(server.model, domains.model, server, domains)
    raise ConfigError(problems)


def parse_server(text: str) -> Parsed[ServerConfig]:
    data = _read(text, SERVER_FILE)
    if isinstance(data, Problem):
        return Parsed(None, (data,))
    return _validate(ServerConfig, data, SERVER_FILE, text, _Notes())


def parse_domains(text: str) -> Parsed[DomainsConfig]:
    data = _read(text, DOMAINS_FILE)
    if isinstance(data, Problem):
        return Parsed(None, (data,))
    notes = _Notes()
    return _validate(DomainsConfig, _normal(data, notes), DOMAINS_FILE, text, notes)


def server_from_data(data: Mapping[str, Any]) -> ServerConfig:
    """From plain values, as a form sends them.

    Raises:
        ConfigError: with all faults of single values; those between values are found when it is applied.
    """
    return _model_or_error(_validate(ServerConfig, dict(data), "", "", _Notes()))


def domains_from_data(data: Mapping[str, Any]) -> DomainsConfig:
    """As `server_from_data`."""
    notes = _Notes()
    return _model_or_error(_validate(DomainsConfig, _normal(dict(data), notes), "", "", notes))


def _model_or_error(parsed: Parsed[M]) -> M:
    if parsed.model is None:
        raise ConfigError(parsed.problems)
    return parsed.model


@dataclass(slots=True)
class _Notes:
    spelling: dict[Path, str] = field(default_factory=dict)
    completed: list[Completed] = field(default_factory=list)
    duplicates: list[Path] = field(default_factory=list)


def _read(text: str, file: str) -> dict[str, Any] | Problem:
    for number, bare in enumerate(_QUOTED.sub("", text).split("\n"), 1):
        if bare.count(".") > MAX_KEY_PARTS:
            return _syntax_problem(file, number, "The name of the setting has too many parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _AT_LINE.search(message)
        line = int(place[1]) if place and place[1] else max(1, text.count("\n"))
        plain = _AT_LINE.sub("", message)
        sentence = next((said for key, said in _SYNTAX.items() if plain.startswith(key)), plain)
        return _syntax_problem(file, line, sentence)
    except RecursionError:
        return _syntax_problem(file, 1, "Brackets stand within brackets too many times")
    except ValueError:  # of int(), which takes some thousand digits at most
        return _syntax_problem(file, 1, "A number has too many digits")


def _syntax_problem(file: str, line: int, sentence: str) -> Problem:
    return Problem(
        code="config.syntax",
        file=file,
        line=line,
        message=f"{sentence}.",
        fix=f'Correct line {line} of {file}; settings look like: name = "value"',
    )


def _validate(
    model: type[M], data: dict[str, Any], file: str, text: str, notes: _Notes
) -> Parsed[M]:
    parsed: Parsed[M] = Parsed(None, (), text, notes.spelling, tuple(notes.completed))
    problems = [
        Problem(
            code="config.duplicate",
            path=pointer(path),
            message=f"“{path[-1]}” is there twice, in two spellings.",
            fix="Remove one of the two.",
        )
        for path in notes.duplicates
    ]
    places: list[Path] = list(notes.duplicates)
    value: M | None = None
    try:
        value = model.model_validate(data)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            problems.append(to_problem(found, model))
            places.append(tuple(part for part in found["loc"] if part != "[key]"))
    if not problems:
        return replace(parsed, model=value)
    if file:
        problems = [
            replace(problem, file=file, line=parsed.line(place))
            for problem, place in zip(problems, places, strict=True)
        ]
    problems.sort(key=lambda problem: problem.line)
    return replace(parsed, problems=tuple(problems))


def _locate(
    problem: Problem, server: Parsed[ServerConfig], domains: Parsed[DomainsConfig]
) -> Problem:
    parts = [part.replace("~1", "/").replace("~0", "~") for part in problem.path.split("/")[1:]]
    is_server = bool(parts) and parts[0] in ServerConfig.model_fields
    parsed = server if is_server else domains
    file = SERVER_FILE if is_server else DOMAINS_FILE
    return replace(problem, file=file, line=_line_of_parts(parsed, parts))


def _line_of_parts(parsed: Parsed[Any], parts: list[str]) -> int:
    """As `Parsed.line`, for a path whose places in lists are still text."""
    path: Path = ()
    written: Path = ()
    lines = _lines(parsed.text)
    for part in parts:
        path = (*path, part)
        key = parsed.spelling.get(path, part)
        if (*written, key) in lines:
            written = (*written, key)
        elif part.isdecimal() and (*written, int(part)) in lines:
            written = (*written, int(part))
        else:
            break
    return lines.get(written, 1)


def _normal(data: dict[str, Any], notes: _Notes) -> dict[str, Any]:
    """Keys in their normal form, bare localparts completed. What can't be understood is left for the model to refuse."""
    result = dict(data)
    if isinstance(domains := data.get("domains"), dict):
        result["domains"] = _rekey(domains, ("domains",), _normal_domain, notes)
    if isinstance(accounts := data.get("accounts"), dict):
        result["accounts"] = {
            name: _normal_account(name, account, notes) for name, account in accounts.items()
        }
    return result


def _normal_account(name: str, account: object, notes: _Notes) -> object:
    if not isinstance(account, dict) or not isinstance(account.get("destinations"), dict):
        return account
    domain = account.get("domain")
    path: Path = ("accounts", name, "destinations")

    def complete(key: str) -> str:
        if "@" in key or not isinstance(domain, str):
            return _normal_address(key)
        address = _normal_address(f"{key}@{domain}")
        if address != f"{key}@{domain}" and "@" not in address:
            return key
        notes.completed.append(Completed(name, key, address))
        return address

    return {**account, "destinations": _rekey(account["destinations"], path, complete, notes)}


def _rekey(table: dict[str, Any], path: Path, normal: Any, notes: _Notes) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in table.items():
        name = normal(key)
        if name in result:
            notes.duplicates.append((*path, name))
            continue
        if name != key:
            notes.spelling[*path, name] = key
        result[name] = value
    return result


def _normal_domain(key: str) -> str:
    try:
        return parse_domain(key).ascii
    except AddressError:
        return key


def _normal_address(key: str) -> str:
    try:
        return normal_address(key)
    except AddressError:
        return key
