"""Signing in bound to the certificate (SCRAM-…-PLUS) at the real SMTP and IMAP servers, over real TLS."""

from base64 import b64decode, b64encode

import pytest

from backend.sasl.mechanisms import BINDING_MECHANISMS, client_exchange
from backend.tls.binding import server_end_point
from tests.support.imap_server import running_imap
from tests.support.settings import config_of
from tests.support.smtp_servers import HOST, PASSWORD, running_servers
from tests.support.smtp_talk import Talk

LOGIN = "anna@gatepost.test"


@pytest.fixture
async def smtp(tmp_path):
    async with running_servers(tmp_path / "smtp", practice_mode=False) as servers:
        yield servers


@pytest.fixture
async def imap(tmp_path):
    async with running_imap(tmp_path / "imap", practice_mode=False) as running:
        yield running


def binding_of(writer) -> bytes:
    tls = writer.get_extra_info("ssl_object")
    return server_end_point(tls.getpeercert(binary_form=True))


async def secured(servers, *, name=HOST) -> Talk:
    """STARTTLS on the submission port, with or without naming the server."""
    context = servers.client_tls()
    context.check_hostname = bool(name)
    talk = await Talk.to(servers.ports["submission"])
    assert (await talk.say("STARTTLS")).startswith("220")
    await talk.writer.start_tls(context, server_hostname=name)
    return talk


async def offered_by_smtp(talk) -> list[str]:
    lines = (await talk.say("EHLO me.test")).splitlines()
    return next(line[4:].split()[1:] for line in lines if line[4:].startswith("AUTH "))


async def sign_in_smtp(talk, mechanism, binding, *, say=None) -> str:
    client = client_exchange(mechanism, LOGIN, PASSWORD, nonce="nonce", binding=binding)
    reply = await talk.say(f"AUTH {say or mechanism} {b64encode(client.start() or b'').decode()}")
    while reply.startswith("334"):
        answer = client.step(b64decode(reply[4:]))
        reply = await talk.say(b64encode(answer))
    return reply


@pytest.mark.parametrize("mechanism", BINDING_MECHANISMS)
async def test_submission_is_signed_in_to_with_the_certificate_that_was_shown(smtp, mechanism):
    talk = await secured(smtp)
    offered = await offered_by_smtp(talk)
    assert offered[:2] == list(BINDING_MECHANISMS)
    assert (await sign_in_smtp(talk, mechanism, binding_of(talk.writer))).startswith("235")
    await talk.close()


async def test_each_connection_counts_with_its_own_certificate_after_a_renewal(smtp):
    first = await secured(smtp)
    await smtp.tls.update(config_of({"hostname": HOST}, domains={"new.test": {}}))
    nameless, named = await secured(smtp, name=""), await secured(smtp)
    bindings = {talk: binding_of(talk.writer) for talk in (first, nameless, named)}
    assert bindings[first] != bindings[nameless] == bindings[named]
    for talk, binding in bindings.items():
        assert "SCRAM-SHA-256-PLUS" in await offered_by_smtp(talk)
        assert (await sign_in_smtp(talk, "SCRAM-SHA-256-PLUS", binding)).startswith("235")
        await talk.close()


async def test_another_certificate_in_between_is_noticed(smtp):
    talk = await secured(smtp)
    await offered_by_smtp(talk)
    refused = await sign_in_smtp(talk, "SCRAM-SHA-256-PLUS", b"x" * 32)
    assert refused.startswith("501 5.5.2")
    await talk.close()


async def test_a_list_of_mechanisms_that_was_shortened_on_its_way_is_noticed(smtp):
    talk = await secured(smtp)
    await offered_by_smtp(talk)
    # The client could have bound: it says so (gs2 flag "y"), and we know that we offered it.
    refused = await sign_in_smtp(talk, "SCRAM-SHA-256", binding_of(talk.writer))
    assert refused.startswith("501 5.5.2")
    # A client that can't bind at all (flag "n") is welcome.
    assert (await sign_in_smtp(talk, "SCRAM-SHA-256", None)).startswith("235")
    await talk.close()


async def test_without_tls_nothing_is_bound(tmp_path):
    async with running_servers(tmp_path / "practice", practice_mode=True) as servers:
        talk = await Talk.to(servers.ports["submission"])
        assert not any(name.endswith("-PLUS") for name in await offered_by_smtp(talk))
        refused = await sign_in_smtp(talk, "SCRAM-SHA-256-PLUS", b"x" * 32)
        assert refused.startswith("504")
        await talk.close()


async def sign_in_imap(client, mechanism, binding) -> bytes:
    exchange = client_exchange(mechanism, LOGIN, PASSWORD, nonce="nonce", binding=binding)
    client.send(f"A AUTHENTICATE {mechanism} {b64encode(exchange.start()).decode()}\r\n".encode())
    while (line := await client.line()).startswith(b"+ "):
        client.send(b64encode(exchange.step(b64decode(line[2:]))) + b"\r\n")
    return line


async def test_imap_offers_and_takes_the_same(imap):
    client = await imap.connect(tls=True)
    (capability, *_) = await client.ok("CAPABILITY")
    assert b"AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-256 " in capability
    binding = binding_of(client.writer)
    assert b"A NO" in await sign_in_imap(client, "SCRAM-SHA-256-PLUS", b"x" * 32)
    assert b"A NO" in await sign_in_imap(client, "SCRAM-SHA-1", binding)
    assert b"A OK" in await sign_in_imap(client, "SCRAM-SHA-1-PLUS", binding)
