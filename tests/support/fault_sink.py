"""A hundred mail servers on loopback with every fault that a peer can have, which remember what they took.

Each destination `dN.test` is a host of its own on 127.0.2.N with one port for all. What it does wrong says its number
(`Fault`); most faults befall the first sight of a message only, so that a later attempt brings it in. A message counts
as taken when its last octet has come, before the reply: that is when it is in the other side's hands. Every other server of a kind takes messages in chunks (BDAT).
"""

import asyncio
import random
from collections import Counter
from enum import Enum
from typing import Self

from backend.runtime import tasks
from tests.support.dns_server import DnsServer
from tests.support.server_process import free_ports

STALL_REPLY_S = 0.02  # of the slow one
CLOSED_S, OPEN_S = 0.7, 1.5  # of one that is down now and then


class Fault(Enum):
    NONE = "none"
    SLOW = "slow"
    REFUSED = "connections refused now and then"
    STALLED = "no answer to MAIL at first"
    SILENT = "no greeting to some connections"
    DROPPED_IN_DATA = "closed in the middle of the content at first"
    DROPPED_AFTER_DATA = "closed before the reply to the content at first"
    RCPT_4XX = "451 to the recipient at first"
    DATA_4XX = "452 after the content at first"
    RCPT_5XX = "550 to every third recipient"
    DATA_5XX = "554 after the content to every third message"
    GREETING_421 = "421 instead of a greeting to some connections"
    MAIL_421 = "421 to MAIL to some connections"
    NO_SMTP = "something that is no SMTP to some connections"
    NEVER = "450 for ever"
    DOWN = "connections always refused"


# Of a hundred destinations; what fails for ever costs eight attempts a message, so there is one of each kind.
_PLAN = [Fault.NEVER, Fault.DOWN] + [
    fault for fault in Fault if fault not in {Fault.NEVER, Fault.DOWN}
] * 7


def fault_of(number: int) -> Fault:
    return _PLAN[number % len(_PLAN)]


def number_of(address: str) -> int:
    """Of the message: recipients are called `mN…@dM.test`."""
    return int(address[1:].partition("@")[0].partition("-")[0])


class FaultSink:
    """`taken`: how often each recipient's message came whole; `unanswered`: of these, what got no reply; `cut`: what came in part."""

    def __init__(self, destinations: int) -> None:
        self.destinations = destinations
        self.taken: Counter[str] = Counter()
        self.unanswered: Counter[str] = Counter()
        self.cut: Counter[str] = Counter()
        self.connections = 0
        self.chunked = 0  # messages that came with BDAT
        self.faults: Counter[Fault] = Counter()
        self.seen: set[tuple[int, str]] = set()
        (self.port,) = free_ports("127.0.2.1", 1)
        self.dns = DnsServer(
            {
                **{f"d{n}.test": {"MX": [f"10 mx.d{n}.test."]} for n in range(destinations)},
                **{f"mx.d{n}.test": {"A": [self._host(n)]} for n in range(destinations)},
            }
        )
        self._servers: dict[int, asyncio.Server] = {}
        self._flapping: asyncio.Task[None] | None = None

    @staticmethod
    def _host(number: int) -> str:
        return f"127.0.2.{number + 1}"

    async def __aenter__(self) -> Self:
        await self.dns.start()
        for number in range(self.destinations):
            if fault_of(number) not in {Fault.DOWN, Fault.REFUSED}:
                await self._open(number)
        self._flapping = tasks.spawn(self._flap(), "servers down now and then")
        return self

    async def __aexit__(self, *_: object) -> None:
        await tasks.stop(self._flapping)
        for server in self._servers.values():
            server.close()
        await self.dns.stop()

    async def _open(self, number: int) -> None:
        self._servers[number] = await asyncio.get_running_loop().create_server(
            lambda: _Talk(self, number), self._host(number), self.port, backlog=200
        )

    async def _flap(self) -> None:
        numbers = [n for n in range(self.destinations) if fault_of(n) is Fault.REFUSED]
        while True:
            await asyncio.sleep(CLOSED_S)
            for number in numbers:
                await self._open(number)
            await asyncio.sleep(OPEN_S)
            for number in numbers:
                self._servers.pop(number).close()


