import base64
import hashlib
import itertools
import re

import dkim
import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given
from hypothesis import strategies as st

from backend.mailauth.signature import (
    RelaxedBody,
    Signer,
    UnsignableError,
    body_hash,
    prepare,
    select_fields,
)
from tests.support.dkim import MESSAGE, a_key, records, signed

ALGORITHMS = ["rsa2048", "ed25519"]


@pytest.fixture(scope="module", params=ALGORITHMS)
def key(request, tmp_path_factory):
    return a_key(tmp_path_factory.mktemp("keys") / "secrets", "k", request.param)


def good(message, keys):
    """As dkimpy itself sees it."""
    (record,) = keys.values()
    return dkim.verify(message, dnsfunc=lambda name, **_: record.encode())


def test_dkimpy_accepts_what_is_signed(key):
    message = signed(key)
    assert good(message, records(key))
    assert message.endswith(MESSAGE)


def test_the_field_is_relaxed_short_lined_and_never_partial(key):
    field = signed(key).removesuffix(MESSAGE)
    assert field.startswith(b"DKIM-Signature: v=1; a=")
    assert b"c=relaxed/relaxed" in field
    assert not re.search(rb"[;\s]l=", field)
    assert max(map(len, field.split(b"\r\n"))) <= 78
    assert field.isascii()
    assert field.endswith(b"\r\n")


def test_a_long_domain_is_never_cut(key):
    domain = ".".join(["a" * 60] * 4)
    message = signed(key, MESSAGE.replace(b"example.org", domain.encode()), domain=domain)
    assert b"\td=" + domain.encode() + b";\r\n" in message
    assert good(message, records(key, domain))


@pytest.mark.parametrize(
    ("localpart", "identity"),
    [
        ("anna", b"anna"),
        ("jürgen", b"j=C3=BCrgen"),
        ("a;b c", b'"a=3Bb=20c"'),
        ("a@b=c", b'"a=40b=3Dc"'),
        ("", b""),
    ],
)
def test_any_localpart_can_be_the_identity(key, localpart, identity):
    message = signed(key, localpart=localpart)
    assert b"\ti=" + identity + b"@example.org;\r\n" in message
    assert good(message, records(key))


@pytest.mark.parametrize(
    "line",
    [
        b"From: Evil <evil@example.org>",
        b"To: all@example.org",
        b"Cc: more@example.org",
        b"Subject: Something else",
        b"Date: Wed, 15 Nov 2023 22:13:20 +0000",
        b"Message-ID: <2@example.org>",
        b"Reply-To: evil@evil.test",
        b"MIME-Version: 1.0",
        b"Content-Type: text/html",
        b"References: <3@example.org>",
        b"In-Reply-To: <3@example.org>",
    ],
)
def test_no_field_that_is_believed_can_be_added(key, line):
    field = signed(key).removesuffix(MESSAGE)
    for place in (
        line + b"\r\n" + MESSAGE,
        MESSAGE.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", 1),
    ):
        assert not good(field + place, records(key))


def test_list_fields_are_sealed_where_they_are_and_may_be_added_where_they_are_not(key):
    assert good(b"List-Id: <l.example.org>\r\n" + signed(key), records(key))
    message = b"List-Unsubscribe: <mailto:a@b.test>\r\n" + MESSAGE
    assert good(signed(key, message), records(key))
    assert not good(b"List-Unsubscribe: <mailto:c@d.test>\r\n" + signed(key, message), records(key))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Lunch", b"Launch"),
        (b"Hello", b"Hallo"),
        (b"see you", b"see you later"),
        (b"d=example.org", b"d=xample.org"),
        (b"t=1700000000", b"t=1700000001"),
        (b"i=anna", b"i=ben"),
        (b"Cy <", b"Di <"),
        (b"see you \t\r\n\r\n\r\n", b"see you \t\r\n\r\nMore\r\n"),
    ],
)
def test_whatever_is_changed_afterwards_breaks_the_signature(key, old, new):
    message = signed(key)
    assert old in message
    changed = message.replace(old, new)
    assert not good(changed, {"": next(iter(records(key).values()))})


def test_blanks_and_empty_lines_may_change_on_the_way(key):
    message = signed(key)
    for old, new in (
        (b"Subject:  Lunch \t on  Friday", b"subject: Lunch on\r\n Friday  "),
        (b"Hello  Bo, \r\n", b"Hello Bo,\r\n"),
        (b"see you \t\r\n\r\n\r\n", b"see you\r\n"),
    ):
        message = message.replace(old, new)
    assert good(message, records(key))


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n", b" \r\n \t\r\n", b"x", b"x ", b" x"])
def test_odd_bodies_are_signed_as_they_will_arrive(key, body):
    header = MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    message = signed(key, header + body)
    if body and not body.endswith(b"\r\n"):
        message += b"\r\n"  # SMTP adds it
    assert good(message, records(key))


def test_several_fields_of_one_name_are_signed_from_the_last():
    fields = select_fields(b"From: a@b\r\nTo: 1\r\nX: y\r\nTo: 2\r\n\r\n")
    assert fields.canonical == b"from:a@b\r\nto:2\r\nto:1\r\n"
    assert fields.names.count("To") == 3


def test_lines_that_are_no_fields_are_let_be():
    fields = select_fields(b"no field at all\r\nFrom : a@b\r\n more\r\n\r\n")
    assert fields.canonical == b"from:a@b more\r\n"


@pytest.mark.parametrize("header", [b"To: a@b\r\n\r\n", b"", b"From: a@b\r\n" + b"To: x\r\n" * 600])
def test_what_can_not_be_signed_is_said(header):
    with pytest.raises(UnsignableError):
        select_fields(header)


def test_the_example_of_the_standard_hashes_to_its_value():
    # RFC 8463 §A.3: the body hash that both signatures of the example carry.
    body = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
    assert base64.b64encode(body_hash([body])) == b"2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="


BODY_PIECES = st.lists(
    st.sampled_from([b"\r\n", b" ", b"\t", b"a", b"\r\n\r\n", b"  \r\n", b"\r", b"\n", b"."]),
    max_size=30,
)


@given(BODY_PIECES, st.lists(st.integers(0, 40), max_size=6))
def test_a_body_in_pieces_hashes_as_dkimpy_hashes_the_whole(pieces, cuts):
    body = b"".join(pieces)
    whole = RelaxedBody()
    places = sorted({0, *(min(cut, len(body)) for cut in cuts), len(body)})
    for start, end in itertools.pairwise(places):
        whole.update(body[start:end])
    # What goes over SMTP ends in a line end; a body without any bytes stays so.
    sent = body if not body or body.endswith(b"\r\n") else body + b"\r\n"
    assert (
        whole.digest() == hashlib.sha256(Relaxed.canonicalize_body(sent) if sent else b"").digest()
    )


@pytest.mark.parametrize("piece", [b" ", b"\r\n", b" \r\n", b"\t \r", b"x"])
def test_monotonous_bodies_take_no_time(piece):
    body_hash([piece * 300_000] * 4)


def test_the_same_bytes_are_signed_for_the_same_moment():
    signer = Signer(domain="example.org", selector="a", algorithm="rsa-sha256")
    fields = select_fields(b"From: a@b\r\n\r\n")
    one, two = (prepare(signer, fields, body_hash([]), 5.7) for _ in range(2))
    assert one == two
    assert b"t=5;" in one.start
