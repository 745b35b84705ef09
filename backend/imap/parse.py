"""What does one whole command mean? `RawCommand` in, tag and command value out."""

import binascii
from collections.abc import Callable
from dataclasses import dataclass

from backend.core.errors import PeerError
from backend.imap import commands as c
from backend.imap.grammar import Cursor, GrammarError
from backend.imap.parse_fetch import parse_fetch, parse_store
from backend.imap.parse_list import parse_list, refuse_wild, status_items
from backend.imap.parse_search import parse_search
from backend.imap.wire import RawCommand

MAX_ID_FIELDS = 30  # RFC 2971 §3.3: "no more than 30 field-value pairs"
MAX_APPEND_MESSAGES = 500  # messages in one MULTIAPPEND, a security limit


@dataclass(frozen=True, slots=True)
class Parsed:
    tag: bytes
    command: c.Command


class BadCommandError(PeerError):
    """`tag` is `*` if none could be read (the answer is untagged BAD then)."""

    def __init__(self, tag: bytes, text: str) -> None:
        super().__init__(text)
        self.tag = tag


def tag_of(start: bytes) -> bytes:
    """The tag of a command of which only the beginning is known; `*` if it has none."""
    try:
        return Cursor(RawCommand((start,))).tag()
    except GrammarError:
        return b"*"


def parse(raw: RawCommand, *, utf8: bool = False) -> Parsed:
    """`utf8`: the client has enabled UTF-8 for names.

    Raises:
        BadCommandError: nothing else, whatever came in.
    """
    cursor = Cursor(raw, utf8=utf8)
    tag = b"*"
    try:
        tag = cursor.tag()
        cursor.sp()
        name = cursor.word()
        by_uid = name == "UID"
        if by_uid:
            cursor.sp()
            name = f"UID {cursor.word()}"
        read = _COMMANDS.get(name)
        if read is None:
            raise GrammarError(f"No such command: {name}")
        command = read(cursor)
        cursor.end()
    except GrammarError as fault:
        raise BadCommandError(tag, str(fault)) from fault
    return Parsed(tag, command)


def _login(cursor: Cursor) -> c.Command:
    cursor.sp()
    name = cursor.astring()
    cursor.sp()
    return c.Login(name, cursor.astring())


def _authenticate(cursor: Cursor) -> c.Command:
    cursor.sp()
    mechanism = cursor.atom().decode("ascii").upper()
    if not cursor.try_sp():
        return c.Authenticate(mechanism, None)
    # RFC 4959 §3: "=" is an initial response of no octets.
    encoded = cursor.astring()
    if encoded == b"=":
        return c.Authenticate(mechanism, b"")
    return c.Authenticate(mechanism, decode_base64(encoded))


def decode_base64(encoded: bytes) -> bytes:
    """A response of SASL.

    Raises:
        GrammarError: not base64.
    """
    try:
        return binascii.a2b_base64(encoded, strict_mode=True)
    except ValueError as error:
        raise GrammarError("The response is not valid base64") from error


def _id(cursor: Cursor) -> c.Command:
    cursor.sp()
    if cursor.try_word("NIL"):
        return c.Id({})

    fields: dict[str, str] = {}

    def pair() -> None:
        key = cursor.string()
        cursor.sp()
        value = cursor.nstring()
        if len(fields) < MAX_ID_FIELDS:
            fields[key.decode("utf-8", "replace").lower()] = (value or b"").decode(
                "utf-8", "replace"
            )

    cursor.parenthesized(pair)
    return c.Id(fields)


def _enable(cursor: Cursor) -> c.Command:
    names: list[str] = []
    while cursor.try_sp() and not cursor.at_end():
        names.append(cursor.atom().decode("ascii").upper())
    if not names:
        raise GrammarError("Expected the name of a capability")
    return c.Enable(tuple(names))


def _select(cursor: Cursor, *, read_only: bool) -> c.Command:
    cursor.sp()
    mailbox = cursor.mailbox()
    condstore = False
    if cursor.try_sp() and not cursor.at_end():
        # RFC 4466 §2.4: select-params = SP "(" select-param *(SP select-param) ")"
        for parameter in cursor.parenthesized(cursor.word):
            if parameter != "CONDSTORE":
                raise GrammarError(f"No such parameter: {parameter}")
            condstore = True
    return c.Select(mailbox, read_only, condstore)


def _create(cursor: Cursor) -> c.Command:
    cursor.sp()
    mailbox = cursor.mailbox()
    special_use = ""
    if cursor.try_sp() and not cursor.at_end():

        def parameter() -> None:
            nonlocal special_use
            # RFC 6154 §3: create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"
            name = cursor.word()
            if name != "USE":
                raise GrammarError(f"No such parameter: {name}")
            cursor.sp()

            def attribute() -> str:
                cursor.char(b"\\")
                return "\\" + cursor.atom().decode("ascii")

            uses = cursor.parenthesized(attribute)
            special_use = " ".join(uses)

        cursor.parenthesized(parameter)
    return c.Create(mailbox, special_use)


