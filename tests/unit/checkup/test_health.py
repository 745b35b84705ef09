"""Checks of the server itself: what each finding means, and that a check that fails leaves the others alone."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from backend.checkup import health_rules as rules
from backend.checkup.dns import Report
from backend.checkup.health import Health
from backend.checkup.kept import take_in
from backend.checkup.probes import (
    Certificate,
    ClockFacts,
    Disk,
    Door,
    FolderFacts,
    Knock,
    Probes,
)
from backend.config.paths import DataFolder
from backend.core.clock import FakeClock
from backend.core.problems import Problem, Severity
from backend.outbound.listing import QueueAge
from backend.tls.authority import ensure_certificate
from tests.support.settings import config_of

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SMTP = Door("public", "smtp", "0.0.0.0", 25, "starttls", "other servers deliver mail here")
CONFIG = config_of({"hostname": "mail.a.test"}, domains={"a.test": {}})


def certificate(days=60, names=("mail.a.test",), own=False):
    return Certificate(frozenset(names), NOW + timedelta(days=days), own)


@pytest.mark.parametrize(
    ("check", "result", "words"),
    [
        (rules.judge_disk(rules.DISK, Disk(50_000_000_000, 100_000_000_000)), "ok", "50.0 GB are free (50%)"),
        (rules.judge_disk(rules.DISK, Disk(2_000_000_000, 100_000_000_000)), "warn", "Only 2.0 GB"),
        (rules.judge_disk(rules.DISK, Disk(10_000_000, 100_000_000_000)), "fail", "Only 0.0 GB"),
        (rules.judge_folder(rules.FOLDER, FolderFacts()), "ok", "nobody else can read"),
        (rules.judge_folder(rules.FOLDER, FolderFacts(("/data/secrets",))), "warn", "/data/secrets"),
        (rules.judge_folder(rules.FOLDER, FolderFacts((), "/data: full")), "fail", "can't write: /data: full"),
        (rules.judge_clock(rules.CLOCK, ClockFacts(1000, 990, True)), "ok", "keeps the clock right"),
        (rules.judge_clock(rules.CLOCK, ClockFacts(1000, 990, False)), "unknown", "Could not tell"),
        (rules.judge_clock(rules.CLOCK, ClockFacts(1000, 7000, True)), "fail", "100 minutes behind"),
        (rules.judge_settings(rules.SETTINGS, []), "ok", "Nothing contradicts"),
        (
            rules.judge_settings(
                rules.SETTINGS, [Problem(code="x", message="A restart waits.", fix="Restart.", severity=Severity.WARNING)]
            ),
            "warn",
            "A restart waits.",
        ),
        (rules.judge_intake(rules.INTAKE, [SMTP], practice=False), "ok", "port 25"),
        (rules.judge_intake(rules.INTAKE, [], practice=False), "warn", "No port"),
        (
            rules.judge_intake(
                rules.INTAKE, [Door("l", "smtp", "127.0.0.1", 25, "starttls", "x")], practice=False
            ),
            "warn",
            "from this computer only",
        ),
        (rules.judge_errors(rules.ERRORS, 0), "ok", "None in the last"),
        (rules.judge_errors(rules.ERRORS, 1), "warn", "1 error in"),
        (rules.judge_errors(rules.ERRORS, 7), "warn", "7 errors in"),
        (
            rules.judge_intake(
                rules.INTAKE, [Door("l", "smtp", "127.0.0.1", 2525, "starttls", "x")], practice=False
            ),
            "warn",
            "port 25 only",
        ),
        (
            rules.judge_intake(
                rules.INTAKE, [Door("l", "smtp", "127.0.0.1", 2525, "starttls", "x")], practice=True
            ),
            "ok",
            "Practice mode",
        ),
        (rules.judge_port(rules.port_check(SMTP), SMTP, Knock()), "ok", "It answers."),
        (rules.judge_port(rules.port_check(SMTP), SMTP, Knock("refused")), "fail", "refused"),
        (rules.judge_age(rules.CERTIFICATE_AGE, certificate(), NOW), "ok", "60 more days"),
        (rules.judge_age(rules.CERTIFICATE_AGE, certificate(7), NOW), "warn", "in 7 days"),
        (rules.judge_age(rules.CERTIFICATE_AGE, certificate(-1), NOW), "fail", "has expired"),
        (rules.judge_age(rules.CERTIFICATE_AGE, Certificate(fault="no file"), NOW), "fail", "no file"),
        (rules.judge_names(rules.CERTIFICATE_NAMES, certificate(), CONFIG), "ok", "names mail.a.test"),
        (
            rules.judge_names(rules.CERTIFICATE_NAMES, certificate(names=("*.a.test",)), CONFIG),
            "ok",
            "names mail.a.test",
        ),
        (
            rules.judge_names(rules.CERTIFICATE_NAMES, certificate(own=True), CONFIG),
            "ok",
            "told to trust it",
        ),
        (
            rules.judge_names(rules.CERTIFICATE_NAMES, certificate(names=("b.test",)), CONFIG),
            "fail",
            "is for b.test, not for mail.a.test",
        ),
        (rules.judge_queue(rules.QUEUE, QueueAge(), 1e6), "ok", "Nothing waits."),
        (rules.judge_queue(rules.QUEUE, QueueAge(1, 1e6 - 60, 1e6 + 60), 1e6), "ok", "1 message waits"),
        (rules.judge_queue(rules.QUEUE, QueueAge(2, 1e6 - 20_000, 1e6 + 60), 1e6), "warn", "for 6 hours"),
        (rules.judge_queue(rules.QUEUE, QueueAge(2, 1e6 - 20_000, 1e6 - 1800), 1e6), "fail", "overdue by 30"),
        (rules.judge_outgoing(rules.OUTGOING, 3, practice=False), "ok", "3 messages were taken"),
        (rules.judge_outgoing(rules.OUTGOING, 0, practice=False), "unknown", "Could not tell"),
        (rules.judge_outgoing(rules.OUTGOING, 3, practice=True), "unknown", "practice mode"),
    ],
    ids=lambda value: getattr(value, "summary", None),
)  # fmt: skip
def test_what_a_finding_means(check, result, words):
    assert check.result == result
    assert words in check.summary
    assert check.purpose
    assert check.how
    assert (check.fix is not None) == (result in {"warn", "fail"})


class Fakes:
    """Probes whose answers a test chooses; `broken` raise, `hanging` never answer."""

    def __init__(self, broken=(), hanging=()):
        self._broken, self._hanging = broken, hanging
        self.asked = []

    def _probe(self, name, value):
        async def ask(*_):
            self.asked.append(name)
            if name in self._broken:
                raise RuntimeError(name)
            if name in self._hanging:
                await asyncio.Event().wait()
            return value

        return ask

    def __getattr__(self, name):
        values = {
            "disk": Disk(50_000_000_000, 100_000_000_000),
            "folder": FolderFacts(),
            "clock": ClockFacts(1000, 990, True),
            "certificate": certificate(),
            "queue": QueueAge(),
            "knock": Knock(),
        }
        return self._probe(name, values[name])

    def settings(self):
        if "settings" in self._broken:
            raise OSError("settings")
        return []

    def ports(self):
        return [SMTP, Door("public", "imaps", "::", 993, "tls", "mail apps read here")]

    def sent_today(self):
        return 1

    def errors(self):
        return 0


def health(probes, **more):
    return Health(probes, config=lambda: CONFIG, clock=FakeClock(NOW.timestamp()), **more)


async def test_all_checks_of_a_server_that_is_well_are_ok():
    checks = await health(Fakes()).run()
    assert {check.result for check in checks} == {"ok"}
    assert len([check for check in checks if check.code == "port"]) == 2


async def test_a_check_that_fails_or_hangs_leaves_the_others_alone(expect_log):
    expect_log("health check failed")
    probes = Fakes(broken={"disk", "settings"}, hanging={"knock"})
    checks = await health(probes, time_limit_s=0.05).run()
    by_code = {check.code: check for check in checks}
    assert by_code["disk"].summary == "Could not tell: a fault in this program, see the log."
    assert by_code["settings"].result == "unknown"
    assert "no result within" in by_code["port"].summary
    assert {by_code[code].result for code in ("folder", "clock", "queue")} == {"ok"}


async def test_one_check_alone_leaves_what_is_known_of_the_others():
    before = await health(Fakes()).run()
    probes = Fakes()
    after = await health(probes).run("disk", before)
    assert probes.asked == ["disk"]
    assert after == before


def test_domains_that_need_somebody_have_a_line_each():
    from tests.unit.checkup.test_kept import MX, bad, report

    kept = {"a.test": take_in(None, report(MX)), "b.test": None}
    for number in range(25):
        name = f"d{number}.test"
        kept[name] = take_in(None, report(bad(MX), domain=name))
    rows = health(Fakes()).domains(kept)
    assert rows[0].result == "unknown"
    assert rows[1].fix.path == "/domains/d0.test/dns"
    assert [row.summary for row in rows[20:]] == [
        "The DNS of 1 domain is as it should be.",
        "6 more domains need a look.",
    ]


@pytest.fixture
def folder(tmp_path):
    data = DataFolder(tmp_path / "data")
    data.make()
    data.server_toml.touch()
    return data


def probes_of(folder, chain=None):
    async def age():
        return QueueAge()

    return Probes(
        folder,
        ports=list,
        certificate_file=lambda: (chain or folder.tls / "none.pem", True),
        queue_age=age,
        settings=list,
        sent_today=lambda: 0,
        errors=lambda: 0,
        clock=FakeClock(),
    )


async def test_the_folder_is_looked_at_and_left_as_it_was(folder):
    probes = probes_of(folder)
    assert await probes.folder() == FolderFacts()
    folder.secrets.chmod(0o755)
    assert (await probes.folder()).open_to_others == (str(folder.secrets),)
    assert not list(folder.root.rglob(".check-*"))
    assert (await probes.disk()).total_bytes > 0
    assert (await probes.clock()).newest > 0


async def test_a_folder_that_is_gone_is_a_fault(folder):
    folder.queue.rmdir()
    assert "No such file" in (await probes_of(folder).folder()).fault


async def test_the_certificate_is_read(folder):
    files = ensure_certificate(folder.tls, ["mail.a.test"], datetime.now(UTC))
    found = await probes_of(folder, files.certificate).certificate()
    assert "mail.a.test" in found.names
    assert found.own_authority
    assert (await probes_of(folder).certificate()).fault


@pytest.mark.parametrize(
    ("service", "greeting", "fault"),
    [
        ("smtp", b"220 mail.a.test ESMTP\r\n", ""),
        ("imap", b"* OK ready\r\n", ""),
        ("smtp", b"554 go away\r\n", "it answers “554 go away”"),
        ("smtp", b"", "it closes the connection"),
        ("http", b"", ""),
    ],
)
async def test_a_port_is_knocked_at(folder, service, greeting, fault):
    async def serve(reader, writer):
        writer.write(greeting)
        if greeting:
            await reader.read(100)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        door = Door("l", service, "0.0.0.0", port, "none", "x")
        assert await probes_of(folder).knock(door) == Knock(fault)
    assert (await probes_of(folder).knock(door)).fault


async def test_behind_a_tls_port_the_greeting_is_read_too(folder):
    files = ensure_certificate(folder.tls, ["mail.a.test"], datetime.now(UTC))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)

    async def serve(reader, writer):
        writer.write(b"* OK ready\r\n")
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        door = Door("l", "imaps", "127.0.0.1", port, "tls", "x")
        assert await probes_of(folder).knock(door) == Knock()


def test_a_report_of_the_server_is_kept_as_others_are():
    made = Report(
        domain="", practice_mode=True, checked_at=1.0, headline="", checks=(rules.DISK,), notes=()
    )
    assert take_in(None, made).rows["disk"].state == "unknown"
