"""SMTP smuggling: only CRLF.CRLF ends a message, and a message with other line ends never gets in."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.smtp_servers import Servers, running_servers
from tests.support.smtp_talk import SIMPLE, Talk, deliver

# Ends of data that some server or other takes, beside the proper one.
ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r.\r",
    b"\n.\r",
    b"\r\n\x00.\r\n",
]


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    async with running_servers(tmp_path / "data", with_logins=False) as running:
        yield running


@pytest.mark.parametrize("end", ENDS)
async def test_no_false_end_lets_a_second_message_through(servers, end):
    talk = await Talk.to(servers.ports["mx"])
    await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
    talk.writer.write(
        b"Subject: outer\r\n\r\nbody"
        + end
        + b"MAIL FROM:<boss@gatepost.test>\r\nRCPT TO:<bert@gatepost.test>\r\nDATA\r\nSubject: inner\r\n\r\n\r\n.\r\n"
    )
    assert (await talk.reply()).startswith("550 5.6.0")
    # That was the one reply to the one message; the connection is still in step.
    assert await talk.say("NOOP") == "250 2.0.0 Ok"
    assert await servers.messages("anna") == []
    assert await servers.messages("bert") == []
    await talk.close()


@pytest.mark.parametrize("line", [b"NOOP\n", b"NOOP\rNOOP\r\n", b"NOOP\r\r\n", b"NOOP \rx\r\n"])
async def test_commands_with_bare_cr_or_lf_are_refused(servers, line):
    talk = await Talk.to(servers.ports["mx"])
    talk.writer.write(line)
    assert (await talk.reply()).startswith("500 5.5.2 Lines must end in CRLF")
    assert await talk.say("NOOP") == "250 2.0.0 Ok"
    await talk.close()


async def test_starttls_forgets_what_was_pipelined_behind_it(servers):
    talk = await Talk.to(servers.ports["mx"])
    talk.writer.write(b"STARTTLS\r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<anna@gatepost.test>\r\n")
    assert (await talk.reply()).startswith("220")
    context = servers.client_tls()
    await talk.writer.start_tls(context, server_hostname="mail.gatepost.test")
    # Nothing of the plain text was answered or counts.
    assert (await talk.say("MAIL FROM:<a@b.test>")).startswith("503 5.5.1 Say EHLO first")
    await talk.say("EHLO me.test")
    assert (await talk.say("RCPT TO:<anna@gatepost.test>")).startswith("503")
    assert (await deliver(talk, "anna@gatepost.test")).startswith("250")
    assert b"with ESMTPS id" in (await servers.messages())[0]
    assert (await talk.say("STARTTLS")).startswith("503 5.5.1")
    await talk.close()


async def test_a_transaction_begun_in_plain_text_ends_with_tls(servers):
    talk = await Talk.to(servers.ports["mx"])
    await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>")
    assert (await talk.say("STARTTLS")).startswith("220")
    await talk.writer.start_tls(servers.client_tls(), server_hostname="mail.gatepost.test")
    assert (await talk.say("DATA")).startswith("503")
    await talk.close()


async def test_a_failed_handshake_ends_the_connection_quietly(servers):
    talk = await Talk.to(servers.ports["mx"])
    assert (await talk.say("STARTTLS")).startswith("220")
    talk.writer.write(b"this is no handshake at all\r\n" * 10)
    try:
        await talk.reader.read()
    except ConnectionError:
        pass
    while servers.mx.open_connections:
        await asyncio.sleep(0.005)
    assert servers.guard.open_connections == 0
    talk.writer.close()


async def test_bdat_and_other_protocols_end_the_connection(servers):
    for line, reply in (
        (b"BDAT 100 LAST", "502"),
        (b"GET / HTTP/1.1", "554"),
        (b"POST / HTTP/1.1", "554"),
    ):
        talk = await Talk.to(servers.ports["mx"])
        assert (await talk.say(line)).startswith(reply)
        assert await talk.is_closed()
        await talk.close()


async def test_a_proper_message_after_a_refused_one(servers):
    talk = await Talk.to(servers.ports["mx"])
    assert (await deliver(talk, "anna@gatepost.test", content=b"a\nb\r\n")).startswith("550 5.6.0")
    assert (await deliver(talk, "anna@gatepost.test", content=SIMPLE)).startswith("250")
    assert len(await servers.messages()) == 1
    await talk.close()
