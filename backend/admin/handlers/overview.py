"""The first page in one reply, and what can be put away from it."""

import shutil

from backend.admin import attention, wire
from backend.admin.build import version
from backend.admin.call import Call, Handler
from backend.admin.flows import engine
from backend.admin.handlers import status
from backend.admin.handlers.forms import language_of
from backend.admin.language import words_of
from backend.admin.services import Services
from backend.api import overview as o
from backend.api import types as t
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.observe.acknowledged import MAX_NOTE_CHARS, Note, finding
from backend.observe.days import DayCounters
from backend.runtime.threads import Pool, run_blocking

DAYS = 14
RECENT = 8
SETTLED_AFTER = 20  # messages from outside: by then one knows one's way around
LOW_DISK_SHARE = 0.1

_TONES: dict[str, o.Tone] = {"ok": "ok", "attention": "warn", "problem": "error"}
_CHECK_TONES: dict[str, o.Tone] = {"ok": "neutral", "warn": "warn", "fail": "error"}


async def overview(call: Call) -> o.Overview:
    services = call.services
    config = services.config.current
    disk = await run_blocking(Pool.FILES, shutil.disk_usage, services.folder.root)
    every = status.all_problems(services, free_bytes=disk.free)
    left = [(problem, attention.acknowledged(services, problem)) for problem in every]
    open_ = [problem for problem, note in left if note is None]
    verdict = status.verdict_of(open_)
    counters = await status.counters(services)
    flows = await engine.heads(services, words_of(language_of(call)))
    running_s = max(0.0, services.clock.time() - services.server.started_at)
    domains, accounts = len(config.domains.domains), len(config.domains.accounts)
    return o.Overview(
        verdict=verdict,
        tone=_TONES[verdict],
        headline=_headline(verdict, open_, practice=config.server.practice_mode),
        about=f"{config.server.hostname} · {_count(accounts, 'account')} in {_count(domains, 'domain')}"
        f" · running for {_duration(running_s)}",
        practice_mode=config.server.practice_mode,
        sending_paused=services.hold_rules.paused,
        accounts=accounts,
        attention=[attention.card(problem) for problem in open_],
        acknowledged=[note for _, note in left if note is not None],
        stats=_stats(counters, services.activity.last_days(DAYS)),
        recent=[
            wire.trace_summary(record) for record in services.activity.timeline.recent(limit=RECENT)
        ],
        facts=_facts(services, disk.free, disk.total),
        disk=t.Disk(free_bytes=disk.free, total_bytes=disk.total),
        steps=_steps(services, counters),
        flows=flows.items,
    )


def _headline(verdict: t.VerdictName, problems: list[t.Problem], *, practice: bool) -> str:
    if verdict == "ok":
        if practice:
            return "Practice mode: everything works, and nothing leaves this computer."
        return "Mail is working."
    urgent = [p for p in problems if p.severity != "info"]
    count = f"{_count(len(urgent), 'thing')} {'needs' if len(urgent) == 1 else 'need'} attention"
    return (
        f"Mail is working. {count}." if verdict == "attention" else f"Something is wrong: {count}."
    )


def _stats(counters: t.Counters, days: list[DayCounters]) -> list[o.Stat]:
    held, bounced = counters.queue_held, counters.bounced
    return [
        o.Stat(
            id="received",
            label="Received today",
            value=counters.received,
            note=f"{_number(counters.delivered)} put into mailboxes",
            path="/activity",
            icon="inbox",
            days=[day.received for day in days],
        ),
        o.Stat(
            id="sent",
            label="Sent today",
            value=counters.sent,
            note=f"{_number(bounced)} came back" if bounced else "none came back",
            path="/activity",
            icon="send",
            alert=bounced > 0,
            days=[day.sent for day in days],
        ),
        o.Stat(
            id="waiting",
            label="Waiting in the queue",
            value=counters.queue_waiting,
            note=f"{_number(held)} on hold" if held else "none on hold",
            path="/queue",
            icon="mail-forward",
        ),
        o.Stat(
            id="rejected",
            label="Refused today",
            value=counters.rejected,
            note=f"{_count(counters.sign_in_failures, 'failed sign-in')}",
            path="/activity",
            icon="ban",
            days=[day.rejected for day in days],
        ),
    ]


