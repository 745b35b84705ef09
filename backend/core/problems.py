"""What any part of the server can complain of, in words for people."""

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault.

    `code` is stable and made for programs (`address.exists`); `message` is a sentence for a person, and `fix` says
    what to do. `path` is the JSON pointer of the field (`/domains/example.org/catchall_separator`, empty when the
    fault belongs to no field); `file` and `line` (from 1) where a configuration file is at fault.
    """

    code: str
    message: str
    path: str = ""
    fix: str = ""
    severity: Severity = Severity.ERROR
    file: str = ""
    line: int = 0
    subject: str = ""
    params: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.file else ""
        where = f"{self.path}: " if self.path else ""
        fix = f" {self.fix}" if self.fix else ""
        return f"{place}{where}{self.message}{fix}"
