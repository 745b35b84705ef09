"""What senders ask for, from the acceptance to the report: real queue, store and servers, the clock moved by hand."""

import email
import email.policy

import pytest

from backend.core.address import parse_address
from backend.core.clock import FakeClock
from backend.core.envelope import Asked, Hold, Notify, Ret, Wish
from backend.core.ids import TraceId
from backend.outbound import actions
from backend.outbound.asked import (
    asked_of,
    asked_values,
    in_words,
    release_at,
    wish_of,
    wish_values,
)
from backend.outbound.claims import Room
from backend.outbound.listing import find_item
from backend.outbound.owed import MAX_RETURNED_OCTETS
from backend.outbound.transport import Outgoing, TlsChoice
from tests.support.outbound_rig import CONTENT, OutboundRig
from tests.support.postfix import Postfix, can_run
from tests.support.relay_rig import Authority, relay
from tests.support.smtp_sink import ScriptedServer, SmtpSink, say

SUCCESS = Wish(frozenset({Notify.SUCCESS}), ("rfc822", "Bo+1@old.test"))
NEVER = Wish(frozenset({Notify.NEVER}))
NAMED = Asked(envelope_id="id 1")


@pytest.fixture
async def sink():
    async with SmtpSink() as server:
        yield server


@pytest.fixture
async def rig(tmp_path, sink):
    async with OutboundRig(tmp_path, sink.port, clock=FakeClock()) as rig:
        yield rig


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def parts(raw: bytes) -> tuple[str, dict, list[dict], email.message.Message]:
    """The text, fields of the message, fields of each recipient, and what is returned."""
    text, status, returned = parsed(raw).iter_parts()
    groups = status.get_payload()
    if status.get_content_type() != "message/delivery-status":
        # message/global-delivery-status is one message for the library: fields and a text.
        raw = groups[0].as_bytes().replace(b"\r\n", b"\n")
        groups = [parsed(group) for group in raw.split(b"\n\n")]
    first, *rest = [dict(group.items()) for group in groups]
    return text.get_content(), first, rest, returned


async def reports(rig) -> list[bytes]:
    async def there():
        return await rig.mail("anna")

    await rig.until(there)
    return await rig.mail("anna")


# Reports


async def test_success_at_a_server_that_does_not_report_is_told_as_passed_on(rig, sink):
    await rig.submit("bo@b.test", "cy@b.test", asked=NAMED, wishes={"bo@b.test": SUCCESS})
    await rig.until_empty()
    (report,) = await reports(rig)
    text, message, recipients, returned = parts(report)
    assert parsed(report)["Subject"] == "mail passed on"
    assert message["Original-Envelope-Id"] == "id 1"
    (fields,) = recipients
    assert fields["Original-Recipient"] == "rfc822;Bo+1@old.test"
    assert fields["Final-Recipient"] == "rfc822; bo@b.test"
    assert (fields["Action"], fields["Status"]) == ("relayed", "2.0.0")
    assert fields["Remote-MTA"] == "dns; mx.b.test"
    assert "You asked for a notice of delivery." in text
    assert returned.get_content_type() == "text/rfc822-headers"
    assert not await rig.items()
    assert "anna@a.test was told how far it was passed on, as was asked for (bo@b.test)" in [
        e.text for e in rig.timeline
    ]


async def test_success_at_a_server_that_reports_is_left_to_it(rig, sink):
    sink.offers = ("DSN",)
    asked = Asked(ret=Ret.FULL, envelope_id="id 1")
    await rig.submit("bo@b.test", "cy@b.test", asked=asked, wishes={"bo@b.test": SUCCESS})
    await rig.until_empty()
    assert sink.parameters == [
        "RET=FULL",
        "ENVID=id+201",
        "NOTIFY=SUCCESS",
        "ORCPT=rfc822;Bo+2B1@old.test",
    ]
    await rig.outbound._reporter.settle_all()
    assert not await rig.mail("anna")


async def test_success_in_our_own_mailbox_is_told_as_delivered(rig):
    await rig.submit("ben@a.test", asked=NAMED, wishes={"ben@a.test": SUCCESS})
    (report,) = await reports(rig)
    text, message, (fields,), _ = parts(report)
    assert (fields["Action"], fields["Status"]) == ("delivered", "2.1.5")
    assert fields["Original-Recipient"] == "rfc822;Bo+1@old.test"
    assert message["Original-Envelope-Id"] == "id 1"
    assert "Your message was delivered to:" in text
    assert len(await rig.mail("ben")) == 1


