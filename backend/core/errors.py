"""The exceptions that cross package borders.

    AppError
    ├── PeerError            the other side broke the protocol       -> BAD / 5xx, close if framing
    ├── RefusedError         we won't, by policy; carries an SmtpStatus
    ├── TemporaryError       not now; carries an SmtpStatus          -> 4xx, NO [UNAVAILABLE], retry
    ├── UserError            shown to our user as it is; carries a Problem
    └── ConfigError          all Problems of a configuration at once

Everything else is a builtin. The text of an SmtpStatus or Problem is public; the private cause is chained with `from`.
"""

from collections.abc import Sequence

from backend.core.problems import Problem
from backend.core.status import SmtpStatus


class AppError(Exception):
    """Root of Gatepost's own exceptions."""


class PeerError(AppError):
    """The other side broke its protocol; the text may be sent back."""


class RefusedError(AppError):
    """Refused by policy; `status` is a 5xx whose text may be sent."""

    def __init__(self, status: SmtpStatus) -> None:
        super().__init__(str(status))
        self.status = status


class TemporaryError(AppError):
    """Not possible now; `status` is a 4xx whose text may be sent."""

    def __init__(self, status: SmtpStatus) -> None:
        super().__init__(str(status))
        self.status = status


class UserError(AppError):
    """A mistake or an impossibility to be told to our own user."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class NotFoundError(UserError):
    """The thing that was named does not exist (HTTP 404)."""


class ConflictError(UserError):
    """The thing exists already, or has changed since it was read (HTTP 409)."""


class ConfigError(AppError):
    """A configuration that can't be used; `problems` holds all faults at once, never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(p) for p in problems))
        self.problems = tuple(problems)
