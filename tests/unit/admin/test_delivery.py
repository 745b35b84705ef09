"""Transports and routes over the API: what is written, refused and told."""

import pytest

from backend.api.client import ApiError
from backend.api.delivery import (
    AddMailRoute,
    AddTransport,
    EditTransport,
    RemoveMailRoute,
    RouteQuestion,
    RouteSettings,
    SetMailRoutes,
    SetRouteLists,
    TransportSettings,
)
from backend.api.settings import ConfigFiles
from tests.support.admin_server import admin_server

RELAY = {"kind": "submissions", "host": "smtp.example.net", "username": "me"}


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        yield client


def add(client, name="relay", password=None, **settings):
    values = TransportSettings.model_validate(settings or RELAY)
    return client.add_transport(AddTransport(name=name, settings=values, password=password))


def route(transport="relay", at=0, level="server", owner="", **criteria):
    settings = RouteSettings(transport=transport, **criteria)
    return AddMailRoute(level=level, owner=owner, position=at, route=settings)


def domains_file(rig):
    return (rig.folder.config / "domains.toml").read_text()


async def refused(call) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize(
    ("settings", "summary"),
    [
        (RELAY, "relay smtp.example.net:465 with TLS, signs in as me"),
        (
            {"kind": "submission", "host": "smtp.example.net", "port": 2587, "username": "me"}
            | {"mechanisms": ["PLAIN"]},
            "relay smtp.example.net:2587 with STARTTLS, signs in as me",
        ),
        ({"kind": "smtp", "host": "lan", "no_starttls": True}, "relay lan:25 with no TLS"),
        (
            {"kind": "socks", "address": "127.0.0.1:1080", "remote_hostname": "out.example.org"}
            | {"remote_ips": ["192.0.2.1"], "username": "me"},
            "direct, through the SOCKS proxy 127.0.0.1:1080 as me",
        ),
        ({"kind": "direct", "disable_ipv6": True}, "direct, over IPv4 only"),
        ({"kind": "direct"}, "direct"),
        ({"kind": "fail", "smtp_code": 550, "smtp_message": "no"}, "refused with 550 no"),
    ],
)
async def test_each_kind_is_written_and_read_back(client, settings, summary):
    added = await add(client, **settings)
    assert added.summary == summary
    again = await client.transport("relay")
    assert again.settings == TransportSettings.model_validate(settings)
    assert [each.name for each in await client.transports()] == ["relay"]


async def test_the_password_lies_with_the_secrets(rig, client):
    added = await add(client, password="open sesame")
    assert added.needs_password
    assert added.has_password
    assert "open sesame" not in domains_file(rig)
    assert "open sesame" not in added.model_dump_json()
    assert not (await client.set_transport_password("relay", None)).has_password
    assert (await client.set_transport_password("relay", "again")).has_password
    await client.remove_transport("relay")
    assert not (await add(client)).has_password, "not the one of another server"


@pytest.mark.parametrize("keep", [None, False, True])
async def test_a_stored_password_goes_to_another_server_only_when_somebody_says_so(
    rig, client, keep
):
    added = await add(client, password="open sesame")
    moved = added.settings.model_copy(update={"host": "smtp.other.example"})
    request = EditTransport(settings=moved, keep_password=keep)
    edit = client.edit_transport("relay", request, revision=added.revision)
    if keep is None:
        error = await refused(edit)
        assert (error.status, error.code) == (409, "transport.password_moves")
        assert "is for smtp.example.net; with this change it would be sent to smtp.other" in str(
            error
        )
        assert (await client.transport("relay")).settings == added.settings
        request = EditTransport(settings=moved, password="another")
        assert (await client.edit_transport("relay", request, revision=added.revision)).has_password
        assert rig.services.catalogue.password("relay") == "another"
        return
    edited = await edit
    assert edited.settings.host == "smtp.other.example"
    assert edited.has_password is keep
    assert rig.services.catalogue.password("relay") == ("open sesame" if keep else None)


async def test_settings_that_are_applied_as_a_text_take_no_password_to_another_server(rig, client):
    added = await add(client, password="open sesame")
    text = domains_file(rig).replace("smtp.example.net", "smtp.other.example")
    files = ConfigFiles(files={"domains.toml": text})
    await client.apply_config(files, revision=added.revision)
    assert not (await client.transport("relay")).has_password


