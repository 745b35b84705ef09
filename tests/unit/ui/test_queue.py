from datetime import UTC, datetime, timedelta

import pytest

from backend.api import queue as q
from backend.api import types as t
from tests.support.fake_admin import a_queue_item
from ui.presenters import queue

NOW = datetime.now(UTC)


@pytest.mark.parametrize("state", ["waiting", "held", "sending", "done", "failed", "dropped"])
def test_every_state_has_a_word(state: str) -> None:
    shown = queue.present(a_queue_item(1, state=state), NOW)
    assert shown.state
    assert shown.tone


def test_a_message_that_failed_once_is_being_tried_again() -> None:
    soon = NOW + timedelta(minutes=7, seconds=1)
    item = a_queue_item(1, attempts=2, last_answer="421 later", next_attempt_at=soon)
    shown = queue.present(item, NOW)
    assert (shown.state, shown.tone, shown.answer) == ("next try in 7 min", "warn", "421 later")
    assert shown.attempts == "2 of 8"


def test_only_what_waits_has_a_next_try() -> None:
    soon = NOW + timedelta(minutes=12)
    assert queue.present(a_queue_item(1, next_attempt_at=soon), NOW).state == "next try in 12 min"
    held = queue.present(a_queue_item(1, state="held", next_attempt_at=soon), NOW)
    assert "next try" not in held.state


def test_practice_mode_promises_no_try() -> None:
    item = a_queue_item(1, note="practice mode: nothing leaves this computer")
    assert queue.present(item, NOW).state == "stays here"
    assert queue.headline(t.QueueDetail(item=item, attempts=[]), NOW) == "It stays here"


def test_the_headline_is_the_next_thing_to_happen() -> None:
    def headline(**values: object) -> str:
        return queue.headline(t.QueueDetail(item=a_queue_item(1, **values), attempts=[]), NOW)

    assert headline(next_attempt_at=NOW + timedelta(minutes=3, seconds=1)) == "Next try in 3 min"
    assert headline(state="held") == "On hold until you release it"
    assert headline(state="sending") == "Being sent now"
    assert headline(next_attempt_at=None).startswith("Waits")
    assert headline(state="failed") == "Gave up"


def test_an_attempt_says_where_how_and_how_long() -> None:
    attempt = t.Attempt(
        at=NOW, duration_ms=412, host="mx1", ip="203.0.113.9", tls="TLSv1.3", answer="450 later"
    )
    shown = queue.present_attempt(attempt, NOW)
    assert shown.title == "450 later"
    assert shown.note == "mx1 (203.0.113.9) · TLSv1.3 · 412 ms"
    held = attempt.model_copy(update={"policy": "MTA-STS of b.test (enforce) lists mx1"})
    assert queue.present_attempt(held, NOW).note.endswith(
        "412 ms\nMTA-STS of b.test (enforce) lists mx1"
    )
    empty = queue.present_attempt(t.Attempt(at=NOW), NOW)
    assert empty.title == "No answer"
    assert "no server reached" in empty.note


def test_what_was_done_is_said_with_numbers() -> None:
    acted = q.QueueActed(changed=2, missing=[7])
    assert (
        queue.done_text("hold", acted)
        == "2 messages put on hold. For 1 message this was not possible."
    )
    assert queue.selection_text(1) == "1 selected"
