"""May that peer sign in as that account? Passwords and SASL credentials behind one throttle.

Failures are answered slowly and, when they go on, not at all for a while. What is counted: a peer (an IPv4 address or
an IPv6 /64), a peer with an account, an account from everywhere. A known and an unknown name cost the same.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Self

from backend.accounts.directory import Directory
from backend.accounts.passwords import Passwords
from backend.accounts.throttle import Throttle
from backend.core.clock import Clock, SystemClock
from backend.core.errors import AppError, UserError
from backend.core.events import SignedIn
from backend.core.ids import AccountId
from backend.observe import log as logs
from backend.sasl.saslprep import PrepError, saslprep
from backend.sasl.steps import CramCredentials, ScramCredentials

log = logs.get(__name__)

MAX_CLIENT_CHARS = 200  # what a program says of itself, a security limit
MAX_LOGIN_CHARS = 320  # longer names are nobody's; a security limit


class Refusal(StrEnum):
    """Why a sign-in was refused."""

    WRONG = "wrong"
    DISABLED = "disabled"
    TOO_MANY = "too-many"
    NEEDS_TLS = "needs-tls"
    UNSUPPORTED = "unsupported"
    MALFORMED = "malformed"
    CANCELLED = "cancelled"
    NOT_AUTHORIZED = "not-authorized"
    FAULT = "fault"

    @property
    def smtp_code(self) -> int:
        """RFC 4954 §4 and §6."""
        return _REPLIES[self][0]

    @property
    def enhanced(self) -> str:
        return _REPLIES[self][1]

    @property
    def imap_code(self) -> str:
        """RFC 5530 §3, without brackets; empty when none fits."""
        return _REPLIES[self][2]


_REPLIES = {
    Refusal.WRONG: (535, "5.7.8", "AUTHENTICATIONFAILED"),
    Refusal.DISABLED: (535, "5.7.8", "AUTHENTICATIONFAILED"),
    Refusal.TOO_MANY: (454, "4.7.0", "UNAVAILABLE"),
    Refusal.NEEDS_TLS: (538, "5.7.11", "PRIVACYREQUIRED"),
    Refusal.UNSUPPORTED: (504, "5.5.4", "CANNOT"),
    Refusal.MALFORMED: (501, "5.5.2", "CLIENTBUG"),
    Refusal.CANCELLED: (501, "5.7.0", ""),
    Refusal.NOT_AUTHORIZED: (535, "5.7.8", "AUTHORIZATIONFAILED"),
    Refusal.FAULT: (454, "4.7.0", "UNAVAILABLE"),
}


class LoginRefused(AppError):  # noqa: N818  # a refusal is an answer, not a fault
    """A sign-in that did not happen. `public` may be sent; `temporary` asks to try again later."""

    def __init__(self, public: str, *, kind: Refusal = Refusal.WRONG) -> None:
        super().__init__(public)
        self.public = public
        self.kind = kind

    @property
    def temporary(self) -> bool:
        return self.kind in {Refusal.TOO_MANY, Refusal.FAULT}


def is_loopback(peer: str) -> bool:
    """Whether the peer's address belongs to this computer; an empty one is a Unix socket and does."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return not peer
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


