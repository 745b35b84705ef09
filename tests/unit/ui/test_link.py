import pytest

from ui.presenters.link import (
    Backoff,
    CrashWatch,
    LinkAction,
    LinkState,
    describe_link,
    versions_agree,
)


@pytest.mark.parametrize("state", list(LinkState))
@pytest.mark.parametrize("local", [True, False])
def test_every_state_has_its_words(state: LinkState, local: bool) -> None:
    words = describe_link(state, local=local)
    assert words.pill
    assert words.tone in {"ok", "warn", "error", "info", "neutral"}
    if state not in {LinkState.CONNECTED, LinkState.NO_SERVER}:
        assert words.title


def test_the_states_are_told_apart() -> None:
    titles = [describe_link(state, local=True).title for state in LinkState]
    told = [title for title in titles if title]
    assert len(set(told)) == len(told)


def test_what_is_wrong_offers_a_way_out() -> None:
    for state in (
        LinkState.STOPPED,
        LinkState.DIED,
        LinkState.NOT_RESPONDING,
        LinkState.NO_PERMISSION,
        LinkState.VERSION_DIFFERS,
        LinkState.SIGN_IN,
    ):
        assert describe_link(state, local=True).actions, state
        assert describe_link(state, local=False).actions, state


def test_a_remote_server_is_not_started_from_here() -> None:
    assert LinkAction.START in describe_link(LinkState.STOPPED, local=True).actions
    assert LinkAction.START not in describe_link(LinkState.STOPPED, local=False).actions


def test_waiting_is_counted_down() -> None:
    body = describe_link(LinkState.NOT_RESPONDING, local=True, waiting_s=8).body
    assert "Trying again in 8 s" in body
    assert "Trying again" not in describe_link(LinkState.NOT_RESPONDING, local=True).body


def test_backoff_doubles_up_to_fifteen_seconds() -> None:
    backoff = Backoff()
    assert [backoff.next_s() for _ in range(6)] == [1, 2, 4, 8, 15, 15]
    backoff.reset()
    assert backoff.next_s() == 1


def test_three_ends_in_ten_minutes_are_too_many() -> None:
    watch = CrashWatch()
    assert not watch.add(0)
    assert not watch.add(100)
    assert watch.add(500)


def test_ends_far_apart_are_forgiven() -> None:
    watch = CrashWatch()
    assert not any(watch.add(at) for at in (0, 700, 1400, 2100))


def test_a_new_server_starts_with_a_clean_sheet() -> None:
    watch = CrashWatch()
    watch.add(0)
    watch.add(1)
    watch.reset()
    assert not watch.add(2)


def test_versions_may_differ_by_one() -> None:
    assert versions_agree(1, 1)
    assert versions_agree(1, 2)
    assert not versions_agree(1, 3)
