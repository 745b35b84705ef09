import pytest

from backend.mailauth.rotation import RETIRE_S, WAIT_S, Facts, State, Step, advance, begin, due_at

NEW, OLD = ("2027a",), ("2026a", "2026e")


def state(phase, since=100.0, old=OLD):
    return State(phase, NEW, old, since)


TABLE = [
    # state, facts, what comes of it
    (state("publish"), Facts(200), Step(state("publish"))),
    (state("publish"), Facts(9e9, published=False), Step(state("publish"))),
    (state("publish"), Facts(200, published=True), Step(state("wait", 200))),
    (state("publish"), Facts(200, hurry=True), Step(state("wait", 200))),
    (state("wait"), Facts(99 + WAIT_S, published=True), Step(state("wait"))),
    (state("wait"), Facts(100 + WAIT_S, published=True), Step(state("retire", 100 + WAIT_S), NEW)),
    (state("wait"), Facts(100 + WAIT_S), Step(state("retire", 100 + WAIT_S), NEW)),
    (state("wait"), Facts(100 + WAIT_S, published=False), Step(state("publish", 100 + WAIT_S))),
    (state("wait"), Facts(101, published=False, hurry=True), Step(state("retire", 101), NEW)),
    (state("wait", old=()), Facts(100 + WAIT_S), Step(None, NEW)),
    (state("retire"), Facts(99 + RETIRE_S), Step(state("retire"))),
    (state("retire"), Facts(99 + RETIRE_S, published=False), Step(state("retire"))),
    (state("retire"), Facts(100 + RETIRE_S), Step(None, None, OLD)),
    (state("retire"), Facts(101, hurry=True), Step(None, None, OLD)),
]


@pytest.mark.parametrize(("before", "facts", "step"), TABLE)
def test_each_step_follows_from_state_and_facts(before, facts, step):
    assert advance(before, facts) == step


def test_a_change_of_keys_begins_with_publishing():
    assert begin(NEW, OLD, 100) == state("publish")
    assert due_at(state("publish")) is None
    assert due_at(state("wait")) == 100 + WAIT_S
    assert due_at(state("retire")) == 100 + RETIRE_S


def test_the_whole_way_signs_with_something_at_any_time():
    current, signing, now, removed = begin(NEW, OLD, 0), OLD, 0.0, ()
    seen = []
    while current is not None:
        now += 600
        step = advance(current, Facts(now, published=now > 3000))
        if step.state != current:
            seen.append((now, current.phase))
        signing = signing if step.sign is None else step.sign
        removed += step.remove
        current = step.state
        assert signing
        assert not set(signing) & set(removed)
    assert [phase for _, phase in seen] == ["publish", "wait", "retire"]
    assert (signing, removed) == (NEW, OLD)
    assert seen[1][0] - seen[0][0] >= WAIT_S
    assert seen[2][0] - seen[1][0] >= RETIRE_S
