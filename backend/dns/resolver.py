"""Asks the DNS. The only module that knows dnspython; everything else sees the `Resolver` protocol.

It is a stub: a recursive resolver does the work (the system's, or those named in the configuration as `host:port`).
CNAME chains are followed here and counted, because mail treats a chain that does not end as a permanent fault; an
answer that carries only a part of its chain (an authority, a forwarder) is asked on from there.
"""

import asyncio
import ipaddress
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.resolver
import dns.reversename
from dns.rdatatype import RdataType
from dns.rdtypes.ANY import CNAME, MX, NS, PTR, SOA, TLSA, TXT
from dns.rdtypes.IN import AAAA, SRV, A

from backend.core.clock import Clock, SystemClock
from backend.dns.answers import Answer, Found, LookupFailed, Mx, NoDomain, NoRecord, Tlsa
from backend.dns.cache import AnswerCache
from backend.observe import log as logs
from backend.runtime import tasks

log = logs.get(__name__)

R = TypeVar("R")

MAX_ALIASES = 16  # CNAMEs followed for one question, a security limit
MAX_RECORDS = 100  # records taken from one answer, a security limit
QUERY_TIMEOUT_S = 3.0  # one question to one server; then the next server is asked
AUTHORITY_TIMEOUT_S = 2.0  # one question to a server that holds a zone
LOOKUP_TIMEOUT_S = 20.0  # the whole lookup, all servers, rounds and aliases
ROUNDS = 2  # times that the list of servers is gone through
UDP_PAYLOAD = 1232  # DNS flag day 2020: no fragments
NEGATIVE_TTL_WITHOUT_SOA_S = 60.0
SYSTEM_CHECK_INTERVAL_S = 5.0
_RESOLV_CONF = "/etc/resolv.conf"


class Resolver(Protocol):
    async def mx(self, domain: str) -> Answer[Mx]:
        """Sorted by preference; order among equals is the server's. A null MX is one record with an empty host."""

    async def addresses(self, name: str) -> Answer[str]:
        """IPv4 first, then IPv6, as text."""

    async def txt(self, name: str) -> Answer[bytes]:
        """Each record's strings joined."""

    async def ptr(self, ip: str) -> Answer[str]:
        """Names of an IP address."""

    async def tlsa(self, name: str) -> Answer[Tlsa]:
        """For `_25._tcp.host`."""

    async def alias(self, name: str) -> Answer[str]:
        """The next name of a CNAME chain only, not its end: so that each link can be asked whether it is authentic."""


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.host).is_loopback


@dataclass(frozen=True, slots=True)
class _Raw:
    """One answer after its chain: `records` empty for none; `exists` false for NXDOMAIN."""

    records: tuple[dns.rdata.Rdata, ...]
    exists: bool
    canonical: str
    aliases: int
    authentic: bool


class _ServerError(Exception):
    """No server gave a usable answer."""


class _EndlessChainError(Exception):
    pass


