"""The sealed folder: what must not stand in a configuration file. One JSON file a secret, for this user alone.

Names are paths of one to four safe parts such as `accounts/anna/password`. Reading a file takes microseconds; writing
waits for the disk and belongs on a thread.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from backend.config.atomic import sync_folder, write_atomically
from backend.observe import log as logs

log = logs.get(__name__)

MAX_SECRET_BYTES = 1024 * 1024  # a security limit
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,127}")
_SUFFIX = ".json"

Secret = Mapping[str, object]


def transport_password_name(transport: str) -> str:
    """The secret that holds a transport's password, as `{"password": "…"}`."""
    return f"transports/{transport}"


def transport_password(store: "SecretStore", transport: str) -> str | None:
    """None if none is stored."""
    secret = store.get(transport_password_name(transport))
    password = secret.get("password") if secret is not None else None
    return password if isinstance(password, str) else None


class SecretStore:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self) -> None:
        """Makes the folder, or takes away the rights that others have on it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self._folder, *self._folder.rglob("*")):
            if path.stat().st_mode & 0o077:
                log.warning("secrets were readable for others, closed", path=str(path))
                path.chmod(0o700 if path.is_dir() else 0o600)

    def _path(self, name: str) -> Path:
        parts = name.split("/")
        if not 1 <= len(parts) <= 4 or not all(_PART.fullmatch(part) for part in parts):
            raise ValueError(f"“{name}” is not a name for a secret")
        return self._folder.joinpath(*parts[:-1], parts[-1] + _SUFFIX)

    def get(self, name: str) -> dict[str, object] | None:
        """None if there is no such secret.

        Raises:
            ValueError: the file is damaged.
        """
        try:
            with self._path(name).open("rb") as file:
                data = file.read(MAX_SECRET_BYTES + 1)
        except FileNotFoundError:
            return None
        if len(data) > MAX_SECRET_BYTES:
            raise ValueError(f"the secret {name} is too large")
        value = json.loads(data)
        if isinstance(value, dict):
            return value
        raise ValueError(f"the secret {name} is damaged")

    def set(self, name: str, value: Secret) -> None:
        """Durable on return."""
        path = self._path(name)
        data = json.dumps(dict(value), indent=1).encode()
        if len(data) > MAX_SECRET_BYTES:
            raise ValueError("a secret may not be that large")
        self._make_folders(path.parent)
        write_atomically(path, data, mode=0o600)

    def _make_folders(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)

    def delete(self, name: str) -> bool:
        """Whether there was one. Folders that become empty go as well."""
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        sync_folder(path.parent)
        for folder in path.parents:
            if folder == self._folder or any(folder.iterdir()):
                break
            folder.rmdir()
        return True

    def list(self, prefix: str = "") -> list[str]:
        """Names, sorted; `prefix` such as `accounts/anna/`."""
        names = [
            path.relative_to(self._folder).as_posix().removesuffix(_SUFFIX)
            for path in self._folder.rglob(f"*{_SUFFIX}")
            if not path.name.startswith(".")
        ]
        return sorted(name for name in names if name.startswith(prefix))
