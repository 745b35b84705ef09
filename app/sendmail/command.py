"""The program `gatepost-sendmail`, which is also `gatepost sendmail`, and /usr/sbin/sendmail by a link."""

import sys
from collections.abc import Sequence
from typing import BinaryIO

from app.sendmail.arguments import Arguments, parse_arguments
from app.sendmail.fault import SendmailError
from app.sendmail.keep import save_failed
from app.sendmail.message import Outgoing, prepare
from app.sendmail.session import submit
from app.sendmail.settings import DEFAULT_FILE, VARIABLE, Settings, describe, load_settings

MAX_MESSAGE_BYTES = 1024**3  # it is held in memory; a security limit

HELP = f"""\
Usage: gatepost-sendmail [--config FILE] [options of sendmail] RECIPIENT < MESSAGE
       gatepost-sendmail [--config FILE] -t < MESSAGE

Sends one message through a mail server, as cron and scripts expect of /usr/sbin/sendmail (make that a link to
this program). Its From header is replaced by the configured address. A recipient without @ stands for the
configured default destination. What can't be sent is saved in ~/gatepost-sendmail.failures.

  -t                  take the recipient from the message's To header (one header, one recipient)
  -N WHEN             reports that are wanted: never, or success, failure, delay (with commas between)
  -R full|hdrs        what a report returns of the message
  -V ID               a name of your own for the message, which reports repeat
  --config FILE       settings to use; else ${VARIABLE}, else {DEFAULT_FILE}
  --describe-config   print a commented file of settings
  --help              this text

All other options of sendmail (-i, -oi, -f ADDRESS, -F NAME, -bm ...) are accepted and ignored.
Exit codes: 0 the server has taken the message; 1 it has not.
"""


def main(words: Sequence[str] | None = None) -> int:
    """The exit code."""
    try:
        arguments = parse_arguments(sys.argv[1:] if words is None else words)
        if arguments.help:
            sys.stdout.write(HELP)
            return 0
        if arguments.describe:
            sys.stdout.write(describe())
            return 0
        if arguments.from_header == bool(arguments.recipients) or len(arguments.recipients) > 1:
            raise SendmailError("need either exactly 1 recipient, or -t.")
        raw = _read(sys.stdin.buffer)
    except SendmailError as error:
        _say(str(error))
        return 1
    return _send(arguments, raw)


def _read(stream: BinaryIO) -> bytes:
    raw = stream.read(MAX_MESSAGE_BYTES + 1)
    if len(raw) > MAX_MESSAGE_BYTES:
        raise SendmailError(f"The message is larger than {MAX_MESSAGE_BYTES} bytes.")
    return raw


def _send(arguments: Arguments, raw: bytes) -> int:
    content, recipient = raw, " ".join(arguments.recipients)
    try:
        settings: Settings = load_settings(arguments.config)
        message: Outgoing = prepare(
            raw,
            author=settings.author,
            recipient=None if arguments.from_header else arguments.recipients[0],
            default_destination=settings.default_destination,
        )
        content, recipient = message.content, str(message.recipient)
        submit(settings, message, asked=arguments.asked, wish=arguments.wish)
    except SendmailError as error:
        reason = str(error)
    except Exception as error:
        # A fault of ours must not cost the message either.
        reason = f"A fault in gatepost-sendmail: {type(error).__name__}: {error}"
    else:
        return 0
    _say(f"The message was not sent. {reason}")
    try:
        saved = save_failed(content, recipient=recipient, reason=reason)
    except (OSError, RuntimeError) as error:
        _say(f"It could not be saved either: {error}.")
    else:
        _say(f"It is saved in {saved}.")
    return 1


def _say(text: str) -> None:
    sys.stderr.write(f"gatepost-sendmail: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
