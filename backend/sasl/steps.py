"""What a SASL exchange asks of its shell next (RFC 4422 §3): values only, for both sides.

A server mechanism is driven so: `start(initial)` or `step(response)` answers with one of the steps below. After
`NeedPasswordCheck` or `NeedCredentials` the shell looks them up and calls `supply`. After `Success` with `final` set,
the shell sends `final` as one more challenge, to which the client answers with an empty response.
"""

from dataclasses import dataclass, field
from typing import Protocol

MAX_RESPONSE_BYTES = 4096  # of one decoded response, a security limit


@dataclass(frozen=True, slots=True)
class Challenge:
    """Send this and step with the response."""

    data: bytes


@dataclass(frozen=True, slots=True)
class NeedPasswordCheck:
    """Is that the password? `supply(True)` or `supply(False)`."""

    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeedCredentials:
    """What is stored for that name? `supply(credentials)`; made-up ones for an unknown name, so that it takes as long."""

    login: str


@dataclass(frozen=True, slots=True)
class Success:
    """`authzid`: whom the client wants to act as, empty for itself."""

    login: str
    authzid: str = ""
    final: bytes | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """`reason` is for the log, never for the client. `malformed`: the client broke the syntax."""

    reason: str
    login: str = ""
    malformed: bool = False


Step = Challenge | NeedPasswordCheck | NeedCredentials | Success | Failure


@dataclass(frozen=True, slots=True)
class ScramCredentials:
    """What a server keeps for SCRAM (RFC 5802 §3): nothing from which the password follows."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CramCredentials:
    """MD5 states after the inner and outer key block of HMAC (RFC 2104 §4): enough for CRAM-MD5, and not the password."""

    inner: bytes = field(repr=False)
    outer: bytes = field(repr=False)


Supplied = bool | ScramCredentials | CramCredentials


class ServerExchange(Protocol):
    """One sign-in from the server's side; not to be used twice."""

    name: str

    def start(self, initial: bytes | None) -> Step:
        """`initial`: the client's initial response, None if it sent none."""

    def step(self, response: bytes) -> Step: ...

    def supply(self, supplied: Supplied) -> Step: ...


class ClientExchange(Protocol):
    """One sign-in from the client's side."""

    name: str

    def start(self) -> bytes | None:
        """The initial response; None where the server speaks first."""

    def step(self, challenge: bytes, /) -> bytes:
        """Raises:
        SaslError: the server's challenge is malformed or proves that it doesn't know the password.
        """

    @property
    def is_complete(self) -> bool:
        """Whether a success that the server reports now may be believed (it has proved itself where it must)."""


class SaslError(ValueError):
    """The other side broke the exchange; the text is for the log."""
