"""One message over one connection: a blocking socket around the sans-IO client of `backend.smtp`."""

import base64
import ipaddress
import os
import socket
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.sendmail.binding import server_end_point
from app.sendmail.fault import SendmailError
from app.sendmail.message import Outgoing
from app.sendmail.settings import MECHANISMS, Settings
from backend.core.envelope import NO_WISH, NOTHING_ASKED, Asked, Wish
from backend.sasl.mechanisms import choose, client_exchange, may_bind
from backend.smtp.client import (
    Closed,
    Finished,
    Options,
    Outcome,
    Receive,
    SaslExchange,
    Send,
    SendContent,
    SmtpClient,
    Stage,
    StartTls,
    Tls,
    Transaction,
)
from backend.smtp.data import DotStuffer

if TYPE_CHECKING:
    import ssl

CONNECT_TIMEOUT_S = 30.0
SESSION_TIMEOUT_S = 1800.0  # however slowly the server drips its answers
CHUNK_BYTES = 65_536
RECEIVE_BYTES = 65_536


def submit(
    settings: Settings,
    message: Outgoing,
    *,
    asked: Asked = NOTHING_ASKED,
    wish: Wish = NO_WISH,
) -> None:
    """Returns when the server has taken the message.

    Raises:
        SendmailError: it has not, and what the server or the network said.
    """
    link = _Link(settings)
    try:
        client = SmtpClient(
            Options(
                ehlo_name=settings.local_hostname or socket.gethostname() or "localhost",
                tls=_tls_of(settings),
                choose_sasl=link.choose_mechanism if settings.username else None,
            )
        )
        client.add(
            Transaction(
                sender=settings.author,
                recipients=(message.recipient,),
                size_bytes=len(message.content),
                asked=asked,
                wishes={message.recipient: wish},
            )
        )
        outcome = _converse(client, link, message.content)
    finally:
        link.close()
    _judge(settings, outcome)


def _tls_of(settings: Settings) -> Tls:
    if settings.tls:
        return Tls.IMPLICIT
    return Tls.REQUIRED if settings.starttls else Tls.NEVER


def _converse(client: SmtpClient, link: "_Link", content: bytes) -> Outcome | None:
    outcome: Outcome | None = None
    while not isinstance(step := client.step(), Closed):
        try:
            match step:
                case Send(data, timeout_s):
                    link.send(data, timeout_s)
                case Receive(timeout_s):
                    client.receive(link.receive(timeout_s))
                case StartTls(timeout_s):
                    link.start_tls(timeout_s)
                    client.tls_started()
                case SendContent(_, timeout_s):
                    link.send_content(content, timeout_s)
                    client.content_sent()
                case Finished(found):
                    outcome = found
        except TimeoutError:
            client.lost("The server did not answer in time")
        except OSError as error:
            client.lost(f"The connection broke: {_phrase(error)}")
    return outcome


def _judge(settings: Settings, outcome: Outcome | None) -> None:
    if outcome is None:
        raise SendmailError("The server ended the conversation before the message was sent.")
    result = outcome.results[0]
    if result.status.is_success:
        return
    who = f"{settings.host} answers" if result.remote else settings.host
    fix = ""
    if result.stage is Stage.AUTH and result.status.is_permanent:
        fix = f"Check “username”, “password” and “auth_method” in {settings.file}."
    elif result.stage is Stage.TLS and not result.remote:
        fix = f"Use “tls = true” with its TLS port in {settings.file} if it has one."
    elif result.stage is Stage.MAIL and result.remote and not settings.username:
        fix = f"It may want a sign-in: set “username” and “password” in {settings.file}."
    said = " ".join((str(result.status) if result.remote else result.status.text).split())
    raise SendmailError(f"{who}: {said.removesuffix('.')}.", fix)


