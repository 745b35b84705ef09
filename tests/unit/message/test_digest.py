from pathlib import Path

import pytest

from backend.message import digest as digest_module
from backend.message.digest import MAX_REFERENCES, digest, summarize
from backend.message.scan import scan
from backend.message.text import searchable_text
from tests.support.imap_values import check_body, check_envelope, read_value
from tests.support.messages import OWN_MESSAGES, every_file

RAW = """\
Date: Mon, 23 Nov 2026 00:30:00 +0200
From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>
To: A <a@b.example>, team: c@d.example;
Cc: "Doe, Jane" <jane@example.com>
Bcc: hidden@example.com
Subject: =?utf-8?b?R3LDvMOfZQ==?= aus
 Bern
Message-ID: <3@example.org>
In-Reply-To: <2@example.org>
References: <1@example.org>
 <2@example.org>
Content-Type: text/plain; charset=utf-8

Hallo,

schön   dich zu sehen!
""".replace("\n", "\r\n").encode()


def test_a_digest_says_what_people_search_for() -> None:
    found = digest(RAW)
    assert found.size == len(RAW)
    assert RAW[found.header_size :].startswith(b"Hallo,")
    assert found.subject == "Grüße aus Bern"
    assert found.from_ == "Jörg <joerg@example.org>"
    assert found.to == "A <a@b.example>, team: c@d.example;"
    assert found.cc == "Doe, Jane <jane@example.com>"
    assert found.bcc == "hidden@example.com"
    assert found.message_id == "<3@example.org>"
    assert found.references == ("<1@example.org>", "<2@example.org>")
    assert found.preview == "Hallo, schön dich zu sehen!"
    check_envelope(read_value(found.envelope))
    check_body(read_value(found.body), extended=False)
    check_body(read_value(found.bodystructure), extended=True)


def test_the_day_is_that_of_the_one_who_wrote() -> None:
    found = digest(RAW)
    assert found.sent_at == 1795386600.0  # 22 November in UTC
    assert found.sent_day == 20780  # 23 November
    assert digest(b"Date: never\r\n\r\n").sent_at is None
    assert digest(b"\r\n").sent_day is None


def test_ids_without_brackets_still_count() -> None:
    found = digest(
        b"Message-ID: x@y\r\nReferences: nothing\r\nIn-Reply-To: your <a@b> of today\r\n\r\n"
    )
    assert found.message_id == "x@y"
    assert found.references == ("<a@b>",)


def test_of_a_long_thread_the_start_and_the_end_are_kept() -> None:
    ids = [f"<{n}@x>" for n in range(500)]
    found = digest(("References: " + " ".join(ids) + "\r\n\r\n").encode()).references
    assert len(found) == MAX_REFERENCES
    assert (found[0], found[1], found[-1]) == ("<0@x>", "<301@x>", "<499@x>")


@pytest.mark.parametrize("raw", OWN_MESSAGES)
def test_whatever_arrives_has_a_digest(raw: bytes) -> None:
    found = summarize(raw, scan(raw))
    assert found == digest(raw)
    assert 0 <= found.header_size <= found.size == len(raw)
    for text in (found.subject, found.from_, found.to, found.preview, searchable_text(raw)):
        text.encode("utf-8")
        assert "\0" not in text


def test_every_file_there_is_has_a_digest(testdata: Path) -> None:
    for _, raw in every_file(testdata):
        for form in (raw, raw.replace(b"\r\n", b"\n"), raw[: len(raw) // 2]):
            found = summarize(form, scan(form))
            assert found.size == len(form)
            (found.subject + found.preview + found.to + searchable_text(form)).encode("utf-8")


def test_a_fault_of_ours_costs_nobody_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(raw: bytes) -> None:
        raise RuntimeError

    monkeypatch.setattr(digest_module, "scan", fail)
    found = digest(RAW)
    assert (found.size, found.subject) == (len(RAW), "")
    assert RAW[found.header_size :].startswith(b"Hallo,")
    check_envelope(read_value(found.envelope))
    check_body(read_value(found.body), extended=False)
    check_body(read_value(found.bodystructure), extended=True)
    assert digest(b"no blank line").header_size == 13
