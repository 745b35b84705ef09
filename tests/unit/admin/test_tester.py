"""The tester of routes over the API: all attempts in one phrase, messages in the queue, drafts."""

import pytest

from backend.api.client import ApiError
from backend.api.delivery import AddMailRoute as NewRoute
from backend.api.delivery import AddTransport, RouteQuestion, RouteSettings, TransportSettings
from backend.config.routing import FailTransport, Transport
from backend.outbound.forecast import sentence, spans
from backend.outbound.route import Question, Routing, route
from tests.support.admin_server import admin_server
from tests.unit.admin.test_handlers import queued


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        settings = TransportSettings(kind="fail")
        await client.add_transport(AddTransport(name="relay", settings=settings))
        settings = RouteSettings(transport="relay", minimum_attempts=3)
        await client.add_mail_route(NewRoute(route=settings))
        yield client


def question(**values):
    return RouteQuestion.model_validate(values)


async def test_all_attempts_are_foretold_in_one_phrase(client):
    found = await client.evaluate_routes(question(to="bo@x.test"))
    assert found.forecast == "1–3 direct, from 4 relay"  # a range, as people write it
    assert [(s.first, s.last, s.transport) for s in found.spans] == [(1, 3, ""), (4, 8, "relay")]
    draft = {"server": [{"transport": "gone"}]}
    found = await client.evaluate_routes(question(to="bo@x.test", draft_routes=draft))
    assert found.forecast == "always gone"
    assert not found.spans[0].known


async def test_a_message_in_the_queue_is_asked_about_by_its_number(rig, client):
    await queued(rig, "bo@x.test")
    (item,) = (await client.queue()).items
    found = await client.evaluate_routes(question(queue_id=item.id))
    assert found.recipient_domain == "x.test"
    assert found.account
    assert found.notice == ""
    await client.choose_transport([item.id], "relay")
    found = await client.evaluate_routes(question(queue_id=item.id))
    assert "fixed transport: “relay”. Routes are ignored" in found.notice
    assert found.forecast == "always relay"
    await client.choose_transport([item.id], "")
    found = await client.evaluate_routes(question(queue_id=item.id))
    assert "fixed transport: direct delivery" in found.notice


@pytest.mark.parametrize(("values", "status"), [({}, 422), ({"queue_id": 99}, 404)])
async def test_a_question_about_nothing_is_refused(client, values, status):
    with pytest.raises(ApiError) as caught:
        await client.evaluate_routes(question(**values))
    assert caught.value.status == status


def test_a_way_for_one_attempt_only_is_named_by_its_number():
    class Rule:
        from_domain = to_domain = ()
        disabled = False

        def __init__(self, transport, minimum_attempts):
            self.transport, self.minimum_attempts = transport, minimum_attempts

    routing = Routing(
        server=[Rule("late", 3), Rule("second", 1)],
        transports={"late": Transport(fail=FailTransport())},
    )
    ways = [
        route(Question(sender_domain="", recipient_domain="x.test", attempts=n), routing)
        for n in range(8)
    ]
    assert sentence(spans(ways)) == "1 direct, 2–3 second, from 4 late"  # a range
