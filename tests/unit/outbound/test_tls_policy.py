"""The decision itself: every kind of finding, and what beats what (RFC 8461 §2, RFC 7672 §2.2, RFC 8689 §4.2.1, §5)."""

import hashlib

import pytest

from backend.dns.answers import Tlsa
from backend.outbound.tls_outcomes import PolicyType, TlsResult
from backend.outbound.tls_policy import (
    Demand,
    Question,
    StsFinding,
    TlsaFinding,
    TlsaState,
    decide,
    sets_domain_aside,
)
from backend.outbound.tls_ways import ways
from backend.outbound.transport import TlsChoice
from backend.smtp.client import Tls
from backend.tls.sts import Mode, StsPolicy

DIGEST = hashlib.sha256(b"key").digest()


def record(usage=3):
    return Tlsa(usage=usage, selector=1, matching=1, data=DIGEST)


def sts(mode, *mx):
    return StsFinding(policy=StsPolicy(mode=mode, mx=mx or ("mx.b.test",), max_age_s=1))


def tlsa(*records, base="mx.b.test"):
    return TlsaFinding(state=TlsaState.FOUND, records=records or (record(),), base=base)


UNSURE = StsFinding(is_unsure=True, fault="no answer")
FAILED = TlsaFinding(state=TlsaState.FAILED, base="mx.b.test", reason="the DNS answers SERVFAIL")


def decided(**more):
    return decide(Question(domain="b.test", host="mx.b.test", **more))


@pytest.mark.parametrize(
    ("found", "demand", "kind"),
    [
        ({}, Demand.OPPORTUNISTIC, PolicyType.NONE),
        ({"sts": sts(Mode.NONE)}, Demand.OPPORTUNISTIC, PolicyType.NONE),
        ({"sts": sts(Mode.ENFORCE)}, Demand.VERIFIED, PolicyType.STS),
        ({"sts": UNSURE}, Demand.VERIFIED, PolicyType.NONE),
        ({"tlsa": tlsa()}, Demand.DANE, PolicyType.TLSA),
        ({"tlsa": tlsa(record(0), record(1))}, Demand.ENCRYPTED, PolicyType.TLSA),
        ({"tlsa": tlsa(record(0), record(3))}, Demand.DANE, PolicyType.TLSA),
        ({"tlsa": tlsa(), "sts": sts(Mode.ENFORCE)}, Demand.DANE, PolicyType.TLSA),
        ({"tlsa": tlsa(), "sts": sts(Mode.ENFORCE, "other.test")}, Demand.DANE, PolicyType.TLSA),
        ({"tlsa": tlsa(), "sts": UNSURE}, Demand.DANE, PolicyType.TLSA),
        ({"tlsa": tlsa(record(1)), "sts": sts(Mode.ENFORCE)}, Demand.VERIFIED, PolicyType.STS),
        ({"tlsa": tlsa(record(1)), "sts": sts(Mode.TESTING)}, Demand.ENCRYPTED, PolicyType.TLSA),
    ],
)
def test_what_the_domain_asks_for(found, demand, kind):
    policy = decided(**found)
    assert (policy.demand, policy.applied[0].type) == (demand, kind)
    assert policy.refusal is None
    assert policy.reason


def test_a_server_that_the_policy_does_not_list_gets_nothing_for_now():
    policy = decided(sts=sts(Mode.ENFORCE, "other.test", "*.c.test"))
    assert policy.refusal is not None
    assert policy.refusal.is_temporary
    assert policy.refusal_result is TlsResult.VALIDATION_FAILURE
    assert "does not list mx.b.test" in policy.reason


def test_a_failed_look_up_of_tlsa_records_keeps_the_mail_back_even_with_a_policy():
    for more in ({}, {"sts": sts(Mode.ENFORCE)}, {"sts": sts(Mode.TESTING)}):
        policy = decided(tlsa=FAILED, **more)
        assert policy.refusal is not None
        assert policy.refusal.is_temporary
        assert policy.refusal_result is TlsResult.DNSSEC_INVALID


def test_testing_tries_what_enforce_would_and_then_sends_anyway():
    found = list(ways(decided(sts=sts(Mode.TESTING))))
    assert [(way.tls, way.is_verified) for way in found] == [
        (Tls.OPPORTUNISTIC, True),
        (Tls.OPPORTUNISTIC, False),
        (Tls.NEVER, False),
    ]
    assert [[p.type for p in way.reported] for way in found] == [[PolicyType.STS], [], []]


def test_testing_reports_a_server_that_is_not_listed_and_does_not_try():
    policy = decided(sts=sts(Mode.TESTING, "other.test"))
    assert policy.rehearsal_fault
    assert [way.is_verified for way in ways(policy)] == [False, False]


