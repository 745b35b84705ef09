"""Wizards over the API: forwards, backwards, left and gone on with, hostile values, limits; each kind to its end."""

import asyncio
import json
import socket
import stat

import pytest

from backend.admin.flows import state as shelf_module
from backend.admin.flows.domain import Review as DomainReview
from backend.admin.flows.table import FLOWS
from backend.api import flows as w
from backend.api import types as t
from backend.api.client import ApiError, NotReachableError
from backend.dns.answers import Found, LookupFailed
from tests.support.admin_server import NoResolver, admin_server
from tests.support.flows import Walk, begin


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        yield client


async def anna(client):
    await client.add_account(t.AddAccount(address="anna@example.org", password="correct horse 9"))


async def to_review(walk: Walk, name="new.example") -> None:
    await walk.next(name=name, description="")
    await walk.settled()
    await walk.next()
    await walk.next(who="new", full_name="Anna", local_part="anna")
    await walk.next(catchall_separator="+")


async def test_a_domain_is_added_with_its_postmaster_in_one_change(rig, client):
    before = rig.services.config.current.revision
    walk = await begin(client, "domain")
    assert walk.step.kind == "form"
    assert not walk.step.can_back
    await to_review(walk)
    assert walk.step.commits
    assert {row.label: row.value for row in walk.step.rows}["Domain"] == "new.example"
    assert "new.example" not in rig.services.config.current.domains.domains
    await walk.next()
    config = rig.services.config.current
    assert config.revision == before + 1
    assert config.domains.domains["new.example"].catchall_separator == "+"
    assert config.domains.postmaster_account == "anna"
    assert walk.step.kind == "page"
    assert walk.step.page == "/domains/new.example/dns"
    assert not walk.step.can_back
    await walk.next()
    assert walk.step.kind == "done"
    assert len(walk.step.secrets[0].value) > 20
    await walk.next()
    assert walk.step.over
    assert await client.flows() == []
    assert rig.services.config.current.domains.accounts["anna"].destinations.keys() == {
        "anna@new.example"
    }


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter the name of your domain"),
        ("gmail.com", "belongs to Google"),
        ("co.uk", "nobody's own"),
        ("example", "only the ending"),
        ("printer.local", "one's own network"),
        ("anna@example.net", "whole address"),
        ("https://example.net/", "web page"),
        ("example.org", "here already"),
        ("a b.example", "Enter a domain"),
        ("x" * 300, "at most"),
        ("-.-", ""),
        (7, "must be a text"),
        (["example.net"], "must be a text"),
        (None, ""),
    ],
)
async def test_what_can_not_be_ones_own_domain_is_refused_in_plain_words(client, typed, said):
    walk = await begin(client, "domain")
    await walk.next(name=typed)
    assert walk.step.step == "name"
    assert [each.path for each in walk.step.issues] == ["/name"]
    assert said in f"{walk.step.issues[0].message} {walk.step.issues[0].fix}"
    if isinstance(typed, str):
        assert walk.step.values["name"] == typed  # the same values come back


async def test_a_domain_with_letters_of_its_own_is_kept_in_its_normal_form(rig, client):
    walk = await begin(client, "domain")
    await to_review(walk, "Bücher.example.")
    await walk.next()
    assert "xn--bcher-kva.example" in rig.services.config.current.domains.domains


async def test_back_keeps_what_was_typed_and_forward_finds_it_again(client):
    walk = await begin(client, "account")
    await walk.next(full_name="Anna", local_part="anna", domain="example.org")
    await walk.back(addresses="half an addr")
    assert walk.step.values["full_name"] == "Anna"
    await walk.next(full_name="Anna Example", local_part="anna", domain="example.org")
    assert walk.step.values["addresses"] == "half an addr"
    await walk.next(addresses="half an addr")
    assert "half an addr: An address has an @." in walk.step.issues[0].message


async def test_an_answer_is_changed_from_the_review_and_nothing_is_applied_that_became_wrong(
    client,
):
    walk = await begin(client, "account")
    await walk.next(full_name="Anna", local_part="anna", domain="example.org")
    await walk.next(addresses="anna.e@example.org")
    await walk.next(how="make")
    await walk.go("person")
    await walk.next(full_name="Anna", local_part="hanna", domain="example.org")
    assert walk.step.step == "review"  # past all that is still right
    await walk.go("person")
    await walk.go("more", full_name="Anna", local_part="not @ good", domain="example.org")
    assert walk.step.step == "person"
    await walk.go("review")
    assert walk.step.step == "person"


