"""Rules that keep mail in the queue."""

import pytest

from backend.config.model import Config
from backend.config.routing import HoldRule
from backend.core.clock import FakeClock
from backend.core.status import SmtpStatus
from backend.outbound import actions, holds
from backend.outbound.claims import Room
from backend.outbound.failure import judge
from backend.outbound.listing import Filter, list_items
from backend.outbound.transport import Result, Try
from tests.support.outbound_rig import OutboundRig


@pytest.fixture
async def rig(tmp_path):
    async with OutboundRig(tmp_path, 9, clock=FakeClock(), run=False) as rig:
        yield rig


def set_rules(rig, **rules) -> None:
    made = {name.replace("_", "-"): HoldRule(**rule) for name, rule in rules.items()}
    domains = rig.config.domains.model_copy(update={"hold_rules": made})
    rig.set_config(Config(rig.config.server, domains, rig.config.revision + 1))


async def rows(rig):
    return {i.recipient: (i.state.value, i.hold_rule, i.note) for i in await rig.items()}


@pytest.mark.parametrize(
    ("rule", "holds_it"),
    [
        ({}, True),
        ({"account": ["anna"]}, True),
        ({"account": ["ben"]}, False),
        ({"from_domain": ["a.test"]}, True),
        ({"from_domain": ["b.test"]}, False),
        ({"to_domain": [".b.test"]}, True),
        ({"to_domain": ["b.test"]}, False),
        ({"account": ["anna"], "to_domain": ["c.test"]}, False),
        ({"disabled": True}, False),
    ],
)
def test_all_criteria_must_hold(rule, holds_it):
    found = holds.find_hold({"r": HoldRule(**rule)}, "anna", "a.test", "sub.b.test")
    assert (found is not None) is holds_it


def test_the_null_sender_and_address_literals_have_no_domain():
    rules = {"r": HoldRule(from_domain=["."], comment="why")}
    assert holds.find_hold(rules, "anna", "", "") == holds.Held("r", "held by the rule “r”: why")
    assert holds.domain_of("x@[192.0.2.1]") == ""


async def test_what_is_accepted_from_then_on_is_held_and_says_by_which_rule(rig):
    set_rules(rig, to_b={"to_domain": ["b.test"], "comment": "they move"})
    await rig.submit("a@b.test", "c@c.test")
    assert await rows(rig) == {
        "a@b.test": ("held", "to-b", "held by the rule “to-b”: they move"),
        "c@c.test": ("waiting", "", ""),
    }
    (entry,) = [e for e in rig.timeline if e.kind == "held"]
    assert entry.text == "In the queue for a@b.test, held by the rule “to-b”: they move"
    page = await list_items(rig.queue, Filter(rule="to-b"))
    assert [i.recipient for i in page.items] == ["a@b.test"]
    (item,) = page.items
    await actions.release(rig.queue, [item.id])  # by hand: the rule does not take it again
    assert (await rows(rig))["a@b.test"] == ("waiting", "", "")


async def test_a_rule_is_put_on_what_waits_and_lets_it_go_again(rig, monkeypatch):
    monkeypatch.setattr(holds, "AT_ONCE", 2)
    await rig.submit(*(f"u{n}@b.test" for n in range(5)), "c@c.test")
    await actions.hold(rig.queue, Filter(text="u4@"))
    set_rules(rig, to_b={"to_domain": ["b.test"]}, anna={"account": ["anna"]})
    rules = rig.config.domains.hold_rules
    done = await holds.apply(rig.queue, "to-b", rules["to-b"])
    assert len(done.changed) == 4
    assert await holds.count_held(rig.queue) == {"": 1, "to-b": 4}
    undone = await actions.undo(rig.queue, done.before)
    assert len(undone.changed) == 4
    await holds.apply(rig.queue, "to-b", rules["to-b"])
    # Another rule wants them as well: then that one holds them.
    assert (await holds.let_go(rig.queue, "to-b", {"anna": rules["anna"]})).changed == ()
    assert await holds.count_held(rig.queue) == {"": 1, "anna": 4}
    assert len((await holds.let_go(rig.queue, "anna", {})).changed) == 4
    assert await holds.count_held(rig.queue) == {"": 1}


async def test_a_pause_also_takes_what_is_being_sent_if_that_fails(rig):
    await rig.submit("a@b.test", "b@b.test")
    (batch,) = await rig.queue.claim(Room(places=5))
    set_rules(rig, pause_sending={})
    await holds.apply(rig.queue, holds.PAUSE, rig.config.domains.hold_rules[holds.PAUSE])
    later = SmtpStatus(451, "4.3.0", "later")
    results = [Result(recipient=r, status=later) for r in batch.outgoing.recipients]
    fates = judge(batch.ids, results, batch.attempts)
    await rig.queue.settle(batch, fates, [Try(host="mx")], started_at=rig.clock.time())
    assert set((await rows(rig)).values()) == {("held", holds.PAUSE, "sending is paused")}
    await holds.let_go(rig.queue, holds.PAUSE, {})
    assert set((await rows(rig)).values()) == {("waiting", "", "")}


async def test_what_was_claimed_and_not_begun_when_the_pause_came_is_held(rig):
    await rig.submit("a@b.test")
    batches = await rig.queue.claim(Room(places=5))
    await holds.apply(rig.queue, holds.PAUSE, HoldRule())
    await rig.queue.give_back(batches)
    assert await rows(rig) == {"a@b.test": ("held", holds.PAUSE, "sending is paused")}


async def test_a_kill_while_a_paused_message_is_sent_leaves_it_held(tmp_path):
    clock = FakeClock()
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        await rig.submit("a@b.test")
        await rig.queue.claim(Room(places=5))
        await holds.apply(rig.queue, holds.PAUSE, HoldRule())
    async with OutboundRig(tmp_path, 9, clock=clock, run=False) as rig:
        assert [(i.state, i.hold_rule) for i in await rig.items()] == [("held", holds.PAUSE)]
