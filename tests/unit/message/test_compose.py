from email import message_from_bytes
from email.policy import default

from backend.core.address import parse_address
from backend.message.compose import Person, compose_text, make_message_id
from backend.message.digest import digest
from backend.message.text import searchable_text


def compose(
    html: str = "",
    author: str = "post@example.org",
    text: str = "Grüße\n.\nFrom here\n" + "x" * 1500,
) -> bytes:
    return compose_text(
        author=Person(parse_address(author), "Größe, Jörg"),
        to=[
            Person(parse_address("me@example.org")),
            Person(parse_address('"a b"@example.com'), "A\r\nB"),
        ],
        subject="Grüße\r\nBcc: forged@example.org",
        text=text,
        html=html,
        sent_at=0.0,
        message_id=make_message_id("t1", "example.org"),
        in_reply_to="<0@example.org>",
        extra=[("Auto-Submitted", "auto-generated")],
    )


def test_a_composed_message_reads_back() -> None:
    raw = compose()
    assert raw.isascii()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    found = digest(raw)
    assert found.subject == "Grüße Bcc: forged@example.org"
    assert found.from_ == "Größe, Jörg <post@example.org>"
    assert found.to == "me@example.org, A B <a b@example.com>"
    assert found.bcc == ""
    assert found.sent_at == 0.0
    assert (found.message_id, found.references) == ("<t1@example.org>", ("<0@example.org>",))
    assert searchable_text(raw).startswith("Grüße\r\n.\r\nFrom here\r\nxxx")
    assert message_from_bytes(raw, policy=default)["Auto-Submitted"] == "auto-generated"


def test_html_stands_beside_the_text_and_composing_is_repeatable() -> None:
    raw = compose(html="<p>schön</p>")
    assert raw == compose(html="<p>schön</p>")
    assert b'"alternative" ("boundary" "=__t1_example_org_")' in digest(raw).bodystructure
    assert "schön" in searchable_text(raw)


def test_an_international_address_makes_the_header_utf8() -> None:
    raw = compose(author="jörg@example.org")
    assert "jörg@example.org" in digest(raw).from_
    assert "Subject: Grüße".encode() in raw
