"""Debian's Postfix as the smarthost: the one server that most people have."""

from dataclasses import replace

import pytest

from backend.core.address import parse_address
from backend.core.ids import TraceId
from backend.outbound.session import FROM_BEFORE
from backend.outbound.transport import Outgoing
from backend.smtp.client import Stage
from tests.support.postfix import Postfix, can_run
from tests.support.relay_rig import Authority, relay
from tests.support.smtp_sink import SmtpSink

CONTENT = b"From: anna@a.test\r\nSubject: By Postfix\r\n\r\nhello\r\n"

pytestmark = pytest.mark.skipif(not can_run(), reason="only root may start Postfix")


def message(*recipients, **more):
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address("anna@a.test"),
        recipients=tuple(parse_address(r) for r in recipients),
        domain="b.test",
        size_bytes=len(CONTENT),
        content=CONTENT,
        **more,
    )


async def test_postfix_takes_the_mail_over_verified_tls_and_passes_it_on(tmp_path):
    authority = Authority(tmp_path)
    authority.issue("relay.test")
    async with SmtpSink() as sink, Postfix(tmp_path / "relay.test.pem", sink.port) as postfix:
        transport, dialogues = relay(postfix.port, ca_file=authority.file)
        delivery = await transport.deliver(message("bo@b.test", "refused@b.test"))
        taken, refused = delivery.results
        assert taken.status.code == 250, taken.status
        assert refused.status.is_permanent
        assert refused.remote_mta == "relay.test"
        assert delivery.tries[0].tls.startswith("TLSv1.3")
        (passed_on,) = await sink.wait_for(1)
        assert passed_on.recipients == ("bo@b.test",)
        assert b"Subject: By Postfix" in passed_on.content
        large = b"Subject: Large\r\n\r\n" + b"0123456789abcdef\r\n" * 80_000
        for content in (CONTENT, large):
            outgoing = replace(message("bo@b.test"), content=content, size_bytes=len(content))
            delivery = await transport.deliver(outgoing)
            assert delivery.results[0].status.code == 250
            assert "C: BDAT" in delivery.tries[0].excerpt
            assert FROM_BEFORE in delivery.tries[0].excerpt
        await sink.wait_for(3)
        assert {len(taken.content) > 1_000_000 for taken in sink.messages} == {True, False}
        finding = await transport.probe(message("bo@b.test", try_sender=True))
        assert finding.status.is_success
        assert finding.stage is Stage.MAIL
        await dialogues.close()
