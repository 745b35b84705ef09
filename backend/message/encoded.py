"""What encoded text means: encoded words (RFC 2047), parameters (RFC 2231), transfer encodings, character sets.

Mail is full of wrong labels, so everything here returns the best reading there is; only an unknown transfer encoding
is an error, because guessing there would hand out wrong bytes.
"""

import binascii
import re
from collections.abc import Sequence
from encodings import aliases

MAX_DECODED_OCTETS = (
    64 * 1024
)  # security limit: of one header value, no more than this is decoded for people
MAX_PARAMETERS = 200  # security limit: parameters of one Content-Type or Content-Disposition


class UnknownEncodingError(ValueError):
    """The Content-Transfer-Encoding is none of those that MIME defines (IMAP: UNKNOWN-CTE)."""


# --- character sets -------------------------------------------------------------------------------------------------

_USABLE = re.compile(
    r"utf_|ascii|latin_1|iso8859|iso2022|cp\d|koi8|mac_|gb|big5|euc|shift_jis|hz|tis_620|johab|ptcp154|kz1048|hp_roman8|charmap"
)
# What people label and what they mean: the larger set that holds the labelled one.
_MEANT = {
    "latin_1": "cp1252",
    "iso8859_1": "cp1252",
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
}
_EXTRA_NAMES = {
    "windows_874": "cp874",
    "x_sjis": "cp932",
    "ks_c_5601": "cp949",
    "iso_8859_8_i": "iso8859_8",
    "iso_8859_8_e": "iso8859_8",
    "x_gbk": "gb18030",
    "utf8mb4": "utf_8",
    "unicode_1_1_utf_7": "utf_7",
    "x_mac_roman": "mac_roman",
    "x_big5": "cp950",
    "cp_850": "cp850",
}
# Bytes of these are often valid UTF-8 by accident, or plain ASCII with shifts: the label goes first.
_LABEL_FIRST = re.compile(
    r"utf_7|utf_16|utf_32|iso2022|hz|gb|big5|euc|shift_jis|cp932|cp949|cp950|johab"
)


def _known_charsets() -> dict[str, str]:
    # SECURITY: codecs.lookup() remembers every unknown name for ever, so labels from mail never reach it.
    codecs = set(aliases.aliases.values()) | {
        "cp874",
        "cp949",
        "cp950",
        "gb18030",
        "koi8_u",
        "cp1252",
        "utf_8",
    }
    usable = {codec for codec in codecs if _USABLE.match(codec)} - {"mbcs"}
    names = {codec: codec for codec in usable}
    names.update({alias: codec for alias, codec in aliases.aliases.items() if codec in usable})
    names.update(_EXTRA_NAMES)
    return {alias: _MEANT.get(codec, codec) for alias, codec in names.items()}


_CHARSETS = _known_charsets()
_SEPARATORS = str.maketrans("-. :", "____")


def find_codec(charset: str) -> str | None:
    """Python's name of a character set as mail names it, None where nobody knows it."""
    name = charset.strip("'\" \t").lower().translate(_SEPARATORS)
    return _CHARSETS.get(name)


def decode_charset(data: bytes, charset: str = "") -> str:
    """Text by its label, by UTF-8, or as Windows-1252, whichever reads without a fault first."""
    codec = find_codec(charset) if charset else None
    if codec is not None and _LABEL_FIRST.match(codec):
        try:
            return _without_surrogates(data.decode(codec), codec)
        except UnicodeError:
            pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if codec is not None and codec != "utf_8":
        return _without_surrogates(data.decode(codec, "replace"), codec)
    if codec == "utf_8" and data.count(b"\xc3") + data.count(b"\xe2") > 4:
        return data.decode("utf-8", "replace")  # UTF-8 with a scratch, rather than another set
    return data.decode("cp1252", "replace")


def _without_surrogates(text: str, codec: str) -> str:
    # UTF-7 can spell half a character, which no database or UTF-8 stream takes.
    return text.encode("utf-8", "replace").decode("utf-8") if codec == "utf_7" else text


