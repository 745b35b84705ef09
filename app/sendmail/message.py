"""What programs hand to sendmail, made into a message that a mail server takes: line ends, From, To. Pure."""

import re
from dataclasses import dataclass

from app.sendmail.fault import SendmailError
from backend.core.address import Address, AddressError, parse_address

_NEWLINE = re.compile(rb"\r\n|\r|\n")
# RFC 5322 §2.2: field-name = 1*ftext; a space before the colon is of old.
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`content` with CRLF line ends throughout, ready for DATA but for its dots."""

    recipient: Address
    content: bytes


def prepare(
    raw: bytes, *, author: Address, recipient: str | None, default_destination: Address | None
) -> Outgoing:
    """`recipient` None: the one in the To header.

    Raises:
        SendmailError: there is not exactly one recipient.
    """
    fields, body = _split(raw)
    to = [value for name, value in fields if name == b"to"]
    if recipient is None:
        recipient = _only_recipient(to)
    address = resolve(recipient, default_destination)
    lines = [b"From: <%s>\r\n" % str(author).encode()]
    lines += [value for name, value in fields if name != b"from"]
    if not to:
        lines.append(b"To: <%s>\r\n" % str(address).encode())
    return Outgoing(address, b"".join([*lines, b"\r\n", body]))


def resolve(recipient: str, default_destination: Address | None) -> Address:
    """Raises:
    SendmailError: no address, and nowhere to send mail for local users.
    """
    if "@" not in recipient:
        if default_destination is None:
            raise SendmailError(
                f"recipient “{recipient}” has no @ and no default destination configured.",
                "Set “default_destination” in the settings.",
            )
        return default_destination
    try:
        return parse_address(recipient.strip().removeprefix("<").removesuffix(">"))
    except AddressError as error:
        raise SendmailError(f"The recipient “{recipient}” is no address: {error}.") from error


def _split(raw: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Header fields (name in lower case, whole field with line ends) and body."""
    text = _NEWLINE.sub(b"\r\n", raw)
    if text and not text.endswith(b"\r\n"):
        text += b"\r\n"
    # INTEROP(mail filters): the separator line of a mailbox file comes along.
    if text.startswith(b"From "):
        text = text[text.index(b"\r\n") + 2 :]
    fields: list[tuple[bytes, bytes]] = []
    at = 0
    while at < len(text):
        end = text.index(b"\r\n", at) + 2
        line = text[at:end]
        if line == b"\r\n":
            at = end
            break
        if line[:1] in {b" ", b"\t"} and fields:
            name, value = fields[-1]
            fields[-1] = (name, value + line)
        elif match := _FIELD.match(line):
            fields.append((match[1].lower(), line))
        else:
            # INTEROP(echo | sendmail): the text begins without header or empty line.
            break
        at = end
    return fields, text[at:]


def _only_recipient(to: list[bytes]) -> str:
    from email.utils import getaddresses  # late, because start-up time counts

    if not to:
        raise SendmailError("With -t the message needs a To header that names the recipient.")
    if len(to) > 1:
        raise SendmailError("only single To header allowed.")
    value = _NEWLINE.sub(b"", to[0]).partition(b":")[2].decode("utf-8", "surrogateescape")
    found = [address for _, address in getaddresses([value]) if address]
    if len(found) != 1:
        raise SendmailError(
            "With -t the To header must name exactly one recipient.",
            "Send a message for each of several recipients.",
        )
    return found[0]
