"""Which version runs: the number of the distribution, and a mark that changes with the browser's files."""

import hashlib
from functools import cache
from importlib import metadata

import resources


@cache
def version() -> str:
    try:
        return metadata.version("gatepost")
    except metadata.PackageNotFoundError:
        return "0"


@cache
def build_id() -> str:
    """A page that was loaded under another one should be loaded again."""
    digest = hashlib.sha256(version().encode())
    try:
        folder = resources.path("web")
        for file in sorted(f for f in folder.rglob("*") if f.is_file()):
            digest.update(file.relative_to(folder).as_posix().encode())
            digest.update(file.read_bytes())
    except OSError:
        pass  # a build without the browser's pages
    return digest.hexdigest()[:12]