def _facts(services: Services, free: int, total: int) -> list[o.Fact]:
    server = services.config.current.server
    kept = services.checkups.last_of_server()
    facts = []
    if kept is not None:
        for check in kept.report.checks:
            if check.code == "certificate_age":
                tone = _CHECK_TONES.get(check.state, "neutral")
                facts.append(
                    o.Fact(
                        label="Certificate",
                        value=check.summary.removeprefix("The certificate is "),
                        tone=tone,
                        path="/system/certificates",
                    )
                )
    low = total > 0 and free < total * LOW_DISK_SHARE
    disk = f"{_size(free)} free of {_size(total)}"
    facts.append(o.Fact(label="Disk", value=disk, tone="warn" if low else "neutral"))
    facts.append(o.Fact(label="Host name", value=server.hostname, path="/system/server"))
    addresses = ", ".join(
        dict.fromkeys(
            port.host
            for port in services.server.ports()
            if port.host not in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound
        )
    )
    facts.append(
        o.Fact(label="Addresses", value=addresses or "all of this computer", path="/system/ports")
    )
    facts.append(o.Fact(label="Version", value=version()))
    facts.append(
        o.Fact(
            label="Sending",
            value="paused" if services.hold_rules.paused else "on",
            tone="warn" if services.hold_rules.paused else "neutral",
            path="/queue",
        )
    )
    return facts


def _steps(services: Services, counters: t.Counters) -> list[o.NextStep]:
    """The first weeks' suggestions; each goes when it is done, or put away by somebody."""
    config = services.config.current
    accounts = list(config.domains.accounts)
    steps = []
    if not accounts:
        steps.append(
            o.NextStep(
                id="account",
                icon="user-plus",
                title="Add a first account",
                text="A person with an address and a mailbox.",
                action="Add account",
                path="/accounts/new",
            )
        )
    elif counters.received <= SETTLED_AFTER:
        steps.append(
            o.NextStep(
                id="connect",
                icon="device-mobile",
                title="Connect a mail app",
                text="Read and write this mail with Thunderbird, Outlook or a phone.",
                action="Show the settings",
                path=f"/accounts/{accounts[0]}/connect",
            )
        )
    if config.server.practice_mode:
        steps.append(
            o.NextStep(
                id="live",
                icon="world-plus",
                title="Set up mail for your own domain",
                text="See what it takes to go from practice to real mail.",
                action="Start",
                path="/start/domain",
            )
        )
    away = services.activity.acknowledged.is_put_away
    return [step for step in steps if not away(step.id)]


async def acknowledge_problem(call: Call) -> t.Empty:
    body, services = call.body(o.AcknowledgeProblem), call.services
    disk = await run_blocking(Pool.FILES, shutil.disk_usage, services.folder.root)
    for problem in status.all_problems(services, free_bytes=disk.free):
        if (problem.code, problem.subject) == (body.code, body.subject):
            break
    else:
        raise NotFoundError(
            Problem(
                code="problem.unknown",
                message="This problem is over already.",
                fix="Read the overview again.",
            )
        )
    note = Note(
        body.note.strip()[:MAX_NOTE_CHARS],
        call.author,
        services.clock.time(),
        finding(problem.severity, problem.message),
    )
    services.activity.acknowledged.put(body.code, body.subject, note)
    await _keep(services)
    return t.Empty()


async def unacknowledge_problem(call: Call) -> t.Empty:
    body = call.body(o.ProblemName)
    call.services.activity.acknowledged.remove(body.code, body.subject)
    await _keep(call.services)
    return t.Empty()


async def put_step_away(call: Call) -> t.Empty:
    call.services.activity.acknowledged.put_away(call.path("step")[:100])
    await _keep(call.services)
    return t.Empty()


async def _keep(services: Services) -> None:
    await run_blocking(Pool.FILES, services.activity.acknowledged.save)


def _number(value: int) -> str:
    """Groups of three, parted by a thin space: right in every language."""
    return f"{value:,}".replace(",", "\u202f")


def _count(value: int, one: str) -> str:
    return f"{_number(value)} {one if value == 1 else one + 's'}"


def _duration(seconds: float) -> str:
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60} min" if whole >= 60 else f"{whole} s"
    if whole < 86_400:
        return f"{whole // 3600} h"
    return _count(whole // 86_400, "day")


def _size(size: int) -> str:
    value = float(size)
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < 999.5:
            return (
                f"{value:.0f} {unit}" if value >= 9.95 or unit == "bytes" else f"{value:.1f} {unit}"
            )
        value /= 1000
    return f"{value:.0f} TB" if value >= 9.95 else f"{value:.1f} TB"


HANDLERS: dict[str, Handler] = {
    "overview": overview,
    "acknowledge_problem": acknowledge_problem,
    "unacknowledge_problem": unacknowledge_problem,
    "put_step_away": put_step_away,
}
