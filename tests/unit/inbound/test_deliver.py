"""Into the real store: trace lines, one copy a mailbox, local delivery for the other parts of the server."""

from collections.abc import AsyncIterator

import pytest

from backend.core.address import parse_address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.ids import Cid, TraceId
from backend.core.status import SmtpStatus
from backend.inbound.checks import Fact, Verdict
from backend.inbound.deliver import Inbound
from tests.support.smtp_servers import HOST, Servers, running_servers

SENDER = parse_address("x@other.test")
ANNA, SHOP, BERT, NOBODY, ELSEWHERE = (
    parse_address(a)
    for a in (
        "anna@gatepost.test",
        "shop@gatepost.test",
        "bert@gatepost.test",
        "nobody@gatepost.test",
        "a@elsewhere.test",
    )
)
SIMPLE = b"Subject: hello\r\n\r\nbody\r\n"
SESSION = SessionFacts(
    trace=TraceId("trace1"),
    cid=Cid("c"),
    peer_address="192.0.2.1",
    greeting="mx.other.test",
    tls="TLSv1.3 AES",
    protocol="ESMTPS",
)


@pytest.fixture
async def servers(tmp_path) -> AsyncIterator[Servers]:
    async with running_servers(tmp_path / "data", with_logins=False) as running:
        yield running


async def test_local_delivery_adds_the_final_lines_and_tells_each_recipient(servers):
    results = await servers.inbound.deliver(
        sender=SENDER,
        recipients=[ANNA, SHOP, BERT, NOBODY, ELSEWHERE],
        content=SIMPLE,
        trace=TraceId("t"),
    )
    assert [results[a].code for a in (ANNA, SHOP, BERT, NOBODY, ELSEWHERE)] == [
        250,
        250,
        250,
        550,
        550,
    ]
    assert await servers.messages() == [b"Return-Path: <x@other.test>\r\n" + SIMPLE]
    assert (
        await servers.messages("anna", "Shop")
        == await servers.messages("bert")
        == await servers.messages()
    )
    assert [(e.kind, e.details["account"]) for e in servers.timeline] == [
        ("delivered", "anna")
    ] * 2 + [("delivered", "bert")]


async def test_a_repeated_local_delivery_adds_nothing(servers):
    for _ in range(2):
        results = await servers.inbound.deliver(
            sender=None,
            recipients=[ANNA, BERT],
            content=SIMPLE,
            trace=TraceId("t"),
            delivery_id="queue-7",
        )
        assert {s.code for s in results.values()} == {250}
    assert len(await servers.messages()) == len(await servers.messages("bert")) == 1


async def test_nothing_is_stored_when_nobody_is_known(servers):
    results = await servers.inbound.deliver(
        sender=None, recipients=[NOBODY], content=SIMPLE, trace=TraceId("t")
    )
    assert str(results[NOBODY]).startswith("550 5.1.1")


async def test_a_loop_within_the_server_is_refused(servers):
    looped = b"received: by here\r\n" * 101 + SIMPLE
    results = await servers.inbound.deliver(
        sender=None, recipients=[ANNA], content=looped, trace=TraceId("t")
    )
    assert results[ANNA].code == 554


async def test_facts_reach_the_timeline_and_the_received_line(servers):
    class Verified:
        name = "iprev"

        def applies(self, _incoming):
            return True

        async def run(self, _incoming):
            return Fact(
                self.name, Verdict.PASS, "Its address is that of mx.other.test", "mx.other.test"
            )

    told = []
    inbound = Inbound(
        servers.store, servers.directory, hostname=HOST, checks=[Verified()], timeline=told.append
    )
    recipient = inbound.accept_recipient(SESSION, SENDER, ANNA)
    assert not isinstance(recipient, SmtpStatus)
    envelope = Envelope(sender=SENDER, recipients=(ANNA,))
    assert (await inbound.receive(envelope, [recipient], SIMPLE, SESSION)).code == 250
    assert [entry.kind for entry in told] == ["received", "checked", "delivered"]
    assert told[1].details == {"reasons": "ordinary", "iprev": "pass"}
    (message,) = await servers.messages()
    assert b"Received: from mx.other.test (mx.other.test [192.0.2.1])" in message
    assert b"TLSv1.3 AES" in message


async def test_a_large_message_from_a_file(servers, tmp_path):
    path = tmp_path / "large.eml"
    path.write_bytes(SIMPLE + b"0123456789\r\n" * 60_000)
    results = await servers.inbound.deliver(
        sender=None, recipients=[ANNA], content=path, trace=TraceId("t")
    )
    assert results[ANNA].code == 250
    (message,) = await servers.messages()
    assert message.endswith(path.read_bytes())
    assert path.exists()
