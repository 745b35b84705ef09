"""The words behind `sendmail`, as thirty years of programs have written them: what concerns us is taken, the rest ignored."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.sendmail.fault import SendmailError
from backend.core.envelope import NO_WISH, NOTHING_ASKED, Asked, Ret, Wish
from backend.smtp.parameters import MAX_ENVID_OCTETS, CommandError, parse_notify

# Letters whose value follows, in the same word or as the next one (the union of Sendmail's, Postfix's and Exim's).
_WITH_VALUE = frozenset("ABCFLNORVXbefhopr")
# The value of these can only stand in the same word: -q30m, -d0.1
_WITH_REST = frozenset("qdM")


@dataclass(frozen=True, slots=True)
class Arguments:
    """`recipients` as written; `from_header`: -t, they stand in the message. `asked`, `wish`: -R, -V and -N."""

    recipients: tuple[str, ...] = ()
    from_header: bool = False
    config: str = ""
    describe: bool = False
    help: bool = False
    asked: Asked = NOTHING_ASKED
    wish: Wish = NO_WISH


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Raises:
    SendmailError: `--config` without a file, or an option of ours that does not exist.
    """
    from_header, config = False, ""
    values: dict[str, str] = {}
    rest = list(words)
    # SECURITY: options end at the first recipient, so that an address from a form can't become one.
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word in {"--help", "-h"} and not rest:
            return Arguments(help=True)
        if word == "--describe-config":
            return Arguments(describe=True)
        if word == "--config":
            if not rest:
                raise SendmailError("--config needs the name of a file.")
            config = rest.pop(0)
        elif word.startswith("--config="):
            config = word.partition("=")[2]
        elif word.startswith("--"):
            raise SendmailError(f"There is no option {word}; see --help.")
        else:
            from_header = _take_letters(word[1:], rest, values) or from_header
    asked = Asked(ret=_ret(values.get("R", "")), envelope_id=_envelope_id(values.get("V", "")))
    wish = _wish(values.get("N", ""))
    return Arguments(tuple(rest), from_header=from_header, config=config, asked=asked, wish=wish)


# What can't be understood of these is ignored like any option: the message is worth more than the report about it.


def _ret(value: str) -> Ret | None:
    return {"full": Ret.FULL, "hdrs": Ret.HEADERS}.get(value.lower())


def _envelope_id(value: str) -> str:
    is_usable = value.isascii() and value.isprintable() and len(value) <= MAX_ENVID_OCTETS
    return value if is_usable else ""


def _wish(value: str) -> Wish:
    try:
        return Wish(parse_notify(value)) if value else NO_WISH
    except CommandError:
        return NO_WISH


def _take_letters(letters: str, rest: list[str], values: dict[str, str]) -> bool:
    """Whether -t is among them; the next word goes too when it is the value of the last letter."""
    from_header = False
    for place, letter in enumerate(letters):
        if letter == "t":
            from_header = True
        elif letter in _WITH_REST:
            break
        elif letter in _WITH_VALUE:
            values[letter] = letters[place + 1 :]
            if place == len(letters) - 1 and rest:
                values[letter] = rest.pop(0)
            break
    return from_header
