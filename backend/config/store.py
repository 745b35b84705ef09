"""The current configuration, and the one way to change it: check, plan, do or undo, write, publish.

A change that any part can't follow (a port that does not bind) leaves everything as it was. Each applied change is a
revision. Files that a person edits are picked up; a broken one keeps what runs and raises problems with their lines.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from backend.config.check import check
from backend.config.files import Texts, read_texts, rewritten, stamp, write_texts
from backend.config.load import (
    DOMAINS_FILE,
    SERVER_FILE,
    Loaded,
    load_texts,
)
from backend.config.model import Config, DomainsConfig, ServerConfig
from backend.config.paths import DataFolder
from backend.config.plan import Step, needs_restart, plan, to_plain
from backend.config.revisions import Revision, Revisions, difference
from backend.core.clock import Clock, SystemClock
from backend.core.errors import ConfigError, ConflictError, NotFoundError
from backend.core.events import ConfigApplied
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime.hub import Hub
from backend.runtime.tasks import finish
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

POLL_S = 2.0
FILE_AUTHOR = "file"
"""Who made a change that was found in the files on disk."""

Undo = Callable[[], Awaitable[None]]
Prepare = Callable[[Config, Config], Awaitable[Undo | None]]
"""Follows a change from the first configuration to the second before it is written, and tells how to take it back.
Raises ConfigError when it can't."""


@dataclass(frozen=True, slots=True)
class Applied:
    """`needs_restart`: settings that take effect at the next start."""

    config: Config
    steps: tuple[Step, ...]
    needs_restart: tuple[str, ...]

    @property
    def revision(self) -> int:
        return self.config.revision


