"""Real DNS and real SMTP servers on loopback; each plays a host of its own on 127.0.0.x with one port."""

import asyncio

import pytest

from backend.core.address import parse_address
from backend.core.ids import TraceId
from backend.dns.lookups import NULL_MX
from backend.dns.resolver import DnsResolver
from backend.outbound.dial import SocksProxy
from backend.outbound.direct import DirectTransport
from backend.outbound.session import Limits
from backend.outbound.transport import Outgoing
from tests.support.dns_server import DnsServer
from tests.support.smtp_sink import (
    ScriptedServer,
    SmtpSink,
    drop_after_data,
    drop_in_data,
    no_smtp,
    say,
    self_signed,
    silent,
    stall,
    up_to_data,
)

CONTENT = b"From: anna@a.test\r\nSubject: x\r\n\r\nhello\r\n.dot\r\n"


@pytest.fixture
async def dns():
    async with DnsServer(
        {
            "b.test": {"MX": ["10 mx1.b.test.", "20 mx2.b.test."]},
            "mx1.b.test": {"A": ["127.0.0.1"]},
            "mx2.b.test": {"A": ["127.0.0.2"]},
        }
    ) as server:
        yield server


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
async def make(dns):
    made = []

    def build(port, **more):
        transport = DirectTransport(
            DnsResolver([dns.endpoint]),
            hostname="mail.a.test",
            port=port,
            **(
                {"allow_private": True, "limits": Limits(connect_s=5, step_s=1, session_s=20)}
                | more
            ),
        )
        made.append(transport)
        return transport

    yield build
    for transport in made:
        await transport.close()


def message(*recipients, content=CONTENT, sender="anna@a.test", **more):
    addresses = tuple(parse_address(r) for r in recipients or ("bo@b.test",))
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address(sender) if sender else None,
        recipients=addresses,
        domain=addresses[0].domain.ascii,
        size_bytes=len(content) if isinstance(content, bytes) else content.stat().st_size,
        content=content,
        **more,
    )


async def test_a_message_arrives_as_it_was(sink, make):
    delivery = await make(sink.port).deliver(message("bo@b.test", "cy@b.test"))
    (taken,) = sink.messages
    assert taken.content == CONTENT
    assert taken.recipients == ("bo@b.test", "cy@b.test")
    assert taken.sender == "anna@a.test"
    assert [r.status.code for r in delivery.results] == [250, 250]
    assert delivery.results[0].remote_mta == "mx1.b.test"
    (entry,) = delivery.tries
    assert (entry.host, entry.ip, entry.tls, entry.succeeded) == (
        "mx1.b.test",
        "127.0.0.1",
        "",
        True,
    )
    assert "RCPT TO:<bo@b.test>" in entry.excerpt
    assert "hello" not in entry.excerpt