async def test_who_asks_for_nothing_hears_nothing_of_success(rig, sink):
    await rig.submit("ben@a.test", "bo@b.test")
    await rig.until_empty()
    await rig.submit("ben@a.test", sender=None, wishes={"ben@a.test": SUCCESS})
    assert len(await rig.mail("ben")) == 2
    assert not await rig.mail("anna")


async def test_never_and_other_wishes_suppress_the_report_of_a_failure(rig, sink):
    sink.replies = dict.fromkeys(("no@b.test", "un@b.test", "so@b.test"), "550 5.1.1 no such user")
    delay_only = Wish(frozenset({Notify.DELAY}))
    failure = Wish(frozenset({Notify.FAILURE}))
    await rig.submit(
        "no@b.test",
        "un@b.test",
        "so@b.test",
        wishes={"no@b.test": NEVER, "un@b.test": delay_only, "so@b.test": failure},
    )
    await rig.until_empty()
    (report,) = await reports(rig)
    _, _, recipients, _ = parts(report)
    assert [r["Final-Recipient"] for r in recipients] == ["rfc822; so@b.test"]


async def test_giving_up_by_hand_respects_never_too(rig, sink):
    await sink.stop()
    await rig.submit("bo@b.test", "cy@b.test", wishes={"cy@b.test": NEVER})
    await rig.until_tried(1)
    await actions.fail(rig.queue, [item.id for item in await rig.items()])
    await rig.until_empty()
    (report,) = await reports(rig)
    assert [r["Final-Recipient"] for r in parts(report)[2]] == ["rfc822; bo@b.test"]


async def test_a_delay_is_told_only_to_those_who_want_to_hear_of_it(rig, sink):
    sink.replies = dict.fromkeys(("bo@b.test", "cy@b.test"), "451 4.3.0 later")
    await rig.submit("bo@b.test", "cy@b.test", wishes={"cy@b.test": SUCCESS})
    for attempt in range(1, 6):
        await rig.until_tried(attempt)
        (first, *_) = await rig.items()
        rig.clock.advance(first.next_attempt_at - rig.clock.time() + 1)
        if attempt < 5:
            rig.outbound.wake()
    (report,) = await reports(rig)
    _, _, recipients, _ = parts(report)
    assert [(r["Final-Recipient"], r["Action"]) for r in recipients] == [
        ("rfc822; bo@b.test", "delayed")
    ]


@pytest.mark.parametrize(
    "asked, content, returned_type",
    [
        (Asked(ret=Ret.FULL), CONTENT, "message/rfc822"),
        (Asked(ret=Ret.HEADERS), CONTENT, "text/rfc822-headers"),
        (Asked(), CONTENT, "text/rfc822-headers"),
        # RFC 8689 §5: never the whole of what needs protection.
        (Asked(ret=Ret.FULL, require_tls=True), CONTENT, "text/rfc822-headers"),
        (
            Asked(ret=Ret.FULL),
            CONTENT + b"x" * 70 + b"\r\n" + b"y" * MAX_RETURNED_OCTETS,
            "text/rfc822-headers",
        ),
        (
            Asked(ret=Ret.FULL),
            CONTENT.replace(b"Lunch", "Mittag für alle".encode()),
            "message/global",
        ),
    ],
)
async def test_ret_says_how_much_of_a_failed_message_comes_back(
    rig, sink, asked, content, returned_type
):
    sink.replies = {"no@b.test": "550 5.1.1 no such user"}
    await rig.submit("no@b.test", asked=asked, content=content)
    await rig.until_empty()
    (report,) = await reports(rig)
    *_, returned = parts(report)
    assert returned.get_content_type() == returned_type
    if returned_type == "message/rfc822":
        (original,) = returned.get_payload()
        assert original.get_content().strip() == "hello"
    assert (b"\r\nhello\r\n" in report) == returned_type.startswith(("message/r", "message/g"))


async def test_a_report_of_success_that_is_owed_outlives_a_restart(tmp_path, sink):
    clock = FakeClock()
    async with OutboundRig(tmp_path, sink.port, clock=clock, run=False) as rig:
        await rig.submit("ben@a.test", wishes={"ben@a.test": SUCCESS})
        assert not await rig.mail("anna")
        assert not await rig.items()
    async with OutboundRig(tmp_path, sink.port, clock=clock) as rig:
        assert len(await reports(rig)) == 1


