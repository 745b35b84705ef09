import pytest

from backend.message.addresses import (
    MAX_ADDRESSES,
    Group,
    Mailbox,
    format_for_people,
    parse_addresses,
    parse_mailboxes,
)


def box(name: str, local: str, domain: str, route: str = "") -> Mailbox:
    return Mailbox(name.encode(), local.encode(), domain.encode(), route.encode())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # RFC 5322 appendix A
        (b"John Doe <jdoe@machine.example>", [box("John Doe", "jdoe", "machine.example")]),
        (
            b'"Joe Q. Public" <john.q.public@example.com>',
            [box("Joe Q. Public", "john.q.public", "example.com")],
        ),
        (
            b"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            [
                box("Mary Smith", "mary", "x.test"),
                box("", "jdoe", "example.org"),
                box("Who?", "one", "y.test"),
            ],
        ),
        (
            b'<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>',
            [box("", "boss", "nil.test"), box('Giant; "Big" Box', "sysservices", "example.net")],
        ),
        (
            b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            [
                Group(
                    b"A Group",
                    (
                        box("Ed Jones", "c", "a.test"),
                        box("", "joe", "where.test"),
                        box("John", "jdoe", "one.test"),
                    ),
                )
            ],
        ),
        (b"Undisclosed recipients:;", [Group(b"Undisclosed recipients", ())]),
        (
            b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            [box("Pete", "pete", "silly.test")],
        ),
        (
            b"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
            [Group(b"Hidden recipients", ())],
        ),
        (
            b"Mary Smith <@machine.tld:mary@example.net>, , jdoe@test   . example",
            [
                box("Mary Smith", "mary", "example.net", "@machine.tld"),
                box("", "jdoe", "test.example"),
            ],
        ),
        (
            b"Joe Q. Public <john.q.public@example.com>",
            [box("Joe Q. Public", "john.q.public", "example.com")],
        ),
        # as found in real mail
        (b"a@b (Real Name)", [box("Real Name", "a", "b")]),
        (b"<a@b> (Real Name), c@d", [box("Real Name", "a", "b"), box("", "c", "d")]),
        (b"<@a,@b:c@d>", [box("", "c", "d", "@a,@b")]),
        (b'"a b"@c', [box("", "a b", "c")]),
        (b'x <"a b"@[192.0.2.1]>', [box("x", "a b", "[192.0.2.1]")]),
        (b"Name a@b", [box("Name", "a", "b")]),
        (b"a@b c@d", [box("", "a", "b")]),
        (b"pete . smith @ x . y", [box("", "pete.smith", "x.y")]),
        (b"a@b@c <d@e>", [box("a@b@c", "d", "e")]),
        (b"local", [box("", "local", "")]),
        (b"Two Words", [box("Two Words", "", "")]),
        (b"local (Name)", [box("Name", "local", "")]),
        (b"Foo <a@b, c@d>", [box("Foo", "a", "b"), box("", "c", "d")]),
        (b"Foo <a@b <c@d>", [box("Foo", "a", "b"), box("", "c", "d")]),
        (b"<a@b", [box("", "a", "b")]),
        (b"<a@b@c>", [box("", "a", "b@c")]),
        (b"Foo <>", [box("Foo", "", "")]),
        (b"@b", [box("", "", "b")]),
        (b"a@", [box("", "a", "")]),
        (b"[list] Foo <a@b>", [box("[list] Foo", "a", "b")]),
        (b"team: a@b; x@y", [Group(b"team", (box("", "a", "b"),)), box("", "x", "y")]),
        (b"team: a@b, c <d@e>", [Group(b"team", (box("", "a", "b"), box("c", "d", "e")))]),
        (b"team: A <a@b>;", [Group(b"team", (box("A", "a", "b"),))]),
        (b"a:b:c;", [Group(b"a", (box("", "b:c", ""),))]),
        (b"a; b@c", [box("", "a", ""), box("", "b", "c")]),
        (b'"unclosed <a@b>', [box("unclosed <a@b>", "", "")]),
        (b"(unclosed a@b", [box("(unclosed", "a", "b")]),
        (b"", []),
        (b" ,, ;", []),
    ],
)
def test_addresses_are_read_however_they_are_written(value: bytes, expected: list[object]) -> None:
    assert parse_addresses(value) == expected


def test_members_of_groups_are_addresses_too() -> None:
    assert parse_mailboxes(b"a@b, team: c@d, e@f;") == [
        box("", "a", "b"),
        box("", "c", "d"),
        box("", "e", "f"),
    ]


def test_people_see_decoded_names() -> None:
    value = b"=?utf-8?q?J=C3=BCrgen?= <j@x>, team: a@b, J\xf6rg <c@d>;, lone, <>"
    assert format_for_people(parse_addresses(value)) == "Jürgen <j@x>, team: a@b, Jörg <c@d>;, lone"


def test_an_address_is_never_decoded() -> None:
    (found,) = parse_mailboxes(b"=?utf-8?q?boss?=@example.org")
    assert found.address == "=?utf-8?q?boss?=@example.org"
    assert parse_mailboxes("jörg@exämple.org".encode())[0].address == "jörg@exämple.org"


def test_the_number_of_addresses_is_limited() -> None:
    assert len(parse_addresses(b"a@b," * (MAX_ADDRESSES + 10))) == MAX_ADDRESSES
    assert len(parse_addresses(b"a(x)@b," * (MAX_ADDRESSES + 10))) == MAX_ADDRESSES
    (group,) = parse_addresses(b"g:" + b"a@b," * (MAX_ADDRESSES + 10))
    assert isinstance(group, Group)
    assert len(group.members) == MAX_ADDRESSES


@pytest.mark.parametrize(
    "piece", [b"(", b'"', b"<", b"[", b"a ", b"a. ", b"(c) ", b'"\\', b"@", b":", b"<a@b", b"\\"]
)
def test_hostile_fields_are_read_in_one_pass(piece: bytes) -> None:
    assert isinstance(parse_addresses(piece * (200_000 // len(piece)) + b"x@y"), list)
