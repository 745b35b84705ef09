"""Port 25 over real sockets and the real store: what comes in, and what must not."""

import asyncio
import resource
import smtplib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.smtp_servers import Servers, running_servers
from tests.support.smtp_talk import SIMPLE, Talk, deliver


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    async with running_servers(tmp_path / "data", with_logins=False) as running:
        yield running


@pytest.fixture
async def talk(servers: Servers) -> AsyncIterator[Talk]:
    talk = await Talk.to(servers.ports["mx"])
    yield talk
    await talk.close()


async def test_smtplib_delivers_and_the_message_is_there_when_it_returns(servers):
    def send():
        with smtplib.SMTP("127.0.0.1", servers.ports["mx"], timeout=10) as client:
            assert (
                client.sendmail(
                    "x@other.test", ["anna@gatepost.test"], b"Subject: a\r\n\r\n.dot\r\n"
                )
                == {}
            )

    await asyncio.to_thread(send)
    (message,) = await servers.messages()
    head, _, body = message.partition(b"\r\n\r\n")
    assert body == b".dot\r\n"
    assert head.startswith(
        b"Return-Path: <x@other.test>\r\nDelivered-To: anna@gatepost.test\r\nReceived: from "
    )
    assert b"by mail.gatepost.test with ESMTP id " in head
    assert b"for <anna@gatepost.test>;" in head


async def test_reports_of_success_are_not_offered_to_strangers_but_required_tls_is(
    servers, tmp_path
):
    async with running_servers(tmp_path / "tls", with_logins=True) as running:
        talk = await Talk.to(running.ports["mx"])
        assert (await talk.say("MAIL FROM:<x@other.test> REQUIRETLS")).startswith("555 5.5.4")
        assert (await talk.say("MAIL FROM:<x@other.test> RET=FULL")).startswith("555 5.5.4")
        assert (await talk.say("STARTTLS")).startswith("220")
        await talk.writer.start_tls(running.client_tls(), server_hostname="mail.gatepost.test")
        offer = await talk.say("EHLO me.test")
        assert "REQUIRETLS" in offer
        assert "DSN" not in offer
        assert "FUTURERELEASE" not in offer
        assert (await talk.say("MAIL FROM:<x@other.test> REQUIRETLS=1")).startswith("501 5.5.4")
        assert (await talk.say("MAIL FROM:<x@other.test> REQUIRETLS")).startswith("250")
        wish = "RCPT TO:<anna@gatepost.test> NOTIFY=SUCCESS"
        assert (await talk.say(wish)).startswith("555 5.5.4")
        assert (await talk.say("RCPT TO:<anna@gatepost.test>")).startswith("250")
        assert (await talk.send(SIMPLE)).startswith("250")
        await talk.close()


async def test_what_ehlo_offers(talk):
    assert (await talk.say("EHLO me.test")).split("\n") == [
        "250-mail.gatepost.test",
        "250-SIZE 2000000",
        "250-PIPELINING",
        "250-8BITMIME",
        "250-SMTPUTF8",
        "250-ENHANCEDSTATUSCODES",
        "250 STARTTLS",
    ]


async def test_a_pipelined_transaction_is_answered_in_order(servers, talk):
    talk.writer.write(
        b"MAIL FROM:<x@other.test>\r\nRCPT TO:<anna@gatepost.test>\r\nRCPT TO:<nobody@gatepost.test>\r\nDATA\r\n"
    )
    assert [(await talk.reply())[:9] for _ in range(4)] == [
        "250 2.1.0",
        "250 2.1.5",
        "550 5.1.1",
        "354 Send ",
    ]
    talk.writer.write(SIMPLE + b".\r\nNOOP\r\nQUIT\r\n")
    assert (await talk.reply()).startswith("250 2.0.0 Stored as ")
    assert await talk.reply() == "250 2.0.0 Ok"
    assert (await talk.reply()).startswith("221")
    assert await talk.is_closed()
    assert len(await servers.messages()) == 1


async def test_two_messages_on_one_connection(servers, talk):
    for _ in range(2):
        assert (await deliver(talk, "anna@gatepost.test")).startswith("250")
    assert len(await servers.messages()) == 2


