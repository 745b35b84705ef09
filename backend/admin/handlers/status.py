"""The state of the server in one look, open problems, and figures for monitoring."""

import os
import resource
import shutil
import sys

from aiohttp import web

from backend.admin import attention, wire
from backend.admin.build import build_id, version
from backend.admin.call import Call, Handler
from backend.admin.openapi import document
from backend.admin.services import Services
from backend.api import types as t
from backend.outbound.listing import count_items
from backend.runtime.threads import Pool, run_blocking

LOW_DISK_BYTES = 1_000_000_000


async def status(call: Call) -> t.Status:
    services = call.services
    config = services.config.current
    disk = await run_blocking(Pool.FILES, shutil.disk_usage, services.folder.root)
    problems = open_problems(services, free_bytes=disk.free)
    verdict = verdict_of(problems)
    now = services.clock.time()
    ports = list(services.server.ports())
    return t.Status(
        verdict=verdict,
        headline=_headline(verdict, problems, practice=config.server.practice_mode),
        problems=problems,
        counters=await counters(services),
        ports=ports,
        disk=t.Disk(free_bytes=disk.free, total_bytes=disk.total),
        version=version(),
        build_id=build_id(),
        pid=os.getpid(),
        started_at=wire.at(services.server.started_at),
        uptime_s=max(0.0, now - services.server.started_at),
        memory_bytes=memory_bytes(),
        hostname=config.server.hostname,
        practice_mode=config.server.practice_mode,
        sending_paused=services.hold_rules.paused,
        data_folder=str(services.folder.root),
        web_url=web_url(services, ports),
        domains=len(config.domains.domains),
        accounts=len(config.domains.accounts),
        config_revision=config.revision,
    )


def open_problems(services: Services, *, free_bytes: int | None = None) -> list[t.Problem]:
    """Everything that needs a person, the worst first; not what somebody has decided to leave as it is."""
    return [
        problem
        for problem in all_problems(services, free_bytes=free_bytes)
        if attention.acknowledged(services, problem) is None
    ]


def all_problems(services: Services, *, free_bytes: int | None = None) -> list[t.Problem]:
    """With those that were acknowledged; the worst first."""
    problems = [wire.open_problem(value) for value in services.activity.problems.all()]
    problems += [
        wire.problem(each.problem()) for each in services.outbound.choices.useless_routes()
    ]
    if waiting := services.config.pending_restart:
        problems.append(
            t.Problem(
                code="config.restart_needed",
                message=f"Changed settings wait for a restart: {', '.join(waiting)}.",
                fix="Restart the server when it suits you.",
                severity="warning",
            )
        )
    if free_bytes is not None and free_bytes < LOW_DISK_BYTES:
        problems.append(
            t.Problem(
                code="disk.low",
                message=f"Only {free_bytes // 1_000_000} MB are free on the disk of the data folder.",
                fix="Make room, before mail can no longer be taken.",
                severity="error",
            )
        )
    if not services.config.current.domains.accounts:
        problems.append(
            t.Problem(
                code="setup.no_account",
                message="There is no account yet, so no mail can be received.",
                fix="Add a domain and an account.",
                severity="warning",
            )
        )
    if (paused := attention.paused(services)) is not None:
        problems.append(paused)
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(problems, key=lambda problem: order[problem.severity])


def verdict_of(problems: list[t.Problem]) -> t.VerdictName:
    severities = {problem.severity for problem in problems}
    if "error" in severities:
        return "problem"
    return "attention" if "warning" in severities else "ok"


def _headline(verdict: t.VerdictName, problems: list[t.Problem], *, practice: bool) -> str:
    if verdict == "ok":
        if practice:
            return "Practice mode: everything works, and nothing leaves this computer."
        return "Mail is received and sent."
    urgent = [p for p in problems if p.severity != "info"]
    if len(urgent) == 1:
        return urgent[0].message
    return f"{len(urgent)} things need attention."


async def counters(services: Services) -> t.Counters:
    counts = await count_items(services.outbound.queue)
    today = services.activity.today()
    return wire.counters(today, waiting=counts.waiting + counts.sending, held=counts.held)


def memory_bytes() -> int:
    """What the process holds in memory now."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def web_url(services: Services, ports: list[t.Port]) -> str:
    """Where a browser on this computer or elsewhere opens the administration; empty: nowhere."""
    listeners = services.config.current.server.listeners
    best = ""
    for port in ports:
        if port.service not in {"http", "https"} or not listeners[port.listener].admin:
            continue
        local = port.host in {"127.0.0.1", "::1"}
        anywhere = port.host in {"0.0.0.0", "::"}  # noqa: S104  # compared, not bound
        host = services.config.current.server.hostname
        if local or (anywhere and port.service == "http"):
            host = "localhost"
        elif not anywhere:
            host = f"[{port.host}]" if ":" in port.host else port.host
        url = f"{port.service}://{host}:{port.port}/admin/"
        if not best or local:
            best = url
        if local and port.service == "http":
            return url
    return best


async def problems(call: Call) -> t.Problems:
    disk = await run_blocking(Pool.FILES, shutil.disk_usage, call.services.folder.root)
    return t.Problems(items=open_problems(call.services, free_bytes=disk.free))


async def metrics(call: Call) -> web.Response:
    services = call.services
    counts = await count_items(services.outbound.queue)
    gauges = {
        "gatepost_queue_waiting": float(counts.waiting),
        "gatepost_queue_held": float(counts.held),
        "gatepost_queue_unconfirmed_sendings": float(counts.unconfirmed),
        "gatepost_open_problems": float(len(open_problems(services))),
        "gatepost_memory_bytes": float(memory_bytes()),
        "gatepost_uptime_seconds": services.clock.time() - services.server.started_at,
    }
    return web.Response(text=services.activity.metrics.text(gauges))


async def openapi(_: Call) -> web.Response:
    return web.json_response(document(version()))


HANDLERS: dict[str, Handler] = {
    "status": status,
    "problems": problems,
    "metrics": metrics,
    "openapi": openapi,
}
