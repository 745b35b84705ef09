"""`gatepost dns` against a real server and real name servers."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from app.cli import main
from backend.dns.resolver import DnsResolver
from tests.support.admin_server import admin_server
from tests.support.dns_server import DnsServer

ZONE = {
    "example.org": {
        "SOA": ["ns.example.org. me.example.org. 1 3600 600 86400 60"],
        "NS": ["ns.example.org."],
        "MX": ["10 mail.example.org."],
        "TXT": ['"v=spf1 mx -all"', '"v=spf1 \\027[31m -all"'],
    },
    "ns.example.org": {"A": ["127.0.0.1"]},
    "mail.example.org": {"A": ["9.9.9.9"]},
    "9.9.9.9.in-addr.arpa": {"PTR": ["mail.example.org."]},
}


@pytest.fixture
async def zone():
    async with DnsServer(ZONE, authority=True) as server:
        yield server


async def run(path, *words: str, code: int = 0) -> str:
    result = await asyncio.to_thread(
        CliRunner().invoke, main, ["dns", *words, "--dir", str(path / "data")]
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
async def server(tmp_path, zone):
    async with admin_server(
        tmp_path / "data",
        resolver=DnsResolver([zone.endpoint]),
        dns_port=zone.port,
        outbound={"allow_loopback": True},
    ) as rig:
        yield rig


async def test_records_are_shown_with_their_purpose_and_as_a_zone_file(server, tmp_path):
    shown = await run(tmp_path, "records", "example.org")
    assert "Where mail for you goes (required)" in shown
    assert "    example.org  MX  10 mail.example.org" in shown
    zone = await run(tmp_path, "records", "example.org", "--zone")
    assert 'example.org. 3600 IN TXT "v=spf1 mx ~all"' in zone.splitlines()
    assert all(line.startswith(";") or " IN " in line or not line for line in zone.splitlines())
    values = json.loads(await run(tmp_path, "records", "example.org", "--json"))
    assert values["zone"] in zone


async def test_a_check_is_a_table_with_words_and_explains_what_is_wrong(server, tmp_path, zone):
    shown = await run(tmp_path, "check", "example.org", code=1)
    lines = shown.splitlines()
    assert lines[0].startswith("Mail can be received. Others may refuse yours")
    place = lines[2].index("NEED")
    rows = {line[place:].split()[1]: line for line in lines[3:] if " example.org " in line}
    assert rows["MX"].startswith("ok ")
    assert all(line[place - 1] == " " for line in rows.values())
    assert "You have 2 SPF records" in shown
    assert "\x1b[31m" not in shown
    values = json.loads(await run(tmp_path, "check", "example.org", "--json", code=1))
    assert {each["result"] for each in values["items"]} == {"ok", "missing", "different"}
    zone.add("example.org", {"TXT": ['"v=spf1 mx -all"']})
    assert "Recommended as well" in await run(tmp_path, "check", "example.org")


async def test_a_line_is_hidden_and_shown_again(server, tmp_path):
    values = json.loads(await run(tmp_path, "check", "example.org", "--json", code=1))
    (spf,) = [each for each in values["items"] if each["code"] == "spf"]
    text = await run(tmp_path, "hide", "example.org", spf["id"], "--note", "moving")
    assert text == "“spf TXT example.org” is hidden until it changes.\n"
    shown = await run(tmp_path, "check", "example.org")
    assert "hidden " in shown
    assert "You have 2 SPF records" not in shown
    assert json.loads(await run(tmp_path, "show", "example.org", spf["id"], "--json")) == {}
    await run(tmp_path, "check", "example.org", code=1)
    assert "no longer among the checks" in await run(tmp_path, "hide", "example.org", "x", code=1)


async def test_the_server_is_checked(server, tmp_path):
    async def health(*words, code):
        result = await asyncio.to_thread(
            CliRunner().invoke, main, ["health", *words, "--dir", str(tmp_path / "data")]
        )
        assert result.exit_code == code, result.output
        return result.output

    assert (await health("--last", code=0)) == "Not checked yet.\n"
    shown = await health(code=0)
    assert "Disk space" in shown
    server.folder.accounts.rename(server.folder.root / "away")
    try:
        shown = await health(code=1)
    finally:
        (server.folder.root / "away").rename(server.folder.accounts)
    assert "To be mended: “Data folder”." in shown
    values = json.loads(await health("--last", "--json", code=1))
    assert values["state"] == "fail"


async def test_what_could_not_be_told_is_no_failure(server, tmp_path, zone):
    zone.broken.update({*ZONE, "_dmarc.example.org"})
    shown = await run(tmp_path, "check", "example.org")
    assert "could not tell" in shown


async def test_an_unknown_domain_is_refused(server, tmp_path):
    assert "not a domain of this server" in await run(tmp_path, "records", "x.org", code=1)


async def test_in_practice_mode_dns_is_not_needed_and_nobody_is_asked(tmp_path, zone):
    async with admin_server(
        tmp_path / "data", resolver=DnsResolver([zone.endpoint]), practice_mode=True
    ):
        assert "Practice mode needs no DNS" in await run(tmp_path, "check", "example.org")
        assert "Practice mode needs no DNS" in await run(tmp_path, "records", "example.org")
        zone_text = await run(tmp_path, "records", "example.org", "--zone")
    assert zone_text.startswith("; Practice mode")
    assert not zone.queries
