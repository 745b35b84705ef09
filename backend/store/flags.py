r"""Flags and keywords: the five system flags as bits, keywords as numbers of a table per account, and their wire form."""

from collections.abc import Iterable

from backend.core.errors import UserError
from backend.core.ids import MailboxId, ModSeq, Uid
from backend.core.problems import Problem
from backend.core.uidset import EMPTY, UidSet
from backend.store.database import Reader, Transaction
from backend.store.ranges import runs_json
from backend.store.values import FlagOp, FlagsResult, FlagState

SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = 1, 2, 4, 8, 16
SYSTEM_FLAGS = {
    r"\answered": ANSWERED,
    r"\flagged": FLAGGED,
    r"\deleted": DELETED,
    r"\seen": SEEN,
    r"\draft": DRAFT,
}
_WIRE_ORDER = (
    (ANSWERED, rb"\Answered"),
    (FLAGGED, rb"\Flagged"),
    (DELETED, rb"\Deleted"),
    (SEEN, rb"\Seen"),
    (DRAFT, rb"\Draft"),
)
MAX_KEYWORDS = 500  # of one account, a security limit
MAX_KEYWORD_OCTETS = 128  # a security limit

KeywordIds = tuple[int, ...]


def split(flags: Iterable[str]) -> tuple[int, list[str]]:
    r"""System flags as a mask, and the keywords. Other flags that begin with a backslash (`\Recent`) are not kept."""
    mask, keywords = 0, []
    for flag in flags:
        if flag.startswith("\\"):
            mask |= SYSTEM_FLAGS.get(flag.lower(), 0)
        else:
            keywords.append(flag)
    return mask, keywords


def keyword_ids(
    transaction: Transaction, mailbox: MailboxId, keywords: Iterable[str]
) -> KeywordIds:
    """The numbers of keywords, new ones are added; all are noted as used in the mailbox.

    Raises:
        UserError: too many or too long.
    """
    ids: set[int] = set()
    for name in keywords:
        known = transaction.value(
            "SELECT id FROM keyword WHERE folded = :folded", {"folded": name.lower()}
        )
        if known is None:
            if len(name.encode()) > MAX_KEYWORD_OCTETS:
                raise UserError(_limit(f"A keyword may have {MAX_KEYWORD_OCTETS} characters."))
            if transaction.value("SELECT COUNT(*) FROM keyword") >= MAX_KEYWORDS:
                raise UserError(_limit(f"An account may have {MAX_KEYWORDS} keywords."))
            known = transaction.insert(
                "INSERT INTO keyword (name, folded) VALUES (:name, :folded)",
                {"name": name, "folded": name.lower()},
            )
        ids.add(known)
    note_used(transaction, mailbox, ids)
    return tuple(sorted(ids))


def note_used(transaction: Transaction, mailbox: MailboxId, ids: Iterable[int]) -> None:
    transaction.run_many(
        """INSERT INTO mailbox_keyword (mailbox_id, keyword_id) VALUES (:mailbox, :keyword)
           ON CONFLICT DO NOTHING""",
        [{"mailbox": mailbox, "keyword": number} for number in ids],
    )


def known_ids(reader: Reader, keywords: Iterable[str]) -> KeywordIds:
    """The numbers of those keywords that exist."""
    return tuple(
        sorted(
            number
            for name in keywords
            if (
                number := reader.value(
                    "SELECT id FROM keyword WHERE folded = :folded", {"folded": name.lower()}
                )
            )
            is not None
        )
    )


def mailbox_keywords(reader: Reader, mailbox: MailboxId) -> tuple[str, ...]:
    rows = reader.rows(
        """SELECT k.name FROM mailbox_keyword m JOIN keyword k ON k.id = m.keyword_id
           WHERE m.mailbox_id = :mailbox ORDER BY k.id""",
        {"mailbox": mailbox},
    )
    return tuple(name for (name,) in rows)


def to_text(ids: KeywordIds) -> str:
    """As it is stored: `,3,17,` or empty."""
    return f",{','.join(map(str, ids))}," if ids else ""


def to_ids(text: str) -> KeywordIds:
    return tuple(int(part) for part in text.split(",") if part)


