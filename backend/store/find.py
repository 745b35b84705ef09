"""Which messages match a SEARCH (RFC 9051 §6.4.4)?

Whatever the message's row and the stored words of addresses and subject can answer is one SQL query. BODY and TEXT go to
the word index, and messages of which it is not sure are looked into; other header fields are looked up in the stored header
block. Both are done in slices, so that no search holds a thread for long.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from backend.core.clock import Clock
from backend.core.errors import UserError
from backend.core.ids import MailboxId, ModSeq, Uid
from backend.core.problems import Problem
from backend.imap import search
from backend.imap.search import SearchKey
from backend.store import mailboxes
from backend.store.blobs import Blobs
from backend.store.database import Database, Reader, Row
from backend.store.flags import SYSTEM_FLAGS
from backend.store.index import BODY, HEADER, Index
from backend.store.values import SearchResult
from backend.store.words import body_text, field_values, fold, header_text, storable

MAX_KEYS = 1000  # of one search, a security limit
MAX_DEPTH = 100  # of one search, a security limit
MAX_SQL_RUNS = 50  # a longer list of UIDs is compared outside SQL
SLICE_MESSAGES = 200
SLICE_BYTES = 1024 * 1024
DAY_S = 86_400
_ADDRESS_COLUMNS = {"from": "c.from_", "to": "c.to_", "cc": "c.cc", "bcc": "c.bcc"}
# Fields that never hold encoded words: a needle can be looked for in their bytes.
_PLAIN_FIELDS = frozenset({"message-id", "in-reply-to", "references", "list-id", "received"})


@dataclass(slots=True)
class _Sql:
    """A condition that is being put together."""

    params: dict[str, object] = field(default_factory=dict)
    needs_content: bool = False

    def param(self, value: object) -> str:
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f":{name}"


class Finder:
    """One search in one mailbox."""

    def __init__(
        self, database: Database, index: Index, blobs: Blobs, clock: Clock, mailbox: MailboxId
    ) -> None:
        self._database = database
        self._index = index
        self._blobs = blobs
        self._now = clock.time()
        self._mailbox = mailbox

    async def run(self, key: SearchKey, *, want_modseq: bool) -> SearchResult:
        """Raises:
        UserError: too complicated.
        """
        if _size(key, 1) > MAX_KEYS:
            raise _too_complicated()
        found = sorted(await self._evaluate(key, None))
        modseq = 0
        if want_modseq and found:
            modseq = await self._database.read(lambda reader: self._modseq(reader, found))
        return SearchResult([Uid(uid) for uid in found], ModSeq(modseq))

    async def _evaluate(self, key: SearchKey, among: set[int] | None) -> set[int]:
        """The UIDs that match, out of `among` (None: all)."""
        if among is not None and not among:
            return among
        if _is_sql(key):
            found = await self._database.read(lambda reader: self._by_sql(reader, key), slow=True)
            return found if among is None else found & among
        match key:
            case search.And(keys):
                return await self._all_of(keys, among)
            case search.Or(left, right):
                found = await self._evaluate(left, among)
                rest = None if among is None else among - found
                return found | await self._evaluate(right, rest)
            case search.Not(inner):
                everything = await self._everything() if among is None else among
                return everything - await self._evaluate(inner, everything)
            case search.Uids(uids):
                everything = await self._everything() if among is None else among
                return {uid for uid in everything if uid in uids}
            case search.Text(text):
                return await self._words(text, (HEADER, BODY), among)
            case search.Body(text):
                return await self._words(text, (BODY,), among)
            case search.Header(name, text):
                return await self._header(name, fold(text), among)
            case _:
                raise ValueError(f"not resolved before the search: {type(key).__name__}")

    async def _all_of(self, keys: Iterable[SearchKey], among: set[int] | None) -> set[int]:
        """What SQL can answer first, all at once; the dearer ones look at what is left."""
        quick = tuple(key for key in keys if _is_sql(key))
        if quick:
            among = await self._evaluate(search.And(quick), among)
        for key in sorted((key for key in keys if not _is_sql(key)), key=_cost):
            among = await self._evaluate(key, among)
        return await self._everything() if among is None else among

    async def _everything(self) -> set[int]:
        return await self._evaluate(search.All(), None)

    def _by_sql(self, reader: Reader, key: SearchKey) -> set[int]:
        sql = _Sql({"mailbox": self._mailbox})
        condition = self._condition(key, sql)
        join = "JOIN content c ON c.id = m.content_id" if sql.needs_content else ""
        rows = reader.rows(
            f"SELECT m.uid FROM message m {join} WHERE m.mailbox_id = :mailbox AND {condition}",
            sql.params,
        )
        return {uid for (uid,) in rows}

    def _condition(self, key: SearchKey, sql: _Sql) -> str:
        """Never NULL, so that NOT is safe."""
        param = sql.param
        match key:
            case search.All():
                return "1"
            case search.And(keys):
                return f"({' AND '.join(self._condition(inner, sql) for inner in keys) or '1'})"
            case search.Or(left, right):
                return f"({self._condition(left, sql)} OR {self._condition(right, sql)})"
            case search.Not(inner):
                return f"(NOT {self._condition(inner, sql)})"
            case search.Uids(uids):
                runs = [
                    f"m.uid BETWEEN {param(first)} AND {param(last)}" for first, last in uids.runs()
                ]
                return f"({' OR '.join(runs) or '0'})"
            case search.Flag(flag, present):
                return (
                    _flag_condition(flag, sql) if present else f"(NOT {_flag_condition(flag, sql)})"
                )
            case search.Date(which, compare, day):
                return _date_condition(which, compare, day, sql)
            case search.Within(seconds, younger):
                # RFC 5032 §2: OLDER and YOUNGER compare with the time of the search.
                return f"(m.received_at {'>=' if younger else '<='} {param(self._now - seconds)})"
            case search.Size(size_bytes, larger):
                return f"(m.size_bytes {'>' if larger else '<'} {param(size_bytes)})"
            case search.Address(name, text):
                return _words_condition(_ADDRESS_COLUMNS[name], text, sql)
            case search.Subject(text):
                return _words_condition("c.subject", text, sql)
            case search.ModSeqSince(modseq):
                return f"(m.modseq >= {param(modseq)})"
            case search.EmailId(email_id):
                email = mailboxes.EMAIL_ID_SQL
                return f"({email} = {param(email_id)})"
            case _:
                raise ValueError(f"not for SQL: {type(key).__name__}")

    async def _words(self, text: str, parts: tuple[str, ...], among: set[int] | None) -> set[int]:
        needle = storable(fold(text))
        contents = await self._contents(among)
        if not needle:
            return {uid for uid, _ in contents}
        sure: set[int] = set()
        maybe: set[int] = set()
        indexed: list[int] = []
        for part in parts:
            found = await self._index.find(part, needle)
            sure |= found.sure
            maybe |= found.maybe
            indexed.append(found.upto)
        upto = min(indexed)
        matching = {uid for uid, content in contents if content in sure}
        looking = [
            (uid, content)
            for uid, content in contents
            if content not in sure and (content in maybe or content > upto)
        ]
        with_header, with_body = HEADER in parts, BODY in parts

        def holds(header: bytes, read: Callable[[], bytes]) -> bool:
            if with_header and needle in header_text(header):
                return True
            return with_body and needle in body_text(read())

        return matching | await self._look_into(looking, holds)

    async def _header(self, name: str, needle: str, among: set[int] | None) -> set[int]:
        in_bytes = needle if name.strip().lower() in _PLAIN_FIELDS and needle.isascii() else ""

        def select(reader: Reader) -> list[Row]:
            # Those whose header has the field's name, and for some fields the needle, anywhere.
            return reader.rows(
                """SELECT m.uid, m.content_id FROM message m JOIN header h ON h.content_id = m.content_id
                   WHERE m.mailbox_id = :mailbox AND instr(lower(CAST(h.data AS TEXT)), :name)
                   AND (:needle = '' OR instr(lower(CAST(h.data AS TEXT)), :needle))""",
                {
                    "mailbox": self._mailbox,
                    "name": storable(name.strip().lower()),
                    # Folding may put a line break where the needle has a space.
                    "needle": "" if " " in in_bytes else in_bytes,
                },
            )

        contents = await self._database.read(select, slow=True)

        def holds(header: bytes, _: Callable[[], bytes]) -> bool:
            return any(needle in value for value in field_values(header, name))

        looking = [row for row in contents if among is None or row[0] in among]
        return await self._look_into(looking, holds, only_header=True)

    async def _contents(self, among: set[int] | None) -> list[tuple[int, int]]:
        """(uid, content) of the mailbox's messages."""

        def select(reader: Reader) -> list[Row]:
            return reader.rows(
                "SELECT uid, content_id FROM message WHERE mailbox_id = :mailbox",
                {"mailbox": self._mailbox},
            )

        rows = await self._database.read(select, slow=True)
        return [(uid, content) for uid, content in rows if among is None or uid in among]

    async def _look_into(
        self,
        messages: Iterable[tuple[int, int]],
        holds: Callable[[bytes, Callable[[], bytes]], bool],
        *,
        only_header: bool = False,
    ) -> set[int]:
        by_content: dict[int, list[int]] = {}
        for uid, content in messages:
            by_content.setdefault(content, []).append(uid)
        waiting = sorted(by_content)
        matching: set[int] = set()
        while waiting:
            some = waiting
            done, found = await self._database.read(
                lambda reader: self._look(reader, some, holds, only_header=only_header),  # noqa: B023  # run before the next turn
                slow=True,
            )
            waiting = waiting[done:]
            for content in found:
                matching.update(by_content[content])
        return matching

    def _look(
        self,
        reader: Reader,
        contents: list[int],
        holds: Callable[[bytes, Callable[[], bytes]], bool],
        *,
        only_header: bool,
    ) -> tuple[int, list[int]]:
        """One slice: how many were looked into, and which of them match."""
        taken = done = 0
        matching = []
        for content in contents[:SLICE_MESSAGES]:
            done += 1
            row = reader.row(
                """SELECT h.data, c.blob, c.size_bytes FROM content c JOIN header h ON h.content_id = c.id
                   WHERE c.id = :id""",
                {"id": content},
            )
            if row is None:
                continue  # expunged meanwhile
            header, blob, size = row
            if holds(header, lambda: self._read_body(reader, content, blob)):  # noqa: B023  # called at once
                matching.append(content)
            taken += len(header) if only_header else size
            if taken > SLICE_BYTES:
                break
        return done, matching

    def _read_body(self, reader: Reader, content: int, blob: str | None) -> bytes:
        if blob is None:
            data: bytes | None = reader.value(
                "SELECT data FROM body WHERE content_id = :id", {"id": content}
            )
            return data or b""
        try:
            return self._blobs.read(blob)
        except FileNotFoundError:
            return b""  # expunged meanwhile

    def _modseq(self, reader: Reader, uids: list[int]) -> int:
        highest: int | None = reader.value(
            """SELECT MAX(modseq) FROM message WHERE mailbox_id = :mailbox
               AND uid IN (SELECT value FROM json_each(:uids))""",
            {"mailbox": self._mailbox, "uids": f"[{','.join(map(str, uids))}]"},
        )
        return highest or 0


