"""Connections to other servers: TCP, SOCKS5, TLS, timeouts, and whom we never connect to.

The only place here that knows sockets and python-socks.
"""

import asyncio
import ipaddress
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy as SocksClient

CONNECT_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 5.0
MAX_BUFFERED_OCTETS = 256 * 1024  # replies are small: more waits in the kernel; a security limit
WRITE_HIGH_WATER_OCTETS = 256 * 1024

_ENCODING_DER = 2  # of OpenSSL, as Python's private certificate objects want it

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")

Endpoints = Collection[tuple[str, int]]


class Fault(StrEnum):
    """What is behind a failed connection, as far as it makes a difference for what to do about it."""

    OTHER = ""
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNKNOWN_NAME = "unknown name"
    CERTIFICATE_NAME = "certificate name"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_UNTRUSTED = "certificate untrusted"
    TLS = "tls"
    TLSA = "tlsa"
    PROXY = "proxy"
    PROXY_SIGN_IN = "proxy sign-in"


class DialError(Exception):
    """No connection, or it broke; the text is a phrase for people."""

    def __init__(self, text: str, fault: Fault = Fault.OTHER) -> None:
        super().__init__(text)
        self.fault = fault


class TlsError(DialError):
    """The handshake failed."""


def refusal(ip: str, *, allow_private: bool) -> str | None:
    """Why we don't connect to that address; None when we do.

    SECURITY: a stranger chooses what his domain's DNS says; it must not lead us to devices in the home or on this computer.
    """
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    if address.is_multicast or address.is_unspecified:
        return "is no address of a server"
    if allow_private:
        return None
    if address.is_loopback:
        return "is this computer itself"
    # RFC 4291 §2.4: outside 2000::/3 lie site-local addresses, a network's own NAT64 (RFC 8215) and old forms of IPv4.
    if not address.is_global or (address.version == 6 and address not in _PUBLIC_V6):
        return "is a private address"
    return None


def is_own(ip: str, port: int, endpoints: Endpoints) -> bool:
    """Whether we listen there ourselves; `endpoints` may name all addresses as `0.0.0.0` or `::`."""
    for host, own_port in endpoints:
        if own_port != port:
            continue
        if host == ip or (host in {"0.0.0.0", "::"} and _is_local(ip)):  # noqa: S104  # compared, not bound
            return True
    return False


