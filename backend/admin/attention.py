"""What needs somebody, as cards: the open problems with the first thing to do about each, and what it means."""

from dataclasses import dataclass
from typing import Literal

from backend.admin import wire
from backend.admin.services import Services
from backend.api import overview as o
from backend.api import types as t
from backend.api.pages import PAGES, match

PAUSED = "queue.paused"
_TONES: dict[str, o.Tone] = {"error": "error", "warning": "warn", "info": "info"}


@dataclass(frozen=True, slots=True)
class _Advice:
    """`paths`: the first one that a page stands at; `{subject}` is the problem's."""

    action: str = ""
    paths: tuple[str, ...] = ()
    why: str = ""
    call: Literal["", "resume", "restart"] = ""


_ADVICE: dict[str, _Advice] = {
    PAUSED: _Advice(
        "Resume sending",
        why="Somebody has paused sending. Mail is still accepted and kept in the queue; it leaves when the pause ends.",
        call="resume",
    ),
    "config.restart_needed": _Advice(
        "Restart now",
        why="Some settings, such as ports, are read when the server starts. A restart takes a few seconds; other servers try again by themselves.",
        call="restart",
    ),
    "disk.low": _Advice(
        "Look at the system",
        ("/health", "/server"),
        "When the disk is full, the server refuses mail with a temporary answer. Other servers keep it for some days and try again.",
    ),
    "setup.no_account": _Advice(
        "Add an account",
        ("/accounts/new",),
        "An account is a person or a program with an address and a mailbox. Without one there is nowhere to put mail.",
    ),
    "dns.domain": _Advice(
        "Look at the DNS records",
        ("/domains/{subject}/dns", "/domains"),
        "Other servers find out by DNS where to send mail to, and whether mail in your name is yours. Wrong records make mail go astray or be taken for junk.",
    ),
    "health.check": _Advice(
        "Look at the checks",
        ("/health", "/server"),
        "The server looks at itself every quarter of an hour; this was found more than once.",
    ),
    "store.damaged": _Advice(
        "Check the stored mail",
        ("/server",),
        "Stored mail does not fit together with its index. The check finds out how much is affected and changes nothing.",
    ),
}
_BY_AREA: dict[str, _Advice] = {
    "tls": _Advice(
        "Look at the certificates",
        ("/system/certificates", "/server"),
        "Mail apps and other servers refuse to connect when the certificate is missing, expired or for another name.",
    ),
    "route": _Advice(
        "Look at the routes",
        ("/routes",),
        "Routes are asked from the top, and the first that fits decides.",
    ),
    "listener": _Advice(
        "Look at the ports",
        ("/system/ports", "/server"),
        "A port that can't be opened is often used by another program on this computer.",
    ),
    "ports": _Advice(
        "Look at the ports",
        ("/system/ports", "/server"),
        "A port that can't be opened is often used by another program on this computer.",
    ),
    "config": _Advice("Look at the settings", ("/settings", "/server")),
}


def card(problem: t.Problem) -> o.Attention:
    """`problem` is open and nobody has acknowledged it."""
    advice = _ADVICE.get(problem.code) or _BY_AREA.get(problem.code.partition(".")[0], _Advice())
    place = f"({problem.file}, line {problem.line})" if problem.line else f"({problem.file})"
    return o.Attention(
        code=problem.code,
        subject=problem.subject,
        tone=_TONES[problem.severity],
        title=problem.message,
        body=" ".join(part for part in (problem.fix, place if problem.file else "") if part),
        why=advice.why,
        since=problem.since,
        action=_action(advice, problem.subject),
        may_acknowledge=problem.code != PAUSED,
    )


def _action(advice: _Advice, subject: str) -> o.AttentionAction | None:
    if advice.call:
        return o.AttentionAction(title=advice.action, call=advice.call)
    for template in advice.paths:
        path = template.format(subject=subject)
        found = match(path, PAGES)
        # A path whose page is not there yet would only lead to the page above it.
        if found is not None and (not found[2] or found[2] == "new"):
            return o.AttentionAction(title=advice.action, path=path)
    return None


def paused(services: Services) -> t.Problem | None:
    if not services.hold_rules.paused:
        return None
    return t.Problem(
        code=PAUSED,
        message="Sending is paused. Mail waits in the queue.",
        fix="Resume sending when nothing speaks against it.",
        severity="warning",
    )


def acknowledged(services: Services, problem: t.Problem) -> o.AcknowledgedProblem | None:
    """None: it calls for attention."""
    note = services.activity.acknowledged.note_of(
        problem.code, problem.subject, problem.severity, problem.message
    )
    if note is None:
        return None
    return o.AcknowledgedProblem(
        code=problem.code,
        subject=problem.subject,
        title=problem.message,
        note=note.note,
        by=note.by,
        at=wire.at(note.at),
    )
