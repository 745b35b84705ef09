"""CAPABILITY, NOOP, CHECK, LOGOUT, ID, ENABLE, NAMESPACE."""

from backend.imap import commands as c
from backend.imap import responses
from backend.imap.capability import ENABLABLE, SPELLING
from backend.imap.responses import Kind
from backend.imapd.answers import Done
from backend.imapd.session import Session
from backend.observe import log as logs

log = logs.get(__name__)


async def capability(session: Session, _: c.Capability) -> Done:
    session.output.write(responses.capability(session.capabilities()))
    return Done("Here they are")


async def noop(_session: Session, _: c.Noop | c.Check) -> Done:
    # The news are told behind every command. RFC 3501 §6.4.1: nothing here waits for a checkpoint.
    return Done("Done")


async def logout(session: Session, _: c.Logout) -> Done:
    session.output.write(responses.reply(b"*", Kind.BYE, "Goodbye"))
    session.unselect()
    session.log_out()
    return Done("Goodbye")


async def identify(session: Session, command: c.Id) -> Done:
    # RFC 2971 §3.3: for statistics and fault reports only, behaviour must not depend on it.
    log.debug("client", name=command.fields.get("name"), version=command.fields.get("version"))
    session.output.write(b'* ID ("name" "Gatepost")\r\n')
    return Done("Pleased to meet you")


async def enable(session: Session, command: c.Enable) -> Done:
    # RFC 5161 §3.1: what is unknown or can't be enabled is passed over.
    wanted = [name for name in dict.fromkeys(command.capabilities) if name in ENABLABLE]
    session.enabled |= frozenset(wanted)
    if "CONDSTORE" in wanted:
        session.condstore = True
    names = "".join(f" {SPELLING[name]}" for name in wanted)
    session.output.write(f"* ENABLED{names}\r\n".encode("ascii"))
    return Done("Enabled")


async def namespace(session: Session, _: c.Namespace) -> Done:
    # RFC 9051 §6.3.10: one personal namespace without a prefix, no shared ones.
    session.output.write(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return Done("Done")
