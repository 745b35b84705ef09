"""Servers and DNS entries that mean harm, or are made badly beyond belief: nothing hangs, breaks, or is believed."""

import asyncio
import base64
import email
import email.policy
import time

import dns.name as dns_name
import pytest

from backend.core.address import parse_address
from backend.core.ids import TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound.direct import MAX_TRIES, DirectTransport
from backend.outbound.session import Limits
from backend.outbound.transport import Outgoing
from backend.smtp.client import Tls
from tests.support.dns_server import DnsServer
from tests.support.outbound_rig import OutboundRig
from tests.support.relay_rig import relay
from tests.support.smtp_sink import ScriptedServer, SmtpSink, say, self_signed, stall, up_to_data

CONTENT = b"From: anna@a.test\r\nSubject: x\r\n\r\nhello\r\n"
ZONE = {"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}


@pytest.fixture
async def dns():
    async with DnsServer(ZONE) as server:
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
                {"allow_private": True, "limits": Limits(connect_s=5, step_s=2, session_s=10)}
                | more
            ),
        )
        made.append(transport)
        return transport

    yield build
    for transport in made:
        await transport.close()


def message(*recipients):
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address("anna@a.test"),
        recipients=tuple(parse_address(r) for r in recipients or ("bo@b.test",)),
        domain="b.test",
        size_bytes=len(CONTENT),
        content=CONTENT,
    )


async def outcome(transport):
    """The one result, within a bounded time."""
    async with asyncio.timeout(15):
        delivery = await transport.deliver(message())
    (result,) = delivery.results
    return result, delivery


# Servers


async def endless_lines(reader, writer):
    while True:
        await say(writer, *["220-still not done"] * 500)


async def endless_line(reader, writer):
    while True:
        writer.write(b"220 " + b"x" * 60_000)
        await writer.drain()


async def many_greetings(reader, writer):
    """All replies of a dialogue, again and again, before anything was asked."""
    for _ in range(1000):
        await say(writer, "220 hi", "250 ok", "250 ok", "250 ok", "550 no", "250 taken")


async def no_word_fits(reader, writer):
    await say(writer, "220 hi")
    for _ in range(20):
        await reader.readuntil(b"\r\n")
        await say(writer, "999 what")


async def takes_everything(reader, writer):
    """250 to DATA as well, instead of 354."""
    await say(writer, "220 hi")
    while line := await reader.readline():
        await say(writer, "221 bye" if line == b"QUIT\r\n" else "250 fine")


async def asks_and_goes(reader, writer):
    """354, and gone."""
    await up_to_data(reader, writer)
    writer.transport.abort()


async def disagrees_with_itself(reader, writer):
    await say(writer, "220-hi", "550 go away")


async def drips(reader, writer):
    """An octet now and then, for ever: no single wait is long."""
    while True:
        writer.write(b"220-"[:1])
        await writer.drain()
        await asyncio.sleep(0.05)


async def asks_again_and_again(reader, writer):
    await up_to_data(reader, writer)
    await reader.readuntil(b"\r\n.\r\n")
    await say(writer, "354 more, please")
    while await reader.readline():
        await say(writer, "354 more, please")


@pytest.mark.parametrize(
    "conversation",
    [
        endless_lines,
        endless_line,
        many_greetings,
        no_word_fits,
        takes_everything,
        asks_and_goes,
        disagrees_with_itself,
        asks_again_and_again,
    ],
)
async def test_a_server_out_of_its_mind_costs_an_attempt_and_no_more(make, conversation):
    async with ScriptedServer(conversation) as server:
        result, delivery = await outcome(make(server.port))
        if conversation is not many_greetings:  # that one answered 550
            assert result.status.is_temporary, result.status
        assert len(delivery.tries) == 1
        assert len(delivery.tries[0].excerpt) <= 6000


@pytest.mark.parametrize(
    "conversation", [endless_lines, endless_line, no_word_fits, takes_everything, asks_and_goes]
)
async def test_a_relay_out_of_its_mind_costs_an_attempt_and_no_more(conversation):
    async with ScriptedServer(conversation) as server:
        transport, dialogues = relay(server.port, tls=Tls.NEVER, verify=False)
        result, delivery = await outcome(transport)
        assert result.status.is_temporary, result.status
        assert len(delivery.tries[-1].excerpt) <= 6000
        await dialogues.close()