async def test_only_steps_that_were_reached_can_be_gone_to(client):
    walk = await begin(client, "account")
    await walk.go("review")
    assert walk.step.step == "person"
    await walk.next(full_name="", local_part="anna", domain="example.org")
    await walk.next(addresses="")
    await walk.go("person")
    assert walk.step.step == "person"
    await walk.go("password")
    assert walk.step.step == "password"
    await walk.go("nothing")
    assert walk.step.step == "password"


async def test_an_account_is_made_in_one_change_and_its_password_shown_once(rig, client):
    before = rig.services.config.current.revision
    walk = await begin(client, "account", domain="example.org")
    await walk.next(full_name="Anna", local_part="anna", domain="example.org")
    await walk.next(addresses="info@example.org, Office <office@example.org>")
    await walk.next(how="make", quota_bytes=10**9)
    await walk.next()
    account = rig.services.config.current.domains.accounts["anna"]
    assert rig.services.config.current.revision == before + 1
    assert list(account.destinations) == [
        "anna@example.org",
        "info@example.org",
        "office@example.org",
    ]
    assert account.quota_bytes == 10**9
    password = walk.step.secrets[0].value
    await walk.again()
    assert walk.step.secrets[0].value == password  # a reload does not lose it
    assert walk.step.links[0].page == "/accounts/anna/connect"
    await walk.next()
    assert not list(rig.folder.flows.glob("*"))
    assert not list((rig.folder.secrets / "flows").glob("*"))


async def test_a_password_in_a_draft_is_never_given_back_nor_written_beside_it(rig, client):
    walk = await begin(client, "account")
    await walk.next(full_name="", local_part="anna", domain="example.org")
    await walk.next(addresses="")
    await walk.next(how="set", password="short-17")
    assert walk.step.issues[0].path == "/password"
    assert walk.step.values["password"] == {"set": True}
    assert "short-17" not in (rig.folder.flows / f"{walk.step.id}.json").read_text()
    kept = rig.folder.secrets / "flows" / f"{walk.step.id}.json"
    assert "short-17" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    await walk.next(how="set", password="correct horse battery")
    assert walk.step.step == "review"
    await walk.next()
    assert walk.step.secrets == []
    assert "correct horse" not in (kept.read_text() if kept.exists() else "")
    await client.give_up_flow(walk.step.id)
    assert not kept.exists()


async def test_an_alias_with_a_pasted_list(rig, client):
    await anna(client)
    await client.add_account(t.AddAccount(address="ben@example.org", password="correct horse 9"))
    walk = await begin(client, "alias")
    await walk.next(local_part="anna", domain="example.org")
    assert "belongs to" in walk.step.issues[0].message
    await walk.next(local_part="family", domain="example.org", description="")
    await walk.next(members="Anna <anna@example.org>; nobody@example.org\neve@elsewhere.example")
    assert "nobody@example.org: Nobody here" in walk.step.issues[0].message
    assert "eve@elsewhere.example: It is not on this server" in walk.step.issues[0].message
    await walk.next(members="Anna <anna@example.org>; ben@example.org\n anna@example.org")
    await walk.next(post_public=False, list_members=True, send_as=True)
    await walk.next()
    alias = rig.services.config.current.domains.domains["example.org"].aliases["family"]
    assert alias.members == ["anna@example.org", "ben@example.org"]
    assert not alias.post_public
    assert walk.step.kind == "done"


async def test_a_transport_with_its_password_and_route_in_one_change(rig, client):
    walk = await begin(client, "transport")
    assert walk.step.kind == "menu"
    assert walk.step.values["choice"] == "submissions"
    await walk.next(choice="nonsense")
    assert walk.step.issues[0].path == "/choice"
    await walk.next(choice="submissions")
    good = {
        "host": "smtp.relay.example",
        "name": "relay",
        "spf_include": "spf.relay.example",
        "auth": {"username": "me", "password": "Geheim-17", "mechanisms": []},
    }
    await walk.next(host="", name="Not good")
    assert {each.path for each in walk.step.issues} >= {"/host", "/name"}
    await walk.next(**good)
    assert walk.step.issues[0].code == "flow.untested"
    await walk.next(anyway=True, **good)
    assert walk.step.step == "use"
    await walk.next(what="to")
    assert walk.step.issues[0].path == "/to_domain"
    await walk.next(what="to", to_domain=["net.example"])
    texts = [each.text for each in walk.step.effects]
    assert any("include:spf.relay.example" in text for text in texts)
    assert any("net.example: always relay" in text for text in texts)
    before = rig.services.config.current.revision
    await walk.next()
    config = rig.services.config.current
    assert config.revision == before + 1
    assert config.domains.routes[0].to_domain == ["net.example"]
    assert rig.services.catalogue.has_password("relay")
    assert walk.step.kind == "done"
    assert "Geheim" not in json.dumps(walk.step.model_dump(mode="json"))


