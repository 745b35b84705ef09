"""Who calls, and may they? Local owner by socket, signed-in session by cookie; Host, origin and CSRF checks.

Order of a request: Host allow-list (DNS rebinding), then the caller, then (not GET) where the page came from and its token.
"""

import ipaddress
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web

from backend.admin.faults import DeniedError
from backend.admin.local_socket import is_owner
from backend.admin.password import AdminPassword, TooManyChecksError
from backend.admin.sessions import MAX_AGENT_CHARS, Session, Sessions
from backend.admin.throttle import Throttle
from backend.api.endpoint import CSRF_HEADER, SESSION_COOKIE_PLAIN, SESSION_COOKIE_TLS
from backend.core.clock import Clock
from backend.core.events import SignedIn

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """`session` is None for the local owner."""

    name: str
    peer: str
    session: Session | None

    @property
    def is_local(self) -> bool:
        return self.session is None


class Access:
    def __init__(
        self,
        *,
        password: AdminPassword,
        sessions: Sessions,
        clock: Clock,
        allowed_hosts: Callable[[], frozenset[str]],
        on_sign_in: Callable[[SignedIn], None],
    ) -> None:
        """`allowed_hosts`: names (lower case, without port) under which the administration answers, beside localhost."""
        self.password = password
        self.sessions = sessions
        self._clock = clock
        self._throttle = Throttle(clock)
        self._allowed_hosts = allowed_hosts
        self._on_sign_in = on_sign_in

    def check_host(self, request: web.Request) -> None:
        """The name in the Host header must be one of ours.

        Raises:
            DeniedError: the Host header names something that this server is not known as.
        """
        if _is_unix(request):
            return
        host = _host_name(request.headers.get("Host", ""))
        if not host:
            raise DeniedError(400, "access.host", "The request names no host.")
        if host == "localhost" or host.endswith(".localhost") or _is_ip(host):
            return  # a stranger's name can't be made to look like these
        if host not in self._allowed_hosts():
            raise DeniedError(
                403,
                "access.host",
                f"The administration does not answer under the name “{host}”.",
                fix=f"If that is a name of this server, add “{host}” to allowed_hosts under [admin] in server.toml, "
                "or open it by its IP address.",
            )

    def identify(self, request: web.Request) -> Caller | None:
        """Who calls; None: nobody that is known."""
        if _is_unix(request):
            with _duplicate(request) as unix:
                return Caller("local owner", "", None) if is_owner(unix) else None
        secret = request.cookies.get(_cookie_name(request), "")
        session = self.sessions.find(secret) if secret else None
        return None if session is None else Caller("admin", peer_of(request), session)

    def check_origin(self, request: web.Request) -> None:
        """For what changes something: the page that asks must be our own.

        Raises:
            DeniedError: it comes from another site.
        """
        if request.method in SAFE_METHODS or _is_unix(request):
            return
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", "")
        own = request.headers.get("Host", "").lower()
        if site not in {"same-origin", "none"} or (
            origin and urlsplit(origin).netloc.lower() != own
        ):
            raise DeniedError(
                403,
                "access.origin",
                "The request comes from a page of another site.",
                fix="Open the administration itself and do it there.",
            )

    def check_token(self, request: web.Request, caller: Caller) -> None:
        """What changes something by cookie must carry the session's token.

        Raises:
            DeniedError: a change by cookie without the session's CSRF token.
        """
        if request.method in SAFE_METHODS or caller.session is None:
            return
        given = request.headers.get(CSRF_HEADER, "")
        if not secrets.compare_digest(given.encode(), caller.session.csrf_token.encode()):
            raise DeniedError(
                403,
                "access.csrf",
                f"The header {CSRF_HEADER} is missing or not the one of this session.",
                fix="Reload the page. Programs read the token with GET /api/v1/session.",
            )

    async def sign_in(
        self, request: web.Request, password: str, *, keep: bool
    ) -> tuple[str, Session]:
        """The secret for the cookie, and the session.

        Raises:
            DeniedError: wrong password, too fast, or over plain HTTP from elsewhere.
        """
        if not request.secure and not _is_loopback(peer_of(request)):
            raise DeniedError(
                403,
                "access.needs_tls",
                "Signing in without TLS is possible on the server's own computer only.",
                fix="Open the address with https.",
            )
        await self.confirm(request, password)
        peer = peer_of(request)
        agent = request.headers.get("User-Agent", "")
        return self.sessions.open(peer=peer, user_agent=agent, keep=keep)

    async def confirm(self, request: web.Request, password: str) -> None:
        """Is that the administrator's password?

        Raises:
            DeniedError: no, or the peer has tried too often.
        """
        peer = peer_of(request)
        if (wait := self._throttle.wait_s(peer)) > 0:
            raise _too_fast(wait)
        try:
            right = await self.password.is_right(password)
        except TooManyChecksError:
            raise _too_fast(2.0) from None
        self._on_sign_in(
            SignedIn(
                account="admin",
                address="admin",
                protocol="admin",
                peer=peer,
                succeeded=right,
                mechanism="password",
                at=self._clock.time(),
                encrypted=request.secure,
                client=request.headers.get("User-Agent", "")[:MAX_AGENT_CHARS],
            )
        )
        if not right:
            self._throttle.failed(peer)
            raise DeniedError(
                401,
                "access.password",
                "That is not the administrator's password.",
                fix="If it is lost: on the server's computer, “gatepost admin-password” sets a new one.",
            )
        self._throttle.succeeded(peer)

    def set_cookie(
        self,
        request: web.Request,
        response: web.Response,
        secret: str,
        session: Session,
        *,
        keep: bool,
    ) -> None:
        response.set_cookie(
            _cookie_name(request),
            secret,
            max_age=int(session.expires - self._clock.time()) if keep else None,
            path="/",
            secure=request.secure,
            httponly=True,
            samesite="Strict",
        )

    def clear_cookie(self, request: web.Request, response: web.Response) -> None:
        response.del_cookie(
            _cookie_name(request),
            path="/",
            secure=request.secure,
            httponly=True,
            samesite="Strict",
        )


def peer_of(request: web.Request) -> str:
    """The IP address of the other side; empty on the Unix socket."""
    if request.transport is None:
        return ""
    peer = request.transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def _too_fast(wait_s: float) -> DeniedError:
    seconds = max(1, round(wait_s))
    return DeniedError(
        429,
        "access.too_fast",
        f"Too many failed sign-ins. Try again in {seconds} seconds.",
        headers={"Retry-After": str(seconds)},
    )


def _is_unix(request: web.Request) -> bool:
    sock = None if request.transport is None else request.transport.get_extra_info("socket")
    return sock is not None and sock.family == socket.AF_UNIX


def _duplicate(request: web.Request) -> socket.socket:
    # What asyncio and uvloop hand out is not a whole socket; a duplicate of its descriptor is.
    assert request.transport is not None
    sock = request.transport.get_extra_info("socket")
    return socket.fromfd(sock.fileno(), sock.family, sock.type)


def _cookie_name(request: web.Request) -> str:
    return SESSION_COOKIE_TLS if request.secure else SESSION_COOKIE_PLAIN


def _host_name(header: str) -> str:
    """Without the port, lower case."""
    try:
        return (urlsplit(f"//{header}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(peer: str) -> bool:
    try:
        address = ipaddress.ip_address(peer.split("%", 1)[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
