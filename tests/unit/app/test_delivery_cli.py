"""`gatepost transport`, `route` and `queue transport` as people see them."""

import asyncio

import pytest
from click.testing import CliRunner

from app.cli import main
from tests.support.admin_server import admin_server
from tests.support.smtp_sink import SmtpSink


@pytest.fixture
async def run(tmp_path):
    """`await run("transport", "list", code=0)`: the output."""

    async def run(*words: str, code: int = 0, stdin: str | None = None) -> str:
        result = await asyncio.to_thread(
            CliRunner().invoke, main, [*words, "--dir", str(tmp_path / "data")], input=stdin
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    async with admin_server(tmp_path / "data"):
        yield run


async def test_a_relay_from_adding_to_removing(run):
    assert "There is no transport" in await run("transport", "list")
    added = await run("transport", "add", "relay", "--host", "smtp.example.net", "--user", "me")
    assert "relay smtp.example.net:465 with TLS, signs in as me" in added
    assert "gatepost transport password relay" in added
    assert "MISSING" in await run("transport", "list")
    told = await run("transport", "password", "relay", "--password-stdin", stdin="secret\n")
    assert "is set" in told
    assert "secret" not in await run("transport", "show", "relay")
    await run("route", "add", "--transport", "relay", "--to", ".example.net", "--after", "3")
    listed = await run("route", "list")
    assert "to .example.net, after 3 attempts" in listed
    assert "Otherwise: directly" in listed
    tested = await run(
        *("route", "test", "--from", "me@example.org", "--to", "bo@mx.example.net"),
        *("--attempt", "1", "--attempt", "4"),
    )
    assert "Attempt 1 goes by direct delivery" in tested
    assert "0 attempts were made so far, it asks for 3" in tested
    assert "Attempt 4 goes by the transport relay" in tested
    assert "Attempts: 1–3 direct, from 4 relay." in tested  # a range
    assert "takes no route" in await run("route", "test", "--to", "me@example.org")
    assert "is used by route 1 of the server" in await run("transport", "remove", "relay", code=1)
    await run("route", "remove", "1")
    await run("transport", "remove", "relay")
    assert "There is no transport" in await run("transport", "list")


async def test_a_relay_is_edited_and_what_is_not_named_stays(run):
    await run(
        "transport", "add", "relay", "--host", "a.test", "--user", "me", "--mechanism", "plain"
    )
    await run("transport", "password", "relay", "--password-stdin", stdin="secret\n")
    changed = (
        *("transport", "edit", "relay", "--kind", "relay-starttls"),
        *("--host", "b.test", "--spf-include", "spf.b.test"),
    )
    told = await run(*changed, code=1)
    assert "is for a.test; with this change it would be sent to b.test" in told
    assert "--keep-password" in told
    told = await run(*changed, "--keep-password")
    assert "Changed relay: relay b.test:587 with STARTTLS, signs in as me" in told
    assert "password" not in told
    told = await run("transport", "edit", "relay", "--host", "c.test", "--forget-password")
    assert "It needs a password: gatepost transport password relay" in told
    await run("transport", "edit", "relay", "--host", "b.test")
    shown = await run("transport", "show", "relay")
    assert "PLAIN" in shown
    assert "spf.b.test" in shown
    await run("transport", "edit", "relay", "--mechanism", "", "--any-certificate")
    shown = await run("transport", "show", "relay")
    assert "PLAIN" not in shown
    assert "any certificate" in shown
    told = await run("transport", "edit", "relay", "--kind", "direct", "--ipv4-only")
    assert "direct, over IPv4 only" in told
    assert "direct." in await run("transport", "edit", "relay", "--any-family")
    assert "unknown transport" in await run("transport", "edit", "gone", "--port", "1", code=1)


async def test_routes_are_edited_moved_and_switched_off(run):
    await run("transport", "add", "relay", "--host", "a.test")
    where = ("--domain", "example.org")
    await run("route", "add", "--transport", "relay", "--to", "one.test", *where)
    await run("route", "add", "--transport", "relay", "--to", "two.test", "--comment", "hi", *where)
    lines = (await run("route", "move", "2", "1", *where)).splitlines()
    assert "two.test" in lines[1]
    assert "hi" in lines[1]
    assert "switched off" in (await run("route", "disable", "1", *where)).splitlines()[1]
    tested = await run("route", "test", "--from", "me@example.org", "--to", "two.test")
    assert "it is switched off" in tested
    assert "switched off" not in await run("route", "enable", "1", *where)
    lines = (await run("route", "edit", "2", "--to", "", "--after", "2", *where)).splitlines()
    assert "after 2 attempts" in lines[2]
    assert "one.test" not in lines[2]
    assert "no route 3" in await run("route", "move", "3", "1", *where, code=2)
    await run("route", "edit", "1", "--after", "9", *where)
    assert "at most 7 attempts" in await run("config", "check")
    assert "no account" in await run("route", "enable", "1", "--account", "me", code=1)


async def test_routes_that_are_not_saved_can_be_tried(run, tmp_path):
    draft = tmp_path / "draft.json"
    draft.write_text('{"server": [{"transport": "new", "to_domain": ["x.test"]}]}')
    tried = ("route", "test", "--to", "bo@x.test", "--draft", str(draft))
    assert "the transport new (which does not exist)" in await run(*tried)
    draft.write_text('{"server": 1}')
    assert "draft.json" in await run(*tried, code=2)


async def test_a_test_shows_its_steps_and_ends_with_what_to_do(run):
    async with SmtpSink() as sink:
        where = ("--kind", "smarthost", "--host", "127.0.0.1", "--port", str(sink.port))
        await run("transport", "add", "lan", "--no-tls", *where)
        shown = await run("transport", "test", "lan", "--sender", "me@example.org")
        assert "ok      connect" in shown
        assert "takes mail from me@example.org" in shown
        sink.mail_reply = "550 5.7.1 \x1b[31mred"
        shown = await run("transport", "test", "lan", "--verbose", code=1)
        assert "FAILED  sender" in shown
        assert "Register this address" in shown
        assert "MAIL FROM" in shown
        assert "\x1b" not in shown
        await run("transport", "add", "tls", *where)
        assert "does not offer STARTTLS" in await run("transport", "test", "tls", code=1)


@pytest.mark.parametrize(
    "words",
    [
        ("transport", "add", "x"),
        ("transport", "add", "x", "--kind", "socks"),
        ("route", "add"),
        ("route", "edit", "1"),
        ("route", "test"),
        ("transport", "edit", "x"),
        ("route", "add", "--transport", "x", "--account", "a", "--domain", "b"),
        ("queue", "transport", "1"),
        ("queue", "transport", "1", "relay", "--direct"),
    ],
)
async def test_what_is_missing_on_the_command_line_is_named(run, words):
    assert "Error" in await run(*words, code=2)


async def test_a_transport_for_a_message_must_exist(run):
    assert 'unknown transport "gone"' in await run("queue", "transport", "1", "gone", code=1)
    assert "Not possible" in await run("queue", "transport", "1", "--direct", code=1)