def test_what_is_demanded_leaves_one_way():
    for found in ({"sts": sts(Mode.ENFORCE)}, {"tlsa": tlsa()}, {"tlsa": tlsa(record(1))}):
        (way,) = ways(decided(**found))
        assert way.tls is Tls.REQUIRED


def test_without_a_policy_plain_text_is_the_last_way():
    assert [way.tls for way in ways(decided())] == [Tls.OPPORTUNISTIC, Tls.NEVER]


@pytest.mark.parametrize(
    "found", [{}, {"sts": sts(Mode.ENFORCE, "x.test")}, {"tlsa": tlsa()}, {"tlsa": FAILED}]
)
@pytest.mark.parametrize("aside", [{"choice": TlsChoice.INSECURE}, {"tls_optional": True}])
def test_who_sets_the_domain_aside_is_not_stopped(found, aside):
    policy = decided(**found, **aside)
    assert (policy.demand, policy.refusal, policy.applied) == (Demand.OPPORTUNISTIC, None, ())


@pytest.mark.parametrize(
    ("found", "demand"),
    [
        ({}, Demand.VERIFIED),
        ({"sts": sts(Mode.TESTING)}, Demand.VERIFIED),
        ({"sts": sts(Mode.ENFORCE)}, Demand.VERIFIED),
        ({"tlsa": tlsa(record(1))}, Demand.VERIFIED),
        ({"tlsa": tlsa()}, Demand.DANE),
    ],
)
def test_a_choice_of_verified_encryption_asks_for_no_less(found, demand):
    for more in ({}, {"tls_optional": True}):
        policy = decided(**found, choice=TlsChoice.VERIFIED, **more)
        assert policy.demand is demand
        assert policy.reason.startswith("chosen by hand")
        assert len(list(ways(policy))) == 1


@pytest.mark.parametrize(
    ("found", "demand"),
    [
        ({"mx_is_authentic": True}, Demand.VERIFIED),
        ({"sts": sts(Mode.ENFORCE)}, Demand.VERIFIED),
        ({"sts": sts(Mode.TESTING)}, Demand.VERIFIED),
        ({"tlsa": tlsa(), "mx_is_authentic": True}, Demand.DANE),
        ({"tlsa": tlsa(record(1)), "mx_is_authentic": True}, Demand.VERIFIED),
    ],
)
@pytest.mark.parametrize("more", [{}, {"choice": TlsChoice.INSECURE}, {"tls_optional": True}])
def test_requiretls_wants_a_verified_server_and_can_not_be_loosened(found, demand, more):
    policy = decided(**found, require_tls=True, **more)
    assert (policy.demand, policy.refusal) == (demand, None)
    assert "REQUIRETLS" in policy.reason


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ({}, 550),
        ({"sts": sts(Mode.NONE)}, 550),
        ({"sts": sts(Mode.TESTING, "other.test")}, 550),
        ({"sts": UNSURE}, 451),
        ({"sts": StsFinding(fault="503", fault_result=TlsResult.STS_POLICY_FETCH_ERROR)}, 451),
    ],
)
def test_requiretls_refuses_servers_that_nobody_vouches_for(found, code):
    policy = decided(**found, require_tls=True)
    assert policy.refusal is not None
    assert policy.refusal.code == code


def test_what_nothing_can_change_is_not_asked_for():
    def aside(choice=TlsChoice.DEFAULT, *, require_tls=False, tls_optional=False):
        return sets_domain_aside(choice, require_tls=require_tls, tls_optional=tls_optional)

    assert aside(TlsChoice.INSECURE)
    assert aside(tls_optional=True)
    assert not aside()
    assert not aside(TlsChoice.VERIFIED, tls_optional=True)
    assert not aside(TlsChoice.INSECURE, require_tls=True)
    assert not aside(tls_optional=True, require_tls=True)


def test_a_connection_serves_again_only_for_the_same_demands():
    policies = [
        decided(),
        decided(sts=sts(Mode.ENFORCE)),
        decided(sts=sts(Mode.TESTING)),
        decided(tlsa=tlsa()),
        decided(tlsa=tlsa(record(2))),
        decided(tlsa=tlsa(record(2)), domain_names=("b.test",)),
        decided(tlsa=tlsa(base="other.test")),
        decided(tlsa=tlsa(record(1))),
    ]
    keys = [way.key for policy in policies for way in ways(policy)]
    plain = decided().key
    assert keys.count(plain) == 2  # without a policy, and what follows a rehearsal
    assert len(set(keys)) == len(keys) - 2  # these two share the plain way as well


def test_for_an_address_literal_nothing_is_reported():
    policy = decide(Question(domain="", host="192.0.2.1"))
    assert (policy.demand, policy.applied) == (Demand.OPPORTUNISTIC, ())
