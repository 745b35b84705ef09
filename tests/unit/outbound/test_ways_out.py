"""Direct delivery through a SOCKS5 proxy and over one kind of addresses, and transports as routes choose them."""

import pytest

from backend.core.address import parse_address
from backend.core.clock import SystemClock
from backend.core.ids import TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound import actions
from backend.outbound.dial import SocksProxy
from backend.outbound.direct import DirectTransport
from backend.outbound.listing import find_item
from backend.outbound.route import Level
from backend.outbound.session import Dialogues
from backend.outbound.transport import Outgoing
from tests.support.dns_server import DnsServer
from tests.support.microsocks import Microsocks
from tests.support.outbound_rig import FAST, OutboundRig, rig_config
from tests.support.smtp_sink import SmtpSink

CONTENT = b"From: anna@a.test\r\nSubject: x\r\n\r\nhello\r\n"
# The proxy asks the system for addresses: this is the one name that every computer knows.
ZONE = {
    "b.test": {"MX": ["10 localhost."]},
    "six.test": {"MX": ["10 mx.six.test."]},
    "mx.six.test": {"AAAA": ["::1"]},
    "both.test": {"MX": ["10 mx.both.test."]},
    "mx.both.test": {"A": ["127.0.0.1"], "AAAA": ["::1"]},
    "inside.test": {"MX": ["10 mx.inside.test."]},
    "mx.inside.test": {"A": ["192.168.1.1"]},
}


def message(to="bo@b.test"):
    recipient = parse_address(to)
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address("anna@a.test"),
        recipients=(recipient,),
        domain=recipient.domain.ascii,
        size_bytes=len(CONTENT),
        content=CONTENT,
    )


@pytest.fixture
async def make():
    dialogues = Dialogues(SystemClock(), FAST)
    async with DnsServer(ZONE) as dns:

        def build(port, **more):
            return DirectTransport(
                DnsResolver([dns.endpoint]),
                hostname="mail.a.test",
                port=port,
                dialogues=dialogues,
                limits=FAST,
                **({"allow_private": True} | more),
            )

        yield build
        await dialogues.close()


def through(proxy, username="", password=""):
    return SocksProxy(host="127.0.0.1", port=proxy.port, username=username, password=password)


async def test_mail_goes_through_the_proxy_which_looks_up_the_name(make):
    async with SmtpSink() as sink, Microsocks("user", "pencil") as proxy:
        transport = make(
            sink.port, proxy=through(proxy, "user", "pencil"), proxy_hostname="out.a.test"
        )
        delivery = await transport.deliver(message())
        assert delivery.results[0].status.code == 250
        assert len(sink.messages) == 1
        (tried,) = delivery.tries
        assert tried.ip == ""
        assert "EHLO out.a.test" in tried.excerpt


async def test_a_wrong_password_of_the_proxy_is_told(make):
    async with SmtpSink() as sink, Microsocks("user", "pencil") as proxy:
        delivery = await make(sink.port, proxy=through(proxy, "user", "eraser")).deliver(message())
        assert delivery.results[0].status.is_temporary
        assert "does not accept the user name and password" in delivery.results[0].status.text
        assert "eraser" not in str(delivery)
        delivery = await make(sink.port, proxy=through(proxy)).deliver(message())
        assert "does not accept the user name and password" in delivery.results[0].status.text


async def test_a_proxy_that_can_t_connect_is_told(make, unused_tcp_port):
    async with Microsocks() as proxy:
        delivery = await make(unused_tcp_port, proxy=through(proxy)).deliver(message())
        assert delivery.results[0].status.is_temporary
        assert "the connection was refused" in delivery.results[0].status.text


async def test_a_proxy_that_is_gone_is_told(make, unused_tcp_port):
    proxy = SocksProxy(host="127.0.0.1", port=unused_tcp_port)
    delivery = await make(25, proxy=proxy).deliver(message())
    assert delivery.results[0].status.is_temporary
    assert f"the SOCKS proxy 127.0.0.1:{unused_tcp_port} can't be reached" in (
        delivery.results[0].status.text
    )


