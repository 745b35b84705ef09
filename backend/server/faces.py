"""The HTTP side: the admin API on the Unix socket, and on the web ports the administration where a listener has it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from backend.admin.access import Access
from backend.admin.app import build
from backend.admin.feed import Feed
from backend.admin.flows.state import FlowShelf
from backend.admin.handlers.status import counters, web_url
from backend.admin.jobs import Jobs, Progress
from backend.admin.local_socket import open_local_socket
from backend.admin.password import AdminPassword
from backend.admin.services import Services
from backend.admin.sessions import Sessions
from backend.api import types as t
from backend.core.problems import Problem
from backend.observe.http import make_runner
from backend.observe.ring import LogRing
from backend.runtime import tasks
from backend.runtime.hub import Hub, Resync
from backend.runtime.listeners import ProtocolFactory
from backend.server.compose import Appliance
from backend.server.listening import OpenPort
from backend.store.verify import verify
from backend.tls.own_policy import own_policy
from backend.web.autoconfig import MailPort
from backend.web.bounds import Bounded
from backend.web.site import Site

E = TypeVar("E")


class Faces:
    """Owns the HTTP applications and what they alone need: sessions, jobs, the event feed."""

    def __init__(
        self,
        appliance: Appliance,
        *,
        ring: LogRing,
        stop: Callable[[], None],
        restart: Callable[[], None],
    ) -> None:
        self._appliance = appliance
        self._stop = stop
        self._restart = restart
        self.started_at = appliance.clock.time()
        self.open_ports: tuple[OpenPort, ...] = ()
        secrets = appliance.data.secrets
        self.admin_password = AdminPassword(secrets)
        self._sessions = Sessions(
            secrets,
            appliance.clock,
            idle_s=appliance.config.current.server.admin.session_minutes * 60.0,
        )
        ring.metrics = appliance.activity.metrics
        self._feed = Feed(appliance.clock, self._counters)
        self._jobs = Jobs(appliance.clock, self._feed.publish_job)
        self._flows = FlowShelf(
            appliance.data.flows, appliance.secrets, appliance.clock, self._feed.publish_flow
        )
        self._services = Services(
            clock=appliance.clock,
            folder=appliance.data,
            config=appliance.config,
            accounts=appliance.accounts,
            store=appliance.store,
            outbound=appliance.outbound,
            catalogue=appliance.catalogue,
            hold_rules=appliance.hold_rules,
            dkim=appliance.dkim,
            dns_checkup=appliance.dns_checkup,
            checkups=appliance.checkups,
            activity=appliance.activity,
            log_ring=ring,
            feed=self._feed,
            jobs=self._jobs,
            flows=self._flows,
            server=self,
        )
        self._access = Access(
            password=self.admin_password,
            sessions=self._sessions,
            clock=appliance.clock,
            allowed_hosts=self._allowed_hosts,
            on_sign_in=appliance.record,
        )
        self._runners: list[web.AppRunner] = []
        self._bounded: dict[bool, Bounded] = {}
        self._readers: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Ready to answer; `protocol_factory` may be used from here on."""
        self._sessions.load()
        appliance = self._appliance
        self._local = await self._start(make_runner(build(self._services, self._access)))
        site = Site(
            domains=lambda: appliance.config.current.domains.domains,
            ports=self._mail_ports,
            mta_sts=self._mta_sts,
            setup=self._services.setup,
            now=appliance.clock.time,
        )
        self._admin = await self._start(
            make_runner(build(self._services, self._access, add_public=site.add_to))
        )
        self._public = await self._start(make_runner(site.build()))
        for admin, runner in ((True, self._admin), (False, self._public)):
            assert runner.server is not None  # set by setup()
            self._bounded[admin] = Bounded(runner.server)
        self._readers = [
            tasks.spawn(self._read(appliance.events, self._feed.publish), "events to the faces"),
            tasks.spawn(
                self._read(appliance.store.changes, self._feed.publish_mailbox),
                "mailbox changes to the faces",
            ),
        ]

    async def open_socket(self, ports: tuple[OpenPort, ...]) -> None:
        """Last, so that whoever reaches the socket finds a server whose ports are open."""
        self.open_ports = ports
        await web.SockSite(self._local, open_local_socket(self._appliance.data.root)).start()

    async def _start(self, runner: web.AppRunner) -> web.AppRunner:
        await runner.setup()
        self._runners.append(runner)
        return runner

    async def _read(self, hub: Hub[E], publish: Callable[[E], None]) -> None:
        with hub.subscribe() as subscription:
            async for event in subscription:
                if isinstance(event, Resync):
                    self._feed.resync()
                else:
                    publish(event)

    def protocol_factory(self, *, admin: bool) -> ProtocolFactory:
        """What answers on a web port; after `open`."""
        return self._bounded[admin]

    def announce_end(self, *, restarting: bool) -> None:
        """Tells the faces before the connections close, so that they know a restart from a crash."""
        self._feed.publish_end(restarting=restarting)

    async def close(self) -> None:
        await tasks.stop(*self._readers)
        await self._flows.close()
        await self._jobs.close()
        self._feed.close()
        for runner in self._runners:
            await runner.cleanup()
        self._sessions.save()

    @property
    def web_url(self) -> str:
        """Where a browser finds the administration; empty when no listener has it."""
        return web_url(self._services, list(self.ports()))

    def _allowed_hosts(self) -> frozenset[str]:
        server = self._appliance.config.current.server
        return frozenset({server.hostname, *server.admin.allowed_hosts})

    async def _counters(self) -> t.Counters:
        return await counters(self._services)

    def _mta_sts(self, domain: str) -> str | None:
        found = own_policy(self._appliance.config.current, domain)
        return found.text if found is not None else None

    def _mail_ports(self) -> Sequence[MailPort]:
        hostname = self._appliance.config.current.server.hostname
        return [
            MailPort(port.kind.service, hostname, port.port, port.kind.security)
            for port in self.open_ports
        ]

    # ---- ServerControl, for the handlers

    def ports(self) -> Sequence[t.Port]:
        return [
            t.Port(
                listener=port.listener,
                service=port.kind.service,
                host=port.host,
                port=port.port,
                security=port.kind.security,
                purpose=port.kind.purpose,
            )
            for port in self.open_ports
        ]

    def ca_file(self) -> Path | None:
        return self._appliance.tls.ca_file

    def shut_down(self) -> None:
        self._stop()

    def restart(self) -> None:
        self._restart()

    async def verify(self, progress: Progress) -> list[Problem]:
        accounts = len(self._appliance.accounts.accounts())
        progress.update(0, accounts, "reading every account")
        report = await verify(self._appliance.data.root, clock=self._appliance.clock)
        progress.update(
            accounts,
            accounts,
            f"{report.messages} {'message was' if report.messages == 1 else 'messages were'} checked",
        )
        return report.problems
