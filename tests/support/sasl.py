"""Both sides of a SASL exchange against each other, without a socket."""

from backend.sasl.md5 import hmac_states
from backend.sasl.mechanisms import client_exchange, server_exchange
from backend.sasl.saslprep import prepared
from backend.sasl.scram import HASHES, derive, without_plus
from backend.sasl.steps import (
    Challenge,
    CramCredentials,
    Failure,
    NeedCredentials,
    NeedPasswordCheck,
    Success,
)

SALT = bytes(range(16))


def stored(mechanism: str, password: str):
    if without_plus(mechanism) in HASHES:
        return derive(mechanism, password, SALT, 4096)
    return CramCredentials(*hmac_states(prepared(password)))


def run_server(server, step, password: str, answer) -> Success | Failure:
    """Drives a server exchange whose account has that password; `answer(challenge)` is the client."""
    while True:
        match step:
            case Challenge(data):
                step = server.step(answer(data))
            case NeedPasswordCheck(_, given):
                step = server.supply(prepared(given) == prepared(password))
            case NeedCredentials():
                step = server.supply(stored(server.name, password))
            case Success():
                if step.final is not None:
                    assert answer(step.final) == b""
                return step
            case Failure():
                return step


def sign_in(mechanism: str, login: str, given: str, password: str):
    """The outcome at the server, and the client."""
    server = server_exchange(mechanism, nonce="srv-nonce", challenge=b"<1.2@test>")
    client = client_exchange(mechanism, login, given, nonce="cli-nonce")
    initial = client.start()
    return run_server(server, server.start(initial), password, client.step), client
