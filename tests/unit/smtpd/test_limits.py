"""What bounds a session: connections, mistakes, silence, the end of the server."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from backend.smtpd import guard as guards
from backend.smtpd.guard import GuardSettings
from tests.support.smtp_servers import running_servers
from tests.support.smtp_talk import SIMPLE, Talk, deliver


def quick(**numbers) -> GuardSettings:
    return GuardSettings(greeting_delay_s=0, error_delay_s=0, **numbers)


async def refusal(port: int) -> str:
    talk = await Talk.to(port, greet=False)
    answer = await talk.reply()
    assert await talk.is_closed()
    await talk.close()
    return answer


async def test_connections_are_limited_in_all_and_come_back(tmp_path):
    async with running_servers(tmp_path, guard=quick(connections=2), with_logins=False) as servers:
        port = servers.ports["mx"]
        first, second = await Talk.to(port), await Talk.to(port)
        assert "421 4.3.2" in (text := await refusal(port)) and "connections" in text
        await first.close()
        while servers.guard.open_connections > 1:
            await asyncio.sleep(0.005)
        third = await Talk.to(port)
        await second.close()
        await third.close()


async def test_connections_from_one_address_are_limited(tmp_path):
    settings = quick(connections_per_address=1)
    async with running_servers(tmp_path, guard=settings, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        assert "connections_per_address" in await refusal(servers.ports["mx"])
        await talk.close()


async def test_the_rate_of_new_connections_is_limited_except_in_practice(tmp_path):
    settings = quick(connections_per_minute_per_address=2)
    async with running_servers(tmp_path / "a", guard=settings, with_logins=False) as servers:
        for _ in range(2):
            await (await Talk.to(servers.ports["mx"])).close()
        assert "connections_per_minute_per_address" in await refusal(servers.ports["mx"])
    settings = quick(connections_per_minute_per_address=2, practice_mode=True)
    async with running_servers(tmp_path / "b", guard=settings, with_logins=False) as servers:
        for _ in range(5):
            await (await Talk.to(servers.ports["mx"])).close()


async def test_unknown_commands_end_the_session(tmp_path):
    async with running_servers(tmp_path, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        for _ in range(guards.MAX_UNKNOWN_COMMANDS):
            assert (await talk.say("BLAH")).startswith("500 5.5.2")
        assert (await talk.say("BLAH")).startswith("421 4.7.0")
        assert await talk.is_closed()
        await talk.close()


async def test_errors_end_the_session_and_a_taken_message_clears_them(tmp_path):
    async with running_servers(tmp_path, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        for _ in range(guards.MAX_ERRORS):
            assert (await talk.say("RCPT TO:<x@y>")).startswith("503")
        assert (await deliver(talk, "anna@gatepost.test")).startswith("250")
        for _ in range(guards.MAX_ERRORS):
            assert (await talk.say("RCPT TO:<x@y>")).startswith("503")
        assert (await talk.say("RCPT TO:<x@y>")).startswith("421 4.7.0")
        assert await talk.is_closed()
        await talk.close()


async def test_messages_on_one_connection_are_limited(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.smtpd.dialogue.MAX_MESSAGES", 2)
    async with running_servers(tmp_path, practice_mode=False, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        for _ in range(2):
            assert (await deliver(talk, "anna@gatepost.test")).startswith("250")
        assert (await talk.say("MAIL FROM:<a@b.test>")).startswith("421 4.7.0")
        await talk.close()


async def test_recipients_are_limited_and_the_rest_may_come_later(tmp_path):
    async with running_servers(tmp_path, recipients=3, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        await talk.say("MAIL FROM:<a@b.test>")
        for i in range(3):
            assert (await talk.say(f"RCPT TO:<r{i}@catch.test>")).startswith("250")
        reply = await talk.say("RCPT TO:<r4@catch.test>")
        assert reply.startswith("452 4.5.3") and "recipients" in reply
        assert (await talk.send(SIMPLE)).startswith("250")
        await talk.close()


async def test_a_silent_client_is_told_and_closed(tmp_path):
    async with running_servers(tmp_path, timeout_s=0.2, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        assert (await talk.reply()).startswith("421 4.4.2")
        assert await talk.is_closed()
        await talk.close()


async def test_silence_amid_data_ends_it_too_and_progress_does_not(tmp_path):
    async with running_servers(tmp_path, timeout_s=0.4, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
        for _ in range(8):  # twice the timeout in all, never a whole one in silence
            talk.writer.write(b"still here\r\n")
            await asyncio.sleep(0.1)
        talk.writer.write(b".\r\n")
        assert (await talk.reply()).startswith("250")
        await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
        talk.writer.write(b"and then\r\n")
        assert (await talk.reply()).startswith("421 4.4.2")
        assert len(await servers.messages()) == 1
        await talk.close()


async def test_a_stranger_who_speaks_first_is_sent_away(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.smtpd.listener.is_loopback", lambda _: False)
    settings = GuardSettings(greeting_delay_s=0.1)
    async with running_servers(tmp_path, guard=settings, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"], greet=False)
        talk.writer.write(b"EHLO spam.test\r\n")
        assert (await talk.reply()).startswith("554 5.5.1")
        assert await talk.is_closed()
        await talk.close()
        patient = await Talk.to(servers.ports["mx"])
        assert (await patient.say("NOOP")).startswith("250")
        await patient.close()


async def test_the_server_says_goodbye_to_waiting_sessions(tmp_path):
    async with running_servers(tmp_path, with_logins=False) as servers:
        waiting = await Talk.to(servers.ports["mx"])
        amid_data = await Talk.to(servers.ports["mx"])
        await amid_data.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
        amid_data.writer.write(b"half")
        await servers.mx.shut_down()
        for talk in (waiting, amid_data):
            assert (await talk.reply()).startswith("421 4.3.2")
            assert await talk.is_closed()
            await talk.close()
        assert servers.mx.open_connections == 0
        assert await servers.messages() == []
        assert (await refusal(servers.ports["mx"])).startswith("421 4.3.2")


@pytest.mark.parametrize("ending", ["shut down", "client gone"])
async def test_a_message_that_is_being_stored_is_finished(tmp_path: Path, ending, monkeypatch):
    async with running_servers(tmp_path, with_logins=False) as servers:
        begun, go_on = asyncio.Event(), asyncio.Event()
        deliver_really = servers.store.deliver

        async def slowly(*args, **kwargs):
            begun.set()
            await go_on.wait()
            return await deliver_really(*args, **kwargs)

        monkeypatch.setattr(servers.store, "deliver", slowly)
        talk = await Talk.to(servers.ports["mx"])
        await talk.say("MAIL FROM:<a@b.test>", "RCPT TO:<anna@gatepost.test>", "DATA")
        talk.writer.write(SIMPLE + b".\r\n")
        await begun.wait()
        if ending == "shut down":
            stopping = asyncio.get_running_loop().create_task(servers.mx.shut_down())
            await asyncio.sleep(0)
            go_on.set()
            assert (await talk.reply()).startswith("250")
            assert (await talk.reply()).startswith("421 4.3.2")
            await stopping
        else:
            talk.reset()
            while servers.mx.open_connections:
                await asyncio.sleep(0.005)
            go_on.set()
            while not await servers.messages():
                await asyncio.sleep(0.005)
        assert len(await servers.messages()) == 1
        with contextlib.suppress(ConnectionError):
            await talk.close()


async def test_a_client_that_never_reads_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.smtpd.listener.FLUSH_S", 0.1)
    async with running_servers(tmp_path, timeout_s=0.5, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        talk.writer.transport.pause_reading()
        talk.writer.write(b"HELP\r\n" * 500_000)
        while servers.mx.open_connections:
            await asyncio.sleep(0.01)
        talk.reset()


async def test_idle_commands_are_limited_for_strangers(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.smtpd.dialogue.MAX_IDLE_COMMANDS", 5)
    async with running_servers(tmp_path, practice_mode=False, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"])
        for _ in range(2):
            assert (await deliver(talk, "anna@gatepost.test")).startswith("250")
            for _ in range(3):
                assert (await talk.say("NOOP")).startswith("250")
        for _ in range(2):
            assert (await talk.say("RSET")).startswith("250")
        assert (await talk.say("NOOP")).startswith("421 4.7.0")
        await talk.close()


async def test_a_session_is_bounded_in_all(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.smtpd.dialogue.MAX_SESSION_S", -1)
    async with running_servers(tmp_path, practice_mode=False, with_logins=False) as servers:
        talk = await Talk.to(servers.ports["mx"], greet=False)
        await talk.reply()
        assert (await talk.say("EHLO me")).startswith("421 4.7.0 The session has lasted too long")
        await talk.close()
