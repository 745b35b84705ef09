"""Asks the DNS what is published now: the servers that hold the zone first, because a cache shows yesterday's records.

One survey serves one check: each question is asked once, servers that stay silent are not asked again, and whatever has
not come when the time is over counts as “could not tell”.
"""

import asyncio
from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

from backend.dns.answers import Answer, Found, LookupFailed, NoRecord
from backend.observe import log as logs

log = logs.get(__name__)

MAX_SERVERS = 4  # of one zone
MAX_QUESTIONS = 500  # of one survey, a security limit: records name further records

Question = tuple[str, str]
"""Name and type."""


class Asker(Protocol):
    """`backend.dns.resolver.DnsResolver` is one."""

    async def records(self, name: str, kind: str) -> Answer[str]: ...

    async def zone_of(self, name: str) -> Answer[str]: ...

    async def ask(self, server: str, name: str, kind: str) -> Answer[str]: ...

    def forget(self) -> None: ...


class Survey:
    """`answers` grows with each `fetch`; `direct` holds the questions that a server of the zone itself has answered."""

    def __init__(
        self,
        asker: Asker,
        *,
        deadline: float,
        may_ask: Callable[[str], bool],
        port: int = 53,
    ) -> None:
        """`deadline`: in the loop's time. `may_ask`: whether we send questions to that address."""
        self._asker = asker
        self._deadline = deadline
        self._may_ask = may_ask
        self._port = port
        self._servers: dict[str, list[str]] = {}
        self._zones: dict[str, str] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        self.answers: dict[Question, Answer[str]] = {}
        self.direct: set[Question] = set()

    def get(self, name: str, kind: str) -> Answer[str]:
        return self.answers.get((name, kind), LookupFailed(f"{name} was not asked for in time"))

    def zone_of(self, name: str) -> str:
        """In which zone a name lies that was asked for; empty when that could not be told."""
        return self._zones.get(name, "")

    def name_servers(self, zone: str) -> tuple[str, ...]:
        return self._hosts.get(zone, ())

    async def fetch(self, questions: Iterable[Question], *, within_s: float = inf) -> None:
        """Side by side; returns after that time, and at the deadline, at the latest."""
        left = MAX_QUESTIONS - len(self.answers)
        new = [each for each in dict.fromkeys(questions) if each not in self.answers][:left]
        if not new:
            return
        until = min(self._deadline, asyncio.get_running_loop().time() + within_s)
        try:
            async with asyncio.timeout_at(until):
                await self._find_zones({name for name, _ in new})
                async with asyncio.TaskGroup() as group:
                    for name, kind in new:
                        group.create_task(self._answer(name, kind), name=f"dns {kind}")
        except TimeoutError:
            for question in new:
                self.answers.setdefault(question, LookupFailed("the DNS did not answer in time"))

    async def _find_zones(self, names: set[str]) -> None:
        async with asyncio.TaskGroup() as group:
            for name in names - self._zones.keys():
                group.create_task(self._find_zone(name), name="dns zone")
        zones = {zone for zone in self._zones.values() if zone} - self._servers.keys()
        async with asyncio.TaskGroup() as group:
            for zone in zones:
                group.create_task(self._find_servers(zone), name="dns servers")

    async def _find_zone(self, name: str) -> None:
        answer = await self._asker.zone_of(name)
        self._zones[name] = answer.records[0] if isinstance(answer, Found) else ""

    async def _find_servers(self, zone: str) -> None:
        servers: list[str] = []
        names = await self._asker.records(zone, "NS")
        hosts = sorted(names.records)[:MAX_SERVERS] if isinstance(names, Found) else []
        self._hosts[zone] = tuple(hosts)
        for kind in ("A", "AAAA"):
            for host in hosts:
                found = await self._asker.records(host, kind)
                if isinstance(found, Found):
                    servers += [ip for ip in found.records if self._may_ask(ip)]
        self._servers[zone] = [
            f"[{ip}]:{self._port}" if ":" in ip else f"{ip}:{self._port}"
            for ip in dict.fromkeys(servers)
        ][:MAX_SERVERS]

    async def _answer(self, name: str, kind: str) -> None:
        try:
            await self._ask_in_turn(name, kind)
        except Exception as error:
            # One question that trips over a fault of ours must not take the others with it.
            log.warning("dns question failed", name=name, type=kind, error=repr(error))
            self.answers[name, kind] = LookupFailed("a fault in this program, see the log")

    async def _ask_in_turn(self, name: str, kind: str) -> None:
        question = name, kind
        servers = self._servers.get(self._zones.get(name, ""), [])
        for server in tuple(servers):
            if server not in servers:
                continue  # another question has found it silent meanwhile
            answer = await self._asker.ask(server, name, kind)
            if isinstance(answer, NoRecord) and answer.aliases:
                break  # only a resolver can follow where an alias leads
            if not isinstance(answer, LookupFailed):
                self.answers[question] = answer
                self.direct.add(question)
                return
            if server in servers:
                servers.remove(server)
        self.answers[question] = await self._asker.records(name, kind)
