"""FETCH and UID FETCH. Lines are made on the store's reader thread, chunk by chunk, and sent as the client takes them."""

from collections.abc import Hashable, Sequence

from backend.core.errors import NotFoundError, TemporaryError
from backend.core.ids import Uid
from backend.core.uidset import UidSet
from backend.imap import commands as c
from backend.imap.fetch import FetchPlan, Piece, Row, plan
from backend.imap.sections import section_span
from backend.imapd.answers import Done, RefusedCommand
from backend.imapd.rendered import is_kept
from backend.imapd.session import Selected, Session
from backend.message.encoded import UnknownEncodingError
from backend.message.scan import Part, scan
from backend.store.mailboxes import no_message
from backend.store.values import Field, FlagOp

_SEEN = frozenset({"\\Seen"})


async def fetch(session: Session, command: c.Fetch) -> Done:
    selected = session.selected
    uids = session.resolve(command.messages)
    items = list(command.items)
    if command.by_uid:
        # RFC 9051 §6.4.9: UID is in the answer whether it was asked for or not.
        items.insert(0, c.Field.UID)
    if command.changed_since is not None or c.Field.MODSEQ in items:
        # RFC 7162 §3.1: both make the session aware of mod-sequences; CHANGEDSINCE implies MODSEQ.
        session.condstore = True
        items.append(c.Field.MODSEQ)
    how = plan(items, utf8=session.utf8)
    wants_seen = how.sets_seen and not selected.read_only and bool(uids)
    if wants_seen and await _mark_seen(session, selected, uids):
        # RFC 9051 §6.4.5: flags that change by it should be part of the answer.
        items.append(c.Field.FLAGS)
        if session.condstore:
            items.append(c.Field.MODSEQ)
        how = plan(items, utf8=session.utf8)
    try:
        # Apps read a big message piece by piece; for many messages reading them in rows is quicker.
        if how.piece is not None and len(uids) == 1 and command.changed_since is None:
            await _fetch_piece(session, selected, Uid(uids.first), how, how.piece)
        else:
            await _fetch_rows(session, selected, uids, how, command.changed_since)
    except UnknownEncodingError as error:
        # RFC 3516 §4.3: BINARY of a part with an encoding that is not known.
        raise RefusedCommand("A part has an encoding that is not known", b"UNKNOWN-CTE") from error
    await session.catch_up()
    if not command.by_uid and selected.view.has_pending_expunge:
        return Done("Done, some messages are gone", b"EXPUNGEISSUED")  # RFC 5530 §3
    return Done("Done")


async def _mark_seen(session: Session, selected: Selected, uids: UidSet) -> bool:
    """Whether any flag changed."""
    try:
        result = await session.account.store_flags(
            selected.id, uids, FlagOp.ADD, _SEEN, origin=session.number
        )
    except TemporaryError:  # the disk is full: mail can be read all the same
        return False
    return bool(result.changed)


async def _answer_key(
    session: Session, selected: Selected, uids: UidSet, how: FetchPlan
) -> Hashable | None:
    """Under which the answer is kept for whoever asks the same; None if it is not.

    Taken before the rows are read: they are at least as new as it says, and a newer state has another number.
    """
    if not is_kept(how.items, len(uids)):
        return None
    try:
        state = await session.account.select(selected.id)
    except NotFoundError:  # deleted by another session
        return None
    mailbox = state.mailbox
    # Its identity is never given again, not even in a new account of the same name, as mere numbers are.
    identity = (session.account_id, mailbox.mailboxid, mailbox.highestmodseq)
    return (*identity, how.items, uids, selected.view.uids)


async def _fetch_rows(
    session: Session, selected: Selected, uids: UidSet, how: FetchPlan, changed_since: int | None
) -> None:
    output = session.output
    key = await _answer_key(session, selected, uids, how) if changed_since is None else None
    if key is not None and (known := session.host.rendered.get(key)) is not None:
        output.write(known)
        await output.drain()
        return
    chunks = session.account.rows(
        selected.id,
        uids,
        how.columns,
        how.formatter(selected.view.uids),
        changed_since=changed_since,
    )
    written: list[bytes] = []
    async for chunk in chunks:
        output.write(chunk)
        await output.drain()
        if key is not None:
            written.append(chunk)
    if key is not None:
        session.host.rendered.put(key, b"".join(written))


async def _fetch_piece(
    session: Session, selected: Selected, uid: Uid, how: FetchPlan, piece: Piece
) -> None:
    """A piece of one message: the rest of it is not read at all."""
    at = how.columns.index(Field.CONTENT)
    others = tuple(field for field in how.columns if field is not Field.CONTENT)
    format_rows = how.formatter(selected.view.uids, is_cut=True)
    fields = (*others, Field.SIZE)
    async for rows in session.account.rows(selected.id, UidSet([(uid, uid)]), fields, list):
        for *row, size in rows:
            try:
                cut = await _read_piece(session, selected, uid, piece, size)
            except NotFoundError:  # expunged by another session since
                continue
            session.output.write(format_rows([(*row[:at], cut, *row[at:])]))


async def _read_piece(
    session: Session, selected: Selected, uid: Uid, piece: Piece, size: int
) -> bytes | None:
    """None: there is no such section."""
    start, end = 0, size
    if piece.section is not None:
        span = section_span(await _structure(session, selected, uid), piece.section)
        if span is None:
            return None
        start, end = span
    offset = start + piece.offset
    length = min(piece.length, end - offset)
    if length <= 0:
        return b""
    return await session.account.read_content(selected.id, uid, offset, length)


async def _structure(session: Session, selected: Selected, uid: Uid) -> Part:
    """Kept for the next piece of the same message."""
    if selected.structure is None or selected.structure[0] != uid:
        chunks = session.account.rows(
            selected.id, UidSet([(uid, uid)]), (Field.CONTENT,), _scan_all
        )
        parts = [part async for chunk in chunks for part in chunk]
        if not parts:
            raise no_message()
        selected.structure = (uid, parts[0])
    return selected.structure[1]


def _scan_all(rows: Sequence[Row]) -> list[Part]:
    return [scan(row[0]) for row in rows]
