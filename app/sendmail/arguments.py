"""The words behind `sendmail`, as thirty years of programs have written them: what concerns us is taken, the rest ignored."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.sendmail.fault import SendmailError

# Letters whose value follows, in the same word or as the next one (the union of Sendmail's, Postfix's and Exim's).
_WITH_VALUE = frozenset("ABCFLNORVXbefhopr")
# The value of these can only stand in the same word: -q30m, -d0.1
_WITH_REST = frozenset("qdM")


@dataclass(frozen=True, slots=True)
class Arguments:
    """`recipients` as written; `from_header`: -t, they stand in the message."""

    recipients: tuple[str, ...] = ()
    from_header: bool = False
    config: str = ""
    describe: bool = False
    help: bool = False


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Raises:
    SendmailError: `--config` without a file, or an option of ours that does not exist.
    """
    from_header, config = False, ""
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
            from_header = _take_letters(word[1:], rest) or from_header
    return Arguments(tuple(rest), from_header=from_header, config=config)


def _take_letters(letters: str, rest: list[str]) -> bool:
    """Whether -t is among them; the next word goes too when it is the value of the last letter."""
    from_header = False
    for place, letter in enumerate(letters):
        if letter == "t":
            from_header = True
        elif letter in _WITH_REST:
            break
        elif letter in _WITH_VALUE:
            if place == len(letters) - 1 and rest:
                rest.pop(0)
            break
    return from_header
