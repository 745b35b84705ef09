"""SPF records: reading, completing what others have put there, and asking whether an address passes (RFC 7208). Pure.

`evaluate` asks its caller for what it needs by raising `NeedLookup`, and is called again with it. Macros are not
expanded: a record that depends on them can't be told.
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from backend.dns.answers import Answer, Found, LookupFailed

MAX_LOOKUPS = 10  # RFC 7208 §4.6.4, a security limit
MAX_HOSTS_OF_MX = 10  # RFC 7208 §4.6.4, a security limit

Result = Literal["pass", "fail", "softfail", "neutral", "none", "permerror", "temperror", "unknown"]

_RESULTS: dict[str, Result] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")


class SpfError(ValueError):
    """Not a usable SPF record; the text says why."""


class NeedLookup(Exception):  # noqa: N818  # no error: a question
    def __init__(self, name: str, kind: str) -> None:
        super().__init__(f"{kind} {name}")
        self.name = name
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Term:
    """`-ip4:192.0.2.0/24` is ("-", "ip4", "192.0.2.0/24"), `redirect=x` is ("", "redirect", "x")."""

    qualifier: str
    name: str
    value: str
    text: str

    @property
    def key(self) -> str:
        """Tells terms apart, whatever their case and qualifier."""
        return f"{self.name}:{self.value}".lower()


def is_spf(text: str) -> bool:
    # RFC 7208 §4.5: the version section is exact, ended by a space or the end.
    return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")


def parse_spf(text: str) -> tuple[Term, ...]:
    """Raises:
    SpfError: with a phrase for people.
    """
    if not is_spf(text):
        raise SpfError("it does not start with v=spf1")
    return tuple(_parse_term(word) for word in text.split()[1:])


def _parse_term(word: str) -> Term:
    head, equals, value = word.partition("=")
    if equals and head.replace("-", "").replace("_", "").replace(".", "").isalnum():
        return Term("", head.lower(), value, word)
    qualifier = word[0] if word[0] in _RESULTS else ""
    rest = word.removeprefix(qualifier)
    name, colon, value = rest.partition(":")
    if not colon:
        name, slash, mask = rest.partition("/")
        value = slash + mask
    if name.lower() not in _MECHANISMS:
        raise SpfError(f"“{word}” is nothing that SPF knows")
    if name.lower() in {"include", "ip4", "ip6", "exists"} and not value:
        raise SpfError(f"“{word}” lacks what stands behind the colon")
    if name.lower() in {"ip4", "ip6"}:
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            raise SpfError(f"“{word}” holds no IP address") from None
        if network.version != int(name[-1]):
            raise SpfError(f"“{word}” holds an address of the other kind")
    return Term(qualifier or "+", name.lower(), value, word)


def merge(existing: Sequence[str], wanted: Sequence[str]) -> str:
    """One record: what others have put there stays, what is wanted and missing comes in front of the end.

    Several existing records become one, as they must; a record that can't be read is replaced.
    """
    kept: dict[str, Term] = {}
    ends: list[str] = []
    redirect = ""
    for text in existing:
        try:
            terms = parse_spf(text)
        except SpfError:
            continue
        for term in terms:
            if term.name == "all":
                ends.append(term.qualifier)
            elif term.name == "redirect":
                redirect = term.text
            else:
                kept.setdefault(term.key, term)
    words = [term.text for term in kept.values()]
    words += [word for word in wanted if _parse_term(word).key not in kept]
    # “+all” lets the whole world send; of several ends that differ the milder one harms nobody.
    end = ends[0] if ends and set(ends) == {ends[0]} and ends[0] != "+" else "~"
    tail = redirect if redirect and not ends and len(existing) == 1 else f"{end}all"
    return " ".join(["v=spf1", *words, tail])


Lookup = Callable[[str, str], Answer[str]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`mechanism` that decided, or the reason of an error."""

    result: Result
    mechanism: str = ""


def evaluate(record: str, ip: str, domain: str, lookup: Lookup) -> Verdict:
    """Whether the record lets the address send for the domain.

    Raises:
        NeedLookup: `lookup` does not know that yet.
    """
    return _Evaluation(ip, lookup).check(record, domain)


class _Evaluation:
    def __init__(self, ip: str, lookup: Lookup) -> None:
        self._ip = ipaddress.ip_address(ip)
        self._kind = "A" if self._ip.version == 4 else "AAAA"
        self._lookup = lookup
        self._left = MAX_LOOKUPS

    def check(self, record: str, domain: str) -> Verdict:
        try:
            terms = parse_spf(record)
        except SpfError as error:
            return Verdict("permerror", str(error))
        try:
            for term in terms:
                if "%" in term.value:
                    return Verdict("unknown", term.text)
                if term.qualifier and self._matches(term, domain):
                    return Verdict(_RESULTS[term.qualifier], term.text)
            redirect = next((term for term in terms if term.name == "redirect"), None)
            if redirect is not None and not any(term.name == "all" for term in terms):
                self._count()
                target = self._record_of(redirect.value)
                return self.check(target, redirect.value)
        except _Ended as end:
            return end.verdict
        return Verdict("neutral")

    def _matches(self, term: Term, domain: str) -> bool:
        match term.name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self._ip in ipaddress.ip_network(term.value, strict=False)
            case "include":
                self._count()
                verdict = self.check(self._record_of(term.value), term.value)
                if verdict.result in {"permerror", "temperror", "unknown"}:
                    raise _Ended(verdict)
                return verdict.result == "pass"
            case "a" | "mx":
                self._count()
                name, _, mask = term.value.partition("/")
                prefix = self._prefix(mask)
                hosts = [name or domain]
                if term.name == "mx":
                    found = self._answers(name or domain, "MX")
                    hosts = [text.partition(" ")[2] for text in found][:MAX_HOSTS_OF_MX]
                return any(
                    self._ip in ipaddress.ip_network(f"{address}/{prefix}", strict=False)
                    for host in hosts
                    if host != "."
                    for address in self._answers(host, self._kind)
                )
            case _:
                # ptr is not to be used (RFC 7208 §5.5), exists lives of macros: both count, neither matches here.
                self._count()
                return False

    def _prefix(self, mask: str) -> int:
        # RFC 7208 §5.6: a/24//64
        four, _, six = mask.partition("//") if not mask.startswith("/") else ("", "", mask[1:])
        text, most = (four, 32) if self._kind == "A" else (six, 128)
        return min(int(text), most) if text.isdecimal() else most

    def _record_of(self, name: str) -> str:
        found = [text for text in self._answers(name, "TXT") if is_spf(text)]
        if len(found) == 1:
            return found[0]
        many = "several SPF records" if found else "no SPF record"
        raise _Ended(Verdict("permerror", f"{name} has {many}"))

    def _answers(self, name: str, kind: str) -> tuple[str, ...]:
        answer = self._lookup(name.rstrip(".").lower(), kind)
        if isinstance(answer, LookupFailed):
            raise _Ended(Verdict("temperror", answer.reason))
        return answer.records if isinstance(answer, Found) else ()

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise _Ended(Verdict("permerror", f"it needs more than {MAX_LOOKUPS} DNS lookups"))


class _Ended(Exception):  # noqa: N818  # an outcome
    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.mechanism)
        self.verdict = verdict
