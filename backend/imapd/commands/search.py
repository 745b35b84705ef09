"""SEARCH and UID SEARCH, with the answers of ESEARCH (RFC 4731) and the saved result (RFC 5182)."""

from typing import assert_never

from backend.core.uidset import EMPTY, UidSet
from backend.imap import commands as c
from backend.imap import responses
from backend.imap import search as keys
from backend.imap.commands import SearchReturn
from backend.imap.parse_search import CHARSETS
from backend.imapd.answers import Done, RefusedCommand
from backend.imapd.session import Session


async def search(session: Session, command: c.Search) -> Done:
    selected = session.selected
    returns = command.returns
    if returns is None and session.rev2:
        returns = frozenset({SearchReturn.ALL})  # RFC 9051 §6.4.4: rev2 knows one form of answer
    # RFC 5182 §2.1: the keys may mean the result before ("$"), and BAD leaves that as it was.
    key = _resolved(session, command.key)
    saves = returns is not None and SearchReturn.SAVE in returns
    if saves:
        session.saved = EMPTY  # RFC 5182 §2.1: a SEARCH that fails leaves an empty result
    if command.charset not in CHARSETS:
        raise RefusedCommand("Please search in UTF-8", b"BADCHARSET (US-ASCII UTF-8)")
    if command.wants_modseq:
        session.condstore = True
    result = await session.account.search(selected.id, key, want_modseq=command.wants_modseq)
    # Messages that this client has not been told of have no number yet.
    found = UidSet.from_iterable(result.uids) & selected.view.uids
    modseq = result.modseq if command.wants_modseq and found else None
    numbers = found if command.by_uid else selected.view.numbers_of(found)
    if returns is None:
        session.output.write(responses.search(numbers, modseq))
        return Done("Done")
    if saves:
        session.saved = _saved(found, returns)
    if returns != {SearchReturn.SAVE}:
        session.output.write(
            responses.esearch(
                session.tag,
                by_uid=command.by_uid,
                lowest=numbers.first if SearchReturn.MIN in returns and numbers else None,
                highest=numbers.last if SearchReturn.MAX in returns and numbers else None,
                count=len(numbers) if SearchReturn.COUNT in returns else None,
                found=numbers if SearchReturn.ALL in returns else None,
                modseq=modseq,
            )
        )
    return Done("Done")


def _saved(found: UidSet, returns: frozenset[SearchReturn]) -> UidSet:
    # RFC 5182 §2.4: with MIN or MAX alone, only these are saved; with ALL or COUNT everything.
    if not found or returns & {SearchReturn.ALL, SearchReturn.COUNT}:
        return found
    ends = []
    if SearchReturn.MIN in returns:
        ends.append(found.first)
    if SearchReturn.MAX in returns:
        ends.append(found.last)
    return UidSet.from_iterable(ends) if ends else found


def _resolved(session: Session, key: keys.SearchKey) -> keys.SearchKey:
    """Numbers become UIDs: the store knows nothing of this client's picture."""
    match key:
        case keys.SequenceSet() | keys.SavedResult():
            return keys.Uids(session.resolve(key))
        case keys.Not(inner):
            return keys.Not(_resolved(session, inner))
        case keys.Or(left, right):
            return keys.Or(_resolved(session, left), _resolved(session, right))
        case keys.And(inner):
            return keys.And(tuple(_resolved(session, one) for one in inner))
        case (
            keys.All()
            | keys.Uids()
            | keys.Flag()
            | keys.Date()
            | keys.Within()
            | keys.Size()
            | keys.Address()
            | keys.Subject()
            | keys.Header()
            | keys.Body()
            | keys.Text()
            | keys.ModSeqSince()
            | keys.EmailId()
        ):
            return key
        case _:
            assert_never(key)
