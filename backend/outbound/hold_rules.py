"""Adding, applying and removing hold rules, and pausing all sending: changes of the settings and what follows for the queue.

The settings change first: whatever comes in between is held already, and what is left over by a crash is taken by
applying the rule once more.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backend.config.load import domains_from_data
from backend.config.model import Config
from backend.config.plan import to_lean
from backend.config.routing import HoldRule
from backend.config.store import ConfigStore
from backend.core.errors import ConflictError, NotFoundError
from backend.core.problems import Problem
from backend.outbound import holds
from backend.outbound.actions import Acted
from backend.outbound.queue import Queue


class HoldRules:
    def __init__(self, config: ConfigStore, queue: Queue) -> None:
        self._config = config
        self._queue = queue

    @property
    def rules(self) -> Mapping[str, HoldRule]:
        return self._config.current.domains.hold_rules

    @property
    def paused(self) -> bool:
        rule = self.rules.get(holds.PAUSE)
        return rule is not None and not rule.disabled

    async def add(self, name: str, settings: Mapping[str, Any], *, author: str) -> None:
        """For what is accepted from now on.

        Raises:
            ConflictError: there is one of that name.
            ConfigError: with all faults of the settings.
        """

        def change(config: Config) -> Config:
            if name in config.domains.hold_rules:
                raise ConflictError(
                    Problem(
                        code="hold_rule.exists",
                        path="/name",
                        message=f"There is a hold rule “{name}” already.",
                        fix="Choose another name, or remove that one first.",
                    )
                )
            data = to_lean(config.domains)
            data["hold_rules"] = {**data.get("hold_rules", {}), name: dict(settings)}
            return replace(config, domains=domains_from_data(data))

        await self._config.edit(change, author=author, note=f"Added the hold rule {name}")

    async def apply(self, name: str) -> Acted:
        """Holds what waits already.

        Raises:
            NotFoundError: there is none of that name.
        """
        rule = self.rules.get(name)
        if rule is None:
            raise _unknown(name)
        return await holds.apply(self._queue, name, rule)

    async def remove(self, name: str, *, release: bool, author: str) -> Acted:
        """`release`: what it holds goes on, unless another rule holds it as well; otherwise it stays held.

        Raises:
            NotFoundError: there is none of that name, and nothing is held by one that was.
        """

        def change(config: Config) -> Config:
            data = to_lean(config.domains)
            data["hold_rules"] = {k: v for k, v in data["hold_rules"].items() if k != name}
            return replace(config, domains=domains_from_data(data))

        if name in self.rules:
            await self._config.edit(change, author=author, note=f"Removed the hold rule {name}")
        elif name not in await holds.count_held(self._queue):
            raise _unknown(name)
        return await holds.let_go(self._queue, name, self.rules) if release else Acted((), ())

    async def pause(self, comment: str, *, author: str) -> Acted:
        """Nothing leaves any more; mail is accepted all the same, and waits."""
        rule = self.rules.get(holds.PAUSE)
        if rule is None:
            settings = {"comment": comment} if comment else {}
            await self.add(holds.PAUSE, settings, author=author)
        return await self.apply(holds.PAUSE)

    async def resume(self, *, author: str) -> Acted:
        if holds.PAUSE not in self.rules and holds.PAUSE not in await holds.count_held(self._queue):
            return Acted((), ())
        return await self.remove(holds.PAUSE, release=True, author=author)


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(
        Problem(
            code="hold_rule.unknown",
            message=f"There is no hold rule “{name}”.",
            fix="See the list of hold rules.",
        )
    )