async def test_the_proxy_is_not_sent_inside_either(make):
    async with Microsocks() as proxy:
        transport = make(25, proxy=through(proxy), allow_private=False)
        delivery = await transport.deliver(message("bo@inside.test"))
        assert "is a private address" in delivery.results[0].status.text


async def test_over_ipv4_only_other_addresses_are_not_tried(make):
    async with SmtpSink() as sink:
        transport = make(sink.port, family=4)
        delivery = await transport.deliver(message("bo@both.test"))
        assert delivery.results[0].status.code == 250
        assert [entry.ip for entry in delivery.tries] == ["127.0.0.1"]
        delivery = await transport.deliver(message("bo@six.test"))
        assert delivery.results[0].status.is_temporary
        assert "has no IPv4 address" in delivery.results[0].status.text


async def test_over_ipv6_only_too(make):
    async with SmtpSink(host="::1") as sink:
        delivery = await make(sink.port, family=6).deliver(message("bo@both.test"))
        assert delivery.results[0].status.code == 250
        assert [entry.ip for entry in delivery.tries] == ["::1"]


# As routes choose them


def smarthost(port):
    return {"smtp": {"host": "127.0.0.1", "port": port, "no_starttls": True}}


async def test_a_route_leads_through_the_relay_and_the_log_of_attempts_says_so(tmp_path):
    async with SmtpSink() as sink:
        sink.data_reply = "451 4.3.0 later"
        config = rig_config(
            1, transports={"relay": smarthost(sink.port)}, routes=[{"transport": "relay"}]
        )
        async with OutboundRig(tmp_path, 1, config=config) as rig:
            await rig.submit("bo@b.test", "eve@c.test")
            await rig.until_tried(1)
            for item in await rig.items():
                assert item.transport == "relay"
                detail = await find_item(rig.queue, item.id)
                (logged,) = detail.attempts
                assert logged.transport == "relay"
                assert logged.reason == "Route 1 of the server (relay) matches: it takes all mail"
                assert logged.entry.host == "127.0.0.1"
                assert "451 4.3.0 later" in logged.entry.answer
            failed = rig.outbound.tally.last_result("relay")
            assert (failed.ok, "451 4.3.0 later" in failed.text) == (False, True)
            sink.data_reply = ""
            await actions.kick(rig.queue, [item.id for item in await rig.items()])
            await rig.until_empty()
            assert [m.recipients for m in sink.messages] == [("bo@b.test", "eve@c.test")]
            assert rig.outbound.tally.last_result("relay").ok
            (rule,) = config.domains.routes
            assert rig.outbound.tally.hits(Level.SERVER, "", rule) == 4


async def test_after_a_failed_direct_attempt_the_relay_takes_over(tmp_path, unused_tcp_port):
    async with SmtpSink() as sink:
        config = rig_config(
            unused_tcp_port,
            transports={"relay": smarthost(sink.port)},
            routes=[{"transport": "relay", "minimum_attempts": 1}],
        )
        async with OutboundRig(tmp_path, unused_tcp_port, config=config) as rig:
            await rig.submit("bo@b.test")
            await rig.until_tried(1)
            (item,) = await rig.items()
            assert item.transport == ""
            await actions.kick(rig.queue, [item.id])
            await rig.until_empty()
            assert len(sink.messages) == 1


