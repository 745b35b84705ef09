"""Into the real store: trace lines, one copy a mailbox, what the timeline tells."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from backend.core.address import parse_address
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.errors import TemporaryError
from backend.core.ids import AccountId, Cid, TraceId
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


async def receive(servers, content, *addresses) -> SmtpStatus:
    recipients = [servers.inbound.accept_recipient(SESSION, SENDER, a) for a in addresses]
    envelope = Envelope(sender=SENDER, recipients=addresses)
    return await servers.inbound.receive(envelope, recipients, content, SESSION)


async def test_a_large_message_from_a_file(servers, tmp_path):
    path = tmp_path / "large.eml"
    path.write_bytes(SIMPLE + b"0123456789\r\n" * 60_000)
    assert (await receive(servers, path, ANNA)).code == 250
    (message,) = await servers.messages()
    assert message.endswith(path.read_bytes())
    assert path.exists()


async def test_an_account_that_is_removed_during_the_message_gets_none(servers):
    recipients = [servers.inbound.accept_recipient(SESSION, SENDER, a) for a in (ANNA, BERT)]
    domains = servers.config.domains
    without_anna = {name: a for name, a in domains.accounts.items() if name != "anna"}
    servers.directory.update(
        replace(servers.config, domains=domains.model_copy(update={"accounts": without_anna}))
    )
    await servers.store.remove_account(AccountId("anna"))
    with pytest.raises(TemporaryError, match=r"451 4\.2\.1"):
        await servers.inbound.receive(
            Envelope(sender=SENDER, recipients=(ANNA, BERT)), recipients, SIMPLE, SESSION
        )
    assert not (servers.store.folder / "accounts" / "anna").exists()


async def test_loops_are_counted_in_a_file_too(servers, tmp_path):
    path = tmp_path / "looped.eml"
    path.write_bytes(b"received: by here\r\n" * 101 + SIMPLE)
    assert (await receive(servers, path, ANNA)).code == 554
    assert servers.timeline[-1].kind == "rejected"
    # In the body they count for nothing.
    assert (await receive(servers, SIMPLE + b"received: by here\r\n" * 101, ANNA)).code == 250


async def test_a_mailbox_that_is_full_is_told_in_the_timeline(servers):
    servers.store.quota = lambda _: 1
    with pytest.raises(TemporaryError):
        await receive(servers, SIMPLE, ANNA, BERT)
    assert [entry.kind for entry in servers.timeline] == ["received", "rejected"]
    assert "full" in servers.timeline[-1].text


async def test_two_addresses_of_one_mailbox_are_one_message(servers):
    assert (
        await receive(servers, SIMPLE, ANNA, parse_address("anna+x@gatepost.test"), SHOP)
    ).code == 250
    assert len(await servers.messages()) == len(await servers.messages("anna", "Shop")) == 1
    assert [e.details["mailbox"] for e in servers.timeline[1:]] == ["INBOX", "Shop"]


async def test_refused_recipients_are_told_in_the_timeline(servers):
    for address, code in ((NOBODY, 550), (ELSEWHERE, 550)):
        answer = servers.inbound.accept_recipient(SESSION, None, address)
        assert answer.code == code
        assert servers.timeline[-1].kind == "rejected"
        assert str(address) in servers.timeline[-1].text


async def test_mail_for_an_alias_lies_with_each_member(servers):
    config = servers.config.domains.model_dump(mode="json")
    team = {"members": ["anna@gatepost.test", "bert@gatepost.test"]}
    config["domains"]["gatepost.test"]["aliases"] = {
        "team": team,
        "ours": {**team, "post_public": False},
    }
    servers.directory.update(
        replace(servers.config, domains=type(servers.config.domains).model_validate(config))
    )
    team = parse_address("team@gatepost.test")
    recipient = servers.inbound.accept_recipient(SESSION, SENDER, team)
    assert not isinstance(recipient, SmtpStatus)
    assert await servers.inbound.has_room(SESSION, recipient, 1000)
    envelope = Envelope(sender=SENDER, recipients=(team, ANNA))
    anna = servers.inbound.accept_recipient(SESSION, SENDER, ANNA)
    status = await servers.inbound.receive(envelope, [recipient, anna], SIMPLE, SESSION)
    assert status.code == 250
    assert len(await servers.messages("anna")) == 1
    assert len(await servers.messages("bert")) == 1
    refused = servers.inbound.accept_recipient(SESSION, SENDER, parse_address("ours@gatepost.test"))
    assert (refused.code, refused.enhanced) == (550, "5.7.1")


async def test_what_follows_a_delivery_hears_of_it_and_may_fail(servers, expect_log):
    expect_log("what follows a delivery failed")
    followed = []

    async def follow(accounts, sender, content, trace):
        followed.append((accounts, sender, content, trace))
        raise RuntimeError("broken")

    inbound = Inbound(servers.store, servers.directory, hostname=HOST, follow=follow)
    recipients = [inbound.accept_recipient(SESSION, None, a) for a in (ANNA, SHOP, BERT)]
    envelope = Envelope(sender=None, recipients=(ANNA, SHOP, BERT))
    assert (await inbound.receive(envelope, recipients, SIMPLE, SESSION)).code == 250
    (heard,) = followed
    assert heard[1:] == (None, SIMPLE, TraceId("trace1"))
    assert set(heard[0]) == {AccountId("anna"), AccountId("bert")}
    assert len(heard[0]) == 2
