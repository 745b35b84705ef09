"""How a command ends: a tagged reply as a value, and the errors of the store and the accounts as such replies."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from backend.core.errors import (
    ConflictError,
    NotFoundError,
    RefusedError,
    TemporaryError,
    UserError,
)
from backend.core.status import MAILBOX_FULL, MESSAGE_TOO_BIG
from backend.imap.responses import Kind


@dataclass(frozen=True, slots=True)
class Done:
    """`after` runs when the reply has been written (STARTTLS)."""

    text: str
    code: bytes = b""
    kind: Kind = Kind.OK
    after: Callable[[], Awaitable[None]] | None = None


class RefusedCommand(Exception):  # noqa: N818  # a refusal is an answer, not a fault
    """A command that is answered with NO. Raised by handlers alone, caught by the connection."""

    def __init__(self, text: str, code: bytes = b"") -> None:
        super().__init__(text)
        self.done = Done(text, code, Kind.NO)


# RFC 5530 §3: response codes for problems that have a code of our own.
_CODES = {"keywords.limit": b"LIMIT", "mailbox.limit": b"LIMIT", "mailbox.in-use": b"INUSE"}


def refusal(error: UserError | TemporaryError | RefusedError) -> Done:
    match error:
        case UserError():
            text = f"{error.problem.message} {error.problem.fix}".strip()
            return Done(text, _code_of(error), Kind.NO)
        case TemporaryError():
            # RFC 9208 §4.3: OVERQUOTA
            code = b"OVERQUOTA" if error.status == MAILBOX_FULL else b"UNAVAILABLE"
            return Done(error.status.text, code, Kind.NO)
        case RefusedError():
            code = b"TOOBIG" if error.status == MESSAGE_TOO_BIG else b"NOPERM"
            return Done(error.status.text, code, Kind.NO)


def _code_of(error: UserError) -> bytes:
    if isinstance(error, NotFoundError):
        return b"NONEXISTENT"
    if isinstance(error, ConflictError):
        return b"ALREADYEXISTS"
    return _CODES.get(error.problem.code, b"CANNOT")
