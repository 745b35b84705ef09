"""Builds every service from the configuration and hands each what it needs of the others."""

import asyncio
from contextlib import AsyncExitStack

from backend.accounts.directory import Directory
from backend.accounts.login import Logins, is_loopback
from backend.accounts.passwords import Passwords
from backend.accounts.service import AccountService
from backend.checkup.probes import Door
from backend.config import removed
from backend.config.model import Config
from backend.config.paths import DataFolder
from backend.config.secrets import SecretStore, transport_password
from backend.config.store import ConfigStore
from backend.core.clock import Clock
from backend.core.events import (
    ConfigApplied,
    ProblemCleared,
    ProblemRaised,
    QueueChanged,
    ServerEvent,
    SignedIn,
)
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.dns.resolver import DnsResolver
from backend.imapd.server import ImapLimits, ImapServer
from backend.inbound.checks import Check, GreetingCheck, ReverseNameCheck
from backend.inbound.deliver import Inbound
from backend.mailauth.keys import KeyStore
from backend.mailauth.selectors import DkimKeys, new_domain_settings
from backend.mailauth.signing import DkimSigner
from backend.observe.activity import Activity
from backend.observe.ring import LogRing
from backend.outbound.catalogue import Catalogue
from backend.outbound.hold_rules import HoldRules
from backend.outbound.service import Outbound
from backend.outbound.transport_passwords import TransportPasswords
from backend.runtime.hub import Hub
from backend.runtime.threads import Pool, run_blocking
from backend.server.diagnosis import make_checkups, make_dns_checkup
from backend.smtpd.guard import Guard, GuardSettings
from backend.smtpd.intake import clear_spool
from backend.smtpd.listener import SmtpServer
from backend.smtpd.receive import ReceiveSession
from backend.smtpd.submission import SubmissionSession
from backend.smtpd.wire import ServerSettings
from backend.store.store import Store
from backend.tls.contexts import TlsContexts

CLEAR_SECRETS_EVERY_S = 86_400.0


