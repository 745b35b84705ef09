"""What MAIL said of a message, set right by the message itself: how many bits it has, which letters, and its wish about TLS."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from backend.core.envelope import Asked, BodyType, Envelope
from backend.message import headers
from backend.outbound.content import is_ascii
from backend.runtime.threads import Pool, run_blocking
from backend.store.values import Content

MAX_LINE_OCTETS = 64 * 1024  # read at once; longer lines count as several; a security limit


async def corrected(envelope: Envelope, header: bytes, content: Content) -> Envelope:
    """`header` of the `content`."""
    body, smtputf8 = envelope.body, envelope.smtputf8
    if body is BodyType.SEVEN_BIT and not await run_blocking(Pool.FILES, is_ascii, content):
        # INTEROP(scripts, old mail apps): RFC 6152 §3 wants BODY=8BITMIME for that; other servers hear what is so.
        body = BodyType.EIGHT_BIT_MIME
    if smtputf8 and header.isascii():
        # INTEROP(mail apps that always say SMTPUTF8): RFC 6531 §3.6: where nothing needs it, any server will do. Addresses
        # are looked at for each server.
        smtputf8 = await run_blocking(Pool.FILES, _has_international_part, content)
    return replace(envelope, asked=_asked(envelope.asked, header), body=body, smtputf8=smtputf8)


def _asked(asked: Asked, header: bytes) -> Asked:
    # RFC 8689 §3 and §4.1: once at most, and REQUIRETLS goes before it.
    fields = headers.get_all(header, b"TLS-Required")
    says_no = [value.lower() for value in fields] == [b"no"]
    return replace(asked, tls_optional=True) if says_no and not asked.require_tls else asked


def _has_international_part(content: Content) -> bool:
    """Whether the header of a MIME part has letters beyond ASCII (RFC 6532 §3.1), such as the name of an attached file."""
    is_in_header = False
    for line in _lines(content):
        if line.startswith(b"--"):
            # A line that only looks like a boundary errs to the safe side.
            is_in_header = True
        elif not line.strip(b"\r\n"):
            is_in_header = False
        elif is_in_header and not line.isascii():
            return True
    return False


def _lines(content: Content) -> Iterable[bytes]:
    return _lines_of_file(content) if isinstance(content, Path) else content.splitlines()


def _lines_of_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_OCTETS):
            yield line
