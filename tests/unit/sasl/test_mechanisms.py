import hashlib
import hmac
import imaplib
import smtplib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.sasl.cram import CramServer
from backend.sasl.md5 import hmac_from_states, hmac_states
from backend.sasl.mechanisms import (
    SERVER_MECHANISMS,
    choose,
    client_exchange,
    server_exchange,
)
from backend.sasl.plain import LoginServer, PlainServer
from backend.sasl.steps import (
    Challenge,
    CramCredentials,
    Failure,
    NeedCredentials,
    NeedPasswordCheck,
    SaslError,
    Success,
)
from tests.support.sasl import run_server, sign_in, stored


@pytest.mark.parametrize("mechanism", SERVER_MECHANISMS)
@pytest.mark.parametrize("password", ["secret", "pässwörd \u00aa\u2168", "x" * 100])
def test_client_and_server_understand_each_other(mechanism, password):
    outcome, client = sign_in(mechanism, "anna@example.org", password, password)
    assert isinstance(outcome, Success)
    assert outcome.login == "anna@example.org"
    assert client.is_complete


@pytest.mark.parametrize("mechanism", SERVER_MECHANISMS)
def test_a_wrong_password_fails(mechanism):
    outcome, _ = sign_in(mechanism, "anna@example.org", "wrong", "secret")
    assert outcome == Failure("wrong password", "anna@example.org")


@given(
    st.sampled_from(SERVER_MECHANISMS),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40),
)
def test_every_password_that_can_be_typed_works(mechanism, password):
    outcome, _ = sign_in(mechanism, "anna@example.org", password, password)
    assert isinstance(outcome, Success)


def test_the_example_of_rfc_2195():
    # RFC 2195 §2
    server = CramServer(b"<1896.697170952@postoffice.reston.mci.net>")
    assert server.start(None) == Challenge(b"<1896.697170952@postoffice.reston.mci.net>")
    assert server.step(b"tim b913a602c7eda7a495b4e6e7334d3890") == NeedCredentials("tim")
    kept = CramCredentials(*hmac_states(b"tanstaaftanstaaf"))
    assert server.supply(kept) == Success("tim")


def test_what_is_kept_for_cram_is_not_the_password():
    kept = stored("CRAM-MD5", "secret")
    assert b"secret" not in kept.inner + kept.outer
    assert len(kept.inner) == len(kept.outer) == 16
    assert "inner=" not in repr(kept)


@given(st.binary(max_size=200), st.binary(max_size=300))
def test_hmac_from_stored_states_is_hmac(key, message):
    assert hmac_from_states(*hmac_states(key), message) == hmac.digest(key, message, hashlib.md5)


@pytest.mark.parametrize(
    "response", [b"", b"tim", b"tim xyz", b" " + b"0" * 32, b"\xff " + b"0" * 32, b"x" * 5000]
)
def test_malformed_cram_responses_fail(response):
    server = CramServer(b"<1@x>")
    server.start(None)
    step = server.step(response)
    assert isinstance(step, Failure) and step.malformed


def test_cram_takes_no_initial_response():
    assert isinstance(CramServer(b"<1@x>").start(b"tim"), Failure)


def test_the_example_of_rfc_4616():
    # RFC 4616 §4
    server = PlainServer()
    assert server.start(None) == Challenge(b"")
    assert server.step(b"\0tim\0tanstaaftanstaaf") == NeedPasswordCheck("tim", "tanstaaftanstaaf")
    assert server.supply(True) == Success("tim")
    server = PlainServer()
    assert server.start(b"Ursel\0Kurt\0xipj3plmq") == NeedPasswordCheck("Kurt", "xipj3plmq")
    assert server.supply(True) == Success("Kurt", "Ursel")


@pytest.mark.parametrize(
    "message",
    [b"", b"tim", b"\0tim", b"\0\0x", b"\0tim\0", b"\0t\0x\0y", b"\0\xff\0x", b"x" * 5000],
)
def test_malformed_plain_messages_fail(message):
    step = PlainServer().start(message)
    assert isinstance(step, Failure) and step.malformed


def test_login_asks_for_name_and_password():
    server = LoginServer()
    assert server.start(None) == Challenge(b"Username:")
    assert server.step(b"tim") == Challenge(b"Password:")
    assert server.step(b"secret") == NeedPasswordCheck("tim", "secret")
    server = LoginServer()
    assert server.start(b"tim") == Challenge(b"Password:")
    step = server.step(b"\xff")
    assert isinstance(step, Failure) and step.malformed


def test_the_password_is_not_in_the_representation():
    assert "secret" not in repr(NeedPasswordCheck("tim", "secret"))


def test_the_client_takes_the_first_of_its_own_that_the_server_offers():
    assert choose(["plain", "scram-sha-1", "CRAM-MD5"]) == "SCRAM-SHA-1"
    assert choose(["PLAIN", "LOGIN"]) is None
    assert choose(["PLAIN", "CRAM-MD5"], ["PLAIN", "CRAM-MD5"]) == "PLAIN"


def test_names_of_mechanisms_have_no_case():
    assert server_exchange("scram-sha-256", nonce="x", challenge=b"").name == "SCRAM-SHA-256"
    assert client_exchange("plain", "a", "b", nonce="x").name == "PLAIN"
    assert server_exchange("GSSAPI", nonce="x", challenge=b"") is None
    with pytest.raises(ValueError, match="unknown"):
        client_exchange("GSSAPI", "a", "b", nonce="x")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_a_client_answers_no_more_challenges_than_there_are(mechanism):
    client = client_exchange(mechanism, "a", "b", nonce="x")
    client.start()
    with pytest.raises(SaslError):
        for _ in range(3):
            client.step(b"x")


def smtplib_client() -> smtplib.SMTP:
    client = smtplib.SMTP()
    client.user, client.password = "anna@example.org", "secret"
    return client


def test_smtplib_is_understood():
    peer = smtplib_client()
    server = CramServer(b"<1.2@test>")

    def answer(challenge: bytes) -> bytes:
        return peer.auth_cram_md5(challenge).encode()

    assert isinstance(run_server(server, server.start(None), "secret", answer), Success)
    plain = PlainServer()
    first = plain.start(peer.auth_plain().encode())
    assert isinstance(run_server(plain, first, "secret", bytes), Success)
    login = LoginServer()
    first = login.start(peer.auth_login().encode())
    peer._auth_challenge_count = 2  # as its auth() counts
    step = run_server(login, first, "secret", lambda challenge: peer.auth_login(challenge).encode())
    assert isinstance(step, Success)


def test_imaplib_is_understood():
    peer = imaplib.IMAP4.__new__(imaplib.IMAP4)
    peer.user, peer.password = "anna@example.org", "secret"
    server = CramServer(b"<1.2@test>")

    def answer(challenge: bytes) -> bytes:
        return peer._CRAM_MD5_AUTH(challenge).encode()

    assert isinstance(run_server(server, server.start(None), "secret", answer), Success)
