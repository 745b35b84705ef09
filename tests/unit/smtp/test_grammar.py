"""Commands, paths and parameters."""

import pytest

from backend.core.address import Address, Domain, parse_address
from backend.core.envelope import BodyType, Notify, Ret
from backend.smtp.extensions import Extension
from backend.smtp.grammar import (
    Command,
    Greeting,
    format_path,
    parse_command,
    parse_greeting,
    parse_mail,
    parse_rcpt,
)
from backend.smtp.parameters import CommandError, format_xtext, parse_xtext


def refused(parse, *args, **kwargs) -> str:
    with pytest.raises(CommandError) as caught:
        parse(*args, **kwargs)
    return f"{caught.value.status.code} {caught.value.status.enhanced}"


def test_a_command_is_a_verb_in_any_case_and_an_argument():
    assert parse_command(b"mAiL  FROM:<a@b.c> ") == Command("MAIL", "FROM:<a@b.c>")
    assert parse_command(b"QUIT") == Command("QUIT", "")
    assert parse_command("EHLO bücher.example".encode()) == Command("EHLO", "bücher.example")


@pytest.mark.parametrize(
    "line", [b"", b" ", b"12", b"\xff\xfe", b"NOOP\x00", b"MAIL: x", b"A" * 21]
)
def test_what_is_no_command_is_500(line):
    assert refused(parse_command, line) == "500 5.5.2"


def test_octets_that_are_no_utf8_are_501():
    assert refused(parse_command, b"MAIL FROM:<\xe9@b.c>") == "501 5.5.2"


@pytest.mark.parametrize(
    "name", ["mail.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]", "localhost"]
)
def test_host_names_and_literals_are_valid_greetings(name):
    assert parse_greeting(name) == Greeting(name, is_valid=True)


@pytest.mark.parametrize("name", ["-bad-", "[300.1.1.1]", "[x", "under..dots", "a!b", "[1.2.3.4]x"])
def test_other_greetings_are_accepted_and_marked(name):
    # RFC 5321 §4.1.4: a message must not be refused for the name alone.
    assert parse_greeting(name) == Greeting(name, is_valid=False)


def test_words_after_the_name_are_ignored():
    assert parse_greeting("me.test and more").name == "me.test"


@pytest.mark.parametrize("name", ["", "a\x07b", "x" * 256])
def test_no_name_is_501(name):
    assert refused(parse_greeting, name) == "501 5.5.4"


@pytest.mark.parametrize(
    "path, address",
    [
        ("<anna@example.org>", parse_address("anna@example.org")),
        ("<ANNA@Example.ORG>", parse_address("ANNA@example.org")),
        ('<"two words"@example.org>', Address("two words", Domain("example.org"))),
        (r'<"a\"b\\c@d>"@example.org>', Address('a"b\\c@d>', Domain("example.org"))),
        ('<"">@x', None),
        ('<""@example.org>', Address("", Domain("example.org"))),
        ("<a@[192.0.2.7]>", Address("a", Domain(""), "[192.0.2.7]")),
        ("<a@[ipv6:2001:DB8::7]>", Address("a", Domain(""), "[IPv6:2001:db8::7]")),
        ("<a@bücher.example>", Address("a", Domain("xn--bcher-kva.example"))),
        ("<user%host@example.org>", Address("user%host", Domain("example.org"))),
        (" <a@example.org>", Address("a", Domain("example.org"))),
        ("a@example.org", Address("a", Domain("example.org"))),
        ("<a@example.org.>", Address("a", Domain("example.org"))),
    ],
)
def test_paths(path, address):
    if address is None:
        assert refused(parse_mail, f"FROM:{path}").startswith("501")
    else:
        assert parse_mail(f"from:{path}").sender == address
        assert parse_rcpt(f"To:{path}").recipient == address


@pytest.mark.parametrize(
    "path",
    [
        "",
        "<a@b.c",
        "a@b.c>",
        "<<a@b.c>>",
        "<a>",
        "<@b.c>",
        "<a@>",
        "<a b@c.d>",
        "<a..b@c.d>",
        "<.a@c.d>",
        "<a@b@c.d>",
        "<a@-b.c>",
        "<a@[1.2.3]>",
        "<a@[1.2.3.4>",
        "<a@[x:1]>",
        "<a@[IPv6:1::2::3]>",
        '<"a@b.c>',
        '<"a"b@c.d>',
        "<a@b.c>x",
        "<a@b.c>SIZE=1",
        "<a\\@b.c>",
        f"<{'a' * 65}@b.c>",
        f"<a@{'b' * 64}.c>",
        f"<{'a' * 60}@{'.'.join(['b' * 50] * 4)}.cc>",
        "<a\x01@b.c>",
        "<a!b>",
    ],
)
def test_what_is_no_address_is_501(path):
    assert refused(parse_mail, f"FROM:{path}").startswith("501")
    assert refused(parse_rcpt, f"TO:{path}").startswith("501")


def test_the_null_path_is_a_sender_and_no_recipient():
    assert parse_mail("FROM:<>").sender is None
    assert refused(parse_rcpt, "TO:<>") == "501 5.1.3"


def test_postmaster_needs_no_domain_as_recipient():
    for path in ("<postmaster>", "<PostMaster>"):
        assert parse_rcpt(f"TO:{path}").is_bare_postmaster
    assert not parse_rcpt("TO:<postmaster@x.org>").is_bare_postmaster
    assert refused(parse_mail, "FROM:<postmaster>").startswith("501")
    assert refused(parse_rcpt, "TO:<@x.org:postmaster>").startswith("501")


