"""The client's methods for wizards."""

from collections.abc import Mapping

from backend.api import flows as w
from backend.api import types as t
from backend.api.queue_calls import QueueCalls


class FlowCalls(QueueCalls):
    async def flows(self) -> list[w.FlowHead]:
        return (await self._call("flows", w.Flows)).items

    async def begin_flow(self, kind: str, context: Mapping[str, str] | None = None) -> w.FlowStep:
        body = w.BeginFlow(type=kind, context=dict(context or {}))
        return await self._call("begin_flow", w.FlowStep, body=body)

    async def flow(self, flow: str) -> w.FlowStep:
        return await self._call("flow", w.FlowStep, path={"flow": flow})

    async def move_flow(self, flow: str, move: w.FlowMove) -> w.FlowStep:
        return await self._call("move_flow", w.FlowStep, path={"flow": flow}, body=move)

    async def give_up_flow(self, flow: str) -> None:
        await self._call("give_up_flow", t.Empty, path={"flow": flow})