async def test_a_change_of_the_settings_takes_back_a_test(client):
    walk = await begin(client, "transport")
    await walk.next(choice="fail")
    values = {"name": "no", "smtp_code": 554, "smtp_message": "No"}
    await walk.run("test", **values)
    assert walk.step.report.ok
    await walk.run("test", **{**values, "smtp_code": 99})
    assert walk.step.report is None
    assert walk.step.issues[0].path == "/smtp_code"
    await walk.next(**values)
    assert walk.step.issues[0].code == "flow.untested"


@pytest.mark.parametrize("kind", ["submissions", "submission", "smtp", "socks", "direct", "fail"])
async def test_each_kind_of_transport_has_a_form_of_its_own(client, kind):
    walk = await begin(client, "transport")
    await walk.next(choice=kind)
    assert walk.step.step == "settings"
    keys = [each.key for each in walk.step.fields]
    assert "name" in keys
    assert ("host" in keys) == (kind in {"submissions", "submission", "smtp"})


async def test_a_route_at_its_place(rig, client):
    await anna(client)
    for name in ("first", "second"):
        values = await client.form("transport", name)
        await client.save_form(
            "transport",
            name,
            {"via": {"kind": "direct", "family": "ipv4"}},
            revision=values.revision,
        )
    walk = await begin(client, "route")
    await walk.next(level="server")
    await walk.next(from_domain=[], to_domain=["net.example"], minimum_attempts=2)
    await walk.next(transport="none of these", comment="")
    assert walk.step.issues[0].path == "/transport"
    await walk.next(transport="first", comment="")
    assert walk.step.step == "review"  # no other route, so no place to choose
    await walk.next()
    assert walk.step.kind == "done"
    walk = await begin(client, "route")
    await walk.next(level="server")
    await walk.next(from_domain=[], to_domain=["not a domain"], minimum_attempts=0)
    assert walk.step.issues[0].path.startswith("/to_domain")
    await walk.next(from_domain=[], to_domain=[], minimum_attempts=0)
    await walk.next(transport="second", comment="")
    assert walk.step.step == "place"
    await walk.next(position=1)
    assert any("always second" in each.text for each in walk.step.effects)
    await walk.next()
    assert [r.transport for r in rig.services.config.current.domains.routes] == ["second", "first"]


async def test_a_route_of_an_account(rig, client):
    await anna(client)
    values = await client.form("transport", "v4")
    via = {"via": {"kind": "direct", "family": "ipv4"}}
    await client.save_form("transport", "v4", via, revision=values.revision)
    walk = await begin(client, "route", account="anna")
    assert walk.step.values["level"] == "account"
    await walk.next(level="account", account="anna")
    await walk.next(from_domain=[], to_domain=[], minimum_attempts=0)
    await walk.next(transport="v4", comment="")
    assert walk.step.step == "review"
    await walk.next()
    assert walk.step.issues == []
    assert rig.services.config.current.domains.accounts["anna"].routes[0].transport == "v4"


async def test_keys_change_over_days_and_the_wizard_comes_back_to_them(rig, client):
    await client.add_dkim_selector("example.org", sign=True)
    walk = await begin(client, "dkim", domain="example.org")
    await walk.next()
    await walk.settled()
    assert walk.step.step == "publish"
    assert walk.step.checks[0].expected.startswith("v=DKIM1")
    await walk.next()
    assert walk.step.step == "publish"
    assert "can't be seen yet" in walk.step.issues[0].message
    # Somebody hurries it on by hand meanwhile.
    await client.rotate_dkim("example.org", skip_waiting=True)
    await walk.next()
    walk = await begin(client, "dkim", domain="example.org")
    assert walk.step.step in {"wait", "retire"}
    if walk.step.step == "wait":
        await walk.settled()
        await walk.skip()
    await walk.settled()
    assert walk.step.step == "retire"
    await walk.next()
    assert "too early" in walk.step.issues[0].message
    await walk.settled()
    await walk.skip()
    assert walk.step.kind == "done"


