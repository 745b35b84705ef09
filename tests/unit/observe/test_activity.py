"""What is remembered of messages and sign-ins, in memory and on disk."""

import asyncio
import json
import os
import threading

import pytest

from backend.core.clock import FakeClock
from backend.core.events import (
    ProblemCleared,
    ProblemRaised,
    QueueChanged,
    SignedIn,
    TimelineEntry,
)
from backend.core.ids import QueueId, TraceId
from backend.core.problems import Problem, Severity
from backend.observe import jsonl as jsonl_module
from backend.observe import timeline as timeline_module
from backend.observe.activity import Activity
from backend.observe.jsonl import JsonLines
from backend.observe.problems import OpenProblems

DAY_S = 86_400
WHOLE = 10**9


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def activity(tmp_path, clock):
    return Activity(tmp_path / "activity", clock)


def step(clock, trace: str, kind: str, text: str = "", **details: str) -> TimelineEntry:
    return TimelineEntry(TraceId(trace), clock.time(), kind, text or kind, details)


def sign_in(clock, account: str, *, succeeded: bool = True) -> SignedIn:
    return SignedIn(
        account, f"{account}@x.test", "imap", "192.0.2.1", succeeded, "PLAIN", clock.time()
    )


def test_the_last_message_that_moved_comes_first(activity, clock):
    for trace in ("a", "b", "a"):
        activity.record(step(clock, trace, "received"))
    assert [r.trace for r in activity.timeline.recent(limit=9)] == ["a", "b"]
    assert len(activity.timeline.find(TraceId("a")).entries) == 2
    assert [r.trace for r in activity.timeline.recent(limit=1)] == ["a"]


def test_a_summary_gathers_sender_recipients_and_direction(activity, clock):
    activity.record(
        step(clock, "a", "received", sender="s@x.test", recipients="a@x.test, b@x.test")
    )
    activity.record(step(clock, "a", "delivered", recipient="b@x.test"))
    record = activity.timeline.find(TraceId("a"))
    assert (record.sender, record.recipients, record.direction) == (
        "s@x.test",
        ["a@x.test", "b@x.test"],
        "in",
    )
    activity.record(step(clock, "b", "received", direction="out"))
    activity.record(step(clock, "c", "queued"))
    assert activity.timeline.find(TraceId("b")).direction == "out"
    assert activity.timeline.find(TraceId("c")).direction == "out"


def test_everything_is_there_again_after_a_restart(activity, clock, tmp_path):
    activity.record(step(clock, "a", "received", "It came", peer="192.0.2.7"))
    activity.record(sign_in(clock, "anna"))
    activity.record(sign_in(clock, "bob", succeeded=False))
    activity.close()
    again = Activity(tmp_path / "activity", clock)
    again.load()
    assert again.timeline.recent(limit=9)[0].entries[0].text == "It came"
    assert [e.account for e in again.sign_ins.recent(limit=9)] == ["bob", "anna"]
    assert again.sign_ins.last_of("anna") == clock.time()
    assert again.sign_ins.last_of("bob") is None
    assert (again.today().received, again.today().sign_ins, again.today().sign_in_failures) == (
        1,
        1,
        1,
    )


def test_a_message_beyond_memory_is_found_on_disk(activity, clock, monkeypatch):
    monkeypatch.setattr(timeline_module, "MAX_TRACES", 2)
    for trace in ("a", "b", "c"):
        activity.record(step(clock, trace, "received"))
    activity.close()
    assert activity.timeline.find(TraceId("a")) is None
    assert activity.timeline.find_on_disk(TraceId("a")).entries[0].kind == "received"
    assert activity.timeline.find_on_disk(TraceId("zz")) is None


def test_a_message_with_very_many_steps_keeps_beginning_and_end(activity, clock):
    for number in range(300):
        activity.record(step(clock, "a", "attempt", str(number)))
    texts = [e.text for e in activity.timeline.find(TraceId("a")).entries]
    assert len(texts) == timeline_module.MAX_STEPS
    assert (texts[0], texts[-1]) == ("0", "299")


def test_counters_are_of_today(activity, clock):
    for kind in ("received", "delivered", "rejected", "sent", "bounced", "held"):
        activity.record(step(clock, kind, kind))
    activity.record(step(clock, "out", "received", direction="out"))
    activity.record(QueueChanged(QueueId(1), "waiting"))
    today = activity.today()
    assert (today.received, today.submitted, today.delivered, today.rejected) == (1, 1, 1, 1)
    clock.advance(DAY_S)
    assert activity.today().received == 0


def test_metrics_count_what_happened(activity, clock):
    activity.record(step(clock, "a", "received"))
    activity.record(sign_in(clock, "anna", succeeded=False))
    activity.record(step(clock, "b", "rejected", direction="out", limit="messagelimiterror"))
    text = activity.metrics.text({"gatepost_up": 1})
    assert 'gatepost_messages_total{kind="received"} 1' in text
    assert 'gatepost_sign_ins_total{protocol="imap",result="failed"} 1' in text
    assert 'gatepost_send_limits_total{result="messagelimiterror"} 1' in text
    assert "gatepost_up 1" in text
    activity.metrics.count("gatepost_api_requests_total", route='a"b\n', status="200")
    assert r'route="a\"b\n"' in activity.metrics.text()