class _Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: FaultSink, number: int) -> None:
        self._sink = sink
        self._number = number
        self._fault = fault_of(number)
        self._buffer = bytearray()
        self._recipients: list[str] = []
        self._in_data = False
        self._chunk: tuple[int, bool] | None = (
            None  # octets to come, and whether it is the last one
        )
        self._has_chunks = number // (len(Fault) - 2) % 2 == 1
        self._mute = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections += 1
        # Some connections, so that a message may meet it several times, or never.
        some = random.Random(self._sink.connections).random() < 0.3
        match self._fault:
            case Fault.SILENT if some:
                self._mute = True
                self._strike()
            case Fault.GREETING_421 if some:
                self._strike()
                self._say("421 4.3.2 too busy")
                transport.close()
            case Fault.NO_SMTP if some:
                self._strike()
                self._say("HTTP/1.1 400 Bad Request")
            case _:
                self._fails_mail = some and self._fault is Fault.MAIL_421
                self._say(f"220 mx.d{self._number}.test ESMTP")

    def data_received(self, data: bytes) -> None:
        if self._mute:
            return
        self._buffer += data
        while not self._transport.is_closing() and not self._mute:
            if (self._in_data or self._chunk) and self._drops_in_data():
                return
            if self._chunk is not None:
                octets, is_last = self._chunk
                if len(self._buffer) < octets:
                    return
                del self._buffer[:octets]
                self._chunk = None
                if not self._recipients:
                    self._say("503 5.5.1 no recipient")
                elif is_last:
                    self._sink.chunked += 1
                    self._take()
                else:
                    self._say("250 2.0.0 ok")
            elif self._in_data:
                # The reply to DATA was read before the content came, so the dot never stands first.
                end = self._buffer.find(b"\r\n.\r\n")
                if end < 0:
                    return
                del self._buffer[: end + 5]
                self._in_data = False
                self._take()
            else:
                end = self._buffer.find(b"\r\n")
                if end < 0:
                    return
                line = bytes(self._buffer[:end]).decode()
                del self._buffer[: end + 2]
                self._command(line)

    def _command(self, line: str) -> None:
        verb = line[:4].upper()
        if verb == "EHLO":
            offers = ["250-CHUNKING"] if self._has_chunks else []
            self._say(f"250-mx.d{self._number}.test", "250-PIPELINING", *offers, "250 8BITMIME")
        elif verb == "MAIL":
            self._recipients = []
            if self._fault is Fault.MAIL_421 and self._fails_mail:
                self._strike()
                self._say("421 4.3.2 going down")
                self._transport.close()
            elif self._fault is Fault.STALLED and self._is_first(f"connection {line}"):
                self._strike()
                self._mute = True
            else:
                self._say("250 2.1.0 ok")
        elif verb == "RCPT":
            self._recipient(line.partition("<")[2].partition(">")[0])
        elif verb == "DATA":
            self._in_data = bool(self._recipients)
            self._say("354 go on" if self._recipients else "503 5.5.1 no recipient")
        elif verb == "BDAT":
            size, _, last = line[5:].partition(" ")
            self._chunk = (int(size), last == "LAST")
        elif verb == "QUIT":
            self._say("221 2.0.0 bye")
            self._transport.close()
        else:
            self._say("250 2.0.0 ok")

    def _drops_in_data(self) -> bool:
        if self._fault is not Fault.DROPPED_IN_DATA or not self._recipients:
            return False
        if not self._is_first("data"):
            return False
        self._strike()
        self._sink.cut.update(self._recipients)
        self._transport.abort()
        return True

    def _recipient(self, address: str) -> None:
        if self._fault is Fault.RCPT_4XX and self._is_first(address):
            self._strike()
            self._say("451 4.7.1 come back later")
        elif self._fault is Fault.NEVER:
            self._strike()
            self._say("450 4.2.1 never")
        elif self._fault is Fault.RCPT_5XX and number_of(address) % 3 == 0:
            self._strike()
            self._say("550 5.1.1 no such user")
        else:
            self._recipients.append(address)
            self._say("250 2.1.5 ok")

    def _take(self) -> None:
        if self._fault is Fault.DATA_4XX and self._is_first("data"):
            self._strike()
            self._say("452 4.3.1 no room")
            return
        if self._fault is Fault.DATA_5XX and number_of(self._recipients[0]) % 3 == 0:
            self._strike()
            self._say("554 5.6.0 not this")
            return
        self._sink.taken.update(self._recipients)
        if self._fault is Fault.DROPPED_AFTER_DATA and self._is_first("data"):
            self._strike()
            self._sink.unanswered.update(self._recipients)
            self._transport.abort()
            return
        self._say("250 2.0.0 taken")

    def _is_first(self, what: str) -> bool:
        key = (self._number, f"{what} {self._recipients[0] if self._recipients else ''}")
        is_first = key not in self._sink.seen
        self._sink.seen.add(key)
        return is_first

    def _strike(self) -> None:
        self._sink.faults[self._fault] += 1

    def _say(self, *lines: str) -> None:
        data = "".join(f"{line}\r\n" for line in lines).encode()
        if self._fault is Fault.SLOW:
            asyncio.get_running_loop().call_later(STALL_REPLY_S, self._transport.write, data)
        else:
            self._transport.write(data)
