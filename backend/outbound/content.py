"""Where a message lies while it waits: small ones in the queue's database, large ones as files beside it.

A file gets its name only when it is complete and durable, and before the transaction that names it; so after a crash a
file may be there without its row (and is removed), but never a row without its file.
"""

import os
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path

INLINE_LIMIT_BYTES = 256 * 1024
_COPY_OCTETS = 1024 * 1024


def write_file(folder: Path, header: bytes, rest: bytes | Path, rest_offset: int = 0) -> Path:
    """A new durable file: `header`, then `rest` from `rest_offset` on."""
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / secrets.token_hex(16)
    temporary = final.with_suffix(".new")
    try:
        with temporary.open("xb") as file:
            os.chmod(temporary, 0o600)
            file.write(header)
            for chunk in _chunks(rest, rest_offset):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(final)
        _sync_folder(folder)
    except BaseException:
        temporary.unlink(missing_ok=True)
        final.unlink(missing_ok=True)
        raise
    return final


def remove_strays(folder: Path, known: Collection[str]) -> int:
    """Removes files that no row names; how many there were. For the start only, when nothing is being written."""
    strays = (
        [path for path in folder.iterdir() if path.name not in known] if folder.is_dir() else []
    )
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def read_start(content: bytes | Path, octets: int) -> bytes:
    if isinstance(content, bytes):
        return content[:octets]
    with content.open("rb") as file:
        return file.read(octets)


def is_ascii(content: bytes | Path) -> bool:
    return all(chunk.isascii() for chunk in _chunks(content, 0))


def _chunks(rest: bytes | Path, offset: int) -> Iterator[bytes]:
    if isinstance(rest, bytes):
        yield rest[offset:]
        return
    with rest.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(_COPY_OCTETS):
            yield chunk


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows cannot open a folder; its rename is durable enough with the file flushed
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
