"""What goes over the admin API about the settings as text: checks, what differs line by line, revisions."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from backend.api.types import MAX_NUMBER, MAX_PAGE, Problem, Reply, Request


class ConfigFiles(Request):
    """A file that is not given stays as it is."""

    files: dict[Literal["server.toml", "domains.toml"], Annotated[str, Field(max_length=4_000_000)]]


class DiffPart(Reply):
    text: str
    changed: bool = False


class DiffLine(Reply):
    """`old`, `new`: its number in either text, 0 where it is not in it. `gap`: lines that are the same were left out."""

    kind: Literal["same", "removed", "added", "gap"]
    old: int = 0
    new: int = 0
    parts: list[DiffPart] = Field(default_factory=list)


class FileDiff(Reply):
    """What differs in one file. `left_out`: further lines, where there are too many."""

    file: str
    lines: list[DiffLine]
    left_out: int = 0


class ConfigCheck(Reply):
    """`problems` of severity error would refuse it. `effects`: what applying would do, in sentences. `files`: in which lines."""

    problems: list[Problem]
    effects: list[str] = Field(default_factory=list)
    needs_restart: bool = False
    files: list[FileDiff] = Field(default_factory=list)


class ConfigApplied(Reply):
    revision: int
    effects: list[str] = Field(default_factory=list)
    needs_restart: bool = False


class Revision(Reply):
    number: int
    at: datetime
    author: str
    summary: str = ""


class Revisions(Reply):
    items: list[Revision]
    """Newest first."""
    current: int
    total: int = 0


class RevisionsQuery(Request):
    limit: int = Field(default=50, ge=1, le=MAX_PAGE)
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)


class RevisionDiff(Reply):
    """What the revision changed against the one before, as a unified diff and line by line."""

    number: int
    diff: str
    files: list[FileDiff] = Field(default_factory=list)
