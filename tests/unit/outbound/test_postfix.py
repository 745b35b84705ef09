"""Debian's Postfix, the server that most people have, as the smarthost and as the one that the DNS names."""

from dataclasses import replace

import pytest

from backend.core.address import parse_address
from backend.core.ids import TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound.direct import DirectTransport
from backend.outbound.session import FROM_BEFORE
from backend.outbound.transport import Outgoing
from backend.smtp.client import Stage
from tests.support.certificates import make
from tests.support.dns_server import DnsServer
from tests.support.postfix import Postfix, can_run
from tests.support.relay_rig import Authority, relay
from tests.support.signed_dns import SignedDns, Zone
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


async def test_postfix_as_the_mail_server_of_a_domain_takes_mail_over_tls_that_nobody_vouches_for(
    tmp_path,
):
    Authority(tmp_path).issue("relay.test")  # not trusted here, and for another name
    zone = {"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}
    async with (
        SmtpSink() as sink,
        Postfix(tmp_path / "relay.test.pem", sink.port) as postfix,
        DnsServer(zone) as dns,
    ):
        transport = DirectTransport(
            DnsResolver([dns.endpoint]),
            hostname="mail.a.test",
            port=postfix.port,
            allow_private=True,
        )
        delivery = await transport.deliver(message("bo@b.test", "refused@b.test", "cy@b.test"))
        one, refused, two = delivery.results
        assert (one.status.code, two.status.code) == (250, 250)
        assert refused.status.code == 554
        assert refused.status.enhanced == "5.7.1"
        assert not refused.another_way  # the host has one kind of addresses
        (tried,) = delivery.tries
        assert tried.tls.startswith("TLSv1.3")
        assert (tried.host, tried.ip) == ("mx.b.test", "127.0.0.1")
        (passed_on,) = await sink.wait_for(1)
        assert sorted(passed_on.recipients) == ["bo@b.test", "cy@b.test"]
        delivery = await transport.deliver(message("refused@b.test"))
        assert delivery.results[0].status.code == 554
        await transport.close()


async def test_postfix_gets_the_mail_when_the_signed_dns_names_its_certificate(tmp_path):
    shown, other = make("relay.test"), make("relay.test")
    certificate = shown.write(tmp_path / "postfix.pem")
    async with SmtpSink() as sink, Postfix(certificate, sink.port) as postfix:
        for named in (other, shown):
            records = {
                "b.test": {"MX": ["10 mx.b.test."]},
                "mx.b.test": {"A": ["127.0.0.1"]},
                f"_{postfix.port}._tcp.mx.b.test": {"TLSA": [named.tlsa()]},
            }
            async with SignedDns(Zone("b.test", records)) as dns:
                transport = DirectTransport(
                    DnsResolver([dns.endpoint]),
                    hostname="mail.a.test",
                    port=postfix.port,
                    allow_private=True,
                )
                delivery = await transport.deliver(message("bo@b.test"))
                await transport.close()
            assert delivery.results[0].status.is_success is (named is shown)
            assert delivery.tries[0].policy.startswith("DANE: mx.b.test")
        assert delivery.tries[0].tls.startswith("TLSv1.3")
        await sink.wait_for(1)
