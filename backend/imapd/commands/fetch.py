"""FETCH and UID FETCH. Lines are made on the store's reader thread, chunk by chunk, and sent as the client takes them."""

from collections.abc import Sequence

from backend.core.errors import NotFoundError
from backend.core.ids import Uid
from backend.core.uidset import UidSet
from backend.imap import commands as c
from backend.imap.fetch import Column, FetchPlan, Row, plan
from backend.imapd.answers import Done, RefusedCommand
from backend.imapd.session import Selected, Session
from backend.message.encoded import UnknownEncodingError
from backend.store.values import Field, FlagOp

_SEEN = frozenset({"\\Seen"})
_FIELDS = {column: Field(column.value) for column in Column}


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
    if how.sets_seen and not selected.read_only and uids:
        result = await session.account.store_flags(
            selected.id, uids, FlagOp.ADD, _SEEN, origin=session.number
        )
        if result.changed:
            # RFC 9051 §6.4.5: flags that change by it should be part of the answer.
            items.append(c.Field.FLAGS)
            if session.condstore:
                items.append(c.Field.MODSEQ)
            how = plan(items, utf8=session.utf8)
    try:
        if how.partial_content is not None:
            await _fetch_pieces(session, selected, uids, how, command.changed_since)
        else:
            await _fetch_rows(session, selected, uids, how, command.changed_since)
    except UnknownEncodingError as error:
        # RFC 3516 §4.3: BINARY of a part with an encoding that is not known.
        raise RefusedCommand("A part has an encoding that is not known", b"UNKNOWN-CTE") from error
    await session.catch_up()
    if not command.by_uid and selected.view.has_pending_expunge:
        return Done("Done, some messages are gone", b"EXPUNGEISSUED")  # RFC 5530 §3
    return Done("Done")


def _fields(how: FetchPlan) -> tuple[Field, ...]:
    return tuple(_FIELDS[column] for column in how.columns)


async def _fetch_rows(
    session: Session, selected: Selected, uids: UidSet, how: FetchPlan, changed_since: int | None
) -> None:
    output = session.output
    chunks = session.account.rows(
        selected.id,
        uids,
        _fields(how),
        how.formatter(selected.view.uids),
        changed_since=changed_since,
    )
    async for chunk in chunks:
        output.write(chunk)
        await output.drain()


async def _fetch_pieces(
    session: Session, selected: Selected, uids: UidSet, how: FetchPlan, changed_since: int | None
) -> None:
    """A piece of each message: the rest of it is not read at all."""
    assert how.partial_content is not None
    offset, length = how.partial_content
    format_rows = how.formatter(selected.view.uids)
    at = how.columns.index(Column.CONTENT)
    others = tuple(_FIELDS[column] for column in how.columns if column is not Column.CONTENT)
    output = session.output

    def as_they_are(rows: Sequence[Row]) -> Sequence[Row]:
        return rows

    chunks = session.account.rows(
        selected.id, uids, others, as_they_are, changed_since=changed_since
    )
    async for rows in chunks:
        for row in rows:
            try:
                piece = await session.account.read_content(
                    selected.id, Uid(row[0]), offset, min(length, session.message_bytes)
                )
            except NotFoundError:  # expunged since its row was read
                continue
            output.write(format_rows([(*row[:at], piece, *row[at:])]))
            await output.drain()
