"""Nothing that was accepted is lost, and nothing comes twice but the one that was under way when the process died."""

import asyncio
import email
import random
import sys
from collections import Counter
from pathlib import Path

import pytest

from backend.outbound import actions
from backend.outbound.listing import count_items
from backend.outbound.schedule import MAX_BEHIND
from tests.support.dns_server import DnsServer
from tests.support.killed_submitter import ACCOUNTS, content, plan
from tests.support.outbound_rig import ZONE, OutboundRig, rig_config
from tests.support.smtp_sink import SmtpSink

ROUNDS = 15
KILLS, MANY = 4, 600
UNDER_WAY = 5 * (
    1 + MAX_BEHIND
)  # with one domain: for so many messages one process can have had a 250 without a commit
ROOT = Path(__file__).resolve().parents[3]


def number_of(raw: bytes) -> str:
    return email.message_from_bytes(raw)["Subject"]


@pytest.mark.kill
async def test_killed_at_any_moment_the_queue_loses_nothing(tmp_path):
    async with SmtpSink() as sink, DnsServer(ZONE) as dns:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.support.killed_submitter",
            str(tmp_path),
            str(sink.port),
            dns.endpoint,
            str(ROUNDS),
            "20261123",
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(120):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0
        accepted = output.decode().split()
        assert len(accepted) > ROUNDS

        config = rig_config(sink.port, accounts=ACCOUNTS)
        async with OutboundRig(tmp_path, sink.port, config=config) as rig:
            await actions.kick(rig.queue, [item.id for item in await rig.items()])
            await rig.until_empty()
            counted = (await count_items(rig.queue)).unconfirmed
            local = Counter(map(number_of, await rig.mail("ben")))
            bodies = {number_of(raw): raw for raw in await rig.mail("ben")}
            assert not await rig.mail("anna")  # no reports
            assert not list(rig.queue.files.iterdir())
    remote = Counter(number_of(taken.content) for taken in sink.messages)
    bodies |= {number_of(taken.content): taken.content for taken in sink.messages}

    for number in accepted:
        recipients = plan(number)[1]
        assert remote[number] >= ("bo@b.test" in recipients), f"{number} is lost"
        assert local[number] == ("ben@a.test" in recipients), f"{number} at the neighbour's"
    repeated = sum(count - 1 for count in remote.values())
    assert repeated <= counted, "what may have come twice is counted"
    assert repeated <= ROUNDS * UNDER_WAY
    assert max(local.values()) == 1
    for number, raw in bodies.items():
        assert raw.endswith(content(number).partition(b"\r\n\r\n")[2])


@pytest.mark.kill
async def test_killed_while_much_mail_goes_to_one_domain_each_message_arrives(tmp_path):
    rng = random.Random(20261123)
    async with SmtpSink() as sink, DnsServer(ZONE) as dns:
        config = rig_config(sink.port, accounts=ACCOUNTS)
        async with OutboundRig(tmp_path, sink.port, config=config, run=False) as rig:
            for number in range(MANY):
                await rig.submit(
                    "bo@b.test", content=b"From: anna@a.test\r\nSubject: %d\r\n\r\nx\r\n" % number
                )
        for _ in range(KILLS):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "tests.support.killed_sender",
                str(tmp_path),
                str(sink.port),
                dns.endpoint,
                cwd=ROOT,
            )
            try:
                await sink.wait_for(len(sink.messages) + rng.randrange(1, 40))
            finally:
                process.kill()
                await process.wait()
        async with OutboundRig(tmp_path, sink.port, config=config, run=False) as rig:
            await actions.kick(rig.queue, [item.id for item in await rig.items()])
            rig.start()
            await rig.until_empty()
            counted = (await count_items(rig.queue)).unconfirmed
    arrived = Counter(number_of(taken.content) for taken in sink.messages)
    assert sorted(map(int, arrived)) == list(range(MANY))
    repeated = sum(count - 1 for count in arrived.values())
    assert repeated <= counted <= KILLS * UNDER_WAY