class Logins:
    def __init__(
        self,
        directory: Directory,
        passwords: Passwords,
        *,
        practice_mode: bool = False,
        hostname: str = "localhost",
        clock: Clock | None = None,
        on_signed_in: Callable[[SignedIn], None] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._directory = directory
        self._passwords = passwords
        self._practice_mode = practice_mode
        self.hostname = hostname
        self._clock = clock or SystemClock()
        self._on_signed_in = on_signed_in
        self._sleep = sleep
        self._throttle = Throttle(self._clock)

    def may_authenticate(self, peer: str, *, tls: bool) -> bool:
        """The one rule on encryption: without TLS nobody signs in, save programs on this computer in practice mode."""
        return tls or (self._practice_mode and is_loopback(peer))

    def require_encryption(self, peer: str, *, tls: bool) -> None:
        """Raises:
        LoginRefused: `may_authenticate` says no.
        """
        if not self.may_authenticate(peer, tls=tls):
            raise LoginRefused(
                "Sign-in needs an encrypted connection: switch on STARTTLS or TLS in your mail app",
                kind=Refusal.NEEDS_TLS,
            )

    def _is_exempt(self, peer: str) -> bool:
        return self._practice_mode and is_loopback(peer)

    def account_of(self, login: str) -> AccountId | None:
        """The account of a sign-in name that someone sent; None for an unknown one."""
        if len(login) > MAX_LOGIN_CHARS:
            return None
        try:
            return self._directory.account_of_login(saslprep(login))
        except PrepError:
            return None

    def begin(
        self, login: str, *, peer: str, encrypted: bool | None = None, client: str = ""
    ) -> "Attempt":
        """Asks the throttle. `encrypted` and `client` are for the list of sign-ins. The attempt must be ended with `succeed` or `fail`, or left by its `with` block.

        Raises:
            LoginRefused: too many failures; nothing was checked.
        """
        account = self.account_of(login)
        if self._is_exempt(peer):
            return Attempt(self, login, account, peer, exempt=True, told=(encrypted, client))
        wait_s = self._throttle.begin(peer, _name_key(login, account))
        if wait_s > 0:
            log.info("sign-in held off", peer=peer, wait_s=round(wait_s))
            minutes = max(1, round(wait_s / 60))
            raise LoginRefused(
                f"Too many failed sign-ins; try again in {minutes} minute{'s' if minutes > 1 else ''}",
                kind=Refusal.TOO_MANY,
            )
        return Attempt(self, login, account, peer, exempt=False, told=(encrypted, client))

    async def check_password(
        self, login: str, password: str, *, protocol: str, peer: str, tls: bool = False
    ) -> AccountId:
        """Raises:
        LoginRefused: wrong name or password, too many failures, no TLS, or the account is switched off.
        """
        self.require_encryption(peer, tls=tls)
        with self.begin(login, peer=peer, encrypted=tls) as attempt:
            if await attempt.password_is_right(password):
                return await attempt.succeed(protocol=protocol, mechanism="PASSWORD")
            raise await attempt.fail(
                "wrong name or password", protocol=protocol, mechanism="PASSWORD", tried=password
            )

    # The rest is for Attempt.

    async def password_is_right(self, account: AccountId | None, password: str) -> bool:
        with _faults_refuse():
            return await self._passwords.check(account, password)

    def scram(self, account: AccountId | None, login: str, mechanism: str) -> ScramCredentials:
        with _faults_refuse():
            return self._passwords.scram(account, login, mechanism)

    def cram(self, account: AccountId | None) -> CramCredentials:
        with _faults_refuse():
            return self._passwords.cram(account)

    def is_disabled(self, account: AccountId) -> bool:
        return self._directory.is_disabled(account)

    def release(self, attempt: "Attempt") -> None:
        if not attempt.exempt:
            self._throttle.end(attempt.peer, _name_key(attempt.login, attempt.account))

    async def note_success(self, attempt: "Attempt", *, protocol: str, mechanism: str) -> None:
        if not attempt.exempt:
            self._throttle.succeeded(attempt.peer, _name_key(attempt.login, attempt.account))
        self._publish(attempt, protocol=protocol, mechanism=mechanism, succeeded=True)

    async def note_failure(
        self, attempt: "Attempt", reason: str, *, protocol: str, mechanism: str, tried: str
    ) -> None:
        self._publish(attempt, protocol=protocol, mechanism=mechanism, succeeded=False)
        log.info(
            "sign-in refused",
            reason=reason,
            protocol=protocol,
            peer=attempt.peer,
            mechanism=mechanism,
            account=attempt.account,
        )
        if not attempt.exempt:
            key = _name_key(attempt.login, attempt.account)
            await self._sleep(self._throttle.failed(attempt.peer, key, tried))

    def _publish(
        self, attempt: "Attempt", *, protocol: str, mechanism: str, succeeded: bool
    ) -> None:
        if self._on_signed_in is not None:
            self._on_signed_in(
                SignedIn(
                    account=attempt.account or "",
                    address=attempt.login[:MAX_LOGIN_CHARS],
                    protocol=protocol,
                    peer=attempt.peer,
                    succeeded=succeeded,
                    mechanism=mechanism,
                    at=self._clock.time(),
                    encrypted=attempt.encrypted,
                    client=attempt.client,
                )
            )


@contextmanager
def _faults_refuse() -> Iterator[None]:
    """A stored password that can't be read is our fault: said to the operator, and to the client as temporary."""
    try:
        yield
    except (UserError, OSError) as error:
        log.error("a stored password can't be read", reason=str(error))
        raise LoginRefused(
            "Sign-in is not possible now because of a fault in this server; try again later",
            kind=Refusal.FAULT,
        ) from error


def _name_key(login: str, account: AccountId | None) -> str:
    return (
        f"account:{account}" if account is not None else f"name:{login[:MAX_LOGIN_CHARS].lower()}"
    )


class Attempt:
    """One try to sign in that the throttle has let through."""

    def __init__(
        self,
        logins: Logins,
        login: str,
        account: AccountId | None,
        peer: str,
        *,
        exempt: bool,
        told: tuple[bool | None, str] = (None, ""),
    ) -> None:
        self._logins = logins
        self.login = login
        self.account = account
        self.peer = peer
        self.exempt = exempt
        self.encrypted = told[0]
        self.client = told[1][:MAX_CLIENT_CHARS]
        self._released = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._released:
            self._released = True
            self._logins.release(self)

    async def password_is_right(self, password: str) -> bool:
        return await self._logins.password_is_right(self.account, password)

    def scram(self, mechanism: str) -> ScramCredentials:
        return self._logins.scram(self.account, self.login, mechanism)

    def cram(self) -> CramCredentials:
        return self._logins.cram(self.account)

    async def succeed(self, *, protocol: str, mechanism: str) -> AccountId:
        """The proof was right.

        Raises:
            LoginRefused: but the account is switched off.
        """
        if self.account is None or self._logins.is_disabled(self.account):
            await self._logins.note_failure(
                self, "account is switched off", protocol=protocol, mechanism=mechanism, tried=""
            )
            raise LoginRefused(
                "This account is switched off; ask the person who runs this server",
                kind=Refusal.DISABLED,
            )
        await self._logins.note_success(self, protocol=protocol, mechanism=mechanism)
        return self.account

    async def fail(
        self, reason: str, *, protocol: str, mechanism: str, tried: str = ""
    ) -> LoginRefused:
        """Counts, waits, and gives the exception to raise. `tried`: the password, so that an app that repeats its old
        one does not lock its owner out.
        """
        await self._logins.note_failure(
            self, reason, protocol=protocol, mechanism=mechanism, tried=tried
        )
        return LoginRefused("Wrong address or password")
