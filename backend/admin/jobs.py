"""Long work that was started from a face: its state, its progress as events, its end."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from backend.admin import wire
from backend.api import types as t
from backend.core.clock import Clock
from backend.core.errors import ConflictError, NotFoundError
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime import tasks

log = logs.get(__name__)

MAX_KEPT = 50  # jobs that are remembered, a security limit
TELL_EVERY_S = 0.2
RATE_AFTER_S = 5.0  # before, a guess would only jump about


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What people are told of work of one kind. `cancelling`: what stopping it means. `path`: the page that it belongs to."""

    id: str
    title: str
    cancelling: str
    path: str


VERIFY = Kind(
    id="verify",
    title="Checking the stored mail",
    cancelling="Stopping changes nothing: the check only reads. It begins anew the next time.",
    path="/server",
)


@dataclass(slots=True)
class _Job:
    id: str
    kind: Kind
    started: float
    started_at: float  # monotonic
    state: str = "running"
    done: int = 0
    total: int = 0
    text: str = ""
    problems: list[Problem] = field(default_factory=list)
    ended: float | None = None
    task: asyncio.Task[None] | None = None
    told: float = 0.0
    seen: bool = False
    rate: float = 0.0
    remaining: float | None = None


class Progress:
    """Given to the work; call from the event loop's thread only."""

    def __init__(self, tell: Callable[[int, int, str], None]) -> None:
        self._tell = tell

    def update(self, done: int, total: int, text: str = "") -> None:
        self._tell(done, total, text)


Work = Callable[[Progress], Awaitable[list[Problem]]]
"""Returns what it found; an empty list: all is well."""


class Jobs:
    """`publish` is told each change, at most five times a second for each job."""

    def __init__(self, clock: Clock, publish: Callable[[t.Job], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._jobs: dict[str, _Job] = {}

    def start(self, kind: Kind, work: Work) -> t.Job:
        """Starts `work`.

        Raises:
            ConflictError: one of that kind is running.
        """
        if any(job.kind.id == kind.id and job.state == "running" for job in self._jobs.values()):
            raise ConflictError(
                Problem(
                    code="job.running",
                    message="This is being done already.",
                    fix="Wait for its end, or stop it.",
                )
            )
        job = _Job(
            id=secrets.token_hex(6),
            kind=kind,
            started=self._clock.time(),
            started_at=self._clock.monotonic(),
        )
        if len(self._jobs) >= MAX_KEPT:
            ended = next((j.id for j in self._jobs.values() if j.state != "running"), None)
            if ended is not None:
                del self._jobs[ended]
        self._jobs[job.id] = job
        job.task = tasks.spawn(self._run(job, work), f"job {kind.id}")
        self._publish(_wire(job))
        return _wire(job)

    def all(self) -> list[t.Job]:
        """The newest first."""
        return [_wire(job) for job in reversed(self._jobs.values())]

    def get(self, job_id: str) -> t.Job:
        return _wire(self._find(job_id))

    async def cancel(self, job_id: str) -> t.Job:
        job = self._find(job_id)
        await tasks.stop(job.task)
        return _wire(job)

    def see(self, job_id: str) -> t.Job:
        """Somebody has looked at its end; nothing happens while it runs."""
        job = self._find(job_id)
        if job.state != "running" and not job.seen:
            job.seen = True
            self._publish(_wire(job))
        return _wire(job)

    async def close(self) -> None:
        await tasks.stop(*(job.task for job in self._jobs.values()))

    def _find(self, job_id: str) -> _Job:
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFoundError(
                Problem(code="job.unknown", message="This work is not known (any more).")
            )
        return job

    async def _run(self, job: _Job, work: Work) -> None:
        def tell(done: int, total: int, text: str) -> None:
            job.done, job.total, job.text = done, total, text or job.text
            now = self._clock.monotonic()
            if (elapsed := now - job.started_at) >= RATE_AFTER_S and done:
                job.rate = done / elapsed
                job.remaining = (total - done) / job.rate if total >= done else None
            if now - job.told >= TELL_EVERY_S:
                job.told = now
                self._publish(_wire(job))

        try:
            job.problems = await work(Progress(tell))
            job.state = "done"
        except asyncio.CancelledError:
            job.state = "cancelled"
            raise
        except Exception as error:  # a job's border: whatever failed is told to whoever started it
            log.error("job failed", error=error, kind=job.kind.id)
            job.state = "failed"
            job.text = "It ended with a fault; the log tells more."
        finally:
            job.ended = self._clock.time()
            self._publish(_wire(job))


def _wire(job: _Job) -> t.Job:
    return t.Job.model_validate(
        {
            "id": job.id,
            "kind": job.kind.id,
            "title": job.kind.title,
            "cancelling": job.kind.cancelling,
            "path": job.kind.path,
            "rate": job.rate,
            "remaining_s": job.remaining if job.state == "running" else None,
            "seen": job.seen,
            "state": job.state,
            "done": job.done,
            "total": job.total,
            "text": job.text,
            "problems": [wire.problem(p) for p in job.problems],
            "started_at": wire.at(job.started),
            "ended_at": None if job.ended is None else wire.at(job.ended),
        }
    )
