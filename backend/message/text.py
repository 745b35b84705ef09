"""The words of a message: for searching, for the preview, and its parts without their transfer encoding.

HTML is taken apart by patterns that run in linear time and keep words whole: `<b>W</b>ord` is one word, `<p>one<p>two` are
two. (selectolax was measured: about as fast once inline elements are unwrapped for the same result, but its time grows with
the square of the nesting: 0.08 s for 8,000 open `<div>`, minutes for a message of some MB.)
"""

import html
import re

from backend.message import encoded
from backend.message.scan import Part, scan

PREVIEW_LENGTH = 200
PREVIEW_OCTETS = 3_072  # the preview reads this much of one part and no more
PREVIEW_HEAD_OCTETS = 64 * 1024  # and looks this far for where the <body> of an HTML part begins


def decode_part(raw: bytes, part: Part) -> bytes:
    """A part's content with its transfer encoding undone (IMAP: BINARY).

    Raises:
        encoded.UnknownEncodingError: when the encoding is none that MIME knows.
    """
    return encoded.decode_transfer(raw[part.body_start : part.body_end], part.encoding)


def searchable_text(raw: bytes, root: Part | None = None) -> str:
    """All text of a message: its text parts decoded, HTML without its tags, and the subjects of embedded messages."""
    texts: list[str] = []
    waiting = [scan(raw) if root is None else root]
    while waiting:
        part = waiting.pop()
        if part.message is not None:
            for name in (b"subject", b"from", b"to", b"cc"):
                if name in part.message.fields:
                    texts.append(encoded.decode_header(part.message.fields[name]))
            waiting.append(part.message)
        elif part.children:
            waiting.extend(reversed(part.children))
        elif part.type == "text" and part.size:
            texts.append(part_text(raw, part))
    return "\n".join(texts)


def part_text(raw: bytes, part: Part) -> str:
    """A text part's text, HTML without its tags."""
    try:
        content = decode_part(raw, part)
    except encoded.UnknownEncodingError:
        content = raw[part.body_start : part.body_end]
    text = encoded.decode_charset(content, part.charset).replace("\0", "")
    return strip_html(text) if part.subtype == "html" else text


def preview(raw: bytes, root: Part) -> str:
    """The first words of a message, on one line. Reads a few KB at most, whatever the size."""
    part = _first_text(root)
    if part is None or part.body_end <= part.body_start:
        return ""
    start, end = part.body_start, part.body_end
    if part.subtype != "html":
        return _shorten(_decode_start(raw, start, min(end, start + PREVIEW_OCTETS), part))
    if part.encoding == "base64":
        text = _decode_start(raw, start, min(end, start + 4 * PREVIEW_OCTETS), part)
        body = _BODY_TAG_TEXT.search(text)
        return _shorten(strip_html(text[body.start() :] if body else text))
    body_tag = _BODY_TAG.search(raw, start, min(end, start + PREVIEW_HEAD_OCTETS))
    if body_tag:
        start = body_tag.start()
    return _shorten(
        strip_html(_decode_start(raw, start, min(end, start + 2 * PREVIEW_OCTETS), part))
    )


def _first_text(root: Part) -> Part | None:
    """The first plain text that is no attachment, else the first HTML."""
    fallback: Part | None = None
    waiting = [root]
    while waiting:
        part = waiting.pop()
        if part.message is not None:
            waiting.append(part.message)
        elif part.children:
            waiting.extend(reversed(part.children))
        elif part.type == "text" and part.size and not part.is_attachment:
            if part.subtype == "plain":
                return part
            if fallback is None:
                fallback = part
    return fallback


def _decode_start(raw: bytes, start: int, end: int, part: Part) -> str:
    data = raw[start:end]
    whole = end >= part.body_end
    if part.encoding == "quoted-printable":
        if not whole:
            data = data[: data.rfind(b"\n") + 1] or data[: max(data.rfind(b"="), 0)] or data
        data = encoded.decode_quoted_printable(data)
    elif part.encoding == "base64":
        data = encoded.decode_base64(data)
    if not whole:
        # A letter of several octets may be cut in two; in UTF-8 it shows which.
        back = 1
        while back <= min(3, len(data)) and data[-back] & 0xC0 == 0x80:
            back += 1
        if back <= len(data) and data[-back] >= 0xC0:
            data = data[:-back]
    return encoded.decode_charset(data, part.charset)


def _shorten(text: str) -> str:
    text = " ".join(text.replace("\0", "").split(None, PREVIEW_LENGTH))
    if len(text) <= PREVIEW_LENGTH:
        return text
    return text[: PREVIEW_LENGTH - 1].rstrip() + "…"


# --- HTML ---------------------------------------------------------------------------------------------------------------------

_BODY_TAG = re.compile(rb"<body[\s>]", re.IGNORECASE)
_BODY_TAG_TEXT = re.compile(r"<body[\s>]", re.IGNORECASE)
_HIDDEN = re.compile(r"<(!--|(?:style|script|title|head)\b)", re.IGNORECASE)
_HIDDEN_END = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in (
        ("!--", "-->"),
        ("head", "</head[^<>]*>?"),
        ("style", "</style[^<>]*>?"),
        ("script", "</script[^<>]*>?"),
        ("title", "</title[^<>]*>?"),
    )
}
# Elements inside a word; written in both cases, since a pattern that ignores case is twice as slow.
_INLINE = re.compile(
    r"</?(?:a|b|i|u|s|span|font|strong|em|sup|sub|small|big|tt|mark|ins|abbr|wbr|o:p"
    r"|A|B|I|U|S|SPAN|FONT|STRONG|EM|SUP|SUB|SMALL|BIG|TT)(?=[\s/>])[^<>]*>"
)
_HUGE_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{9,};?")
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")


def strip_html(text: str) -> str:
    """What a reader of the page would see, roughly; in linear time."""
    text = _without_hidden(text)
    text = _INLINE.sub("", text)
    text = _TAG.sub(" ", text)
    if "&" not in text:
        return text
    # SECURITY: a reference of thousands of digits makes int() inside unescape() raise.
    return html.unescape(_HUGE_REFERENCE.sub(" ", text))


def _without_hidden(text: str) -> str:
    """Comments, titles, styles and scripts are taken out, each up to its own end."""
    out: list[str] = []
    unclosed: set[str] = set()  # once an end was sought in vain, it is not sought again
    at = 0
    for match in _HIDDEN.finditer(text):
        if match.start() < at:
            continue
        kind = match[1].lower()
        end = None if kind in unclosed else _HIDDEN_END[kind].search(text, match.end())
        if end is None:
            unclosed.add(kind)
            if kind in {"!--", "head"}:
                continue  # the rest of the page stands there all the same
            break
        out.append(text[at : match.start()])
        at = end.end()
    else:
        out.append(text[at:])
        return " ".join(out)
    out.append(text[at : match.start()])
    return " ".join(out)
