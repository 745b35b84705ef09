"""How does an IMAP4rev1 client spell a mailbox name? Modified UTF-7 (RFC 3501 §5.1.3), both ways."""

import binascii
import re

_SHIFTED = re.compile(r"&([^&-]*)-")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_FOREIGN = re.compile(r"&|[^\x20-\x7e]+")


def encode(name: str) -> bytes:
    """Any text; what UTF-16 can't hold (lone surrogates) becomes a question mark."""
    return _FOREIGN.sub(_encode_run, _LONE_SURROGATE.sub("?", name)).encode("ascii")


def _encode_run(found: re.Match[str]) -> str:
    if found[0] == "&":
        return "&-"
    raw = found[0].encode("utf-16-be")
    base64 = binascii.b2a_base64(raw, newline=False).rstrip(b"=").replace(b"/", b",")
    return f"&{base64.decode('ascii')}-"


def decode(name: bytes) -> str:
    """Strict: the text that comes out is spelled as what came in.

    Raises:
        ValueError: no valid modified UTF-7.
    """
    text = _SHIFTED.sub(_decode_run, name.decode("ascii"))
    # RFC 3501 §5.1.3: one spelling only, or a name could pass a check under another one.
    if encode(text) != name:
        raise ValueError("not modified UTF-7")
    return text


def _decode_run(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    base64 = found[1].replace(",", "/")
    raw = binascii.a2b_base64(base64 + "=" * (-len(base64) % 4))
    return raw.decode("utf-16-be")
