"""Which SQL scripts bring a database up to date? Files `NNNN_name.sql` of a folder, in the order of their numbers."""

from functools import cache
from importlib import resources


@cache
def load(folder: str, package: str = "backend.store") -> tuple[str, ...]:
    """The scripts of `schema/<folder>` in a package.

    Raises:
        RuntimeError: a number is missing or there twice.
    """
    files = sorted(
        (entry.name, entry)
        for entry in resources.files(package).joinpath("schema", folder).iterdir()
        if entry.name.endswith(".sql")
    )
    numbers = [int(name[:4]) for name, _ in files]
    if numbers != list(range(1, len(files) + 1)):
        raise RuntimeError(
            f"the migrations of {package}/schema/{folder} are not numbered from 1 on"
        )
    return tuple(entry.read_text(encoding="utf-8") for _, entry in files)
