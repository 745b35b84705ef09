"""mbsync (isync) against the server over TLS: two-way, until both sides are equal."""

import asyncio
from pathlib import Path

import pytest

from tests.support.imap_server import ANNA, PASSWORD, RunningImap, running_imap
from tests.support.mail import sample_message

pytestmark = pytest.mark.e2e

RC = """
IMAPAccount gatepost
Host localhost
Port {port}
User anna@gatepost.test
Pass "{password}"
SSLType IMAPS
CertificateFile {ca}


IMAPStore far
Account gatepost

MaildirStore near
SubFolders Verbatim
Path {near}/
Inbox {near}/INBOX

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Remove Both
SyncState *
CopyArrivalDate yes
"""
FLAGS = {"F": b"\\Flagged", "R": b"\\Answered", "S": b"\\Seen", "T": b"\\Deleted", "D": b"\\Draft"}

Side = dict[str, list[tuple[bytes, frozenset[bytes]]]]


class Sync:
    def __init__(self, server: RunningImap, folder: Path) -> None:
        self.server = server
        self.near = folder / "near"
        self.near.mkdir()
        self.rc = folder / "mbsyncrc"
        self.rc.write_text(
            RC.format(
                port=server.tls_port,
                password=PASSWORD,
                ca=server.tls.ca_file,
                near=self.near,
            )
        )

    async def run(self) -> None:
        process = await asyncio.create_subprocess_exec(
            "mbsync", "-c", str(self.rc), "-a", "-V",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        async with asyncio.timeout(60):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    def near_side(self) -> Side:
        side: Side = {}
        for box in sorted(path.parent for path in self.near.rglob("cur")):
            messages = []
            for path in [*(box / "cur").iterdir(), *(box / "new").iterdir()]:
                marks = path.name.partition(":2,")[2]
                messages.append((_plain(path.read_bytes()), frozenset(FLAGS[m] for m in marks)))
            side[str(box.relative_to(self.near))] = sorted(messages, key=str)
        return side

    async def far_side(self) -> Side:
        client = await self.server.login()
        side: Side = {}
        for mailbox in await (await self.server.store.account(ANNA)).mailboxes():
            await client.ok(f'EXAMINE "{mailbox.name}"')
            messages = []
            for line in await client.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])"):
                flags, _, rest = line.partition(b"FLAGS (")[2].partition(b") BODY[] ")
                raw = rest.partition(b"\r\n")[2][:-1]
                messages.append((_plain(raw), frozenset(flags.split())))
            side[mailbox.name] = sorted(messages, key=str)
        return side

    async def equal(self) -> Side:
        near, far = self.near_side(), await self.far_side()
        assert near == far
        return far

    def file_of(self, mailbox: str, subject: str) -> Path:
        for part in ("cur", "new"):
            for path in (self.near / mailbox / part).iterdir():
                if f"Subject: {subject}\n".encode() in path.read_bytes():
                    return path
        raise AssertionError(f"no {subject} in {mailbox}")

    def mark(self, mailbox: str, subject: str, marks: str) -> None:
        path = self.file_of(mailbox, subject)
        path.rename(self.near / mailbox / "cur" / f"{path.name.partition(':2,')[0]}:2,{marks}")


def _plain(raw: bytes) -> bytes:
    """Maildir keeps LF, and mbsync a header line of its own."""
    lines = raw.replace(b"\r\n", b"\n").split(b"\n")
    return b"\n".join(line for line in lines if not line.startswith(b"X-TUID: "))


async def test_both_sides_end_equal(tmp_path):
    async with running_imap(tmp_path / "server") as server:
        sync = Sync(server, tmp_path)
        for subject in ("one", "two", "three", "four", "five", "six"):
            await server.deliver(sample_message(subject))
        await server.deliver(sample_message("big", 700_000), flags=frozenset({"\\Seen"}))
        await server.deliver(sample_message("sub"), "Work/2024")
        await sync.run()
        first = await sync.equal()
        assert len(first["INBOX"]) == 7 and len(first["Work/2024"]) == 1

        # Changes on both sides at once: flags, moves, deletions, arrivals, a new mailbox.
        client = await server.login(select="INBOX")
        await client.ok("STORE 1 +FLAGS (\\Seen \\Flagged)")
        await client.ok("MOVE 2 Archive")
        await client.ok("STORE 2 +FLAGS (\\Deleted)")
        await client.ok("EXPUNGE")
        await server.deliver(sample_message("seven"))
        await client.ok("CREATE Far")
        sync.mark("INBOX", "four", "RS")
        sync.file_of("INBOX", "five").unlink()
        sync.file_of("INBOX", "six").rename(sync.near / "Archive" / "cur" / "moved-here:2,F")
        for part in ("cur", "new", "tmp"):
            (sync.near / "Near" / part).mkdir(parents=True)
        (sync.near / "Near" / "new" / "1.near").write_bytes(
            sample_message("from near").replace(b"\r\n", b"\n")
        )
        await sync.run()
        await sync.run()
        second = await sync.equal()
        subjects = {
            name: sorted(
                raw.partition(b"Subject: ")[2].partition(b"\n")[0].decode() for raw, _ in box
            )
            for name, box in second.items()
        }
        assert subjects["INBOX"] == ["big", "four", "one", "seven"]
        assert subjects["Archive"] == ["six", "two"]
        assert subjects["Near"] == ["from near"]
        assert subjects["Far"] == []
        flags = {
            raw.partition(b"Subject: ")[2].partition(b"\n")[0]: f for raw, f in second["INBOX"]
        }
        assert flags[b"one"] == {b"\\Seen", b"\\Flagged"}
        assert flags[b"four"] == {b"\\Seen", b"\\Answered"}

        # Nothing left to do: a third run changes nothing.
        await sync.run()
        assert await sync.equal() == second