def _rename(cursor: Cursor) -> c.Command:
    cursor.sp()
    old = cursor.mailbox()
    cursor.sp()
    return c.Rename(old, cursor.mailbox())


def _with_mailbox(make: Callable[[str], c.Command]) -> Callable[[Cursor], c.Command]:
    def read(cursor: Cursor) -> c.Command:
        cursor.sp()
        return make(cursor.mailbox())

    return read


def _lsub(cursor: Cursor) -> c.Command:
    cursor.sp()
    reference = cursor.mailbox()
    cursor.sp()
    pattern = cursor.list_mailbox()
    refuse_wild([reference, pattern])
    return c.Lsub(reference, pattern)


def _status(cursor: Cursor) -> c.Command:
    cursor.sp()
    mailbox = cursor.mailbox()
    cursor.sp()
    return c.Status(mailbox, status_items(cursor))


def _append(cursor: Cursor) -> c.Command:
    cursor.sp()
    mailbox = cursor.mailbox()
    cursor.sp()
    messages = [_append_message(cursor)]
    # RFC 3502 §6.3.11: further messages follow after a space.
    while cursor.try_sp() and not cursor.at_end():
        if len(messages) >= MAX_APPEND_MESSAGES:
            raise GrammarError("Too many messages in one APPEND")
        messages.append(_append_message(cursor))
    return c.Append(mailbox, tuple(messages))


def _append_message(cursor: Cursor) -> c.AppendMessage:
    flags: frozenset[str] = frozenset()
    received_at = None
    if cursor.peek() == b"(":
        flags = cursor.flag_list()
        cursor.sp()
    if cursor.peek() == b'"':
        received_at = cursor.date_time()
        cursor.sp()
    # RFC 6855 §4: append-data =/ "UTF8" SP "(" literal8 ")"
    is_wrapped = cursor.try_word("UTF8")
    if is_wrapped:
        cursor.sp()
        cursor.char(b"(")
    content = cursor.try_literal()
    if content is None:
        raise GrammarError("Expected the message as a literal")
    if is_wrapped:
        cursor.char(b")")
    return c.AppendMessage(flags, received_at, content)


def _uid_expunge(cursor: Cursor) -> c.Command:
    cursor.sp()
    return c.Expunge(cursor.sequence_set(is_uid=True))


def _copy(cursor: Cursor, *, by_uid: bool, move: bool) -> c.Command:
    cursor.sp()
    messages = cursor.sequence_set(is_uid=by_uid)
    cursor.sp()
    mailbox = cursor.mailbox()
    return c.Move(messages, mailbox, by_uid) if move else c.Copy(messages, mailbox, by_uid)


_COMMANDS: dict[str, Callable[[Cursor], c.Command]] = {
    "CAPABILITY": lambda _: c.Capability(),
    "NOOP": lambda _: c.Noop(),
    "LOGOUT": lambda _: c.Logout(),
    "ID": _id,
    "STARTTLS": lambda _: c.StartTls(),
    "LOGIN": _login,
    "AUTHENTICATE": _authenticate,
    "ENABLE": _enable,
    "SELECT": lambda cursor: _select(cursor, read_only=False),
    "EXAMINE": lambda cursor: _select(cursor, read_only=True),
    "CREATE": _create,
    "DELETE": _with_mailbox(c.Delete),
    "RENAME": _rename,
    "SUBSCRIBE": _with_mailbox(c.Subscribe),
    "UNSUBSCRIBE": _with_mailbox(c.Unsubscribe),
    "LIST": parse_list,
    "LSUB": _lsub,
    "STATUS": _status,
    "NAMESPACE": lambda _: c.Namespace(),
    "APPEND": _append,
    "IDLE": lambda _: c.Idle(),
    "CHECK": lambda _: c.Check(),
    "CLOSE": lambda _: c.Close(),
    "UNSELECT": lambda _: c.Unselect(),
    "EXPUNGE": lambda _: c.Expunge(),
    "UID EXPUNGE": _uid_expunge,
    "SEARCH": lambda cursor: parse_search(cursor, by_uid=False),
    "UID SEARCH": lambda cursor: parse_search(cursor, by_uid=True),
    "FETCH": lambda cursor: parse_fetch(cursor, by_uid=False),
    "UID FETCH": lambda cursor: parse_fetch(cursor, by_uid=True),
    "STORE": lambda cursor: parse_store(cursor, by_uid=False),
    "UID STORE": lambda cursor: parse_store(cursor, by_uid=True),
    "COPY": lambda cursor: _copy(cursor, by_uid=False, move=False),
    "UID COPY": lambda cursor: _copy(cursor, by_uid=True, move=False),
    "MOVE": lambda cursor: _copy(cursor, by_uid=False, move=True),
    "UID MOVE": lambda cursor: _copy(cursor, by_uid=True, move=True),
}
