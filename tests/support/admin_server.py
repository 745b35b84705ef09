"""The admin API over real services of a new data folder, on a Unix socket and on a loopback port."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from backend.accounts.directory import Directory
from backend.accounts.passwords import Passwords
from backend.accounts.service import AccountService
from backend.admin.access import Access
from backend.admin.app import build
from backend.admin.feed import Feed
from backend.admin.flows.state import FlowShelf
from backend.admin.handlers.status import counters
from backend.admin.jobs import Jobs, Progress
from backend.admin.local_socket import open_local_socket
from backend.admin.password import AdminPassword
from backend.admin.services import Services
from backend.admin.sessions import Sessions
from backend.api import types as t
from backend.api.client import Client
from backend.checkup.dns import DnsCheckup
from backend.checkup.probes import Door
from backend.config.paths import DataFolder
from backend.config.secrets import SecretStore
from backend.config.store import ConfigStore
from backend.core.clock import SystemClock
from backend.core.events import ProblemCleared, ProblemRaised, ServerEvent
from backend.core.problems import Problem
from backend.dns.answers import NoDomain
from backend.dns.resolver import DnsResolver
from backend.mailauth.keys import KeyStore
from backend.mailauth.selectors import DkimKeys
from backend.observe.activity import Activity
from backend.observe.http import make_runner
from backend.observe.ring import LogRing
from backend.outbound.catalogue import Catalogue
from backend.outbound.hold_rules import HoldRules
from backend.outbound.service import Outbound
from backend.outbound.transport_passwords import TransportPasswords
from backend.server.diagnosis import make_checkups
from backend.store.store import Store
from backend.tls.contexts import TlsContexts
from tests.support.settings import new_folder


class NoResolver:
    """Nothing is looked up."""

    async def mx(self, domain):
        return NoDomain()

    async def records(self, name, kind):
        return NoDomain()

    async def zone_of(self, name):
        return NoDomain()

    async def addresses(self, name):
        return NoDomain()

    def forget(self):
        pass


@dataclass
class Control:
    """The process, as handlers see it."""

    started_at: float = 1_700_000_000.0
    open_ports: list[t.Port] = field(default_factory=list)
    ca: Path | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    restarting: bool = False
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    found: list[Problem] = field(default_factory=list)

    def ports(self) -> list[t.Port]:
        return self.open_ports

    def ca_file(self) -> Path | None:
        return self.ca

    def shut_down(self) -> None:
        self.stopped.set()

    def restart(self) -> None:
        self.restarting = True
        self.stopped.set()

    async def verify(self, progress: Progress) -> list[Problem]:
        progress.update(1, 2, "half of it")
        await self.go_on.wait()
        progress.update(2, 2, "all of it")
        return self.found


@dataclass
class AdminRig:
    folder: DataFolder
    services: Services
    access: Access
    control: Control
    url: str
    password: str

    def local(self) -> Client:
        return Client.of_folder(self.folder.root)

    def remote(self) -> Client:
        return Client.of_url(self.url)

    def record(self, event: ServerEvent) -> None:
        self.services.activity.record(event)
        self.services.feed.publish(event)


@contextlib.asynccontextmanager
async def admin_server(
    path: Path, *, resolver=None, dns_port: int = 53, dkim_records=(), **server
) -> AsyncIterator[AdminRig]:
    async with contextlib.AsyncExitStack() as stack:
        folder = new_folder(path, server=server)
        clock = SystemClock()
        activity = Activity(folder.activity, clock)
        stack.callback(activity.close)
        secrets = SecretStore(folder.secrets)
        secrets.open()
        config = ConfigStore(folder)
        await config.open()
        passwords = Passwords(secrets)
        await passwords.open()
        store = Store(folder.root)
        await store.open()
        stack.push_async_callback(store.close)
        directory = Directory(config.current)
        config.follow(directory.update)
        dkim = DkimKeys(config, KeyStore(secrets, clock), resolver=None, clock=clock)
        config.prepare_with(dkim.prepare)
        config.prepare_with(TransportPasswords(secrets, clock).prepare)
        outbound = Outbound(
            folder.queue,
            config=lambda: config.current,
            directory=directory,
            deliver=store.deliver,
            resolver=resolver or NoResolver(),
            record=activity.record,
        )
        await outbound.open()
        stack.push_async_callback(outbound.close)
        control = Control()
        ring = LogRing()
        logger = logging.getLogger("gatepost")
        level = logger.level
        logger.setLevel(logging.DEBUG)
        logger.addHandler(ring)
        stack.callback(logger.setLevel, level)
        stack.callback(logger.removeHandler, ring)

        async def figures() -> t.Counters:
            return await counters(services)

        feed = Feed(clock, figures)
        jobs = Jobs(clock, feed.publish_job)
        stack.push_async_callback(jobs.close)
        flows = FlowShelf(folder.flows, secrets, clock, feed.publish_flow)
        stack.push_async_callback(flows.close)

        async def find_keys(_domain):
            return dkim_records

        dns = DnsCheckup(
            resolver or NoResolver(),
            config=lambda: config.current,
            dkim=find_keys,
            public=lambda address: DnsResolver([address], clock=clock),
            port=dns_port,
            clock=clock,
        )
        tls = TlsContexts(folder.tls, config.current, clock=clock)
        await tls.open()
        checkups = make_checkups(
            dns,
            folder=folder,
            config=config,
            tls=tls,
            outbound=outbound,
            activity=activity,
            ports=lambda: [
                Door(p.listener, p.service, p.host, p.port, p.security, p.purpose)
                for p in control.open_ports
            ],
            errors=ring.count_errors,
            clock=clock,
            on_problem=lambda problem: activity.record(ProblemRaised(problem)),
            on_clear=lambda code, subject: activity.record(ProblemCleared(code, subject)),
        )
        await checkups.open()
        stack.push_async_callback(checkups.close)
        services = Services(
            clock=clock,
            folder=folder,
            config=config,
            accounts=AccountService(config, passwords, on_removed=store.remove_account),
            store=store,
            outbound=outbound,
            catalogue=Catalogue(config, secrets),
            hold_rules=HoldRules(config, outbound.queue),
            dkim=dkim,
            dns_checkup=dns,
            checkups=checkups,
            activity=activity,
            log_ring=ring,
            feed=feed,
            jobs=jobs,
            flows=flows,
            server=control,
        )
        changes = config.changes.subscribe(on_event=lambda: [*map(feed.publish, changes.take())])
        password = AdminPassword(folder.secrets)
        first = await password.make()
        sessions = Sessions(folder.secrets, clock)
        access = Access(
            password=password,
            sessions=sessions,
            clock=clock,
            allowed_hosts=lambda: frozenset({config.current.server.hostname}),
            on_sign_in=activity.record,
        )
        local = make_runner(build(services, access))
        await local.setup()
        stack.push_async_callback(local.cleanup)
        await web.SockSite(local, open_local_socket(folder.root)).start()
        remote = make_runner(build(services, access))
        await remote.setup()
        stack.push_async_callback(remote.cleanup)
        listening = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(remote, listening).start()
        port = listening.getsockname()[1]
        stack.callback(feed.close)
        yield AdminRig(folder, services, access, control, f"http://127.0.0.1:{port}", first)
        feed.publish_end(restarting=False)