def test_a_source_route_is_noted_and_changes_nothing():
    command = parse_rcpt("TO:<@one.org,@two.org:a@three.org>")
    assert command.recipient == parse_address("a@three.org")
    assert command.route == ("one.org", "two.org")
    assert refused(parse_rcpt, "TO:<@bad..host:a@three.org>").startswith("501")


def test_beyond_ascii_needs_smtputf8():
    assert parse_mail("FROM:<jürgen@x.org> SMTPUTF8").sender.localpart == "jürgen"
    assert refused(parse_mail, "FROM:<jürgen@x.org>") == "553 5.6.7"
    assert parse_rcpt("TO:<jürgen@x.org>", smtputf8=True).recipient.localpart == "jürgen"
    assert refused(parse_rcpt, "TO:<jürgen@x.org>") == "553 5.6.7"


def test_all_mail_parameters_become_values():
    command = parse_mail(
        "FROM:<a@b.c> SIZE=1234 body=8bitmime SMTPUTF8 RET=hdrs ENVID=ab+2Bc AUTH=x+40y.z MT-PRIORITY=-3"
    )
    assert command.size_bytes == 1234
    assert command.body is BodyType.EIGHT_BIT_MIME
    assert command.smtputf8
    assert command.ret is Ret.HEADERS
    assert command.envelope_id == "ab+c"
    assert command.submitter == "x@y.z"
    assert command.priority == -3
    assert parse_mail("FROM:<a@b.c> AUTH=<>").submitter == ""


def test_all_rcpt_parameters_become_values():
    command = parse_rcpt("TO:<a@b.c> NOTIFY=success,FAILURE ORCPT=rfc822;x+40y.z")
    assert command.notify == {Notify.SUCCESS, Notify.FAILURE}
    assert command.original_recipient == ("rfc822", "x@y.z")
    command = parse_rcpt(r"TO:<a@b.c> ORCPT=utf-8;j\x{FC}rgen@x.org")
    assert command.original_recipient == ("utf-8", r"j\x{FC}rgen@x.org")


@pytest.mark.parametrize(
    "parameters, reply",
    [
        ("SIZE", "501 5.5.4"),
        ("SIZE=-1", "501 5.5.4"),
        ("SIZE=123456789012345678901", "501 5.5.4"),
        ("SIZE=1 size=2", "501 5.5.4"),
        ("BODY=BINARYMIME", "501 5.5.4"),
        ("BODY", "501 5.5.4"),
        ("SMTPUTF8=1", "501 5.5.4"),
        ("RET=ALL", "501 5.5.4"),
        ("ENVID", "501 5.5.4"),
        ("ENVID=" + "x" * 101, "501 5.5.4"),
        ("ENVID=a+2b", "501 5.5.4"),
        ("AUTH", "501 5.5.4"),
        ("MT-PRIORITY=10", "501 5.5.2"),
        ("XTRA=1", "555 5.5.4"),
        ("NOTIFY=NEVER", "555 5.5.4"),
        ("=1", "501 5.5.4"),
        ("A=", "501 5.5.4"),
        ("a_b=1", "501 5.5.4"),
        (" ".join(["SIZE=1"] * 21), "501 5.5.4"),
    ],
)
def test_broken_mail_parameters(parameters, reply):
    assert refused(parse_mail, f"FROM:<a@b.c> {parameters}") == reply


@pytest.mark.parametrize(
    "parameters, reply",
    [
        ("NOTIFY", "501 5.5.4"),
        ("NOTIFY=NEVER,DELAY", "501 5.5.4"),
        ("NOTIFY=SOMETIMES", "501 5.5.4"),
        ("NOTIFY=DELAY NOTIFY=DELAY", "501 5.5.4"),
        ("ORCPT=rfc822", "501 5.5.4"),
        ("ORCPT=;x", "501 5.5.4"),
        ("ORCPT=rfc822;" + "x" * 500, "501 5.5.4"),
        ("SIZE=1", "555 5.5.4"),
    ],
)
def test_broken_rcpt_parameters(parameters, reply):
    assert refused(parse_rcpt, f"TO:<a@b.c> {parameters}") == reply


def test_parameters_of_extensions_that_are_not_offered_are_refused():
    offered = {Extension.SIZE}
    assert parse_mail("FROM:<a@b.c> SIZE=1", offered).size_bytes == 1
    assert refused(parse_mail, "FROM:<a@b.c> BODY=7BIT", offered) == "555 5.5.4"
    assert refused(parse_rcpt, "TO:<a@b.c> NOTIFY=NEVER", offered) == "555 5.5.4"


def test_a_declared_size_over_the_limit_is_refused_at_once():
    assert refused(parse_mail, "FROM:<a@b.c> SIZE=11", max_size_bytes=10) == "552 5.3.4"
    assert parse_mail("FROM:<a@b.c> SIZE=10", max_size_bytes=10).size_bytes == 10


def test_a_missing_keyword_is_501():
    assert refused(parse_mail, "<a@b.c>") == "501 5.5.4"
    assert refused(parse_mail, "TO:<a@b.c>") == "501 5.5.4"
    assert refused(parse_rcpt, "FROM:<a@b.c>") == "501 5.5.4"


def test_paths_are_written_with_the_quotes_they_need():
    assert format_path(None) == "<>"
    assert format_path(Address('a "b', Domain("x.org"))) == r'<"a \"b"@x.org>'


def test_xtext():
    assert format_xtext("a+b=c d\n") == "a+2Bb+3Dc+20d+0A"
    assert parse_xtext("a+2Bb") == "a+b"
    assert format_xtext("日") == "+3F"
    assert refused(parse_xtext, "a=b+") == "501 5.5.4"