async def test_the_null_sender_is_accepted(servers, talk):
    assert (await talk.say("MAIL FROM:<>", "RCPT TO:<anna@gatepost.test>")).startswith("250")
    assert (await talk.send(SIMPLE)).startswith("250")
    assert (await servers.messages())[0].startswith(b"Return-Path: <>\r\n")


async def test_several_recipients_over_two_accounts_get_it_each_once(servers, talk):
    recipients = [
        "anna@gatepost.test",
        "ANNA+news@gatepost.test",
        "shop@gatepost.test",
        "bert@gatepost.test",
        "any@catch.test",
    ]
    assert (await deliver(talk, *recipients)).startswith("250")
    assert len(await servers.messages("anna")) == 1
    assert len(await servers.messages("anna", "Shop")) == 1
    (message,) = await servers.messages("bert")
    # Nobody learns of the others.
    assert b"anna" not in message
    assert b"Delivered-To" not in message


async def test_a_message_of_eight_bits_and_nobodys_charset_is_kept_as_it_is(servers, talk):
    content = (
        b"Subject: \xff\xfe caf\xe9\r\n\r\n"
        + bytes(i for i in range(256) if i not in (0, 10, 13))
        + b"\r\n"
    )
    assert (
        await talk.say("MAIL FROM:<x@other.test> BODY=8BITMIME", "RCPT TO:<anna@gatepost.test>")
    ).startswith("250")
    assert (await talk.send(content)).startswith("250")
    assert (await servers.messages())[0].endswith(content)


async def test_an_address_beyond_ascii_with_smtputf8(servers, talk):
    assert (await talk.say("MAIL FROM:<ålf@other.test> SMTPUTF8")).startswith("250")
    assert (await talk.say("RCPT TO:<jürgen@gatepost.test>")).startswith("250")
    assert (await talk.send(SIMPLE)).startswith("250")
    (message,) = await servers.messages()
    assert message.startswith(
        "Return-Path: <ålf@other.test>\r\nDelivered-To: jürgen@gatepost.test\r\n".encode()
    )
    assert b"with UTF8SMTP id" in message


async def test_postmaster_is_always_there(servers, talk):
    assert (await deliver(talk, "postmaster")).startswith("250")
    assert (
        await deliver(talk, "PostMaster@gatepost.test", "postmaster@mail.gatepost.test")
    ).startswith("250")
    assert len(await servers.messages()) == 2


@pytest.mark.parametrize(
    "path",
    [
        "<victim@elsewhere.test>",
        "<@gatepost.test:victim@elsewhere.test>",
        "<@mail.gatepost.test,@gatepost.test:victim@elsewhere.test>",
        "<victim%elsewhere.test@gatepost.test>",
        "<victim%elsewhere.test@mail.gatepost.test>",
        '<"victim@elsewhere.test"@gatepost.test>',
        '<"victim%elsewhere.test"@gatepost.test>',
        '<"victim@elsewhere.test">',
        "<elsewhere.test!victim@gatepost.test>",
        "<elsewhere.test!victim>",
        "<victim@elsewhere.test@gatepost.test>",
        "<victim@[127.0.0.1]>",
        "<victim@localhost>",
        "<victim@elsewhere.test.>",
        "victim@elsewhere.test",
        "<anna@gatepost.test,victim@elsewhere.test>",
        "<victim@gatepost.test.elsewhere.test>",
        "<victim@sub.gatepost.test>",
        "<<victim@elsewhere.test>>",
        "<victim@127.0.0.1>",
        "<anna@gatepost.test>,<victim@elsewhere.test>",
    ],
)
async def test_no_known_shape_of_relaying_gets_through(talk, path):
    assert (await talk.say("MAIL FROM:<anna@gatepost.test>")).startswith("250")
    assert (await talk.say(f"RCPT TO:{path}"))[0] == "5"
    assert (await talk.say("DATA")).startswith("503 5.5.1")


