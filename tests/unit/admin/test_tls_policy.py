"""What must hold for encryption on the way to a domain: over the API and on the command line."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from app.cli import main
from backend.api.client import ApiError
from backend.core.address import parse_address
from backend.core.ids import AccountId, TraceId
from backend.dns.resolver import DnsResolver
from backend.outbound.entries import NewEntry
from backend.tls.sts import Mode, StsPolicy
from tests.support.admin_server import admin_server
from tests.support.dns_server import DnsServer

DIGEST = "ab" * 32
ZONE = {
    "dane.test": {"MX": ["10 mx.dane.test."]},
    "mx.dane.test": {"A": ["192.0.2.1"]},
    "_25._tcp.mx.dane.test": {"TLSA": [f"3 1 1 {DIGEST}"]},
    "sts.test": {"MX": ["10 mx.sts.test.", "20 spare.sts.test."]},
    "mx.sts.test": {"A": ["192.0.2.2"]},
    "spare.sts.test": {"A": ["192.0.2.3"]},
    "_mta-sts.sts.test": {"TXT": ['"v=STSv1; id=1"']},
    "none.test": {"MX": ["10 mx.none.test.", "20 gone.none.test."]},
    "mx.none.test": {"A": ["192.0.2.4"]},
}


@pytest.fixture
async def rig(tmp_path):
    """The resolver vouches for all that it says, as one does for which every zone is signed."""
    async with (
        DnsServer(ZONE, authentic=True) as dns,
        admin_server(tmp_path / "data", resolver=DnsResolver([dns.endpoint])) as server,
    ):
        cache = server.services.outbound.sts.cache
        policy = StsPolicy(mode=Mode.ENFORCE, mx=("mx.sts.test",), max_age_s=86_400)
        await cache.put("sts.test", "1", policy)
        yield server


@pytest.fixture
async def client(rig):
    async with rig.local() as client:
        yield client


async def queued(rig, recipient):
    content = b"From: anna@example.org\r\nSubject: x\r\n\r\nHello\r\n"
    entry = NewEntry(
        trace=TraceId("t1"),
        account=AccountId("anna"),
        sender=parse_address("anna@example.org"),
        content=content,
        size_bytes=len(content),
        header_bytes=len(content) - 7,
        remote=(parse_address(recipient),),
    )
    await rig.services.outbound.queue.add(entry)


async def test_dane_is_told_with_its_records(client):
    report = await client.tls_policy("dane.test")
    assert report.headline == "Mail to dane.test leaves only with verified encryption (DANE)."
    (host,) = report.hosts
    assert (host.demand, host.tlsa, host.signed) == ("dane", [f"3 1 1 {DIGEST}"], True)
    assert "TLSA records" in host.reason
    assert report.signed
    assert report.sts is None


async def test_mta_sts_is_told_with_servers_that_it_does_not_list(client):
    report = await client.tls_policy("someone@STS.test")
    assert report.headline == "Mail to sts.test leaves only with verified encryption (MTA-STS)."
    assert (report.sts.mode, report.sts.mx, report.sts.id) == ("enforce", ["mx.sts.test"], "1")
    good, spare = report.hosts
    assert (good.demand, good.fault) == ("verified", "")
    assert spare.summary == "no mail now"
    assert "does not list spare.sts.test" in spare.fault


async def test_without_a_policy_it_says_so(client):
    report = await client.tls_policy("none.test")
    assert "encrypted where its server can" in report.headline
    assert [host.summary for host in report.hosts] == ["encrypted if the server can", "no mail now"]


async def test_a_domain_that_does_not_exist_and_what_is_none_are_told_apart(client):
    assert "does not exist" in (await client.tls_policy("gone.test")).headline
    with pytest.raises(ApiError) as caught:
        await client.tls_policy("no domain")
    assert caught.value.status == 422


async def test_in_practice_mode_nobody_is_asked(tmp_path):
    async with (
        admin_server(tmp_path / "practice", practice_mode=True) as server,
        server.local() as client,
    ):
        with pytest.raises(ApiError) as caught:
            await client.tls_policy("b.test")
    assert caught.value.code == "tls.practice"


async def test_a_choice_for_a_message_is_kept_and_shown(rig, client):
    await queued(rig, "bo@dane.test")
    (item,) = (await client.queue()).items
    assert item.tls_choice == "default"
    assert (await client.choose_tls([item.id], "verified")).changed == 1
    assert (await client.queue_item(item.id)).item.tls_choice == "verified"
    assert (await client.choose_tls([999], "default")).missing == [999]


async def test_the_command_line_tells_and_chooses(rig, client, tmp_path):
    async def run(*words, code=0):
        words = [*words, "--dir", str(tmp_path / "data")]
        result = await asyncio.to_thread(CliRunner().invoke, main, words)
        assert result.exit_code == code, result.output
        return result.output

    told = await run("tls", "policy", "dane.test")
    assert "leaves only with verified encryption (DANE)" in told
    assert f"TLSA of mx.dane.test: 3 1 1 {DIGEST}" in told
    told = await run("tls", "policy", "sts.test")
    assert "enforce, for mx.sts.test" in told
    assert json.loads(await run("tls", "policy", "sts.test", "--json"))["sts"]["mode"] == "enforce"
    assert "does not exist" in await run("tls", "policy", "gone.test")
    await queued(rig, "bo@dane.test")
    (item,) = (await client.queue()).items
    told = await run("queue", "tls", str(item.id), "insecure")
    assert "without verified encryption" in told
    assert "without verified encryption" in await run("queue", "show", str(item.id))
    assert "Not possible" in await run("queue", "tls", "999", "default", code=1)