async def test_a_transport_chosen_by_hand_wins_over_routes_and_can_be_taken_back(tmp_path):
    async with SmtpSink() as sink:
        config = rig_config(
            1,
            transports={"relay": smarthost(sink.port), "never": {"fail": {"smtp_code": 450}}},
            routes=[{"transport": "never"}],
        )
        async with OutboundRig(tmp_path, 1, config=config) as rig:
            await rig.submit("bo@b.test")
            await rig.until_tried(1)
            (item,) = await rig.items()
            detail = await find_item(rig.queue, item.id)
            assert detail.attempts[0].transport == "never", "also where nobody was connected to"
            await actions.hold(rig.queue, [item.id])
            acted = await actions.choose_transport(rig.queue, [item.id, 999], "relay")
            assert acted.changed == (item.id,)
            assert acted.missing == (999,)
            (item,) = await rig.items()
            assert item.state == "held"
            assert rig.outbound.choices.explain(item).transport == "relay"
            await actions.choose_transport(rig.queue, [item.id], None)
            (item,) = await rig.items()
            assert rig.outbound.choices.explain(item).transport == "never"
            await actions.choose_transport(rig.queue, [item.id], "relay")
            await actions.release(rig.queue, [item.id])
            await actions.kick(rig.queue, [item.id])
            await rig.until_empty()
            assert len(sink.messages) == 1


async def test_a_transport_without_method_is_direct_delivery(tmp_path):
    async with SmtpSink() as sink:
        config = rig_config(sink.port, transports={"plain": {}}, routes=[{"transport": "plain"}])
        async with OutboundRig(tmp_path, sink.port, config=config) as rig:
            await rig.submit("bo@b.test")
            await rig.until_empty()
            assert len(sink.messages) == 1


async def test_a_chosen_transport_that_was_removed_is_a_temporary_fault(tmp_path):
    config = rig_config(1, transports={"gone": {"fail": {}}})
    async with OutboundRig(tmp_path, 1, config=config, run=False) as rig:
        await rig.submit("bo@b.test")
        (item,) = await rig.items()
        await actions.choose_transport(rig.queue, [item.id], "gone")
        rig.set_config(rig_config(1))
        rig.start()
        await rig.until_tried(1)
        (item,) = await rig.items()
        assert 'cannot find transport "gone"' in item.last_answer


# Tried without sending


async def test_a_direct_transport_is_tried_with_a_domain_s_own_server(tmp_path):
    async with SmtpSink() as sink:
        config = rig_config(sink.port, transports={"v4": {"direct": {"disable_ipv6": True}}})
        async with OutboundRig(tmp_path, sink.port, config=config) as rig:
            report = await rig.outbound.test_transport("v4", sender="", domain="b.test")
            assert report.ok, report
            assert report.message == "mx.b.test would take mail for b.test."
            assert "RSET" in report.excerpt
            assert "RCPT" not in report.excerpt
            sink.mail_reply = "550 5.7.1 listed"
            report = await rig.outbound.test_transport("v4", sender="anna@a.test", domain="b.test")
            assert not report.ok
            assert "listed" in report.message
            assert "a relay may be needed" in report.fix
            assert not sink.messages


async def test_a_proxy_is_tried_and_its_faults_lead_to_its_settings(tmp_path, unused_tcp_port):
    socks = {"address": f"127.0.0.1:{unused_tcp_port}", "remote_hostname": "out.a.test"}
    config = rig_config(25, transports={"proxy": {"socks": socks}})
    async with OutboundRig(tmp_path, 25, config=config) as rig:
        report = await rig.outbound.test_transport("proxy", sender="", domain="b.test")
        assert not report.ok
        assert "Start the proxy" in report.fix
    async with Microsocks("user", "pencil") as proxy:
        socks = {"address": proxy.address, "remote_hostname": "out.a.test", "username": "user"}
        config = rig_config(25, transports={"proxy": {"socks": socks}})
        async with OutboundRig(tmp_path / "2", 25, config=config) as rig:
            report = await rig.outbound.test_transport("proxy", sender="", domain="b.test")
            assert "gatepost transport password proxy" in report.fix


async def test_a_smarthost_is_tried(tmp_path):
    async with SmtpSink() as sink:
        config = rig_config(1, transports={"lan": smarthost(sink.port)})
        async with OutboundRig(tmp_path, 1, config=config) as rig:
            report = await rig.outbound.test_transport("lan", sender="", domain="")
            assert report.ok
            assert report.message == f"127.0.0.1:{sink.port} takes mail from anna@a.test."
