"""Messages through APPEND and back by every section, compared byte for byte."""

import re
from pathlib import Path

from backend.message.headers import find_body
from backend.message.scan import Part, scan
from backend.message.text import decode_part
from tests.support.imap_server import Client, running_imap

SAMPLES = [
    b"Subject: plain\r\n\r\nbody\r\n",
    b"Subject: no body",
    b"\r\nno header",
    b"no header either\r\n",
    b'Subject: =?utf-8?q?=C3=BC?=\r\nFrom: "a\\"b" <a@b>, group: x@y;\r\n\r\n\xc3\xbc\x80\xff',
    (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\npre\r\n--b\r\n\r\none\r\n--b\r\n"
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+eDwvYj4=\r\n--b--\r\npost\r\n"
    ),
    (
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: in\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c\r\n\r\ny\r\n--c--\r\n--a--\r\n"
    ),
    b"Content-Type: multipart/mixed; boundary=z\r\n\r\nnever opened",
    b"Subject: lf\nX: y\n\nonly\nlf\n",
]
# Header fields in every message must not matter: names, an unknown one, one that is never there.
FIELDS = b"Subject From x-nothing"


async def check_message(client: Client, number: int, raw: bytes) -> None:
    root = scan(raw)
    expected: dict[bytes, bytes | None] = {
        b"BODY[]": raw,
        b"BODY[HEADER]": raw[: find_body(raw)],
        b"BODY[TEXT]": raw[find_body(raw) :],
        b"BODY[]<3>": raw[3:10],
        b"BODY[TEXT]<3>": raw[find_body(raw) :][3:10],
        b"BODY[77]": None,
    }
    _expect_parts(root, raw, (), expected)
    for label, value in list(expected.items())[:60]:
        item = label.replace(b"BODY[", b"BODY.PEEK[").replace(b"BINARY[", b"BINARY.PEEK[")
        item = item.replace(b"<3>", b"<3.7>")
        lines, done = await client.call(b"FETCH %d %b" % (number, item))
        if value is False:
            assert done.startswith(b"NO [UNKNOWN-CTE]"), (raw, done)
            continue
        assert done.startswith(b"OK"), (raw, label, done)
        answer = lines[0]
        if value is None:
            assert answer == b"* %d FETCH (%b NIL)" % (number, label)
        else:
            tilde = b"~" if label.startswith(b"BINARY[") and b"\0" in value else b""
            assert answer == b"* %d FETCH (%b %b{%d}\r\n%b)" % (number, label, tilde, len(value), value)  # fmt: skip
    (line,) = await client.ok(
        b"FETCH %d (RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE PREVIEW BODY.PEEK[HEADER.FIELDS (%b)] BODY.PEEK[HEADER.FIELDS.NOT (%b)])"
        % (number, FIELDS, FIELDS)
    )
    assert line.startswith(b"* %d FETCH (RFC822.SIZE %d ENVELOPE (" % (number, len(raw)))
    assert _is_balanced(line), line


def _expect_parts(part: Part, raw: bytes, numbers: tuple[int, ...], expected: dict) -> None:
    children = part.children or ((part,) if not numbers else ())
    for index, child in enumerate(children, 1):
        path = (*numbers, index)
        label = b".".join(b"%d" % number for number in path)
        expected[b"BODY[%b]" % label] = raw[child.body_start : child.body_end]
        expected[b"BODY[%b]<3>" % label] = raw[child.body_start : child.body_end][3:10]
        expected[b"BODY[%b.MIME]" % label] = raw[child.header_start : child.body_start]
        try:
            expected[b"BINARY[%b]" % label] = decode_part(raw, child)
        except ValueError:
            expected[b"BINARY[%b]" % label] = False
        if child.message is not None:
            inner = child.message
            expected[b"BODY[%b.HEADER]" % label] = raw[inner.header_start : inner.body_start]
            expected[b"BODY[%b.TEXT]" % label] = raw[inner.body_start : inner.body_end]
            if inner.children:
                _expect_parts(inner, raw, path, expected)
        elif child.children and child is not part:
            _expect_parts(child, raw, path, expected)


def _is_balanced(line: bytes) -> bool:
    """Strings and literals taken out, parentheses fit."""
    plain, at = b"", 0
    token = re.compile(rb'"(?:[^"\\\r\n]|\\.)*"|\{(\d+)\}\r\n|[^"{]+|.', re.DOTALL)
    while at < len(line):
        found = token.match(line, at)
        at = found.end() + int(found[1] or 0)
        plain += b"" if found[0].startswith((b'"', b"{")) else found[0]
    return plain.count(b"(") == plain.count(b")") and b"\r" not in plain and b'"' not in plain


async def run_messages(folder: Path, messages: list[bytes]) -> None:
    async with running_imap(folder) as server:
        client = await server.login()
        for raw in messages:
            done = await client.append("INBOX", raw)
            assert done.startswith(b"OK [APPENDUID"), (raw[:200], done)
        await client.ok("EXAMINE INBOX")
        for number, raw in enumerate(messages, 1):
            await check_message(client, number, raw)


async def test_own_samples(tmp_path):
    await run_messages(tmp_path, SAMPLES)


async def test_real_messages(tmp_path, testdata):
    suffixes = {".eml", ".msg", ".txt", ""}
    files = sorted(p for p in testdata.rglob("*") if p.is_file() and p.suffix in suffixes)
    messages = [raw for path in files if 0 < len(raw := path.read_bytes()) < 500_000]
    await run_messages(tmp_path, messages)
