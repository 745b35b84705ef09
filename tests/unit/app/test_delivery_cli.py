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
    assert "takes no route" in await run("route", "test", "--to", "me@example.org")
    assert "is used by route 1 of the server" in await run("transport", "remove", "relay", code=1)
    await run("route", "remove", "1")
    await run("transport", "remove", "relay")
    assert "There is no transport" in await run("transport", "list")


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
        ("route", "add", "--transport", "x", "--account", "a", "--domain", "b"),
        ("queue", "transport", "1"),
        ("queue", "transport", "1", "relay", "--direct"),
    ],
)
async def test_what_is_missing_on_the_command_line_is_named(run, words):
    assert "Error" in await run(*words, code=2)


async def test_a_transport_for_a_message_must_exist(run):
    assert 'unknown transport "gone"' in await run("queue", "transport", "1", "gone", code=1)
    assert "no such message" in await run("queue", "transport", "1", "--direct", code=1)