def wire(reader: Reader, mask: int, ids: KeywordIds) -> bytes:
    parts = [name for bit, name in _WIRE_ORDER if mask & bit]
    for number in ids:
        name = reader.value("SELECT name FROM keyword WHERE id = :id", {"id": number})
        parts.append(name.encode())
    return b" ".join(parts)


def store(
    transaction: Transaction,
    mailbox: MailboxId,
    uids: UidSet,
    op: FlagOp,
    flags: frozenset[str],
    unchanged_since: int | None,
) -> FlagsResult:
    """Changes flags and the mailbox's counters. Messages that have the wanted flags already keep their modseq."""
    given_mask, names = split(flags)
    if op is FlagOp.REMOVE:
        given_ids = known_ids(transaction, names)
    else:
        given_ids = keyword_ids(transaction, mailbox, names)
    rows = transaction.rows(
        """SELECT m.uid, m.flags, m.keywords, m.flags_wire, m.modseq
           FROM json_each(:runs) r CROSS JOIN message m ON m.mailbox_id = :mailbox
           AND m.uid BETWEEN json_extract(r.value, '$[0]') AND json_extract(r.value, '$[1]')""",
        {"runs": runs_json(uids), "mailbox": mailbox},
    )
    # Few different combinations stand behind many messages: each is worked out once.
    wanted: dict[tuple[int, str], tuple[int, str, bytes]] = {}
    changing: dict[tuple[int, str], list[int]] = {}
    unchanged: list[FlagState] = []
    refused: list[int] = []
    for uid, mask, keywords, flags_wire, modseq in rows:
        # RFC 7162 §3.1.3: a message that was changed since is left alone and named.
        if unchanged_since is not None and modseq > unchanged_since:
            refused.append(uid)
            continue
        old = (mask, keywords)
        if old not in wanted:
            new_mask, new_ids = _combined(op, mask, to_ids(keywords), given_mask, given_ids)
            wanted[old] = (new_mask, to_text(new_ids), wire(transaction, new_mask, new_ids))
        if wanted[old][:2] == old:
            unchanged.append((uid, flags_wire, modseq))
        else:
            changing.setdefault(old, []).append(uid)
    if not changing:
        return FlagsResult([], unchanged, UidSet.from_iterable(refused), ModSeq(0))
    modseq = ModSeq(transaction.value("UPDATE account SET modseq = modseq + 1 RETURNING modseq"))
    changed: list[FlagState] = []
    unseen = deleted = 0
    for old, its_uids in changing.items():
        new_mask, new_keywords, new_wire = wanted[old]
        transaction.run(
            """UPDATE message SET flags = :flags, keywords = :keywords, flags_wire = :wire, modseq = :modseq
               WHERE mailbox_id = :mailbox AND uid IN (SELECT value FROM json_each(:uids))""",
            {
                "flags": new_mask,
                "keywords": new_keywords,
                "wire": new_wire,
                "modseq": modseq,
                "mailbox": mailbox,
                "uids": f"[{','.join(map(str, its_uids))}]",
            },
        )
        unseen += len(its_uids) * ((old[0] & SEEN) - (new_mask & SEEN)) // SEEN
        deleted += len(its_uids) * ((new_mask & DELETED) - (old[0] & DELETED)) // DELETED
        changed += [(Uid(uid), new_wire, modseq) for uid in its_uids]
    if len(changing) > 1:
        changed.sort()
    transaction.run(
        """UPDATE mailbox SET highestmodseq = :modseq, unseen = unseen + :unseen, deleted = deleted + :deleted
           WHERE id = :mailbox""",
        {"modseq": modseq, "unseen": unseen, "deleted": deleted, "mailbox": mailbox},
    )
    return FlagsResult(
        changed, unchanged, UidSet.from_iterable(refused) if refused else EMPTY, modseq
    )


def _combined(
    op: FlagOp, mask: int, ids: KeywordIds, given_mask: int, given_ids: KeywordIds
) -> tuple[int, KeywordIds]:
    if op is FlagOp.REPLACE:
        return given_mask, given_ids
    if op is FlagOp.ADD:
        return mask | given_mask, tuple(sorted({*ids, *given_ids}))
    return mask & ~given_mask, tuple(number for number in ids if number not in given_ids)


def _limit(message: str) -> Problem:
    return Problem(
        code="keywords.limit", message=message, fix="Use fewer or shorter keywords (tags)."
    )
