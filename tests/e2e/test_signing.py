"""Mail that a real server sends arrives signed, with what its own command line says is to be published."""

import asyncio
import json
import smtplib
import ssl
import stat
from email.message import EmailMessage
from pathlib import Path

import pytest

from backend.mailauth.dkim import Outcome, verify
from tests.support.dns_server import DnsServer
from tests.support.server_process import Serve, free_ports, gatepost
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery staple"
_SERVER_TOML = """
hostname = "mail.one.test"

[listeners.test]
addresses = ["127.0.0.2"]
submissions_port = {port}

[outbound]
smtp_port = {sink}
resolvers = ["{resolver}"]
allow_loopback = true
"""


def set_up(folder: Path, serve: Serve) -> dict[str, str]:
    """Two domains, one account; the records that are to be published."""
    serve.start()
    for domain in ("one.test", "two.test"):
        gatepost(folder, "domain", "add", domain)
    gatepost(folder, "account", "add", "a@one.test", "--password", PASSWORD)
    gatepost(folder, "account", "add-address", "a", "b@two.test")
    gatepost(folder, "domain", "dkim", "add", "two.test", "--algorithm", "ed25519", "--sign")
    return {
        record["name"]: record["value"]
        for domain in ("one.test", "two.test")
        for record in gatepost(folder, "domain", "dkim", "records", domain)
    }


def submit(folder: Path, port: int, author: str, body: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = author, "bo@b.test", "Lunch"
    message.set_content(body)
    context = ssl.create_default_context(cafile=str(next(folder.glob("tls/*ca*.pem"))))
    context.check_hostname = False  # the certificate names the host, the test dials an address
    with smtplib.SMTP_SSL("127.0.0.2", port, context=context, timeout=20) as client:
        client.login("a@one.test", PASSWORD)
        client.send_message(message, from_addr="a@one.test")


async def test_mail_arrives_signed_for_its_author(tmp_path):
    folder = tmp_path / "data"
    (port,) = free_ports("127.0.0.2", 1)
    zone = {"b.test": {"MX": ["10 mx.b.test."]}, "mx.b.test": {"A": ["127.0.0.1"]}}
    async with DnsServer(zone) as dns, SmtpSink() as sink:
        (folder / "config").mkdir(parents=True)
        (folder / "config" / "server.toml").write_text(
            _SERVER_TOML.format(port=port, sink=sink.port, resolver=dns.endpoint)
        )
        (folder / "config" / "domains.toml").write_text("")
        serve = Serve(folder)
        try:
            records = await asyncio.to_thread(set_up, folder, serve)
            await asyncio.to_thread(submit, folder, port, "a@one.test", "one\n")
            await asyncio.to_thread(submit, folder, port, "B <b@two.test>", "two\n")
            large = "0123456789  abcdef \n" * 30_000
            await asyncio.to_thread(submit, folder, port, "b@two.test", large)
            taken = sorted(await sink.wait_for(3), key=lambda each: len(each.content))
        finally:
            await asyncio.to_thread(serve.stop)
    assert {each.sender for each in taken} == {"a@one.test"}
    first, *others = [verify(each.content, records) for each in taken]
    assert [(r.outcome, r.domain) for r in first] == [(Outcome.PASS, "one.test")]
    for results in others:
        assert [(r.outcome, r.domain, r.algorithm) for r in results] == [
            (Outcome.PASS, "two.test", "rsa-sha256"),
            (Outcome.PASS, "two.test", "ed25519-sha256"),
        ]
    check_secrecy(folder)


def check_secrecy(folder: Path) -> None:
    files = list((folder / "secrets" / "dkim").rglob("*.json"))
    assert len(files) == 5
    lines = []
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        lines += json.loads(file.read_text())["private_key"].splitlines()[1:-1]
    for path in folder.rglob("*"):
        if path.is_file() and "secrets" not in path.parts:
            content = path.read_bytes()
            assert not any(line.encode() in content for line in lines), path
