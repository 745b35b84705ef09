"""Signing in by every mechanism that is offered."""

import base64
import hmac

import pytest
from scramp import ScramClient

from tests.support.imap_server import PASSWORD, Client, running_imap

LOGIN = "anna@gatepost.test"


async def sign_in(client: Client, mechanism: str, password: str) -> bytes:
    """The tagged answer."""
    exchange = client_exchange(mechanism, LOGIN, password)
    client.send(f"a AUTHENTICATE {mechanism}\r\n".encode())
    while (line := await client.line()).startswith(b"+"):
        response = exchange(base64.b64decode(line[2:]))
        client.send(base64.b64encode(response) + b"\r\n")
    return line


def client_exchange(mechanism, login, password):
    """challenge -> response"""
    if mechanism == "PLAIN":
        return lambda _: f"\0{login}\0{password}".encode()
    if mechanism == "LOGIN":
        answers = iter([login.encode(), password.encode()])
        return lambda _: next(answers)
    if mechanism == "CRAM-MD5":
        return lambda challenge: _cram(login, password, challenge)
    return _Scram(mechanism, login, password)


def _cram(login, password, challenge):
    digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
    return f"{login} {digest}".encode()


class _Scram:
    """scramp is written by others: it checks the server's side of the proof too."""

    def __init__(self, mechanism, login, password):
        self._client = ScramClient([mechanism], login, password)
        self._step = 0

    def __call__(self, challenge):
        self._step += 1
        if self._step == 1:
            return self._client.get_client_first().encode()
        if self._step == 2:
            self._client.set_server_first(challenge.decode())
            return self._client.get_client_final().encode()
        self._client.set_server_final(challenge.decode())
        return b""


@pytest.mark.parametrize(
    "mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
)
async def test_mechanism(tmp_path, mechanism):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        assert (await sign_in(client, mechanism, "wrong")).startswith(
            b"a NO [AUTHENTICATIONFAILED]"
        )
        done = await sign_in(client, mechanism, PASSWORD)
        assert done.startswith(b"a OK [CAPABILITY")
        await client.ok("SELECT INBOX")


async def test_sasl_ir_saves_a_round_trip(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        initial = base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode()).decode()
        await client.ok(f"AUTHENTICATE PLAIN {initial}")


async def test_a_name_that_is_no_text_is_simply_wrong(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        _, done = await client.call(b"LOGIN {2+}\r\n\xff\xfe x")
        assert done.startswith(b"NO [AUTHENTICATIONFAILED]")