# Sending later


async def test_a_message_for_later_waits_until_its_time_and_then_follows_the_schedule(rig, sink):
    sink.replies = {"bo@b.test": "451 4.3.0 later"}
    start = rig.clock.time()
    later = Asked(hold=Hold("for;86400", seconds=86_400))
    await rig.submit("bo@b.test", "ben@a.test", asked=later)
    rig.clock.advance(86_000)
    rig.outbound.wake()
    await rig.outbound._reporter.settle_all()
    items = await rig.items()
    assert {i.attempts for i in items} == {0}
    assert {i.next_attempt_at for i in items} == {start + 86_400}
    assert not await rig.mail("ben")
    assert sink.connections == 0
    rig.clock.advance(401)
    rig.outbound.wake()
    await rig.until_tried(1)

    async def arrived():
        return await rig.mail("ben")

    await rig.until(arrived)
    (item,) = await rig.items()
    assert item.attempts == 1
    assert 445 <= item.next_attempt_at - rig.clock.time() <= 455
    kinds = [e.kind for e in rig.timeline]
    assert kinds.count("delivered") == 1
    sink.replies = {"bo@b.test": "550 5.1.1 no such user"}
    await actions.kick(rig.queue, [item.id])
    await rig.until_empty()
    (report,) = await reports(rig)
    assert parts(report)[1]["Future-Release-Request"] == "for;86400"


async def test_a_restart_does_not_send_early_and_people_may_send_or_drop_what_waits(tmp_path, sink):
    clock = FakeClock()
    later = Asked(hold=Hold("until;x", until=clock.time() + 5000))
    async with OutboundRig(tmp_path, sink.port, clock=clock, run=False) as rig:
        await rig.submit("ben@a.test", asked=later)
        await rig.submit("ben@a.test", asked=later)
    async with OutboundRig(tmp_path, sink.port, clock=clock) as rig:
        await rig.outbound._reporter.settle_all()
        assert not await rig.mail("ben")
        first, second = await rig.items()
        assert (await actions.drop(rig.queue, [first.id])).changed == (first.id,)
        assert (await actions.kick(rig.queue, [second.id])).changed == (second.id,)
        await rig.until_empty()
        assert len(await rig.mail("ben")) == 1


async def test_choosing_the_way_of_a_message_for_later_does_not_send_it(rig):
    later = Asked(hold=Hold("for;5000", seconds=5000))
    await rig.submit("bo@b.test", asked=later)
    (item,) = await rig.items()
    for choose in (
        actions.choose_transport(rig.queue, [item.id], ""),
        actions.choose_tls(rig.queue, [item.id], TlsChoice.VERIFIED),
    ):
        assert (await choose).changed == (item.id,)
        (now,) = await rig.items()
        assert (now.attempts, now.next_attempt_at) == (0, item.next_attempt_at)


async def test_a_time_that_is_over_sends_at_once(rig, sink):
    await rig.submit("bo@b.test", "ben@a.test", asked=Asked(hold=Hold("until;x", until=5.0)))
    await rig.until_empty()
    assert len(sink.messages) == 1
    assert len(await rig.mail("ben")) == 1


# TLS


async def test_what_requires_tls_comes_back_rather_than_go_unprotected(rig, sink):
    await rig.submit("bo@b.test", asked=Asked(require_tls=True, ret=Ret.FULL))
    await rig.until_empty()
    (report,) = await reports(rig)
    text, _, (fields,), returned = parts(report)
    assert fields["Status"] in {"5.7.10", "5.7.30"}
    assert "REQUIRETLS" in text
    assert returned.get_content_type() == "text/rfc822-headers"
    assert not sink.messages


async def test_what_has_no_sender_goes_all_the_same(rig, sink):
    await rig.submit("bo@b.test", sender=None, asked=Asked(require_tls=True))
    await rig.until_empty()
    assert len(sink.messages) == 1


@pytest.mark.parametrize(
    "header, require_tls, optional",
    [
        (b"TLS-Required: No\r\n", False, True),
        (b"tls-required:\r\n no\r\n", False, True),
        (b"TLS-Required: No\r\n", True, False),
        (b"TLS-Required: No\r\nTLS-Required: No\r\n", False, False),
        (b"TLS-Required: Yes\r\n", False, False),
        (b"", False, False),
    ],
)
async def test_a_header_may_say_that_tls_is_optional(tmp_path, header, require_tls, optional):
    async with OutboundRig(tmp_path, 9, clock=FakeClock(), run=False) as rig:
        asked = Asked(require_tls=require_tls)
        await rig.submit("bo@b.test", content=header + CONTENT, asked=asked)
        (batch,) = await rig.queue.claim(Room(places=1))
        assert batch.outgoing.tls_optional is optional
        assert batch.outgoing.require_tls is require_tls


