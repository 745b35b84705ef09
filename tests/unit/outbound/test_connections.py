"""Connections that stay open between messages: when one serves again, when it does not, and what becomes of a stale one."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from backend.core.address import parse_address
from backend.core.clock import SystemClock
from backend.core.ids import TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound import connections
from backend.outbound.dial import SocksProxy
from backend.outbound.direct import DirectTransport
from backend.outbound.session import FROM_BEFORE, Dialogues, Limits
from backend.outbound.transport import Outgoing
from backend.smtp.client import Tls
from tests.support.dns_server import DnsServer
from tests.support.microsocks import Microsocks
from tests.support.relay_rig import Authority, SignInServer, relay
from tests.support.smtp_sink import ScriptedServer, SmtpSink, say, self_signed

CONTENT = b"From: anna@a.test\r\nSubject: x\r\n\r\nhello\r\n.dot\r\n"
LIMITS = Limits(connect_s=5, step_s=5, session_s=20)
ZONE = {"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}


def message(*recipients, content=CONTENT, **more):
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address("anna@a.test"),
        recipients=tuple(parse_address(r) for r in recipients or ("bo@b.test",)),
        domain="b.test",
        size_bytes=len(content),
        content=content,
        **more,
    )


@pytest.fixture
async def dialogues():
    made = []

    def make(**limits):
        made.append(Dialogues(SystemClock(), replace(LIMITS, **limits)))
        return made[-1]

    yield make
    for each in made:
        await each.close()


@pytest.fixture
async def direct(dialogues):
    async with DnsServer(ZONE) as dns:
        shared = dialogues()

        def make(port, *, dialogues=shared, **more):
            return DirectTransport(
                DnsResolver([dns.endpoint]),
                hostname="mail.a.test",
                port=port,
                allow_private=True,
                dialogues=dialogues,
                limits=LIMITS,
                **more,
            )

        yield make


@dataclass
class Server:
    """The conversation of a good server that keeps what it was told. `turns` by verb: what to do instead, in turn."""

    offers: tuple[str, ...] = ("PIPELINING",)
    said: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    turns: dict[str, list[str]] = field(default_factory=dict)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __call__(self, reader, writer):
        self.writers.append(writer)
        try:
            await self._talk(reader, writer)
        finally:
            self.left.set()

    async def _talk(self, reader, writer):
        await say(writer, "220 mx.b.test ESMTP")
        while True:
            line = (await reader.readuntil(b"\r\n")).decode().rstrip()
            self.said.append(line)
            verb = line.partition(" ")[0]
            turn = self.turns[verb].pop(0) if self.turns.get(verb) else ""
            if turn == "drop":
                return
            if turn:
                await say(writer, turn)
                if turn.startswith("421"):
                    return
            elif verb == "EHLO":
                await say(writer, *(f"250-{o}" for o in ("mx.b.test", *self.offers)), "250 HELP")
            elif verb == "DATA":
                await say(writer, "354 go on")
                self.taken.append(await reader.readuntil(b"\r\n.\r\n"))
                if self.turns.get("end") and self.turns["end"].pop(0) == "drop":
                    return
                await say(writer, "250 taken")
            elif verb == "BDAT":
                self.taken.append(await reader.readexactly(int(line.split()[1])))
                await say(writer, "250 taken")
            elif verb == "QUIT":
                await say(writer, "221 bye")
                return
            else:
                await say(writer, "250 ok")

    def count(self, verb: str) -> int:
        return sum(line.startswith(verb) for line in self.said)


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def codes(delivery):
    return [result.status.code for result in delivery.results]


async def test_messages_to_the_same_host_go_over_one_connection(direct):
    async with SmtpSink() as sink:
        transport = direct(sink.port)
        first = await transport.deliver(message())
        second = await transport.deliver(message("cy@b.test"))
        assert codes(first) == codes(second) == [250]
        assert sink.connections == 1
        assert [taken.content for taken in sink.messages] == [CONTENT, CONTENT]
        assert second.tries[0].excerpt.startswith(f"-- {FROM_BEFORE}\nC: MAIL FROM")
        assert "bo@b.test" not in second.tries[0].excerpt


async def test_of_hosts_of_equal_preference_the_one_with_an_open_connection_is_taken(dialogues):
    hosts = [f"mx{n}.b.test" for n in range(6)]
    zone = {"b.test": {"MX": [f"10 {host}." for host in hosts]}}
    async with (
        SmtpSink() as sink,
        DnsServer(zone | {h: {"A": ["127.0.0.1"]} for h in hosts}) as dns,
    ):
        transport = DirectTransport(
            DnsResolver([dns.endpoint]),
            hostname="mail.a.test",
            port=sink.port,
            allow_private=True,
            dialogues=dialogues(),
        )
        for _ in range(8):
            assert (await transport.deliver(message())).results[0].status.is_success
        assert (len(sink.messages), sink.connections) == (8, 1)
        dns.add("b.test", {"MX": ["10 best.b.test.", *(f"20 {host}." for host in hosts)]})
        dns.add("best.b.test", {"A": ["127.0.0.1"]})
        transport = DirectTransport(
            DnsResolver([dns.endpoint]),
            hostname="mail.a.test",
            port=sink.port,
            allow_private=True,
            dialogues=transport._dialogues,
        )
        delivery = await transport.deliver(message())
        assert delivery.results[0].remote_mta == "best.b.test", "a better preference comes first"


async def test_messages_at_the_same_time_have_connections_of_their_own(direct):
    async with SmtpSink() as sink:
        transport = direct(sink.port)
        await asyncio.gather(*(transport.deliver(message()) for _ in range(3)))
        assert sink.connections == 3
        await asyncio.gather(*(transport.deliver(message()) for _ in range(3)))
        assert sink.connections == 3


async def test_tls_stays_with_the_connection(direct, tmp_path):
    async with SmtpSink(tls=self_signed(tmp_path)) as sink:
        transport = direct(sink.port)
        for _ in range(2):
            delivery = await transport.deliver(message())
            assert delivery.tries[0].tls.startswith("TLSv1.3")
        assert sink.connections == 1
        assert all(taken.tls for taken in sink.messages)


async def test_a_connection_through_a_proxy_serves_only_what_goes_through_that_proxy(direct):
    async with SmtpSink() as sink, Microsocks() as one, Microsocks() as other:
        for proxy, connections_made in ((one, 1), (one, 1), (other, 2), (None, 3)):
            address = proxy and proxy.address.rpartition(":")
            way = proxy and SocksProxy(host=address[0], port=int(address[2]))
            delivery = await direct(sink.port, proxy=way).deliver(message("bo@[127.0.0.1]"))
            assert codes(delivery) == [250]
            assert sink.connections == connections_made


async def test_another_name_in_the_greeting_is_another_connection(direct):
    async with SmtpSink() as sink:
        await direct(sink.port).deliver(message())
        await direct(sink.port, proxy_hostname="out.a.test").deliver(message())
        assert sink.connections == 2


async def test_a_signed_in_connection_serves_again_until_the_settings_change(tmp_path):
    authority = Authority(tmp_path)
    issued = authority.issue("relay.test")
    scripted = SignInServer(["PLAIN"], issued=issued)
    async with ScriptedServer(scripted) as server:
        transport, dialogues = relay(
            server.port,
            ca_file=authority.file,
            username="anna",
            password="pencil",
            mechanisms=("PLAIN",),
        )
        for _ in range(2):
            assert codes(await transport.deliver(message())) == [250]
        assert server.connections == 1
        assert sum(line.startswith("AUTH") for line in scripted.dialogue) == 1

        transport.settings = replace(transport.settings, password="changed")
        (result,) = (await transport.deliver(message())).results
        assert result.status.is_temporary, "signs in anew, with the new password"
        transport.settings = replace(transport.settings, username="", tls=Tls.OPPORTUNISTIC)
        await transport.deliver(message())
        assert server.connections == 3
        await dialogues.close()


async def test_the_test_of_a_transport_always_connects():
    scripted = SignInServer([])
    async with ScriptedServer(scripted) as server:
        transport, dialogues = relay(server.port, tls=Tls.NEVER)
        await transport.deliver(message())
        await transport.probe(message(try_sender=True))
        await transport.deliver(message())
        assert server.connections == 2
        await dialogues.close()


async def test_what_the_next_message_needs_of_tls_is_looked_at_each_time(direct):
    async with SmtpSink() as sink:
        transport = direct(sink.port)
        await transport.deliver(message())
        delivery = await transport.deliver(message(require_tls=True))
        assert codes(delivery) == [550]
        assert len(sink.messages) == 1


async def test_an_idle_connection_is_left_with_a_word(direct, dialogues):
    server = Server()
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port, dialogues=dialogues(idle_s=0.05))
        await transport.deliver(message())
        await server.left.wait()
        assert server.said[-1] == "QUIT"


async def test_the_goodbye_is_said_when_the_server_stops(direct, dialogues):
    server = Server()
    async with ScriptedServer(server) as listener:
        own = dialogues()
        await direct(listener.port, dialogues=own).deliver(message())
        assert len(own.connections) == 1
        await own.close()
        assert server.said[-1] == "QUIT"
        await direct(listener.port, dialogues=own).deliver(message())
        assert len(own.connections) == 0, "nothing is kept after the end"


async def test_a_connection_serves_a_bounded_number_of_messages(direct, monkeypatch):
    monkeypatch.setattr(connections, "MAX_TRANSACTIONS", 2)
    async with SmtpSink() as sink:
        transport = direct(sink.port)
        for _ in range(5):
            await transport.deliver(message())
        assert sink.connections == 3


async def test_a_bounded_number_of_connections_is_kept(direct, dialogues, monkeypatch):
    monkeypatch.setattr(connections, "MAX_KEPT_FOR_ONE_KEY", 2)
    monkeypatch.setattr(connections, "MAX_KEPT", 3)
    own = dialogues()
    async with SmtpSink() as sink:
        transport = direct(sink.port, dialogues=own)
        await asyncio.gather(*(transport.deliver(message()) for _ in range(4)))
        assert len(own.connections) == 2
        for name in ("x.test", "y.test"):
            await direct(sink.port, dialogues=own, proxy_hostname=name).deliver(message())
        assert len(own.connections) == 3


@pytest.mark.parametrize("goodbye", ["421 4.4.2 idle for too long", ""])
async def test_a_server_that_goes_between_two_messages_costs_nothing(direct, dialogues, goodbye):
    own = dialogues()
    server = Server()
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port, dialogues=own)
        await transport.deliver(message())
        if goodbye:
            await say(server.writers[0], goodbye)
        else:
            server.writers[0].close()
        await until(lambda: len(own.connections) == 0)
        delivery = await transport.deliver(message())
        assert codes(delivery) == [250]
        assert len(delivery.tries) == 1
        assert listener.connections == 2


@pytest.mark.parametrize("turn", ["drop", "421 4.3.2 enough for today"])
async def test_a_connection_that_turns_out_stale_is_replaced_at_once(direct, turn):
    server = Server(turns={"MAIL": ["250 ok", turn]})
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port)
        await transport.deliver(message())
        delivery = await transport.deliver(message())
        assert codes(delivery) == [250]
        assert len(delivery.tries) == 1
        assert FROM_BEFORE not in delivery.tries[0].excerpt
        assert listener.connections == 2
        assert len(server.taken) == 2


async def test_a_fresh_connection_that_says_421_is_an_answer(direct):
    server = Server(turns={"MAIL": ["421 4.3.2 enough for today"]})
    async with ScriptedServer(server) as listener:
        delivery = await direct(listener.port).deliver(message())
        assert codes(delivery) == [421]
        assert listener.connections == 1


@pytest.mark.parametrize("offers", [("PIPELINING",), ("PIPELINING", "CHUNKING")])
async def test_a_message_that_may_have_arrived_is_not_sent_again_at_once(direct, offers):
    server = Server(offers, turns={"end": ["", "drop"], "BDAT": [""]})
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port)
        await transport.deliver(message())
        server.turns["BDAT"] = ["drop"]
        (result,) = (await transport.deliver(message())).results
        assert result.unconfirmed
        assert listener.connections == 1


async def test_a_refused_transaction_leaves_nothing_for_the_next_one(direct):
    server = Server(turns={"RCPT": ["550 5.1.1 no such user"], "DATA": ["503 no recipients"]})
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port)
        assert codes(await transport.deliver(message())) == [550]
        assert codes(await transport.deliver(message("cy@b.test"))) == [250]
        assert listener.connections == 1
        after = server.said[server.said.index("DATA") + 1 :]
        assert after[:2] == ["RSET", "MAIL FROM:<anna@a.test>"]


async def test_chunks_go_out_with_the_envelope_over_a_connection_that_is_surely_there(direct):
    server = Server(("PIPELINING", "CHUNKING"))
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port)
        for _ in range(2):
            assert codes(await transport.deliver(message())) == [250]
        assert server.taken == [CONTENT, CONTENT]
        assert server.count("BDAT") == 2
        assert "DATA" not in server.said


async def test_content_of_any_size_and_line_ends_goes_out_in_chunks(direct, tmp_path):
    server = Server(("PIPELINING", "CHUNKING"))
    path = tmp_path / "large"
    path.write_bytes(b"Subject: big\r\n\r\n" + b".0123456789abcdef\r\n" * 130_000)
    bare = b"Subject: bare\r\n\r\none\ntwo\rthree"
    async with ScriptedServer(server) as listener:
        transport = direct(listener.port)
        large = replace(message(), content=path, size_bytes=path.stat().st_size)
        assert codes(await transport.deliver(large)) == [250]
        assert b"".join(server.taken) == path.read_bytes()
        assert [line.endswith("LAST") for line in server.said if line.startswith("BDAT")] == [
            False,
            False,
            True,
        ]
        server.taken.clear()
        assert codes(await transport.deliver(message(content=bare))) == [250]
        assert server.taken == [b"Subject: bare\r\n\r\none\r\ntwo\r\nthree\r\n"]
