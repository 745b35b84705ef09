"""Which mailboxes match? Patterns, the hierarchy and LIST's extensions (RFC 9051 §6.3.9, RFC 5258)."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from backend.imap.commands import List

DELIMITER = "/"


@dataclass(frozen=True, slots=True)
class Entry:
    r"""A mailbox of the store, or (`exists` False) a name that is merely subscribed. `special_use` as in `\Sent`."""

    name: str
    subscribed: bool = False
    special_use: str = ""
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the answer."""

    name: str
    attributes: tuple[str, ...]
    child_info: tuple[str, ...] = ()
    exists: bool = True


def normal_name(name: str) -> str:
    """INBOX in any case is INBOX, also as the first level."""
    first, delimiter, rest = name.partition(DELIMITER)
    return f"INBOX{delimiter}{rest}" if first.upper() == "INBOX" else name


class _Patterns:
    """RFC 9051 §6.3.9: `*` matches anything, `%` anything but the delimiter."""

    def __init__(self, reference: str, patterns: Iterable[str]) -> None:
        names = [normal_name(reference + pattern) for pattern in patterns]
        self._names = frozenset(name for name in names if _WILDCARDS.search(name) is None)
        self._patterns = [_compile(name) for name in names if name not in self._names]

    def match(self, name: str) -> bool:
        return name in self._names or any(matches(name) for matches in self._patterns)


_WILDCARDS = re.compile(r"[*%]+")


def _compile(pattern: str) -> Callable[[str], object]:
    # Runs of wildcards are drawn together: "*%" matches what "*" does.
    pieces = re.findall(r"[*%]+|[^*%]+", pattern)
    pieces = [piece if piece[0] not in "*%" else max(piece, key="%*".index) for piece in pieces]
    if sum(piece in "*%" for piece in pieces) > 1:
        return partial(_matches, pieces)
    wild = {"*": ".*", "%": f"[^{DELIMITER}]*"}
    return re.compile(
        "".join(wild.get(piece) or re.escape(piece) for piece in pieces), re.DOTALL
    ).fullmatch


def _matches(pieces: Sequence[str], name: str) -> bool:
    """SECURITY: a regular expression with several wildcards would try for ages; here a place is looked at once a piece."""
    places = {0}  # where the pieces so far may end
    for piece in pieces:
        if piece == "*":
            places = set(range(min(places), len(name) + 1))
        elif piece == "%":
            reached: set[int] = set()
            for place in sorted(places):
                if place not in reached:
                    end = name.find(DELIMITER, place)
                    reached.update(range(place, (len(name) if end < 0 else end) + 1))
            places = reached
        else:
            places = {place + len(piece) for place in places if name.startswith(piece, place)}
        if not places:
            return False
    return len(name) in places


@dataclass(slots=True)
class _Node:
    entry: Entry | None = None
    has_children: bool = False
    subscribed_below: bool = False
    special_below: bool = False
    names: list[str] = field(default_factory=list)


def list_mailboxes(entries: Sequence[Entry], command: List) -> list[Listed]:
    """The answer to LIST, parents first, INBOX at the top."""
    nodes = _tree(entries)
    patterns = _Patterns(command.reference, command.patterns)
    by_subscription = "SUBSCRIBED" in command.select
    by_use = "SPECIAL-USE" in command.select
    recursive = "RECURSIVEMATCH" in command.select
    answer: list[Listed] = []
    for name, node in sorted(nodes.items(), key=lambda item: _order(item[0])):
        if not patterns.match(name):
            continue
        entry = node.entry
        exists = entry is not None and entry.exists
        selected = (not by_subscription or (entry is not None and entry.subscribed)) and (
            not by_use or (exists and entry is not None and bool(entry.special_use))
        )
        if by_subscription or by_use:
            below = {
                "SUBSCRIBED": by_subscription and node.subscribed_below,
                "SPECIAL-USE": by_use and node.special_below,
            }
            child_info = tuple(option for option, found in below.items() if found and recursive)
            if not selected and not child_info:
                continue
        else:
            child_info = ()
            # A name without mailbox is told only as the parent of one that exists.
            if not exists and not node.has_children:
                continue
        answer.append(_listed(name, node, command, child_info))
    return answer


def _listed(name: str, node: _Node, command: List, child_info: tuple[str, ...]) -> Listed:
    entry = node.entry
    exists = entry is not None and entry.exists
    attributes: list[str] = []
    if not exists:
        # RFC 5258 §3: \NonExistent stands for \NoSelect too; old clients know only the latter.
        attributes.append("\\NonExistent" if command.is_extended else "\\Noselect")
    attributes.append("\\HasChildren" if node.has_children else "\\HasNoChildren")
    wants_subscribed = "SUBSCRIBED" in command.returns or "SUBSCRIBED" in command.select
    if entry is not None and entry.subscribed and wants_subscribed:
        attributes.append("\\Subscribed")
    if entry is not None and entry.special_use:
        # RFC 6154 §2: may stand in every answer; clients without the extension pass it over.
        attributes.append(entry.special_use)
    return Listed(name, tuple(attributes), child_info, exists)


def _tree(entries: Sequence[Entry]) -> dict[str, _Node]:
    nodes: dict[str, _Node] = {}
    for entry in entries:
        nodes.setdefault(entry.name, _Node()).entry = entry
    for entry in entries:
        parent = entry.name
        while DELIMITER in parent:
            parent = parent.rpartition(DELIMITER)[0]
            node = nodes.setdefault(parent, _Node())
            node.has_children = node.has_children or entry.exists
            node.subscribed_below = node.subscribed_below or entry.subscribed
            node.special_below = node.special_below or bool(entry.special_use)
    return nodes


def list_subscribed(entries: Sequence[Entry], reference: str, pattern: str) -> list[Listed]:
    r"""The answer to LSUB (RFC 3501 §6.3.9): a `%` that hides subscribed children tells their parent as `\Noselect`."""
    patterns = _Patterns(reference, [pattern])
    answer: list[Listed] = []
    for name, node in sorted(_tree(entries).items(), key=lambda item: _order(item[0])):
        if not patterns.match(name):
            continue
        if node.entry is not None and node.entry.subscribed:
            answer.append(Listed(name, (), (), node.entry.exists))
        elif node.subscribed_below and pattern.endswith("%"):
            answer.append(Listed(name, ("\\Noselect",), (), exists=False))
    return answer


def _order(name: str) -> tuple[bool, list[str], list[str]]:
    levels = name.split(DELIMITER)
    return levels[0] != "INBOX", [level.casefold() for level in levels], levels
