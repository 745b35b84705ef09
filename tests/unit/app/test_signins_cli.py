"""`gatepost sign-ins` as people see it."""

import asyncio
import json

from click.testing import CliRunner

from app.cli import main
from backend.core.events import SignedIn
from tests.support.admin_server import admin_server


def entry(at: float, *, ok: bool) -> SignedIn:
    return SignedIn(
        account="anna" if ok else "",
        address="anna@example.org" if ok else "root",
        protocol="imap",
        peer="192.0.2.7",
        succeeded=ok,
        mechanism="PLAIN",
        at=at,
        encrypted=True,
    )


async def test_sign_ins_are_listed_and_counted_by_where_they_came_from(tmp_path):
    async def run(*words: str) -> str:
        given = ["sign-ins", *words, "--dir", str(tmp_path / "data")]
        result = await asyncio.to_thread(CliRunner().invoke, main, given)
        assert result.exit_code == 0, result.output
        return result.output

    async with admin_server(tmp_path / "data") as rig:
        assert "Nobody has signed in yet." in await run()
        assert "No sign-in was refused." in await run("--by-address")
        rig.record(entry(1, ok=True))
        rig.record(entry(2, ok=False))
        assert "signed in" in await run()
        assert "anna" not in await run("--failed")
        assert "root" in await run("--by-address")
        found = json.loads(await run("--json", "--from", "192.0.2.7"))
        assert [item["succeeded"] for item in found["items"]] == [False, True]
        counted = json.loads(await run("--json", "--by-address"))
        assert (counted["items"][0]["count"], counted["items"][0]["succeeded"]) == (1, 1)
