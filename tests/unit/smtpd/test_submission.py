"""Ports 587 and 465: who may sign in how, and what a signed-in client may do."""

import asyncio
import base64
import datetime as dt
import secrets
import smtplib
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from backend.core.envelope import Asked, Hold, Notify, Ret, Wish
from backend.sasl.mechanisms import client_exchange
from tests.support.smtp_servers import PASSWORD, Servers, running_servers
from tests.support.smtp_talk import SIMPLE, Talk

ANNA = "anna@gatepost.test"


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[Servers]:
    async with running_servers(tmp_path / "data", practice_mode=False) as running:
        yield running


async def secured(servers: Servers, *, implicit: bool = False) -> Talk:
    if implicit:
        streams = await asyncio.open_connection(
            "127.0.0.1",
            servers.ports["submissions"],
            ssl=servers.client_tls(),
            server_hostname="mail.gatepost.test",
        )
        talk = Talk(*streams)
        assert (await talk.reply()).startswith("220")
    else:
        talk = await Talk.to(servers.ports["submission"])
        assert (await talk.say("STARTTLS")).startswith("220")
        await talk.writer.start_tls(servers.client_tls(), server_hostname="mail.gatepost.test")
    assert (await talk.say("EHLO me.test")).startswith("250")
    return talk


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode() or "="


async def sign_in(
    talk: Talk, mechanism: str, password: str = PASSWORD, *, initial: bool = True
) -> str:
    exchange = client_exchange(mechanism, ANNA, password, nonce=secrets.token_hex(12))
    first = exchange.start()
    if first is not None and initial:
        reply = await talk.say(f"AUTH {mechanism} {encoded(first)}")
    else:
        reply = await talk.say(f"AUTH {mechanism}")
        if first is not None:
            assert reply == "334 "
            reply = await talk.say(encoded(first))
    while reply.startswith("334"):
        answer = exchange.step(base64.b64decode(reply[4:]))
        reply = await talk.say(base64.b64encode(answer).decode())
    if reply.startswith("235"):
        assert exchange.is_complete
    return reply


PLAIN = "AUTH PLAIN " + encoded(f"\0{ANNA}\0{PASSWORD}".encode())


@pytest.mark.parametrize("implicit", [False, True], ids=["587", "465"])
async def test_smtplib_signs_in_and_submits(servers, implicit):
    context = servers.client_tls()
    context.check_hostname = False

    def send(mechanism: str):
        if implicit:
            client = smtplib.SMTP_SSL(
                "localhost", servers.ports["submissions"], timeout=10, context=context
            )
        else:
            client = smtplib.SMTP("localhost", servers.ports["submission"], timeout=10)
        with client:
            if not implicit:
                client.starttls(context=context)
            client.ehlo()
            client.user, client.password = ANNA, PASSWORD
            method = getattr(client, "auth_" + mechanism.lower().replace("-", "_"))
            client.auth(mechanism, method)
            client.sendmail(ANNA, ["someone@elsewhere.test"], SIMPLE)

    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        await asyncio.to_thread(send, mechanism)
    assert [s.account for s in servers.submitted] == ["anna"] * 3
    submitted = servers.submitted[0]
    assert submitted.content == SIMPLE
    assert submitted.facts.protocol == "ESMTPSA"
    assert submitted.facts.tls.startswith("TLSv1.3 ")
    assert str(submitted.envelope.recipients[0]) == "someone@elsewhere.test"


async def test_what_smtplib_asks_for_reaches_the_envelope(servers):
    context = servers.client_tls()
    context.check_hostname = False

    def send():
        with smtplib.SMTP("localhost", servers.ports["submission"], timeout=10) as client:
            client.starttls(context=context)
            client.ehlo()
            seconds, latest = client.esmtp_features["futurerelease"].split()
            assert seconds == "2592000"
            dt.datetime.fromisoformat(latest)
            client.login(ANNA, PASSWORD)
            client.sendmail(
                ANNA,
                ["bo@elsewhere.test", "bo@elsewhere.test"],
                SIMPLE,
                mail_options=["RET=HDRS", "ENVID=my+20id", "HOLDFOR=3600", "REQUIRETLS"],
                rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Bo@old.test"],
            )
            client.sendmail(ANNA, ["bo@elsewhere.test"], SIMPLE)

    await asyncio.to_thread(send)
    first, second = (submitted.envelope for submitted in servers.submitted)
    assert first.asked == Asked(
        ret=Ret.HEADERS,
        envelope_id="my id",
        require_tls=True,
        hold=Hold("for;3600", seconds=3600),
    )
    wish = Wish(frozenset({Notify.SUCCESS, Notify.FAILURE}), ("rfc822", "Bo@old.test"))
    assert first.wishes == {first.recipients[0]: wish}
    assert (second.asked, second.wishes) == (Asked(), {})