def _is_local(ip: str) -> bool:
    """Whether this computer has the address: only then can a socket be bound to it."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((ip, 0))
    except OSError:
        return False
    return True


def opportunistic_context() -> ssl.SSLContext:
    """Any certificate will do: against one who only listens, unverified TLS is better than none (RFC 7435)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Connection(asyncio.Protocol):
    """A stream with timeouts. Reads what has come, whatever its size; every wait is bounded by its caller's number."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._ended = False
        self._fault: Exception | None = None
        self._paused = False
        self._writable = True
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._lost = False
        self.on_event: Callable[[], None] | None = None
        """Told of whatever happens while nobody reads or writes."""

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods but not the class.
        self._transport = cast(asyncio.Transport, transport)
        self._transport_now.set_write_buffer_limits(WRITE_HIGH_WATER_OCTETS)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) >= MAX_BUFFERED_OCTETS and not self._paused:
            self._paused = True
            self._transport_now.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = self._lost = True
        self._fault = exc
        self._wake()

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._wake()

    # What the caller uses

    async def read(self, timeout_s: float) -> bytes:
        """What has come, at least one octet; empty at the end.

        Raises:
            DialError: nothing came in time, or the connection broke.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not self._buffer and not self._ended:
                    await self._change()
        except TimeoutError:
            raise DialError(f"no answer within {_seconds(timeout_s)}", Fault.TIMEOUT) from None
        if not self._buffer and self._fault is not None:
            raise DialError(_phrase(self._fault), _kind(self._fault)) from self._fault
        data = bytes(self._buffer)
        self._buffer.clear()
        if self._paused and not self._lost:
            self._paused = False
            self._transport_now.resume_reading()
        return data

    async def write(self, data: bytes, timeout_s: float) -> None:
        """Until it is handed to the system, or nearly so.

        Raises:
            DialError: it did not go out in time, or the connection broke.
        """
        self._check()
        self._transport_now.write(data)
        if self._writable:
            return
        try:
            async with asyncio.timeout(timeout_s):
                while not (self._lost or self._writable):
                    await self._change()
        except TimeoutError:
            raise DialError(
                f"the server took no data for {_seconds(timeout_s)}", Fault.TIMEOUT
            ) from None
        self._check()

    async def start_tls(self, context: ssl.SSLContext, host: str, timeout_s: float) -> None:
        """Raises:
        TlsError: the handshake failed; only `close` is left.
        """
        self._check()
        # SECURITY: nothing that came in plain text is read after the handshake.
        self._buffer.clear()
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                self._transport_now,
                self,
                context,
                server_hostname=host,
                ssl_handshake_timeout=timeout_s,
                ssl_shutdown_timeout=CLOSE_TIMEOUT_S,
            )
        except (OSError, ssl.SSLError, EOFError) as error:
            raise TlsError(_phrase(error), _kind(error, Fault.TLS)) from error
        except ValueError as error:
            # What the DNS lets be a name need not be one for TLS: octets of any kind, a leading dot.
            raise TlsError("its name can't be used with TLS", Fault.TLS) from error
        if upgraded is None:
            raise TlsError("the server closed the connection", Fault.TLS)
        self._transport = upgraded

    @property
    def tls(self) -> str:
        """Version and cipher, such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS."""
        ssl_object = self._transport_now.get_extra_info("ssl_object")
        if ssl_object is None:
            return ""
        cipher = ssl_object.cipher()
        return f"{ssl_object.version()} {cipher[0] if cipher else ''}".strip()

    @property
    def certificate(self) -> bytes | None:
        """The server's, as DER; None without TLS."""
        ssl_object = self._transport_now.get_extra_info("ssl_object")
        return None if ssl_object is None else ssl_object.getpeercert(binary_form=True)

    @property
    def chain(self) -> list[bytes]:
        """The server's certificates as it showed them, as DER, its own first; empty without TLS."""
        ssl_object = self._transport_now.get_extra_info("ssl_object")
        if ssl_object is None:
            return []
        if hasattr(ssl_object, "get_unverified_chain"):
            return list(ssl_object.get_unverified_chain())
        # WORKAROUND(CPython before 3.13): the same function without a public name; it gives objects, 3.13 gives octets.
        found = ssl_object._sslobj.get_unverified_chain() or []
        return [certificate.public_bytes(_ENCODING_DER) for certificate in found]

    @property
    def local_ip(self) -> str:
        """Ours, as this computer knows it."""
        name = self._transport_now.get_extra_info("sockname")
        return str(name[0]) if isinstance(name, tuple) and name else ""

    async def close(self) -> None:
        """Bounded; the connection is gone afterwards."""
        transport = self._transport_now
        transport.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                while not self._lost:
                    await self._change()
        except TimeoutError:
            transport.abort()

    def abort(self) -> None:
        """At once, without farewell."""
        self._transport_now.abort()

    @property
    def _transport_now(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _check(self) -> None:
        if self._lost:
            text = _phrase(self._fault) if self._fault else "the server closed the connection"
            raise DialError(text) from self._fault

    async def _change(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    @property
    def is_quiet(self) -> bool:
        """Nothing has come that was not read, and the connection stands."""
        return not (self._buffer or self._ended or self._lost)

    def _wake(self) -> None:
        if self.on_event is not None:
            self.on_event()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)


async def dial(ip: str, port: int, *, timeout_s: float = CONNECT_TIMEOUT_S) -> Connection:
    """A TCP connection to an address that `refusal` has nothing against; the caller has asked.

    Raises:
        DialError: there is none.
    """
    try:
        async with asyncio.timeout(timeout_s):
            _, connection = await asyncio.get_running_loop().create_connection(Connection, ip, port)
    except TimeoutError:
        raise DialError(f"no connection within {_seconds(timeout_s)}", Fault.TIMEOUT) from None
    except OSError as error:
        raise DialError(_phrase(error), _kind(error, Fault.UNREACHABLE)) from error
    return connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SocksProxy:
    """A SOCKS5 proxy (RFC 1928), with user name and password (RFC 1929) if it asks for them."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)


async def dial_through(
    proxy: SocksProxy, host: str, port: int, *, timeout_s: float = CONNECT_TIMEOUT_S
) -> Connection:
    """A TCP connection made by the proxy, which also looks up the name. The caller has asked `refusal`.

    Raises:
        DialError: the proxy does not answer, or could not connect.
    """
    client = SocksClient(
        ProxyType.SOCKS5,
        proxy.host,
        proxy.port,
        username=proxy.username or None,
        password=proxy.password or None,
        rdns=True,
        loop=asyncio.get_running_loop(),
    )
    shown = f"the SOCKS proxy {proxy.host}:{proxy.port}"
    try:
        sock = await client.connect(host, port, timeout=timeout_s)
    except ProxyTimeoutError:
        raise DialError(
            f"{shown} gave no connection within {_seconds(timeout_s)}", Fault.TIMEOUT
        ) from None
    except ProxyError as error:
        phrase, fault = _SOCKS_REPLIES.get(error.error_code or 0, _SOCKS_SIGN_IN)
        if error.error_code is not None and error.error_code not in _SOCKS_REPLIES:
            phrase, fault = f"failed with code {error.error_code}", Fault.PROXY
        raise DialError(f"{shown} {phrase}", fault) from error
    except (OSError, UnicodeError) as error:
        cause = error.__cause__ if isinstance(error, ProxyConnectionError) else error
        raise DialError(
            f"{shown} can't be reached: {_phrase(cause or error)}", Fault.PROXY
        ) from error
    try:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, sock=sock)
    except BaseException:
        sock.close()
        raise
    return connection


# RFC 1928 §6: what a proxy replies. python-socks has no code for what goes wrong before that, which is the sign-in.
_SOCKS_SIGN_IN = ("does not accept the user name and password", Fault.PROXY_SIGN_IN)
_SOCKS_REPLIES = {
    1: ("could not connect; it may not know the name", Fault.PROXY),
    2: ("does not allow connections to there", Fault.PROXY),
    3: ("can't reach that network", Fault.UNREACHABLE),
    4: ("can't reach that server", Fault.UNREACHABLE),
    5: ("says that the connection was refused", Fault.REFUSED),
    6: ("gave up: too many hops on the way", Fault.UNREACHABLE),
    7: ("can't make connections for others", Fault.PROXY),
    8: ("does not know that kind of address", Fault.PROXY),
}


async def look_up_here(host: str, *, timeout_s: float = CONNECT_TIMEOUT_S) -> list[str]:
    """Addresses as this computer knows them: its own table of hosts, the names of its network; empty for none."""
    try:
        async with asyncio.timeout(timeout_s):
            found = await asyncio.get_running_loop().getaddrinfo(
                host, None, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError, TimeoutError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


# Codes of OpenSSL (X509_V_ERR_*), as Python gives them in `verify_code`.
_EXPIRED = {10: "has expired", 9: "is not valid yet"}
_NAMES = {62, 64}
_UNTRUSTED = {7, 18, 19, 20, 21}


def _kind(error: BaseException, default: Fault = Fault.OTHER) -> Fault:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _EXPIRED:
            return Fault.CERTIFICATE_EXPIRED
        if error.verify_code in _NAMES:
            return Fault.CERTIFICATE_NAME
        return Fault.CERTIFICATE_UNTRUSTED
    if isinstance(error, ssl.SSLError):
        return Fault.TLS
    if isinstance(error, TimeoutError):
        return Fault.TIMEOUT
    if isinstance(error, ConnectionRefusedError):
        return Fault.REFUSED
    return default


def _phrase(error: BaseException) -> str:
    """For people, without our own paths and addresses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _EXPIRED:
            return f"its certificate {_EXPIRED[error.verify_code]}"
        if error.verify_code in _NAMES:
            return "its certificate is for another name"
        if error.verify_code in _UNTRUSTED:
            return "its certificate comes from an authority that is not trusted here"
        return f"its certificate is not valid: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS fault: {(error.reason or error.__class__.__name__).replace('_', ' ').lower()}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "its name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, ConnectionError):
        return "the connection was reset"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return "the connection broke"


def _seconds(timeout_s: float) -> str:
    return f"{timeout_s:g} seconds"
