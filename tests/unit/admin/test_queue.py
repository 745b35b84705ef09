"""The queue and its history over the API."""

from datetime import UTC, datetime, timedelta

import pytest

from backend.api import queue as q
from backend.api import types as t
from backend.api.client import ApiError
from tests.support.admin_server import admin_server
from tests.support.queued import enqueue


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        yield client


async def refused(call) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


async def test_an_action_on_a_filter_can_be_undone(rig, client):
    await enqueue(rig, *(f"u{n}@b.test" for n in range(4)), "x@c.test")
    held = await client.hold(t.QueueFilter(domain="b.test"))
    assert held.changed == 4
    assert (await client.queue()).held == 4
    undone = await client.undo_queue(held.before)
    assert (undone.changed, (await client.queue()).held) == (4, 0)


async def test_an_action_on_a_filter_takes_no_more_than_was_shown(rig, client):
    await enqueue(rig, "a@b.test", "b@b.test")
    error = await refused(client.drop(t.QueueQuery(text="b.test"), at_most=1))
    assert (error.status, error.code) == (409, "queue.more_match")
    assert (await client.queue()).total == 2
    assert (await client.drop(t.QueueFilter(), at_most=2)).changed == 2


async def test_ids_or_a_filter_but_not_both_and_not_none(client):
    with pytest.raises(ValueError, match="numbers"):
        await client.hold([])
    with pytest.raises(ValueError, match="numbers"):
        q.QueueIds(ids=[1], matching=t.QueueFilter())


async def test_postponing_by_a_span_or_to_a_moment(rig, client):
    (item,) = await enqueue(rig, "a@b.test")
    moment = datetime.now(UTC) + timedelta(days=2)
    await client.postpone([item], until=moment)
    (row,) = (await client.queue()).items
    assert row.next_attempt_at == moment
    await client.postpone([item], seconds=3600)
    (row,) = (await client.queue()).items
    assert timedelta(minutes=59) < row.next_attempt_at - datetime.now(UTC) < timedelta(minutes=61)
    assert (await refused(client.postpone([item]))).code == "queue.postpone"


async def test_how_often_a_message_is_tried_is_chosen_and_shown(rig, client):
    (item,) = await enqueue(rig, "a@b.test")
    assert (await client.queue_item(item)).item.max_attempts == 8
    assert (await client.limit_attempts([item], 3)).changed == 1
    assert (await client.queue_item(item)).item.max_attempts == 3
    assert (await client.limit_attempts([item + 1000], 3)).missing == [item + 1000]


async def test_the_queue_is_read_page_by_page(rig, client):
    await enqueue(rig, *(f"u{n}@b.test" for n in range(5)))
    query = t.QueueQuery(limit=2, sort="recipient")
    seen = []
    while True:
        page = await client.queue(query)
        seen += [item.recipient for item in page.items]
        if not page.next:
            break
        query = query.model_copy(update={"cursor": page.next})
    assert seen == [f"u{n}@b.test" for n in range(5)]
    other = t.QueueQuery(limit=2, sort="sender", cursor=query.cursor)
    assert (await refused(client.queue(other))).code == "list.cursor"
    (group,) = await client.queue_groups()
    assert (group.domain, group.count) == ("b.test", 5)


async def test_what_was_removed_stands_in_the_history_with_who_did_it(rig, client):
    ids = await enqueue(rig, "a@b.test", "b@b.test")
    await client.drop(ids)
    page = await client.history(q.HistoryQuery(limit=1))
    assert (page.total, page.days, len(page.items)) == (2, 30, 1)
    rest = await client.history(q.HistoryQuery(limit=1, cursor=page.next))
    assert rest.next == ""
    (item,) = rest.items
    assert (item.id, item.result, item.subject) == (ids[0], "dropped", "Lunch")
    assert item.acted_by
    detail = await client.history_item(ids[0])
    assert (detail.item, detail.attempts, detail.reports) == (item, [], [])
    assert (await client.history(q.HistoryQuery(result="returned"))).items == []
    assert (await refused(client.history_item(999))).code == "history.unknown"
    since = datetime.now(UTC) + timedelta(hours=1)
    assert (await client.history(q.HistoryQuery(since=since))).total == 0
