"""Messages that are files: immutable, named by their SHA-256, written before the transaction that refers to them.

A file appears under its name only when it is complete and durable. It is removed when no content refers to it; what is
about to be referred to is pinned meanwhile.
"""

import contextlib
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from backend.store.values import Content

INLINE_LIMIT_BYTES = 256 * 1024
_COPY_BYTES = 1024 * 1024
TEMPORARY = ".new-"


class Blobs:
    """The files of one account's folder `blobs`. Used from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._pins: Counter[str] = Counter()
        self._serial = 0

    def path(self, name: str) -> Path:
        return self.folder / name[:2] / name

    def pin(self, name: str) -> None:
        """Until `unpin` the file is not removed, though nothing refers to it yet."""
        with self._lock:
            self._pins[name] += 1

    def unpin(self, name: str) -> None:
        with self._lock:
            self._pins[name] -= 1
            if not self._pins[name]:
                del self._pins[name]

    def add(self, content: Content, prefix: bytes = b"") -> str:
        """Writes a message durably and returns its name, pinned: the caller calls `unpin` when its transaction is over."""
        self._make_folder()
        with self._lock:
            self._serial += 1
            temporary = self.folder / f"{TEMPORARY}{os.getpid()}-{self._serial}"
        try:
            name = _write(temporary, content, prefix)
            self.pin(name)
            try:
                target = self.path(name)
                if not target.exists():
                    if not target.parent.is_dir():
                        target.parent.mkdir(exist_ok=True)
                        sync_folder(self.folder)
                    os.rename(temporary, target)
                # Also for a file that was there: the one who put it there may not have come this far.
                sync_folder(target.parent)
            except BaseException:
                self.unpin(name)
                raise
        finally:
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()
        return name

    def adopt(self, source: Path, name: str) -> None:
        """Takes over a complete file under its name, as a link where the file system can; pinned like `add`."""
        target = self.path(name)
        self.pin(name)
        try:
            self._make_folder()
            if not target.parent.is_dir():
                target.parent.mkdir(exist_ok=True)
                sync_folder(self.folder)
            try:
                os.link(source, target)
            except FileExistsError:
                pass
            except OSError:
                self.unpin(self.add(source))
            sync_folder(target.parent)
        except BaseException:
            self.unpin(name)
            raise

    def remove(self, name: str) -> bool:
        """Unless it is pinned. The caller has made sure that nothing refers to it, and holds off new references."""
        with self._lock:
            if self._pins[name]:
                return False
            with contextlib.suppress(FileNotFoundError):
                self.path(name).unlink()
            return True

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        with open(self.path(name), "rb") as file:
            if offset:
                file.seek(offset)
            return file.read() if length is None else file.read(length)

    def names(self) -> Iterator[str]:
        """All files there are, the unfinished ones of a crash too."""
        if not self.folder.is_dir():
            return
        for entry in os.scandir(self.folder):
            if entry.is_dir():
                for file in os.scandir(entry.path):
                    yield file.name
            else:
                yield entry.name

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            sync_folder(self.folder.parent)

    def remove_unfinished(self) -> None:
        """What a crash left half written. Only when nobody writes."""
        if not self.folder.is_dir():
            return
        for entry in os.scandir(self.folder):
            if entry.name.startswith(TEMPORARY) and entry.is_file():
                os.unlink(entry.path)


def hash_file(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Makes names in a folder durable."""
    if os.name == "nt":
        return  # Windows has no such call; NTFS journals names
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _write(path: Path, content: Content, prefix: bytes) -> str:
    digest = hashlib.sha256()
    with open(path, "xb") as file:
        if prefix:
            digest.update(prefix)
            file.write(prefix)
        if isinstance(content, bytes):
            digest.update(content)
            file.write(content)
        else:
            with open(content, "rb") as source:
                while piece := source.read(_COPY_BYTES):
                    digest.update(piece)
                    file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
