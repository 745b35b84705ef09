"""The trace lines that a receiving server puts before a message (RFC 5321 §4.4)."""

import re

from backend.core.address import Address
from backend.message.dates import format_timestamp

MAX_WORD_OCTETS = 255  # security limit: of a name that the other side made up

_UNSAFE = re.compile(r"[^!-~]|[()\\<>;]")


def received_line(
    *,
    helo: str,
    peer_ip: str,
    by: str,
    protocol: str,
    trace: str,
    at: float,
    peer_name: str = "",
    tls: str = "",
    recipient: Address | None = None,
) -> bytes:
    """A Received field with its CRLF.

    `helo` is what the other side called itself, `peer_name` what the DNS calls it (empty: unknown), `protocol` a name such as
    `ESMTPSA` (RFC 3848), `tls` such as `TLS1.3 TLS_AES_256_GCM_SHA384`. `recipient` only for a message to one alone, since
    others would see it.
    """
    literal = f"[IPv6:{peer_ip}]" if ":" in peer_ip else f"[{peer_ip}]"
    known_as = f"{_clean(peer_name)} {literal}" if peer_name else literal
    lines = [f"Received: from {_clean(helo) or 'unknown'} ({known_as})"]
    if tls:
        # RFC 8314 §4.3 suggests a tls clause; the comment is what readers of headers expect.
        lines.append(f"(using {' '.join(map(_clean, tls.split()))})")
    lines.append(f"by {_clean(by)} with {_clean(protocol)} id {_clean(trace)}")
    if recipient is not None and str(recipient).isascii():
        lines.append(f"for <{recipient}>")
    lines[-1] += ";"
    lines.append(format_timestamp(at))
    return "\r\n\t".join(lines).encode("ascii") + b"\r\n"


def return_path_line(sender: Address | None) -> bytes:
    """A Return-Path field with its CRLF; `<>` for the null reverse-path."""
    path = "" if sender is None else str(sender)
    return f"Return-Path: <{path}>\r\n".encode()


def _clean(word: str) -> str:
    # SECURITY: the name comes from the other side; it must not end the comment, the field or the line.
    return _UNSAFE.sub("", word)[:MAX_WORD_OCTETS]