async def test_a_message_is_kept_no_longer_than_is_offered(servers):
    talk = await secured(servers)
    await sign_in(talk, "PLAIN")
    for words, reply in (
        ("HOLDFOR=2592001", "501 5.5.4"),
        ("HOLDUNTIL=2200-01-01T00:00:00Z", "501 5.5.4"),
        ("HOLDUNTIL=2020-01-01T00:00:00Z", "250"),
        ("HOLDFOR=2592000", "250"),
    ):
        answer = await talk.say(f"MAIL FROM:<{ANNA}> {words}")
        assert answer.startswith(reply), words
        await talk.say("RSET")
    await talk.close()


@pytest.mark.parametrize(
    "mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
)
@pytest.mark.parametrize("initial", [True, False])
async def test_every_mechanism_in_any_case_with_and_without_initial_response(
    servers, mechanism, initial
):
    talk = await secured(servers)
    assert (
        await sign_in(talk, mechanism.lower() if initial else mechanism, initial=initial)
    ).startswith("235 2.7.0")
    assert (await talk.say(PLAIN)).startswith("503 5.5.1")
    await talk.close()


@pytest.mark.parametrize(
    "mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
)
async def test_a_wrong_password_is_refused_by_every_mechanism(servers, mechanism):
    talk = await secured(servers)
    assert (await sign_in(talk, mechanism, "wrong")).startswith("535 5.7.8")
    assert (await talk.say(f"MAIL FROM:<{ANNA}>")).startswith("530 5.7.0")
    await talk.close()


async def test_failures_are_limited(servers):
    talk = await secured(servers)
    for _ in range(2):
        assert (await sign_in(talk, "PLAIN", "wrong")).startswith("535 5.7.8")
    assert (await sign_in(talk, "PLAIN", "wrong")).startswith("535 5.7.8")
    assert (await talk.reply()).startswith("421 4.7.0")
    assert await talk.is_closed()
    await talk.close()


async def test_without_tls_nobody_signs_in(servers):
    talk = await Talk.to(servers.ports["submission"])
    assert "AUTH" not in await talk.say("EHLO me.test")
    assert (await talk.say(PLAIN)).startswith("538 5.7.11")
    assert (await talk.say(f"MAIL FROM:<{ANNA}>")).startswith("530 5.7.0 Switch on STARTTLS")
    await talk.close()


async def test_practice_mode_lets_programs_on_this_computer_sign_in_without_tls(tmp_path):
    async with running_servers(tmp_path / "data", practice_mode=True) as servers:
        talk = await Talk.to(servers.ports["submission"])
        assert "AUTH SCRAM-SHA-256" in await talk.say("EHLO me.test")
        assert (await talk.say(PLAIN)).startswith("235")
        await talk.say(f"MAIL FROM:<{ANNA}>", "RCPT TO:<x@elsewhere.test>")
        assert (await talk.send(SIMPLE)).startswith("250")
        assert servers.submitted[0].facts.protocol == "ESMTPA"
        await talk.close()


async def test_tls_forgets_a_sign_in(tmp_path):
    async with running_servers(tmp_path / "data", practice_mode=True) as servers:
        talk = await Talk.to(servers.ports["submission"])
        assert (await talk.say(PLAIN)).startswith("235")
        assert (await talk.say("STARTTLS")).startswith("220")
        await talk.writer.start_tls(servers.client_tls(), server_hostname="mail.gatepost.test")
        assert (await talk.say("EHLO me.test", f"MAIL FROM:<{ANNA}>")).startswith("530")
        await talk.close()


