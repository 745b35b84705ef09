"""Connecting a mail program: its settings, the authority's certificate, and a first message."""

import ipaddress
import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

import aiohttp
from aiohttp import web

from backend.accounts.setup import OFFER_LASTS_S
from backend.admin import wire
from backend.admin.call import Call, Handler
from backend.admin.devices import devices
from backend.admin.faults import DeniedError
from backend.admin.handlers.accounts import named
from backend.admin.profile import mobileconfig, qr_svg
from backend.admin.services import Services
from backend.api import connect as c
from backend.api import types as t
from backend.api.routes import BY_NAME
from backend.core.errors import NotFoundError
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking

log = logs.get(__name__)

SMTP_TIMEOUT_S = 20.0
LOOKUP_TIMEOUT_S = 8.0
MAX_LOOKUP_BYTES = 65_536  # of an answer that may come from anywhere, a security limit

_TRACE = re.compile(r"Stored as (\S+)")

# What a mail program needs, the best first.
_INCOMING = ("imaps", "imap")
_OUTGOING = ("submissions", "submission")


async def client_settings(call: Call) -> c.ClientSettings:
    return _settings(call.services, named(call))


def _settings(services: Services, account: AccountId) -> c.ClientSettings:
    settings = services.accounts.get_account(account)
    server = services.config.current.server
    address = settings.main_address
    ports = list(services.server.ports())
    own_ca = services.server.ca_file() is not None
    trust = _TRUST_NOTE if own_ca else ""
    asked = services.setup.last_asked(account, address.rpartition("@")[2])
    return c.ClientSettings(
        account=account,
        full_name=settings.full_name,
        address=address,
        incoming=_servers(services, ports, _INCOMING, "imap", address),
        outgoing=_servers(services, ports, _OUTGOING, "smtp", address),
        practice_mode=server.practice_mode,
        trust_note=trust,
        ca_path=BY_NAME["ca_certificate"].path if own_ca else "",
        autoconfig_url=_web_url(services, f"/mail/config-v1.1.xml?emailaddress={address}"),
        devices=devices(address, trust),
        asked_at=None if asked is None else wire.at(asked.at),
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


def _web_url(services: Services, path: str) -> str:
    """On the best port for HTTP that there is; empty without one."""
    for service in ("https", "http"):
        for port in services.server.ports():
            if port.service == service:
                host = host_for_programs(services, port.host)
                usual = port.port == (443 if service == "https" else 80)
                return f"{service}://{host}{'' if usual else f':{port.port}'}{path}"
    return ""


async def offer_profile(call: Call) -> c.ProfileLink:
    services = call.services
    account = named(call)
    settings = _settings(services, account)
    content = mobileconfig(settings, services.config.current.server.hostname)
    now = services.clock.time()
    token = services.setup.offer(account, content, now)
    url = _web_url(services, f"/setup/{token}.mobileconfig")
    if not url or not settings.address:
        raise DeniedError(
            422,
            "setup.impossible",
            "There is no link to offer. "
            + ("No port for HTTP is open." if settings.address else "The account has no address."),
            fix="Give a listener an https_port under Ports, and restart the server."
            if settings.address
            else "Give the account an address first.",
        )
    notes = []
    if "://127." in url or "://localhost" in url or "://[::1]" in url:
        notes.append("Only this computer reaches the link: no port for HTTP is open to others.")
    if settings.trust_note:
        notes.append(
            "The phone asks whether to trust the server, since it made its certificate itself."
        )
    notes.append("The profile is not signed; the phone says so when it is installed.")
    return c.ProfileLink(
        url=url, qr_svg=qr_svg(url), expires_at=wire.at(now + OFFER_LASTS_S), note=" ".join(notes)
    )


async def check_setup(call: Call) -> c.SetupCheck:
    services = call.services
    address = services.accounts.get_account(named(call)).main_address
    domain = address.rpartition("@")[2]
    steps = [await _ask_own_port(services, address, domain)]
    if not services.config.current.server.practice_mode:
        url = f"http://autoconfig.{domain}{_LOOKUP}?emailaddress={address}"
        steps.append(await _ask(f"autoconfig.{domain}", url, domain, context=None))
    ok = all(step.ok is not False for step in steps)
    return c.SetupCheck(
        ok=ok,
        message="Mail apps that look the settings up find them."
        if ok
        else "Not every mail app finds the settings by itself. They can be copied by hand all the same.",
        fix="" if ok else "The page DNS of the domain says which records are missing.",
        steps=steps,
    )


_LOOKUP = "/mail/config-v1.1.xml"


async def _ask_own_port(services: Services, address: str, domain: str) -> c.SetupCheckStep:
    """By the address that it is bound to: whether others reach it is another question."""
    for service in ("https", "http"):
        for port in services.server.ports():
            if port.service == service:
                host = _connectable(port.host)
                shown = f"[{host}]" if ":" in host else host
                url = f"{service}://{shown}:{port.port}{_LOOKUP}?emailaddress={address}"
                context = ssl.create_default_context()
                # To ourselves: the name on the certificate is another.
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
                return await _ask("This server", url, domain, context=context)
    return c.SetupCheckStep(name="This server", ok=False, text="No port for HTTP is open.")


async def _ask(
    name: str, url: str, domain: str, *, context: ssl.SSLContext | None
) -> c.SetupCheckStep:
    timeout = aiohttp.ClientTimeout(total=LOOKUP_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, ssl=context or True, max_redirects=3) as reply,
        ):
            content = await reply.content.read(MAX_LOOKUP_BYTES)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return c.SetupCheckStep(name=name, ok=False, text=f"It does not answer: {error}")
    if reply.status == 200 and f"<domain>{domain}</domain>".encode() in content:
        return c.SetupCheckStep(name=name, ok=True, text="It answers with the settings.")
    return c.SetupCheckStep(
        name=name, ok=False, text=f"It answers {reply.status}, not with the settings."
    )


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
    "offer_profile": offer_profile,
    "check_setup": check_setup,
    "ca_certificate": ca_certificate,
    "send_test_message": send_test_message,
}
