"""`gatepost form` as people and programs see it."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from app.cli import main
from tests.support.admin_server import admin_server


@pytest.fixture
async def run(tmp_path):
    """`await run("form", "list", code=0)`: the output."""

    async def run(*words: str, code: int = 0) -> str:
        result = await asyncio.to_thread(
            CliRunner().invoke, main, [*words, "--dir", str(tmp_path / "data")]
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    async with admin_server(tmp_path / "data"):
        yield run


async def test_forms_are_listed_and_settings_found(run):
    assert "server-limits" in await run("form", "list")
    assert "quota_bytes" in await run("form", "list", "--find", "quota")
    assert "Nothing is found" in await run("form", "list", "--find", "zzz")
    assert any(each["id"] == "domain" for each in json.loads(await run("form", "list", "--json")))


async def test_a_value_is_shown_tried_and_set(run):
    assert "description" in await run("form", "show", "domain", "example.org")
    tried = await run("form", "set", "domain", "example.org", "description=Home", "--dry-run")
    assert "“Description” is set to “Home”." in tried
    assert "Nothing was changed." in tried
    await run("form", "set", "domain", "example.org", "description=Home", "disabled=true")
    shown = json.loads(await run("form", "show", "domain", "example.org", "--json"))
    assert shown["values"]["description"] == "Home"
    assert shown["values"]["disabled"] is True


async def test_deep_values_lists_and_a_new_thing(run):
    await run("form", "set", "transport", "relay", "via/host=a.test", "via/auth/username=me")
    shown = await run("form", "show", "transport", "relay")
    assert "via/auth/password" in shown
    assert "(not set)" in shown
    await run("form", "set", "routes", "-", 'routes=[{"transport": "relay"}]')
    await run("form", "set", "routes", "-", 'routes/0/to_domain=["example.net"]')
    assert "routes/0/to_domain" in await run("form", "show", "routes")


async def test_all_faults_are_told_and_nothing_is_saved(run):
    refused = await run(
        "form", "set", "server-limits", "-", "recipients=1", "connections=1", code=1
    )
    assert "“Recipients of one message” must be at least 100." in refused
    assert "“Connections” must be at least 10." in refused
    assert "There is no form" in await run("form", "show", "nothing", code=1)


@pytest.mark.parametrize(
    "change", ["description", "=x", "description/deeper=1", "routes/9/transport=x"]
)
async def test_a_change_that_is_none_is_refused(run, change):
    await run("form", "set", "domain", "example.org", change, code=1 if "routes" in change else 2)


async def test_a_password_is_not_taken_from_the_command_line(run):
    await run("form", "set", "transport", "relay", "via/host=a.test", "via/auth/username=me")
    refused = await run("form", "set", "transport", "relay", "via/auth/password=x", code=2)
    assert "gatepost transport password" in refused
