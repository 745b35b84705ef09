"""IMAP's ENVELOPE of a message, ready to send (RFC 9051 §7.5.2, RFC 3501 §7.4.2)."""

from collections.abc import Mapping, Sequence

from backend.message.addresses import Entry, Group, Mailbox, parse_addresses
from backend.message.quoting import quote, quote_or_nil

ADDRESS_FIELDS = (b"from", b"sender", b"reply-to", b"to", b"cc", b"bcc")

Addresses = Mapping[bytes, Sequence[Entry]]


def read_addresses(fields: Mapping[bytes, bytes]) -> dict[bytes, list[Entry]]:
    """The address fields of a message, parsed once for everybody."""
    return {name: parse_addresses(fields[name]) for name in ADDRESS_FIELDS if name in fields}


def format_envelope(fields: Mapping[bytes, bytes], addresses: Addresses) -> bytes:
    """With its parentheses. Encoded words stay encoded: clients decode them.

    RFC 3501 §7.4.2: a missing Date, Subject, In-Reply-To or Message-ID is NIL and an empty one is an empty string; a
    missing or empty Sender or Reply-To is what From is.
    """
    get = fields.get
    author = format_addresses(addresses.get(b"from"))
    sender = format_addresses(addresses.get(b"sender"))
    reply_to = format_addresses(addresses.get(b"reply-to"))
    return b"(%b %b %b %b %b %b %b %b %b %b)" % (
        quote_or_nil(get(b"date")),
        quote_or_nil(get(b"subject")),
        author,
        author if sender == b"NIL" else sender,
        author if reply_to == b"NIL" else reply_to,
        format_addresses(addresses.get(b"to")),
        format_addresses(addresses.get(b"cc")),
        format_addresses(addresses.get(b"bcc")),
        quote_or_nil(get(b"in-reply-to")),
        quote_or_nil(get(b"message-id")),
    )


def format_addresses(entries: Sequence[Entry] | None) -> bytes:
    """An address list; NIL for none."""
    if not entries:
        return b"NIL"
    out = []
    for entry in entries:
        if isinstance(entry, Group):
            # RFC 9051 §7.5.2: a group starts with its name and no host, and ends with neither.
            out.append(b"(NIL NIL %b NIL)" % quote(entry.name))
            out.extend(map(_format_mailbox, entry.members))
            out.append(b"(NIL NIL NIL NIL)")
        else:
            out.append(_format_mailbox(entry))
    return b"(%b)" % b"".join(out)


def _format_mailbox(box: Mailbox) -> bytes:
    # Mailbox and host are strings even when empty, since NIL in their place would mean a group.
    return b"(%b %b %b %b)" % (
        quote(box.name) if box.name else b"NIL",
        quote(box.route) if box.route else b"NIL",
        quote(box.localpart),
        quote(box.domain),
    )