@pytest.mark.parametrize(
    "lines, reply",
    [
        (["AUTH"], "501 5.5.4"),
        (["AUTH XOAUTH2"], "504 5.5.4"),
        (["AUTH PLAIN not-base64!"], "501 5.5.2"),
        (["AUTH PLAIN ="], "501 5.5.2"),
        (["AUTH PLAIN", "*"], "501 5.7.0"),
        (["AUTH PLAIN", "é"], "501 5.5.2"),
        (["AUTH LOGIN", "*"], "501 5.7.0"),
        (["AUTH CRAM-MD5", encoded(b"junk")], "501 5.5.2"),
        (["AUTH SCRAM-SHA-256", encoded(b"junk")], "501 5.5.2"),
        (["AUTH PLAIN " + "A" * 12_300], "500 5.5.2"),
        (["AUTH PLAIN", "A" * 12_300], "500 5.5.2"),
    ],
)
async def test_broken_sign_ins(servers, lines, reply):
    talk = await secured(servers)
    assert (await talk.say(*lines)).startswith(reply)
    assert (await talk.say("NOOP")).startswith("250")
    await talk.close()


async def test_the_sender_must_be_the_accounts_own(servers):
    talk = await secured(servers, implicit=True)
    await sign_in(talk, "PLAIN")
    assert (await talk.say("MAIL FROM:<bert@gatepost.test>")).startswith("550 5.7.1")
    assert (await talk.say("MAIL FROM:<x@elsewhere.test>")).startswith("550 5.7.1")
    for sender in ("anna@gatepost.test", "Anna+list@gatepost.test", "any@catch.test", ""):
        assert (await talk.say(f"MAIL FROM:<{sender}>")).startswith("250")
        await talk.say("RSET")
    await talk.close()


async def test_a_mistyped_local_recipient_is_told_at_once(servers):
    talk = await secured(servers, implicit=True)
    await sign_in(talk, "PLAIN")
    await talk.say(f"MAIL FROM:<{ANNA}>")
    assert (await talk.say("RCPT TO:<bret@gatepost.test>")).startswith("550 5.1.1")
    assert (await talk.say("RCPT TO:<bert@gatepost.test>")).startswith("250")
    await talk.close()


async def test_a_large_submission_arrives_whole_over_tls(servers):
    talk = await secured(servers)
    await sign_in(talk, "SCRAM-SHA-256")
    content = SIMPLE + b"0123456789abcdef\r\n" * 50_000
    await talk.say(f"MAIL FROM:<{ANNA}>", "RCPT TO:<x@elsewhere.test>")
    assert (await talk.send(content)).startswith("250")
    assert servers.submitted[0].content == content
    assert servers.spooled() == []
    await talk.close()


async def test_auth_waits_until_a_message_is_over(tmp_path):
    async with running_servers(tmp_path / "data", practice_mode=True) as servers:
        talk = await Talk.to(servers.ports["submission"], greet=False)
        await talk.reply()
        assert (await talk.say(PLAIN)).startswith("503 5.5.1 Say EHLO")
        assert (await talk.say("HELO me", PLAIN)).startswith("503 5.5.1 Say EHLO")
        await talk.close()


async def test_a_client_that_breaks_off_during_sign_in_leaves_nothing(servers):
    talk = await secured(servers, implicit=True)
    assert (await talk.say("AUTH SCRAM-SHA-256")) == "334 "
    talk.reset()
    while servers.submissions.open_connections:
        await asyncio.sleep(0.005)
    assert servers.guard.open_connections == 0


async def test_a_tls_client_that_distrusts_us_ends_quietly(servers):
    with pytest.raises(ssl.SSLError):
        await asyncio.open_connection(
            "127.0.0.1", servers.ports["submissions"], ssl=ssl.create_default_context()
        )
    while servers.submissions.open_connections:
        await asyncio.sleep(0.005)


async def test_an_account_that_was_switched_off_sends_no_more(servers):
    talk = await secured(servers, implicit=True)
    await sign_in(talk, "PLAIN")
    account = servers.config.domains.accounts["anna"].model_copy(update={"disabled": True})
    accounts = {**servers.config.domains.accounts, "anna": account}
    domains = servers.config.domains.model_copy(update={"accounts": accounts})
    servers.directory.update(replace(servers.config, domains=domains))
    for sender in (ANNA, ""):
        assert (await talk.say(f"MAIL FROM:<{sender}>")).startswith("550 5.7.1")
    await talk.close()


async def test_sessions_of_an_account_that_changed_end_and_others_go_on(servers):
    anna, stranger = await secured(servers, implicit=True), await secured(servers, implicit=True)
    await sign_in(anna, "PLAIN")
    servers.submissions.drop_account("anna")
    assert (await anna.reply()).startswith("421 4.7.0 Your account has changed")
    assert await anna.is_closed()
    assert (await stranger.say("NOOP")).startswith("250")
    for talk in (anna, stranger):
        await talk.close()
