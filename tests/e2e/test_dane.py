"""Two appliances in signed zones: one checks the other by the TLSA record that the other proposes for itself.

Zones are signed, served by nsd, checked by unbound; the wrong record keeps mail back until a person decides otherwise.
"""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.tls.authority import ensure_certificate
from backend.tls.published import read_published
from tests.support.server_process import Serve, free_ports, gatepost
from tests.support.signed_dns import SignedDns, Zone

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery staple"
_SERVER_TOML = """
hostname = "{hostname}"

[listeners.test]
addresses = ["{host}"]
smtp_port = {smtp}
submissions_port = {submissions}
imaps_port = {imaps}

[outbound]
smtp_port = {smtp}
resolvers = ["{resolver}"]
allow_loopback = true
"""


class Appliance:
    """`domains`: the first has an account `anna`, who has an address in each."""

    def __init__(
        self, folder: Path, host: str, ports: dict[str, int], hostname: str, *domains: str
    ):
        self.folder, self.host, self.ports, self.domains = folder, host, ports, domains
        self.hostname = hostname
        self.tls = folder / "tls"
        ensure_certificate(self.tls, [hostname, *domains], datetime.now(UTC))
        self.process = Serve(folder)

    @property
    def tlsa(self) -> str:
        return read_published(self.tls / "server.pem", own_authority=True).tlsa

    def start(self, resolver: str) -> None:
        config = self.folder / "config"
        config.mkdir(parents=True)
        (config / "server.toml").write_text(
            _SERVER_TOML.format(
                hostname=self.hostname, host=self.host, resolver=resolver, **self.ports
            )
        )
        (config / "domains.toml").write_text("".join(f'[domains."{d}"]\n' for d in self.domains))
        self.process.start()
        first, *others = [f"anna@{domain}" for domain in self.domains]
        gatepost(self.folder, "account", "add", first, "--password", PASSWORD)
        for address in others:
            gatepost(self.folder, "account", "add-address", "anna", address)

    def submit(self, recipient: str) -> None:
        context = ssl.create_default_context(cafile=str(self.tls / "ca.pem"))
        context.check_hostname = False
        sender = f"anna@{self.domains[0]}"
        with smtplib.SMTP_SSL(
            self.host, self.ports["submissions"], context=context, timeout=20
        ) as client:
            client.login(sender, PASSWORD)
            client.sendmail(
                sender, [recipient], f"From: {sender}\nTo: {recipient}\nSubject: x\n\nHello\n"
            )

    def queue(self) -> list[dict]:
        return gatepost(self.folder, "queue", "list")["items"]


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Appliance, Appliance]]:
    names = ["smtp", "submissions", "imaps"]
    ports = dict(zip(names, free_ports("127.0.0.2", len(names)), strict=True))
    one = Appliance(tmp_path / "one", "127.0.0.2", ports, "mail.one.test", "one.test")
    two = Appliance(tmp_path / "two", "127.0.0.3", ports, "mail.two.test", "two.test", "three.test")
    port = ports["smtp"]
    async with SignedDns(
        Zone(
            "one.test",
            {"one.test": {"MX": ["10 mail.one.test."]}, "mail.one.test": {"A": ["127.0.0.2"]}},
        ),
        Zone(
            "two.test",
            {
                "two.test": {"MX": ["10 mail.two.test."]},
                "mail.two.test": {"A": ["127.0.0.3"]},
                f"_{port}._tcp.mail.two.test": {"TLSA": [two.tlsa]},
            },
        ),
        Zone(
            "three.test",
            {
                "three.test": {"MX": ["10 mail.three.test."]},
                "mail.three.test": {"A": ["127.0.0.3"]},
                f"_{port}._tcp.mail.three.test": {"TLSA": [one.tlsa]},
            },
        ),
    ) as dns:
        try:
            await asyncio.gather(
                *(asyncio.to_thread(each.start, dns.endpoint) for each in (one, two))
            )
            yield one, two
        finally:
            for each in (one, two):
                await asyncio.to_thread(each.process.__exit__)


async def _until(condition) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


async def test_mail_goes_to_the_server_that_its_record_names_and_to_no_other(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, _two = pair
    told = gatepost(one.folder, "tls", "policy", "two.test")
    assert told["headline"].endswith("only with verified encryption (DANE).")
    assert [host["demand"] for host in told["hosts"]] == ["dane"]

    await asyncio.to_thread(one.submit, "anna@two.test")
    await _until(lambda: not one.queue())
    (sent,) = gatepost(one.folder, "queue", "history")["items"]
    assert sent["result"] == "delivered"
    (attempt,) = gatepost(one.folder, "queue", "history", str(sent["id"]))["attempts"]
    assert attempt["policy"].startswith("DANE: mail.two.test must show a certificate")

    await asyncio.to_thread(one.submit, "anna@three.test")
    await _until(lambda: any(item["attempts"] and item["last_answer"] for item in one.queue()))
    (item,) = one.queue()
    detail = gatepost(one.folder, "queue", "show", str(item["id"]))
    assert "not come from an authority that the TLSA records" in detail["attempts"][0]["answer"]
    assert detail["attempts"][0]["policy"].startswith("DANE: mail.three.test")

    gatepost(one.folder, "queue", "tls", str(item["id"]), "insecure")
    await _until(lambda: not one.queue())
    (sent, _) = gatepost(one.folder, "queue", "history")["items"]
    assert (sent["recipient"], sent["result"]) == ("anna@three.test", "delivered")
