"""Limits, timeouts, TLS and ends of connections, over real sockets."""

import asyncio
import resource
import ssl

import pytest

from backend.core.ids import AccountId
from backend.imap import commands as c
from backend.imapd import commands, connection
from backend.imapd.server import ImapLimits
from tests.support.imap_server import ANNA, HOST, PASSWORD, Client, running_imap
from tests.support.mail import sample_message


async def starttls(client: Client, context: ssl.SSLContext) -> Client:
    await client.writer.start_tls(context, server_hostname=HOST)
    return client


async def ends(client: Client) -> list[bytes]:
    """What is still said until the server closes."""
    lines = []
    while True:
        try:
            lines.append(await client.line())
        except (asyncio.IncompleteReadError, ConnectionError):
            return lines


async def test_starttls_then_login(tmp_path):
    async with running_imap(tmp_path, practice_mode=False) as server:
        client = await server.connect()
        (line,) = await client.ok("CAPABILITY")
        assert b"LOGINDISABLED" in line and b"STARTTLS" in line and b"AUTH=" not in line
        _, done = await client.call(f'LOGIN anna@gatepost.test "{PASSWORD}"')
        assert done.startswith(b"NO [PRIVACYREQUIRED]")
        await client.ok("STARTTLS")
        await starttls(client, server.client_tls())
        (line,) = await client.ok("CAPABILITY")
        assert b"AUTH=PLAIN" in line and b"STARTTLS" not in line
        await client.login()
        _, done = await client.call("STARTTLS")
        assert done.startswith(b"BAD")