# Letters beyond ASCII


async def to_plain_server(reader, writer, said: list[str]) -> None:
    """A server of 1985 with PIPELINING at most; it writes down each line."""
    await say(writer, "220 old.test ESMTP")
    is_content = False
    while True:
        line = (await reader.readuntil(b"\n")).decode(errors="replace").strip("\r\n")
        said.append(line)
        if is_content:
            is_content = line != "."
            if is_content:
                continue
        verb = line.split(":")[0].upper()
        is_content = verb == "DATA"
        await say(writer, "354 go on" if is_content else "250 ok")


@pytest.fixture
async def plain(tmp_path):
    said: list[str] = []

    async def conversation(reader, writer):
        await to_plain_server(reader, writer, said)

    async with (
        ScriptedServer(conversation) as server,
        OutboundRig(tmp_path, server.port, clock=FakeClock()) as rig,
    ):
        yield rig, said


INTERNATIONAL = CONTENT.replace(b"Lunch", "Käse".encode())


@pytest.mark.parametrize(
    "to, content",
    [
        ("bo@b.test", CONTENT),  # SMTPUTF8 was said, and nothing needs it
        ("bo@bücher.test", CONTENT),
        ("bo@bücher.test", CONTENT + "Käse\r\n".encode()),
    ],
)
async def test_mail_that_only_claims_to_need_smtputf8_goes_to_any_server(plain, to, content):
    rig, said = plain
    rig.dns.add("xn--bcher-kva.test", {"MX": ["10 mx.b.test."]})
    await rig.submit(to, content=content, smtputf8=True)
    await rig.until_empty()
    assert f"RCPT TO:<{parse_address(to)}>" in said
    assert "MAIL FROM:<anna@a.test>" in said
    assert not await rig.mail("anna")


@pytest.mark.parametrize(
    "to, content, words",
    [
        ("jürgen@b.test", CONTENT, "addresses with letters beyond ASCII"),
        ("bo@b.test", INTERNATIONAL, "sender or header"),
        ("jürgen@bücher.test", INTERNATIONAL, "sender or header"),
    ],
)
async def test_what_needs_smtputf8_comes_back_with_a_plain_sentence(plain, to, content, words):
    rig, said = plain
    rig.dns.add("xn--bcher-kva.test", {"MX": ["10 mx.b.test."]})
    await rig.submit(to, content=content, smtputf8=True)
    await rig.until_empty()
    (report,) = await reports(rig)
    text, _, (fields,), _ = parts(report)
    assert fields["Status"] == "5.6.7"
    assert words in " ".join(text.split())
    assert not any(line.startswith("MAIL") for line in said)


async def test_octets_beyond_ascii_are_announced_even_if_the_app_did_not(tmp_path):
    async with OutboundRig(tmp_path, 9, clock=FakeClock(), run=False) as rig:
        await rig.submit("bo@b.test", content=CONTENT + "Käse\r\n".encode())
        await rig.submit("bo@b.test")
        bodies = []
        for _ in range(2):
            (batch,) = await rig.queue.claim(Room(places=1))
            bodies.append(batch.outgoing.body)
        assert bodies[0] == "8BITMIME"


ATTACHED = (
    b"From: anna@a.test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    b"--x\r\n\r\n%b\r\n--x\r\nContent-Disposition: attachment; filename=%b\r\n\r\nA\r\n--x--\r\n"
)
CHEESE = "Käse".encode()


@pytest.mark.parametrize("in_file", [False, True])
@pytest.mark.parametrize(
    "content, needed",
    [
        (ATTACHED % (CHEESE, b"a.txt"), False),
        (ATTACHED % (b"A", CHEESE), True),
        (INTERNATIONAL, True),
        (CONTENT, False),
    ],
)
async def test_smtputf8_is_kept_where_a_header_of_a_part_needs_it(
    tmp_path, content, needed, in_file
):
    async with OutboundRig(tmp_path, 9, clock=FakeClock(), run=False) as rig:
        if in_file:
            (tmp_path / "message").write_bytes(content)
        given = tmp_path / "message" if in_file else content
        await rig.submit("bo@b.test", content=given, smtputf8=True)
        (batch,) = await rig.queue.claim(Room(places=1))
        assert batch.outgoing.smtputf8 is needed


