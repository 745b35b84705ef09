"""Golden transcripts against a real server with a real store, over a socket."""

import base64
from pathlib import Path

import pytest

from tests.support.imap_server import PASSWORD, RunningImap, running_imap
from tests.support.mail import sample_message
from tests.support.transcript import Player

FOLDER = Path(__file__).resolve().parents[2] / "transcripts" / "imap"
WORDS = {
    "HOST": "mail.gatepost.test",
    "PASSWORD": f'"{PASSWORD}"',
    "PLAIN": base64.b64encode(f"\0anna@gatepost.test\0{PASSWORD}".encode()).decode(),
}


class Actions:
    """`deliver WORD` puts a message into INBOX; `other COMMAND` runs in a second session of the same account."""

    def __init__(self, server: RunningImap) -> None:
        self._server = server
        self._other = None

    async def deliver(self, subject: str) -> None:
        await self._server.deliver(sample_message(subject))

    async def other(self, command: str) -> None:
        if self._other is None:
            self._other = await self._server.login()
        await self._other.ok(command)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
async def test_transcript(path, tmp_path):
    async with running_imap(tmp_path) as server:
        client = await server.raw_client()
        actions = Actions(server)
        player = Player(
            client.reader,
            client.writer,
            actions={"deliver": actions.deliver, "other": actions.other},
            words=WORDS,
        )
        await player.run(path.read_text(encoding="utf-8"), path.name)
