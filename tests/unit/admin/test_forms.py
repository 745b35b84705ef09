"""Forms over the API: read, saved, refused with all faults, conflicts, effects beforehand, secrets one way only."""

import aiohttp
import pytest

from backend.admin.forms.form import RowForm
from backend.admin.forms.table import FORMS
from backend.api import types as t
from backend.api.aliases import AddAlias
from backend.api.client import ApiError
from backend.config.load import domains_from_data
from backend.config.model import Account
from tests.support.admin_server import admin_server

RELAY = {
    "kind": "submissions",
    "host": "smtp.relay.example",
    "port": 0,
    "spf_include": "spf.relay.example",
    "auth": {"username": "me", "password": "Geheim-17", "mechanisms": ["CRAM-MD5"]},
}
OTHER_WAYS = [
    {"kind": "submission", "host": "smtp.relay.example", "port": 587, "tls": "any"},
    {"kind": "smtp", "host": "192.0.2.7", "port": 2525, "tls": "none", "auth": None},
    {
        "kind": "socks",
        "address": "127.0.0.1:1080",
        "remote_ips": ["192.0.2.1"],
        "remote_hostname": "out.example.org",
        "auth": {"username": "me", "password": {"set": False}},
    },
    {"kind": "direct", "family": "ipv6"},
    {"kind": "direct", "family": "both"},
    {"kind": "fail", "smtp_code": 554, "smtp_message": "Nothing goes there"},
]


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        async with server.local() as client:
            await client.add_account(
                t.AddAccount(address="anna@example.org", password="correct horse 9")
            )
            await client.add_alias(
                AddAlias(address="family@example.org", members=["anna@example.org"])
            )
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        yield client


KEYS = {
    "domain": "example.org",
    "domain-policies": "example.org",
    "domain-routes": "example.org",
    "dkim": "example.org",
    "alias": "family@example.org",
    "account": "anna",
    "account-addresses": "anna",
    "account-limits": "anna",
    "account-routes": "anna",
    "transport": "relay",
    "hold-rule": "their-move",
}


async def refused(call) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value


def messages(error: ApiError) -> dict[str, str]:
    return {issue.path: f"{issue.message} {issue.fix}".strip() for issue in error.issues}


async def add_relay(client, name="relay", via=RELAY):
    values = await client.form("transport", name)
    return await client.save_form("transport", name, {"via": via}, revision=values.revision)


@pytest.mark.parametrize("form", [form.id for form in FORMS if not isinstance(form, RowForm)])
async def test_what_is_read_and_saved_again_stays_the_same(rig, client, form):
    await add_relay(client)
    route = {"to_domain": [".example.net"], "minimum_attempts": 3, "transport": "relay"}
    for each, key in (
        ("routes", "-"),
        ("domain-routes", "example.org"),
        ("account-routes", "anna"),
    ):
        now = await client.form(each, key)
        await client.save_form(each, key, {"routes": [route]}, revision=now.revision)
    held = {"to_domain": ["example.net"], "comment": "They move"}
    now = await client.form("hold-rule", "their-move")
    await client.save_form("hold-rule", "their-move", held, revision=now.revision)
    key = KEYS.get(form, "-")
    before = await client.form(form, key)
    spec = await client.form_spec(form)
    assert set(before.values) == {field.key for field in spec.fields}
    saved = await client.save_form(form, key, before.values, revision=before.revision)
    assert saved.values == before.values
    assert saved.revision == before.revision, "nothing was changed, so there is no new revision"
    assert [effect.text for effect in saved.effects] == ["Nothing changes."]
    assert await client.form(form, key) == before


@pytest.mark.parametrize("way", OTHER_WAYS, ids=lambda way: way["kind"])
async def test_every_way_out_comes_back_as_it_was_saved(client, way):
    saved = await add_relay(client, "out", way)
    again = await client.form("transport", "out")
    assert again.values == saved.values
    for name, value in way.items():
        assert again.values["via"][name] == value


async def test_changing_the_way_leaves_nothing_of_the_old_one(rig, client):
    first = await add_relay(client)
    direct = {"via": {"kind": "direct", "family": "ipv4"}}
    await client.save_form("transport", "relay", direct, revision=first.revision)
    stored = rig.services.config.current.domains.transports["relay"]
    assert stored.submissions is None
    assert stored.direct.disable_ipv6
    assert not rig.services.catalogue.has_password("relay")


