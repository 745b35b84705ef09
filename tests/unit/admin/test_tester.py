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


async def test_the_headline_names_the_rule_that_decides(rig, client):
    async def headline(**values):
        return (await client.evaluate_routes(question(**values))).answers[0].headline

    assert await headline(to="bo@x.test") == "Goes out directly: no route matches."
    assert (
        await headline(to="bo@x.test", attempts=[3])
        == "Goes through relay because of server rule 1."
    )
    here = (await client.domains())[0].name
    assert await headline(to=here) == f"Stays on this server: {here} is one of its domains."
    gone = [{"level": "server", "routes": [{"transport": "gone"}]}]
    assert await headline(to="x.test", draft_lists=gone) == (
        "Goes through gone because of server rule 1. But there is no transport of that name."
    )
    none = [{"level": "server", "routes": []}]
    assert (
        await headline(to="x.test", draft_lists=none) == "Goes out directly: there are no routes."
    )


async def test_only_the_drafts_of_the_sender_count(client):
    here = (await client.domains())[0].name
    lists = [
        {"level": "domain", "owner": "elsewhere.test", "routes": [{"transport": "gone"}]},
        {"level": "domain", "owner": here, "routes": [{"transport": "relay"}]},
    ]
    found = await client.evaluate_routes(
        question(**{"from": f"me@{here}"}, to="x.test", draft_lists=lists)
    )
    assert found.answers[0].headline == "Goes through relay because of domain rule 1."
    found = await client.evaluate_routes(question(to="x.test", draft_lists=lists))
    assert found.answers[0].headline == "Goes out directly: no route matches."
