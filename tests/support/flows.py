"""Walking through a wizard over the API, as a face does."""

import asyncio
from typing import Any

from backend.api import flows as w
from backend.api.client import Client

POLL_S = 0.01


class Walk:
    """`step` is where it stands."""

    def __init__(self, client: Client, step: w.FlowStep) -> None:
        self._client = client
        self.step = step

    async def _move(self, action: str, **more: Any) -> None:
        move = w.FlowMove.model_validate({"action": action, "at": self.step.step, **more})
        self.step = await self._client.move_flow(self.step.id, move)

    async def next(self, *, anyway: bool = False, typed: str = "", **values: Any) -> None:
        await self._move("next", values=values, anyway=anyway, typed=typed)

    async def back(self, **values: Any) -> None:
        await self._move("back", values=values)

    async def go(self, step: str, /, **values: Any) -> None:
        await self._move("go", step=step, values=values)

    async def run(self, name: str, /, **values: Any) -> None:
        await self._move("run", run=name, values=values)

    async def skip(self) -> None:
        await self._move("skip")

    async def again(self) -> None:
        self.step = await self._client.flow(self.step.id)

    async def settled(self) -> None:
        """Until nothing is looked up any more."""
        while self.step.running:
            await asyncio.sleep(POLL_S)
            await self.again()


async def begin(client: Client, kind: str, **context: str) -> Walk:
    return Walk(client, await client.begin_flow(kind, context))