class _Link:
    """The socket, with TLS from the start where the settings say so."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._certificate = b""  # the server's, as DER, once TLS has started
        self._deadline = time.monotonic() + SESSION_TIMEOUT_S
        where = f"{settings.host} port {settings.port}"
        try:
            self._socket: socket.socket = socket.create_connection(
                (settings.host, settings.port), timeout=CONNECT_TIMEOUT_S
            )
        except TimeoutError as error:
            raise SendmailError(f"{where} does not answer.") from error
        except socket.gaierror as error:
            raise SendmailError(
                f"The name {settings.host} can't be looked up: {error.strerror}."
            ) from error
        except OSError as error:
            raise SendmailError(f"There is no connection to {where}: {_phrase(error)}.") from error
        peer = str(self._socket.getpeername()[0]).partition("%")[0]
        self._is_safe = settings.tls or settings.starttls or ipaddress.ip_address(peer).is_loopback
        if settings.tls:
            try:
                self.start_tls(CONNECT_TIMEOUT_S)
            except OSError as error:
                self.close()
                raise SendmailError(
                    f"TLS with {where} could not be started: {_phrase(error)}.",
                    f"If that port begins without TLS, set “starttls” in {settings.file}.",
                ) from error
            except SendmailError:
                self.close()
                raise

    def choose_mechanism(self, offered: Sequence[str]) -> SaslExchange | None:
        """Called behind TLS, where that is set."""
        settings = self._settings
        allowed = [settings.auth_method] if settings.auth_method else list(MECHANISMS)
        if not self._is_safe:
            # SECURITY: in plain text over a network the password itself does not travel.
            allowed = [name for name in allowed if name != "PLAIN"]
            if not allowed:
                raise SendmailError(
                    "Without TLS the password would travel in plain text.",
                    f"Set “tls” or “starttls” in {settings.file}.",
                )
        bound = may_bind(allowed) and self._certificate
        binding = server_end_point(self._certificate) if bound else None
        name = choose(offered, allowed, can_bind=binding is not None)
        if name is None:
            return None
        nonce = base64.b64encode(os.urandom(18)).decode("ascii")
        return client_exchange(
            name, settings.username, settings.password, nonce=nonce, binding=binding
        )

    def send(self, data: bytes, timeout_s: float) -> None:
        self._wait_at_most(timeout_s)
        self._socket.sendall(data)

    def send_content(self, content: bytes, timeout_s: float) -> None:
        stuffer = DotStuffer()
        for at in range(0, len(content), CHUNK_BYTES):
            self.send(stuffer.feed(content[at : at + CHUNK_BYTES]), timeout_s)
        self.send(stuffer.end(), timeout_s)

    def receive(self, timeout_s: float) -> bytes:
        self._wait_at_most(timeout_s)
        return self._socket.recv(RECEIVE_BYTES)

    def start_tls(self, timeout_s: float) -> None:
        """Raises:
        SendmailError: the certificate is not to be trusted.
        """
        import ssl  # late, because start-up time counts

        self._wait_at_most(timeout_s)
        context = self._context()
        try:
            secured = context.wrap_socket(self._socket, server_hostname=self._settings.host)
        except ssl.SSLCertVerificationError as error:
            raise SendmailError(
                f"The certificate of {self._settings.host} is not to be trusted: {error.verify_message}.",
                f"If the server makes its own certificates, name the file of its authority as “ca_file” in {self._settings.file}.",
            ) from error
        self._socket = secured
        self._certificate = secured.getpeercert(binary_form=True) or b""

    def _context(self) -> "ssl.SSLContext":
        import ssl  # late, because start-up time counts

        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # As everywhere here: Python 3.13 would refuse authorities without key identifiers, which are common.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if self._settings.ca_file:
            try:
                context.load_verify_locations(cafile=self._settings.ca_file)
            except OSError as error:
                raise SendmailError(
                    f"{self._settings.ca_file} holds no certificate authority that can be read."
                ) from error
        return context

    def close(self) -> None:
        self._socket.close()

    def _wait_at_most(self, timeout_s: float) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(min(timeout_s, left))


def _phrase(error: OSError) -> str:
    reason = getattr(error, "reason", None)  # of an ssl.SSLError
    if reason:
        return str(reason).replace("_", " ").lower()
    return (error.strerror or str(error) or "it broke").lower()
