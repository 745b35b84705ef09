"""Handing mail to a relay: TLS, sign-in with each mechanism, what counts as temporary, the words. Real sockets and TLS."""

import asyncio
from dataclasses import replace

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography.hazmat.primitives import hashes

from backend.core.address import parse_address
from backend.core.ids import TraceId
from backend.outbound.dial import Fault
from backend.outbound.session import Limits
from backend.outbound.transport import Outgoing
from backend.smtp.client import Stage, Tls
from tests.support.relay_rig import Authority, NamesHere, SignInServer, relay
from tests.support.smtp_servers import HOST, PASSWORD, running_servers
from tests.support.smtp_sink import ScriptedServer, SmtpSink, say, silent

CONTENT = b"From: anna@a.test\r\nSubject: x\r\n\r\nhello\r\n"


def message(*recipients, sender="anna@a.test", **more):
    return Outgoing(
        trace=TraceId("t1"),
        sender=parse_address(sender),
        recipients=tuple(parse_address(r) for r in recipients or ("bo@b.test",)),
        domain="b.test",
        size_bytes=len(CONTENT),
        content=CONTENT,
        **more,
    )


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
async def make(authority):
    opened = []

    def build(port, **settings):
        transport, dialogues = relay(port, ca_file=authority.file, **settings)
        opened.append(dialogues)
        return transport

    yield build
    for dialogues in opened:
        await dialogues.close()


async def deliver(transport, *recipients):
    delivery = await transport.deliver(message(*recipients))
    return delivery.results[0], delivery.tries


async def test_a_smarthost_without_sign_in_gets_mail_over_verified_starttls(make, authority):
    async with SmtpSink(tls=authority.issue("relay.test").context) as sink:
        result, tries = await deliver(make(sink.port), "bo@b.test", "eve@c.test")
        assert result.status.code == 250
        assert result.remote_mta == "relay.test"
        (taken,) = sink.messages
        assert taken.tls
        assert taken.recipients == ("bo@b.test", "eve@c.test"), "recipients of any domain"
        assert tries[0].tls.startswith("TLSv1.3")


async def test_a_smarthost_without_tls_gets_mail_in_plain_text_where_that_is_set(make):
    async with SmtpSink() as sink:
        result, _ = await deliver(make(sink.port, tls=Tls.NEVER))
        assert result.status.code == 250
        assert not sink.messages[0].tls


@pytest.mark.parametrize(
    ("names", "expired", "trusted", "fault", "said"),
    [
        (["wrong.test"], False, True, Fault.CERTIFICATE_NAME, "for another name"),
        (["relay.test"], True, True, Fault.CERTIFICATE_EXPIRED, "has expired"),
        (["relay.test"], False, False, Fault.CERTIFICATE_UNTRUSTED, "not trusted here"),
    ],
)
async def test_a_certificate_that_does_not_hold_stops_the_delivery(
    make, authority, tmp_path, names, expired, trusted, fault, said
):
    (tmp_path / "other").mkdir()
    issuer = authority if trusted else Authority(tmp_path / "other")
    async with SmtpSink(tls=issuer.issue(*names, expired=expired).context) as sink:
        transport = make(sink.port)
        result, tries = await deliver(transport)
        assert result.status.is_temporary
        assert result.remote_mta == ""
        assert said in result.status.text
        assert f"establishing smtp session with relay.test:{sink.port} for submission" in (
            result.status.text
        )
        assert said in tries[0].answer
        assert not sink.messages
        finding = await transport.probe(message(try_sender=True))
        assert finding.fault is fault
        assert finding.names == (("wrong.test",) if fault is Fault.CERTIFICATE_NAME else ())


async def test_any_certificate_will_do_where_that_is_set(make, authority):
    async with SmtpSink(tls=authority.issue("wrong.test", expired=True).context) as sink:
        result, _ = await deliver(make(sink.port, tls=Tls.OPPORTUNISTIC, verify=False))
        assert result.status.code == 250
        assert sink.messages[0].tls


