"""One SASL sign-in from the mechanism's name to the account, for SMTP and IMAP alike."""

import secrets
from collections.abc import Awaitable, Callable
from typing import assert_never

from backend.accounts.login import Attempt, LoginRefused, Logins, Refusal
from backend.core.ids import AccountId
from backend.observe import log as logs
from backend.sasl.mechanisms import BINDING_MECHANISMS, SERVER_MECHANISMS, server_exchange
from backend.sasl.scram import HASHES, without_plus
from backend.sasl.steps import (
    Challenge,
    Failure,
    NeedCredentials,
    NeedPasswordCheck,
    ServerExchange,
    Step,
    Success,
)

log = logs.get(__name__)

MAX_STEPS = 8  # no mechanism of ours has more, a security limit

Exchange = Callable[[bytes], Awaitable[bytes | None]]
"""Sends a challenge and gives the decoded response; None when the client cancelled with `*`."""


def offered_mechanisms(
    logins: Logins, *, peer: str, tls: bool, binding: bytes | None = None
) -> tuple[str, ...]:
    """What to announce to that peer now; empty while the connection is not encrypted enough. `binding`: the
    `tls-server-end-point` of the certificate that this very connection was shown (RFC 5929).
    """
    if not logins.may_authenticate(peer, tls=tls):
        return ()
    return SERVER_MECHANISMS if binding is None else (*BINDING_MECHANISMS, *SERVER_MECHANISMS)


async def authenticate(
    mechanism: str,
    initial: bytes | None,
    exchange: Exchange,
    logins: Logins,
    *,
    protocol: str,
    peer: str,
    tls: bool,
    binding: bytes | None = None,
    client: str = "",
) -> AccountId:
    """`initial`: the decoded initial response, None if there was none (`=` is the empty one). `binding`: the same as
    for `offered_mechanisms`, so that a list without -PLUS is known to be someone else's (RFC 5802 §6). `client`: what the program calls itself.

    Raises:
        LoginRefused: with a text for the client; `kind` says which reply fits.
    """
    logins.require_encryption(peer, tls=tls)
    server = server_exchange(
        mechanism,
        nonce=secrets.token_urlsafe(24),
        challenge=f"<{secrets.randbits(64)}.{secrets.randbits(32)}@{logins.hostname}>".encode(),
        binding=binding,
    )
    if server is None:
        known = offered_mechanisms(logins, peer=peer, tls=tls, binding=binding)
        raise LoginRefused(
            f"That sign-in mechanism is not known here; there are {', '.join(known)}",
            kind=Refusal.UNSUPPORTED,
        )
    dialogue = _Dialogue(server, exchange, logins, protocol=protocol, peer=peer, told=(tls, client))
    try:
        return await dialogue.run(server.start(initial))
    finally:
        dialogue.close()


class _Dialogue:
    """One exchange; holds the throttle's attempt from the moment the name is known."""

    def __init__(
        self,
        server: ServerExchange,
        exchange: Exchange,
        logins: Logins,
        *,
        protocol: str,
        peer: str,
        told: tuple[bool | None, str] = (None, ""),
    ) -> None:
        self._server = server
        self._exchange = exchange
        self._logins = logins
        self._protocol = protocol
        self._peer = peer
        self._told = told
        self._attempt: Attempt | None = None
        self._tried = ""

    def close(self) -> None:
        if self._attempt is not None:
            self._attempt.__exit__()

    def _begin(self, login: str) -> Attempt:
        self._attempt = self._logins.begin(
            login, peer=self._peer, encrypted=self._told[0], client=self._told[1]
        )
        return self._attempt

    async def _send(self, challenge: bytes) -> bytes:
        response = await self._exchange(challenge)
        if response is None:
            raise LoginRefused("Sign-in cancelled", kind=Refusal.CANCELLED)
        return response

    async def run(self, step: Step) -> AccountId:
        for _ in range(MAX_STEPS):
            match step:
                case Challenge(data):
                    step = self._server.step(await self._send(data))
                case NeedPasswordCheck(login, password):
                    attempt = self._begin(login)
                    self._tried = password
                    step = self._server.supply(await attempt.password_is_right(password))
                case NeedCredentials(login):
                    attempt = self._begin(login)
                    step = self._server.supply(
                        attempt.scram(without_plus(self._server.name))
                        if without_plus(self._server.name) in HASHES
                        else attempt.cram()
                    )
                case Success():
                    return await self._succeed(step)
                case Failure():
                    raise await self._refusal(step)
                case _:
                    assert_never(step)
        raise LoginRefused("Too many steps in the sign-in", kind=Refusal.MALFORMED)

    async def _succeed(self, success: Success) -> AccountId:
        if self._attempt is None:
            raise RuntimeError("a mechanism succeeded without asking for credentials")
        names = {"protocol": self._protocol, "mechanism": self._server.name}
        # RFC 4422 §2: acting for someone else would need a right that nobody has here.
        if success.authzid and self._logins.account_of(success.authzid) != self._attempt.account:
            await self._attempt.fail("acting for another account", **names)
            raise LoginRefused(
                "You can sign in for your own account only", kind=Refusal.NOT_AUTHORIZED
            )
        account = await self._attempt.succeed(**names)
        if success.final is not None:
            await self._send(success.final)
        return account

    async def _refusal(self, failure: Failure) -> LoginRefused:
        if failure.malformed or self._attempt is None:
            log.info(
                "sign-in dialogue refused",
                reason=failure.reason,
                mechanism=self._server.name,
                protocol=self._protocol,
                peer=self._peer,
            )
            return LoginRefused("The sign-in message is malformed", kind=Refusal.MALFORMED)
        return await self._attempt.fail(
            failure.reason,
            protocol=self._protocol,
            mechanism=self._server.name,
            tried=self._tried,
        )
