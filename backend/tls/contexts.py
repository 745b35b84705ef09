"""The TLS contexts of this server: made from own or given certificate files, renewed and swapped without a restart.

`server_context()` is handed out once and stays; each handshake takes the newest certificate through its SNI callback.
"""

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from backend.config.model import Config
from backend.core.clock import Clock, SystemClock
from backend.core.errors import ConfigError
from backend.core.problems import Problem, Severity
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking
from backend.tls.authority import ensure_certificate, local_files
from backend.tls.binding import ServingContext, server_end_point

log = logs.get(__name__)

CHECK_EVERY_S = 6 * 3600.0
FILES_POLL_S = 60.0
WARN_BEFORE = timedelta(days=14)


class _Stamp(NamedTuple):
    """Tells whether the files are still those that were loaded."""

    certificate: str
    certificate_time: int
    key: str
    key_time: int


def client_context(ca_file: str | Path | None = None, *, verify: bool = True) -> ssl.SSLContext:
    """For connections to other servers. `ca_file` adds to the authorities of this computer.

    Raises:
        OSError: the file can't be read or holds no certificate.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=str(ca_file))
    # Python 3.13 checks more than mail servers' certificates have kept to so far (dependencies: an issuer without key
    # identifiers fails); chain, name and dates are checked all the same.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def certificate_names(config: Config) -> list[str]:
    """What the own certificate is made for: the host name, the domains, and where their MTA-STS policies are fetched."""
    domains = config.domains.domains
    names = [config.server.hostname, *domains]
    names += [f"mta-sts.{name}" for name, each in domains.items() if each.mta_sts.mode != "off"]
    return list(dict.fromkeys(names))


class TlsContexts:
    """Owns the current certificate. `open()` before `server_context()`."""

    def __init__(
        self,
        folder: Path,
        config: Config,
        *,
        clock: Clock | None = None,
        on_problem: Callable[[Problem], None] | None = None,
        on_clear: Callable[[str, str], None] | None = None,
    ) -> None:
        """`folder`: the data folder's `tls`. `on_clear` gets code and subject of a problem that is gone."""
        self._folder = folder
        self._config = config
        self._clock = clock or SystemClock()
        self._on_problem = on_problem
        self._on_clear = on_clear
        self._outer: ssl.SSLContext | None = None
        self._current: ssl.SSLContext | None = None
        self._expires: datetime | None = None
        self._stamp: _Stamp | None = None

    @property
    def ca_file(self) -> Path | None:
        """The own authority's certificate, for mail apps to trust; None when the certificate comes from files."""
        if self._config.server.tls.mode == "files":
            return None
        return local_files(self._folder).ca

    @property
    def certificate_file(self) -> Path:
        """The chain that is shown to others, our own certificate first."""
        return _certificate_files(self._folder, self._config)[0]

    @property
    def expires(self) -> datetime | None:
        return self._expires

    async def open(self) -> None:
        """Raises:
        ConfigError: the certificate can't be made or read.
        """
        await self._load()
        self._outer = self._make_outer()

    def server_context(self) -> ssl.SSLContext:
        """For all listeners, for the life of the server."""
        if self._outer is None:
            raise RuntimeError("TlsContexts.open() was not awaited")
        return self._outer

    async def update(self, config: Config) -> None:
        """Takes over a new configuration: a new domain gets into the own certificate, changed files are read.

        Raises:
            ConfigError: the new certificate can't be used; the old one stays.
        """
        old, self._config = self._config, config
        try:
            await self._load()
        except ConfigError:
            self._config = old
            raise

    async def run(self) -> None:
        """Renews before expiry and reads certificate files that have changed, until it is cancelled."""
        while True:
            is_files = self._config.server.tls.mode == "files"
            await asyncio.sleep(FILES_POLL_S if is_files else CHECK_EVERY_S)
            await self.refresh()

    async def refresh(self) -> None:
        """One round of `run`. A fault keeps the current certificate and raises a problem."""
        try:
            await self._load()
        except ConfigError as error:
            for problem in error.problems:
                self._raise(problem)
            return
        self._clear("tls.files")
        self._check_expiry()

    async def _load(self) -> None:
        loaded = await run_blocking(
            Pool.FILES, _load, self._folder, self._config, self._clock.now(), self._stamp
        )
        if loaded is not None:
            self._current, self._expires, self._stamp = loaded
            log.info("certificate loaded", expires=self._expires)

    def _make_outer(self) -> ssl.SSLContext:
        # What a client gets that sends no name: the context it began with. So this one holds the first certificate
        # and hands each handshake that names a server to the current one.
        outer = _new_context()
        self._load_chain(outer)
        outer.sni_callback = self._swap
        return outer

    def _load_chain(self, context: ServingContext) -> None:
        _load_chain(context, *_certificate_files(self._folder, self._config))

    def _swap(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _: ssl.SSLContext
    ) -> None:
        if self._current is not None:
            connection.context = self._current

    def _check_expiry(self) -> None:
        if self._expires is None or self._expires - self._clock.now() > WARN_BEFORE:
            self._clear("tls.expires")
            return
        days = max(0, (self._expires - self._clock.now()).days)
        self._raise(
            Problem(
                code="tls.expires",
                path="/tls/certificate_file",
                subject=self._config.server.hostname,
                severity=Severity.WARNING if days else Severity.ERROR,
                message=f"The certificate of this server expires in {days} days.",
                fix="Put a newer one in the place of the file that “certificate_file” in server.toml names.",
            )
        )

    def _raise(self, problem: Problem) -> None:
        if self._on_problem is not None:
            self._on_problem(problem)

    def _clear(self, code: str) -> None:
        if self._on_clear is not None:
            self._on_clear(code, self._config.server.hostname)