class DnsResolver:
    """Asks the servers of the configuration, or the system's when none is named.

    DNSSEC: the AD bit is believed from a server on loopback; from another one only if the configuration names it and says
    so (`believed`): on the way from a server far away, anybody can set it.
    """

    def __init__(
        self,
        servers: Sequence[str] = (),
        *,
        believed: bool = False,
        clock: Clock | None = None,
        query_timeout_s: float = QUERY_TIMEOUT_S,
        lookup_timeout_s: float = LOOKUP_TIMEOUT_S,
    ) -> None:
        self._clock: Clock = clock if clock is not None else SystemClock()
        self._believed = believed
        self._configured = tuple(_parse_server(server) for server in servers)
        self._system: tuple[_Server, ...] = ()
        self._system_mtime = -1.0
        self._system_checked = float("-inf")
        self._query_timeout_s = query_timeout_s
        self._lookup_timeout_s = lookup_timeout_s
        self._cache: AnswerCache[object] = AnswerCache(self._clock)

    async def mx(self, domain: str) -> Answer[Mx]:
        answer = await self._ask(domain, RdataType.MX, _mx)
        if isinstance(answer, Found):
            records = tuple(sorted(answer.records, key=lambda mx: mx.preference))
            return Found(records, answer.authentic, answer.canonical, answer.aliases)
        return answer

    async def addresses(self, name: str) -> Answer[str]:
        v4 = self._known(name, RdataType.A, _a)
        v6 = self._known(name, RdataType.AAAA, _aaaa)
        if v4 is None or v6 is None:
            async with asyncio.TaskGroup() as group:
                four = group.create_task(self._ask(name, RdataType.A, _a), name="dns A")
                six = group.create_task(self._ask(name, RdataType.AAAA, _aaaa), name="dns AAAA")
            v4, v6 = four.result(), six.result()
        found = [answer for answer in (v4, v6) if isinstance(answer, Found)]
        if found:
            return Found(
                tuple(record for answer in found for record in answer.records),
                all(answer.authentic for answer in found),
                found[0].canonical,
                found[0].aliases,
            )
        # “Could not ask” outweighs “none”: the family that failed may have an address.
        for answer in (v4, v6):
            if isinstance(answer, LookupFailed):
                return answer
        return v4

    async def txt(self, name: str) -> Answer[bytes]:
        return await self._ask(name, RdataType.TXT, _txt)

    async def ptr(self, ip: str) -> Answer[str]:
        return await self._ask(
            dns.reversename.from_address(ip).to_text(omit_final_dot=True), RdataType.PTR, _ptr
        )

    async def tlsa(self, name: str) -> Answer[Tlsa]:
        return await self._ask(name, RdataType.TLSA, _tlsa)

    async def alias(self, name: str) -> Answer[str]:
        return await self._ask(name, RdataType.CNAME, _text)

    async def records(self, name: str, kind: str) -> Answer[str]:
        """Records of any type (`"CAA"`) as text, for showing and comparing: names without their final dot, a TXT joined."""
        return await self._ask(name, RdataType.from_text(kind), _text)

    async def zone_of(self, name: str) -> Answer[str]:
        """The zone in which the name lies, whether it exists or not: the name of the nearest SOA."""
        try:
            qname = dns.name.from_text(name)
            async with asyncio.timeout(self._lookup_timeout_s):
                while qname != dns.name.root:
                    response, _ = await self._query(qname, RdataType.SOA)
                    for rrset in (*response.answer, *response.authority):
                        if rrset.rdtype == RdataType.SOA and qname.is_subdomain(rrset.name):
                            return Found((_name(rrset.name),))
                    qname = qname.parent()
        except (dns.exception.DNSException, UnicodeError):
            return LookupFailed(f"“{name}” is no name that the DNS can look up", temporary=False)
        except (_ServerError, TimeoutError):
            return LookupFailed(f"no answer from the DNS about {name}")
        return NoDomain()

    async def ask(self, server: str, name: str, kind: str) -> Answer[str]:
        """As `records`, but asks one server (`192.0.2.1`, `192.0.2.1:5353`) that should hold the zone, past all caches.

        What it does not answer for is `LookupFailed`. An alias is not followed: `NoRecord` with its `canonical`.
        """
        target, rdtype = _parse_server(server), RdataType.from_text(kind)
        try:
            qname = dns.name.from_text(name)
            question = dns.message.make_query(qname, rdtype, use_edns=0, payload=UDP_PAYLOAD)
            question.flags &= ~dns.flags.RD
            response, _tcp = await dns.asyncquery.udp_with_fallback(
                question,
                target.host,
                timeout=AUTHORITY_TIMEOUT_S,
                port=target.port,
                ignore_unexpected=True,
                ignore_errors=True,
            )
        except (dns.exception.DNSException, UnicodeError, OSError, EOFError) as error:
            log.debug("dns authority failed", server=target.host, error=repr(error))
            tasks.raise_if_cancelled()
            return LookupFailed(f"the server {target.host} does not answer about {name}")
        tasks.raise_if_cancelled()
        code = response.rcode()
        if code not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            return LookupFailed(f"the server {target.host} answers {dns.rcode.to_text(code)}")
        if not response.flags & dns.flags.AA:
            return LookupFailed(f"the server {target.host} does not hold {name}")
        rrset = response.get_rrset(response.answer, qname, dns.rdataclass.IN, rdtype)
        if rrset is not None:
            records = tuple(_text(record) for record in tuple(rrset)[:MAX_RECORDS])
            return Found(records, canonical=_name(qname))
        alias = response.get_rrset(response.answer, qname, dns.rdataclass.IN, RdataType.CNAME)
        if alias is not None:
            return NoRecord(canonical=_text(alias[0]), aliases=1)
        return NoDomain() if code == dns.rcode.NXDOMAIN else NoRecord(canonical=_name(qname))

    def forget(self) -> None:
        """Empties the cache: somebody has just changed the DNS and wants to see it."""
        self._cache.clear()

    async def _ask(
        self, name: str, kind: RdataType, convert: Callable[[dns.rdata.Rdata], R]
    ) -> Answer[R]:
        known = self._known(name, kind, convert)
        if known is not None:
            return known
        try:
            qname = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            return LookupFailed(f"“{name}” is no name that the DNS can look up", temporary=False)
        try:
            async with asyncio.timeout(self._lookup_timeout_s):
                raw, ttl_s = await self._follow(qname, kind)
        except TimeoutError:
            return LookupFailed(f"no answer from the DNS about {name}")
        except _ServerError as error:
            return LookupFailed(f"{error} (about {name})")
        except _EndlessChainError:
            return LookupFailed(
                f"{name} is an alias (CNAME) of an alias, more than {MAX_ALIASES} times",
                temporary=False,
            )
        answer = self._answer(raw, convert)
        # As values, so that the next one who asks has them without a look at names and octets.
        key = (name.lower(), kind, convert)
        self._cache.put(key, answer, ttl_s, negative=not raw.records)
        return answer

    def _known(
        self, name: str, kind: RdataType, convert: Callable[[dns.rdata.Rdata], R]
    ) -> Answer[R] | None:
        """From the cache."""
        return cast(Answer[R] | None, self._cache.find((name.lower(), kind, convert)))

    @staticmethod
    def _answer(raw: _Raw, convert: Callable[[dns.rdata.Rdata], R]) -> Answer[R]:
        if raw.records:
            records = tuple(convert(record) for record in raw.records[:MAX_RECORDS])
            return Found(records, raw.authentic, raw.canonical, raw.aliases)
        if raw.exists:
            return NoRecord(raw.authentic, raw.canonical, raw.aliases)
        return NoDomain(raw.authentic)

    async def _follow(self, qname: dns.name.Name, kind: RdataType) -> tuple[_Raw, float]:
        aliases, authentic, ttl_s = 0, True, float("inf")
        while True:
            response, trusted = await self._query(qname, kind)
            authentic = authentic and trusted and bool(response.flags & dns.flags.AD)
            asked = qname
            while True:
                rrset = response.get_rrset(response.answer, qname, dns.rdataclass.IN, kind)
                if rrset is not None:
                    ttl_s = min(ttl_s, rrset.ttl)
                    return self._raw(tuple(rrset), True, qname, aliases, authentic), ttl_s
                alias = response.get_rrset(
                    response.answer, qname, dns.rdataclass.IN, RdataType.CNAME
                )
                if alias is None:
                    break
                aliases += 1
                if aliases > MAX_ALIASES:
                    raise _EndlessChainError
                ttl_s = min(ttl_s, alias.ttl)
                target = alias[0]
                assert isinstance(target, CNAME.CNAME)
                qname = target.target
            negative = min(ttl_s, _negative_ttl(response))
            if response.rcode() == dns.rcode.NXDOMAIN:
                return self._raw((), False, qname, aliases, authentic), negative
            if qname == asked or _has_soa(response, qname):
                return self._raw((), True, qname, aliases, authentic), negative
            # The chain left what this server knew; ask on from its last name.

    @staticmethod
    def _raw(
        records: tuple[dns.rdata.Rdata, ...],
        exists: bool,
        canonical: dns.name.Name,
        aliases: int,
        authentic: bool,
    ) -> _Raw:
        return _Raw(records, exists, _name(canonical), aliases, authentic)

    async def _query(
        self, qname: dns.name.Name, kind: RdataType
    ) -> tuple[dns.message.Message, bool]:
        servers = self._configured or self._system_servers()
        if not servers:
            raise _ServerError(
                "this computer has no DNS resolver set; name one in the setting outbound.resolvers"
            )
        fault = "no DNS resolver answers"
        for _ in range(ROUNDS):
            for server in servers:
                question = dns.message.make_query(
                    qname, kind, use_edns=0, want_dnssec=True, payload=UDP_PAYLOAD
                )
                question.flags |= dns.flags.AD
                try:
                    response, _tcp = await dns.asyncquery.udp_with_fallback(
                        question,
                        server.host,
                        timeout=self._query_timeout_s,
                        port=server.port,
                        ignore_unexpected=True,
                        ignore_errors=True,
                    )
                except (dns.exception.DNSException, OSError, EOFError) as error:
                    log.debug("dns server failed", server=server.host, error=repr(error))
                    tasks.raise_if_cancelled()
                    continue
                # WORKAROUND(cpython#86296): dnspython waits with wait_for, until Python 3.12 is the oldest.
                tasks.raise_if_cancelled()
                code = response.rcode()
                if code in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                    return response, server.is_loopback or (
                        self._believed and bool(self._configured)
                    )
                fault = f"the DNS answers {dns.rcode.to_text(code)}"
        raise _ServerError(fault)

    def _system_servers(self) -> tuple[_Server, ...]:
        """Read again when the file changes: computers at home change networks."""
        now = self._clock.monotonic()
        if now - self._system_checked < SYSTEM_CHECK_INTERVAL_S:
            return self._system
        self._system_checked = now
        try:
            mtime = os.stat(_RESOLV_CONF).st_mtime
        except OSError:
            mtime = 0.0  # Windows has no such file; its registry is read once
        if mtime != self._system_mtime:
            self._system_mtime = mtime
            try:
                found = dns.resolver.Resolver(configure=True)
            except (dns.exception.DNSException, OSError):
                self._system = ()
            else:
                self._system = tuple(
                    _Server(str(server), found.port)
                    for server in found.nameservers
                    if isinstance(server, str) and _is_ip(server)
                )
        return self._system


