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


@dataclass(slots=True)
class _Job:
    id: str
    kind: str
    started: float
    state: str = "running"
    done: int = 0
    total: int = 0
    text: str = ""
    problems: list[Problem] = field(default_factory=list)
    ended: float | None = None
    task: asyncio.Task[None] | None = None
    told: float = 0.0


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

    def start(self, kind: str, work: Work) -> t.Job:
        """Starts `work`.

        Raises:
            ConflictError: one of that kind is running.
        """
        if any(job.kind == kind and job.state == "running" for job in self._jobs.values()):
            raise ConflictError(
                Problem(
                    code="job.running",
                    message="This is being done already.",
                    fix="Wait for its end, or stop it.",
                )
            )
        job = _Job(id=secrets.token_hex(6), kind=kind, started=self._clock.time())
        if len(self._jobs) >= MAX_KEPT:
            ended = next((j.id for j in self._jobs.values() if j.state != "running"), None)
            if ended is not None:
                del self._jobs[ended]
        self._jobs[job.id] = job
        job.task = tasks.spawn(self._run(job, work), f"job {kind}")
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
            log.error("job failed", error=error, kind=job.kind)
            job.state = "failed"
            job.text = "It ended with a fault; the log tells more."
        finally:
            job.ended = self._clock.time()
            self._publish(_wire(job))


def _wire(job: _Job) -> t.Job:
    return t.Job.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "state": job.state,
            "done": job.done,
            "total": job.total,
            "text": job.text,
            "problems": [wire.problem(p) for p in job.problems],
            "started_at": wire.at(job.started),
            "ended_at": None if job.ended is None else wire.at(job.ended),
        }
    )
