"""What a person chooses for TLS of a message in the queue, and what the log of attempts says of policies."""

import pytest

from backend.outbound import actions
from backend.outbound.claims import Room
from backend.outbound.listing import find_item
from backend.outbound.transport import TlsChoice
from tests.support.outbound_rig import OutboundRig
from tests.support.smtp_sink import SmtpSink, self_signed


@pytest.fixture
async def sink(tmp_path):
    async with SmtpSink(tls=self_signed(tmp_path)) as server:
        yield server


async def test_verified_encryption_by_choice_and_back(tmp_path, sink):
    async with OutboundRig(tmp_path / "data", sink.port, run=False) as rig:
        await rig.submit("bo@b.test")
        (item,) = await rig.items()
        assert item.tls_choice is TlsChoice.DEFAULT
        await actions.choose_tls(rig.queue, [item.id], TlsChoice.VERIFIED)
        rig.start()
        await rig.until_tried(1)
        (item,) = await rig.items()
        assert item.tls_choice is TlsChoice.VERIFIED
        assert "not trusted" in item.note
        assert sink.messages == []
        detail = await find_item(rig.queue, item.id)
        assert detail.attempts[0].entry.policy.startswith("chosen by hand for this message")
        assert any("only with verified encryption" in entry.text for entry in rig.timeline)
        await actions.choose_tls(rig.queue, [item.id], TlsChoice.DEFAULT)
        await rig.until_empty()
    assert sink.messages[0].tls


async def test_recipients_with_different_choices_do_not_share_a_connection(tmp_path, sink):
    async with OutboundRig(tmp_path / "data", sink.port, run=False) as rig:
        await rig.submit("bo@b.test", "cy@b.test", "di@b.test")
        items = {item.recipient: item.id for item in await rig.items()}
        await actions.choose_tls(rig.queue, [items["cy@b.test"]], TlsChoice.VERIFIED)
        batches = await rig.queue.claim(Room(places=10))
        batches += await rig.queue.claim(Room(places=10))
        got = {
            batch.outgoing.tls_choice: sorted(str(r) for r in batch.outgoing.recipients)
            for batch in batches
        }
        assert got == {
            TlsChoice.DEFAULT: ["bo@b.test", "di@b.test"],
            TlsChoice.VERIFIED: ["cy@b.test"],
        }


async def test_the_log_of_attempts_says_which_policy_held(tmp_path, sink):
    sink.replies = {"bo@b.test": "450 4.2.0 later"}
    async with OutboundRig(tmp_path / "data", sink.port) as rig:
        await rig.submit("bo@b.test")
        await rig.until_tried(1)
        (item,) = await rig.items()
        detail = await find_item(rig.queue, item.id)
    assert detail.attempts[0].entry.policy == (
        "no policy: encrypted if the server can, whatever its certificate"
    )
