"""The methods of `backend.api.client.Client` about the queue, its history and what is kept from leaving."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from backend.api import delivery as w
from backend.api import queue as q
from backend.api import tls as s
from backend.api import types as t
from backend.api.calls import Calls

Target = Sequence[int] | t.QueueFilter
"""Messages of the queue: by their numbers, or all that match."""


class QueueCalls(Calls):
    """A connection that has them."""

    async def queue(self, query: t.QueueQuery | None = None) -> t.QueueList:
        return await self._call("queue", t.QueueList, query=query)

    async def queue_item(self, queue_id: int) -> t.QueueDetail:
        return await self._call("queue_item", t.QueueDetail, path={"id": queue_id})

    async def queue_message(self, queue_id: int) -> bytes:
        """The whole message as it will leave."""
        return await self._raw("queue_message", path={"id": queue_id})

    async def kick(self, target: Target, *, at_most: int | None = None) -> q.QueueActed:
        return await self._call("kick", q.QueueActed, body=q.QueueIds(**_chosen(target, at_most)))

    async def hold(self, target: Target, *, at_most: int | None = None) -> q.QueueActed:
        return await self._call("hold", q.QueueActed, body=q.QueueIds(**_chosen(target, at_most)))

    async def release(self, target: Target, *, at_most: int | None = None) -> q.QueueActed:
        return await self._call(
            "release", q.QueueActed, body=q.QueueIds(**_chosen(target, at_most))
        )

    async def drop(self, target: Target, *, at_most: int | None = None) -> q.QueueActed:
        return await self._call("drop", q.QueueActed, body=q.QueueIds(**_chosen(target, at_most)))

    async def fail(self, target: Target, *, at_most: int | None = None) -> q.QueueActed:
        return await self._call("fail", q.QueueActed, body=q.QueueIds(**_chosen(target, at_most)))

    async def choose_transport(
        self, target: Target, transport: str | None, *, at_most: int | None = None
    ) -> q.QueueActed:
        """`transport` None: the routes decide again; empty: direct delivery."""
        body = w.ChooseTransport(**_chosen(target, at_most), transport=transport)
        return await self._call("choose_transport", q.QueueActed, body=body)

    async def limit_attempts(
        self, target: Target, attempts: int, *, at_most: int | None = None
    ) -> q.QueueActed:
        """How often they are tried in all."""
        body = q.LimitAttempts(**_chosen(target, at_most), attempts=attempts)
        return await self._call("limit_attempts", q.QueueActed, body=body)

    async def postpone(
        self,
        target: Target,
        *,
        until: datetime | None = None,
        seconds: int = 0,
        at_most: int | None = None,
    ) -> q.QueueActed:
        body = q.Postpone(**_chosen(target, at_most), until=until, seconds=seconds)
        return await self._call("postpone", q.QueueActed, body=body)

    async def undo_queue(self, before: Sequence[q.QueueBefore]) -> q.QueueActed:
        return await self._call("undo_queue", q.QueueActed, body=q.UndoQueue(before=list(before)))

    async def queue_groups(self) -> list[q.QueueGroup]:
        return (await self._call("queue_groups", q.QueueGroups)).items

    async def history(self, query: q.HistoryQuery | None = None) -> q.History:
        return await self._call("history", q.History, query=query)

    async def hold_rules(self) -> q.HoldRules:
        return await self._call("hold_rules", q.HoldRules)

    async def add_hold_rule(
        self, name: str, settings: q.HoldRuleSettings, *, apply: bool = True
    ) -> q.QueueActed:
        """`apply`: also to what waits already."""
        body = q.AddHoldRule(name=name, settings=settings, apply=apply)
        return await self._call("add_hold_rule", q.QueueActed, body=body)

    async def apply_hold_rule(self, name: str) -> q.QueueActed:
        return await self._call("apply_hold_rule", q.QueueActed, path={"rule": name})

    async def remove_hold_rule(self, name: str, *, release: bool = False) -> q.QueueActed:
        """`release`: what it holds goes on; otherwise it stays held."""
        return await self._call(
            "remove_hold_rule",
            q.QueueActed,
            path={"rule": name},
            query=q.RemoveHoldRule(release=release),
        )

    async def pause_sending(self, comment: str = "") -> q.QueueActed:
        body = q.PauseSending(comment=comment)
        return await self._call("pause_sending", q.QueueActed, body=body)

    async def resume_sending(self) -> q.QueueActed:
        return await self._call("resume_sending", q.QueueActed)

    async def suppressions(self, query: q.SuppressionQuery | None = None) -> q.Suppressions:
        return await self._call("suppressions", q.Suppressions, query=query)

    async def add_suppression(self, request: q.AddSuppression) -> None:
        await self._call("add_suppression", t.Empty, body=request)

    async def remove_suppressions(self, items: Sequence[q.SuppressionKey]) -> int:
        """How many there were."""
        body = q.RemoveSuppressions(items=list(items))
        return (await self._call("remove_suppressions", q.Removed, body=body)).removed

    async def send_limits(self, account: str) -> q.SendLimits:
        return await self._call("send_limits", q.SendLimits, path={"account": account})

    async def history_item(self, queue_id: int) -> q.HistoryDetail:
        return await self._call("history_item", q.HistoryDetail, path={"id": queue_id})

    async def choose_tls(
        self, target: Target, tls: s.TlsChoice, *, at_most: int | None = None
    ) -> q.QueueActed:
        body = s.ChooseTls(**_chosen(target, at_most), tls=tls)
        return await self._call("choose_tls", q.QueueActed, body=body)


def _chosen(target: Target, at_most: int | None) -> dict[str, Any]:
    if isinstance(target, t.QueueFilter):
        # A query is a filter with a page; only the filter is meant.
        values = {name: getattr(target, name) for name in t.QueueFilter.model_fields}
        return {"matching": t.QueueFilter(**values), "at_most": at_most}
    return {"ids": list(target), "at_most": at_most}