async def test_a_field_that_is_left_out_stays_as_it_is(client):
    now = await client.form("account", "anna")
    saved = await client.save_form(
        "account", "anna", {"full_name": "Anna M."}, revision=now.revision
    )
    assert saved.values == {**now.values, "full_name": "Anna M."}


async def test_all_faults_come_at_once_in_the_forms_own_paths(client):
    via = {"kind": "submissions", "host": "", "port": 70000, "auth": {"username": ""}, "x": 1}
    error = await refused(
        client.save_form("transport", "No Good!", {"via": via, "name": "x"}, revision=1)
    )
    assert error.status == 422
    assert messages(error) == {
        "/name": "There is no such field here.",
        "/via/x": "There is no such field here.",
        "/via/host": "Enter the server name.",
        "/via/auth/username": "Enter the user name.",
        "/via/port": "“Port” may be at most 65535.",
        "/@key": "Lower-case letters, digits, “.”, “_” and “-”, the first a letter or digit.",
    }


async def test_faults_between_settings_stand_at_their_fields_too(client):
    saved = await add_relay(client)
    via = {**RELAY, "host": "not a host", "auth": {"username": "me"}}
    error = await refused(
        client.save_form("transport", "relay", {"via": via}, revision=saved.revision)
    )
    assert list(messages(error)) == ["/via/host"]
    rows = [{"transport": "relay"}, {"transport": "gone"}]
    error = await refused(
        client.save_form("routes", "-", {"routes": rows}, revision=saved.revision)
    )
    assert messages(error) == {
        "/routes/1/transport": "There is no such transport. Choose one of the list, or add it first."
    }
    tls = {"mode": "files", "certificate_file": "", "key_file": ""}
    error = await refused(client.save_form("server-tls", "-", tls, revision=saved.revision))
    assert list(messages(error)) == ["/certificate_file", "/key_file"]


async def test_what_a_value_means_is_judged_in_words_for_people(client):
    form = "account-addresses"
    now = await client.form(form, "anna")
    kept = now.values["destinations"]
    values = {"destinations": {**kept, "anna@elsewhere.example": {}, "b@@": {}}}
    error = await refused(client.save_form(form, "anna", values, revision=now.revision))
    assert list(messages(error)) == ["/destinations/b@@"]
    assert "pydantic" not in str(error)
    del values["destinations"]["b@@"]
    error = await refused(client.save_form(form, "anna", values, revision=now.revision))
    assert messages(error) == {
        "/destinations/anna@elsewhere.example": "The domain of this address is not one of this server's. Add the domain first, or correct the address."
    }


async def test_a_fault_that_lies_outside_of_the_form_belongs_to_the_form(client):
    now = await client.form("account-addresses", "anna")
    plus = {"destinations": {"anna@example.org": {}, "anna+x@example.org": {}}}
    saved = await client.save_form("account-addresses", "anna", plus, revision=now.revision)
    error = await refused(
        client.save_form(
            "domain", "example.org", {"catchall_separator": "+"}, revision=saved.revision
        )
    )
    assert list(messages(error)) == [""]


async def test_two_people_at_one_form_get_both_sides(client):
    first = await client.form("domain", "example.org")
    await client.save_form(
        "domain", "example.org", {"description": "theirs"}, revision=first.revision
    )
    error = await refused(
        client.save_form("domain", "example.org", {"description": "mine"}, revision=first.revision)
    )
    assert (error.status, error.code) == (409, "form.conflict")
    assert error.conflict.base == first
    assert error.conflict.theirs == await client.form("domain", "example.org")
    assert error.rev == error.conflict.theirs.revision
    await client.save_form("domain", "example.org", {"description": "mine"}, revision=error.rev)


async def test_a_change_elsewhere_is_no_conflict(client):
    first = await client.form("domain", "example.org")
    other = await client.form("account", "anna")
    await client.save_form("account", "anna", {"full_name": "A"}, revision=other.revision)
    saved = await client.save_form(
        "domain", "example.org", {"description": "mine"}, revision=first.revision
    )
    assert saved.values["description"] == "mine"


async def test_a_revision_that_nobody_knows_is_a_conflict(client):
    error = await refused(
        client.save_form("domain", "example.org", {"description": "x"}, revision=999)
    )
    assert error.status == 409
    assert error.conflict.base is None


