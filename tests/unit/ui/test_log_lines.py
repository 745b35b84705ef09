from tests.support.fake_admin import a_log_line
from ui.presenters import log_lines


def test_a_line_reads_as_one_sentence_with_its_facts() -> None:
    row = log_lines.present(a_log_line(1, account="anna", reason="no such user"))
    assert row.text == 'message accepted  account=anna reason="no such user"'


def test_the_level_lets_worse_ones_through() -> None:
    buffer = log_lines.LogBuffer()
    buffer.level = "warning"
    shown = buffer.add([a_log_line(1, "info"), a_log_line(2, "warning"), a_log_line(3, "error")])
    assert [line.seq for line in shown] == [2, 3]
    buffer.level = "debug"
    assert len(buffer.shown()) == 3


def test_all_words_must_be_found() -> None:
    buffer = log_lines.LogBuffer()
    buffer.add([a_log_line(1, account="anna"), a_log_line(2, account="kim")])
    assert buffer.set_text("ACCEPTED anna")
    assert [line.seq for line in buffer.shown()] == [1]


def test_slashes_make_a_pattern_and_a_broken_one_is_words() -> None:
    buffer = log_lines.LogBuffer()
    buffer.add([a_log_line(1, account="anna"), a_log_line(2, account="kim")])
    assert buffer.set_text("/account=k.m/")
    assert [line.seq for line in buffer.shown()] == [2]
    assert not buffer.set_text("/account=[/")
    assert buffer.shown() == []


def test_a_line_is_taken_once() -> None:
    buffer = log_lines.LogBuffer()
    buffer.add([a_log_line(1), a_log_line(2)])
    assert buffer.add([a_log_line(2), a_log_line(3)])[0].seq == 3
    assert len(buffer) == 3
    assert buffer.last_seq == 3


def test_a_restarted_server_counts_from_one() -> None:
    buffer = log_lines.LogBuffer()
    buffer.add([a_log_line(900)])
    buffer.restart()
    assert len(buffer.add([a_log_line(1)])) == 1


def test_only_so_many_lines_are_kept() -> None:
    buffer = log_lines.LogBuffer()
    buffer.add(a_log_line(n) for n in range(1, log_lines.KEPT_LINES + 50))
    assert len(buffer) == log_lines.KEPT_LINES


def test_saved_text_holds_the_trace() -> None:
    line = a_log_line(1, "error").model_copy(update={"trace": "Traceback…"})
    text = log_lines.as_text(line)
    assert "ERROR" in text
    assert text.endswith("\nTraceback…")