async def test_without_starttls_nothing_is_sent(make):
    async with SmtpSink() as sink:
        result, _ = await deliver(make(sink.port))
        assert result.status.is_temporary
        assert "does not offer TLS" in result.status.text
        assert not sink.messages


async def test_immediate_tls_and_its_certificate(make, authority):
    server = SignInServer(["SCRAM-SHA-256"])
    async with ScriptedServer(server) as scripted:
        result, _ = await deliver(make(scripted.port, tls=Tls.IMPLICIT))
    assert result.status.is_temporary, "plain text on a port for TLS"
    assert "TLS could not be started" in result.status.text


async def test_nobody_listens(make, unused_tcp_port):
    result, tries = await deliver(make(unused_tcp_port))
    assert result.status.is_temporary
    assert result.status.text == (
        f"transport t: dialing relay.test:{unused_tcp_port} for submission: the connection was refused"
    )
    assert tries[0].ip == "127.0.0.1"


async def test_a_name_that_is_not_known(make):
    result, _ = await deliver(make(25, host="gone.test"))
    assert result.status.is_temporary
    assert "the name gone.test has no address" in result.status.text


async def test_a_server_that_says_nothing_is_left(make):
    async with ScriptedServer(silent) as server:
        transport = make(server.port, limits=Limits(connect_s=5, step_s=0.2, session_s=20))
        result, _ = await deliver(transport)
        assert "no answer within 0.2 seconds" in result.status.text
        assert (await transport.probe(message())).fault is Fault.TIMEOUT


@pytest.mark.parametrize(
    ("reply", "permanent"), [("550 5.7.1 no relaying", True), ("451 4.3.0 later", False)]
)
async def test_what_the_server_says_to_the_message_counts_as_it_is(make, reply, permanent):
    async with SmtpSink() as sink:
        sink.data_reply = reply
        result, _ = await deliver(make(sink.port, tls=Tls.NEVER))
        assert result.status.is_permanent is permanent
        assert result.remote_mta == "relay.test"
        assert f"submitting email to relay.test:{sink.port}: {reply}" in result.status.text


async def test_one_recipient_is_refused_and_the_other_is_not(make):
    async with SmtpSink() as sink:
        sink.replies["bad@b.test"] = "550 5.1.1 unknown"
        delivery = await make(sink.port, tls=Tls.NEVER).deliver(message("bo@b.test", "bad@b.test"))
        assert [r.status.code for r in delivery.results] == [250, 550]


# Sign-in


@pytest.mark.parametrize(
    "mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN"]
)
@pytest.mark.parametrize("kind", ["submission", "submissions"])
async def test_each_mechanism_against_our_own_submission_service(tmp_path, kind, mechanism):
    async with running_servers(tmp_path, practice_mode=False) as servers:
        transport, dialogues = relay(
            servers.ports[kind],
            ca_file=servers.tls.ca_file,
            host="localhost",
            tls=Tls.IMPLICIT if kind == "submissions" else Tls.REQUIRED,
            username="anna@gatepost.test",
            password=PASSWORD,
            mechanisms=(mechanism,),
        )
        # The certificate is for the server's name; the name leads to this computer in the test only.
        transport.settings = replace(transport.settings, host=HOST)
        transport._resolver = NamesHere(HOST)
        delivery = await transport.deliver(message(sender="anna@gatepost.test"))
        await dialogues.close()
        assert delivery.results[0].status.code == 250, delivery.results[0].status
        (submitted,) = servers.submitted
        assert submitted.account == "anna"


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
async def test_another_server_takes_plain_and_login(make, authority, mechanism, unused_tcp_port):
    seen = []

    def check(server, session, envelope, name, data):
        seen.append((name, data.login, data.password))
        return AuthResult(success=True)

    def factory():
        return SMTP(
            sink,
            hostname="relay.test",
            authenticator=check,
            auth_required=True,
            tls_context=authority.issue("relay.test").context,
        )

    sink = SmtpSink()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(factory, "127.0.0.1", unused_tcp_port)
    try:
        transport = make(
            unused_tcp_port, username="anna", password="pencil", mechanisms=(mechanism,)
        )
        result, _ = await deliver(transport)
        assert result.status.code == 250, result.status
        assert seen == [(mechanism, b"anna", b"pencil")]
    finally:
        server.close()


