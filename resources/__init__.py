"""What both faces share and no code holds: icons, design tokens, help texts, the browser's files.

Everything is reached by a slash-separated name, so that it is found in a checkout, in a wheel and in a bundle alike.
"""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import BinaryIO, cast


def _find(name: str) -> Traversable:
    found = files(__name__)
    for part in name.split("/"):
        if part in {"", ".", ".."}:
            raise FileNotFoundError(name)
        found = found / part
    return found


def open(name: str) -> BinaryIO:  # noqa: A001  # read as `resources.open("icons/mail.svg")`
    """The file as a byte stream. Raises: FileNotFoundError."""
    return cast(BinaryIO, _find(name).open("rb"))  # Traversable.open is typed as any IO


def text(name: str) -> str:
    """The whole file as text. Raises: FileNotFoundError."""
    return _find(name).read_text(encoding="utf-8")


def path(name: str) -> Path:
    """The file or folder on disk. Gatepost is never installed as a zip archive, so there always is one."""
    return Path(str(_find(name)))
