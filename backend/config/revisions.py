"""The history of the configuration: each applied change with author, time and both texts, one JSON file each.

Blocking; for a thread.
"""

import difflib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.config.atomic import write_atomically
from backend.config.load import DOMAINS_FILE, SERVER_FILE

MAX_REVISIONS = 1000  # the oldest go first, a security limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """`at`: seconds since 1970. `note` says in words what was done."""

    number: int
    at: float
    author: str
    note: str
    server: str
    domains: str


class Revisions:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.json"

    def numbers(self) -> list[int]:
        """Ascending."""
        try:
            names = [path.stem for path in self._folder.glob("*.json")]
        except OSError:
            return []
        return sorted(int(name) for name in names if name.isdecimal())

    def find(self, number: int) -> Revision | None:
        """None for one that never was, was cleared away, or is damaged."""
        try:
            data = json.loads(self._path(number).read_bytes())
            return Revision(
                number=int(data["number"]),
                at=float(data["at"]),
                author=str(data["author"]),
                note=str(data["note"]),
                server=str(data["server"]),
                domains=str(data["domains"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def latest(self) -> Revision | None:
        return next(
            (found for n in reversed(self.numbers()) if (found := self.find(n)) is not None), None
        )

    def add(self, revision: Revision) -> None:
        """Durable on return.

        Raises:
            OSError: nothing was added.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        data = json.dumps(asdict(revision), ensure_ascii=False).encode()
        write_atomically(self._path(revision.number), data)
        for number in self.numbers()[:-MAX_REVISIONS]:
            self._path(number).unlink(missing_ok=True)

    def newest(self, limit: int, offset: int = 0) -> list[Revision]:
        """The newest first, without the first `offset` of them."""
        wanted = list(reversed(self.numbers()))[offset : offset + limit]
        return [found for number in wanted if (found := self.find(number)) is not None]


def difference(old: Revision | None, new: Revision) -> str:
    """What changed, as a unified diff of the texts of both files."""
    lines: list[str] = []
    for name, before, after in (
        (SERVER_FILE, old.server if old else "", new.server),
        (DOMAINS_FILE, old.domains if old else "", new.domains),
    ):
        lines += difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"a/{name}", f"b/{name}", lineterm="", n=2
        )
    return "\n".join(lines)