async def test_a_thing_that_somebody_else_made_meanwhile_is_not_overwritten(client):
    mine = await client.form("transport", "relay")
    assert not mine.exists
    await add_relay(client)
    error = await refused(
        client.save_form("transport", "relay", {"via": {"kind": "fail"}}, revision=mine.revision)
    )
    assert error.status == 409
    assert error.conflict.theirs.values["via"]["kind"] == "submissions"


async def test_a_dry_run_tells_the_effects_and_changes_nothing(rig, client):
    now = await client.form("transport", "relay")
    tried = await client.save_form(
        "transport", "relay", {"via": RELAY}, revision=now.revision, dry_run=True
    )
    assert not tried.saved
    assert tried.values["via"]["auth"]["password"] == {"set": True}
    texts = [effect.text for effect in tried.effects]
    assert texts[0] == "relay is added."
    assert any(
        text.startswith("DNS record to change for example.org: TXT example.org: v=spf1")
        and "include:spf.relay.example" in text
        for text in texts
    )
    assert texts[-1] == "No restart is needed."
    assert await client.form("transport", "relay") == now
    assert not rig.services.catalogue.has_password("relay")
    assert rig.services.config.current.revision == now.revision


async def test_a_policy_of_the_domain_asks_for_its_dns_records(rig, client):
    listeners = {"public": {"addresses": ["0.0.0.0"], "https_port": 443}}
    now = await client.form("server-listeners")
    await client.save_form("server-listeners", "-", {"listeners": listeners}, revision=now.revision)
    now = await client.form("domain-policies", "example.org")
    policy = {"mta_sts": {**now.values["mta_sts"], "mode": "testing"}}
    tried = await client.save_form(
        "domain-policies", "example.org", policy, revision=now.revision, dry_run=True
    )
    texts = [effect.text for effect in tried.effects if effect.kind == "dns"]
    assert any("TXT _mta-sts.example.org: v=STSv1" in text for text in texts)


async def test_what_needs_a_restart_is_said_beforehand(client):
    now = await client.form("server-limits")
    tried = await client.save_form(
        "server-limits", "-", {"recipients": 200}, revision=now.revision, dry_run=True
    )
    assert tried.needs_restart
    assert [effect.text for effect in tried.effects] == [
        "“Recipients of one message” changes from 100 to 200.",
        "The server must be started again before this counts: Recipients of one message.",
    ]


async def test_losing_the_administration_is_said_beforehand(client):
    now = await client.form("server-listeners")
    tried = await client.save_form(
        "server-listeners", "-", {"listeners": {}}, revision=now.revision, dry_run=True
    )
    assert any("no browser can open it" in effect.text for effect in tried.effects)


async def test_secrets_go_in_and_never_come_out(rig, client):
    saved = await add_relay(client)
    assert saved.values["via"]["auth"]["password"] == {"set": True}
    later = await client.save_form(
        "transport",
        "relay",
        {"via": {**RELAY, "port": 1465, "auth": {"username": "me", "password": {"set": True}}}},
        revision=saved.revision,
    )
    stored = (await client.config()).model_dump_json()
    now = await client.form("transport", "relay")
    for said in (saved, later, now):
        assert "Geheim-17" not in said.model_dump_json()
    assert "Geheim-17" not in stored
    assert rig.services.catalogue.has_password("relay")
    for file in rig.folder.config.rglob("*"):
        assert file.is_dir() or b"Geheim-17" not in file.read_bytes()
    error = await refused(
        client.save_form(
            "transport",
            "relay",
            {"via": {**RELAY, "host": "", "auth": {"username": "me", "password": "Neu-4711"}}},
            revision=later.revision,
        )
    )
    assert "Neu-4711" not in repr(error.issues) + str(error)


async def test_a_secret_that_is_null_is_forgotten_and_a_new_one_is_told(rig, client):
    saved = await add_relay(client)
    new = {"via": {**RELAY, "auth": {"username": "me", "password": "other"}}}
    tried = await client.save_form("transport", "relay", new, revision=saved.revision, dry_run=True)
    assert any("a new password is kept" in effect.text for effect in tried.effects)
    gone = {"via": {**RELAY, "auth": {"username": "me", "password": None}}}
    saved = await client.save_form("transport", "relay", gone, revision=saved.revision)
    assert saved.values["via"]["auth"]["password"] == {"set": False}
    assert not rig.services.catalogue.has_password("relay")


