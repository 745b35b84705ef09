"""Whatever a stranger's DNS, web server or mail server gives: a value or the one error that is meant for it."""

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.dns.answers import Tlsa
from backend.tls.dane import DaneError, check, usable
from backend.tls.sts import MAX_AGE_S, Mode, StsError, parse_policy, parse_record
from tests.support.certificates import make

LEAF = make("mx.b.test")
NOW = dt.datetime.now(dt.UTC)

LINES = st.one_of(
    st.sampled_from(["version: STSv1", "mode: enforce", "mode: none", "max_age: 9", "mx: a.b"]),
    st.builds("{}:{}".format, st.sampled_from(["mx", "mode", "max_age", "x", ""]), st.text()),
    st.text(),
)


@settings(max_examples=100)
@given(st.one_of(st.binary(), st.lists(LINES).map(lambda lines: "\r\n".join(lines).encode())))
def test_a_policy_is_read_or_refused(body):
    try:
        policy = parse_policy(body)
    except StsError:
        return
    assert 0 <= policy.max_age_s <= MAX_AGE_S
    assert policy.mx or policy.mode is Mode.NONE
    again = parse_policy("\n".join(policy.lines).encode())
    assert again == policy
    for pattern in policy.mx:
        assert policy.names(pattern.replace("*", "any"))


@settings(max_examples=100)
@given(st.lists(st.one_of(st.binary(), st.binary().map(b"v=STSv1;".__add__)), max_size=3))
def test_a_record_is_read_or_refused(texts):
    try:
        policy_id = parse_record(texts)
    except StsError:
        return
    assert policy_id is None or policy_id.isalnum()


TLSA = st.builds(
    Tlsa,
    usage=st.integers(0, 255),
    selector=st.integers(0, 255),
    matching=st.integers(0, 255),
    data=st.binary(max_size=70),
) | st.builds(
    Tlsa,
    usage=st.integers(2, 3),
    selector=st.integers(0, 1),
    matching=st.just(0),
    data=st.binary(max_size=70) | st.just(LEAF.der[:90]),
)


@settings(max_examples=100)
@given(
    st.lists(TLSA, max_size=5),
    st.lists(st.binary() | st.just(LEAF.der) | st.just(LEAF.der[:-1]), max_size=4),
)
def test_records_that_name_something_else_never_vouch(records, chain):
    try:
        check(usable(records), chain, ("mx.b.test",), NOW)
    except DaneError:
        return
    raise AssertionError("vouched")
