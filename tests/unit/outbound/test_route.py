import pytest

from backend.config.routing import FailTransport, Route, SmtpTransport, Transport
from backend.outbound.route import DIRECT, Level, Question, Routing, route

TRANSPORTS = {
    "relay": Transport(submission=SmtpTransport(host="smtp.example.net")),
    "other": Transport(smtp=SmtpTransport(host="lan.example.net")),
    "none": Transport(),
    "fail": Transport(fail=FailTransport()),
}


def rule(transport="relay", to=(), frm=(), attempts=0):
    return Route(
        from_domain=list(frm), to_domain=list(to), minimum_attempts=attempts, transport=transport
    )


def ask(*rules, to="b.example", frm="a.example", attempts=0, override=None):
    return route(
        Question(sender_domain=frm, recipient_domain=to, attempts=attempts, override=override),
        Routing(server=rules, transports=TRANSPORTS),
    )


@pytest.mark.parametrize(
    ("pattern", "domain", "matches"),
    [
        ("example.org", "example.org", True),
        ("example.org", "sub.example.org", False),
        ("example.org", "", False),
        (".example.org", "example.org", True),
        (".example.org", "a.b.example.org", True),
        (".example.org", "badexample.org", False),
        (".", "", True),
        (".", "example.org", False),
    ],
)
def test_patterns_match_as_behaviour_t9_says(pattern, domain, matches):
    assert (ask(rule(to=[pattern]), to=domain).transport == "relay") is matches
    assert (ask(rule(frm=[pattern]), frm=domain).transport == "relay") is matches


def test_an_international_domain_is_compared_in_its_ascii_form():
    assert ask(rule(to=["bücher.example"]), to="xn--bcher-kva.example").transport == "relay"


def test_without_criteria_a_route_takes_everything():
    choice = ask(rule())
    assert (choice.transport, choice.known) == ("relay", True)
    assert "takes all mail" in choice.reason


def test_all_criteria_must_hold():
    both = rule(frm=["a.example"], to=["b.example"])
    assert ask(both).transport == "relay"
    assert ask(both, frm="c.example").transport == DIRECT
    assert ask(both, to="c.example").transport == DIRECT


def test_minimum_attempts_counts_those_already_made():
    fourth = rule(attempts=3)
    assert ask(fourth, attempts=2).transport == DIRECT
    assert ask(fourth, attempts=3).transport == "relay"


def test_the_first_match_of_a_list_wins():
    assert ask(rule("other", to=["b.example"]), rule("relay")).transport == "other"


def test_account_comes_before_domain_and_domain_before_server():
    question = Question(sender_domain="a.example", recipient_domain="b.example")
    one, two, three = rule("relay"), rule("other"), rule("fail")
    all_three = Routing(account=[one], domain=[two], server=[three], transports=TRANSPORTS)
    two_levels = Routing(domain=[two], server=[three], transports=TRANSPORTS)
    assert route(question, all_three).transport == "relay"
    assert route(question, two_levels).transport == "other"


def test_each_rule_is_traced_with_the_first_reason_for_which_it_failed():
    choice = ask(
        rule(frm=["x.example"], to=["y.example"]),
        rule(to=["y.example", "z.example"]),
        rule(attempts=2),
        rule("other", to=[".b.example"]),
        rule("fail"),
    )
    assert choice.transport == "other"
    assert [step.matched for step in choice.steps] == [False, False, False, True]
    assert "sender's domain is a.example, not x.example" in choice.steps[0].reason
    assert "y.example or z.example" in choice.steps[1].reason
    assert "0 attempts were made so far, it asks for 2" in choice.steps[2].reason
    assert choice.steps[3].level is Level.SERVER
    assert str(choice.steps[3]) == choice.reason


def test_no_match_means_direct_delivery_and_says_so():
    choice = ask(rule(to=["y.example"]))
    assert (choice.transport, choice.known, len(choice.steps)) == (DIRECT, True, 1)
    assert "direct delivery" in choice.reason
    assert "no routes" in ask().reason


def test_a_choice_by_hand_wins_over_all_routes():
    choice = ask(rule("relay"), override="other")
    assert (choice.transport, choice.known, choice.steps) == ("other", True, ())
    assert ask(rule("relay"), override=DIRECT).transport == DIRECT


def test_a_transport_that_is_gone_is_told():
    assert not ask(rule("gone")).known
    assert not ask(override="gone").known
