"""Who talks to the server: the window's one link, its state, its events, its way back after a break.

Pages never see the client; they `await session.call(...)` and listen to `session.event`.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from backend.api import types as t
from backend.api.client import ApiError, Client, NotReachableError
from ui.control import LocalServer, RemoteServer, ServerControl, StartError, Target
from ui.keys import Keys
from ui.presenters.link import Backoff, CrashWatch, LinkState, versions_agree

T = TypeVar("T")

START_TIMEOUT_S = 30.0
HELLO_TIMEOUT_S = 6.0
POLL_S = 0.15

_log = logging.getLogger("gatepost.ui.session")


class NotConnectedError(Exception):
    """Nothing can be asked now; the banner says why."""


class Session(QObject):
    """Holds the link from `open` to `close`.

    Signals:
        state_changed: `state` or `detail` or `waiting_s` are new.
        happened: one event of the server (a `backend.api.types` model).
        refresh: connected again, or events were lost: whatever is shown must be read again.
        crash_loop: three unexpected ends within ten minutes.
        not_kept: the password was right, but could not be put into the keyring; with the reason.
    """

    state_changed = Signal()
    happened = Signal(object)
    refresh = Signal()
    crash_loop = Signal()
    not_kept = Signal(str)

    def __init__(self, control: ServerControl, keys: Keys | None = None) -> None:
        super().__init__()
        self.control = control
        self.keys = keys or Keys()
        self.target: Target | None = None
        self.state = LinkState.NO_SERVER
        self.detail = ""
        self.waiting_s = 0.0
        self.hello: t.Hello | None = None
        self._client: Client | None = None
        self._expected: LinkState | None = None
        self._wake = asyncio.Event()
        self._backoff = Backoff()
        self._crashes = CrashWatch()
        self._was_connected = False
        self._password = ""
        self._remember = False
        self._kept_is_wrong = False
        self._attempt: asyncio.Task[None] | None = None

    # ---- what pages use

    @property
    def is_connected(self) -> bool:
        return self.state is LinkState.CONNECTED

    @property
    def is_coming(self) -> bool:
        """The connection is expected in a moment."""
        return self.state in {LinkState.CONNECTING, LinkState.STARTING, LinkState.RESTARTING}

    @property
    def is_local(self) -> bool:
        return isinstance(self.target, LocalServer)

    async def call(self, ask: Callable[[Client], Awaitable[T]]) -> T:
        """Asks the server. Raises: NotConnectedError, ApiError."""
        client = self._client
        if client is None or not self.is_connected:
            raise NotConnectedError(
                "There is no connection to the server now. Try again when it is back."
            )
        try:
            return await ask(client)
        except NotReachableError as error:
            raise NotConnectedError(
                "The server did not answer. The window tries again by itself."
            ) from error

    @contextlib.asynccontextmanager
    async def open_log(self, query: t.LogQuery) -> AsyncIterator[AsyncIterator[t.LogLine]]:
        client = self._client
        if client is None or not self.is_connected:
            raise NotConnectedError("There is no connection to the server now.")
        try:
            async with client.open_log(query) as lines:
                yield lines
        except NotReachableError as error:
            raise NotConnectedError("The log's connection broke.") from error

    # ---- start, stop, choose

    async def start_server(self, *, practice: bool = False) -> None:
        """Starts the local server and waits until it answers. Raises: StartError."""
        if not isinstance(self.target, LocalServer):
            raise StartError("Only a server on this computer can be started from here.")
        self._expected = LinkState.STARTING
        self._set(LinkState.STARTING)
        try:
            await self.control.start(self.target.folder, practice=practice)
            self._wake.set()
            deadline = time.monotonic() + START_TIMEOUT_S
            while not self.is_connected:
                if not self.control.is_alive(self.target.folder):
                    said = "\n".join(self.control.tail(self.target.folder, 3))
                    raise StartError(said or "The server ended while it was starting.")
                if time.monotonic() > deadline:
                    raise StartError(
                        f"The server did not answer within {START_TIMEOUT_S:.0f} seconds."
                    )
                self._wake.set()
                await asyncio.sleep(POLL_S)
        except StartError as error:
            self._died(str(error))
            raise
        finally:
            self._expected = None

    async def stop_server(self) -> None:
        """Asks the server to stop and waits until it has."""
        self._expected = LinkState.STOPPED
        self._set(LinkState.STOPPING)
        try:
            if isinstance(self.target, LocalServer):
                await self.control.stop(self.target.folder)
            elif self._client is not None:
                await self._client.shut_down()
        finally:
            self._wake.set()

    async def restart_server(self) -> None:
        self._expected = LinkState.RESTARTING
        self._set(LinkState.RESTARTING)
        if isinstance(self.target, LocalServer):
            await self.control.stop(self.target.folder)
            await self.start_server()
        elif self._client is not None:
            await self._client.restart()
            self._wake.set()

    def open(self, target: Target, *, password: str = "", remember: bool = False) -> None:
        """Chooses the server; the link follows by itself. `remember`: the password is put into the keyring once it is right."""
        self.target = target
        self._password, self._remember = password, remember
        self._kept_is_wrong = False
        self.hello = None
        self._was_connected = False
        self._expected = None
        self._crashes.reset()
        self._backoff.reset()
        self._set(LinkState.CONNECTING)
        self._start_over()

    def forget(self) -> None:
        """Back to the start page."""
        self.target = None
        self.hello = None
        self._set(LinkState.NO_SERVER)
        self._start_over()

    def _start_over(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        self._wake.set()

    def sign_in(self, password: str, *, remember: bool = False) -> None:
        self._password, self._remember = password, remember
        self._wake.set()

    def retry_now(self) -> None:
        self._backoff.reset()
        self._wake.set()

    # ---- the link

    async def run(self) -> None:
        """Keeps the link until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            target = self.target
            if target is None:
                await self._pause(None)
                continue
            self._wake.clear()
            self._attempt = loop.create_task(self._connect(target), name="link")
            try:
                await asyncio.wait({self._attempt})
            finally:
                self._attempt.cancel()
                await self._drop_client()
            if self._attempt.cancelled():
                continue  # another server was chosen
            error = self._attempt.exception()
            if isinstance(error, ApiError):
                self._refused(error)
            elif isinstance(error, NotReachableError | TimeoutError | OSError):
                self._lost(target, error)
            elif error is not None:
                raise error
            if self.target is target:
                await self._pause(self._wait_s())

    async def _connect(self, target: Target) -> None:
        """Returns when the window has to wait for the user; raises when the link is lost."""
        client = _open_client(target)
        self._client = client
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            hello = await client.hello()
        if not hello.signed_in and not await self._sign_in_to(client, target):
            return
        self.hello = hello
        if not versions_agree(t.API_VERSION, hello.api_version):
            self._set(LinkState.VERSION_DIFFERS, f"It is version {hello.version}.")
            return
        async with client.open_events() as events:
            self._backoff.reset()
            if self._expected is not LinkState.STARTING:
                self._expected = None
            self._was_connected = True
            self._set(LinkState.CONNECTED)
            self.refresh.emit()
            async for event in events:
                self._take(event.data)
        raise NotReachableError("The server closed the connection.")

    async def _sign_in_to(self, client: Client, target: Target) -> bool:
        """With what was typed, else with what the keyring holds; false when the user has to be asked."""
        url = target.url if isinstance(target, RemoteServer) else ""
        typed, kept = self._password, ""
        if not typed and url and not self._kept_is_wrong:
            kept = await self.keys.get(url)
        if not typed and not kept:
            self._set(LinkState.SIGN_IN, self.detail if self.state is LinkState.SIGN_IN else "")
            return False
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                await client.sign_in(typed or kept)
        except ApiError as error:
            if kept and error.status == 401:
                self._kept_is_wrong = True
                await self.keys.forget(url)
            raise
        self._password = typed or kept
        if typed and url and self._remember:
            self._remember = False
            if not await self.keys.keep(url, typed):
                self.not_kept.emit(self.keys.state.value if self.keys.state is not None else "")
        return True

    def _take(self, data: t.EventData) -> None:
        if isinstance(data, t.ResyncEvent):
            self.refresh.emit()
        elif isinstance(data, t.ServerEvent):
            restarting = data.state == "restarting"
            self._expected = LinkState.RESTARTING if restarting else LinkState.STOPPED
        else:
            self.happened.emit(data)

    def _lost(self, target: Target, error: Exception) -> None:
        _log.debug("link lost: %s", error)
        if self.target is not target:
            return
        if self._expected in {LinkState.STARTING, LinkState.RESTARTING}:
            self._set(self._expected)
            return
        if not isinstance(target, LocalServer):
            self._set(LinkState.NOT_RESPONDING, str(error))
            return
        if _is_forbidden(error):
            self._set(LinkState.NO_PERMISSION)
        elif self.control.is_alive(target.folder):
            if self._expected is LinkState.STOPPED:
                self._set(LinkState.STOPPING)
            else:
                self._set(LinkState.NOT_RESPONDING)
        elif self._expected is LinkState.STOPPED or not self._was_connected:
            self._expected = None
            self._was_connected = False
            if self.state is not LinkState.DIED:
                self._set(LinkState.STOPPED)
        else:
            self._died("")

    def _died(self, detail: str) -> None:
        self._was_connected = False
        self._set(LinkState.DIED, detail)
        if self._crashes.add(time.monotonic()):
            self.crash_loop.emit()

    def _refused(self, error: ApiError) -> None:
        if error.status == 401:
            self._password = ""
            self._set(LinkState.SIGN_IN, str(error))
        elif error.status == 403:
            self._set(LinkState.NO_PERMISSION, str(error))
        else:
            self._set(LinkState.NOT_RESPONDING, str(error))

    def _wait_s(self) -> float | None:
        if self.state in {LinkState.SIGN_IN, LinkState.VERSION_DIFFERS}:
            return None
        if self.state in {LinkState.STARTING, LinkState.RESTARTING, LinkState.STOPPING}:
            return POLL_S
        return self._backoff.next_s()

    async def _pause(self, wait_s: float | None) -> None:
        self.waiting_s = wait_s or 0.0
        if self.state is LinkState.NOT_RESPONDING:
            self.state_changed.emit()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        self._wake.clear()

    def _set(self, state: LinkState, detail: str = "") -> None:
        changed = (state, detail) != (self.state, self.detail)
        self.state, self.detail = state, detail
        if changed:
            self.state_changed.emit()

    async def _drop_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def _open_client(target: Target) -> Client:
    if isinstance(target, RemoteServer):
        return Client.of_url(target.url, ca_file=target.ca_file)
    return Client.of_folder(target.folder)


def _is_forbidden(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, PermissionError):
            return True
        error = error.__cause__
    return False