def _flag_condition(flag: str, sql: _Sql) -> str:
    if flag.startswith("\\"):
        mask = SYSTEM_FLAGS.get(flag.lower(), 0)
        return f"((m.flags & {mask}) != 0)"
    number = f"(SELECT k.id FROM keyword k WHERE k.folded = {sql.param(flag.lower())})"
    return f"coalesce(instr(m.keywords, ',' || {number} || ',') > 0, 0)"


def _date_condition(which: search.DateField, compare: search.Compare, day: int, sql: _Sql) -> str:
    if which is search.DateField.SENT:
        sql.needs_content = True
        operator = {"before": "<", "on": "=", "since": ">="}[compare.value]
        return f"coalesce(c.sent_day {operator} {sql.param(day)}, 0)"
    column = "m.saved_at" if which is search.DateField.SAVED else "m.received_at"
    first, after = sql.param(day * DAY_S), sql.param((day + 1) * DAY_S)
    match compare:
        case search.Compare.BEFORE:
            return f"({column} < {first})"
        case search.Compare.SINCE:
            return f"({column} >= {first})"
        case search.Compare.ON:
            return f"({column} >= {first} AND {column} < {after})"


def _words_condition(column: str, text: str, sql: _Sql) -> str:
    needle = storable(fold(text))
    sql.needs_content = True
    if not needle:
        return f"({column} != '')"
    return f"(instr({column}, {sql.param(needle)}) > 0)"


def _is_sql(key: SearchKey) -> bool:
    match key:
        case search.And(keys):
            return all(_is_sql(inner) for inner in keys)
        case search.Or(left, right):
            return _is_sql(left) and _is_sql(right)
        case search.Not(inner):
            return _is_sql(inner)
        case search.Uids(uids):
            return uids.run_count <= MAX_SQL_RUNS
        case search.Text() | search.Body() | search.Header():
            return False
        case _:
            return True


def _cost(key: SearchKey) -> int:
    return 0 if isinstance(key, search.Uids) else 2 if isinstance(key, search.Header) else 1


def _size(key: SearchKey, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise _too_complicated()
    match key:
        case search.And(keys):
            return 1 + sum(_size(inner, depth + 1) for inner in keys)
        case search.Or(left, right):
            return 1 + _size(left, depth + 1) + _size(right, depth + 1)
        case search.Not(inner):
            return 1 + _size(inner, depth + 1)
        case search.Uids(uids):
            return 1 + min(uids.run_count, MAX_SQL_RUNS)
        case _:
            return 1


def _too_complicated() -> UserError:
    return UserError(
        Problem(code="search.limit", message="The search is too complicated; use fewer conditions.")
    )
