"""Messages to test with: a few of our own, and the real and malformed ones that lie beside the checkout."""

from collections.abc import Iterator
from pathlib import Path

_SUFFIXES = {".eml", ".msg", ".txt", ".mbox"}
_SETS = (
    "mime-*",
    "mail-spamassassin",
    "dkim-*",
    "mox-testdata",
    "reports-stalwart",
    "parsedmarc-samples",
    "mbox-*",
)

OWN_MESSAGES: tuple[bytes, ...] = (
    b"",
    b"\r\n",
    b"\n\nbody",
    b"no header at all, and no line end",
    b"Subject: header without end\r\nFrom: a@b\r\n",
    b"Subject: bare\nFrom: a@b\n\nline feeds\n",
    b"Subject: 8-bit \xe4 \xc3\xa4\r\nFrom: J\xfcrgen <j@x>\r\n\r\nGr\xfc\xdfe\r\n",
    b"Subject: with\0nul\r\nTo: a\0b@c\r\n\r\nbody\0\r\n",
    b"this line has no colon\r\nSubject: x\r\n : y\r\n: empty name\r\n\r\nbody\r\n",
    b"Content-Type: text/plain; charset=no-such\r\nContent-Transfer-Encoding: base64\r\n\r\n=\xff!!YQ=\r\n",
    b"Content-Type: text/html; charset=utf-16\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=4=\r\n=ZZ&#99999999999;\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n--b\r\n\r\n--b--\r\n--b\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--",
    b"Content-Type: message/rfc822\r\n\r\nContent-Type: message/rfc822\r\n\r\nSubject: deep\r\n\r\n",
    b'From: undisclosed:;\r\nTo: <@a,@b:c@d>, "q\\"uote" (comment (nested)) <x@[1.2.3.4]>, a b c@d e, <\r\n\r\n',
    b"Date: Mon, 99 Foo 2020 99:99:99 +9999\r\nReferences: <a@b> <c d> <e@f\r\nMessage-ID: none\r\n\r\n",
)


def real_messages(testdata: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each; none where the folder is missing."""
    for pattern in _SETS:
        for folder in sorted(testdata.glob(pattern)):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and path.suffix in _SUFFIXES and "_decoded" not in path.name:
                    yield str(path.relative_to(testdata)), path.read_bytes()


def every_file(testdata: Path) -> Iterator[tuple[str, bytes]]:
    """All files of all sets, messages or not: what must never make a parser fail."""
    for path in sorted(testdata.glob("*/**/*")):
        if path.is_file():
            yield str(path.relative_to(testdata)), path.read_bytes()