def _load_chain(context: ServingContext, certificate: Path, key: Path) -> None:
    """With the binding, unless the file was just being replaced."""
    text = certificate.read_bytes()
    context.load_cert_chain(certificate, key)
    if certificate.read_bytes() == text:
        leaf = x509.load_pem_x509_certificate(text)
        context.binding = server_end_point(leaf.public_bytes(Encoding.DER))


def _new_context() -> ServingContext:
    context = ServingContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # SECURITY: a client that renegotiates or compresses has no business here; OpenSSL's default ciphers for 1.2
    # without those that lack forward secrecy or authenticated encryption.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM")
    return context


def _certificate_files(folder: Path, config: Config) -> tuple[Path, Path]:
    tls = config.server.tls
    if tls.mode == "files":
        base = folder.parent / "config"  # relative names stand beside server.toml
        return base / tls.certificate_file, base / tls.key_file
    files = local_files(folder)
    return files.certificate, files.key


def _load(
    folder: Path, config: Config, now: datetime, stamp: _Stamp | None
) -> tuple[ssl.SSLContext, datetime, _Stamp] | None:
    """None if nothing has changed since `stamp`."""
    hostname = config.server.hostname
    certificate, key = _certificate_files(folder, config)
    try:
        if config.server.tls.mode != "files":
            ensure_certificate(folder, certificate_names(config), now)
        new_stamp = _Stamp(
            str(certificate), certificate.stat().st_mtime_ns, str(key), key.stat().st_mtime_ns
        )
        if new_stamp == stamp:
            return None
        context = _new_context()
        _load_chain(context, certificate, key)
        expires = x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except ssl.SSLError as error:
        raise ConfigError(
            [
                Problem(
                    code="tls.files",
                    path="/tls/certificate_file",
                    subject=hostname,
                    message=f"The certificate {certificate} and the key {key} can't be used: {error.reason or error}.",
                    fix="Both must be PEM files, the key without a pass phrase and of that very certificate.",
                )
            ]
        ) from error
    except OSError as error:
        raise ConfigError(
            [
                Problem(
                    code="tls.files",
                    path="/tls/certificate_file",
                    subject=hostname,
                    message=f"{error.filename or certificate} can't be read: {error.strerror}.",
                    fix="Correct “certificate_file” and “key_file” in server.toml or the rights on those files.",
                )
            ]
        ) from error
    except ValueError as error:
        raise ConfigError(
            [
                Problem(
                    code="tls.files",
                    path="/tls/certificate_file",
                    subject=hostname,
                    message=f"{certificate} holds no certificate in PEM form.",
                    fix="Correct “certificate_file” in server.toml.",
                )
            ]
        ) from error
    return context, expires, new_stamp
