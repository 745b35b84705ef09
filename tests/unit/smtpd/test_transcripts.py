"""The golden conversations under tests/transcripts/smtp, played against real servers."""

import asyncio
import base64
from pathlib import Path

import pytest

from tests.support.smtp_servers import PASSWORD, running_servers
from tests.support.transcript import Player, TranscriptError

FOLDER = Path(__file__).resolve().parents[2] / "transcripts" / "smtp"
WORDS = {"PLAIN": base64.b64encode(f"\0anna@gatepost.test\0{PASSWORD}".encode()).decode()}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
async def test_transcript(path: Path, tmp_path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    is_submission = "! submission\n" in text
    async with running_servers(
        tmp_path / "data", practice_mode=False, with_logins=is_submission
    ) as servers:
        port = servers.ports["submission" if is_submission else "mx"]
        player = Player(*await asyncio.open_connection("127.0.0.1", port), words=WORDS)

        async def count(argument: str) -> None:
            account, wanted = argument.split()
            assert len(await servers.messages(account)) == int(wanted), argument

        async def starttls(_: str) -> None:
            await player.writer.start_tls(
                servers.client_tls(), server_hostname="mail.gatepost.test"
            )

        async def nothing(_: str) -> None:
            pass

        player._actions = {"count": count, "starttls": starttls, "submission": nothing}
        await player.run(text, path.name)
        player.writer.close()


async def test_a_mismatch_shows_the_line_and_the_story(tmp_path: Path) -> None:
    async with running_servers(tmp_path / "data", with_logins=False) as servers:
        player = Player(*await asyncio.open_connection("127.0.0.1", servers.ports["mx"]))
        with pytest.raises(TranscriptError, match=r"odd:3: expected: 251"):
            await player.run("S: 220 …\nC: NOOP\nS: 251 …\n", "odd")
        player.writer.close()