class ConfigStore:
    def __init__(
        self,
        folder: DataFolder,
        *,
        clock: Clock | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        on_clear: Callable[[str, str], None] | None = None,
    ) -> None:
        """`on_clear` gets code and subject of a problem that is gone."""
        self._folder = folder
        self._clock = clock or SystemClock()
        self._on_problem = on_problem
        self._on_clear = on_clear
        self._revisions = Revisions(folder.revisions)
        self._prepare: list[Prepare] = []
        self._followers: list[Callable[[Config], None]] = []
        self._lock = asyncio.Lock()
        self._loaded: Loaded | None = None
        self._texts = Texts("", "", ())
        self._config: Config | None = None
        self._started: ServerConfig | None = None
        self._faults: tuple[Problem, ...] = ()
        self._seen: tuple[int, ...] = ()
        self.changes: Hub[ConfigApplied] = Hub()

    @property
    def current(self) -> Config:
        if self._config is None:
            raise RuntimeError("ConfigStore.open() was not awaited")
        return self._config

    @property
    def faults(self) -> tuple[Problem, ...]:
        """What is wrong with the files on disk, while an older configuration goes on running."""
        return self._faults

    @property
    def pending_restart(self) -> tuple[str, ...]:
        """Settings that have changed since the start and wait for the next one."""
        if self._started is None:
            return ()
        steps = plan(to_plain(self._started), to_plain(self.current.server))
        return needs_restart(ServerConfig, steps)

    def prepare_with(self, prepare: Prepare) -> None:
        """A part that must be able to follow a change before it counts."""
        self._prepare.append(prepare)

    def follow(self, callback: Callable[[Config], None]) -> None:
        """Called with each new configuration after it was written; must not fail."""
        self._followers.append(callback)

    async def open(self) -> Config:
        """Reads the files. Edits since the last run become a revision.

        Raises:
            ConfigError: with all faults of both files; there is nothing to go on with.
        """
        texts = await run_blocking(Pool.FILES, read_texts, self._folder)
        loaded = load_texts(texts.server, texts.domains)
        latest = await run_blocking(Pool.FILES, self._revisions.latest)
        number = latest.number if latest else 0
        if latest is None or (latest.server, latest.domains) != (texts.server, texts.domains):
            number += 1
            note = (
                "First configuration" if latest is None else "Edited while the server was stopped"
            )
            await self._record(number, FILE_AUTHOR, note, texts)
        self._take(loaded, texts, Config(loaded.server, loaded.domains, number))
        self._started = loaded.server
        _log_completed(loaded)
        return self.current

    def _take(self, loaded: Loaded, texts: Texts, config: Config) -> None:
        self._loaded, self._texts, self._config = loaded, texts, config
        self._seen = texts.stamp

    async def _record(self, number: int, author: str, note: str, texts: Texts) -> None:
        revision = Revision(
            number=number,
            at=self._clock.time(),
            author=author,
            note=note,
            server=texts.server,
            domains=texts.domains,
        )
        await run_blocking(Pool.FILES, self._revisions.add, revision)

    # --- changes -----------------------------------------------------------------------------------------------------

    async def apply(
        self,
        domains: DomainsConfig | None = None,
        *,
        server: ServerConfig | None = None,
        author: str,
        base_revision: int | None = None,
        note: str = "",
    ) -> Applied:
        """Makes that the configuration. `base_revision`: the one that the change was made from.

        Raises:
            ConfigError: all faults; or a part could not follow, then nothing has changed.
            ConflictError: the configuration has changed since `base_revision`, or the files on disk are broken.
        """
        return await self.edit(
            lambda config: replace(
                config, server=server or config.server, domains=domains or config.domains
            ),
            author=author,
            base_revision=base_revision,
            note=note,
        )

    async def edit(
        self,
        change: Callable[[Config], Config],
        *,
        author: str,
        base_revision: int | None = None,
        note: str = "",
    ) -> Applied:
        """As `apply`, with a function from the current configuration to the new one: nothing can come in between.

        Raises:
            ConfigError, ConflictError: as `apply`; and whatever `change` raises.
        """
        return await finish(self._edit(change, author, base_revision, note))

    async def _edit(
        self,
        change: Callable[[Config], Config],
        author: str,
        base_revision: int | None,
        note: str,
    ) -> Applied:
        async with self._lock:
            await self._pick_up()
            self._refuse_broken_files()
            old = self.current
            self._refuse_stale(base_revision)
            new = replace(change(old), revision=old.revision + 1)
            if problems := check(new.server, new.domains):
                raise ConfigError(problems)
            steps = _plan(old, new)
            if not steps:
                return Applied(old, (), ())
            assert self._loaded is not None
            texts, loaded = await run_blocking(
                Pool.FILES, rewritten, self._texts, self._loaded, new
            )
            return await self._carry_out(new, steps, texts, loaded, author=author, note=note)

    async def apply_texts(
        self,
        *,
        server: str | None = None,
        domains: str | None = None,
        author: str,
        base_revision: int | None = None,
        note: str = "",
    ) -> Applied:
        """As `apply`, with the texts of the files, comments and all; None leaves a file as it is.

        Raises:
            ConfigError, ConflictError: as `apply`.
        """
        return await finish(self._apply_texts(server, domains, author, base_revision, note))

    async def _apply_texts(
        self,
        server: str | None,
        domains: str | None,
        author: str,
        base_revision: int | None,
        note: str,
    ) -> Applied:
        async with self._lock:
            await self._pick_up()
            old, before = self.current, self._texts
            self._refuse_stale(base_revision)
            texts = Texts(
                before.server if server is None else server,
                before.domains if domains is None else domains,
                (),
            )
            loaded = load_texts(texts.server, texts.domains)
            if (texts.server, texts.domains) == (before.server, before.domains):
                if not self._faults:
                    return Applied(old, (), ())
            if self._faults:
                # What stands on disk is not what runs: with this, both files count as changed and are written.
                mark = "\n# what ran before\n"
                self._texts = Texts(before.server + mark, before.domains + mark, before.stamp)
            new = Config(loaded.server, loaded.domains, old.revision + 1)
            steps = _plan(old, new)
            note = note or ("" if steps else "Changed comments or order")
            try:
                applied = await self._carry_out(new, steps, texts, loaded, author=author, note=note)
            except BaseException:
                self._texts = before
                raise
            self._set_faults(())
            _log_completed(loaded)
            return applied

    def _refuse_stale(self, base_revision: int | None) -> None:
        current = self.current.revision
        if base_revision is not None and base_revision != current:
            raise ConflictError(
                Problem(
                    code="config.conflict",
                    message="The configuration has been changed by someone else in the meantime.",
                    fix="Load it again and repeat your change.",
                    params={"yours": str(base_revision), "current": str(current)},
                )
            )

    def _refuse_broken_files(self) -> None:
        if self._faults:
            first = self._faults[0]
            raise ConflictError(
                replace(
                    first,
                    code="config.broken_file",
                    message=f"{first.file} has been edited and has a fault in line {first.line}: {first.message}",
                    fix=f"{first.fix} Changes can be made again after that.",
                )
            )

    async def _carry_out(
        self,
        new: Config,
        steps: tuple[Step, ...],
        texts: Texts,
        loaded: Loaded,
        *,
        author: str,
        note: str,
    ) -> Applied:
        undos = await self._prepare_all(new)
        before = self._texts
        try:
            written = await run_blocking(Pool.FILES, write_texts, self._folder, before, texts)
            try:
                await self._record(new.revision, author, note or _describe(steps), written)
            except OSError:
                await run_blocking(Pool.FILES, write_texts, self._folder, written, before)
                raise
        except OSError as error:
            await _undo_all(undos)
            self._seen = ()
            raise ConfigError(
                [
                    Problem(
                        code="config.not_written",
                        message=f"The configuration could not be saved: {error.strerror or error}.",
                        fix=f"Make sure that {self._folder.config} can be written and that the disk is not full.",
                    )
                ]
            ) from error
        self._take(loaded, written, new)
        return self._publish(new, steps, author)

    def _publish(self, new: Config, steps: tuple[Step, ...], author: str) -> Applied:
        for follower in self._followers:
            follower(new)
        restart = needs_restart(ServerConfig, [s for s in steps if _is_server(s)])
        log.info(
            "configuration applied",
            revision=new.revision,
            author=author,
            settings=len(steps),
            needs_restart=", ".join(restart),
        )
        self.changes.publish(ConfigApplied(new.revision, author))
        return Applied(new, steps, restart)

    async def _prepare_all(self, new: Config) -> list[Undo]:
        undos: list[Undo] = []
        try:
            for prepare in self._prepare:
                undo = await prepare(self.current, new)
                if undo is not None:
                    undos.append(undo)
        except BaseException:
            await _undo_all(undos)
            raise
        return undos

    # --- edits on disk -----------------------------------------------------------------------------------------------

    async def reload_from_disk(self) -> Applied | None:
        """Takes over edits of the files; None if there are none or they can't be used (then see `faults`)."""
        return await finish(self._reload())

    async def _reload(self) -> Applied | None:
        async with self._lock:
            return await self._pick_up()

    async def _pick_up(self) -> Applied | None:
        seen = await run_blocking(Pool.FILES, stamp, self._folder)
        if seen == self._seen:
            return None
        try:
            texts = await run_blocking(Pool.FILES, read_texts, self._folder)
            loaded = load_texts(texts.server, texts.domains)
        except ConfigError as error:
            self._seen = seen
            self._set_faults(error.problems)
            return None
        self._seen = texts.stamp
        if (texts.server, texts.domains) == (self._texts.server, self._texts.domains):
            self._texts = texts
            self._set_faults(())
            return None
        old = self.current
        new = Config(loaded.server, loaded.domains, old.revision + 1)
        try:
            undos = await self._prepare_all(new)
        except ConfigError as error:
            self._set_faults([_in_file(problem) for problem in error.problems])
            return None
        try:
            await self._record(new.revision, FILE_AUTHOR, "Edited in the file", texts)
        except OSError as error:
            await _undo_all(undos)
            self._set_faults(
                [
                    Problem(
                        code="config.not_written",
                        message=f"The edited configuration could not be recorded: {error.strerror}.",
                        fix=f"Make sure that {self._folder.revisions} can be written.",
                    )
                ]
            )
            return None
        self._set_faults(())
        _log_completed(loaded)
        self._take(loaded, texts, new)
        return self._publish(new, _plan(old, new), FILE_AUTHOR)

    def _set_faults(self, problems: "tuple[Problem, ...] | list[Problem]") -> None:
        # Problems are told apart by code and subject; the place is the subject here.
        new = tuple(
            replace(p, subject=p.subject or f"{p.file}:{p.line}:{p.path}") for p in problems
        )
        gone = {(p.code, p.subject) for p in self._faults} - {(p.code, p.subject) for p in new}
        if self._on_clear is not None:
            for code, subject in sorted(gone):
                self._on_clear(code, subject)
        for problem in new:
            if problem not in self._faults:
                log.warning("configuration file not used", problem=str(problem))
                if self._on_problem is not None:
                    self._on_problem(problem)
        self._faults = new

    async def watch(self) -> None:
        """Looks for edits every two seconds, until it is cancelled."""
        while True:
            await asyncio.sleep(POLL_S)
            await self.reload_from_disk()

    # --- history -----------------------------------------------------------------------------------------------------

    async def revisions(self, limit: int = 100, offset: int = 0) -> list[Revision]:
        """The newest first, without the first `offset` of them."""
        return await run_blocking(Pool.FILES, self._revisions.newest, limit, offset)

    async def count_revisions(self) -> int:
        return len(await run_blocking(Pool.FILES, self._revisions.numbers))

    async def find_revision(self, number: int) -> Revision | None:
        """None when it is not kept."""
        return await run_blocking(Pool.FILES, self._revisions.find, number)

    async def diff(self, number: int) -> str:
        """What that revision changed, as a unified diff.

        Raises:
            NotFoundError: there is no such revision.
        """
        new = await self.get_revision(number)
        return difference(await run_blocking(Pool.FILES, self._revisions.find, number - 1), new)

    async def revert(
        self, number: int, *, author: str, base_revision: int | None = None
    ) -> Applied:
        """Makes everything as it was before revision `number`, as a new revision.

        Raises:
            NotFoundError: the revision, or the one before it, is not kept.
            ConfigError, ConflictError: as `apply`.
        """
        return await self._go_to(
            await self.get_revision(number - 1), f"Undid revision {number}", author, base_revision
        )

    async def restore(
        self, number: int, *, author: str, base_revision: int | None = None
    ) -> Applied:
        """Makes everything as revision `number` left it, as a new revision. Raises as `revert`."""
        return await self._go_to(
            await self.get_revision(number), f"Back to revision {number}", author, base_revision
        )

    async def _go_to(
        self, target: Revision, note: str, author: str, base_revision: int | None
    ) -> Applied:
        return await self.apply_texts(
            server=target.server,
            domains=target.domains,
            author=author,
            base_revision=base_revision,
            note=note,
        )

    async def get_revision(self, number: int) -> Revision:
        """Raises:
        NotFoundError: it is not kept.
        """
        found = await run_blocking(Pool.FILES, self._revisions.find, number)
        if found is None:
            raise NotFoundError(
                Problem(
                    code="config.no_revision",
                    message=f"There is no revision {number} of the configuration.",
                    fix="Choose one from the list of revisions.",
                )
            )
        return found