async def test_a_password_does_not_follow_to_another_server_unsaid(client):
    saved = await add_relay(client)
    moved = {"via": {**saved.values["via"], "host": "smtp.other.example"}}
    tried = await client.save_form(
        "transport", "relay", moved, revision=saved.revision, dry_run=True
    )
    assert any("will be sent to smtp.other.example" in effect.text for effect in tried.effects)
    saved = await client.save_form("transport", "relay", moved, revision=saved.revision)
    assert saved.values["via"]["auth"]["password"] == {"set": True}, "it was said"


async def test_a_password_left_over_is_not_given_to_a_new_transport(rig, client):
    await rig.services.catalogue.keep_password("relay", "old")
    await add_relay(client, via={**RELAY, "auth": {"username": "me"}})
    assert not rig.services.catalogue.has_password("relay")


async def test_a_save_without_a_revision_is_refused(rig, client):
    connector = aiohttp.UnixConnector(str(rig.folder.admin_socket))
    url = "http://localhost/api/v1/forms/domain/example.org"
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.put(url, json={"values": {}}) as reply,
    ):
        assert reply.status == 428


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("nothing", "-"),
        ("domain", "unknown.example"),
        ("account", "nobody"),
        ("server-tls", "example.org"),
        ("alias", "nobody@example.org"),
        ("alias", "no-address"),
    ],
)
async def test_what_there_is_not_is_not_found(client, form, key):
    for call in (client.form(form, key), client.save_form(form, key, {}, revision=1)):
        error = await refused(call)
        assert error.status == 404


@pytest.mark.parametrize("key", ["../../secrets", "a/b", "\x00", "x" * 5000, "-" * 65, "Ünter"])
async def test_a_hostile_name_makes_nothing(rig, client, key):
    before = sorted(rig.folder.root.rglob("*"))
    error = await refused(client.save_form("transport", key, {"via": RELAY}, revision=1))
    assert error.status in {400, 404, 422}
    assert sorted(rig.folder.root.rglob("*")) == before


async def test_too_many_values_are_refused(client):
    now = await client.form("routes")
    rows = [{"transport": "relay", "to_domain": ["example.net"] * 50} for _ in range(900)]
    error = await refused(client.save_form("routes", "-", {"routes": rows}, revision=now.revision))
    assert [issue.code for issue in error.issues] == ["form.too_large"]


async def test_specifications_are_asked_for_anew_only_when_they_changed(rig):
    connector = aiohttp.UnixConnector(str(rig.folder.admin_socket))
    url = "http://localhost/api/v1/ui/specs/transport"
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get(url) as reply:
            tag = reply.headers["ETag"]
            spec = await reply.json()
            assert spec["version"] in tag
        async with session.get(url, headers={"If-None-Match": f'"other", {tag}'}) as reply:
            assert reply.status == 304
            assert not await reply.read()
        german = {"If-None-Match": tag, "Accept-Language": "qps"}
        async with session.get(url, headers=german) as reply:
            assert reply.status == 200
            assert reply.headers["Content-Language"] == "qps"


async def test_search_finds_fields_by_label_help_and_synonym(client):
    for words, field in (
        ("quota", "/quota_bytes"),
        ("no limit", "/quota_bytes"),
        ("plus address", "/catchall_separator"),
        ("sending rate", "/max_outgoing_messages_per_day"),
    ):
        found = await client.search_forms(words)
        assert field in {item.field for item in found}, words
    assert (await client.search_forms("home dashboard"))[0].path == "/"
    pages = {page.path for page in (await client.pages()).items}
    assert {item.path for item in await client.search_forms("a", limit=100)} <= pages
    assert await client.search_forms("zzz") == []
    assert len(await client.search_forms("  ", limit=2000)) > 20
    assert len(await client.search_forms("a", limit=3)) == 3


async def test_faults_and_effects_speak_the_language_of_who_asks(client):
    client.language = "qps"
    now = await client.form("server-limits")
    error = await refused(
        client.save_form("server-limits", "-", {"recipients": 1}, revision=now.revision)
    )
    assert error.issues[0].message.startswith("[")
    tried = await client.save_form(
        "server-limits", "-", {"recipients": 200}, revision=now.revision, dry_run=True
    )
    assert all(effect.text.startswith("[") for effect in tried.effects)


