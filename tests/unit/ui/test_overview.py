from datetime import UTC, datetime, timedelta

from backend.api import types as t
from ui.presenters import overview

NOW = datetime.now(UTC)


def a_status(**values: object) -> t.Status:
    return t.Status.model_validate(
        {
            "verdict": "ok",
            "headline": "Mail is working.",
            "problems": [],
            "counters": {},
            "ports": [],
            "disk": {"free_bytes": 41_000_000_000, "total_bytes": 120_000_000_000},
            "version": "0.1.0",
            "build_id": "x",
            "pid": 1,
            "started_at": NOW - timedelta(hours=2),
            "uptime_s": 7200,
            "hostname": "mail.example.org",
            "practice_mode": False,
            "data_folder": "/data",
            "domains": 1,
            "accounts": 2,
            "config_revision": 1,
            **values,
        }
    )


def a_problem(text: str, severity: str = "error", **values: object) -> t.Problem:
    return t.Problem.model_validate({"code": text, "message": text, "severity": severity, **values})


def test_figures_move_by_the_id_of_their_card() -> None:
    figures = overview.live(t.Counters(received=34, sent=1234, queue_waiting=3))
    assert figures == {
        "received": "34",
        "sent": "1\u202f234",
        "waiting": "3",
        "rejected": "0",
    }


def test_the_worst_comes_first_and_the_rest_is_counted() -> None:
    problems = [
        a_problem("i", "info"),
        a_problem("w", "warning"),
        *(a_problem(f"e{n}") for n in range(3)),
    ]
    shown, more = overview.attention(problems)
    assert [item.title for item in shown] == ["e0", "e1", "e2"]
    assert more == 2


def test_a_problem_names_its_fix_and_its_line() -> None:
    (item,), _ = overview.attention(
        [a_problem("bad", fix="Change it.", file="server.toml", line=7)]
    )
    assert item.body == "Change it. (server.toml, line 7)"


def test_a_full_disk_is_marked() -> None:
    low = overview.facts(a_status(disk={"free_bytes": 1_000, "total_bytes": 100_000}))
    assert low[0].tone == "warn"
    assert overview.facts(a_status())[0].tone == ""


def test_ports_are_listed_once_and_in_order() -> None:
    port = {"listener": "a", "service": "imap", "security": "tls", "purpose": "mail apps read here"}
    ports = [
        t.Port.model_validate({**port, "host": host, "port": number})
        for number in (993, 143)
        for host in ("127.0.0.1", "::1")
    ]
    rows = overview.port_rows(ports)
    assert rows == (("143", "Mail apps read here", "TLS"), ("993", "Mail apps read here", "TLS"))
