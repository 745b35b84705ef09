"""MTA-STS records and policies as values (RFC 8461 §3.1, §3.2, §4.1)."""

import pytest

from backend.tls.sts import (
    MAX_AGE_S,
    MAX_POLICY_OCTETS,
    Mode,
    StsError,
    StsPolicy,
    parse_policy,
    parse_record,
)

POLICY = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.b.test\r\nmx: *.b.test\r\nmax_age: 604800\r\n"
)


@pytest.mark.parametrize(
    ("texts", "policy_id"),
    [
        ([], None),
        ([b"v=spf1 -all"], None),
        ([b"v=STSv1; id=20160831085700Z;"], "20160831085700Z"),
        ([b"v=STSv1;id=1"], "1"),
        ([b"v=STSv1 ; id=1 ; more=x ;"], "1"),
        ([b"v=STSv1; other=a=b; id=abc"], "abc"),
        ([b"v=spf1 -all", b"v=STSv1; id=1"], "1"),
        ([b"v=STSv2; id=1"], None),
        ([b"V=STSv1; id=1"], None),
        ([b"v=STSv11; id=1"], None),
        ([b"id=1; v=STSv1;"], None),
        ([b"v=STSv1"], None),
    ],
)
def test_the_record_gives_the_id_of_the_policy(texts, policy_id):
    assert parse_record(texts) == policy_id


@pytest.mark.parametrize(
    "texts",
    [
        [b"v=STSv1; id=1", b"v=STSv1; id=1"],
        [b"v=STSv1;"],
        [b"v=STSv1; id="],
        [b"v=STSv1; id=a-b"],
        [b"v=STSv1; id=" + b"a" * 33],
        [b"v=STSv1; id=1; nonsense"],
        [b"v=STSv1; id=\xff"],
        [b"v=STSv1;; id=1"],
    ],
)
def test_a_record_that_breaks_the_rules_is_refused(texts):
    with pytest.raises(StsError):
        parse_record(texts)


def test_a_policy_is_read():
    assert parse_policy(POLICY) == StsPolicy(
        mode=Mode.ENFORCE, mx=("mail.b.test", "*.b.test"), max_age_s=604800
    )


@pytest.mark.parametrize(
    "body",
    [
        POLICY.replace(b"\r\n", b"\n"),
        POLICY.rstrip(),
        POLICY + b"\r\nother: thing: with colons\r\n",
        POLICY.replace(b": ", b":\t ").replace(b"\r\n", b" \r\n"),
        POLICY.replace(b"mail.b.test", b"MAIL.b.test"),
        POLICY + b"mode: none\r\nmax_age: 1\r\n",
    ],
)
def test_a_policy_is_read_in_each_form_that_is_allowed(body):
    assert parse_policy(body) == parse_policy(POLICY)


def test_the_mode_none_needs_no_mail_servers():
    policy = parse_policy(b"version: STSv1\nmode: none\nmax_age: 0\n")
    assert (policy.mode, policy.mx, policy.max_age_s) == (Mode.NONE, (), 0)


def test_a_policy_holds_for_a_year_at_most():
    assert parse_policy(POLICY.replace(b"604800", b"9999999999")).max_age_s == MAX_AGE_S


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        POLICY.replace(b"version: STSv1\r\n", b""),
        POLICY.replace(b"STSv1", b"STSv2"),
        POLICY.replace(b"enforce", b"Enforce!"),
        POLICY.replace(b"mode: enforce\r\n", b""),
        POLICY.replace(b"604800", b"-1"),
        POLICY.replace(b"604800", b"7d"),
        POLICY.replace(b"604800", b"99999999999"),
        POLICY.replace(b"max_age: 604800\r\n", b""),
        POLICY.replace(b"mx: mail.b.test\r\nmx: *.b.test\r\n", b""),
        POLICY.replace(b"*.b.test", b"mail.*.test"),
        POLICY.replace(b"*.b.test", b"*.*.b.test"),
        POLICY.replace(b"*.b.test", b"m*.b.test"),
        POLICY.replace(b"*.b.test", b"*"),
        POLICY.replace(b"*.b.test", b"192.0.2.1 x"),
        POLICY.replace(b"mail.b.test", b"mail.b.test\xff"),
        POLICY + b"nonsense\r\n",
        POLICY + b"mx: a.b.test\r\n" * 200,
        POLICY + b"\n" * MAX_POLICY_OCTETS,
    ],
)
def test_a_policy_that_breaks_the_rules_is_refused(body):
    with pytest.raises(StsError):
        parse_policy(body)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("mail.b.test", True),
        ("MAIL.b.test.", True),
        ("mx1.b.test", True),
        ("b.test", False),
        ("a.mx1.b.test", False),
        ("mail.c.test", False),
        ("xb.test", False),
    ],
)
def test_a_wildcard_stands_for_one_label(host, named):
    assert parse_policy(POLICY).names(host) is named


def test_the_lines_for_reports_say_the_same():
    policy = parse_policy(POLICY)
    assert parse_policy("\n".join(policy.lines).encode()) == policy
