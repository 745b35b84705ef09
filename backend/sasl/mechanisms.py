"""Which mechanisms there are, and the one exchange object for a name."""

from collections.abc import Sequence

from backend.sasl.cram import CramClient, CramServer
from backend.sasl.plain import LoginClient, LoginServer, PlainClient, PlainServer
from backend.sasl.scram import HASHES, ScramClient, ScramServer
from backend.sasl.steps import ClientExchange, ServerExchange

SERVER_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
"""As the server offers them, best first."""
CLIENT_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5")
"""What a client tries when nothing is said; PLAIN only where it is listed (behaviour T11)."""


def server_exchange(mechanism: str, *, nonce: str, challenge: bytes) -> ServerExchange | None:
    """None for a mechanism that we don't have. `nonce` and `challenge` must be fresh."""
    name = mechanism.upper()
    if name in HASHES:
        return ScramServer(name, nonce)
    if name == "CRAM-MD5":
        return CramServer(challenge)
    if name == "PLAIN":
        return PlainServer()
    if name == "LOGIN":
        return LoginServer()
    return None


def client_exchange(mechanism: str, login: str, password: str, *, nonce: str) -> ClientExchange:
    """Raises:
    ValueError: a mechanism that we don't have.
    """
    name = mechanism.upper()
    if name in HASHES:
        return ScramClient(name, login, password, nonce)
    if name == "CRAM-MD5":
        return CramClient(login, password)
    if name == "PLAIN":
        return PlainClient(login, password)
    if name == "LOGIN":
        return LoginClient(login, password)
    raise ValueError(f"unknown mechanism {mechanism}")


def choose(offered: Sequence[str], allowed: Sequence[str] = ()) -> str | None:
    """The first mechanism in the client's order that the server announces; None when there is none."""
    names = {name.upper() for name in offered}
    wanted = [name.upper() for name in allowed] or list(CLIENT_MECHANISMS)
    return next((name for name in wanted if name in names), None)
