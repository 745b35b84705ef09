"""The DKIM keys of a domain through the API."""

import json

import pytest

from backend.api.client import ApiError
from tests.support.admin_server import admin_server

DOMAIN = "example.org"


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as one:
        yield one


async def refused(awaitable) -> ApiError:
    with pytest.raises(ApiError) as error:
        await awaitable
    return error.value


async def test_keys_are_made_chosen_changed_and_removed(client):
    added = await client.add_dkim_selector(DOMAIN, selector="one")
    (one,) = added.selectors
    assert (one.name, one.algorithm, one.signs, one.in_dns) == ("one", "rsa2048", False, None)
    assert one.record.name == f"one._domainkey.{DOMAIN}"
    assert "".join(one.record.strings) == one.record.value
    chosen = await client.choose_dkim_selectors(DOMAIN, ["one"])
    assert chosen.sign == ["one"]
    begun = await client.rotate_dkim(DOMAIN)
    assert begun.rotation.phase == "publish"
    assert "Publish the DNS records" in begun.rotation.next
    hurried = await client.rotate_dkim(DOMAIN, skip_waiting=True)
    assert hurried.rotation.phase == "retire"
    assert hurried.rotation.old == ["one"]
    assert hurried.rotation.due_at > hurried.rotation.since
    (new,) = hurried.sign
    assert (await client.dkim(DOMAIN, check=True)) == hurried
    refusal = await refused(client.remove_dkim_selector(DOMAIN, new))
    assert (refusal.status, refusal.issues[0].code) == (409, "dkim.selector_signs")
    assert "--even-if-signing" in refusal.issues[0].fix
    removed = await client.remove_dkim_selector(DOMAIN, new, even_if_signing=True)
    assert [s.name for s in removed.selectors] == ["one"]
    assert removed.sign == []


async def test_what_does_not_exist_is_said(client):
    assert (await refused(client.dkim("other.test"))).status == 404
    assert (await refused(client.remove_dkim_selector(DOMAIN, "none"))).status == 404
    refusal = await refused(client.choose_dkim_selectors(DOMAIN, ["none"]))
    assert refusal.status == 422
    assert "no selector “none”" in refusal.issues[0].message
    refusal = await refused(client.add_dkim_selector(DOMAIN, selector="Not a name"))
    assert (refusal.status, refusal.issues[0].path) == (422, "/name")
    await client.add_dkim_selector(DOMAIN, selector="one", algorithm="ed25519")
    assert (await refused(client.add_dkim_selector(DOMAIN, selector="one"))).status == 409


async def test_no_private_key_leaves_through_the_api(rig, client):
    replies = [
        await client.add_dkim_selector(DOMAIN, selector="one", sign=True),
        await client.add_dkim_selector(DOMAIN, selector="two", algorithm="ed25519"),
        await client.dkim(DOMAIN),
        await client.rotate_dkim(DOMAIN),
        await client.config(),
    ]
    text = "".join(reply.model_dump_json() for reply in replies)
    for selector in ("one", "two"):
        (file,) = rig.folder.secrets.rglob(f"{selector}.json")
        lines = json.loads(file.read_text())["private_key"].splitlines()
        assert "PRIVATE" not in text
        assert not any(line in text for line in lines[1:-1])
