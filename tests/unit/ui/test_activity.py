from datetime import UTC, datetime, timedelta

import pytest

from backend.api import types as t
from ui.presenters import activity

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def a_step(kind: str, seconds: float = 0, text: str = "text", **details: str) -> t.TimelineStep:
    return t.TimelineStep(
        at=NOW + timedelta(seconds=seconds), kind=kind, text=text, details=details
    )


def a_summary(**values: object) -> t.TraceSummary:
    return t.TraceSummary.model_validate(
        {"trace": "x", "started_at": NOW, "last_at": NOW, **values}
    )


@pytest.mark.parametrize("kind", sorted(activity.KINDS))
def test_every_kind_has_tone_icon_and_word(kind: str) -> None:
    shown = activity.present_step(a_step(kind))
    assert shown.tone in {"ok", "warn", "error", "info", "neutral"}
    assert shown.icon
    assert activity.KINDS[kind][2]


def test_a_kind_of_a_newer_server_is_shown_all_the_same() -> None:
    shown = activity.present_step(a_step("teleported", text=""))
    assert shown.title == "Teleported"


def test_facts_are_told_once_and_in_plain_units() -> None:
    step = a_step(
        "received", sender="a@b", peer="203.0.113.9", tls="TLSv1.3", size_bytes="1500", host="mx"
    )
    assert activity.present_step(step).note == "from 203.0.113.9 · TLSv1.3 · 1.5 KB · host mx"


def test_a_summary_names_the_other_side() -> None:
    incoming = activity.present_summary(
        a_summary(direction="in", sender="x@y", recipients=["me@z"], outcome="delivered"), NOW
    )
    outgoing = activity.present_summary(
        a_summary(direction="out", sender="me@z", recipients=["a@b", "c@d", "e@f"], outcome="sent"),
        NOW,
    )
    assert (incoming.who, incoming.arrow) == ("x@y", "arrow-down")
    assert (outgoing.who, outgoing.arrow) == ("a@b, c@d…", "arrow-up")
    assert activity.present_summary(a_summary(direction="in"), NOW).who == "(no sender)"
