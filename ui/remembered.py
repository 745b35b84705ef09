"""What the user has arranged, kept over the end of the window: widths of columns, splitters, and the window's place for each
arrangement of screens.
"""

from typing import Any

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSplitter, QWidget

MAX_WIDTH = 4_000  # of a column; what is wider is a damaged file


class Remembered:
    """Of one process; `attach` gives it the file."""

    def __init__(self) -> None:
        self._settings: QSettings | None = None

    def attach(self, settings: QSettings | None) -> None:
        self._settings = settings

    # ---- columns

    def width(self, table: str, column: str) -> int:
        """0: never changed."""
        value = self._get(f"columns/{_key(table)}/{_key(column)}")
        return int(value) if str(value).isdecimal() and 0 < int(value) <= MAX_WIDTH else 0

    def set_width(self, table: str, column: str, width: int) -> None:
        self._put(f"columns/{_key(table)}/{_key(column)}", width)

    # ---- splitters

    def follow(self, splitter: QSplitter) -> None:
        """Puts a splitter (by its object name) where it was, and notes where it is moved to."""
        key = f"splitters/{_key(splitter.objectName())}"
        saved = self._get(key)
        if isinstance(saved, QByteArray):
            splitter.restoreState(saved)
        splitter.splitterMoved.connect(lambda _at, _index: self._put(key, splitter.saveState()))

    # ---- the window

    def save_place(self, window: QWidget) -> None:
        self._put(f"window/geometry {screens()}", window.saveGeometry())

    def restore_place(self, window: QWidget) -> bool:
        """False: these screens were never seen."""
        saved = self._get(f"window/geometry {screens()}")
        return isinstance(saved, QByteArray) and window.restoreGeometry(saved)

    def _get(self, key: str) -> Any:
        return self._settings.value(key) if self._settings is not None else None

    def _put(self, key: str, value: object) -> None:
        if self._settings is not None:
            self._settings.setValue(key, value)


def _key(name: str) -> str:
    return name.replace("/", " ").replace("\\", " ")


def screens() -> str:
    """The arrangement of the screens, such as `1920x1080+0+0 2560x1440+1920+0`."""
    rects = sorted(
        (screen.geometry() for screen in QGuiApplication.screens()),
        key=lambda rect: (rect.x(), rect.y()),
    )
    return " ".join(f"{r.width()}x{r.height()}+{r.x()}+{r.y()}" for r in rects)


REMEMBERED = Remembered()