async def test_a_large_message_is_sent_from_its_file(sink, make, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(b"Subject: big\r\n\r\n" + b".0123456789abcdef\r\n" * 60_000)
    await make(sink.port).deliver(message(content=path))
    assert sink.messages[0].content == path.read_bytes()


async def test_the_null_sender_is_sent_as_such(sink, make):
    await make(sink.port).deliver(message(sender=None))
    assert sink.messages[0].sender == ""


async def test_starttls_is_used_where_it_is_offered_whatever_the_certificate(make, tmp_path):
    async with SmtpSink(tls=self_signed(tmp_path)) as sink:
        delivery = await make(sink.port).deliver(message())
    assert sink.messages[0].tls
    assert delivery.tries[0].tls.startswith("TLSv1.")


async def test_after_a_broken_handshake_the_same_host_is_tried_without_tls(make):
    async def broken(reader, writer):
        await up_to_data(reader, writer, "STARTTLS")
        if broken.first:
            broken.first = False
            await reader.read(10)
            writer.write(b"this is no TLS at all\r\n")
            await reader.read()
        else:
            await reader.readuntil(b"\r\n.\r\n")
            await say(writer, "250 2.0.0 taken")
            await reader.read()

    broken.first = True
    async with ScriptedServer(broken) as server:
        delivery = await make(server.port).deliver(message())
    assert delivery.results[0].status.is_success
    assert [(t.host, t.succeeded, t.tls) for t in delivery.tries] == [
        ("mx1.b.test", False, ""),
        ("mx1.b.test", True, ""),
    ]
    assert "TLS" in delivery.tries[0].answer


async def test_each_recipient_has_its_own_result(sink, make):
    sink.replies = {"no@b.test": "550 5.1.1 unknown", "later@b.test": "450 4.2.0 greylisted"}
    delivery = await make(sink.port).deliver(message("bo@b.test", "no@b.test", "later@b.test"))
    assert [str(r.status)[:9] for r in delivery.results] == ["250 2.0.0", "550 5.1.1", "450 4.2.0"]
    assert sink.messages[0].recipients == ("bo@b.test",)
    assert len(delivery.tries) == 1


async def test_the_second_host_is_tried_when_the_first_refuses_connections(dns, make):
    dns.add("mx1.b.test", {"A": ["127.0.0.3"]})
    async with SmtpSink(host="127.0.0.2") as sink:
        delivery = await make(sink.port).deliver(message())
    assert [(t.host, t.succeeded) for t in delivery.tries] == [
        ("mx1.b.test", False),
        ("mx2.b.test", True),
    ]
    assert "refused" in delivery.tries[0].answer
    assert delivery.results[0].remote_mta == "mx2.b.test"


async def test_all_addresses_of_a_host_are_tried(dns, make):
    dns.add("mx1.b.test", {"A": ["127.0.0.3", "127.0.0.4", "127.0.0.5"]})
    async with SmtpSink(host="127.0.0.5") as sink:
        delivery = await make(sink.port).deliver(message())
    assert delivery.results[0].status.is_success
    assert {t.host for t in delivery.tries} == {"mx1.b.test"}


@pytest.mark.parametrize("behaviour", [drop_in_data, stall, silent, no_smtp])
async def test_the_second_host_gets_what_the_first_could_not_take(make, behaviour):
    # More than the buffers of both sides take, so that the content is cut off in the middle.
    large = CONTENT + b"0123456789abcdef\r\n" * 500_000 if behaviour is drop_in_data else CONTENT
    limits = Limits(step_s=20 if behaviour is drop_in_data else 1)
    async with ScriptedServer(behaviour) as first, SmtpSink(host="127.0.0.2") as second:
        await second.stop()
        await second.start(first.port)
        delivery = await make(first.port, limits=limits).deliver(message(content=large))
    assert delivery.results[0].status.is_success
    assert [t.succeeded for t in delivery.tries] == [False, True]
    assert len(second.messages) == 1


async def test_nothing_is_sent_twice_when_the_last_reply_is_missing(make):
    async with ScriptedServer(drop_after_data) as first, SmtpSink(host="127.0.0.2") as second:
        await second.stop()
        await second.start(first.port)
        delivery = await make(first.port).deliver(message())
    assert delivery.results[0].status.is_temporary
    assert delivery.results[0].remote_mta == ""
    assert len(delivery.tries) == 1
    assert not second.messages


async def test_a_refusal_of_the_content_is_final(sink, make):
    sink.data_reply = "554 5.7.1 spam"
    delivery = await make(sink.port).deliver(message())
    assert str(delivery.results[0].status) == "554 5.7.1 spam"
    assert len(delivery.tries) == 1


async def test_421_sends_us_to_the_next_host(make):
    async def busy(reader, writer):
        await say(writer, "421 4.3.2 too busy")

    async with ScriptedServer(busy) as first, SmtpSink(host="127.0.0.2") as second:
        await second.stop()
        await second.start(first.port)
        delivery = await make(first.port).deliver(message())
    assert delivery.results[0].status.is_success


async def test_a_refusing_greeting_of_all_hosts_is_permanent_and_of_one_is_not(dns, make):
    async def refuse(reader, writer):
        await say(writer, "554 5.7.1 go away")
        await reader.read()

    async with ScriptedServer(refuse) as server:
        one_down = await make(server.port).deliver(message())
        dns.add("b.test", {"MX": ["10 mx1.b.test."]})
        alone = await make(server.port).deliver(message())
    assert one_down.results[0].status.is_temporary
    assert str(alone.results[0].status) == "554 5.7.1 go away"
    assert alone.results[0].remote_mta == "mx1.b.test"


async def test_when_no_host_answers_it_is_temporary_and_says_which(make):
    async with SmtpSink() as gone:
        port = gone.port
    delivery = await make(port).deliver(message())
    status = delivery.results[0].status
    assert status.is_temporary
    assert "mx2.b.test (127.0.0.2): the connection was refused" in status.text


async def test_a_null_mx_is_permanent_and_nothing_is_dialed(dns, sink, make):
    dns.add("b.test", {"MX": ["0 ."]})
    delivery = await make(sink.port).deliver(message())
    assert (delivery.results[0].status.enhanced, delivery.results[0].status.text) == (
        "5.1.10",
        NULL_MX,
    )
    assert sink.connections == 0


async def test_without_mx_the_domain_itself_is_the_host(dns, sink, make):
    dns.records["b.test"] = {"A": ["127.0.0.1"]}
    delivery = await make(sink.port).deliver(message())
    assert delivery.results[0].remote_mta == "b.test"


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ({}, 550),
        ({"MX": ["10 nowhere.b.test."]}, 550),
        ({"TXT": ['"x"']}, 550),
    ],
)
async def test_a_domain_without_any_host_is_permanent(dns, sink, make, records, code):
    dns.records.pop("b.test")
    dns.records.pop("mx1.b.test")
    dns.records.pop("mx2.b.test")
    if records:
        dns.add("b.test", records)
    delivery = await make(sink.port).deliver(message())
    assert delivery.results[0].status.code == code