def _parse_server(text: str) -> _Server:
    """`192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1`, `[2001:db8::1]:5353`.

    Raises:
        ValueError: neither; the configuration checks it before.
    """
    if _is_ip(text):
        return _Server(text, 53)
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    return _Server(str(ipaddress.ip_address(host)), int(port))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _negative_ttl(response: dns.message.Message) -> float:
    # RFC 2308 §5: the smaller of the SOA record's own TTL and its MINIMUM field.
    for rrset in response.authority:
        if rrset.rdtype == RdataType.SOA:
            soa = rrset[0]
            assert isinstance(soa, SOA.SOA)
            return float(min(rrset.ttl, soa.minimum))
    return NEGATIVE_TTL_WITHOUT_SOA_S


def _has_soa(response: dns.message.Message, name: dns.name.Name) -> bool:
    return any(
        rrset.rdtype == RdataType.SOA and name.is_subdomain(rrset.name)
        for rrset in response.authority
    )


def _name(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _mx(record: dns.rdata.Rdata) -> Mx:
    assert isinstance(record, MX.MX)
    return Mx(record.preference, _name(record.exchange))


def _a(record: dns.rdata.Rdata) -> str:
    assert isinstance(record, A.A)
    return str(record.address)


def _aaaa(record: dns.rdata.Rdata) -> str:
    assert isinstance(record, AAAA.AAAA)
    return str(record.address)


def _txt(record: dns.rdata.Rdata) -> bytes:
    assert isinstance(record, TXT.TXT)
    return b"".join(record.strings)


def _text(record: dns.rdata.Rdata) -> str:
    match record:
        case TXT.TXT():
            return b"".join(record.strings).decode("utf-8", "backslashreplace")
        case MX.MX():
            return f"{record.preference} {_name(record.exchange) or '.'}"
        case SRV.SRV():
            where = f"{record.port} {_name(record.target) or '.'}"
            return f"{record.priority} {record.weight} {where}"
        case CNAME.CNAME() | PTR.PTR() | NS.NS():
            return _name(record.target)
        case TLSA.TLSA():
            return f"{record.usage} {record.selector} {record.mtype} {bytes(record.cert).hex()}"
        case _:
            return record.to_text()


def _ptr(record: dns.rdata.Rdata) -> str:
    assert isinstance(record, PTR.PTR)
    return _name(record.target)


def _tlsa(record: dns.rdata.Rdata) -> Tlsa:
    assert isinstance(record, TLSA.TLSA)
    return Tlsa(
        usage=record.usage,
        selector=record.selector,
        matching=record.mtype,
        data=bytes(record.cert),
    )
