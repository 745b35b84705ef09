"""STORE and UID STORE, with UNCHANGEDSINCE (RFC 7162 §3.1.3)."""

import asyncio
from collections.abc import Sequence

from backend.core.uidset import UidSet
from backend.imap import commands as c
from backend.imap import responses
from backend.imap.commands import StoreOp
from backend.imapd.answers import Done
from backend.imapd.session import Session
from backend.store.values import FlagOp, FlagState

_OPS = {
    StoreOp.ADD: FlagOp.ADD,
    StoreOp.REMOVE: FlagOp.REMOVE,
    StoreOp.REPLACE: FlagOp.REPLACE,
}
_CHUNK = 2000  # lines made between two looks at other connections


async def store(session: Session, command: c.Store) -> Done:
    selected = session.writable()
    uids = session.resolve(command.messages)
    if command.unchanged_since is not None:
        session.condstore = True
    if not uids:
        return Done("Nothing to change")
    result = await session.account.store_flags(
        selected.id,
        uids,
        _OPS[command.op],
        command.flags,
        unchanged_since=command.unchanged_since,
        origin=session.number,
    )
    # What others changed before comes first, so that our answer tells the last word.
    await session.catch_up()
    if not command.silent:
        told = sorted([*result.changed, *result.unchanged]) if result.unchanged else result.changed
        await _tell(session, told, by_uid=command.by_uid)
    elif session.condstore:
        await _tell_modseqs(session, result.changed)
    if result.refused:
        refused = result.refused if command.by_uid else selected.view.numbers_of(result.refused)
        return Done("Some were changed by others meanwhile", b"MODIFIED " + refused.to_bytes())
    return Done("Done")


async def _tell(session: Session, states: Sequence[FlagState], *, by_uid: bool) -> None:
    view = session.selected.view
    view.forget_flags(UidSet.from_iterable(uid for uid, _, _ in states))
    with_uid = by_uid or session.condstore
    seq_of = view.uids.seq_of
    for start in range(0, len(states), _CHUNK):
        lines = [
            responses.flags_fetch(
                seq,
                flags,
                uid=uid if with_uid else None,
                modseq=modseq if session.condstore else None,
            )
            for uid, flags, modseq in states[start : start + _CHUNK]
            if (seq := seq_of(uid)) is not None
        ]
        session.output.write(b"".join(lines))
        await _give_way(session)


async def _tell_modseqs(session: Session, states: Sequence[FlagState]) -> None:
    # RFC 7162 §3.1.3: .SILENT keeps back the flags, not the new mod-sequences.
    seq_of = session.selected.view.uids.seq_of
    for start in range(0, len(states), _CHUNK):
        lines = [
            b"* %d FETCH (UID %d MODSEQ (%d))\r\n" % (seq, uid, modseq)
            for uid, _, modseq in states[start : start + _CHUNK]
            if (seq := seq_of(uid)) is not None
        ]
        session.output.write(b"".join(lines))
        await _give_way(session)


async def _give_way(session: Session) -> None:
    await session.output.drain()
    await asyncio.sleep(0)