async def test_a_password_in_the_file_is_refused_and_its_place_named(rig, client):
    text = (
        '[transports.relay.submissions]\nhost = "h"\nauth = { username = "me", password = "x" }\n'
    )
    found = await client.check_config(ConfigFiles(files={"domains.toml": text}))
    (problem,) = [p for p in found.problems if "password" in p.message]
    assert problem.message == "A password does not belong in this file."
    assert "gatepost transport password relay" in problem.fix


async def test_a_password_is_of_no_use_without_a_user_name(client):
    await add(client, **(RELAY | {"username": ""}))
    error = await refused(client.set_transport_password("relay", "x"))
    assert error.code == "transport.no_sign_in"
    error = await refused(client.set_transport_password("none", "x"))
    assert error.status == 404


async def test_all_faults_of_a_transport_are_told_at_once_with_their_fields(client):
    settings = RELAY | {"host": "a b", "no_starttls": True, "mechanisms": ["ROT13"]}
    error = await refused(add(client, **settings))
    assert error.status == 422
    assert {issue.path for issue in error.issues} == {
        "/transports/relay/submissions/host",
        "/transports/relay/submissions/no_starttls",
        "/transports/relay/submissions/auth/mechanisms/0",
    }
    assert await client.transports() == []


async def test_a_name_is_given_once(client):
    await add(client)
    assert (await refused(add(client))).code == "transport.exists"


async def test_a_transport_in_use_stays(client):
    await add(client)
    await client.add_mail_route(route())
    error = await refused(client.remove_transport("relay"))
    assert "route 1 of the server" in error.issues[0].message
    assert (await client.transport("relay")).used_by == ["route 1 of the server"]
    await client.remove_mail_route(RemoveMailRoute(position=1))
    await client.remove_transport("relay")


async def test_routes_of_all_levels_in_the_order_of_evaluation(rig, client):
    await add(client)
    file = rig.folder.config / "domains.toml"
    file.write_text("# my comment\n" + file.read_text())
    await client.add_mail_route(route(to_domain=["x.test"]))
    await client.add_mail_route(route(at=1, to_domain=[".y.test"]))
    await client.add_mail_route(route(level="domain", owner="example.org"))
    found = await client.add_mail_route(route(minimum_attempts=9))
    assert [(r.level, r.owner, r.position, r.settings.to_domain) for r in found.items] == [
        ("domain", "example.org", 1, []),
        ("server", "", 1, [".y.test"]),
        ("server", "", 2, ["x.test"]),
        ("server", "", 3, []),
    ]
    assert "never matches" in found.warnings[0].message
    assert "at most 7 attempts" in found.items[3].warning
    assert found.warnings[0] in await client.problems()
    checked = await client.check_config(ConfigFiles(files={"domains.toml": domains_file(rig)}))
    assert checked.problems == found.warnings
    assert "# my comment" in domains_file(rig)
    stale = RemoveMailRoute(position=1, revision=found.revision - 1)
    assert (await refused(client.remove_mail_route(stale))).status == 409
    left = await client.remove_mail_route(RemoveMailRoute(position=1, revision=found.revision))
    assert [r.settings.to_domain for r in left.items] == [[], ["x.test"], []]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (route("gone"), 422),
        (route(level="domain", owner="other.test"), 404),
        (route(level="account", owner="nobody"), 404),
        (route(to_domain=["not a domain"]), 422),
    ],
)
async def test_a_route_that_can_t_be_is_refused(client, request_, status):
    await add(client)
    assert (await refused(client.add_mail_route(request_))).status == status


def question(**values):
    return RouteQuestion.model_validate({"from": "me@example.org", "to": "bo@x.test", **values})


async def test_the_tester_tells_each_rule_and_why_it_did_not_match(client):
    await add(client)
    await client.add_mail_route(route(to_domain=["y.test"]))
    await client.add_mail_route(route(minimum_attempts=3))
    found = await client.evaluate_routes(question(attempts=[0, 3]))
    first, fourth = found.answers
    assert found.sender_domain == "example.org"
    assert first.transport == ""
    assert [step.reason for step in first.steps] == [
        "the recipient's domain is x.test, not y.test",
        "0 attempts were made so far, it asks for 3",
    ]
    assert fourth.transport == "relay"
    assert fourth.steps[-1].matched


async def test_the_tester_tries_drafts_without_saving_them(client):
    draft = {"server": [{"transport": "draft", "to_domain": ["x.test"]}]}
    (answer,) = (await client.evaluate_routes(question(draft_routes=draft))).answers
    assert answer.transport == "draft"
    assert not answer.known
    assert (await client.mail_routes()).items == []
    bad = {"account": [{"transport": "x", "to_domain": ["a b"]}]}
    error = await refused(client.evaluate_routes(question(draft_routes=bad)))
    assert error.issues[0].path == "/draft_routes/account/0/to_domain/0"