async def test_the_strongest_mechanism_is_taken_and_bound_to_the_certificate(make, authority):
    issued = authority.issue("relay.test", digest=hashes.SHA384())
    offered = ["PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"]
    talk = SignInServer(offered, issued=issued, bound=issued.der)
    async with ScriptedServer(talk) as server:
        result, tries = await deliver(make(server.port, username="anna", password="pencil"))
    assert result.status.code == 250, result.status
    assert talk.signed_in_with == "SCRAM-SHA-256-PLUS"
    assert "pencil" not in tries[0].excerpt
    assert "AUTH SCRAM-SHA-256-PLUS" in tries[0].excerpt


async def test_someone_in_between_with_a_certificate_of_his_own_does_not_get_the_mail(
    make, authority
):
    shown, real = authority.issue("relay.test"), authority.issue("other.test")
    talk = SignInServer(["SCRAM-SHA-256-PLUS"], issued=shown, bound=real.der)
    async with ScriptedServer(talk) as server:
        result, _ = await deliver(make(server.port, username="anna", password="pencil"))
    assert result.status.is_temporary
    assert not talk.messages


async def test_a_downgrade_is_noticed(make, authority):
    """The server would bind, and its list comes without those mechanisms."""
    issued = authority.issue("relay.test")
    talk = SignInServer(["SCRAM-SHA-256"], issued=issued, bound=issued.der)
    async with ScriptedServer(talk) as server:
        result, _ = await deliver(make(server.port, username="anna", password="pencil"))
    assert result.status.is_temporary
    assert not talk.messages


async def test_without_plus_in_the_list_the_server_is_not_told_that_we_could(make, authority):
    issued = authority.issue("relay.test")
    talk = SignInServer(["SCRAM-SHA-256"], issued=issued, bound=issued.der)
    async with ScriptedServer(talk) as server:
        transport = make(
            server.port, username="a", password="pencil", mechanisms=("SCRAM-SHA-256",)
        )
        result, _ = await deliver(transport)
    assert result.status.code == 250


async def test_plain_is_not_used_unless_it_is_listed(make, authority):
    talk = SignInServer(["PLAIN", "LOGIN"], issued=authority.issue("relay.test"))
    async with ScriptedServer(talk) as server:
        result, _ = await deliver(make(server.port, username="anna", password="pencil"))
        assert result.status.is_permanent
        assert result.status.text.endswith(
            "no matching authentication mechanisms, server supports PLAIN, LOGIN"
        )
        assert not any(line.startswith("AUTH") for line in talk.dialogue)
        listed = make(server.port, username="anna", password="pencil", mechanisms=("PLAIN",))
        result, _ = await deliver(listed)
        assert result.status.code == 250


async def test_the_password_itself_is_not_sent_where_tls_was_taken_away(make):
    talk = SignInServer(["PLAIN", "CRAM-MD5"])
    settings = {"tls": Tls.OPPORTUNISTIC, "verify": False, "username": "a", "password": "pencil"}
    async with ScriptedServer(talk) as server:
        result, _ = await deliver(make(server.port, mechanisms=("PLAIN",), **settings))
        assert result.status.is_permanent
        assert not any(line.startswith("AUTH") for line in talk.dialogue)
        result, _ = await deliver(make(server.port, mechanisms=("PLAIN", "CRAM-MD5"), **settings))
        assert result.status.code == 250
        assert talk.signed_in_with == "CRAM-MD5"


