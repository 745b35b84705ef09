"""The queue and its history over the API."""

from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from backend.api import queue as q
from backend.api import types as t
from backend.api.client import ApiError
from tests.support.admin_server import admin_server
from tests.support.queued import CONTENT, enqueue, put_off


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


async def test_a_hold_rule_from_adding_to_removing(rig, client):
    await enqueue(rig, "a@b.test", "c@c.test")
    settings = q.HoldRuleSettings(to_domain=["B.test"], comment="they move")
    assert (await client.add_hold_rule("to-b", settings)).changed == 1
    assert (await refused(client.add_hold_rule("to-b", settings))).code == "hold_rule.exists"
    bad = q.HoldRuleSettings(to_domain=["not a domain"])
    assert (await refused(client.add_hold_rule("bad", bad))).status == 422
    found = await client.hold_rules()
    assert [(r.name, r.held, r.settings.to_domain) for r in found.items] == [
        ("to-b", 1, ["b.test"])
    ]
    assert (found.paused, found.held_by_hand) == (False, 0)
    (row,) = (await client.queue(t.QueueQuery(rule="to-b"))).items
    assert row.hold_rule == "to-b"
    assert row.note == "held by the rule “to-b”: they move"
    assert (await client.remove_hold_rule("to-b")).changed == 0  # what it holds stays
    (left,) = (await client.hold_rules()).items
    assert (left.name, left.settings, left.held) == ("to-b", None, 1)
    assert (await client.remove_hold_rule("to-b", release=True)).changed == 1
    assert (await client.hold_rules()).items == []
    assert (await refused(client.remove_hold_rule("to-b"))).code == "hold_rule.unknown"
    assert (await refused(client.apply_hold_rule("to-b"))).code == "hold_rule.unknown"
    assert len((await client.revisions()).items) == 3


async def test_sending_is_paused_and_resumed(rig, client):
    await enqueue(rig, "a@b.test")
    assert (await client.pause_sending("new address")).changed == 1
    await enqueue(rig, "b@b.test")
    found = await client.hold_rules()
    assert (found.paused, found.items[0].name, found.items[0].held) == (True, found.pause_rule, 2)
    assert (await client.pause_sending()).changed == 0
    assert (await client.status()).sending_paused
    assert (await client.resume_sending()).changed == 2
    assert not (await client.hold_rules()).paused
    assert (await client.resume_sending()).changed == 0


async def test_suppressed_addresses_are_listed_added_and_removed(client):
    await client.add_account(t.AddAccount(address="me@example.org"))
    await client.add_suppression(q.AddSuppression(address="Bo@b.test", account="me", days=2))
    await client.add_suppression(q.AddSuppression(address="x@b.test", reason="she asked"))
    page = await client.suppressions(q.SuppressionQuery(limit=1))
    assert (page.total, page.days, page.items[0].address) == (2, 60, "x@b.test")
    assert (page.items[0].until, page.items[0].automatic) == (None, False)
    (rest,) = (await client.suppressions(q.SuppressionQuery(limit=1, cursor=page.next))).items
    assert (rest.account, rest.address) == ("me", "bo@b.test")
    assert rest.until - rest.since == timedelta(days=2)
    assert (
        await client.remove_suppressions([q.SuppressionKey(account="me", address="bo@B.test")]) == 1
    )
    missing = client.remove_suppressions([q.SuppressionKey(address="bo@b.test")])
    assert (await refused(missing)).code == "suppression.unknown"
    bad = client.add_suppression(q.AddSuppression(address="nonsense"))
    assert (await refused(bad)).code == "suppression.address"
    gone = client.add_suppression(q.AddSuppression(address="a@b.test", account="nobody"))
    assert (await refused(gone)).status == 404


async def test_how_much_an_account_may_still_send(rig, client):
    await client.add_account(t.AddAccount(address="me@example.org"))
    await client.change_account("me", t.ChangeAccount(max_outgoing_messages_per_day=3))
    await enqueue(rig, "a@b.test", "b@b.test")
    limits = await client.send_limits("me")
    assert (limits.messages.used, limits.messages.limit, limits.messages.room_at) == (2, 3, None)
    assert (limits.first_time.used, limits.first_time.limit) == (2, 200)
    await enqueue(rig, "c@b.test")
    room_at = (await client.send_limits("me@example.org")).messages.room_at
    assert timedelta(hours=23) < room_at - datetime.now(UTC) < timedelta(hours=25)


async def test_the_whole_message_is_downloaded_and_never_shown_as_a_page(rig, client):
    (small,) = await enqueue(rig, "a@b.test")
    assert await client.queue_message(small) == CONTENT
    large = rig.services.outbound.queue.files / "large"
    large.write_bytes(CONTENT * 10_000)
    await rig.services.outbound.queue.database.write(
        lambda tx: tx.run("UPDATE message SET file = 'large', content = NULL")
    )
    assert await client.queue_message(small) == CONTENT * 10_000
    assert (await refused(client.queue_message(999))).code == "queue.unknown"
    url = f"http://localhost/api/v1/queue/{small}/message"
    connector = aiohttp.UnixConnector(str(rig.folder.admin_socket))
    async with aiohttp.ClientSession(connector=connector) as http, http.get(url) as reply:
        assert reply.headers["Content-Disposition"].startswith("attachment")
        assert reply.content_type == "message/rfc822"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_answers_come_in_short_too_and_bursts_are_counted(rig, client):
    ids = await enqueue(rig, "a@b.test", "b@b.test", "c@b.test")
    await put_off(rig, ids[:2])
    (first, *_) = (await client.queue(t.QueueQuery(problem=True))).items
    assert first.answer_in_short == "Gmail: rate limited (421 4.7.28)"
    (group,) = await client.queue_groups()
    assert (group.count, group.problem) == (3, 2)
    assert group.answer_in_short == first.answer_in_short
    (attempt, *_) = (await client.queue_item(ids[0])).attempts
    assert attempt.in_short == first.answer_in_short


async def test_what_its_sender_wants_later_is_found(rig, client):
    ids = await enqueue(rig, "a@b.test")
    await enqueue(rig, "b@b.test")
    assert (await client.queue(t.QueueQuery(later=True))).items == []
    queue = rig.services.outbound.queue
    sql = "UPDATE message SET release_at = :at WHERE id IN (SELECT message FROM recipient WHERE id = :id)"
    values = {"at": queue.now() + 3600, "id": ids[0]}
    await queue.database.write(lambda tx: tx.run(sql, values))
    assert [i.id for i in (await client.queue(t.QueueQuery(later=True))).items] == ids
