"""SPF records: read, completed, evaluated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.checkup.spf import NeedLookup, SpfError, Verdict, evaluate, is_spf, merge, parse_spf
from backend.dns.answers import Found, LookupFailed, NoDomain


def judged(record: str, ip: str = "192.0.2.1", **zone) -> Verdict:
    """`zone`: `{"MX a.test": ["10 b.test"]}`; everything else does not exist."""

    def lookup(name, kind):
        found = zone.get("zone", {}).get(f"{kind} {name}")
        if found is None:
            return NoDomain()
        return found if isinstance(found, LookupFailed) else Found(tuple(found))

    return evaluate(record, ip, "a.test", lookup)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("v=spf1", True), ("V=SPF1 -all", True), ("v=spf10 -all", False), ("v=spf1-all", False), ("x", False)],
)  # fmt: skip
def test_the_version_tells_spf_from_other_texts(text, is_one):
    assert is_spf(text) is is_one


@pytest.mark.parametrize(
    "text",
    ["v=spf1 ipv4:1.2.3.4", "v=spf1 ip4:x", "v=spf1 ip4:::1", "v=spf1 include", "v=spf1 -", "spf1", "v=spf1 ip6:1.2.3.4"],
)  # fmt: skip
def test_what_is_no_spf_is_refused(text):
    with pytest.raises(SpfError):
        parse_spf(text)


@pytest.mark.parametrize(
    ("existing", "wanted", "merged"),
    [
        ([], ["mx"], "v=spf1 mx ~all"),
        (["v=spf1 include:_spf.other.test -all"], ["mx"], "v=spf1 include:_spf.other.test mx -all"),
        (["v=spf1 mx -all"], ["mx"], "v=spf1 mx -all"),
        (["v=spf1 MX ~all"], ["mx"], "v=spf1 MX ~all"),
        (["v=spf1 -all"], ["mx", "ip4:192.0.2.1"], "v=spf1 mx ip4:192.0.2.1 -all"),
        (["v=spf1 a +all"], ["mx"], "v=spf1 a mx ~all"),
        (["v=spf1 a all"], ["mx"], "v=spf1 a mx ~all"),
        (["v=spf1 a"], ["mx"], "v=spf1 a mx ~all"),
        (["v=spf1 redirect=_spf.other.test"], ["mx"], "v=spf1 mx redirect=_spf.other.test"),
        (["v=spf1 include:x.test -all", "v=spf1 include:y.test include:X.test ~all"], ["mx"],
         "v=spf1 include:x.test include:y.test mx ~all"),
        (["v=spf1 a -all", "v=spf1 mx -all"], ["mx"], "v=spf1 a mx -all"),
        (["v=spf1 nonsense -all"], ["mx"], "v=spf1 mx ~all"),
        (["v=spf1 a exp=e.test -all"], [], "v=spf1 a exp=e.test -all"),
    ],
)  # fmt: skip
def test_what_others_have_put_there_is_kept(existing, wanted, merged):
    assert merge(existing, wanted) == merged
    assert merge([merged], wanted) == merged


ZONE = {
    "MX a.test": ["10 mx.a.test", "20 ."],
    "A mx.a.test": ["192.0.2.1"],
    "AAAA mx.a.test": ["2001:db8::1"],
    "A a.test": ["192.0.2.77"],
    "TXT inc.test": ["other", "v=spf1 ip4:192.0.2.1 -all"],
    "TXT none.test": ["other"],
    "TXT two.test": ["v=spf1 a", "v=spf1 mx"],
    "TXT loop.test": ["v=spf1 include:loop.test -all"],
    "TXT silent.test": LookupFailed("no answer"),
    "TXT macro.test": ["v=spf1 exists:%{i}.x.test -all"],
}


@pytest.mark.parametrize(
    ("record", "result", "mechanism"),
    [
        ("v=spf1 mx -all", "pass", "mx"),
        ("v=spf1 -all", "fail", "-all"),
        ("v=spf1 ~all", "softfail", "~all"),
        ("v=spf1 ?all", "neutral", "?all"),
        ("v=spf1", "neutral", ""),
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass", "ip4:192.0.2.0/24"),
        ("v=spf1 ip4:192.0.2.2 ip6:2001:db8::/32 -all", "fail", "-all"),
        ("v=spf1 -ip4:192.0.2.1 +all", "fail", "-ip4:192.0.2.1"),
        ("v=spf1 a -all", "fail", "-all"),
        ("v=spf1 a/24 -all", "pass", "a/24"),
        ("v=spf1 a:mx.a.test -all", "pass", "a:mx.a.test"),
        ("v=spf1 mx:a.test/24//64 -all", "pass", "mx:a.test/24//64"),
        ("v=spf1 include:inc.test -all", "pass", "include:inc.test"),
        ("v=spf1 include:none.test -all", "permerror", "none.test has no SPF record"),
        ("v=spf1 include:two.test -all", "permerror", "two.test has several SPF records"),
        ("v=spf1 include:loop.test -all", "permerror", "it needs more than 10 DNS lookups"),
        ("v=spf1 include:silent.test -all", "temperror", "no answer"),
        ("v=spf1 include:macro.test -all", "unknown", "exists:%{i}.x.test"),
        ("v=spf1 redirect=inc.test", "pass", "ip4:192.0.2.1"),
        ("v=spf1 redirect=inc.test -all", "fail", "-all"),
        ("v=spf1 ptr -all", "fail", "-all"),
        ("v=spf1 what -all", "permerror", "“what” is nothing that SPF knows"),
    ],
)
def test_an_address_is_judged_as_receivers_do(record, result, mechanism):
    assert judged(record, zone=ZONE) == Verdict(result, mechanism)


def test_ipv6_addresses_are_judged_by_their_own_records():
    assert judged("v=spf1 mx -all", "2001:db8::1", zone=ZONE).result == "pass"
    assert judged("v=spf1 mx//64 -all", "2001:db8::2", zone=ZONE).result == "pass"
    assert judged("v=spf1 mx/24 -all", "2001:db8::2", zone=ZONE).result == "fail"


def test_what_is_not_known_yet_is_asked_for():
    def lookup(name, kind):
        raise NeedLookup(name, kind)

    with pytest.raises(NeedLookup, match=r"MX a\.test"):
        evaluate("v=spf1 mx -all", "192.0.2.1", "a.test", lookup)


@given(st.text(alphabet="v=spf1 a/:-~+?%{}mxinclude.4\0é", max_size=60))
def test_no_text_trips_it(text):
    record = f"v=spf1 {text}"
    assert judged(record).result
    merged = merge([record], ["mx"])
    assert is_spf(merged)