async def test_the_replies_to_recipients(servers, talk):
    await talk.say("MAIL FROM:<x@other.test>")
    assert (await talk.say("RCPT TO:<nobody@gatepost.test>")).startswith("550 5.1.1")
    assert (await talk.say("RCPT TO:<a@elsewhere.test>")).startswith("550 5.7.1")
    assert (await talk.say("RCPT TO:<a@closed.test>")).startswith("450 4.2.1")
    assert (await talk.say("RCPT TO:<a b@c>")).startswith("501 5.1.3")
    assert (await talk.say("RCPT TO:<>")).startswith("501 5.1.3")
    assert [entry.kind for entry in servers.timeline] == ["rejected"] * 3
    assert "nobody@gatepost.test" in servers.timeline[0].text


@pytest.mark.parametrize(
    "lines, reply",
    [
        (["MAIL FROM:<a@b.test>"], "503 5.5.1"),
        (["HELO me", "RCPT TO:<anna@gatepost.test>"], "503 5.5.1"),
        (["HELO me", "DATA"], "503 5.5.1"),
        (["HELO me", "MAIL FROM:<a@b.test>", "MAIL FROM:<a@b.test>"], "503 5.5.1"),
        (["HELO me", "MAIL FROM:<a@b.test>", "DATA"], "503 5.5.1"),
        (["HELO me", "MAIL FROM:<a@b.test> SIZE=1"], "555 5.5.4"),
        (["EHLO me", "MAIL FROM:<a@b.test> SIZE=2000001"], "552 5.3.4"),
        (["EHLO me", "MAIL FROM:<a@b.test> BODY=BINARYMIME"], "501 5.5.4"),
        (["EHLO me", "MAIL FROM:<a@b.test> RET=FULL"], "555 5.5.4"),
        (["EHLO me", "MAIL FROM:<é@b.test>"], "553 5.6.7"),
        (["EHLO me", "MAIL FROM:<a@b.test>", "RSET", "RCPT TO:<anna@gatepost.test>"], "503 5.5.1"),
        (
            ["EHLO me", "MAIL FROM:<a@b.test>", "EHLO me", "RCPT TO:<anna@gatepost.test>"],
            "503 5.5.1",
        ),
        (
            ["EHLO me", "MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA now"],
            "501 5.5.4",
        ),
        (["EHLO me", "AUTH PLAIN AGEAYg=="], "502 5.5.1"),
        (["EHLO"], "501 5.5.4"),
        (["FOO"], "500 5.5.2"),
        ([""], "500 5.5.2"),
        (["EXPN staff"], "502 5.5.1"),
        (["VRFY anna"], "252 2.5.2"),
        (["HELP"], "214 2.0.0"),
        (["RSET x"], "501 5.5.4"),
        (["QUIT now"], "501 5.5.4"),
        (["STARTTLS now"], "501 5.5.4"),
        (["NOOP " + "x" * 5000], "500 5.5.2"),
    ],
)
async def test_commands_out_of_order_or_shape(servers, lines, reply):
    talk = await Talk.to(servers.ports["mx"], greet=False)
    await talk.reply()
    assert (await talk.say(*lines)).startswith(reply)
    await talk.close()


async def test_an_old_client_with_helo_and_loose_syntax(servers):
    talk = await Talk.to(servers.ports["mx"], greet=False)
    await talk.reply()
    assert await talk.say("HELO printer") == "250 mail.gatepost.test"
    assert (
        await talk.say("mail from: scanner@office.test", "rcpt to: <anna@gatepost.test>")
    ).startswith("250")
    assert (await talk.send(SIMPLE)).startswith("250")
    assert b"with SMTP id" in (await servers.messages())[0]
    await talk.close()


async def test_a_mail_loop_is_refused(servers, talk):
    looped = b"Received: from a by b; now\r\n" * 101 + SIMPLE
    assert (await deliver(talk, "anna@gatepost.test", content=looped)).startswith("554 5.4.6")
    assert await servers.messages() == []


async def test_a_declared_size_may_be_wrong_but_the_limit_holds(servers, talk):
    assert (
        await talk.say("MAIL FROM:<a@b.test> SIZE=10", "RCPT TO:<anna@gatepost.test>")
    ).startswith("250")
    assert (await talk.send(b"x" * 98 + b"\r\n" + b"y" * 2_000_000 + b"\r\n")).startswith(
        "552 5.3.4"
    )
    assert (await talk.say("NOOP")).startswith("250")
    assert await servers.messages() == []
    assert servers.spooled() == []


