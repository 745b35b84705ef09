"""Messages are found by whatever somebody has of them, page by page, also those that memory has forgotten."""

import pytest

from backend.core.clock import FakeClock
from backend.core.events import TimelineEntry
from backend.core.ids import TraceId
from backend.observe import timeline as timeline_module
from backend.observe.timeline import Timeline
from backend.observe.wanted import read


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def timeline(tmp_path, monkeypatch, clock):
    """Memory holds three messages only."""
    monkeypatch.setattr(timeline_module, "MAX_TRACES", 3)
    kept = Timeline(tmp_path)
    for number in range(10):
        tell(
            kept, clock, f"t{number}-1", "received", peer=f"192.0.2.{number}", queue_id=str(number)
        )
        tell(kept, clock, f"t{number}-1", "delivered", f"Message {number} for Änne", account="anna")
    return kept


def tell(kept, clock, trace, kind, text="", **details):
    clock.advance(1)
    kept.add(TimelineEntry(TraceId(trace), clock.time(), kind, text or kind, details))


def found(kept, text="", **options):
    page = kept.page(kept.snapshot(), read(text), **{"limit": 20, **options})
    return [record.trace for record in page.records]


def test_memory_and_disk_are_one_list(timeline):
    assert found(timeline) == [f"t{n}-1" for n in reversed(range(10))]
    page = timeline.page(timeline.snapshot(), read("t2-1"), limit=5)
    assert [entry.kind for entry in page.records[0].entries] == ["received", "delivered"]


def test_pages_follow_each_other_without_gap_or_repetition(timeline):
    seen, before = [], None
    while True:
        page = timeline.page(timeline.snapshot(), read(""), limit=4, before=before)
        seen += [record.trace for record in page.records]
        if (before := page.next) is None:
            break
    assert seen == [f"t{n}-1" for n in reversed(range(10))]


def test_a_message_that_moves_while_one_turns_pages_is_not_shown_twice(timeline, clock):
    first = timeline.page(timeline.snapshot(), read(""), limit=4)
    tell(timeline, clock, "t1-1", "reported")
    rest = found(timeline, before=first.next)
    assert rest == [f"t{n}-1" for n in (5, 4, 3, 2, 0)]


@pytest.mark.parametrize(
    ("text", "kind", "traces"),
    [
        ("192.0.2.1", "IP address", ["t1-1"]),
        ("1", "queue number", ["t1-1"]),
        ("007", "queue number", ["t7-1"]),
        ("T4-1", "text", ["t4-1"]),
        ("message 3 FOR", "text", ["t3-1"]),
        ("ÄNNE", "text", [f"t{n}-1" for n in reversed(range(10))]),
        ("nobody@example.org", "address", []),
        ("details", "text", []),  # a word of the file's own form
    ],
)
def test_what_was_typed_is_understood(timeline, text, kind, traces):
    assert read(text).kind == kind
    assert found(timeline, text) == traces


def test_a_message_id_is_found_with_and_without_brackets(timeline, clock):
    tell(timeline, clock, "id-1", "received", message_id='<A"b@x.test>')
    for number in range(5):
        tell(timeline, clock, f"later{number}", "received")
    for text in ('<a"b@x.test>', 'a"b@X.test'):
        assert found(timeline, text) == ["id-1"]


def test_a_word_with_capital_letters_in_its_trace_is_found_on_disk(timeline, clock):
    tell(timeline, clock, "ABC-1", "received", peer="2001:db8::1")
    for number in range(5):
        tell(timeline, clock, f"later{number}", "received")
    assert found(timeline, "2001:DB8:0:0::1") == ["ABC-1"]


def test_what_the_queue_knows_is_found_whatever_its_steps_say(timeline):
    assert found(timeline, "99") == []
    page = timeline.page(timeline.snapshot(), read("99", {"t0-1", "t9-1"}), limit=9)
    assert [record.trace for record in page.records] == ["t9-1", "t0-1"]


def test_damaged_lines_are_passed_over(timeline, tmp_path):
    timeline.close()
    with (tmp_path / "timeline.jsonl").open("ab") as file:
        file.write(b'{"trace":"cut-1","at":1.0,"kind":"recei\n\xff\xfe\n{"trace":"t2')
    assert found(timeline, "192.0.2.2") == ["t2-1"]
    assert "cut-1" not in found(timeline)


def test_after_a_start_a_message_has_its_first_steps(timeline, tmp_path, monkeypatch):
    timeline.close()
    monkeypatch.setattr(timeline_module, "LOADED_BYTES", 220)
    again = Timeline(tmp_path)
    again.load()
    record = again.find(TraceId("t9-1"))
    assert not record.is_whole
    assert len(again.find_on_disk(TraceId("t9-1")).entries) == 2
