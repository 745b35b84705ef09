import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.mailauth.dkim import MAX_SIGNATURES, Outcome, key_names, verify
from tests.support.dkim import MESSAGE, a_key, records, signed

# RFC 8463 §A: the message with both signatures, and their keys.
EXAMPLE = (
    b"DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
    b" d=football.example.com; i=@football.example.com;\r\n"
    b" q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
    b" subject : date : message-id : from : subject : date;\r\n"
    b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    b" b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n"
    b" Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"
    b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    b" d=football.example.com; i=@football.example.com;\r\n"
    b" q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"
    b" date : message-id : from : subject : date;\r\n"
    b" bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n"
    b" b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"
    b" DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"
    b" dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n"
    b"From: Joe SixPack <joe@football.example.com>\r\n"
    b"To: Suzie Q <suzie@shopping.example.net>\r\n"
    b"Subject: Is dinner ready?\r\n"
    b"Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"
    b"Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
    b"\r\n"
    b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
)
KEYS = {
    "brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    "test._domainkey.football.example.com": "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
}


@pytest.fixture(scope="module", params=["rsa2048", "ed25519"])
def key(request, tmp_path_factory):
    return a_key(tmp_path_factory.mktemp("keys") / "secrets", "k", request.param)


def test_the_example_of_the_standard_passes_with_both_signatures():
    assert key_names(EXAMPLE) == tuple(KEYS)
    assert [(v.outcome, v.selector, v.algorithm) for v in verify(EXAMPLE, KEYS)] == [
        (Outcome.PASS, "brisbane", "ed25519-sha256"),
        (Outcome.PASS, "test", "rsa-sha256"),
    ]
    assert {v.outcome for v in verify(EXAMPLE.replace(b"lost", b"won"), KEYS)} == {Outcome.FAIL}


def test_each_signature_has_a_result_of_its_own(key):
    message = signed(key, signed(key, selector="other"))
    assert key_names(message) == ("2023a._domainkey.example.org", "other._domainkey.example.org")
    first, second = verify(message, records(key))
    assert (first.outcome, first.domain, first.selector) == (
        Outcome.PASS,
        "example.org",
        "2023a",
    )
    assert (second.outcome, second.reason) == (Outcome.PERMERROR, "there is no key for it")


def test_a_key_of_somebody_else_fails(key, tmp_path):
    algorithm = "rsa2048" if key.algorithm.startswith("rsa") else "ed25519"
    other = a_key(tmp_path / "secrets", "other", algorithm)
    (result,) = verify(signed(key), records(other))
    assert result.outcome is Outcome.FAIL


@pytest.mark.parametrize(
    "record", ["", "v=DKIM1; k=rsa; p=", "v=DKIM1; p=!!!!", "v=DKIM2; p=AAAA", "ä=;;", "k=dsa; p=A"]
)
def test_a_broken_record_is_never_a_pass(key, record):
    (result,) = verify(signed(key), {"2023a._domainkey.example.org": record})
    assert result.outcome is not Outcome.PASS


def test_a_signature_over_a_part_of_the_body_is_marked(key):
    message = signed(key).replace(b"; c=relaxed", b"; l=3; c=relaxed")
    assert verify(message, records(key))[0].partial
    assert not verify(signed(key), records(key))[0].partial


def test_sha1_is_refused(key):
    message = signed(key).replace(key.algorithm.encode(), b"rsa-sha1")
    assert verify(message, records(key))[0].outcome is Outcome.PERMERROR


def test_signatures_without_end_are_cut_off(key):
    message = b"DKIM-Signature: v=1\r\n" * 50 + MESSAGE
    assert len(verify(message, {})) == MAX_SIGNATURES


def test_hostile_blanks_take_no_time(key):
    field, _, rest = signed(key).partition(b"b=")
    hostile = field + b"b=" + b" " * 15_000 + b"\r\n\t" + rest[:-4] + b" " * 300_000 + b"x\r\n"
    verify(hostile, records(key))
    folded = field + b"b=" + b"\r\n " * 5_000 + rest
    verify(folded, records(key))


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_strange_fields_never_raise(value, body):
    field = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.test; s=s; h=from; bh=; b=" + value
    message = field + b"\r\nFrom: a@a.test\r\n\r\n" + body
    for result in verify(message, {"s._domainkey.a.test": "v=DKIM1; p=" + value.hex()}):
        assert result.outcome is not Outcome.PASS


def test_real_messages_of_others_pass_with_their_keys(testdata):
    found = 0
    for path in sorted(testdata.glob("dkim-stalwart/resources/dkim/*.txt")):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        head, _, message = text.partition(b"\n\n")
        keys = {}
        for line in head.decode().splitlines():
            name, _, record = line.partition(" ")
            keys[name] = record
        results = verify(message.replace(b"\n", b"\r\n"), keys)
        assert results, path.name
        found += any(r.outcome is Outcome.PASS for r in results)
        changed = message.replace(b"\n", b"\r\n") + b"and more\r\n"
        assert all(r.outcome is not Outcome.PASS for r in verify(changed, keys)), path.name
        assert all(r.outcome is Outcome.PASS or "x= value is past" in r.reason for r in results), (
            path.name
        )
    assert found in {0, 5}  # one of the six has expired


def test_real_messages_are_read_without_an_exception(testdata):
    for path in testdata.glob("dkim-spamassassin/**/*"):
        if path.is_file():
            message = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            results = verify(message, dict.fromkeys(key_names(message), next(iter(KEYS.values()))))
            assert all(result.outcome is not Outcome.PASS for result in results), path.name