async def test_a_large_message_goes_through_the_spool_and_leaves_nothing_there(servers, talk):
    content = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 60_000
    assert (
        await deliver(talk, "anna@gatepost.test", "bert@gatepost.test", content=content)
    ).startswith("250")
    for account in ("anna", "bert"):
        (message,) = await servers.messages(account)
        assert message.endswith(content)
    assert servers.spooled() == []


async def test_an_oversized_flood_without_line_ends_does_not_fill_the_memory(servers, talk):
    await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    block = b"x" * 1_000_000
    for _ in range(80):
        talk.writer.write(block)
        await talk.writer.drain()
    talk.writer.write(b"\r\n.\r\n")
    assert (await talk.reply()).startswith("552 5.3.4")
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 30_000


async def test_a_command_line_that_never_ends_closes_the_connection(servers, talk):
    talk.writer.write(b"NOOP " + b"x" * 600_000)
    assert (await talk.reply()).startswith("500 5.5.2")
    with pytest.raises(ConnectionError):
        while await talk.reader.read(1000):
            pass
        raise ConnectionResetError


async def test_a_disconnect_amid_data_leaves_nothing(servers, talk):
    await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
    talk.writer.write(b"Subject: half\r\n\r\n" + b"x" * 700_000 + b"\r\n")
    await talk.writer.drain()
    while not servers.spooled():
        await asyncio.sleep(0.005)
    talk.reset()
    while servers.mx.open_connections or servers.spooled():
        await asyncio.sleep(0.005)
    assert await servers.messages() == []
    assert servers.guard.open_connections == 0


async def test_half_closing_after_quit_still_gets_all_answers(servers):
    reader, writer = await asyncio.open_connection("127.0.0.1", servers.ports["mx"])
    writer.write(
        b"EHLO me\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<anna@gatepost.test>\r\nDATA\r\n"
        + SIMPLE
        + b".\r\nQUIT\r\n"
    )
    writer.write_eof()
    answers = (await reader.read()).decode().split("\r\n")
    assert answers[-2].startswith("221")
    assert len(await servers.messages()) == 1
    writer.close()


async def test_a_fault_of_ours_is_temporary_and_tells_nothing(
    servers, talk, expect_log, monkeypatch
):
    expect_log("SMTP command failed")

    async def broken(*_args, **_kwargs):
        raise KeyError("/secret/path")

    monkeypatch.setattr(servers.store, "deliver", broken)
    reply = await deliver(talk, "anna@gatepost.test")
    assert reply == "451 4.3.0 A fault in this server; please try again later"
    assert (await talk.say("NOOP")).startswith("250")


async def test_a_full_mailbox_is_temporary(servers, talk):
    servers.store.quota = lambda _: 100
    assert (await deliver(talk, "anna@gatepost.test")).startswith("452 4.2.2")
    servers.store.quota = lambda _: None
    assert (await deliver(talk, "anna@gatepost.test")).startswith("250")


async def test_a_full_mailbox_keeps_no_mail_from_the_others(servers, talk):
    servers.store.quota = {"anna": 100}.get
    await talk.say("EHLO other.test")
    assert (await talk.say("MAIL FROM:<x@other.test> SIZE=5000")).startswith("250")
    assert (await talk.say("RCPT TO:<anna@gatepost.test>")).startswith("452 4.2.2")
    assert "full" in servers.timeline[-1].text
    assert (await talk.say("RCPT TO:<bert@gatepost.test>")).startswith("250")
    assert (await talk.send(SIMPLE)).startswith("250")
    assert len(await servers.messages("bert")) == 1


async def test_the_way_of_a_message_is_told(servers, talk):
    await deliver(talk, "anna@gatepost.test")
    assert [entry.kind for entry in servers.timeline] == ["received", "delivered"]
    received, delivered = servers.timeline
    assert received.text == "Mail from x@other.test for anna@gatepost.test came from 127.0.0.1"
    assert received.details["size_bytes"] == str(len(SIMPLE))
    assert delivered.details == {"account": "anna", "mailbox": "INBOX"}
    assert received.trace == delivered.trace
    assert received.trace.encode() in (await servers.messages())[0]
