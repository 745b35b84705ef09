"""`gatepost dns` with a server process of its own: what it proposes, published as it says, is found right."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.config.server import Listener
from tests.support.dns_server import DnsServer
from tests.support.server_process import ROOT, Serve, Trial, environment, free_ports
from tests.support.settings import new_folder

pytestmark = pytest.mark.e2e

ADDRESS = "203.0.113.9"


async def dns(folder: Path, *words: str) -> tuple[int, dict]:
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "app", "dns", *words, "--dir", str(folder), "--json"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=environment(),
        timeout=60,
    )
    return done.returncode, json.loads(done.stdout)


def publish(zone: DnsServer, items: list[dict]) -> None:
    """As a person would: each line that a zone file would have."""
    for item in items:
        rdata = [line.split(f" IN {item['type']} ", 1)[1] for line in item["lines"]]
        known = zone.records.get(item["name"], {}).get(item["type"], [])
        zone.add(item["name"], {item["type"]: [*known, *rdata]})


async def test_what_is_proposed_and_published_is_found_right(tmp_path):
    smtp, imaps, submissions, https = free_ports("127.0.0.1", 4)
    listener = Listener.model_validate(
        {
            "addresses": ["127.0.0.1"],
            "public_addresses": [ADDRESS],
            "smtp_port": smtp,
            "imaps_port": imaps,
            "submissions_port": submissions,
            "https_port": https,
        }
    )
    async with DnsServer(authority=True) as zone:
        folder = tmp_path / "data"
        new_folder(
            folder,
            hostname="mail.a.test",
            domain="a.test",
            server={"outbound": {"resolvers": [zone.endpoint]}},
            listeners={"public": listener},
        )
        server = Serve(folder)
        await asyncio.to_thread(server.start)
        try:
            code, before = await dns(folder, "check", "a.test")
            assert code == 1
            assert "missing" in {each["result"] for each in before["items"]}
            _, proposed = await dns(folder, "records", "a.test")
            assert {"address", "mx", "spf", "dmarc", "ptr", "srv", "autoconfig", "tlsrpt", "tlsa"} <= {
                each["code"] for each in proposed["items"]
            }  # fmt: skip
            publish(zone, proposed["items"])
            code, after = await dns(folder, "check", "a.test")
        finally:
            await asyncio.to_thread(server.stop)
    wrong = [(each["code"], each["summary"]) for each in after["items"] if each["result"] != "ok"]
    assert not wrong
    assert code == 0
    assert len(after["items"]) == len(proposed["items"])


async def test_a_practice_server_says_that_it_needs_no_dns(tmp_path):
    trial = Trial(tmp_path / "data")
    await asyncio.to_thread(trial.start)
    try:
        code, report = await dns(trial.folder, "check", "gatepost.test")
        assert (code, report["practice_mode"], report["items"]) == (0, True, [])
        assert "needs no DNS" in report["headline"]
    finally:
        await asyncio.to_thread(trial.stop)