class Appliance:
    """All services of one data folder. `open` in order, `close` in reverse; what runs in between is `run.Server`'s."""

    def __init__(self, data: DataFolder, clock: Clock) -> None:
        self.data = data
        self.clock = clock
        self.events: Hub[ServerEvent] = Hub()
        self.activity = Activity(data.activity, clock)
        self.secrets = SecretStore(data.secrets)
        self.config = ConfigStore(
            data, clock=clock, on_problem=self.raise_problem, on_clear=self.clear_problem
        )
        self.store = Store(data.root, clock=clock)
        self.passwords = Passwords(self.secrets)
        self._opened = AsyncExitStack()
        self.smtp_endpoints: set[tuple[str, int]] = set()
        """Where this server itself takes mail, so that it never delivers to itself in a loop."""
        self.ring: LogRing | None = None
        """The last lines of the log; None when nobody keeps them."""
        self.doors: tuple[Door, ...] = ()
        """The ports that are open, for the checks."""

    async def open(self) -> None:
        """Raises:
        ConfigError: with every fault of the settings.
        """
        self.data.make()
        await run_blocking(Pool.FILES, clear_spool, self.data.spool)
        self.secrets.open()
        await run_blocking(Pool.FILES, self._clear_removed_secrets)
        self.activity.load()
        self._opened.callback(self.activity.close)
        config = await self.config.open()
        server = config.server
        self.directory = Directory(config)
        await self.passwords.open()
        self.logins = Logins(
            self.directory,
            self.passwords,
            practice_mode=server.practice_mode,
            hostname=server.hostname,
            clock=self.clock,
            on_signed_in=self._signed_in,
        )
        self.tls = TlsContexts(
            self.data.tls,
            config,
            clock=self.clock,
            on_problem=self.raise_problem,
            on_clear=self.clear_problem,
        )
        await self.tls.open()
        self.store.quota = self._quota
        await self.store.open()
        self._opened.push_async_callback(self.store.close)
        resolver = DnsResolver(
            server.outbound.resolvers,
            believed=server.outbound.believe_resolvers,
            clock=self.clock,
        )
        keys = KeyStore(self.secrets, self.clock)
        # Practice mode asks nobody outside, also not whether a record is published.
        self.dkim = DkimKeys(
            self.config,
            keys,
            resolver=None if server.practice_mode else resolver,
            clock=self.clock,
        )
        await self.dkim.make_missing(config)
        self.dns_checkup = make_dns_checkup(
            resolver,
            config=lambda: self.config.current,
            keys=self.dkim,
            tls=self.tls,
            clock=self.clock,
        )
        self.outbound = Outbound(
            self.data.queue,
            config=lambda: self.config.current,
            directory=self.directory,
            deliver=self.store.deliver,
            resolver=resolver,
            sign=DkimSigner(lambda: self.config.current, keys, self.clock).sign,
            password=lambda name: transport_password(self.secrets, name),
            own_endpoints=lambda: self.smtp_endpoints,
            record=self.record,
            publish=self._queue_changed,
            on_problem=self.raise_problem,
            on_clear=self.clear_problem,
            clock=self.clock,
        )
        self.checkups = make_checkups(
            self.dns_checkup,
            folder=self.data,
            config=self.config,
            tls=self.tls,
            outbound=self.outbound,
            activity=self.activity,
            ports=lambda: self.doors,
            errors=lambda since: self.ring.count_errors(since) if self.ring is not None else 0,
            clock=self.clock,
            on_problem=self.raise_problem,
            on_clear=self.clear_problem,
        )
        await self.checkups.open()
        self._opened.push_async_callback(self.checkups.close)
        self.catalogue = Catalogue(self.config, self.secrets)
        self.hold_rules = HoldRules(self.config, self.outbound.queue)
        await self.outbound.open()
        self._opened.push_async_callback(self.outbound.close)
        # Practice mode asks nobody outside, not even for the name of an address.
        checks: list[Check] = [GreetingCheck()]
        if not server.practice_mode:
            checks.append(ReverseNameCheck(resolver))
        self.inbound = Inbound(
            self.store,
            self.directory,
            hostname=server.hostname,
            checks=checks,
            clock=self.clock,
            timeline=self.record,
            follow=self.outbound.bounces.take,
        )
        self._build_mail_servers(config)
        self.accounts = AccountService(
            self.config,
            self.passwords,
            on_removed=self._account_removed,
            new_domain=lambda: new_domain_settings(self.clock.now().year),
        )
        self.config.prepare_with(self._prepare_certificate)
        self.config.prepare_with(self.dkim.prepare)
        passwords = TransportPasswords(self.secrets, self.clock)
        await passwords.follow_file(config)
        self.config.prepare_with(passwords.prepare)
        self.config.follow(self._config_applied)
        self._config_changes = self.config.changes.subscribe(on_event=self._tell_config_changes)

    def _build_mail_servers(self, config: Config) -> None:
        server = config.server
        limits = server.limits
        settings = ServerSettings(
            hostname=server.hostname,
            message_size_bytes=limits.message_size_bytes,
            recipients=limits.recipients,
            spool=self.data.spool,
        )
        guard = Guard(
            GuardSettings(
                connections=limits.connections,
                connections_per_address=limits.connections_per_address,
                connections_per_minute_per_address=limits.connections_per_minute_per_address,
                practice_mode=server.practice_mode,
            ),
            self.clock,
        )
        tls = self.tls.server_context
        self.mx = SmtpServer(
            settings=settings,
            guard=guard,
            make_session=lambda: ReceiveSession(self.inbound),
            tls=tls,
        )
        self.submission = SmtpServer(
            settings=settings,
            guard=guard,
            make_session=lambda: SubmissionSession(
                self.directory,
                self.outbound.submitter.submit,
                longest_hold_s=server.outbound.longest_hold_days * 86_400,
                clock=self.clock,
            ),
            logins=self.logins,
            tls=tls,
        )
        self.imap = ImapServer(
            store=self.store,
            logins=self.logins,
            spool=self.data.spool,
            hostname=server.hostname,
            tls=tls,
            limits=ImapLimits(
                connections=limits.connections,
                connections_per_address=limits.connections_per_address,
                message_bytes=limits.message_size_bytes,
            ),
            is_exempt=lambda peer: server.practice_mode and is_loopback(peer),
            clock=self.clock,
        )
        self.passwords.on_changed = self._end_sessions
        self._signing_in = _may_sign_in(config)
        self._opened.push_async_callback(self.imap.stop)
        self._opened.push_async_callback(self.submission.shut_down)
        self._opened.push_async_callback(self.mx.shut_down)

    async def close(self) -> None:
        """Sessions first, then what they write to; also when `open` came only half the way."""
        await self._opened.aclose()

    # ---- what the services tell each other

    def record(self, event: ServerEvent) -> None:
        """Remembers an event and tells whoever listens; on the loop's thread."""
        self.activity.record(event)
        self.events.publish(event)

    def raise_problem(self, problem: Problem) -> None:
        self.record(ProblemRaised(problem))

    def clear_problem(self, code: str, subject: str) -> None:
        self.record(ProblemCleared(code, subject))

    def _signed_in(self, event: SignedIn) -> None:
        self.record(event)

    def _queue_changed(self, event: QueueChanged) -> None:
        self.record(event)

    def _quota(self, account: AccountId) -> int | None:
        owner = self.config.current.domains.accounts.get(account)
        return owner.quota_bytes if owner is not None and owner.quota_bytes > 0 else None

    async def _prepare_certificate(self, _: Config, new: Config) -> None:
        # A new domain gets into the certificate of our own authority before the change counts. Left there if the
        # change is undone: one name too many does no harm.
        await self.tls.update(new)

    def _config_applied(self, config: Config) -> None:
        self.directory.update(config)
        before, self._signing_in = self._signing_in, _may_sign_in(config)
        for account in before - self._signing_in:
            self._end_sessions(account)
        self.outbound.wake()

    def _clear_removed_secrets(self) -> None:
        removed.clear(self.secrets, now=self.clock.time())

    async def keep_secrets_clear(self) -> None:
        """Deletes secrets of what was removed long ago, until cancelled."""
        while True:
            await asyncio.sleep(CLEAR_SECRETS_EVERY_S)
            await run_blocking(Pool.FILES, self._clear_removed_secrets)

    def _end_sessions(self, account: AccountId) -> None:
        """Whoever was signed in must prove again that they may."""
        self.imap.drop_account(account)
        self.submission.drop_account(account)

    def _tell_config_changes(self) -> None:
        for event in self._config_changes.take():
            if isinstance(event, ConfigApplied):
                self.record(event)

    async def _account_removed(self, account: AccountId) -> None:
        self._end_sessions(account)
        await self.outbound.forget_account(account)
        await self.store.remove_account(account)


def _may_sign_in(config: Config) -> frozenset[AccountId]:
    accounts = config.domains.accounts
    return frozenset(AccountId(name) for name, owner in accounts.items() if not owner.disabled)
