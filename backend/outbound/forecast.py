"""How do the ways of a message change from attempt to attempt? For the tester: “1–3 direct, from 4 relay”. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.outbound.backoff import MAX_ATTEMPTS
from backend.outbound.route import DIRECT, Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Attempts that go the same way; they count from 1."""

    first: int
    last: int
    transport: str
    known: bool


def spans(choices: Sequence[Choice]) -> list[Span]:
    """`choices` of the first attempt, the second, and so on."""
    found: list[Span] = []
    for number, choice in enumerate(choices, 1):
        if found and found[-1].transport == choice.transport:
            found[-1] = replace(found[-1], last=number)
        else:
            found.append(
                Span(first=number, last=number, transport=choice.transport, known=choice.known)
            )
    return found


def sentence(found: Sequence[Span], in_all: int = MAX_ATTEMPTS) -> str:
    parts = []
    for span in found:
        name = "direct" if span.transport == DIRECT else span.transport
        if span.last >= in_all:
            parts.append(f"from {span.first} {name}" if span.first > 1 else f"always {name}")
        elif span.first == span.last:
            parts.append(f"{span.first} {name}")
        else:
            parts.append(f"{span.first}–{span.last} {name}")  # a range, as people write it
    return ", ".join(parts)