async def test_a_lookup_that_fails_is_temporary(dns, sink, make):
    dns.broken.add("b.test")
    assert (await make(sink.port).deliver(message())).results[0].status.code == 451
    dns.broken = {"mx1.b.test", "mx2.b.test"}
    assert (await make(sink.port).deliver(message())).results[0].status.code == 451


async def test_private_addresses_are_never_dialed(dns, sink, make):
    dns.add("mx2.b.test", {"A": ["192.168.1.1"], "AAAA": ["::ffff:10.0.0.1", "fe80::1"]})
    delivery = await make(sink.port, allow_private=False).deliver(message())
    assert delivery.results[0].status.is_permanent
    assert sink.connections == 0
    assert len(delivery.tries) == 4


async def test_our_own_name_among_the_hosts_ends_the_list(dns, sink, make):
    dns.add("b.test", {"MX": ["5 mx1.b.test.", "10 mail.a.test.", "20 mx2.b.test."]})
    await sink.stop()
    delivery = await make(sink.port).deliver(message())
    assert [t.host for t in delivery.tries] == ["mx1.b.test"]
    dns.add("c.test", {"MX": ["10 mail.a.test.", "20 mx2.b.test."]})
    delivery = await make(sink.port).deliver(message("bo@c.test"))
    assert delivery.results[0].status.code == 554
    assert "loops back" in delivery.results[0].status.text


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_our_own_address_is_a_loop(dns, sink, make, host):
    dns.add("b.test", {"MX": ["10 mx1.b.test."]})
    delivery = await make(sink.port, own_endpoints=lambda: [(host, sink.port)]).deliver(message())
    assert delivery.results[0].status.is_permanent
    assert "loops back" in delivery.results[0].status.text
    assert sink.connections == 0


async def test_our_own_greeting_is_a_loop_that_a_router_made(dns, make):
    dns.add("b.test", {"MX": ["10 mx1.b.test."]})
    async with SmtpSink(hostname="mail.a.test") as ourselves:
        delivery = await make(ourselves.port).deliver(message())
    assert "loops back" in delivery.results[0].status.text
    assert delivery.results[0].status.is_permanent
    assert not ourselves.messages


async def test_an_address_literal_is_dialed_without_dns(dns, sink, make):
    literal = Outgoing(
        trace=TraceId("t"),
        sender=None,
        recipients=(parse_address("bo@[127.0.0.1]"),),
        domain="",
        size_bytes=len(CONTENT),
        content=CONTENT,
    )
    delivery = await make(sink.port).deliver(literal)
    assert delivery.results[0].status.is_success
    assert not dns.queries


async def test_a_server_without_smtputf8_cannot_take_such_a_recipient(make):
    async def plain(reader, writer):
        await say(writer, "220 x")
        await reader.readline()
        await say(writer, "250 x")
        await reader.read()

    async with ScriptedServer(plain) as server:
        delivery = await make(server.port).deliver(message("jürgen@b.test"))
    assert delivery.results[0].status.enhanced == "5.6.7"


async def test_a_cancelled_delivery_leaves_no_connection_behind(make):
    closed = asyncio.Event()
    reached = asyncio.Event()

    async def watch(reader, writer):
        await up_to_data(reader, writer)
        reached.set()
        await reader.read(1)
        while await reader.read(1000):
            pass
        closed.set()

    async with ScriptedServer(watch) as server:
        transport = make(server.port, limits=Limits())
        task = asyncio.get_running_loop().create_task(transport.deliver(message()))
        await reached.wait()
        task.cancel()
        await asyncio.wait([task])
        async with asyncio.timeout(5):
            await closed.wait()
    assert task.cancelled()


async def test_a_proxy_is_not_asked_for_a_host_that_leads_inside_with_one_of_its_addresses():
    zone = {
        "b.test": {"MX": ["10 mx.b.test."]},
        "mx.b.test": {"A": ["8.8.8.8", "127.0.0.1"]},
    }
    async with DnsServer(zone) as dns:
        transport = DirectTransport(
            DnsResolver([dns.endpoint]),
            hostname="mail.a.test",
            proxy=SocksProxy(host="127.0.0.1", port=9),
        )
        delivery = await transport.deliver(message())
        await transport.close()
    (result,) = delivery.results
    assert result.status.code == 550
    assert "this computer itself" in result.status.text
    assert [entry.ip for entry in delivery.tries] == ["127.0.0.1"]
