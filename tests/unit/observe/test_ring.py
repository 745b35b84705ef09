"""The last lines of the log."""

import logging
import threading

import pytest

from backend.observe import log as logs
from backend.observe.metrics import Metrics
from backend.observe.ring import LineFilter, LogRing


@pytest.fixture
def ring():
    ring = LogRing(max_lines=5, metrics=Metrics())
    logger = logging.getLogger("gatepost.ringtest")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(ring)
    yield ring
    logger.removeHandler(ring)


def write(text: str, name: str = "ringtest.part", level: int = logging.INFO, **fields) -> None:
    logging.getLogger(f"gatepost.{name}").log(level, text, extra={"fields": fields})


def test_only_the_newest_lines_are_kept_and_numbers_go_on(ring):
    for number in range(8):
        write(f"line {number}")
    lines = ring.tail(limit=100, wanted=LineFilter())
    assert [line.message for line in lines] == [f"line {n}" for n in range(3, 8)]
    assert lines[-1].seq == ring.last_seq == 8
    assert [line.seq for line in ring.tail(limit=2, wanted=LineFilter(), after=5)] == [7, 8]


def test_lines_are_chosen_by_level_part_and_text(ring):
    write("one", "ringtest.smtpd", peer="192.0.2.1")
    write("two", "ringtest.smtpd.guard", logging.DEBUG)
    write("three", "ringtest.smtp", number=7)

    def found(**wanted):
        return [line.message for line in ring.tail(limit=9, wanted=LineFilter(**wanted))]

    assert found(level=logging.INFO) == ["one", "three"]
    assert found(logger="ringtest.smtpd") == ["one", "two"]
    assert found(text="192.0.2") == ["one"]
    assert found(text="NUMBER=7") == ["three"]
    assert found(text="THR") == ["three"]


def test_a_stack_trace_rides_on_its_line(ring, expect_log):
    expect_log("failed")
    log = logs.get("ringtest")
    try:
        raise ValueError("why")
    except ValueError as error:
        log.error("it failed", error=error)
    assert "ValueError: why" in ring.tail(limit=1, wanted=LineFilter())[0].trace


def test_listeners_hear_lines_of_any_thread_until_they_stop(ring):
    heard = []
    stop = ring.listen(heard.append)
    thread = threading.Thread(target=write, args=("from a thread",))
    thread.start()
    thread.join()
    stop()
    write("later")
    assert [line.message for line in heard] == ["from a thread"]


def test_errors_are_counted_since_a_time(ring, expect_log):
    expect_log("broke")
    write("it broke", level=logging.ERROR)
    write("it works")
    write("it broke worse", level=logging.CRITICAL)
    first, *_, last = ring.tail(limit=10, wanted=LineFilter())
    assert ring.count_errors(first.at) == 2
    assert ring.count_errors(last.at + 1) == 0
