"""What people do with many messages at once, later, and back again."""

import pytest

from backend.core.clock import FakeClock
from backend.core.errors import UserError
from backend.core.ids import QueueId
from backend.outbound import actions
from backend.outbound.claims import Room
from backend.outbound.entries import State
from backend.outbound.listing import Filter, list_groups, list_items
from backend.outbound.paging import Position, read_cursor, write_cursor
from backend.outbound.transport import TlsChoice
from tests.support.outbound_rig import OutboundRig


@pytest.fixture
async def rig(tmp_path):
    async with OutboundRig(tmp_path, 9, clock=FakeClock(), run=False) as rig:
        yield rig


async def states(rig) -> dict[str, str]:
    return {item.recipient: item.state for item in await rig.items()}


async def test_a_filter_takes_all_that_match_and_nothing_else(rig, monkeypatch):
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    await rig.submit(*(f"u{n}@b.test" for n in range(5)))
    await rig.submit(
        "x@c.test", account="ben", sender="ben@a.test", content=b"From: ben@a.test\r\n\r\n"
    )
    assert await actions.count_matching(rig.queue, Filter(domain="b.test")) == 5
    done = await actions.hold(rig.queue, Filter(domain="b.test"))
    assert (len(done.changed), done.missing) == (5, ())
    assert set((await states(rig)).values()) == {"held", "waiting"}
    assert (await states(rig))["x@c.test"] == "waiting"
    assert not (await actions.hold(rig.queue, Filter(domain="b.test"))).changed
    assert len((await actions.release(rig.queue, Filter(text="u3@"))).changed) == 1
    assert len((await actions.fail(rig.queue, Filter(state=State.HELD))).changed) == 4
    assert len((await actions.drop(rig.queue, Filter(account="ben"))).changed) == 1
    assert sorted((await states(rig)).values()) == ["failed"] * 4 + ["waiting"]


async def test_many_ids_are_taken_in_portions_and_in_their_order(rig, monkeypatch):
    monkeypatch.setattr(actions, "AT_ONCE", 2)
    await rig.submit(*(f"u{n}@b.test" for n in range(5)))
    ids = [item.id for item in await rig.items()][::-1]
    done = await actions.kick(rig.queue, [*ids, ids[0], QueueId(999)])
    assert done.changed == tuple(ids)
    assert done.missing == (QueueId(999),)


async def test_postponing_moves_the_next_attempt_and_no_further_than_a_month(rig):
    await rig.submit("a@b.test", "b@b.test")
    one, two = await rig.items()
    await actions.hold(rig.queue, [two.id])
    later = rig.clock.time() + 3600
    done = await actions.postpone(rig.queue, [one.id, two.id], later)
    assert len(done.changed) == 2
    assert [i.next_attempt_at for i in await rig.items()] == [later] * 2
    assert await states(rig) == {"a@b.test": "waiting", "b@b.test": "held"}
    assert not await rig.queue.claim(Room(places=10))
    assert "Postponed by hand: no attempt before" in rig.timeline[-1].text
    await actions.postpone(rig.queue, [one.id], rig.clock.time() + 10 * 365 * 24 * 3600)
    month = rig.clock.time() + actions.MAX_POSTPONE_S
    assert max(i.next_attempt_at for i in await rig.items()) == month
    await actions.postpone(rig.queue, [one.id], 0)  # in the past is now
    assert min(i.next_attempt_at for i in await rig.items()) == rig.clock.time()


@pytest.mark.parametrize("act", ["kick", "hold", "postpone", "transport", "tls", "attempts"])
async def test_undoing_puts_everything_back(rig, act):
    await rig.submit("a@b.test", "b@b.test")
    ids = [item.id for item in await rig.items()]
    await actions.postpone(rig.queue, ids, rig.clock.time() + 500)
    before = await rig.items()
    target = Filter(domain="b.test")
    if act == "postpone":
        done = await actions.postpone(rig.queue, target, rig.clock.time() + 9000)
    elif act == "transport":
        done = await actions.choose_transport(rig.queue, target, "relay")
    elif act == "tls":
        done = await actions.choose_tls(rig.queue, target, TlsChoice.VERIFIED)
    elif act == "attempts":
        done = await actions.limit_attempts(rig.queue, target, 3)
    else:
        done = await getattr(actions, act)(rig.queue, target)
    assert await rig.items() != before
    undone = await actions.undo(rig.queue, done.before)
    assert undone.changed == tuple(ids)
    assert await rig.items() == before


async def test_what_has_gone_on_meanwhile_is_not_undone(rig):
    await rig.submit("a@b.test", "b@b.test")
    one, two = (item.id for item in await rig.items())
    done = await actions.hold(rig.queue, [one, two])
    await actions.drop(rig.queue, [one])
    undone = await actions.undo(rig.queue, done.before)
    assert (undone.changed, undone.missing) == ((two,), (one,))
    assert not (await actions.fail(rig.queue, [two])).before  # that can't be undone


async def test_pages_follow_each_other_while_rows_leave(rig):
    await rig.submit(*(f"u{n}@b.test" for n in range(6)))
    first = await list_items(rig.queue, sort="recipient", limit=2)
    await actions.drop(rig.queue, [item.id for item in first.items])
    second = await list_items(rig.queue, sort="recipient", limit=2, after=first.next)
    assert [i.recipient for i in second.items] == ["u2@b.test", "u3@b.test"]
    last = await list_items(rig.queue, sort="next_attempt_at", limit=3, descending=True, after=None)
    rest = await list_items(
        rig.queue, sort="next_attempt_at", limit=3, descending=True, after=last.next
    )
    assert [i.recipient[:2] for i in (*last.items, *rest.items)] == ["u5", "u4", "u3", "u2"]
    assert rest.next is None


async def test_counts_and_groups_show_where_the_trouble_is(rig):
    await rig.submit("a@b.test", "b@b.test", "c@c.test")
    await actions.hold(rig.queue, Filter(text="a@b.test"))
    await rig.queue.database.write(
        lambda tx: tx.run(
            "UPDATE recipient SET answer_code = 421, answer_enhanced = '4.7.28', answer_text = 'slow down',"
            " last_attempt_at = 1 WHERE address = 'b@b.test'"
        )
    )
    page = await list_items(rig.queue, Filter(problem=True))
    assert (page.total, page.counts.problem, page.counts.held) == (1, 1, 1)
    b, c = await list_groups(rig.queue)
    assert (b.domain, b.count, b.held, b.answer) == ("b.test", 2, 1, "421 4.7.28 slow down")
    assert (c.domain, c.count, c.held, c.answer) == ("c.test", 1, 0, "")


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "W10", "bnVsbA", "WyJoaXN0b3J5Iiwx", "WyJxIiwxZTk5OSwxXQ", "9" * 1999],
)
def test_a_cursor_that_nobody_gave_out_is_refused(cursor):
    with pytest.raises(UserError):
        read_cursor("history", cursor)


def test_a_cursor_belongs_to_one_list_in_one_order():
    position = Position("bo@b.test", 7)
    cursor = write_cursor("queue recipient", position)
    assert read_cursor("queue recipient", cursor) == position
    with pytest.raises(UserError):
        read_cursor("queue sender", cursor)
    with pytest.raises(UserError):
        read_cursor("q", write_cursor("q", Position(2**80, 1)))
    assert write_cursor("q", None) == ""
    assert read_cursor("q", "") is None
