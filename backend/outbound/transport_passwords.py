"""Passwords of transports follow the configuration: set aside when a transport goes, back when the same one returns.

A password is for one server. When a change gives the transport another one, whoever made it and wherever, also with an
editor while the server was stopped, the password stays behind; who wants it to go along says so (`catalogue`).
"""

from collections.abc import Callable, Collection
from functools import partial

from backend.config import removed
from backend.config.model import Config
from backend.config.routing import Transport
from backend.config.secrets import SecretStore, transport_password_name
from backend.config.store import Undo
from backend.core.clock import Clock
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

FOR = "server"  # beside the password in its secret: whom it is for


class TransportPasswords:
    def __init__(self, secrets: SecretStore, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock

    async def follow_file(self, config: Config) -> None:
        """At the start: the file may have been edited meanwhile, or a removal cut short by a crash."""
        await run_blocking(Pool.FILES, self._set_aside_others, set(config.domains.transports))
        for name, transport in config.domains.transports.items():
            await self._run(self._keep_to_its_server, name, transport)
            await self._run(self._bring_back, name, transport)

    async def prepare(self, old: Config, new: Config) -> Undo | None:
        """Follows a change of the configuration."""
        before, after = old.domains.transports, new.domains.transports
        undos: list[Callable[[], bool]] = []
        for name in before.keys() - after.keys():
            if await self._run(self._set_aside, name, before[name]):
                undos.append(partial(self._bring_back, name, before[name]))
        for name in after.keys() - before.keys():
            if await self._run(self._bring_back, name, after[name]):
                undos.append(partial(self._set_aside, name, after[name]))
            else:
                await self._run(self._keep_to_its_server, name, after[name])
        for name in before.keys() & after.keys():
            if server_of(before[name]) == server_of(after[name]):
                continue
            if await run_blocking(Pool.FILES, self._exchange, name, before[name], after[name]):
                undos.append(partial(self._exchange, name, after[name], before[name]))

        async def undo() -> None:
            for each in undos:
                await run_blocking(Pool.FILES, each)

        return undo if undos else None

    def _set_aside_others(self, names: Collection[str]) -> None:
        for secret in self._secrets.list(transport_password_name("")):
            if secret.removeprefix(transport_password_name("")) not in names:
                removed.set_aside(self._secrets, secret, now=self._clock.time())

    async def _run(self, work: Callable[[str, Transport], bool], name: str, of: Transport) -> bool:
        return await run_blocking(Pool.FILES, work, name, of)

    def _set_aside(self, name: str, transport: Transport) -> bool:
        return removed.set_aside(
            self._secrets,
            transport_password_name(name),
            now=self._clock.time(),
            purpose=_purpose(transport),
        )

    def _exchange(self, name: str, old: Transport, new: Transport) -> bool:
        # SECURITY: it would be sent to somebody else.
        return removed.exchange(
            self._secrets,
            transport_password_name(name),
            now=self._clock.time(),
            old=_purpose(old),
            new=_purpose(new),
        )

    def _keep_to_its_server(self, name: str, transport: Transport) -> bool:
        """Whether the password was for another server; one that says nothing is for this one from now on."""
        secret = transport_password_name(name)
        try:
            kept = self._secrets.get(secret)
            if kept is None or kept.get(FOR) == server_of(transport):
                return False
            if FOR not in kept:
                self._secrets.set(secret, kept | {FOR: server_of(transport)})
                return False
        except (OSError, ValueError) as error:
            log.warning("a password can't be looked at", name=name, cause=type(error).__name__)
            return False
        log.warning(
            "transport has another server than its password was for, so that it needs one",
            name=name,
        )
        purpose = _purpose(transport) | {"server": str(kept[FOR])}
        return removed.set_aside(self._secrets, secret, now=self._clock.time(), purpose=purpose)

    def _bring_back(self, name: str, transport: Transport) -> bool:
        return removed.bring_back(
            self._secrets, transport_password_name(name), purpose=_purpose(transport)
        )


def server_of(transport: Transport) -> str:
    """Who gets the password; empty when nobody does."""
    return _purpose(transport).get("server", "")


def _purpose(transport: Transport) -> dict[str, str]:
    """With whom the password is used."""
    if transport.socks is not None:
        return {"server": transport.socks.address, "user": transport.socks.username}
    relay = transport.submissions or transport.submission or transport.smtp
    if relay is None or relay.auth is None:
        return {}
    return {"server": relay.host, "user": relay.auth.username}
