"""What is searched for? The arguments of SEARCH as a key of `backend.imap.search` (RFC 9051 §6.4.4 and extensions)."""

from collections.abc import Callable

from backend.imap import search
from backend.imap.commands import Search, SearchReturn
from backend.imap.grammar import MAX_NESTING, MAX_NUMBER64, Cursor, GrammarError

MAX_KEYS = 2000  # search keys in one command, a security limit

# RFC 9051 §6.4.4: US-ASCII and UTF-8 are what a server must know.
CHARSETS = frozenset({"US-ASCII", "UTF-8"})


def parse_search(cursor: Cursor, *, by_uid: bool) -> Search:
    """What follows `SEARCH`."""
    returns: frozenset[SearchReturn] | None = None
    charset = "UTF-8"
    cursor.sp()
    if cursor.try_word("RETURN"):
        cursor.sp()
        returns = _returns(cursor)
        cursor.sp()
    if cursor.try_word("CHARSET"):
        cursor.sp()
        charset = cursor.astring().decode("ascii", "replace").upper()
        cursor.sp()
    keys = _Keys(cursor, decodes=charset in CHARSETS)
    key = keys.sequence()
    return Search(key, returns, charset, by_uid, keys.wants_modseq)


def _returns(cursor: Cursor) -> frozenset[SearchReturn]:
    def option() -> SearchReturn:
        word = cursor.word()
        try:
            return SearchReturn(word)
        except ValueError as error:
            raise GrammarError(f"No such search return option: {word}") from error

    # RFC 9051 §6.4.4: an empty list is as good as ALL.
    return frozenset(cursor.parenthesized(option)) or frozenset({SearchReturn.ALL})


class _Keys:
    """Walks over search keys. `decodes` is False for a charset that will be refused anyway."""

    def __init__(self, cursor: Cursor, *, decodes: bool) -> None:
        self.cursor = cursor
        self.wants_modseq = False
        self._decodes = decodes
        self._count = 0

    def sequence(self) -> search.SearchKey:
        keys = [self._key(0)]
        while self.cursor.try_sp() and not self.cursor.at_end():
            keys.append(self._key(0))
        return keys[0] if len(keys) == 1 else search.And(tuple(keys))

    def _key(self, depth: int) -> search.SearchKey:
        self._count += 1
        if depth > MAX_NESTING:
            raise GrammarError("Search keys are nested too deeply")
        if self._count > MAX_KEYS:
            raise GrammarError("Too many search keys")
        cursor = self.cursor
        following = cursor.peek()
        if following == b"(":
            keys = cursor.parenthesized(lambda: self._key(depth + 1))
            if not keys:
                raise GrammarError("Expected a search key in the parentheses")
            return keys[0] if len(keys) == 1 else search.And(tuple(keys))
        if following in b"0123456789*$" and following:
            return cursor.sequence_set(is_uid=False)
        word = cursor.word()
        match word:
            case "NOT":
                cursor.sp()
                return search.Not(self._key(depth + 1))
            case "OR":
                cursor.sp()
                left = self._key(depth + 1)
                cursor.sp()
                return search.Or(left, self._key(depth + 1))
            case "UID":
                cursor.sp()
                return cursor.sequence_set(is_uid=True)
        if word in _PLAIN:
            return _PLAIN[word]
        if word not in _WITH_ARGUMENT:
            raise GrammarError(f"No such search key: {word}")
        cursor.sp()
        return _WITH_ARGUMENT[word](self)

    # Arguments

    def text(self) -> str:
        raw = self.cursor.astring()
        if not self._decodes:
            return ""
        try:
            return raw.decode("utf-8")
        except ValueError as error:
            raise GrammarError("The text to search for is not valid UTF-8") from error

    def keyword(self, *, present: bool) -> search.SearchKey:
        return search.Flag(self.cursor.atom().decode("ascii"), present)

    def header(self) -> search.SearchKey:
        name = self.cursor.astring().decode("ascii", "replace").lower()
        self.cursor.sp()
        return search.Header(name, self.text())

    def day(self, field: search.DateField, compare: search.Compare) -> search.SearchKey:
        return search.Date(field, compare, self.cursor.date())

    def thread_id(self) -> search.SearchKey:
        self.cursor.atom()
        return search.Not(search.All())

    def modseq(self) -> search.SearchKey:
        # RFC 7162 §3.1.5: "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer; this
        # server keeps one mod-sequence a message, so the entry makes no difference.
        entry = self.cursor.try_string()
        if entry is not None:
            self.cursor.sp()
            if not self.cursor.try_word("PRIV", "SHARED", "ALL"):
                raise GrammarError("Expected PRIV, SHARED or ALL")
            self.cursor.sp()
        self.wants_modseq = True
        return search.ModSeqSince(self.cursor.number(MAX_NUMBER64))


