"""Which mechanisms there are, and the one exchange object for a name."""

from collections.abc import Sequence

from backend.sasl.cram import CramClient, CramServer
from backend.sasl.plain import LoginClient, LoginServer, PlainClient, PlainServer
from backend.sasl.scram import HASHES, PLUS, ScramClient, ScramServer, without_plus
from backend.sasl.steps import ClientExchange, ServerExchange

SERVER_MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "PLAIN", "LOGIN")
"""As the server offers them, best first."""
BINDING_MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS")
"""What it offers before those where it knows the certificate that the client was shown."""
CLIENT_MECHANISMS = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "CRAM-MD5",
)
"""What a client tries when nothing is said; PLAIN and LOGIN only where they are listed (behaviour T11)."""


def server_exchange(
    mechanism: str, *, nonce: str, challenge: bytes, binding: bytes | None = None
) -> ServerExchange | None:
    """None for a mechanism that we don't have. `nonce` and `challenge` must be fresh. `binding`: of this connection,
    where the -PLUS mechanisms were offered.
    """
    name = mechanism.upper()
    if without_plus(name) in HASHES:
        if name.endswith(PLUS) and binding is None:
            return None
        return ScramServer(name, nonce, binding=binding)
    if name == "CRAM-MD5":
        return CramServer(challenge)
    if name == "PLAIN":
        return PlainServer()
    if name == "LOGIN":
        return LoginServer()
    return None


def client_exchange(
    mechanism: str, login: str, password: str, *, nonce: str, binding: bytes | None = None
) -> ClientExchange:
    """`binding`: of this connection, where the -PLUS mechanisms are allowed.

    Raises:
        ValueError: a mechanism that we don't have, or one with binding without it.
    """
    name = mechanism.upper()
    if without_plus(name) in HASHES:
        return ScramClient(name, login, password, nonce, binding=binding)
    if name == "CRAM-MD5":
        return CramClient(login, password)
    if name == "PLAIN":
        return PlainClient(login, password)
    if name == "LOGIN":
        return LoginClient(login, password)
    raise ValueError(f"unknown mechanism {mechanism}")


def choose(
    offered: Sequence[str], allowed: Sequence[str] = (), *, can_bind: bool = False
) -> str | None:
    """The first mechanism in the client's order that the server announces; None when there is none."""
    names = {name.upper() for name in offered}
    wanted = [name.upper() for name in allowed] or list(CLIENT_MECHANISMS)
    if not can_bind:
        wanted = [name for name in wanted if not name.endswith(PLUS)]
    return next((name for name in wanted if name in names), None)


def may_bind(allowed: Sequence[str]) -> bool:
    """Whether the client's list lets it bind to the channel; without, it can't tell the server that it would have."""
    return any(name.upper().endswith(PLUS) for name in allowed or CLIENT_MECHANISMS)
