"""`gatepost queue` as people see it."""

import asyncio

import pytest
from click.testing import CliRunner

from app.cli import main
from backend.outbound.interrupted import add_to_tally
from tests.support.admin_server import admin_server
from tests.support.queued import enqueue


@pytest.fixture
async def rig(tmp_path):
    async with admin_server(tmp_path / "data") as rig:
        yield rig


@pytest.fixture
def run(tmp_path):
    """`await run("queue", "list", code=0)`: the output."""

    async def run(*words: str, code: int = 0, stdin: str | None = None) -> str:
        result = await asyncio.to_thread(
            CliRunner().invoke, main, [*words, "--dir", str(tmp_path / "data")], input=stdin
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    return run


async def test_actions_take_ids_or_filters(rig, run):
    ids = await enqueue(rig, "a@b.test", "b@b.test", "c@c.test")
    assert "1 message held" in await run("queue", "hold", str(ids[0]))
    assert "1 message held" in await run("queue", "hold", "--domain", "b.test")
    assert "2 messages released" in await run("queue", "release", "--all")
    assert "3 messages put off" in await run("queue", "postpone", "--all", "--for", "2h")
    assert "in 1 h 59 min" in await run("queue", "list")
    assert "put off" in await run(
        "queue", "postpone", "--text", "c@", "--until", "2030-01-01 08:00"
    )
    assert "2 messages tried 3 times in all" in await run(
        "queue", "attempts", "--domain", "b.test", "--in-all", "3"
    )
    assert "0 of 3" in await run("queue", "list")
    await run("queue", "attempts", "--all", "--in-all", "13", code=2)
    assert "3 messages will be tried now" in await run("queue", "kick", "--account", "me")
    for words in (("hold",), ("hold", "1", "--all"), ("postpone", "--all", "--for", "soon")):
        await run("queue", *words, code=2)
    await run("queue", "postpone", "--all", code=2)


async def test_sendings_without_an_answer_are_told_below_the_list(rig, run):
    await enqueue(rig, "a@b.test")
    assert "no answer came" not in await run("queue", "list")
    database = rig.services.outbound.queue.database
    await database.write(lambda tx: add_to_tally(tx, "unconfirmed", 3))
    listed = await run("queue", "list")
    assert "3 times so far a message was sent and no answer came" in listed
    assert '"unconfirmed": 3' in await run("queue", "list", "--json")


async def test_what_cannot_be_undone_is_asked_with_its_count(rig, run):
    ids = await enqueue(rig, "a@b.test", "b@b.test", "c@c.test")
    asked = await run("queue", "drop", "--domain", "b.test", stdin="n\n", code=1)
    assert "Remove 2 messages? This can't be undone" in asked
    assert "2 messages removed" in await run("queue", "drop", "--domain", "b.test", stdin="y\n")
    assert "1 message given up" in await run("queue", "fail", "--all", "--yes")
    listed = await run("queue", "history")
    assert listed.count("removed by ") == 2
    shown = await run("queue", "history", str(ids[0]))
    assert "Lunch" in shown and "No attempt was made" in shown
    page = await run("queue", "history", "--limit", "1")
    assert "of 2; go on with --after " in page
    rest = await run(
        "queue", "history", "--limit", "1", "--after", page.split("--after ")[1].strip()
    )
    assert "a@b.test" in rest
    assert "Nothing that has left" in await run("queue", "history", "--result", "delivered")
    assert '"next": ""' in await run("queue", "history", "--json")
    await run("queue", "history", "999", code=1)


async def test_the_history_says_when_a_message_may_have_come_twice(rig, run):
    ids = await enqueue(rig, "a@b.test")
    await rig.services.outbound.queue.database.write(
        lambda tx: tx.run("UPDATE recipient SET unconfirmed = 2")
    )
    await run("queue", "drop", "--all", "--yes")
    shown = await run("queue", "history", str(ids[0]))
    assert "sent 2 times without an answer, so it may have arrived all the same" in shown
    assert '"unconfirmed": 2' in await run("queue", "history", "--json")


async def test_rules_hold_and_let_go(rig, run):
    await enqueue(rig, "a@b.test", "c@c.test")
    await run("queue", "rule", "add", "x", code=2)
    assert "1 message held" in await run("queue", "rule", "add", "to-b", "--to", "b.test")
    assert "to-b" in await run("queue", "rule", "list")
    assert "0 messages held" in await run("queue", "rule", "apply", "to-b")
    asked = await run("queue", "rule", "remove", "to-b", stdin="y\n")
    assert "Release the 1 messages" in asked and "1 message released" in asked
    assert "2 messages held" in await run("queue", "pause", "--reason", "moving")
    assert "Sending is paused" in await run("queue", "rule", "list")
    assert "sending is paused: moving" in await run("queue", "list")
    assert "2 messages released" in await run("queue", "resume")
    assert "There is no hold rule" in await run("queue", "rule", "list")


async def test_addresses_are_suppressed_and_written_to_again(rig, run):
    await run("account", "add", "me@example.org")
    assert "No address" in await run("queue", "suppression", "list")
    await run("queue", "suppression", "add", "bo@b.test", "--account", "me", "--reason", "gone")
    listed = await run("queue", "suppression", "list")
    assert "bo@b.test" in listed and "for ever" in listed and "hand" in listed
    assert "is sent again" in await run(
        "queue", "suppression", "remove", "bo@b.test", "--account", "me"
    )
    await run("queue", "suppression", "remove", "bo@b.test", code=1)


async def test_the_limits_of_an_account_are_shown(rig, run):
    await run("account", "add", "me@example.org")
    await enqueue(rig, "a@b.test")
    shown = await run("account", "limits", "me")
    assert "recipients      1     1000  now" in shown


async def test_transport_and_encryption_are_chosen_for_all_that_match(rig, run):
    ids = await enqueue(rig, "a@b.test", "b@b.test", "c@c.test")
    told = await run("queue", "transport", "--domain", "b.test", "--direct")
    assert "2 messages to be sent by direct delivery from now on" in told
    told = await run("queue", "transport", str(ids[0]), str(ids[2]), "--by-routes")
    assert "2 messages to be sent as the routes say" in told
    told = await run("queue", "tls", "--all", "verified")
    assert "3 messages sent only with verified encryption" in told
    assert "1 message sent with the enc" in await run("queue", "tls", str(ids[0]), "default")
    for words in (("tls", "1"), ("tls", "verified"), ("tls", "x", "verified"), ("transport",)):
        await run("queue", *words, code=2)
    assert "Nothing waits" in await run("queue", "list", "--problem")
    page = await run("queue", "list", "--limit", "2")
    rest = await run("queue", "list", "--limit", "2", "--after", page.split("--after ")[1].strip())
    assert "a@b.test" in rest  # tried last, so it stands last
    assert "--after" not in rest


async def test_a_message_is_printed_as_it_is(rig, run):
    (number,) = await enqueue(rig, "a@b.test")
    assert "Subject: Lunch" in await run("queue", "message", str(number))
    await run("queue", "message", "999", code=1)
