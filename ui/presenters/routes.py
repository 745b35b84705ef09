"""Routes that are being edited: the draft, what differs in it from what is saved, and how it is listed."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from backend.api import delivery as w
from ui.presenters import wording

Place = tuple[w.RouteLevel, str]
"""A list: its level and its owner, who is empty for the server."""
SERVER: Place = ("server", "")
MARK = "**"
OTHERWISE = "Otherwise: deliver directly"
OTHERWISE_NOTE = "To the server that the recipient's domain names in the DNS."
NONE_YET = "No route yet: all mail goes out directly."
_LEVELS: dict[str, str] = {
    "account": "Account routes",
    "domain": "Domain routes",
    "server": "Server routes",
}
_NOTES: dict[str, str] = {
    "account": "Looked at first, for mail that this account sends.",
    "domain": "Looked at next, for mail with a sender in this domain.",
    "server": "Looked at last, for all mail.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """`key` tells it apart while it is moved and changed. `sentence` empty: the server has not said it yet."""

    key: int
    settings: w.RouteSettings
    sentence: str = ""
    warning: str = ""
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the page."""

    kind: Literal["header", "rule", "otherwise"]
    place: Place = SERVER
    rule: Rule | None = None
    position: int = 0
    """Of a rule in its list, from 1."""
    title: str = ""
    note: str = ""


@dataclass(slots=True)
class Draft:
    base: w.MailRoutes
    lists: dict[Place, list[Rule]] = field(default_factory=dict)
    _first: dict[Place, list[Rule]] = field(default_factory=dict)
    _next_key: int = 0

    @classmethod
    def of(cls, base: w.MailRoutes) -> "Draft":
        made = cls(base)
        for each in base.items:
            rule = Rule(made._key(), each.settings, each.sentence, each.warning, each.hits)
            made.lists.setdefault((each.level, each.owner), []).append(rule)
        made._first = {place: list(rules) for place, rules in made.lists.items()}
        return made

    def _key(self) -> int:
        self._next_key += 1
        return self._next_key

    # ---- editing

    def find(self, key: int) -> tuple[Place, int]:
        """Raises:
        KeyError: there is none with that key.
        """
        for place, rules in self.lists.items():
            for index, rule in enumerate(rules):
                if rule.key == key:
                    return place, index
        raise KeyError(key)

    def rule(self, key: int) -> Rule:
        place, index = self.find(key)
        return self.lists[place][index]

    def add(self, place: Place, index: int, settings: w.RouteSettings) -> int:
        """At that index of the list; -1 is its end. Returns its key."""
        rules = self.lists.setdefault(place, [])
        made = Rule(self._key(), settings)
        rules.insert(len(rules) if index < 0 else index, made)
        return made.key

    def change(self, key: int, settings: w.RouteSettings) -> None:
        place, index = self.find(key)
        rule = self.lists[place][index]
        same = rule.settings.model_copy(update={"disabled": settings.disabled}) == settings
        sentence = rule.sentence if same else ""
        self.lists[place][index] = replace(rule, settings=settings, sentence=sentence, warning="")

    def switch(self, key: int) -> None:
        settings = self.rule(key).settings
        self.change(key, settings.model_copy(update={"disabled": not settings.disabled}))

    def remove(self, key: int) -> None:
        place, index = self.find(key)
        del self.lists[place][index]

    def move(self, key: int, index: int) -> None:
        """To that index of its list."""
        place, now = self.find(key)
        rules = self.lists[place]
        rules.insert(max(0, min(index, len(rules) - 1)), rules.pop(now))

    # ---- what differs

    def changed(self) -> list[w.RouteList]:
        """The lists that are to be saved."""
        return [
            w.RouteList(level=level, owner=owner, routes=[r.settings for r in rules])
            for (level, owner), rules in self.lists.items()
            if [r.settings for r in rules]
            != [r.settings for r in self._first.get((level, owner), [])]
        ]

    def count(self) -> int:
        """How many changes: rules that came, went, differ, or were moved."""
        total = 0
        for place, rules in self.lists.items():
            first = {rule.key: (at, rule) for at, rule in enumerate(self._first.get(place, []))}
            kept = [rule for rule in rules if rule.key in first]
            total += len(rules) + len(first) - 2 * len(kept)
            total += sum(rule.settings != first[rule.key][1].settings for rule in kept)
            total += len(kept) - _longest_rise([first[rule.key][0] for rule in kept])
        return total

    def tell(self, told: w.MailRoutes) -> None:
        """What the server says of the draft: sentences, warnings, hits."""
        for each in told.items:
            rules = self.lists.get((each.level, each.owner), [])
            if each.position <= len(rules) and rules[each.position - 1].settings == each.settings:
                rules[each.position - 1] = replace(
                    rules[each.position - 1],
                    sentence=each.sentence,
                    warning=each.warning,
                    hits=each.hits,
                )

    def rebased(self, theirs: w.MailRoutes) -> "Draft | None":
        """On what somebody else has saved meanwhile; None when both have changed the same list."""
        mine = {(each.level, each.owner) for each in self.changed()}
        now = Draft.of(theirs)
        for place in mine:
            before = [rule.settings for rule in self._first.get(place, [])]
            if [rule.settings for rule in now.lists.get(place, [])] != before:
                return None
        return self.forced(theirs)

    def forced(self, theirs: w.MailRoutes) -> "Draft":
        """One's own lists in the place of theirs; all others as they have them."""
        now = Draft.of(theirs)
        for each in self.changed():
            place: Place = (each.level, each.owner)
            rules = self.lists[place]
            now.lists[place] = [replace(rule, key=now._key()) for rule in rules]
        return now