async def test_a_domain_in_use_stays_and_an_empty_one_goes_after_its_name_was_typed(rig, client):
    await anna(client)
    walk = await begin(client, "remove-domain", domain="example.org")
    await walk.settled()
    assert walk.step.verdict == "It can't be removed yet."
    await walk.next()
    assert walk.step.issues[0].code == "flow.blocked"
    await client.remove_account("anna")
    await walk.next()
    assert walk.step.danger
    assert walk.step.type_name == "example.org"
    await walk.next(typed="example.com")
    assert walk.step.issues[0].path == "/typed"
    await walk.next(typed="example.org")
    assert walk.step.kind == "done"
    assert rig.services.config.current.domains.domains == {}


async def test_an_account_goes_with_its_dependents_shown(rig, client):
    await anna(client)
    walk = await begin(client, "remove-account", account="anna@example.org")
    await walk.settled()
    assert {each.id: each.result for each in walk.step.checks}["addresses"] == "warn"
    await walk.next()
    await walk.next(typed="anna")
    assert walk.step.kind == "done"
    assert "anna" not in rig.services.config.current.domains.accounts


async def test_what_is_not_there_can_not_be_removed(client):
    for kind, context in (
        ("remove-domain", {"domain": "other.example"}),
        ("remove-domain", {}),
        ("remove-account", {"account": "nobody"}),
        ("dkim", {"domain": "\0"}),
        ("nothing", {}),
    ):
        with pytest.raises(ApiError) as caught:
            await client.begin_flow(kind, context)
        assert caught.value.status == 404


async def test_wizards_that_were_left_are_listed_and_survive_a_restart(rig, client):
    await begin(client, "alias")  # nothing was answered
    walk = await begin(client, "domain")
    await walk.next(name="new.example", description="Ours")
    heads = await client.flows()
    assert [(each.id, each.about) for each in heads] == [(walk.step.id, "new.example")]
    await walk.settled()
    # The server ends in the middle of a check: what is on disk says that it runs, and nobody runs it.
    state = await rig.services.flows.find(walk.step.id)
    running = [each.model_copy(update={"result": "running"}) for each in state.checks["look"]]
    await rig.services.flows.save(state.model_copy(update={"checks": {"look": running}}))
    await walk.again()
    assert walk.step.running
    await walk.settled()
    assert walk.step.step == "look"
    await walk.next()
    assert walk.step.step == "postmaster"


async def test_a_commit_that_the_server_did_not_live_to_note_down_is_not_made_twice(rig, client):
    walk = await begin(client, "domain")
    await to_review(walk)
    state = await rig.services.flows.find(walk.step.id)
    original = DomainReview.commit
    state.committing = True
    await rig.services.flows.save(state)
    # Not applied: the review stands there as before.
    await walk.again()
    assert walk.step.step == "review"

    async def killed(self, visit):
        await original(self, visit)
        raise asyncio.CancelledError

    DomainReview.commit = killed
    try:
        with pytest.raises((ApiError, NotReachableError)):
            await walk.next()
    finally:
        DomainReview.commit = original
    assert "new.example" in rig.services.config.current.domains.domains
    revision = rig.services.config.current.revision
    await walk.again()
    assert walk.step.step == "records"
    await walk.next()
    assert walk.step.secrets
    assert rig.services.config.current.revision == revision


async def test_one_click_that_comes_twice_goes_on_once(client):
    walk = await begin(client, "account")
    move = w.FlowMove(
        action="next",
        at="person",
        values={"full_name": "", "local_part": "anna", "domain": "example.org"},
    )
    first, second = await asyncio.gather(
        client.move_flow(walk.step.id, move), client.move_flow(walk.step.id, move)
    )
    assert {first.step, second.step} == {"more"}


