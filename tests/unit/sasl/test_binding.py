"""Channel binding with `tls-server-end-point`: both sides against scramp, and what a man in the middle would change."""

import pytest
from scramp import ScramClient as PeerClient
from scramp import ScramMechanism

from backend.sasl.mechanisms import choose, client_exchange, may_bind, server_exchange
from backend.sasl.scram import ScramClient, ScramServer, derive
from backend.sasl.steps import Challenge, Failure, NeedCredentials, SaslError, Success
from tests.support.sasl import SALT, run_server

BINDING = bytes(range(32))
OTHER = bytes(32)
PLUS = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"]


def meet(client, server, password="pencil"):
    return run_server(server, server.start(client.start()), password, client.step)


@pytest.mark.parametrize("mechanism", PLUS)
def test_both_sides_with_the_same_certificate_sign_in(mechanism):
    client = ScramClient(mechanism, "user", "pencil", "cli", binding=BINDING)
    assert client.start() == b"p=tls-server-end-point,,n=user,r=cli"
    assert isinstance(meet(client, ScramServer(mechanism, "srv", binding=BINDING)), Success)
    assert client.is_complete


@pytest.mark.parametrize("mechanism", PLUS)
def test_another_certificate_in_between_is_noticed(mechanism):
    client = ScramClient(mechanism, "user", "pencil", "cli", binding=OTHER)
    outcome = meet(client, ScramServer(mechanism, "srv", binding=BINDING))
    assert isinstance(outcome, Failure)
    assert "binding" in outcome.reason
    assert not client.is_complete


@pytest.mark.parametrize("mechanism", PLUS)
@pytest.mark.parametrize("given", ["pencil", "pencils"])
def test_the_server_agrees_with_another_client(mechanism, given):
    peer = PeerClient([mechanism], "user", given, channel_binding=("tls-server-end-point", BINDING))
    server = ScramServer(mechanism, "nonce", binding=BINDING)
    assert server.step(peer.get_client_first().encode()) == NeedCredentials("user")
    challenge = server.supply(derive(mechanism, "pencil", SALT, 4096))
    assert isinstance(challenge, Challenge)
    peer.set_server_first(challenge.data.decode())
    outcome = server.step(peer.get_client_final().encode())
    assert isinstance(outcome, Success if given == "pencil" else Failure)
    if isinstance(outcome, Success):
        assert outcome.final is not None
        peer.set_server_final(outcome.final.decode())


@pytest.mark.parametrize("mechanism", PLUS)
def test_the_client_agrees_with_another_server(mechanism):
    peer_mechanism = ScramMechanism(mechanism)
    kept = peer_mechanism.make_auth_info("pencil", iteration_count=4096)
    peer = peer_mechanism.make_server(
        lambda _: kept, channel_binding=("tls-server-end-point", BINDING)
    )
    client = ScramClient(mechanism, "user", "pencil", "cli-nonce", binding=BINDING)
    peer.set_client_first(client.start().decode())
    peer.set_client_final(client.step(peer.get_server_first().encode()).decode())
    client.step(peer.get_server_final().encode())
    assert client.is_complete


def test_a_client_that_could_bind_says_so_and_a_server_that_offered_it_notices_the_downgrade():
    client = ScramClient("SCRAM-SHA-256", "user", "pencil", "cli", binding=BINDING)
    assert client.start() == b"y,,n=user,r=cli"
    assert isinstance(meet(client, ScramServer("SCRAM-SHA-256", "srv")), Success)
    outcome = meet(
        ScramClient("SCRAM-SHA-256", "user", "pencil", "cli", binding=BINDING),
        ScramServer("SCRAM-SHA-256", "srv", binding=BINDING),
    )
    assert isinstance(outcome, Failure)
    assert "tampered" in outcome.reason


def test_the_client_tells_a_downgrade_that_the_server_noticed_in_plain_words():
    client = ScramClient("SCRAM-SHA-256", "user", "pencil", "cli", binding=BINDING)
    client.start()
    client.step(b"r=clisrv,s=AAAA,i=4096")
    with pytest.raises(SaslError, match="changed on the way"):
        client.step(b"e=server-does-support-channel-binding")


@pytest.mark.parametrize(
    ("mechanism", "first"),
    [
        ("SCRAM-SHA-256-PLUS", b"n,,n=user,r=x"),
        ("SCRAM-SHA-256-PLUS", b"y,,n=user,r=x"),
        ("SCRAM-SHA-256-PLUS", b"p=tls-unique,,n=user,r=x"),
        ("SCRAM-SHA-256", b"p=tls-server-end-point,,n=user,r=x"),
        ("SCRAM-SHA-256", b"q,,n=user,r=x"),
    ],
)
def test_a_header_that_does_not_fit_the_mechanism_is_refused(mechanism, first):
    outcome = ScramServer(mechanism, "srv", binding=BINDING).step(first)
    assert isinstance(outcome, Failure)
    assert outcome.malformed


def test_without_a_binding_the_plus_mechanisms_do_not_exist():
    assert server_exchange("SCRAM-SHA-256-PLUS", nonce="n", challenge=b"") is None
    with pytest.raises(ValueError, match="needs a channel binding"):
        client_exchange("SCRAM-SHA-256-PLUS", "a", "b", nonce="n")
    offered = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN"]
    assert choose(offered) == "SCRAM-SHA-256"
    assert choose(offered, can_bind=True) == "SCRAM-SHA-256-PLUS"
    assert choose(["SCRAM-SHA-256", "SCRAM-SHA-1-PLUS"], can_bind=True) == "SCRAM-SHA-1-PLUS"
    assert may_bind([])
    assert not may_bind(["SCRAM-SHA-256", "PLAIN"])
