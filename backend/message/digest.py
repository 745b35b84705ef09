"""Everything about a message that is asked for often, computed once when it arrives."""

import re
from dataclasses import dataclass

from backend.message.addresses import format_for_people
from backend.message.bodystructure import format_structure
from backend.message.dates import parse_date
from backend.message.encoded import decode_header
from backend.message.envelope import format_envelope, read_addresses
from backend.message.scan import Part, scan
from backend.message.text import preview

MAX_REFERENCES = 200  # security limit: of a longer thread the first and the latest are kept

_MESSAGE_ID = re.compile(rb"<[^<>\s\0]{1,998}>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What the store keeps beside a message.

    `envelope`, `body` and `bodystructure` are IMAP text with parentheses, ready to send. `subject` and the address lists
    are decoded for people and for searching. Message-IDs stand in their angle brackets; `references` holds those of References
    and In-Reply-To, oldest first. `sent_at` counts seconds since 1970 UTC; `sent_day` counts days since 1970 on the
    calendar of the one who wrote the message.
    """

    size: int
    header_size: int
    envelope: bytes
    body: bytes
    bodystructure: bytes
    subject: str
    from_: str
    to: str
    cc: str
    bcc: str
    message_id: str
    references: tuple[str, ...]
    sent_at: float | None
    sent_day: int | None
    preview: str


def digest(raw: bytes) -> Digest:
    """Never raises: whatever arrives can be stored and fetched."""
    try:
        return summarize(raw, scan(raw))
    except (
        Exception
    ):  # a fault of ours must not cost anybody a message; the property tests call summarize() bare
        return _opaque(raw)


def summarize(raw: bytes, root: Part) -> Digest:
    """The digest of a message that was scanned already."""
    fields = root.fields
    addresses = read_addresses(fields)
    body, bodystructure = format_structure(root)
    sent = parse_date(fields[b"date"]) if b"date" in fields else None
    return Digest(
        size=len(raw),
        header_size=root.body_start,
        envelope=format_envelope(fields, addresses),
        body=body,
        bodystructure=bodystructure,
        subject=decode_header(fields.get(b"subject", b"")),
        from_=format_for_people(addresses.get(b"from", ())),
        to=format_for_people(addresses.get(b"to", ())),
        cc=format_for_people(addresses.get(b"cc", ())),
        bcc=format_for_people(addresses.get(b"bcc", ())),
        message_id=_first_id(fields.get(b"message-id", b"")),
        references=_references(
            fields.get(b"references", b"") + b" " + fields.get(b"in-reply-to", b"")
        ),
        sent_at=sent.at if sent else None,
        sent_day=sent.day if sent else None,
        preview=preview(raw, root),
    )


def _first_id(value: bytes) -> str:
    match = _MESSAGE_ID.search(value)
    # INTEROP(old list software): an id without its brackets still tells messages apart.
    return match[0].decode("latin-1") if match else decode_header(value[:998])


def _references(value: bytes) -> tuple[str, ...]:
    if b"<" not in value:
        return ()
    ids = tuple(dict.fromkeys([match.decode("latin-1") for match in _MESSAGE_ID.findall(value)]))
    if len(ids) > MAX_REFERENCES:
        return ids[:1] + ids[1 - MAX_REFERENCES :]
    return ids


def _opaque(raw: bytes) -> Digest:
    """A message that nothing is known of but its bytes."""
    blank = raw.find(b"\r\n\r\n")
    header_size = blank + 4 if blank >= 0 else len(raw)
    body = b'("text" "plain" ("charset" "us-ascii") NIL NIL "8bit" %d %d' % (
        len(raw) - header_size,
        raw.count(b"\n", header_size),
    )
    return Digest(
        size=len(raw),
        header_size=header_size,
        envelope=b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
        body=body + b")",
        bodystructure=body + b" NIL NIL NIL NIL)",
        subject="",
        from_="",
        to="",
        cc="",
        bcc="",
        message_id="",
        references=(),
        sent_at=None,
        sent_day=None,
        preview="",
    )