# --- encoded words ----------------------------------------------------------------------------------------------------

# RFC 2047 §2, and spaces inside the text as careless programs leave them.
_WORD = re.compile(rb"=\?([^?\s]{1,75})\?([BbQq])\?([^?]*)\?=")


def decode_header(value: bytes) -> str:
    """An unfolded header value as people read it."""
    if len(value) > MAX_DECODED_OCTETS:
        value = value[:MAX_DECODED_OCTETS]
    if b"=?" not in value:
        return decode_octets(value)
    out: list[str] = []
    pending = b""  # decoded bytes of adjacent words of one character set: a letter may be split between two words
    pending_charset = ""
    last = 0
    for word in _WORD.finditer(value):
        gap = value[last : word.start()]
        charset = (
            word[1].decode("latin-1").partition("*")[0].lower()
        )  # RFC 2231 §5: "*" and a language may follow
        # RFC 2047 §6.2: white space between two encoded words is not shown.
        adjacent = last > 0 and not gap.strip(b" \t\r\n")
        if not adjacent or charset != pending_charset:
            if pending:
                out.append(decode_charset(pending, pending_charset))
            pending, pending_charset = b"", charset
            if not adjacent and gap:
                out.append(decode_octets(gap))
        pending += _decode_word(word[2], word[3])
        last = word.end()
    if pending:
        out.append(decode_charset(pending, pending_charset))
    if last < len(value):
        out.append(decode_octets(value[last:]))
    return "".join(out).replace("\0", "")


def decode_octets(value: bytes) -> str:
    """Text that carries no label: UTF-8, else Windows-1252."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("cp1252", "replace")
    return text.replace("\0", "") if "\0" in text else text


def _decode_word(kind: bytes, text: bytes) -> bytes:
    if kind in b"Bb":
        return decode_base64(text)
    return binascii.a2b_qp(text, header=True)


# --- transfer encodings -------------------------------------------------------------------------------------------------

_NOT_BASE64 = bytes(
    set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
)
_IDENTITY = frozenset(("", "7bit", "8bit", "binary"))


def decode_base64(data: bytes) -> bytes:
    """As much as can be read: foreign characters are skipped (RFC 2045 §6.8), missing padding is added."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        clean = data.translate(None, _NOT_BASE64)
        if len(clean) % 4 == 1:
            clean = clean[:-1]
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def decode_quoted_printable(data: bytes) -> bytes:
    return binascii.a2b_qp(data)


def decode_transfer(data: bytes, encoding: str) -> bytes:
    """Content without its transfer encoding, named in lower case.

    Raises:
        UnknownEncodingError: when `encoding` is none that MIME knows.
    """
    if encoding in _IDENTITY:
        return data
    if encoding == "base64":
        return decode_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in {"x-uuencode", "x-uue", "uuencode"}:
        return _decode_uu(data)
    raise UnknownEncodingError(f"Unknown Content-Transfer-Encoding “{encoding[:40]}”")


def is_identity(encoding: str) -> bool:
    """Whether the content stands there unencoded."""
    return encoding in _IDENTITY


def _decode_uu(data: bytes) -> bytes:
    start = re.search(rb"^begin [0-7]{3,4} [^\n]*\n", data, re.MULTILINE)
    out = []
    for raw_line in data[start.end() if start else 0 :].split(b"\n"):
        line = raw_line.rstrip(b"\r")
        if line in {b"end", b"`"}:
            break
        if not line:
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            # INTEROP(several old encoders): trailing garbage; the first character says how much counts.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                continue
    return b"".join(out)


# --- parameters -----------------------------------------------------------------------------------------------------------

# Takes everything up to the next `;` outside quotation marks, whatever it is, so that no octet is looked at twice.
_PARAMETER = re.compile(
    rb'[; \t\r\n]*([^\s=;"]*)[ \t\r\n]*(?:=[ \t\r\n]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"?[^;]*|([^;]*)))?[^;]*',
    re.DOTALL,
)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_SECTION = re.compile(rb"([^*]+)(?:\*(\d{1,4}))?(\*)?$")