async def asks_for_more(reader, writer):
    """Challenges without end."""
    await say(writer, "220 hi")
    while line := await reader.readline():
        if line.startswith(b"EHLO"):
            await say(writer, "250-x.test", "250 AUTH CRAM-MD5 PLAIN LOGIN SCRAM-SHA-256")
        else:
            await say(writer, "334 PDEuMkBhLnRlc3Q+")


async def wants_years(reader, writer):
    """SCRAM with so many rounds that a sign-in would take years."""
    await say(writer, "220 hi")
    nonce = ""
    while line := await reader.readline():
        if line.startswith(b"EHLO"):
            await say(writer, "250-x.test", "250 AUTH SCRAM-SHA-256")
        elif line.startswith(b"AUTH"):
            nonce = base64.b64decode(line.split()[2]).decode().partition("r=")[2]
            first = f"r={nonce}more,s={base64.b64encode(b'salt').decode()},i=2147483647"
            await say(writer, f"334 {base64.b64encode(first.encode()).decode()}")
        else:
            await say(writer, "501 as you like")


@pytest.mark.parametrize("conversation", [asks_for_more, wants_years])
async def test_a_relay_does_not_keep_us_signing_in(conversation):
    async with ScriptedServer(conversation) as server:
        transport, dialogues = relay(
            server.port, tls=Tls.NEVER, verify=False, username="user", password="pencil"
        )
        started = time.monotonic()
        result, _ = await outcome(transport)
        assert result.status.is_temporary, result.status
        assert time.monotonic() - started < 8
        assert "pencil" not in str(result)
        await dialogues.close()


async def test_a_server_that_drips_is_left_when_the_time_of_a_connection_is_over(make):
    async with ScriptedServer(drips) as server:
        result, _ = await outcome(make(server.port, limits=Limits(step_s=5, session_s=0.5)))
        assert "took too long" in result.status.text


async def test_many_hosts_that_stall_have_one_time_for_all(make, dns):
    names = [f"mx{n}.b.test" for n in range(8)]
    dns.add("b.test", {"MX": [f"10 {name}." for name in names]})
    for n, name in enumerate(names):
        dns.add(name, {"A": [f"127.0.0.{n + 1}"]})
    servers = []
    port = 0
    for n in range(8):
        server = ScriptedServer(stall, host=f"127.0.0.{n + 1}")
        server.port = port
        await server.__aenter__()
        port = server.port
        servers.append(server)
    started = time.monotonic()
    _, delivery = await outcome(make(port, limits=Limits(step_s=0.6, session_s=1)))
    assert len(delivery.tries) < 4
    assert time.monotonic() - started < 4
    for server in servers:
        await server.__aexit__()


async def test_what_comes_in_plain_text_after_starttls_is_not_taken_for_an_answer(make, tmp_path):
    context, seen = self_signed(tmp_path), []

    async def injects(reader, writer):
        await say(writer, "220 hi")
        await reader.readuntil(b"\r\n")
        await say(writer, "250-scripted.test", "250 STARTTLS")
        await reader.readuntil(b"STARTTLS\r\n")
        await say(writer, "220 go ahead", "250-injected.test", "250 AUTH PLAIN")
        try:
            await writer.start_tls(context)
        except OSError:
            return
        seen.append(await reader.readuntil(b"\r\n"))
        await say(writer, "250 HELP")
        while line := await reader.readline():
            seen.append(line)
            await say(writer, "550 5.7.0 no")

    async with ScriptedServer(injects) as server:
        result, delivery = await outcome(make(server.port))
    # Whether OpenSSL takes the words for a broken handshake or they are thrown away: they are never read as SMTP.
    assert "injected" not in "".join(entry.excerpt for entry in delivery.tries)
    assert not result.status.is_success


@pytest.mark.parametrize("name", ["*", "*.*", "xn--a", "a" * 60, "nobody nowhere"])
async def test_odd_names_in_a_certificate_stop_no_mail_that_needs_none(make, tmp_path, name):
    async with SmtpSink(tls=self_signed(tmp_path, name)) as sink:
        result, delivery = await outcome(make(sink.port))
        assert result.status.code == 250
        assert delivery.tries[0].tls