async def test_hostile_values_are_faults_not_failures(client):
    deep: object = "x"
    for _ in range(30):
        deep = [deep]
    for kind in FLOWS:
        context = {"domain": "example.org", "account": "x"}
        if kind.id == "remove-account":
            continue
        step = await client.begin_flow(kind.id, context)
        for values in (
            {"name": deep},
            {"local_part": {"set": True}, "domain": 5},
            {"choice": ["x"], "what": {}, "level": "nobody"},
            {str(n): n for n in range(30_000)},
            {"name": "a" * 300_000, "members": "\ud800"},
        ):
            move = {"action": "next", "at": step.step, "values": values}
            try:
                reply = await client.ask("POST", f"/flows/{step.id}", move)
            except ApiError as error:
                assert error.status == 422  # no JSON
                continue
            found = w.FlowStep.model_validate(reply)
            if step.kind in {"form", "menu"}:
                assert found.step == step.step
                assert found.issues


async def test_there_are_only_so_many_and_the_oldest_goes(rig, client, monkeypatch):
    monkeypatch.setattr(shelf_module, "MAX_FLOWS", 3)
    ids = [(await client.begin_flow("account")).id for _ in range(5)]
    assert len(list(rig.folder.flows.glob("*.json"))) == 3
    with pytest.raises(ApiError) as caught:
        await client.flow(ids[0])
    assert caught.value.status == 404


async def test_a_wizard_that_was_left_for_too_long_is_gone_with_its_secrets(rig, client):
    walk = await begin(client, "account")
    await walk.next(full_name="", local_part="anna", domain="example.org")
    await walk.next(addresses="")
    await walk.next(how="set", password="short")
    file = rig.folder.flows / f"{walk.step.id}.json"
    old = json.loads(file.read_text())
    old["changed_at"] -= 31 * 86_400
    file.write_text(json.dumps(old))
    assert await client.flows() == []
    assert not file.exists()
    assert not (rig.folder.secrets / "flows" / f"{walk.step.id}.json").exists()


async def test_a_damaged_file_is_left_out(rig, client, expect_log):
    expect_log("flow is damaged")
    walk = await begin(client, "account")
    file = rig.folder.flows / f"{walk.step.id}.json"
    file.write_text('{"id": 7')
    with pytest.raises(ApiError):
        await client.flow(walk.step.id)
    assert await client.flows() == []
    for name in ("../../secrets/admin", "0" * 17, "%2e%2e", "xyz"):
        with pytest.raises(ApiError):
            await client.flow(name)


class Elsewhere(NoResolver):
    """The DNS of a domain whose mail is somewhere else."""

    async def records(self, name, kind):
        if kind == "NS":
            return Found(("ns1.registrar.example", "ns2.registrar.example"))
        return Found(("20 backup.elsewhere.example", "10 mx.elsewhere.example"))


class Silent(NoResolver):
    async def records(self, name, kind):
        return LookupFailed("no answer")


async def test_a_domain_that_receives_mail_elsewhere_is_moved_step_by_step(tmp_path):
    async with (
        admin_server(tmp_path / "data", resolver=Elsewhere()) as server,
        server.local() as client,
    ):
        walk = await begin(client, "domain")
        await walk.next(name="new.example", description="")
        await walk.settled()
        found = {each.id: each for each in walk.step.checks}
        assert found["mail"].result == "warn"
        assert "mx.elsewhere.example, backup.elsewhere.example" in found["mail"].text
        assert "MX record last" in found["mail"].fix
        assert "ns1.registrar.example" in found["dns"].text


async def test_a_dns_that_does_not_answer_is_no_fault_of_the_domain(tmp_path):
    async with (
        admin_server(tmp_path / "data", resolver=Silent()) as server,
        server.local() as client,
    ):
        walk = await begin(client, "domain")
        await walk.next(name="new.example", description="")
        await walk.settled()
        assert {each.result for each in walk.step.checks} == {"unknown"}
        await walk.next()
        assert walk.step.step == "postmaster"


async def test_a_test_that_fails_is_told_and_can_be_passed_over(client):
    walk = await begin(client, "transport")
    await walk.next(choice="smtp")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    values = {"name": "lan", "host": "127.0.0.1", "port": port, "tls": "none"}
    await walk.run("test", **values)
    assert not walk.step.report.ok
    assert str(port) in walk.step.report.message
    await walk.next(**values)
    assert "did not work" in walk.step.issues[0].message
    await walk.next(anyway=True, **values)
    assert walk.step.step == "use"


async def test_what_was_found_is_told_to_the_faces_as_it_comes(rig, client):
    async with client.open_events() as events:
        walk = await begin(client, "domain")
        await walk.next(name="new.example", description="")
        async for event in events:
            if event.data.topic == "flow":
                assert event.data.id == walk.step.id
                break