# Keeping and telling


def test_what_is_kept_comes_back():
    asked = Asked(
        ret=Ret.FULL,
        envelope_id="a;b",
        require_tls=True,
        hold=Hold("for;60", seconds=60),
        tls_optional=True,
    )
    kept = asked_of(tuple(asked_values(asked).values()))
    assert kept == Asked(
        ret=Ret.FULL,
        envelope_id="a;b",
        require_tls=True,
        hold=Hold("for;60"),
        tls_optional=True,
    )
    assert asked_of(tuple(asked_values(Asked()).values())) == Asked()
    for wish in (Wish(), NEVER, SUCCESS, Wish(original=("x400", "a;b"))):
        assert wish_of(*map(str, wish_values(wish).values())) == wish
    assert release_at(asked, 100.0) == 160.0
    assert release_at(Asked(), 100.0) == 0


async def test_the_detail_says_in_words_what_was_asked_for(tmp_path):
    async with OutboundRig(tmp_path, 9, clock=FakeClock(), run=False) as rig:
        hold = Hold("for;60", seconds=60)
        asked = Asked(ret=Ret.HEADERS, envelope_id="x", require_tls=True, hold=hold)
        both = Wish(frozenset({Notify.SUCCESS, Notify.FAILURE}), ("rfc822", "old@b.test"))
        await rig.submit("bo@b.test", "cy@b.test", asked=asked, wishes={"bo@b.test": both})
        first, second = await rig.items()
        detail = await find_item(rig.queue, first.id)
        told = in_words(detail.asked, detail.wish, released_at=detail.item.release_at)
        assert told == [
            "It is not sent before 14 November 2023, 22:14 UTC: the sender chose that time.",
            "The sender wants a report when it arrives and when it can't be delivered, and at no other time.",
            "A report about it returns only its header.",
            "The sender's own name for it is “x”.",
            "It was first addressed to old@b.test.",
            "It goes only over encrypted connections to servers that prove who they are and promise the same (REQUIRETLS).",
        ]
        detail = await find_item(rig.queue, second.id)
        assert len(in_words(detail.asked, detail.wish, released_at=0)) == 3
    assert in_words(Asked(), Wish(), released_at=0) == []
    assert "no report" in in_words(Asked(), NEVER, released_at=0)[0]
    assert "without encryption" in in_words(Asked(tls_optional=True), Wish(), released_at=0)[0]


@pytest.mark.skipif(not can_run(), reason="only root may start Postfix")
async def test_postfix_gets_what_was_asked_for_and_makes_the_report_itself(tmp_path):
    authority = Authority(tmp_path)
    authority.issue("relay.test")
    async with SmtpSink() as sink, Postfix(tmp_path / "relay.test.pem", sink.port) as postfix:
        transport, dialogues = relay(postfix.port, ca_file=authority.file)
        bo = parse_address("bo@b.test")
        delivery = await transport.deliver(
            Outgoing(
                trace=TraceId("t1"),
                sender=parse_address("anna@a.test"),
                recipients=(bo,),
                domain="b.test",
                size_bytes=len(CONTENT),
                content=CONTENT,
                envelope_id="my id+1",
                ret=Ret.HEADERS,
                wishes={bo: SUCCESS},
            )
        )
        (result,) = delivery.results
        assert result.status.code == 250, result.status
        assert result.peer_reports
        # The sink makes no reports, so Postfix does; it has no other way to know these values.
        taken = {message.recipients: message for message in await sink.wait_for(2)}
        report = taken["anna@a.test",].content
        _, message, (fields,), _ = parts(report)
        assert message["Original-Envelope-Id"] == "my id+1"
        assert fields["Original-Recipient"] == "rfc822;Bo+1@old.test"
        assert fields["Action"] == "relayed"
        # It does not promise REQUIRETLS.
        protected = Outgoing(
            trace=TraceId("t2"),
            sender=parse_address("anna@a.test"),
            recipients=(bo,),
            domain="b.test",
            size_bytes=len(CONTENT),
            content=CONTENT,
            require_tls=True,
        )
        (result,) = (await transport.deliver(protected)).results
        assert (result.status.code, result.status.enhanced) == (550, "5.7.30")
        await dialogues.close()