async def test_the_tester_knows_the_null_sender_literals_and_own_domains(client):
    found = await client.evaluate_routes(question(**{"from": "", "to": "bo@[192.0.2.1]"}))
    assert (found.sender_domain, found.recipient_domain) == ("", "")
    assert (await client.evaluate_routes(question(to="example.org"))).is_local
    error = await refused(client.evaluate_routes(question(to="a b@")))
    assert error.issues[0].path == "/to"


async def test_a_refusing_transport_and_one_without_password_need_no_connection_to_be_tested(
    client,
):
    await add(client, "no", kind="fail")
    assert (await client.test_transport("no")).ok
    await add(client)
    tested = await client.test_transport("relay")
    assert not tested.ok
    assert "gatepost transport password relay" in tested.fix
    await add(client, "v4", kind="direct", disable_ipv6=True)
    assert (await refused(client.test_transport("v4"))).code == "transport.test_domain"
    assert (await refused(client.test_transport("relay", sender="x"))).status == 422
    assert (await refused(client.test_transport("gone"))).status == 404


async def test_a_transport_chosen_for_messages_must_exist(client):
    error = await refused(client.choose_transport([1], "gone"))
    assert error.issues[0].message == 'unknown transport "gone".'
    assert (await client.choose_transport([1], "")).missing == [1]


async def test_in_practice_mode_no_transport_is_tried_that_leads_off_this_computer(tmp_path):
    async with (
        admin_server(tmp_path / "data", practice_mode=True) as server,
        server.local() as client,
    ):
        await add(client, password="correct horse battery")
        assert (await refused(client.test_transport("relay"))).code == "transport.test_practice"
        await add(client, "v4", kind="direct", disable_ipv6=True)
        error = await refused(client.test_transport("v4"))
        assert error.code == "transport.test_practice"
        assert "practice_mode" in error.issues[0].fix
        await add(client, "no", kind="fail")
        assert (await client.test_transport("no")).ok


async def test_a_transport_is_changed_and_keeps_its_password(rig, client):
    added = await add(client, password="open sesame")
    new = TransportSettings.model_validate(
        RELAY | {"kind": "submission", "spf_include": "include:spf.example.net"}
    )
    changed = await client.edit_transport(
        "relay", EditTransport(settings=new), revision=added.revision
    )
    assert changed.settings.kind == "submission"
    assert changed.settings.spf_include == "spf.example.net"
    assert changed.has_password
    stale = client.edit_transport("relay", EditTransport(settings=new), revision=added.revision)
    assert (await refused(stale)).status == 409
    gone = client.edit_transport("gone", EditTransport(settings=new), revision=changed.revision)
    assert (await refused(gone)).status == 404
    bad = EditTransport(settings=new, password="\0")
    call = client.edit_transport("relay", bad, revision=changed.revision)
    assert (await refused(call)).code == "transport.password"


async def test_a_transport_that_no_longer_signs_in_loses_its_password(rig, client):
    added = await add(client, password="open sesame")
    without = TransportSettings.model_validate(RELAY | {"username": ""})
    call = client.edit_transport(
        "relay", EditTransport(settings=without, password="x"), revision=added.revision
    )
    assert (await refused(call)).code == "transport.no_sign_in"
    changed = await client.edit_transport(
        "relay", EditTransport(settings=without), revision=added.revision
    )
    assert not changed.has_password


async def test_a_test_is_the_last_result_until_the_transport_changes(client):
    await add(client, "no", kind="fail")
    assert (await client.transport("no")).last_result is None
    await client.test_transport("no")
    (found,) = await client.transports()
    assert found.last_result is not None
    assert (found.last_result.ok, found.last_result.tested) == (True, True)
    changed = await client.edit_transport(
        "no", EditTransport(settings=found.settings), revision=found.revision
    )
    assert changed.last_result is None


@pytest.mark.parametrize(("level", "owner"), [("server", ""), ("domain", "example.org")])
async def test_a_list_of_routes_is_set_in_order_and_switched_off(client, level, owner):
    await add(client)
    found = await client.add_mail_route(
        route(level=level, owner=owner, to_domain=["x.test"], comment="first")
    )
    (first,) = [each.settings for each in found.items]
    off = first.model_copy(update={"disabled": True, "to_domain": ["y.test"]})
    request = SetMailRoutes(level=level, owner=owner, routes=[off, first])
    changed = await client.set_mail_routes(request, revision=found.revision)
    assert [each.settings for each in changed.items] == [off, first]
    assert (await refused(client.set_mail_routes(request, revision=found.revision))).status == 409
    unknown = RouteSettings(transport="gone")
    bad = SetMailRoutes(level=level, owner=owner, routes=[unknown])
    assert (await refused(client.set_mail_routes(bad, revision=changed.revision))).status == 422
    answer = (await client.evaluate_routes(question(to="y.test"))).answers[0]
    assert answer.steps[0].reason == "it is switched off"
    assert not answer.transport


