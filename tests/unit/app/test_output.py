"""What strangers say does not steer the terminal."""

from datetime import UTC, datetime

from app.cli.log import _print_line
from app.cli.output import facts, table
from backend.api.types import LogLine

HOSTILE = "550 no\x1b[2J\x07\r\nrm \u202egpj"


def test_neither_tables_nor_facts_pass_on_what_a_server_said_as_it_is(capsys):
    table(("ANSWER",), [(HOSTILE,)], empty="")
    facts([("Last answer", HOSTILE)])
    shown = capsys.readouterr().out
    assert "\x1b" not in shown and "\x07" not in shown and "\r" not in shown
    assert len(shown.splitlines()) == 3


def test_a_log_line_with_its_trace_is_shown_without_control_characters(capsys):
    line = LogLine(
        seq=1,
        at=datetime.now(UTC),
        level="error",
        logger="smtpd",
        message="x",
        fields={"greeting": HOSTILE},
        trace=f"Traceback:\n  ValueError: {HOSTILE}",
    )
    _print_line(line, as_json=False)
    shown = capsys.readouterr().out
    assert "\x1b[2J" not in shown and "\x07" not in shown and "\r" not in shown
