"""The decision, row by row."""

import pytest

from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.core.ids import Cid, TraceId
from backend.dns.answers import Found, LookupFailed, NoDomain
from backend.inbound.checks import Fact, GreetingCheck, Incoming, ReverseNameCheck, Verdict
from backend.inbound.decide import MAX_RECEIVED, Action, Reason, decide
from backend.inbound.pipeline import gather_facts


def incoming(
    peer: str = "192.0.2.1", greeting: str = "mx.other.test", *, valid: bool = True
) -> Incoming:
    session = SessionFacts(
        trace=TraceId("t"), cid=Cid("c"), peer_address=peer, greeting=greeting, greeting_is_valid=valid,
        peer_is_loopback=peer.startswith("127."),
    )  # fmt: skip
    return Incoming(Envelope(sender=None, recipients=()), b"", session)


@pytest.mark.parametrize(
    "facts, reasons",
    [
        ([], (Reason.ORDINARY,)),
        ([Fact("iprev", Verdict.PASS)], (Reason.ORDINARY,)),
        ([Fact("iprev", Verdict.NONE)], (Reason.ORDINARY,)),
        ([Fact("iprev", Verdict.FAIL)], (Reason.NO_REVERSE_NAME,)),
        ([Fact("greeting", Verdict.FAIL)], (Reason.ODD_GREETING,)),
        ([Fact("iprev", Verdict.TEMPERROR)], (Reason.CHECK_UNAVAILABLE,)),
        (
            [Fact("iprev", Verdict.TEMPERROR), Fact("greeting", Verdict.TEMPERROR)],
            (Reason.CHECK_UNAVAILABLE,),
        ),
        (
            [Fact("iprev", Verdict.FAIL), Fact("greeting", Verdict.FAIL)],
            (Reason.NO_REVERSE_NAME, Reason.ODD_GREETING),
        ),
    ],
)
def test_these_facts_are_noted_and_refuse_nobody(facts, reasons):
    decision = decide(facts, received_count=3)
    assert decision.action is Action.ACCEPT
    assert decision.reasons == reasons


def test_a_loop_is_rejected_whatever_else_is_known():
    decision = decide([Fact("iprev", Verdict.PASS)], received_count=MAX_RECEIVED + 1)
    assert decision.action is Action.REJECT
    assert decision.reasons == (Reason.MAIL_LOOP,)
    assert str(decision.status).startswith("554 5.4.6")
    assert decide([], received_count=MAX_RECEIVED).action is Action.ACCEPT


class Broken:
    name = "broken"

    def applies(self, _incoming):
        return True

    async def run(self, _incoming):
        raise ZeroDivisionError


class Slow:
    name = "slow"

    def __init__(self):
        self.event = None

    def applies(self, _incoming):
        return True

    async def run(self, _incoming):
        import asyncio

        await asyncio.Event().wait()


async def test_a_check_that_crashes_or_hangs_is_a_temporary_error_and_others_go_on(expect_log):
    expect_log("check failed")
    facts = await gather_facts([Broken(), Slow(), GreetingCheck()], incoming(), timeout_s=0.05)
    assert [(f.check, f.verdict) for f in facts] == [
        ("broken", Verdict.TEMPERROR),
        ("slow", Verdict.TEMPERROR),
        ("greeting", Verdict.PASS),
    ]


async def test_checks_of_strangers_do_not_apply_to_this_computer():
    assert (
        await gather_facts([GreetingCheck(), ReverseNameCheck(None)], incoming("127.0.0.1")) == ()
    )


@pytest.mark.parametrize(
    "greeting, valid, verdict",
    [
        ("mx.other.test", True, Verdict.PASS),
        ("[192.0.2.1]", True, Verdict.PASS),
        ("localhost", True, Verdict.FAIL),
        ("a!b", False, Verdict.FAIL),
    ],
)
async def test_greetings(greeting, valid, verdict):
    fact = await GreetingCheck().run(incoming(greeting=greeting, valid=valid))
    assert fact.verdict is verdict
    assert greeting in fact.text


class Names:
    """Answers of the DNS by table."""

    def __init__(self, ptr, addresses=None):
        self._ptr = ptr
        self._addresses = addresses or {}

    async def ptr(self, _ip):
        return self._ptr

    async def addresses(self, name):
        return self._addresses.get(name, NoDomain())


FAILED = LookupFailed(temporary=True, reason="timeout")


@pytest.mark.parametrize(
    "peer, names, verdict, subject",
    [
        ("192.0.2.1", Names(Found(("mx.other.test",), authentic=False), {"mx.other.test": Found(("192.0.2.1",), authentic=False)}), Verdict.PASS, "mx.other.test"),
        ("2001:db8::1", Names(Found(("MX.other.test.",), authentic=False), {"mx.other.test": Found(("2001:DB8:0::1",), authentic=False)}), Verdict.PASS, "mx.other.test"),
        ("192.0.2.1", Names(Found(("a.test", "b.test"), authentic=False), {"b.test": Found(("192.0.2.9", "192.0.2.1"), authentic=False)}), Verdict.PASS, "b.test"),
        ("192.0.2.1", Names(NoDomain()), Verdict.FAIL, ""),
        ("192.0.2.1", Names(Found(("mx.other.test",), authentic=False), {"mx.other.test": Found(("192.0.2.2",), authentic=False)}), Verdict.FAIL, ""),
        ("192.0.2.1", Names(Found(("..", "mx.other.test"), authentic=False)), Verdict.FAIL, ""),
        ("192.0.2.1", Names(FAILED), Verdict.TEMPERROR, ""),
        ("192.0.2.1", Names(Found(("mx.other.test",), authentic=False), {"mx.other.test": FAILED}), Verdict.TEMPERROR, ""),
    ],
)  # fmt: skip
async def test_reverse_names(peer, names, verdict, subject):
    fact = await ReverseNameCheck(names).run(incoming(peer))
    assert (fact.verdict, fact.subject) == (verdict, subject)
    assert fact.text
