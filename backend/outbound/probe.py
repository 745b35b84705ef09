"""Does a transport work? Connects, checks the certificate, signs in, tries the sender; sends nothing."""

import asyncio
import secrets

from backend.config.model import DomainsConfig
from backend.core.address import Address, AddressError, Domain, parse_address, parse_domain
from backend.core.errors import UserError
from backend.core.ids import TraceId
from backend.core.problems import Problem
from backend.core.status import SmtpStatus
from backend.outbound import advice
from backend.outbound.catalogue import signs_in
from backend.outbound.relay import NOT_STORED, RelayTransport
from backend.outbound.route import Choice
from backend.outbound.session import Limits
from backend.outbound.transport import Outgoing
from backend.outbound.transports import Transports

# Somebody sits before the screen and waits.
RELAY_LIMITS = Limits(connect_s=10, session_s=20)
DIRECT_TIMEOUT_S = 45.0


async def probe(
    name: str, domains: DomainsConfig, transports: Transports, *, sender: str, domain: str
) -> advice.Report:
    """`sender` empty takes an address of this server. `domain`: whose mail server a direct transport is tried with.

    Raises:
        UserError: sender or domain can't be used, or one is missing.
    """
    settings = domains.transports[name]
    author = _sender(sender, domains)
    made = transports.get(Choice(transport=name, known=True, reason=""), RELAY_LIMITS)
    if isinstance(made, SmtpStatus):
        return advice.Report(
            ok=True, message=f"Mail is refused with: {made}. There is nothing to connect to."
        )
    if isinstance(made, RelayTransport):
        if signs_in(settings) and made.settings.password is None:
            fix = f"Set it with: gatepost transport password {name}"
            text = NOT_STORED.format(name=name).partition(";")[0]
            return advice.Report(ok=False, message=f"{text.capitalize()}.", fix=fix)
        recipient = author or Address("postmaster", Domain("invalid"))
        finding = await made.probe(_question(author, recipient))
        return advice.of_relay(finding, made.settings, str(author or ""))
    try:
        target = parse_domain(domain)
    except AddressError as error:
        raise UserError(
            Problem(
                code="transport.test_domain",
                path="/domain",
                message=f"This transport delivers to each domain's own mail server. {error if domain else 'Name one to try it with'}.",
                fix="Name a domain whose mail server can be asked, such as your mail provider's.",
            )
        ) from error
    try:
        async with asyncio.timeout(DIRECT_TIMEOUT_S):
            delivery = await made.deliver(_question(author, Address("postmaster", target)))
    except TimeoutError:
        return advice.Report(
            ok=False,
            message=f"No mail server of {target.unicode} answered within {DIRECT_TIMEOUT_S:g} seconds.",
            fix=advice.PORT_25,
        )
    proxy = settings.socks.address if settings.socks is not None else ""
    return advice.of_direct(delivery, target.unicode, proxy, name)


def _sender(text: str, domains: DomainsConfig) -> Address | None:
    if not text:
        known = (
            key
            for account in domains.accounts.values()
            for key in account.destinations
            if not key.startswith("@")
        )
        text = next(known, "")
        return parse_address(text) if text else None
    try:
        return parse_address(text)
    except AddressError as error:
        raise UserError(
            Problem(
                code="transport.test_sender",
                path="/sender",
                message=f"{error}.",
                fix="Enter an address of yours, such as anna@example.org.",
            )
        ) from error


def _question(sender: Address | None, recipient: Address) -> Outgoing:
    return Outgoing(
        trace=TraceId(f"test-{secrets.token_hex(4)}"),
        sender=sender,
        recipients=(recipient,),
        domain=recipient.domain.ascii,
        size_bytes=0,
        content=b"",
        try_sender=True,
    )
