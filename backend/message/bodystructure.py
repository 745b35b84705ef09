"""IMAP's BODY and BODYSTRUCTURE of a message, ready to send (RFC 9051 §7.5.2, RFC 3501 §7.4.2)."""

from backend.message import encoded
from backend.message.envelope import format_envelope, read_addresses
from backend.message.quoting import quote, quote_or_nil
from backend.message.scan import Part


def format_structure(part: Part) -> tuple[bytes, bytes]:
    """BODY (without extension data) and BODYSTRUCTURE (with it), each with its parentheses."""
    if part.children:
        pairs = [format_structure(child) for child in part.children]
        subtype = quote(part.subtype.encode("ascii"))
        return (
            b"(%b %b)" % (b"".join([body for body, _ in pairs]), subtype),
            b"(%b %b %b %b)"
            % (
                b"".join([full for _, full in pairs]),
                subtype,
                _parameters(part.params),
                _extension(part),
            ),
        )
    get = part.fields.get
    basic = b"%b %b %b %b %b %b %d" % (
        quote(part.type.encode("ascii")),
        # RFC 9051 §9: message/global is built like message/rfc822; rev1 clients know only the latter name for it.
        quote(b"rfc822" if part.message else part.subtype.encode("ascii")),
        _parameters(part.params),
        quote_or_nil(get(b"content-id")),
        quote_or_nil(get(b"content-description")),
        quote(part.encoding.encode("latin-1", "replace")),
        part.body_end - part.body_start,
    )
    rest = b"%b %b" % (quote_or_nil(get(b"content-md5")), _extension(part))
    if part.message is not None:
        envelope = format_envelope(part.message.fields, read_addresses(part.message.fields))
        body, full = format_structure(part.message)
        return (
            b"(%b %b %b %d)" % (basic, envelope, body, part.lines),
            b"(%b %b %b %d %b)" % (basic, envelope, full, part.lines, rest),
        )
    if part.type == "text":
        return b"(%b %d)" % (basic, part.lines), b"(%b %d %b)" % (basic, part.lines, rest)
    return b"(%b)" % basic, b"(%b %b)" % (basic, rest)


def _parameters(params: encoded.Parameters) -> bytes:
    if not params:
        return b"NIL"
    return b"(%b)" % b" ".join([quote(name) + b" " + quote(value) for name, value in params])


def _extension(part: Part) -> bytes:
    """Disposition, language and location."""
    fields = part.fields
    if (
        b"content-disposition" not in fields
        and b"content-language" not in fields
        and b"content-location" not in fields
    ):
        return b"NIL NIL NIL"
    disposition = b"NIL"
    if (value := fields.get(b"content-disposition")) is not None:
        kind, params = encoded.parse_parameters(value)
        disposition = b"(%b %b)" % (quote(kind or b"attachment"), _parameters(params))
    language = b"NIL"
    if (value := fields.get(b"content-language")) is not None:
        tags = [quote(tag) for tag in (tag.strip() for tag in value.split(b",")) if tag]
        if tags:
            language = tags[0] if len(tags) == 1 else b"(%b)" % b" ".join(tags)
    return b"%b %b %b" % (disposition, language, quote_or_nil(fields.get(b"content-location")))