async def test_what_a_server_says_cannot_write_into_the_report(tmp_path):
    async def refuses(reader, writer):
        await say(writer, "220 hi")
        while line := await reader.readline():
            if line.startswith(b"RCPT"):
                writer.write(
                    b"550-5.1.1 no\x00\x1b[31m\xff\xfe\x80 \xc3\xa9\rSubject: injected\r\n"
                    b"550-5.1.1 Final-Recipient: rfc822; other@b.test\r\n"
                    b"550 5.1.1 --=_boundary" + b"x" * 900 + b"\r\n"
                )
            else:
                await say(writer, "250 ok")

    async with ScriptedServer(refuses) as server, OutboundRig(tmp_path, server.port) as rig:
        await rig.submit("bo@b.test")
        await rig.until_empty()
        (report,) = await rig.mail("anna")
    body = report.partition(b"\r\n\r\n")[2]
    assert not any(octet in report for octet in (b"\x00", b"\x1b", b"\r\r"))
    assert b"\r" not in body.replace(b"\r\n", b"")
    assert max(map(len, report.split(b"\r\n"))) <= 998
    parsed = email.message_from_bytes(report, policy=email.policy.default)
    assert parsed["Subject"] == "mail delivery failed"
    text, machine, *_ = parsed.iter_parts()
    fields = machine.get_payload()[1]
    assert fields.get_all("Final-Recipient") == ["rfc822; bo@b.test"]
    assert "no such" not in text.get_content()
    assert not parsed.defects


# The DNS


async def test_of_a_thousand_mail_servers_ten_are_tried(make, dns):
    dns.add("b.test", {"MX": [f"{n} mx{n}.b.test." for n in range(1000)]})
    for n in range(1000):
        dns.add(f"mx{n}.b.test", {"A": ["127.0.0.99"]})
    _, delivery = await outcome(make(9))
    assert 1 <= len(delivery.tries) <= MAX_TRIES


async def test_of_a_thousand_addresses_four_are_tried(make, dns):
    dns.add("mx.b.test", {"A": [f"127.0.{n // 250}.{n % 250 + 1}" for n in range(1000)]})
    _, delivery = await outcome(make(9))
    assert len(delivery.tries) == 4


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "0.0.0.0", "10.0.0.1", "169.254.169.254", "255.255.255.255"]
)
async def test_an_mx_does_not_lead_inside(make, dns, address):
    dns.add("mx.b.test", {"A": [address]})
    result, delivery = await outcome(make(25, allow_private=False))
    assert result.status.is_permanent
    assert not any(entry.excerpt for entry in delivery.tries)


@pytest.mark.parametrize(
    "host",
    [
        r"a\010b.b.test.",  # a line end
        r"a\000.b.test.",
        r"a\.b.b.test.",
        r"\032\032.b.test.",
        "-._.b.test.",
        "*.b.test.",
        r"\255" * 20 + ".b.test.",  # as text, longer than a label may be
        "xn--zzzzzz99999.b.test.",
        ".".join(["a" * 63] * 3) + ".",
        "127.0.0.1.",
        "localhost.",
    ],
)
async def test_odd_names_of_mail_servers_are_names_like_others(make, dns, tmp_path, host):
    async with SmtpSink(tls=self_signed(tmp_path)) as sink:
        dns.records.clear()
        dns.add("b.test", {"MX": [f"10 {host}"]})
        text = dns_name.from_text(host).to_text(omit_final_dot=True).lower()
        dns.records[text] = {"A": ["127.0.0.1"]}
        result, delivery = await outcome(make(sink.port))
        assert len(delivery.results) == 1
        assert result.status.code in {250, 451, 550}, result.status


@pytest.mark.parametrize(
    "records",
    [
        {"b.test": {"CNAME": ["b.test."]}},
        {"b.test": {"CNAME": ["c.test."]}, "c.test": {"CNAME": ["b.test."]}},
        {"b.test": {"MX": ["10 m.b.test."]}, "m.b.test": {"CNAME": ["m.b.test."]}},
        {"b.test": {"MX": ["10 mail.a.test."]}, "mail.a.test": {"A": ["127.0.0.1"]}},
        {"b.test": {"MX": ["0 .", "10 ."]}},
    ],
)
async def test_names_that_lead_in_circles_or_back_come_to_an_end(make, dns, records):
    dns.records.clear()
    for name, kinds in records.items():
        dns.add(name, kinds)
    result, delivery = await outcome(make(9))
    assert result.status.is_permanent
    assert not any(entry.excerpt for entry in delivery.tries)
