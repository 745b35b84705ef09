"""However bytes are cut and whatever they are, the SMTP core gives the same answer or its own error."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.core.address import Address, Domain
from backend.core.envelope import Asked, Notify, Ret, Wish
from backend.core.errors import PeerError
from backend.smtp.client import (
    Closed,
    Finished,
    Options,
    Receive,
    SendContent,
    SmtpClient,
    StartTls,
    Transaction,
)
from backend.smtp.data import DataFault, DataReader, DotStuffer, LineEnds
from backend.smtp.extensions import Extension, Offer
from backend.smtp.grammar import (
    format_path,
    parse_command,
    parse_greeting,
    parse_mail,
    parse_rcpt,
)
from backend.smtp.parameters import (
    CommandError,
    escape_utf8,
    format_xtext,
    mail_parameters,
    parse_xtext,
    rcpt_parameters,
)
from backend.smtp.replies import ReplyError, ReplyReader

TRICKY = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"a", b"\x00", b"..", b"xy"]
    ),
    max_size=25,
).map(b"".join)


def cut(data: bytes, points: list[int]) -> list[bytes]:
    edges = sorted({min(p, len(data)) for p in points} | {0, len(data)})
    return [data[a:b] for a, b in pairwise(edges)]


def naive(data: bytes) -> tuple[bytes, bytes] | None:
    """Content and rest, line by line as the RFC tells it; None without an end."""
    content, at = [], 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        line = data[at:end]
        at = end + 2
        if line == b".":
            return b"".join(content), data[at:]
        content.append((line[1:] if line.startswith(b".") else line) + b"\r\n")


def read(chunks: list[bytes]) -> tuple[bytes, bytes, bool, DataFault | None]:
    reader, content = DataReader(), []
    for i, chunk in enumerate(chunks):
        content.append(reader.feed(chunk))
        if reader.ended:
            return b"".join(content), b"".join([reader.rest, *chunks[i + 1 :]]), True, reader.fault
    return b"".join(content), b"", False, reader.fault


@given(TRICKY, st.lists(st.integers(0, 60), max_size=12))
@example(b".\r\n", [1, 2])
@example(b"\n\r\r", [1])
@example(b"..\r\n.\r\n", [1, 3, 4, 5, 6])
def test_cutting_never_changes_content_end_or_rest(data, points):
    whole = read([data])
    pieces = read(cut(data, points) or [b""])
    assert whole[1:] == pieces[1:]
    if whole[2]:
        assert whole == pieces
        assert naive(data) == (whole[0], whole[1])
        content = whole[0]
        bare = re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", content) is not None
        assert bare == (whole[3] is not None)
    else:
        assert naive(data) is None


@given(TRICKY, st.lists(st.integers(0, 60), max_size=12))
def test_what_is_stuffed_is_read_again_with_proper_line_ends(content, points):
    stuffer = DotStuffer()
    wire = b"".join(stuffer.feed(chunk) for chunk in cut(content, points)) + stuffer.end()
    got, rest, ended, fault = read([wire])
    assert ended
    assert rest == b""
    assert fault in {None, DataFault.NUL}
    expected = re.sub(rb"\r\n|\r|\n", b"\r\n", content)
    if expected and not expected.endswith(b"\r\n"):
        expected += b"\r\n"
    assert got == expected
    ends = LineEnds()
    chunks = [ends.feed(chunk) for chunk in cut(content, points)]
    assert b"".join(chunks) + ends.end() == expected, "what goes out in chunks"


COMMANDISH = st.one_of(
    st.binary(max_size=80),
    st.lists(
        st.sampled_from(
            [
                "MAIL ",
                "FROM:",
                "RCPT ",
                "TO:",
                "<",
                ">",
                "@",
                "a",
                "b.c",
                '"',
                "\\",
                " ",
                "x.org",
                "[",
                "]",
                "1.2.3.4",
                "IPv6:",
                "::1",
                "SIZE=",
                "99",
                "NOTIFY=",
                "NEVER",
                "ORCPT=rfc822;",
                "+4",
                "ENVID=",
                "é",
                "xn--",
                "-",
                ",",
                ":",
                "RET=FULL",
                "AUTH=<>",
                "BODY=7BIT",
                "SMTPUTF8",
                "MT-PRIORITY=-9",
                "\u0301",
                "\u200d",
                "%",
                "!",
            ]
        ),
        max_size=14,
    ).map(lambda parts: "".join(parts).encode()),
)


@given(COMMANDISH)
@example(b"MAIL FROM:<a@xn--a>")
@example(b"EHLO [IPv6:::1::]")
def test_no_command_makes_the_grammar_raise_anything_but_its_own_error(line):
    try:
        command = parse_command(line)
    except CommandError as error:
        assert 500 <= error.status.code < 600
        return
    for parse in (
        parse_greeting,
        parse_mail,
        parse_rcpt,
        lambda a: parse_mail("FROM:" + a),
        lambda a: parse_rcpt("TO:" + a, smtputf8=True),
        lambda a: parse_mail(f"FROM:<{a}> SMTPUTF8"),
        parse_xtext,
    ):
        try:
            parse(command.argument)
        except CommandError as error:
            assert 500 <= error.status.code < 600


LOCALPARTS = st.text(
    st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=("Cc", "Cs")),
    min_size=1,
    max_size=20,
)


@given(LOCALPARTS, st.sampled_from(["example.org", "a.b.test", "xn--bcher-kva.example"]))
@example("\xa0", "example.org")
def test_a_written_path_is_read_as_the_same_address(localpart, domain):
    address = Address(localpart, Domain(domain))
    assert parse_rcpt(f"TO:{format_path(address)}", smtputf8=True).recipient == address


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_xtext_comes_back(text):
    assert parse_xtext(format_xtext(text)) == text


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=33)


@given(
    PRINTABLE, PRINTABLE, st.sets(st.sampled_from(list(Notify)[1:])), st.sampled_from([None, *Ret])
)
def test_what_is_asked_of_reports_comes_back(envelope_id, original, notify, ret):
    offer = Offer(keywords=frozenset({Extension.DSN}))
    mail = parse_mail(
        "FROM:<a@b.c>" + mail_parameters(Asked(ret=ret, envelope_id=envelope_id), offer)
    )
    assert (mail.ret, mail.envelope_id) == (ret, envelope_id)
    wish = Wish(frozenset(notify), ("rfc822", original))
    rcpt = parse_rcpt("TO:<a@b.c>" + rcpt_parameters(wish, offer))
    assert Wish(rcpt.notify, rcpt.original_recipient) == wish


@given(st.text(max_size=80))
def test_no_value_of_a_report_parameter_holds_a_line_break(text):
    for argument in (f"ENVID={text}", f"ORCPT=rfc822;{text}", f"ORCPT=utf-8;{text}"):
        try:
            if argument.startswith("ENVID"):
                value = parse_mail(f"FROM:<a@b.c> {argument}").envelope_id or ""
            else:
                value = (parse_rcpt(f"TO:<a@b.c> {argument}").original_recipient or ("", ""))[1]
        except CommandError:
            continue
        assert escape_utf8(value).isprintable()


@given(
    st.lists(
        st.sampled_from(
            [b"250-a\r\n", b"250 b\r\n", b"354 c\n", b"220\r\n", b"junk", b"\r\n", b"250-\xff"]
        ),
        max_size=8,
    ),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_cutting_never_changes_replies(parts, points):
    def replies(chunks):
        reader, found = ReplyReader(), []
        try:
            for chunk in chunks:
                reader.receive(chunk)
                while (reply := reader.next()) is not None:
                    found.append(reply)
        except ReplyError:
            found.append(None)
        return found

    data = b"".join(parts)
    assert replies([data]) == replies(cut(data, points))


@given(
    st.lists(
        st.sampled_from(
            [
                b"220 hi\r\n",
                b"250 ok\r\n",
                b"250-x\r\n",
                b"250 PIPELINING\r\n",
                b"354 go\r\n",
                b"550 no\r\n",
                b"421 bye\r\n",
                b"451 later\r\n",
                b"250 STARTTLS\r\n",
                b"junk\r\n",
                b"",
                b"334 \r\n",
                b"2",
                b"50 ok\r\n",
            ]
        ),
        max_size=14,
    )
)
def test_every_recipient_gets_one_result_whatever_the_server_says(replies):
    recipients = (Address("a", Domain("x.org")), Address("b", Domain("x.org")))
    client = SmtpClient(Options(ehlo_name="me"))
    client.add(Transaction(sender=None, recipients=recipients))
    waiting, outcomes = list(replies), []
    content_sent = False
    for _ in range(200):
        match client.step():
            case Receive():
                client.receive(waiting.pop(0) if waiting else b"")
            case StartTls():
                client.tls_started()
            case SendContent():
                content_sent = True
                client.content_sent()
            case Finished(outcome=outcome):
                outcomes.append(outcome)
            case Closed():
                break
            case _:
                pass
    else:
        pytest.fail("the dialogue does not end")
    assert [r.recipient for r in outcomes[0].results] == list(recipients)
    assert len(outcomes) == 1
    for result in outcomes[0].results:
        assert result.status.code >= 400 or content_sent


def test_errors_are_the_projects_own():
    assert issubclass(CommandError, PeerError)
    assert issubclass(ReplyError, PeerError)
