"""What somebody has looked at and decided to leave: problems that no longer call for attention, and hints that were put away.

An acknowledgement holds for what was found, not for its place: when the problem is over, gets worse or says something else, it is
shown again.
"""

import json
import os
import re
import secrets
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.core.problems import Problem
from backend.observe import log as logs

log = logs.get(__name__)

MAX_KEPT = 500  # a security limit
MAX_NOTE_CHARS = 500

_NUMBERS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Note:
    """`finding`: what it was about."""

    note: str
    by: str
    at: float
    finding: str


def finding(severity: str, message: str) -> str:
    """What must stay the same. Numbers may move: a certificate that ends in 20 days ends in 19 tomorrow."""
    return f"{severity} {_NUMBERS.sub('#', message)}"


class Acknowledged:
    """`save` writes a small file, to be called off the loop."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "acknowledged.json"
        self._notes: dict[tuple[str, str], Note] = {}
        self._put_away: set[str] = set()
        self._one_writer = threading.Lock()

    def load(self) -> None:
        try:
            value = json.loads(self._file.read_bytes())
            self._notes = {
                (str(each["code"]), str(each["subject"])): Note(
                    str(each["note"]), str(each["by"]), float(each["at"]), str(each["finding"])
                )
                for each in value["problems"][:MAX_KEPT]
            }
            self._put_away = {str(each) for each in value["hints"][:MAX_KEPT]}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("acknowledgements can't be read", error=repr(error))

    def note_of(self, code: str, subject: str, severity: str, message: str) -> Note | None:
        """None: it calls for attention."""
        note = self._notes.get((code, subject))
        return note if note is not None and note.finding == finding(severity, message) else None

    def put(self, code: str, subject: str, note: Note) -> None:
        if len(self._notes) >= MAX_KEPT:
            self._notes.pop(next(iter(self._notes)))
        self._notes[(code, subject)] = note

    def remove(self, code: str, subject: str) -> None:
        """Taken back, or over."""
        self._notes.pop((code, subject), None)

    def put_away(self, hint: str) -> None:
        if len(self._put_away) < MAX_KEPT:
            self._put_away.add(hint)

    def is_put_away(self, hint: str) -> bool:
        return hint in self._put_away

    def renew(self, problem: Problem) -> None:
        """It was raised again: what it was acknowledged for may have changed."""
        note = self._notes.get((problem.code, problem.subject))
        if note is not None and note.finding != finding(problem.severity.value, problem.message):
            self.remove(problem.code, problem.subject)

    def save(self) -> None:
        value = {
            "problems": [
                {"code": code, "subject": subject, **asdict(note)}
                for (code, subject), note in list(self._notes.items())
            ],
            "hints": sorted(self._put_away),
        }
        data = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
        with self._one_writer:
            temporary = self._file.with_name(f".{self._file.name}.{secrets.token_hex(6)}")
            try:
                self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                temporary.write_bytes(data)
                os.replace(temporary, self._file)
            except OSError as error:
                log.warning("acknowledgements not kept", error=error.strerror or repr(error))