Parameters = tuple[tuple[bytes, bytes], ...]


def parse_parameters(value: bytes) -> tuple[bytes, Parameters]:
    """What stands before the first `;`, and the parameters behind it: names in lower case, continuations joined.

    A value in the extended notation keeps it, under its name with `*`: RFC 2231 §6 asks IMAP servers to join
    continuations and no more. `decode_parameter` reads both.
    """
    head, semicolon, rest = value.partition(b";")
    head = _without_comment(head.strip())
    if not semicolon:
        return head, ()
    found: list[tuple[bytes, bytes]] = []
    continued = False
    at, end = 0, len(rest)
    while at < end and len(found) < MAX_PARAMETERS:
        match = _PARAMETER.match(rest, at)
        assert match is not None  # it matches anything, and more than nothing before the end
        at = match.end()
        name, quoted, bare = match.groups()
        if quoted is not None:
            text = _ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted
        elif bare is not None:
            text = _without_comment(bare.strip())
        else:
            continue
        if not name:
            continue
        if b"*" in name:
            continued = True
        found.append((name.lower(), text))
    if not continued:
        return head, tuple(found)
    return head, _join_continuations(found)


def _without_comment(text: bytes) -> bytes:
    """RFC 2045 §5.1: `us-ascii (Plain text)` means `us-ascii`."""
    if text.endswith(b")") and (at := text.rfind(b"(")) > 0:
        return text[:at].rstrip()
    return text


def _join_continuations(found: Sequence[tuple[bytes, bytes]]) -> Parameters:
    # RFC 2231 §3 and §4: name*0, name*1* ...; a star at the end says that the section is percent-encoded.
    plain: dict[bytes, bytes] = {}
    sections: dict[bytes, dict[int, tuple[bool, bytes]]] = {}
    for name, text in found:
        match = _SECTION.match(name)
        if match is None or (match[2] is None and match[3] is None):
            plain.setdefault(name, text)
            continue
        number = int(match[2]) if match[2] else 0
        sections.setdefault(match[1], {}).setdefault(number, (match[3] is not None, text))
    for name, parts in sections.items():
        extended = any(is_extended for is_extended, _ in parts.values())
        pieces = []
        for index, number in enumerate(sorted(parts)):
            if number != index and index > 0:
                break  # a section is missing: what comes behind would be out of place
            is_extended, text = parts[number]
            if extended and not is_extended:
                text = text.replace(b"%", b"%25")
                if index == 0:
                    text = b"''" + text
            pieces.append(text)
        plain[name + b"*" if extended else name] = b"".join(pieces)
    return tuple(plain.items())


def get_parameter(parameters: Parameters, name: bytes) -> bytes | None:
    """A parameter's octets, in whichever notation it stands."""
    extended = name + b"*"
    for key, value in parameters:
        if key == name:
            return value
        if key == extended:
            return _percent_decode(value.split(b"'", 2)[-1])
    return None


def decode_parameter(parameters: Parameters, name: bytes) -> str | None:
    """A parameter's value as people read it, in whichever notation it stands."""
    extended = name + b"*"
    plain: bytes | None = None
    for key, value in parameters:
        if key == extended:
            charset, quote, rest = value.partition(b"'")
            if not quote:
                return decode_charset(_percent_decode(value))
            text = rest.partition(b"'")[2]
            return decode_charset(_percent_decode(text), charset.decode("latin-1"))
        if key == name and plain is None:
            plain = value
    # INTEROP(Outlook): encoded words in parameters, which RFC 2047 §5 forbids and everybody reads.
    return None if plain is None else decode_header(plain)


_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def _percent_decode(value: bytes) -> bytes:
    return _PERCENT.sub(lambda match: bytes.fromhex(match[1].decode()), value)