def _longest_rise(numbers: Sequence[int]) -> int:
    """How many can stay where they are."""
    ends: list[int] = []
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)


# ---- listing


def entries(draft: Draft, places: Iterable[Place] | None = None) -> list[Entry]:
    """All lines in the order in which routes are looked at. `places`: these lists only, also when they are empty."""
    wanted = (
        list(places) if places is not None else [p for p, rules in draft.lists.items() if rules]
    )
    if SERVER not in wanted:
        wanted.append(SERVER)
    order = list(_LEVELS)
    found: list[Entry] = []
    for place in sorted(set(wanted), key=lambda each: (order.index(each[0]), each[1])):
        title = f"{_LEVELS[place[0]]} · {place[1]}" if place[1] else _LEVELS[place[0]]
        rules = draft.lists.get(place, [])
        note = _NOTES[place[0]] if rules else "none"
        found.append(Entry("header", place, title=title, note=note))
        found += [Entry("rule", place, rule, at) for at, rule in enumerate(rules, 1)]
    found.append(Entry("otherwise", title=OTHERWISE, note=OTHERWISE_NOTE))
    return found


def pieces(sentence: str) -> list[tuple[str, bool]]:
    """The text in parts, and whether each is to stand out."""
    return [(text, at % 2 == 1) for at, text in enumerate(sentence.split(MARK)) if text]


def plain(sentence: str) -> str:
    return sentence.replace(MARK, "")


def spoken(entry: Entry) -> str:
    """A line in words, for people who listen."""
    if entry.rule is None:
        return f"{entry.title}. {entry.note}"
    parts = [f"Route {entry.position}: {plain(entry.rule.sentence)}", *notes(entry.rule)]
    return " ".join(parts)


def notes(rule: Rule) -> list[str]:
    """What stands below the sentence: sentences."""
    found = []
    if rule.settings.disabled:
        found.append("Switched off.")
    if rule.warning:
        found.append(f"Never matches: {rule.warning}.")
    if rule.settings.comment:
        found.append(rule.settings.comment)
    return found


def hits(rule: Rule) -> str:
    return f"{wording.number(rule.hits)} in 30 days"


def changes(count: int) -> str:
    return wording.count(count, "change") + " not saved yet" if count else "Everything is saved."


def faults_of(place: Place, index: int, path: str) -> str | None:
    """From where the settings have a fault to the field of the route; None: another route's."""
    group = {"account": f"/accounts/{place[1]}", "domain": f"/domains/{place[1]}", "server": ""}
    head = f"{group[place[0]]}/routes/{index}"
    return path.removeprefix(head) if path.startswith(f"{head}/") else None
