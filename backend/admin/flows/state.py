"""What there is of a wizard between two steps, and where it is kept: a small file each, its secrets with the others' secrets."""

import asyncio
import re
import secrets as random
from collections.abc import Callable
from pathlib import Path
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from backend.api.flows import CheckItem, Report
from backend.config.atomic import write_atomically
from backend.config.secrets import SecretStore
from backend.core.clock import Clock
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime import tasks
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

MAX_FLOWS = (
    50  # that are kept; of more, the one that nobody has touched for longest goes; a security limit
)
MAX_FLOW_BYTES = 256 * 1024  # of one file, a security limit
KEPT_S = 30 * 86_400.0
UNTOUCHED_KEPT_S = 86_400.0  # one in which nothing was answered
DONE_KEPT_S = 3_600.0  # its last page may show a password

_ID = re.compile(r"[0-9a-f]{16}")
_SECRETS = "flows/"


class FlowState(BaseModel):
    """`draft`: the values of each step, secrets as `{"set": true}`. `passed`: steps that were answered. `made`: what the
    commit has made, for the steps behind it. `committing`: it was under way when this was written.
    """

    model_config = ConfigDict(extra="ignore", validate_assignment=False)

    id: str
    type: str
    step: str = ""
    context: dict[str, str] = Field(default_factory=dict)
    begun_at: float
    changed_at: float
    draft: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    passed: list[str] = Field(default_factory=list)
    checks: dict[str, list[CheckItem]] = Field(default_factory=dict)
    reports: dict[str, Report] = Field(default_factory=dict)
    made: dict[str, str] = Field(default_factory=dict)
    committing: bool = False
    committed: bool = False
    done: bool = False

    def expires_at(self) -> float:
        if self.done:
            return self.changed_at + DONE_KEPT_S
        return self.changed_at + (KEPT_S if self.passed or self.draft else UNTOUCHED_KEPT_S)


class FlowShelf:
    """`publish` is told the flow's id when a check has finished, so that faces draw it anew."""

    def __init__(
        self, folder: Path, secrets: SecretStore, clock: Clock, publish: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._secrets = secrets
        self._clock = clock
        self._publish = publish
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def close(self) -> None:
        await tasks.stop(*self._running.values())

    def now(self) -> float:
        return self._clock.time()

    def lock(self, flow: str) -> asyncio.Lock:
        """One move at a time. Gone when nobody holds or awaits it: ids may be anything that somebody asks for."""
        return self._locks.setdefault(flow, asyncio.Lock())

    def tell(self, flow: str) -> None:
        self._publish(flow)

    # ---- work in the background

    def is_running(self, flow: str, step: str) -> bool:
        task = self._running.get((flow, step))
        return task is not None and not task.done()

    def run(self, flow: str, step: str, task: asyncio.Task[None]) -> None:
        self._running[flow, step] = task
        task.add_done_callback(lambda _: self._running.pop((flow, step), None))

    # ---- on disk

    def new(self, type_: str, context: dict[str, str]) -> FlowState:
        now = self.now()
        return FlowState(
            id=random.token_hex(8), type=type_, context=context, begun_at=now, changed_at=now
        )

    async def find(self, flow: str) -> FlowState:
        """Raises:
        NotFoundError: there is none, or not any more.
        """
        state = await run_blocking(Pool.FILES, self._read, flow) if _ID.fullmatch(flow) else None
        if state is not None and state.expires_at() <= self.now():
            await self.remove(flow)
            state = None
        if state is None:
            raise NotFoundError(
                Problem(
                    code="flow.unknown",
                    message="This is not there any more: it was finished, given up, or left for too long.",
                    fix="Begin it again.",
                )
            )
        return state

    async def all(self) -> list[FlowState]:
        """The latest first. What has expired is removed on the way."""
        found = await run_blocking(Pool.FILES, self._read_all)
        now = self.now()
        for state in [each for each in found if each.expires_at() <= now]:
            found.remove(state)
            await self.remove(state.id)
        return sorted(found, key=lambda each: -each.changed_at)

    async def save(self, state: FlowState) -> None:
        state.changed_at = self.now()
        await run_blocking(Pool.FILES, self._write, state)

    async def make_room(self) -> None:
        for old in (await self.all())[MAX_FLOWS - 1 :]:
            await self.remove(old.id)
            log.info("flow given up for room", type=old.type)

    async def remove(self, flow: str) -> None:
        if not _ID.fullmatch(flow):
            return
        await tasks.stop(*(task for key, task in self._running.items() if key[0] == flow))
        await run_blocking(Pool.FILES, self._path(flow).unlink, True)
        await run_blocking(Pool.FILES, self._secrets.delete, _SECRETS + flow)

    async def secrets_of(self, flow: str) -> dict[str, str]:
        """By step and pointer: `form/auth/password`."""
        found = await run_blocking(Pool.FILES, self._secrets.get, _SECRETS + flow)
        return {name: text for name, text in (found or {}).items() if isinstance(text, str)}

    async def keep_secrets(self, flow: str, secrets: dict[str, str]) -> None:
        if secrets:
            await run_blocking(Pool.FILES, self._secrets.set, _SECRETS + flow, secrets)
        else:
            await run_blocking(Pool.FILES, self._secrets.delete, _SECRETS + flow)

    def _path(self, flow: str) -> Path:
        return self._folder / f"{flow}.json"

    def _read(self, flow: str) -> FlowState | None:
        try:
            with self._path(flow).open("rb") as file:
                data = file.read(MAX_FLOW_BYTES + 1)
        except FileNotFoundError:
            return None
        try:
            if len(data) > MAX_FLOW_BYTES:
                raise ValueError("too large")
            return FlowState.model_validate_json(data)
        except (ValidationError, ValueError):
            log.warning("flow is damaged, left out", flow=flow)
            return None

    def _read_all(self) -> list[FlowState]:
        if not self._folder.is_dir():
            return []
        names = [path.stem for path in self._folder.glob("*.json") if _ID.fullmatch(path.stem)]
        return [state for name in names if (state := self._read(name)) is not None]

    def _write(self, state: FlowState) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = state.model_dump_json().encode()
        if len(data) > MAX_FLOW_BYTES:
            raise ValueError("a flow may not be that large")
        write_atomically(self._path(state.id), data, mode=0o600)
