"""Which mailboxes are asked for? The arguments of LIST with its extensions, and the items of STATUS."""

from collections.abc import Iterable

from backend.imap.commands import List, StatusItem
from backend.imap.grammar import Cursor, GrammarError

MAX_PATTERNS = 100  # patterns in one LIST, a security limit
MAX_WILDCARDS = 50  # in all patterns of one command, a security limit

# RFC 5258 §6: what may be selected, and what may be asked for beside the name; SPECIAL-USE: RFC 6154 §5.1.
SELECT_OPTIONS = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})
RETURN_OPTIONS = frozenset({"SUBSCRIBED", "CHILDREN", "SPECIAL-USE"})


def parse_list(cursor: Cursor) -> List:
    """What follows `LIST`."""
    select: frozenset[str] = frozenset()
    is_extended = False
    cursor.sp()
    if cursor.peek() == b"(":
        select = frozenset(cursor.parenthesized(cursor.word))
        if unknown := select - SELECT_OPTIONS:
            raise GrammarError(f"No such selection option: {', '.join(sorted(unknown))}")
        # RFC 5258 §3: RECURSIVEMATCH "cannot be used by itself"
        if "RECURSIVEMATCH" in select and not select - {"RECURSIVEMATCH", "REMOTE"}:
            raise GrammarError("RECURSIVEMATCH needs another selection option beside it")
        is_extended = True
        cursor.sp()
    reference = cursor.mailbox()
    cursor.sp()
    if cursor.peek() == b"(":
        patterns = cursor.parenthesized(cursor.list_mailbox)
        if not patterns or len(patterns) > MAX_PATTERNS:
            raise GrammarError("Expected some mailbox patterns, but not too many")
        is_extended = True
    else:
        patterns = [cursor.list_mailbox()]
    refuse_wild([reference, *patterns])
    returns: frozenset[str] = frozenset()
    status: tuple[StatusItem, ...] = ()
    if cursor.try_sp() and not cursor.at_end():
        if not cursor.try_word("RETURN"):
            raise GrammarError("Expected RETURN")
        cursor.sp()
        is_extended = True

        def option() -> str:
            nonlocal status
            word = cursor.word()
            if word == "STATUS":  # RFC 5819 §2
                cursor.sp()
                status = status_items(cursor)
            elif word not in RETURN_OPTIONS:
                raise GrammarError(f"No such return option: {word}")
            return word

        returns = frozenset(cursor.parenthesized(option)) - {"STATUS"}
    return List(reference, tuple(patterns), select, returns, status, is_extended)


def refuse_wild(patterns: Iterable[str]) -> None:
    """Raises:
    GrammarError: matching would cost too much.
    """
    if sum(pattern.count("*") + pattern.count("%") for pattern in patterns) > MAX_WILDCARDS:
        raise GrammarError("Too many wildcards")


def status_items(cursor: Cursor) -> tuple[StatusItem, ...]:
    def item() -> StatusItem:
        word = cursor.word()
        try:
            return StatusItem(word)
        except ValueError as error:
            raise GrammarError(f"No such status item: {word}") from error

    items = cursor.parenthesized(item)
    if not items:
        raise GrammarError("Expected at least one status item")
    return tuple(dict.fromkeys(items))
