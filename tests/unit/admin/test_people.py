"""Domains, addresses, accounts and how mail apps are set up, over the API."""

import plistlib
import re

import pytest
from aiohttp.test_utils import TestClient, TestServer

from backend.api import domains as d
from backend.api import types as t
from backend.api.aliases import AddAlias
from backend.api.client import ApiError
from backend.config.load import domains_from_data
from backend.web.site import Site
from tests.support.admin_server import admin_server


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        await client.add_account(t.AddAccount(address="anna@example.org", full_name="Anna Meier"))
        await client.add_account(t.AddAccount(address="ben@example.org"))
        await client.add_address("ben", "@example.org")
        alias = AddAlias(address="family@example.org", members=["anna@example.org"])
        await client.add_alias(alias)
        yield client


async def test_a_domain_tells_what_there_is_and_what_is_to_do(client):
    view = await client.domain("Example.ORG")
    domain = view.domain
    assert (domain.accounts, domain.addresses, domain.aliases, domain.catch_all) == (2, 2, 1, "ben")
    assert {step.id for step in view.steps} >= {"dns", "unsigned", "mta_sts"}
    await client.add_dkim_selector("example.org", sign=True)
    view = await client.domain("example.org")
    assert view.domain.signed
    assert view.domain.dkim_made_at is not None
    assert "unsigned" not in {step.id for step in view.steps}
    assert (await client.domains())[0] == view.domain
    with pytest.raises(ApiError, match="There is no domain other"):
        await client.domain("other.example")


async def test_a_domain_without_addresses_says_so_first(client):
    await client.add_domain("empty.example")
    view = await client.domain("empty.example")
    assert view.steps[0].id == "address"
    assert view.steps[0].page == "/accounts/new?domain=empty.example"


async def test_all_addresses_come_in_pages_with_whose_they_are(client):
    found = await client.addresses(d.AddressQuery(domain="example.org"))
    kinds = [(each.address, each.kind, each.owner) for each in found.items]
    assert kinds == [
        ("@example.org", "catch_all", "ben"),
        ("anna@example.org", "account", "anna"),
        ("ben@example.org", "account", "ben"),
        ("family@example.org", "alias", "family@example.org"),
    ]
    page = await client.addresses(d.AddressQuery(sort="-address", limit=1, offset=1))
    assert ([each.address for each in page.items], page.total) == (["ben@example.org"], 4)
    named = await client.addresses(d.AddressQuery(search="MEIER"))
    assert [each.page for each in named.items] == ["/accounts/anna/addresses"]
    aliases = await client.addresses(d.AddressQuery(kind="alias"))
    assert aliases.items[0].page == "/aliases/family@example.org"
    assert (await client.addresses(d.AddressQuery(domain="other.example"))).total == 0


async def test_an_account_tells_its_state_and_what_is_to_do(client):
    assert [step.id for step in await client.account_steps("anna")] == ["connect"]
    await client.change_account("anna", t.ChangeAccount(disabled=True))
    account = await client.account("anna")
    assert (account.state, account.address) == ("disabled", "anna@example.org")
    assert [step.id for step in await client.account_steps("anna")] == ["disabled"]


async def test_accounts_are_filtered_by_domain_and_state(client):
    await client.add_domain("second.example")
    await client.add_address("anna", "anna@second.example")
    await client.change_account("ben", t.ChangeAccount(disabled=True))

    async def names(**query):
        page = await client.accounts_page(t.AccountsQuery(**query))
        return [each.id for each in page.items]

    assert await names(domain="second.example") == ["anna"]
    assert await names(disabled=True) == ["ben"]
    assert await names(disabled=False, sort="-last_sign_in_at") == ["anna"]


async def test_a_page_of_many_accounts_looks_only_into_its_own(rig, client, monkeypatch):
    accounts = {
        f"u{n:04}": {"domain": "example.org", "destinations": {f"u{n:04}@example.org": {}}}
        for n in range(1000)
    }
    data = rig.services.config.current.domains.model_dump(exclude_none=True)
    data["accounts"] |= accounts
    await rig.services.config.apply(domains_from_data(data), author="test")
    asked = []
    usages = rig.services.store.usages

    async def counted(names):
        asked.append(len(names))
        return await usages(names)

    monkeypatch.setattr(rig.services.store, "usages", counted)
    page = await client.accounts_page(t.AccountsQuery(limit=50, search="u0"))
    assert (len(page.items), page.total, asked) == (50, 1000, [50])


async def test_mail_to_an_address_gets_another_mailbox(client):
    account = await client.change_address("anna", "anna@example.org", mailbox="Other")
    assert account.addresses[0].mailbox == "Other"
    with pytest.raises(ApiError, match="has no address"):
        await client.change_address("anna", "ben@example.org", mailbox="Other")


# --- mail apps -----------------------------------------------------------------------------------------------------------


async def test_a_phone_fetches_its_settings_once_without_a_password(rig, client):
    with pytest.raises(ApiError, match="No port for HTTP is open"):
        await client.offer_profile("anna")
    rig.control.open_ports = [
        t.Port(
            listener="public",
            service=service,
            host="0.0.0.0",  # nothing is bound
            port=port,
            security="tls",
            purpose="",
        )
        for service, port in (("https", 443), ("imaps", 993), ("submissions", 465))
    ]
    made = await client.set_password("anna")
    link = await client.offer_profile("anna")
    assert link.qr_svg.startswith("<svg")
    assert "not signed" in link.note
    path = "/" + link.url.split("/", 3)[3]
    token = re.fullmatch(r"/setup/([\w-]{20,})\.mobileconfig", path)[1]
    site = Site(domains=set, ports=list, setup=rig.services.setup, now=rig.services.clock.time)
    async with TestClient(TestServer(site.build())) as phone:
        assert (await phone.get("/setup/another.mobileconfig")).status == 404
        reply = await phone.get(path)
        assert reply.content_type == "application/x-apple-aspen-config"
        assert reply.headers["Cache-Control"] == "no-store"
        profile = plistlib.loads(await reply.read())
    mail = profile["PayloadContent"][0]
    assert mail["EmailAddress"] == mail["IncomingMailServerUsername"] == "anna@example.org"
    assert (mail["IncomingMailServerPortNumber"], mail["OutgoingMailServerPortNumber"]) == (
        993,
        465,
    )
    assert "Password" not in {key.removeprefix("Incoming").removeprefix("Outgoing") for key in mail}
    assert made not in str(profile)
    assert token not in str(profile)
    settings = await client.client_settings("anna")
    assert settings.asked_at is not None
    later = rig.services.clock.time() + 61
    assert rig.services.setup.take(token, later) is None


async def test_every_device_has_steps(client):
    settings = await client.client_settings("anna")
    assert [each.id for each in settings.devices] == [
        "apple",
        "android",
        "thunderbird",
        "outlook",
        "other",
    ]
    assert all(len(each.steps) >= 3 for each in settings.devices)
    assert [each.id for each in settings.devices if each.profile] == ["apple"]
