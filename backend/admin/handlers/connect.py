"""Connecting a mail program: its settings, the authority's certificate, and a first message."""

import ipaddress
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from aiohttp import web

from backend.admin.call import Call, Handler
from backend.admin.faults import DeniedError
from backend.admin.handlers.accounts import named
from backend.admin.services import Services
from backend.api import connect as c
from backend.api import types as t
from backend.api.routes import BY_NAME
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

SMTP_TIMEOUT_S = 20.0

_TRACE = re.compile(r"Stored as (\S+)")

# What a mail program needs, the best first.
_INCOMING = ("imaps", "imap")
_OUTGOING = ("submissions", "submission")


async def client_settings(call: Call) -> c.ClientSettings:
    services = call.services
    account = named(call)
    settings = services.accounts.get_account(account)
    server = services.config.current.server
    address = settings.main_address
    ports = list(services.server.ports())
    own_ca = services.server.ca_file() is not None
    return c.ClientSettings(
        account=account,
        full_name=settings.full_name,
        address=address,
        incoming=_servers(services, ports, _INCOMING, "imap", address),
        outgoing=_servers(services, ports, _OUTGOING, "smtp", address),
        practice_mode=server.practice_mode,
        trust_note=_TRUST_NOTE if own_ca else "",
        ca_path=BY_NAME["ca_certificate"].path if own_ca else "",
        autoconfig_url=_autoconfig_url(services, ports, address),
    )


_TRUST_NOTE = (
    "This server made its certificate itself, so mail programs ask whether to trust it. Say yes, or "
    "import the certificate of its authority once; then they don't ask any more."
)


def _servers(
    services: Services,
    ports: list[t.Port],
    wanted: tuple[str, ...],
    protocol: str,
    address: str,
) -> list[c.MailServer]:
    found: dict[tuple[str, int], c.MailServer] = {}
    for service in wanted:
        for port in ports:
            if port.service != service:
                continue
            host = host_for_programs(services, port.host)
            found.setdefault(
                (host, port.port),
                c.MailServer(
                    protocol="imap" if protocol == "imap" else "smtp",
                    host=host,
                    port=port.port,
                    security=port.security,
                    user_name=address,
                    recommended=not found,
                    note="" if not found else "If the first one does not work",
                ),
            )
    return list(found.values())


def host_for_programs(services: Services, bound: str) -> str:
    """The name by which a program reaches a port that is bound to that address."""
    try:
        address = ipaddress.ip_address(bound)
    except ValueError:
        return bound
    if address.is_loopback:
        return "localhost" if address.version == 6 else str(address)
    return services.config.current.server.hostname


def _autoconfig_url(services: Services, ports: list[t.Port], address: str) -> str:
    for service in ("https", "http"):
        for port in ports:
            if port.service == service:
                host = host_for_programs(services, port.host)
                return f"{service}://{host}:{port.port}/mail/config-v1.1.xml?emailaddress={address}"
    return ""


async def ca_certificate(call: Call) -> web.Response:
    file = call.services.server.ca_file()
    if file is None:
        raise NotFoundError(
            Problem(
                code="tls.no_ca",
                message="The certificate of this server does not come from an authority of its own.",
                fix="Programs trust it without further ado; there is nothing to download.",
            )
        )
    content = await run_blocking(Pool.FILES, file.read_bytes)
    return web.Response(
        body=content,
        content_type="application/x-pem-file",
        headers={"Content-Disposition": 'attachment; filename="gatepost-ca.pem"'},
    )


async def send_test_message(call: Call) -> c.TestMessageSent:
    services = call.services
    settings = services.accounts.get_account(named(call))
    address = settings.main_address
    port = next((p for p in services.server.ports() if p.service == "smtp"), None)
    if port is None or not address:
        what = "No port for incoming mail is open." if port is None else "It has no address."
        raise DeniedError(
            422,
            "test.impossible",
            f"The message can't be sent. {what}",
            fix="Set smtp_port of a listener in server.toml and restart the server."
            if port is None
            else "Give the account an address first.",
        )
    hostname = services.config.current.server.hostname
    message = _compose(services, hostname, address)
    host = _connectable(port.host)
    try:
        answer = await run_blocking(
            Pool.BLOCKING, _submit, host, port.port, hostname, address, message
        )
    except (OSError, smtplib.SMTPException) as error:
        log.warning("test message refused", reason=str(error))
        raise DeniedError(
            422,
            "test.refused",
            f"The server's own SMTP port did not take the message: {_reason(error)}",
            fix="The log tells more.",
        ) from error
    found = _TRACE.search(answer)
    return c.TestMessageSent(trace=found[1] if found else "", address=address)


def _compose(services: Services, hostname: str, address: str) -> bytes:
    message = EmailMessage()
    message["From"] = f"Gatepost <postmaster@{hostname}>"
    message["To"] = address
    message["Subject"] = "It works: a message from your own mail server"
    message["Date"] = format_datetime(services.clock.now())
    message["Message-ID"] = make_msgid(domain=hostname)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(
        "Hello,\n\nthis message came in through the SMTP port of your own server, like any other mail,\n"
        "and now lies in your inbox. Its timeline in Gatepost shows each step of its way.\n\n"
        f"Server: {hostname}\nAddress: {address}\n"
    )
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _connectable(bound: str) -> str:
    if bound == "0.0.0.0":  # noqa: S104  # compared, not bound
        return "127.0.0.1"
    return "::1" if bound == "::" else bound


def _submit(host: str, port: int, hostname: str, address: str, message: bytes) -> str:
    """One SMTP session; the answer to the message."""
    with smtplib.SMTP(host, port, local_hostname=hostname, timeout=SMTP_TIMEOUT_S) as session:
        session.ehlo()
        if session.has_extn("starttls"):
            # To ourselves: it proves that TLS works, the name on the certificate may be another.
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            session.starttls(context=context)
            session.ehlo()
        _require_success(session.mail(f"postmaster@{hostname}"))
        _require_success(session.rcpt(address))
        return _require_success(session.data(message))


def _require_success(reply: tuple[int, bytes]) -> str:
    code, answer = reply
    if code >= 400:
        raise smtplib.SMTPResponseException(code, answer)
    return answer.decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return str(error)


HANDLERS: dict[str, Handler] = {
    "client_settings": client_settings,
    "ca_certificate": ca_certificate,
    "send_test_message": send_test_message,
}
