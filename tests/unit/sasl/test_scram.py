import base64

import pytest
from scramp import ScramClient as PeerClient
from scramp import ScramMechanism

from backend.sasl.scram import ScramClient, ScramServer, derive
from backend.sasl.steps import (
    Challenge,
    Failure,
    NeedCredentials,
    SaslError,
    ScramCredentials,
    Success,
)
from tests.support.sasl import run_server

# RFC 5802 §5 and RFC 7677 §3: user "user", password "pencil".
VECTORS = {
    "SCRAM-SHA-1": {
        "nonces": ("fyko+d2lbbFgONRv9qkxdawL", "3rfcNHYJY1ZVvWVs7j"),
        "salt": "QSXCR+Q6sek8bf92",
        "first": b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        "server_first": b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "final": b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        "server_final": b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    "SCRAM-SHA-256": {
        "nonces": ("rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"),
        "salt": "W22ZaJ0SNY7soEsUEjb6gQ==",
        "first": b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        "server_first": b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "final": b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "server_final": b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
}


@pytest.mark.parametrize("mechanism", VECTORS)
def test_the_example_of_the_rfc_at_the_server(mechanism):
    vector = VECTORS[mechanism]
    server = ScramServer(mechanism, vector["nonces"][1])
    assert server.start(None) == Challenge(b"")
    assert server.step(vector["first"]) == NeedCredentials("user")
    kept = derive(mechanism, "pencil", base64.b64decode(vector["salt"]), 4096)
    assert server.supply(kept) == Challenge(vector["server_first"])
    assert server.step(vector["final"]) == Success("user", "", vector["server_final"])


@pytest.mark.parametrize("mechanism", VECTORS)
def test_the_example_of_the_rfc_at_the_client(mechanism):
    vector = VECTORS[mechanism]
    client = ScramClient(mechanism, "user", "pencil", vector["nonces"][0])
    assert client.start() == vector["first"]
    assert client.step(vector["server_first"]) == vector["final"]
    assert not client.is_complete
    assert client.step(vector["server_final"]) == b""
    assert client.is_complete


@pytest.mark.parametrize("mechanism", VECTORS)
@pytest.mark.parametrize("given", ["pencil", "pencils"])
def test_the_server_agrees_with_another_client(mechanism, given):
    peer = PeerClient([mechanism], "user", given)
    server = ScramServer(mechanism, "nonce")
    steps = []

    def answer(data: bytes) -> bytes:
        if not steps:
            steps.append(1)
            peer.set_server_first(data.decode())
            return peer.get_client_final().encode()
        peer.set_server_final(data.decode())
        return b""

    first = server.start(peer.get_client_first().encode())
    outcome = run_server(server, first, "pencil", answer)
    assert isinstance(outcome, Success if given == "pencil" else Failure)


@pytest.mark.parametrize("mechanism", VECTORS)
def test_the_client_agrees_with_another_server(mechanism):
    m = ScramMechanism(mechanism)
    salt, stored_key, server_key, iterations = m.make_auth_info("pencil", iteration_count=4096)
    peer = m.make_server(lambda _: (salt, stored_key, server_key, iterations))
    client = ScramClient(mechanism, "user", "pencil", "nonce")
    peer.set_client_first(client.start().decode())
    peer.set_client_final(client.step(peer.get_server_first().encode()).decode())
    client.step(peer.get_server_final().encode())
    assert client.is_complete


KEPT = ScramCredentials(b"salt", 4096, b"x" * 20, b"y" * 20)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n,,",
        b"n,,n=user",
        b"n,,r=abc,n=user",
        b"n,,m=ext,n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"n,b=x,n=user,r=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a b",
        b"n,,n=\xff,r=abc",
        "n,,n=a\u0007,r=abc".encode(),
        b"n,,n=user,r=abc" + b"x" * 5000,
    ],
)
def test_malformed_first_messages_fail(message):
    step = ScramServer("SCRAM-SHA-1", "n").start(message)
    assert isinstance(step, Failure) and step.malformed


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"c=biws,r=abcn",
        b"r=abcn,c=biws,p=AAAA",
        b"c=biws,r=abcX,p=AAAA",
        b"c=eSws,r=abcn,p=AAAA",
        b"c=biws,r=abcn,p=AAAA",
        b"c=biws,r=abcn,p=!",
        b"c=biws,r=abcn,p=\xff",
    ],
)
def test_malformed_final_messages_fail(message):
    server = ScramServer("SCRAM-SHA-1", "n")
    server.start(b"n,,n=user,r=abc")
    server.supply(KEPT)
    step = server.step(message)
    assert isinstance(step, Failure) and step.malformed


def test_names_with_commas_and_an_identity_to_act_for():
    server = ScramServer("SCRAM-SHA-1", "n")
    assert server.start(b"n,a=bob,n=a=2Cb=3Dc,r=abc") == NeedCredentials("a,b=c")
    client = ScramClient("SCRAM-SHA-1", "a,b=c", "x", "abc")
    assert client.start() == b"n,,n=a=2Cb=3Dc,r=abc"


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"r=abc,s=QQ==,i=4096",
        b"r=xyz1,s=QQ==,i=4096",
        b"r=abc1,s=!,i=4096",
        b"r=abc1,s=QQ==,i=0",
        b"r=abc1,s=QQ==,i=99999999999",
        b"r=abc1,s=QQ==,i=x",
        b"e=other-error",
        b"\xff",
        b"x" * 5000,
    ],
)
def test_the_client_refuses_what_a_server_may_not_say(challenge):
    client = ScramClient("SCRAM-SHA-1", "user", "pencil", "abc")
    with pytest.raises(SaslError):
        client.step(challenge)


@pytest.mark.parametrize("final", [b"v=AAAA", b"e=invalid-proof", b"x=1"])
def test_the_client_does_not_believe_a_server_that_knows_no_password(final):
    client = ScramClient("SCRAM-SHA-1", "user", "pencil", "abc")
    client.step(b"r=abc1,s=QQ==,i=4096")
    with pytest.raises(SaslError):
        client.step(final)
    assert not client.is_complete
