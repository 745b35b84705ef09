"""Which messages somebody means who typed something into the search box: an address, a number, an id, or any words."""

import ipaddress
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["", "queue number", "IP address", "Message-ID", "address", "text"]

_NUMBERED = ("queue_id",)
_PLACED = ("peer", "ip")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`text` is folded to lower case; empty: every message. `traces`: those that are meant whatever their steps say."""

    text: str
    kind: Kind
    traces: frozenset[str] = frozenset()

    @property
    def needle(self) -> bytes:
        """Stands in the line of a step that fits, in lower case; other lines may have it too."""
        text = json.dumps(self.text, ensure_ascii=False)[1:-1].encode("utf-8", "backslashreplace")
        match self.kind:
            case "queue number":
                return b'"queue_id":"%s"' % text
            case "IP address":
                return b'"%s"' % text
            case _:
                return text

    def fits(self, trace: str, text: str, details: Mapping[str, str]) -> bool:
        """Does one step of a message?"""
        if trace in self.traces or (self.text and self.text == trace.lower()):
            return True
        match self.kind:
            case "queue number":
                return _is_one_of(self.text, _NUMBERED, details)
            case "IP address":
                return _is_one_of(self.text, _PLACED, details)
            case _:
                return (
                    self.text in trace.lower()
                    or self.text in text.lower()
                    or any(self.text in value.lower() for value in details.values())
                )


def read(text: str, traces: Collection[str] = ()) -> Wanted:
    found = text.strip().lower()
    known = frozenset(traces)
    if not found:
        return Wanted("", "", known)
    if found.isdecimal() and found.isascii():
        return Wanted(found.lstrip("0") or "0", "queue number", known)
    try:
        address = ipaddress.ip_address(found.strip("[]").removeprefix("ipv6:"))
    except ValueError:
        pass
    else:
        return Wanted(str(address), "IP address", known)
    if found.startswith("<") and found.endswith(">") and len(found) > 2:
        return Wanted(found[1:-1], "Message-ID", known)
    return Wanted(found, "address" if "@" in found else "text", known)


def _is_one_of(text: str, names: tuple[str, ...], details: Mapping[str, str]) -> bool:
    return any(details.get(name, "").lower() == text for name in names)
