"""The life of the server process: from an empty lock file to open ports, and back."""

import asyncio
import json
import logging
import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from backend.accounts.login import is_loopback
from backend.checkup.probes import Door
from backend.config.atomic import write_atomically
from backend.config.paths import DataFolder
from backend.config.server import Listener
from backend.core.clock import Clock, SystemClock
from backend.observe import log as logs
from backend.observe.ring import LogRing
from backend.runtime import tasks, threads
from backend.runtime.handshakes import Handshakes
from backend.runtime.listeners import Listeners, Service
from backend.server import practice
from backend.server.compose import Appliance
from backend.server.faces import Faces
from backend.server.listening import Kind, OpenPort, endpoints, wanted
from backend.server.lock import FolderLock

log = logs.get(__name__)

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A server whose ports all answer. Passwords are there in practice mode alone."""

    folder: Path
    ports: tuple[OpenPort, ...]
    ca_file: str
    web_url: str
    admin_password: str | None = field(repr=False)
    accounts: practice.Accounts = field(repr=False)

    def contract(self) -> dict[str, object]:
        """What `gatepost trial --json` prints."""
        addresses: dict[str, object] = {}
        for port in self.ports:
            addresses.setdefault(port.kind.service, [port.host, port.port])
        return {
            **addresses,
            "admin": {"url": self._admin_url(), "user": "admin", "password": self.admin_password},
            "accounts": [{"address": a, "password": p} for a, p in self.accounts],
            "ca_file": self.ca_file,
            "data_dir": str(self.folder),
            "pid": os.getpid(),
        }

    def _admin_url(self) -> str:
        # By address: where "localhost" means ::1 first, not every program tries 127.0.0.1 as well.
        return self.web_url.replace("//localhost:", f"//{practice.HOST}:")


class Server:
    """One run. `request_stop` and `request_restart` may be called at any time on the loop's thread."""

    def __init__(self, folder: Path, *, console: bool = False, clock: Clock | None = None) -> None:
        self._data = DataFolder(folder.resolve())
        self._console = console
        self._clock = clock or SystemClock()
        self._stop = asyncio.Event()
        self.restart_requested = False

    def request_stop(self) -> None:
        self._stop.set()

    def request_restart(self) -> None:
        self.restart_requested = True
        self._stop.set()

    async def run(
        self,
        *,
        on_ready: Callable[[Running], None] | None = None,
        accounts: practice.Accounts = (),
    ) -> None:
        """Serves until a stop is requested. `accounts`: to exist in practice mode.

        Raises:
            UserError: the folder is in use.
            ConfigError: faults in the settings, or ports that can't be opened.
        """
        lock = FolderLock(self._data.run)
        lock.take()
        async with AsyncExitStack() as stack:
            stack.callback(lock.release)
            stack.callback(threads.shut_down)
            ring = self._set_up_logs(stack)
            appliance = Appliance(self._data, self._clock)
            appliance.ring = ring
            stack.push_async_callback(appliance.close)
            await appliance.open()
            config = appliance.config.current.server
            logging.getLogger("gatepost").setLevel(_LEVELS[config.log.level])
            faces = Faces(
                appliance, ring=ring, stop=self.request_stop, restart=self.request_restart
            )
            stack.push_async_callback(faces.close)
            await faces.open()
            secret: str | None = None
            if config.practice_mode:
                accounts = await practice.make_accounts(
                    appliance.accounts, appliance.passwords, appliance.secrets, accounts
                )
                secret = await practice.admin_password(appliance.secrets, faces.admin_password)
            ports = await self._listen(appliance, faces, stack)
            background = self._start_background(appliance)
            stack.push_async_callback(tasks.stop, *background)
            await faces.open_socket(ports)
            running = Running(
                folder=self._data.root,
                ports=ports,
                ca_file=str(appliance.tls.ca_file or ""),
                web_url=faces.web_url,
                admin_password=secret,
                accounts=accounts,
            )
            self._write_note(running, stack)
            log.info("server is ready", ports=len(ports), practice_mode=config.practice_mode)
            if on_ready is not None:
                on_ready(running)
            await self._stop.wait()
            log.info("server is stopping", restart=self.restart_requested)
            faces.announce_end(restarting=self.restart_requested)

    def _set_up_logs(self, stack: AsyncExitStack) -> LogRing:
        root = logs.set_up(file=self._data.server_log, console=self._console)
        ring = LogRing()
        root.addHandler(ring)

        def take_down() -> None:
            for handler in list(root.handlers):
                root.removeHandler(handler)
                handler.close()

        stack.callback(take_down)
        return ring

    async def _listen(
        self, appliance: Appliance, faces: Faces, stack: AsyncExitStack
    ) -> tuple[OpenPort, ...]:
        config = appliance.config.current.server
        tls = appliance.tls.server_context

        def make(listener: Listener, kind: Kind) -> Service:
            match kind.service:
                case "smtp":
                    factory = appliance.mx.protocol_factory
                case "submission" | "submissions":
                    factory = appliance.submission.protocol_factory
                case "imap" | "imaps":
                    factory = appliance.imap.protocol_factory(implicit_tls=kind.security == "tls")
                case _:
                    factory = faces.protocol_factory(admin=listener.admin)
            return Service(factory, tls if kind.security == "tls" else None)

        limits = config.limits
        listeners = Listeners(
            Handshakes(
                connections=limits.connections,
                per_address=limits.connections_per_address,
                is_exempt=lambda peer: config.practice_mode and is_loopback(peer),
            )
        )
        stack.push_async_callback(listeners.close)
        await listeners.update(wanted(config, make))
        ports = []
        for endpoint, _, kind in endpoints(config):
            host, port = listeners.bound(endpoint)
            ports.append(OpenPort(endpoint.name.partition("/")[0], kind, host, port))
            if kind.service == "smtp":
                appliance.smtp_endpoints.add((host, port))
        appliance.doors = tuple(
            Door(
                port.listener,
                port.kind.service,
                port.host,
                port.port,
                port.kind.security,
                port.kind.purpose,
            )
            for port in ports
        )
        return tuple(ports)

    def _start_background(self, appliance: Appliance) -> list[asyncio.Task[None]]:
        jobs = {
            "outgoing mail": appliance.outbound.run,
            "changes of DKIM keys": appliance.dkim.run,
            "settings on disk": appliance.config.watch,
            "certificates": appliance.tls.run,
            "removed secrets": appliance.keep_secrets_clear,
            "checks": appliance.checkups.run,
        }
        return [tasks.spawn(tasks.supervise(run, name), name) for name, run in jobs.items()]

    def _write_note(self, running: Running, stack: AsyncExitStack) -> None:
        # For the faces: it is there exactly while all ports answer (or after a crash; then its process is gone).
        note = {
            "pid": os.getpid(),
            "started": datetime.now(UTC).isoformat(),
            "ports": {port.kind.service: port.port for port in reversed(running.ports)},
            "web_url": running.web_url,
        }
        write_atomically(self._data.server_json, json.dumps(note).encode())
        stack.callback(lambda: self._data.server_json.unlink(missing_ok=True))
