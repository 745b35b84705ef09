"""A real DNS server on loopback, UDP and TCP, that answers from a dictionary.

    async with DnsServer({"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}) as dns:
        DnsResolver([dns.endpoint])

Records are written as in a zone file (with a final dot on names). `records` may be changed while it runs. It behaves
as a recursive resolver does: CNAME chains come whole, unless `whole_chains` is false. With `authority` it says that it
holds its names itself. Where a name above has a SOA record, that comes with answers that there is nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = Mapping[str, Mapping[str, Sequence[str]]]


class DnsServer:
    """`queries` lists what was asked: `("b.test", "MX", "udp")`. Names in `silent` get no answer, in `broken` SERVFAIL."""

    def __init__(
        self,
        records: Zone | None = None,
        *,
        ttl_s: int = 60,
        authentic: bool = False,
        authority: bool = False,
        whole_chains: bool = True,
    ) -> None:
        self.records: dict[str, dict[str, list[str]]] = {}
        for name, kinds in (records or {}).items():
            self.add(name, kinds)
        self.queries: list[tuple[str, str, str]] = []
        self.silent: set[str] = set()
        self.broken: set[str] = set()
        self.ttl_s = ttl_s
        self.authentic = authentic
        self.authority = authority
        self.whole_chains = whole_chains
        self.port = 0
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def add(self, name: str, kinds: Mapping[str, Sequence[str]]) -> None:
        """`dns.add("b.test", {"A": ["127.0.0.1"]})`"""
        entry = self.records.setdefault(name.rstrip(".").lower(), {})
        for kind, values in kinds.items():
            entry[kind] = list(values)

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(20):  # the UDP port that the system gives may be taken for TCP
            udp, _ = await loop.create_datagram_endpoint(
                lambda: _Udp(self), local_addr=("127.0.0.1", port)
            )
            chosen = udp.get_extra_info("sockname")[1]
            try:
                self._tcp = await asyncio.start_server(self._serve_tcp, "127.0.0.1", chosen)
            except OSError:
                udp.close()
                if port:
                    raise
                continue
            self._udp, self.port = udp, chosen
            return
        raise OSError("no port is free for both UDP and TCP")

    async def stop(self) -> None:
        if self._udp is not None:
            self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
        self._udp = self._tcp = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.queries.append((name, kind, transport))
        if name in self.silent:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.broken:
            response.set_rcode(dns.rcode.SERVFAIL)
            return response.to_wire()
        if self.authentic:
            response.flags |= dns.flags.AD
        if self.authority:
            response.flags |= dns.flags.AA
        seen: set[str] = set()
        while True:
            entry = self.records.get(name)
            if entry is None:
                inside = any(known.endswith(f".{name}") for known in self.records)
                if not inside:
                    response.set_rcode(dns.rcode.NXDOMAIN)
                break
            if values := entry.get(kind):
                self._append(response, name, kind, values)
                break
            alias = entry.get("CNAME")
            if alias is None or name in seen:
                break
            seen.add(name)
            self._append(response, name, "CNAME", alias)
            name = alias[0].rstrip(".").lower()
            if not self.whole_chains:
                break
        if not response.answer:
            self._append_soa(response, name)
        if transport == "udp":
            wire_out = response.to_wire(max_size=65535)
            if len(wire_out) > (query.payload if query.edns >= 0 else 512):
                short = dns.message.make_response(query, recursion_available=True)
                short.flags |= dns.flags.TC
                return short.to_wire()
            return wire_out
        return response.to_wire(max_size=65535)

    def _append(
        self, response: dns.message.Message, name: str, kind: str, values: Sequence[str]
    ) -> None:
        response.answer.append(
            dns.rrset.from_text_list(dns.name.from_text(name), self.ttl_s, "IN", kind, values)
        )

    def _append_soa(self, response: dns.message.Message, name: str) -> None:
        while name:
            if soa := self.records.get(name, {}).get("SOA"):
                response.authority.append(
                    dns.rrset.from_text_list(dns.name.from_text(name), self.ttl_s, "IN", "SOA", soa)
                )
                return
            name = name.partition(".")[2]

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2))
                reply = self.answer(await reader.readexactly(length), "tcp")
                if reply is not None:
                    writer.write(len(reply).to_bytes(2) + reply)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._server.answer(data, "udp")
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)