async def test_a_thousand_accounts_are_no_reason_to_look_at_all_of_them(rig, client, monkeypatch):
    """What a form of one account costs does not grow with the others: none of them is validated again."""
    accounts = {
        f"u{number}": {"domain": "example.org", "destinations": {f"u{number}@example.org": {}}}
        for number in range(1000)
    }
    data = rig.services.config.current.domains.model_dump(exclude_none=True)
    data["accounts"] |= accounts
    await rig.services.config.apply(domains_from_data(data), author="test")
    validated = []
    original = Account.model_validate

    def counted(values, **more):
        validated.append(values)
        return original(values, **more)

    monkeypatch.setattr(Account, "model_validate", counted)
    now = await client.form("account", "u500")
    tried = await client.save_form(
        "account", "u500", {"full_name": "U"}, revision=now.revision, dry_run=True
    )
    assert tried.values["full_name"] == "U"
    assert len(validated) == 1


async def test_a_new_hold_rule_begins_with_its_defaults_and_needs_a_name(rig, client):
    first = await client.form("hold-rule", "new-one")
    assert not first.exists
    assert first.values["to_domain"] == []
    saved = await client.save_form("hold-rule", "new-one", first.values, revision=first.revision)
    assert "new-one" in rig.services.config.current.domains.hold_rules
    error = await refused(
        client.save_form("hold-rule", "No!", first.values, revision=saved.revision)
    )
    assert list(messages(error)) == ["/@key"]


async def test_an_address_is_put_on_the_suppression_list_by_its_form(client):
    address = "bo@example.net"
    first = await client.form("suppression", address)
    values = {**first.values, "account": "anna", "days": 7, "reason": "asked for it"}
    tried = await client.save_form(
        "suppression", address, values, revision=first.revision, dry_run=True
    )
    assert not tried.saved
    assert (await client.suppressions()).items == []
    await client.save_form("suppression", address, values, revision=first.revision)
    entry = (await client.suppressions()).items[0]
    assert (entry.address, entry.account, entry.automatic) == (address, "anna", False)
    assert entry.until is not None
    bad = {"account": "nobody", "days": -1}
    error = await refused(client.save_form("suppression", "bo", bad, revision=first.revision))
    assert list(messages(error)) == ["/@key", "/days"]
    error = await refused(
        client.save_form("suppression", address, {"account": "nobody"}, revision=first.revision)
    )
    assert list(messages(error)) == ["/account"]


async def test_forms_pages_and_search_speak_german(client):
    client.language = "de-AT,de;q=0.9,en;q=0.5"
    spec = await client.form_spec("account")
    assert spec.title == "Konto"
    pages = await client.pages()
    assert (pages.language, pages.areas["delivery"]) == ("de", "Zustellung")
    for words in ("kontingent", "quota", "platz"):
        assert "Platz" in {item.title for item in await client.search_forms(words)}, words
    now = await client.form("transport", "relay")
    via = {"kind": "submissions", "host": ""}
    error = await refused(
        client.save_form("transport", "relay", {"via": via}, revision=now.revision)
    )
    assert messages(error) == {"/via/host": "Geben Sie den Namen des Servers ein."}


HOSTILE = [
    None,
    True,
    0,
    -1,
    2**80,
    1.5,
    "",
    "\x00",
    "x" * 20_000,
    "example.org",
    [],
    [None],
    [[[]]],
    [{}],
    ["x"],
    {},
    {"kind": "direct", "family": []},
    {"kind": ["submissions"]},
    {"": {}},
    {"a": None},
    {"a": {"addresses": ["x"]}},
    {"set": True},
]


@pytest.mark.parametrize("form", [form.id for form in FORMS])
async def test_no_value_is_a_fault_of_the_server(rig, client, form):
    """Each field with each of them, alone and inside; a fault of ours would be logged and fail the test."""
    await add_relay(client)
    key = KEYS.get(form, "bo@example.net" if form == "suppression" else "-")
    now = await client.form(form, key)

    async def attempt(values):
        try:
            await client.save_form(form, key, values, revision=now.revision, dry_run=True)
        except ApiError as error:
            assert error.status == 422, (values, error)

    for name, value in now.values.items():
        for hostile in HOSTILE:
            await attempt({name: hostile})
            if isinstance(value, dict):
                for inner in value:
                    await attempt({name: {**value, inner: hostile}})
