"""Where the window keeps the sign-in to another server: the keyring of the desktop, or nowhere. Never in a file of its own.

The only door to the keyring. Its calls wait for the desktop (which may ask the user to unlock it), so they run on a thread.
"""

import asyncio
import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

SERVICE = "Gatepost administration"
USER = "admin"
TIMEOUT_S = 60.0  # the desktop may ask for the keyring's password
UNSAFE = ("keyrings.alt", "keyring.backends.null")
"""Modules whose keyrings write plain text, or forget what they were given."""
ABSENT = ("keyring.backends.fail",)

_log = logging.getLogger("gatepost.ui.keys")


class KeyState(Enum):
    """Whether a sign-in can be remembered; the value says why not."""

    READY = ""
    MISSING = (
        "This desktop has no keyring, so the password is not remembered and is asked for each time. "
        "GNOME Keyring, KWallet or KeePassXC offer one."
    )
    UNSAFE = (
        "The keyring that is set up here keeps passwords in plain text, so it is not used and the password is asked for each time. "
        "GNOME Keyring, KWallet or KeePassXC are safe."
    )
    FAILED = "The keyring did not answer or is locked, so the password is asked for this time."


def _default_backend() -> Any:
    import keyring  # slow to import, and only for servers elsewhere

    return keyring.get_keyring()


class Keys:
    """`backend` gives the keyring; it is asked for once."""

    def __init__(self, backend: Callable[[], Any] = _default_backend) -> None:
        self._find = backend
        self._backend: Any = None
        self.state: KeyState | None = None
        """Known after the first use or `look`."""

    async def look(self) -> KeyState:
        if self.state is None:
            await self._ask(bool)
        return self.state or KeyState.READY

    async def get(self, url: str) -> str:
        """The password for a server; empty when there is none, or no keyring."""
        return str(
            await self._ask(lambda backend: backend.get_password(SERVICE + " " + url, USER)) or ""
        )

    async def keep(self, url: str, password: str) -> bool:
        """True when it is there to stay."""

        def put(backend: Any) -> bool:
            backend.set_password(f"{SERVICE} {url}", USER, password)
            # Some keyrings take everything and keep nothing.
            return bool(backend.get_password(f"{SERVICE} {url}", USER) == password)

        return bool(await self._ask(put))

    async def forget(self, url: str) -> None:
        def drop(backend: Any) -> None:
            if backend.get_password(f"{SERVICE} {url}", USER) is not None:
                backend.delete_password(f"{SERVICE} {url}", USER)

        await self._ask(drop)

    async def _ask(self, ask: Callable[[Any], T]) -> T | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await loop.run_in_executor(None, self._on_thread, ask)
        except Exception as error:  # keyrings raise what they like; without one the window asks
            _log.debug("keyring not used: %s", type(error).__name__)
            self.state = KeyState.FAILED
            return None

    def _on_thread(self, ask: Callable[[Any], T]) -> T | None:
        if self._backend is None:
            self._backend, self.state = _usable(self._find())
        return ask(self._backend) if self.state is KeyState.READY else None


def _usable(found: Any) -> tuple[Any, KeyState]:
    """The keyring to use: of several behind one another, the first that is safe."""
    candidates = list(getattr(found, "backends", None) or [found])
    kinds = {_kind(candidate): candidate for candidate in reversed(candidates)}
    for state in (KeyState.READY, KeyState.UNSAFE):
        if state in kinds:
            return kinds[state], state
    return found, KeyState.MISSING


def _kind(backend: Any) -> KeyState:
    for parent in type(backend).__mro__:
        module = parent.__module__
        if module.startswith(UNSAFE):
            return KeyState.UNSAFE
        if module.startswith(ABSENT):
            return KeyState.MISSING
    return KeyState.READY