def _flag(flag: str, *, present: bool = True) -> search.SearchKey:
    return search.Flag(flag, present)


_PLAIN: dict[str, search.SearchKey] = {
    "ALL": search.All(),
    "ANSWERED": _flag("\\Answered"),
    "DELETED": _flag("\\Deleted"),
    "DRAFT": _flag("\\Draft"),
    "FLAGGED": _flag("\\Flagged"),
    "SEEN": _flag("\\Seen"),
    "UNANSWERED": _flag("\\Answered", present=False),
    "UNDELETED": _flag("\\Deleted", present=False),
    "UNDRAFT": _flag("\\Draft", present=False),
    "UNFLAGGED": _flag("\\Flagged", present=False),
    "UNSEEN": _flag("\\Seen", present=False),
    # RFC 3501 §6.4.4: this server never says \Recent (RFC 9051 appendix A.11 dropped it), so no
    # message is recent and every one is old.
    "RECENT": search.Not(search.All()),
    "NEW": search.Not(search.All()),
    "OLD": search.All(),
    "SAVEDATESUPPORTED": search.All(),
}

_WITH_ARGUMENT: dict[str, Callable[[_Keys], search.SearchKey]] = {
    "BCC": lambda keys: search.Address("bcc", keys.text()),
    "CC": lambda keys: search.Address("cc", keys.text()),
    "FROM": lambda keys: search.Address("from", keys.text()),
    "TO": lambda keys: search.Address("to", keys.text()),
    "SUBJECT": lambda keys: search.Subject(keys.text()),
    "BODY": lambda keys: search.Body(keys.text()),
    "TEXT": lambda keys: search.Text(keys.text()),
    "HEADER": _Keys.header,
    "KEYWORD": lambda keys: keys.keyword(present=True),
    "UNKEYWORD": lambda keys: keys.keyword(present=False),
    "LARGER": lambda keys: search.Size(keys.cursor.number(MAX_NUMBER64), larger=True),
    "SMALLER": lambda keys: search.Size(keys.cursor.number(MAX_NUMBER64), larger=False),
    # RFC 5032 §2: both intervals are above zero.
    "OLDER": lambda keys: search.Within(keys.cursor.nz_number(), younger=False),
    "YOUNGER": lambda keys: search.Within(keys.cursor.nz_number(), younger=True),
    "BEFORE": lambda keys: keys.day(search.DateField.INTERNAL, search.Compare.BEFORE),
    "ON": lambda keys: keys.day(search.DateField.INTERNAL, search.Compare.ON),
    "SINCE": lambda keys: keys.day(search.DateField.INTERNAL, search.Compare.SINCE),
    "SENTBEFORE": lambda keys: keys.day(search.DateField.SENT, search.Compare.BEFORE),
    "SENTON": lambda keys: keys.day(search.DateField.SENT, search.Compare.ON),
    "SENTSINCE": lambda keys: keys.day(search.DateField.SENT, search.Compare.SINCE),
    # RFC 8514 §4.3: the day a message came into this mailbox.
    "SAVEDBEFORE": lambda keys: keys.day(search.DateField.SAVED, search.Compare.BEFORE),
    "SAVEDON": lambda keys: keys.day(search.DateField.SAVED, search.Compare.ON),
    "SAVEDSINCE": lambda keys: keys.day(search.DateField.SAVED, search.Compare.SINCE),
    "MODSEQ": _Keys.modseq,
    "EMAILID": lambda keys: search.EmailId(keys.cursor.atom().decode("ascii")),
    # RFC 8474 §6: THREADID is NIL here, so that none matches.
    "THREADID": lambda keys: keys.thread_id(),
}