def test_a_problem_is_open_until_it_is_cleared(clock):
    problems = OpenProblems(clock)
    warning = Problem(code="a", message="A", severity=Severity.WARNING)
    assert problems.put(warning)
    clock.advance(5)
    assert not problems.put(Problem(code="a", message="A again", severity=Severity.WARNING))
    assert problems.put(Problem(code="b", message="B", subject="x"))
    assert problems.put(Problem(code="b", message="B", subject="y"))
    assert [(o.problem.message, o.since) for o in problems.all()][2] == (
        "A again",
        clock.time() - 5,
    )
    assert problems.all()[0].problem.code == "b"  # errors first
    assert problems.remove("b", "x")
    assert not problems.remove("b", "x")
    assert len(problems.all()) == 2


def test_problems_follow_the_events(activity):
    activity.record(ProblemRaised(Problem(code="a", message="A", subject="s")))
    assert len(activity.problems.all()) == 1
    activity.record(ProblemCleared("a", "s"))
    assert activity.problems.all() == []


def test_files_are_bounded_and_the_oldest_goes(tmp_path):
    lines = JsonLines(tmp_path, "x", max_bytes=1000, keep=3)
    for number in range(200):
        lines.append({"n": number, "pad": "x" * 50})
    files = sorted(f.name for f in tmp_path.iterdir())
    assert files == ["x.1.jsonl", "x.2.jsonl", "x.jsonl"]
    assert all(f.stat().st_size <= 1000 for f in tmp_path.iterdir())
    numbers = [value["n"] for value in lines.tail(WHOLE)]
    assert numbers == list(range(numbers[0], 200))
    assert [v["n"] for v in lines.tail(300)][-1] == 199


def test_a_line_that_a_crash_cut_off_is_skipped(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"n": 1}\n{"n": 2}\n{"n"')
    lines = JsonLines(tmp_path, "x")
    assert [v["n"] for v in lines.tail(10_000)] == [1, 2]
    assert [v["n"] for v in lines.tail(WHOLE)] == [1, 2]


async def test_lines_are_written_together_in_a_moment(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonl_module, "FLUSH_AFTER_S", 0.01)
    lines = JsonLines(tmp_path, "x")
    lines.append({"n": 1})
    lines.append({"n": 2})
    assert not (tmp_path / "x.jsonl").exists()
    async with asyncio.timeout(5):
        while not (tmp_path / "x.jsonl").exists() or not (tmp_path / "x.jsonl").read_bytes():
            await asyncio.sleep(0.005)
    written = (tmp_path / "x.jsonl").read_text().splitlines()
    assert [json.loads(line)["n"] for line in written] == [1, 2]


async def test_a_slow_disk_holds_up_nobody_and_loses_nothing(tmp_path, monkeypatch):
    # A pipe in the file's place: who writes to it hangs until somebody reads.
    monkeypatch.setattr(jsonl_module, "FLUSH_AFTER_S", 0.001)
    os.mkfifo(tmp_path / "x.jsonl")
    may_read = threading.Event()

    def read() -> tuple[bool, bytes]:
        was_told, data = may_read.wait(5), b""
        while b'"n":2' not in data:
            data += (tmp_path / "x.jsonl").read_bytes()
        return was_told, data

    reading = asyncio.get_running_loop().run_in_executor(None, read)
    lines = JsonLines(tmp_path, "x")
    lines.append({"n": 1})
    await asyncio.sleep(0.05)
    lines.append({"n": 2})
    may_read.set()
    async with asyncio.timeout(10):
        was_told, data = await reading
    assert was_told
    assert [json.loads(line)["n"] for line in data.splitlines()] == [1, 2]


def test_a_folder_that_can_not_be_written_is_told_once(tmp_path, expect_log):
    expect_log("activity can't be recorded")
    (tmp_path / "file").write_text("")
    lines = JsonLines(tmp_path / "file" / "below", "x")
    lines.append({"n": 1})
    lines.append({"n": 2})


def test_damaged_values_on_disk_are_passed_over(tmp_path, clock):
    folder = tmp_path / "activity"
    folder.mkdir()
    (folder / "timeline.jsonl").write_text(
        '{"trace": 1}\n[]\n{"trace":"a","at":1,"kind":"k","text":"t","details":3}\n'
    )
    (folder / "sign-ins.jsonl").write_text('{"account": "x"}\n')
    activity = Activity(folder, clock)
    activity.load()
    assert activity.timeline.recent(limit=9) == []
    assert activity.sign_ins.recent(limit=9) == []


def test_a_line_that_utf8_can_not_hold_does_not_keep_the_others_from_disk(tmp_path):
    lines = JsonLines(tmp_path, "x")
    lines.append({"name": "half \udce4"})
    lines.append({"name": "whole"})
    assert [value["name"] for value in lines.tail(WHOLE)] == ["half \udce4", "whole"]