async def test_a_route_that_is_switched_off_neither_covers_nor_warns(client):
    await add(client)
    await client.add_mail_route(route(disabled=True))
    await client.add_mail_route(route(disabled=True, minimum_attempts=9))
    assert not (await client.add_mail_route(route(to_domain=["x.test"]))).warnings


async def test_a_revert_brings_a_transport_back_with_its_password(rig, client):
    added = await add(client, password="open sesame")
    await client.remove_transport("relay")
    config = await client.config()
    assert rig.services.catalogue.has_password("relay") is False
    await client.revert(added.revision, revision=config.revision)
    assert (await client.transport("relay")).has_password


async def test_a_password_goes_to_no_other_server_of_that_name(rig, client):
    await add(client, password="open sesame")
    text = domains_file(rig)
    await client.remove_transport("relay")

    async def apply(text):
        revision = (await client.config()).revision
        await client.apply_config(ConfigFiles(files={"domains.toml": text}), revision=revision)
        return await client.transport("relay")

    assert not (await apply(text.replace("smtp.example.net", "evil.test"))).has_password
    await client.remove_transport("relay")
    assert (await apply(text)).has_password


def lists_of(*lists):
    return [{"level": level, "owner": owner, "routes": routes} for level, owner, routes in lists]


async def test_several_lists_are_changed_at_once_or_not_at_all(client):
    await add(client, "no", kind="fail")
    here = (await client.domains())[0].name
    before = await client.mail_routes()
    good = lists_of(
        ("server", "", [{"transport": "no"}, {"transport": "no", "to_domain": ["x.test"]}]),
        ("domain", here, [{"transport": "no", "minimum_attempts": 1}]),
    )
    bad = [*good[:1], {**good[1], "routes": [{"transport": "gone"}]}]
    request = SetRouteLists.model_validate({"lists": bad})
    error = await refused(client.set_route_lists(request, revision=before.revision))
    assert error.status == 422
    assert (await client.mail_routes()).items == before.items
    dry = SetRouteLists.model_validate({"lists": good, "dry_run": True})
    told = await client.set_route_lists(dry, revision=before.revision)
    assert [r.warning for r in told.items] == [
        "",
        "",
        "route 1 before it takes all that it would take",
    ]
    assert [r.sentence for r in told.items] == [
        "When mail from **any domain** goes to **any domain** and **1** attempt has failed, send it through **no**.",
        "When mail from **any domain** goes to **any domain**, send it through **no**.",
        "When mail from **any domain** goes to **x.test**, send it through **no**.",
    ]
    assert (await client.mail_routes()).items == before.items
    request = SetRouteLists.model_validate({"lists": good})
    saved = await client.set_route_lists(request, revision=before.revision)
    assert [r.settings for r in saved.items] == [r.settings for r in told.items]
    assert saved.revision == before.revision + 1
    error = await refused(client.set_route_lists(request, revision=before.revision))
    assert error.status == 409
    nobody = SetRouteLists.model_validate({"lists": lists_of(("account", "nobody", []))})
    assert (await refused(client.set_route_lists(nobody, revision=saved.revision))).status == 404


async def test_a_transport_tells_what_it_asks_of_spf_and_where_it_is_used(client):
    here = (await client.domains())[0].name
    plain = TransportSettings(kind="submissions", host="smtp.relay.example")
    made = await client.add_transport(AddTransport(name="relay", settings=plain))
    assert made.spf == []
    assert "Name for SPF" in made.spf_hint
    named = plain.model_copy(update={"spf_include": "spf.relay.example"})
    changed = await client.edit_transport(
        "relay", EditTransport(settings=named), revision=made.revision
    )
    assert changed.spf[0].text == f"Add “include:spf.relay.example” to the SPF record of {here}."
    assert changed.spf_hint.startswith("From which addresses that server sends")
    await client.add_mail_route(route())
    used = await client.transport("relay")
    assert [(p.level, p.owner, p.position, p.text) for p in used.places] == [
        ("server", "", 1, "route 1 of the server")
    ]