async def test_what_was_slipped_in_behind_starttls_is_not_run(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        client.send(b"a STARTTLS\r\nb CREATE injected\r\n")
        assert (await client.line()).startswith(b"a OK")
        await starttls(client, server.client_tls())
        client.send(b"c NOOP\r\n")
        assert (await client.line()).startswith(b"c OK")


async def test_a_broken_handshake_leaves_nothing_behind(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        await client.ok("STARTTLS")
        client.send(b"this is no client hello, not at all\r\n" * 10)
        await ends(client)
        while server.server.connection_count:
            await asyncio.sleep(0.01)


async def test_implicit_tls(tmp_path):
    async with running_imap(tmp_path, practice_mode=False) as server:
        client = await server.connect(tls=True)
        await client.login()
        assert await client.ok("NOOP") == []


async def test_too_many_bad_commands_end_in_bye(tmp_path):
    async with running_imap(tmp_path, limits=ImapLimits(bad_commands=3)) as server:
        client = await server.connect()
        client.send(b"a FOO\r\nb NOOP\r\nc FOO\r\nd FOO\r\ne FOO\r\nf NOOP\r\n")
        lines = await ends(client)
        assert [line[:5] for line in lines] == [b"a BAD", b"b OK ", b"c BAD", b"d BAD", b"e BAD", b"* BYE"]  # fmt: skip


async def test_an_endless_line_ends_in_bye(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        client.send(b"x" * 20_000)
        assert await ends(client) == [b"* BYE A line is too long"]


async def test_one_address_gets_so_many_connections_and_no_more(tmp_path):
    async with running_imap(tmp_path, limits=ImapLimits(connections_per_address=2)) as server:
        first = await server.connect()
        await server.connect()
        third = await server.raw_client()
        assert await ends(third) == [b"* BYE [UNAVAILABLE] Too many connections from your address"]
        await first.ok("LOGOUT")
        await ends(first)
        while server.server.connection_count > 1:
            await asyncio.sleep(0.01)
        await server.connect()


async def test_all_together_get_so_many_connections(tmp_path, expect_log):
    expect_log("too many IMAP connections")
    async with running_imap(tmp_path, limits=ImapLimits(connections=1)) as server:
        await server.connect()
        assert b"Too many connections" in (await ends(await server.raw_client()))[0]


async def test_who_does_not_sign_in_is_sent_away(tmp_path):
    async with running_imap(tmp_path, limits=ImapLimits(login_timeout_s=0.2)) as server:
        client = await server.connect()
        assert await ends(client) == [b"* BYE [UNAVAILABLE] Too long without signing in"]


async def test_who_dawdles_within_authenticate_is_sent_away(tmp_path):
    async with running_imap(tmp_path, limits=ImapLimits(login_timeout_s=0.2)) as server:
        client = await server.connect()
        client.send(b"a AUTHENTICATE PLAIN\r\n")
        assert (await ends(client))[-1].startswith(b"* BYE")


@pytest.mark.parametrize("command", [b"", b"a IDLE\r\n"])
async def test_silence_ends_in_autologout(tmp_path, command):
    limits = ImapLimits(login_timeout_s=0.2, idle_timeout_s=0.5)
    async with running_imap(tmp_path, limits=limits) as server:
        client = await server.login()
        client.send(command)
        assert (await ends(client))[-1] == b"* BYE Too long without a command"


async def test_the_server_says_bye_when_it_stops(tmp_path):
    async with running_imap(tmp_path) as server:
        waiting, idling = await server.login(), await server.login(select="INBOX")
        idling.send(b"a IDLE\r\n")
        assert await idling.line() == b"+ idling"
        await server.server.stop()
        assert await ends(waiting) == [b"* BYE The server is stopping"]
        assert await ends(idling) == [b"* BYE The server is stopping"]
        assert server.server.connection_count == 0


async def test_a_changed_account_loses_its_sessions(tmp_path):
    async with running_imap(tmp_path) as server:
        anna = await server.login()
        bert = await server.login("bert@gatepost.test")
        server.server.drop_account(ANNA)
        assert (await ends(anna))[0].startswith(b"* BYE Your account has changed")
        await bert.ok("NOOP")


async def test_an_unknown_fault_is_a_serverbug_with_a_number(tmp_path, monkeypatch, expect_log):
    expect_log("fault in an IMAP command")

    async def broken(*_):
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setitem(commands.HANDLERS, c.Namespace, broken)
    async with running_imap(tmp_path) as server:
        client = await server.login()
        _, done = await client.call("NAMESPACE")
        assert done.startswith(b"NO [SERVERBUG]") and b"imap-" in done
        assert b"secret" not in done
        await client.ok("NOOP")


async def test_a_slow_reader_holds_up_only_itself(tmp_path):
    async with running_imap(tmp_path) as server:
        for number in range(12):
            await server.deliver(sample_message(f"big {number}", 1_000_000))
        slow, quick = await server.login(select="INBOX"), await server.login(select="INBOX")
        slow.send(b"a FETCH 1:* BODY.PEEK[]\r\n")
        await quick.ok("UID FETCH 1:* FLAGS")
        lines, done = await slow.until(b"a")
        assert len(lines) == 12 and done.startswith(b"OK")


async def test_who_reads_nothing_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "WRITE_TIMEOUT_S", 0.3)
    async with running_imap(tmp_path) as server:
        for number in range(20):
            await server.deliver(sample_message(f"big {number}", 2_000_000))
        client = await server.login(select="INBOX")
        client.reader._transport.pause_reading()
        client.send(b"a FETCH 1:* BODY.PEEK[]\r\n" * 5)
        while server.server.connection_count:
            await asyncio.sleep(0.01)


async def test_a_client_that_vanishes_within_an_upload_leaves_no_file(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.login()
        client.send(b"a APPEND INBOX {900000+}\r\n" + b"x" * 500_000)
        spool = tmp_path / "spool"
        while not (spool.is_dir() and any(spool.iterdir())):
            await asyncio.sleep(0.01)
        client.writer.transport.abort()
        while server.server.connection_count or any(spool.iterdir()):
            await asyncio.sleep(0.01)


async def test_a_big_upload_goes_through_a_file_and_comes_out_the_same(tmp_path):
    raw = sample_message("big", 3_000_000)
    async with running_imap(tmp_path) as server:
        client = await server.login(select="INBOX")
        assert (await client.append("INBOX", raw)).startswith(b"OK [APPENDUID")
        line = (await client.ok("FETCH 1 BODY.PEEK[]"))[-1]
        assert line == b"* 1 FETCH (BODY[] {%d}\r\n%b)" % (len(raw), raw)
        assert not any((tmp_path / "spool").iterdir())


async def test_an_upload_beyond_the_limit_is_refused_and_read_over(tmp_path):
    async with running_imap(tmp_path, limits=ImapLimits(message_bytes=300_000)) as server:
        client = await server.login()
        done = await client.append("INBOX", b"x" * 400_000)
        assert done.startswith(b"NO [TOOBIG]")
        await client.ok("NOOP")


async def test_a_failed_upload_leaves_no_file(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.login()
        assert (await client.append("Nope", b"x" * 400_000)).startswith(b"NO [TRYCREATE]")
        assert (await client.append("INBOX x", b"x" * 400_000)).startswith(b"BAD")
        assert not any((tmp_path / "spool").iterdir())


async def test_an_upload_for_which_there_is_no_space_is_refused_for_now(tmp_path, expect_log):
    expect_log("appended message could not be spooled")
    spool = tmp_path / "spool"
    spool.mkdir()
    async with running_imap(tmp_path) as server:
        client = await server.login()
        number = server.server.next_number() - 1
        (spool / f"imap-{number}-0.eml").symlink_to("/dev/full")
        done = await client.append("INBOX", b"x" * 2_000_000)
        assert done.startswith(b"NO [UNAVAILABLE] Not enough storage")
        assert not any(spool.iterdir())
        assert (await client.append("INBOX", b"x" * 400_000)).startswith(b"OK")


async def test_mail_can_be_read_on_a_full_disk(tmp_path):
    async with running_imap(tmp_path) as server:
        await server.deliver(sample_message("one"))
        client = await server.login(select="INBOX")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
        try:
            lines = await client.ok("FETCH 1 (FLAGS BODY[TEXT])")
            assert lines[0].startswith(b"* 1 FETCH (FLAGS () BODY[TEXT] {")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert (await client.ok("FETCH 1 (FLAGS BODY[TEXT])"))[0].startswith(
            b"* 1 FETCH (FLAGS (\\Seen) BODY"
        )


async def test_answers_reach_a_client_that_has_closed_its_side(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        client.send(f'a LOGIN anna@gatepost.test "{PASSWORD}"\r\nb LIST "" *\r\n'.encode())
        client.writer.write_eof()
        lines = await ends(client)
        assert lines[-1].startswith(b"b OK")


async def test_a_full_mailbox_is_overquota(tmp_path):
    async with running_imap(tmp_path) as server:
        server.store.quota = lambda account: 1000 if account == ANNA else None
        client = await server.login()
        done = await client.append("INBOX", sample_message("big", 2000))
        assert done.startswith(b"NO [OVERQUOTA]")


async def test_sessions_of_different_accounts_do_not_hear_each_other(tmp_path):
    async with running_imap(tmp_path) as server:
        bert = await server.login("bert@gatepost.test", select="INBOX")
        await server.deliver(sample_message("for anna"))
        assert await bert.ok("NOOP") == []
        assert AccountId("bert") in {one.account_id for one in server.server._connections}


async def test_many_changes_between_two_commands_lead_to_a_resync(tmp_path, monkeypatch):
    monkeypatch.setattr("backend.imapd.session.PENDING_CHANGES", 5)
    async with running_imap(tmp_path) as server:
        for number in range(12):
            await server.deliver(sample_message(f"m{number}"))
        client, other = await server.login(select="INBOX"), await server.login(select="INBOX")
        for number in range(1, 11):
            await other.ok(f"STORE {number} +FLAGS.SILENT (\\Flagged)")
        await other.ok("STORE 12 +FLAGS.SILENT (\\Deleted)")
        await other.ok("EXPUNGE")
        await server.deliver(sample_message("new"))
        lines = await client.ok("NOOP")
        assert lines[0] == b"* 12 EXPUNGE"
        assert lines[1] == b"* 12 EXISTS"
        assert b"* 3 FETCH (UID 3 FLAGS (\\Flagged))" in lines
        assert len(await client.ok("SEARCH FLAGGED")) == 1


async def test_a_deleted_mailbox_empties_the_sessions_that_have_it_open(tmp_path):
    async with running_imap(tmp_path) as server:
        await server.deliver(sample_message("one"), "Old")
        client, other = await server.login(select="Old"), await server.login()
        await other.ok("DELETE Old")
        assert await client.ok("NOOP") == [b"* 1 EXPUNGE"]
        _, done = await client.call("APPEND Old {1+}\r\nx")
        assert done.startswith(b"NO [TRYCREATE]")
        _, done = await client.call("STORE 1:* FLAGS (x)")
        assert done.startswith(b"OK")


async def test_a_big_message_is_read_in_pieces(tmp_path):
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nshort\r\n--b\r\n"
        b"Content-Type: application/x\r\n\r\n" + bytes(range(32, 127)) * 8000 + b"\r\n--b--\r\n"
    )
    huge = 2**62
    async with running_imap(tmp_path) as server:
        await server.deliver(raw)
        client = await server.login(select="INBOX")
        body = raw[raw.index(b"x\r\n\r\n") + 5 : -9]
        for offset in (0, 100_000, len(body) - 10, len(body), len(body) + 5, huge):
            (line,) = await client.ok(f"FETCH 1 BODY.PEEK[2]<{offset}.50000>")
            value = body[offset : offset + 50_000]
            assert line == b"* 1 FETCH (BODY[2]<%d> {%d}\r\n%b)" % (offset, len(value), value)
        for offset in (0, len(raw) - 10, huge):
            (line,) = await client.ok(f"UID FETCH 1 (BODY.PEEK[]<{offset}.{huge}> RFC822.SIZE)")
            assert line.endswith(b" RFC822.SIZE %d)" % len(raw))
            assert raw[offset:] in line
        assert await client.ok("FETCH 1 BODY.PEEK[3]<0.5>") == [b"* 1 FETCH (BODY[3]<0> NIL)"]


async def test_pipelined_commands_are_answered_in_order(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.login(select="INBOX")
        client.send(b"".join(b"p%d NOOP\r\n" % number for number in range(3000)))
        for number in range(3000):
            assert await client.line() == b"p%d OK Done" % number


async def test_a_stranger_can_pipeline_more_than_is_kept(tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.connect()
        client.send(b"".join(b"p%d NOOP\r\n" % number for number in range(10_000)))
        for number in range(10_000):
            assert await client.line() == b"p%d OK Done" % number
