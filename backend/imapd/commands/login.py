"""STARTTLS, LOGIN, AUTHENTICATE."""

import binascii
from functools import partial

from backend.accounts.authenticate import authenticate as sasl
from backend.accounts.login import LoginRefused, Refusal
from backend.core.ids import AccountId
from backend.imap import commands as c
from backend.imap.grammar import GrammarError
from backend.imap.parse import decode_base64
from backend.imap.responses import Kind
from backend.imapd.answers import Done, RefusedCommand
from backend.imapd.session import Session
from backend.observe import log as logs

log = logs.get(__name__)


async def start_tls(session: Session, _: c.StartTls) -> Done:
    if session.output.is_encrypted:
        return Done("The connection is encrypted already", kind=Kind.BAD)
    tls = session.host.tls
    if tls is None:
        raise RefusedCommand("This server has no certificate", b"UNAVAILABLE")
    return Done("Begin TLS now", after=partial(session.output.start_tls, tls()))


async def login(session: Session, command: c.Login) -> Done:
    output = session.output
    try:
        name, password = command.name.decode("utf-8"), command.password.decode("utf-8")
    except ValueError as error:
        raise RefusedCommand("Wrong address or password", b"AUTHENTICATIONFAILED") from error
    try:
        account = await session.host.logins.check_password(
            name, password, protocol="imap", peer=output.peer, tls=output.is_encrypted
        )
    except LoginRefused as refused:
        raise _refusal(refused) from refused
    return await _welcome(session, account)


async def authenticate(session: Session, command: c.Authenticate) -> Done:
    output = session.output

    async def exchange(challenge: bytes) -> bytes | None:
        line = await output.ask(binascii.b2a_base64(challenge, newline=False))
        # RFC 9051 §6.2.2: a lone "*" cancels.
        return None if line == b"*" else decode_base64(line)

    try:
        account = await sasl(
            command.mechanism,
            command.initial,
            exchange,
            session.host.logins,
            protocol="imap",
            peer=output.peer,
            tls=output.is_encrypted,
            binding=output.tls_binding(),
        )
    except LoginRefused as refused:
        # RFC 9051 §6.2.2: cancelling is answered with BAD.
        if refused.kind is Refusal.CANCELLED:
            raise GrammarError(refused.public) from refused
        raise _refusal(refused) from refused
    return await _welcome(session, account)


def _refusal(refused: LoginRefused) -> RefusedCommand:
    return RefusedCommand(refused.public, refused.kind.imap_code.encode("ascii"))


async def _welcome(session: Session, account: AccountId) -> Done:
    await session.sign_in(account)
    log.info("signed in", account=account)
    # RFC 9051 §6.2.3: the new capabilities come with the OK and save a round trip.
    return Done("Signed in", b"CAPABILITY " + session.capabilities())