def _plan(old: Config, new: Config) -> tuple[Step, ...]:
    return (
        *plan(to_plain(old.server), to_plain(new.server)),
        *plan(to_plain(old.domains), to_plain(new.domains)),
    )


def _is_server(step: Step) -> bool:
    return step.path[0] in ServerConfig.model_fields


def _describe(steps: tuple[Step, ...]) -> str:
    names = [".".join(step.path) for step in steps[:3]]
    more = f" and {len(steps) - 3} more" if len(steps) > 3 else ""
    return f"Changed {', '.join(names)}{more}"


def _in_file(problem: Problem) -> Problem:
    first = problem.path.split("/")[1:2]
    is_server = bool(first) and first[0] in ServerConfig.model_fields
    return replace(problem, file=SERVER_FILE if is_server else DOMAINS_FILE, line=1)


async def _undo_all(undos: list[Undo]) -> None:
    for undo in reversed(undos):
        try:
            await undo()
        except Exception as error:  # the others must be taken back all the same
            log.error("a change of the configuration could not be taken back", error=error)


def _log_completed(loaded: Loaded) -> None:
    for item in loaded.domains_file.completed:
        # Behaviour A1, the exact words.
        log.error(
            "deprecated: destination with localpart-only key will be removed in the future, replace it with a full email address, by appending the default domain",
            localpart=item.localpart,
            address=item.address,
            account=item.account,
        )