async def test_a_wrong_password_is_temporary_for_the_message_and_told(make, authority):
    talk = SignInServer(["SCRAM-SHA-256"], issued=authority.issue("relay.test"))
    async with ScriptedServer(talk) as server:
        transport = make(server.port, username="anna", password="eraser")
        result, _ = await deliver(transport)
        assert result.status.is_temporary
        assert "535 5.7.8 who are you?" in result.status.text
        assert result.remote_mta == "relay.test"
        assert (await transport.probe(message())).stage is Stage.AUTH


async def test_a_second_look_at_a_certificate_does_not_sign_in(make, authority):
    talk = SignInServer(["CRAM-MD5", "PLAIN"], issued=authority.issue("wrong.test"))
    async with ScriptedServer(talk) as server:
        transport = make(server.port, username="a", password="pencil", mechanisms=("PLAIN",))
        finding = await transport.probe(message(try_sender=True))
    assert finding.names == ("wrong.test",)
    assert not any(line.startswith("AUTH") for line in talk.dialogue)


async def test_a_server_that_can_t_prove_that_it_knows_the_password_is_not_believed(make):
    async def cheat(reader, writer):
        await say(writer, "220 relay.test ESMTP")
        await reader.readuntil(b"\r\n")
        await say(writer, "250-relay.test", "250 AUTH SCRAM-SHA-256")
        await reader.readuntil(b"\r\n")
        await say(writer, "235 welcome, whoever you are")
        got.append(await reader.read())

    got = []
    async with ScriptedServer(cheat) as server:
        transport = make(server.port, tls=Tls.NEVER, username="anna", password="pencil")
        result, _ = await deliver(transport)
        assert result.status.is_temporary
        assert "did not prove" in result.status.text


async def test_the_client_cancels_with_an_asterisk(make):
    async def nonsense(reader, writer):
        await say(writer, "220 relay.test ESMTP")
        await reader.readuntil(b"\r\n")
        await say(writer, "250-relay.test", "250 AUTH SCRAM-SHA-256")
        await reader.readuntil(b"\r\n")
        await say(writer, "334 bm9uc2Vuc2U=")
        got.append(await reader.readuntil(b"\r\n"))
        await say(writer, "501 5.7.0 cancelled")
        await reader.read()

    got = []
    async with ScriptedServer(nonsense) as server:
        transport = make(server.port, tls=Tls.NEVER, username="anna", password="pencil")
        result, _ = await deliver(transport)
    assert got == [b"*\r\n"]
    assert "The sign-in was broken off" in result.status.text


async def test_without_a_stored_password_nobody_is_called_and_the_command_is_named(make):
    result, tries = await deliver(make(25, username="anna"))
    assert result.status.is_temporary
    assert "gatepost transport password t" in result.status.text
    assert not tries


async def test_a_relay_that_is_this_very_server_is_noticed(make):
    async with SmtpSink(hostname="mail.a.test") as sink:
        result, _ = await deliver(make(sink.port, tls=Tls.NEVER))
        assert result.status.is_temporary
        assert "this very server" in result.status.text
        assert not sink.messages


async def test_a_probe_asks_for_the_sender_and_sends_nothing(make, authority):
    talk = SignInServer(["CRAM-MD5"], issued=authority.issue("relay.test"))
    async with ScriptedServer(talk) as server:
        transport = make(server.port, username="anna", password="pencil")
        finding = await transport.probe(message(try_sender=True))
        assert finding.status.code == 250
        assert finding.stage is Stage.MAIL
        assert finding.signed_in_with == "CRAM-MD5"
        talk.sender_reply = "553 5.7.1 not your address"
        refused = await transport.probe(message(try_sender=True))
    assert refused.status.code == 553
    assert refused.stage is Stage.MAIL
    verbs = [
        line.split()[0] for line in talk.dialogue if line[:4] in {"MAIL", "RSET", "RCPT", "DATA"}
    ]
    assert verbs == ["MAIL", "RSET", "MAIL"]
