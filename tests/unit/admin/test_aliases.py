"""Aliases over the API and on the command line."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from app.cli import main
from backend.api.aliases import AddAlias, ChangeAlias
from backend.api.client import ApiError
from backend.api.types import AddAccount
from tests.support.admin_server import admin_server


@pytest.fixture
async def client(tmp_path):
    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        await client.add_account(AddAccount(address="me@example.org"))
        yield client


async def test_an_alias_is_added_changed_and_removed(client):
    made = await client.add_alias(
        AddAlias(address="team@example.org", members=["me@example.org"], description="Us")
    )
    assert [(m.address, m.account) for m in made.members] == [("me@example.org", "me")]
    assert await client.aliases("example.org") == [made]
    assert await client.aliases("other.test") == []
    assert await client.alias("TEAM@example.org") == made
    changed = await client.change_alias("team@example.org", ChangeAlias(send_as=True))
    assert (changed.send_as, changed.description) == (True, "Us")
    await client.remove_alias("team@example.org")
    assert await client.aliases() == []


async def test_what_can_not_be_is_told_at_its_field(client):
    with pytest.raises(ApiError) as caught:
        await client.add_alias(AddAlias(address="team@example.org", members=["x@example.org"]))
    assert caught.value.issues[0].path == "/domains/example.org/aliases/team/members/0"
    with pytest.raises(ApiError) as caught:
        await client.alias("team@example.org")
    assert caught.value.status == 404


async def test_the_command_line_has_it_all(tmp_path):
    async def run(*words, code=0):
        folder = str(tmp_path / "data")
        result = await asyncio.to_thread(
            CliRunner().invoke, main, ["alias", *words, "--dir", folder]
        )
        assert result.exit_code == code, result.output
        return result.output

    async with admin_server(tmp_path / "data") as rig, rig.local() as client:
        await client.add_account(AddAccount(address="me@example.org"))
        assert "There is no alias yet" in await run("list")
        assert "members who are signed in" in await run(
            "add", "team@example.org", "me@example.org", "--members-only"
        )
        assert "team@example.org" in await run("list")
        await run("change", "team@example.org", "--public", "--send-as")
        (only,) = json.loads(await run("list", "--json"))
        assert (only["post_public"], only["send_as"]) == (True, True)
        assert "no address of an account here" in await run(
            "change", "team@example.org", "--member", "x@example.org", code=1
        )
        assert "Removed team@example.org" in await run("remove", "team@example.org")
