"""Two appliances, each with a domain of its own, a real DNS server between them: mail goes from one to the other.

The servers are processes, the clients are the standard library's, DNS is answered by an authority behind unbound.
"""

import asyncio
import contextlib
import imaplib
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support.dns_server import DnsServer
from tests.support.server_process import Serve, free_ports, gatepost
from tests.support.unbound import Unbound

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery staple"
ANNOUNCED_WITHIN_S = 5.0
RETRIED_WITHIN_S = 30.0

_SERVER_TOML = """
hostname = "mail.{domain}"

[listeners.test]
addresses = ["{host}"]
smtp_port = {smtp}
submission_port = {submission}
submissions_port = {submissions}
imap_port = {imap}
imaps_port = {imaps}

[outbound]
smtp_port = {smtp}
resolvers = ["{resolver}"]
allow_loopback = true
"""


@dataclass
class Appliance:
    domain: str
    user: str
    host: str
    ports: dict[str, int]
    process: Serve

    @property
    def address(self) -> str:
        return f"{self.user}@{self.domain}"

    @property
    def folder(self) -> Path:
        return self.process.folder

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(next(self.folder.glob("tls/*ca*.pem"))))
        context.check_hostname = (
            False  # the certificate names mail.<domain>, the test dials an address
        )
        return context

    def submit(
        self, recipient: str, subject: str, *, mail: Sequence[str] = (), rcpt: Sequence[str] = ()
    ) -> None:
        """`mail` and `rcpt` are parameters of these commands."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.address, recipient, subject
        message.set_content("Hello from the other side.\n")
        with smtplib.SMTP_SSL(
            self.host, self.ports["submissions"], context=self.tls(), timeout=20
        ) as client:
            client.login(self.address, PASSWORD)
            client.send_message(message, mail_options=mail, rcpt_options=rcpt)

    def imap(self) -> imaplib.IMAP4_SSL:
        client = imaplib.IMAP4_SSL(
            self.host, self.ports["imaps"], ssl_context=self.tls(), timeout=20
        )
        client.login(self.address, PASSWORD)
        return client

    def messages(self, mailbox: str = "INBOX") -> list[EmailMessage]:
        client = self.imap()
        client.select(mailbox, readonly=True)
        _, found = client.search(None, "ALL")
        messages = []
        for number in found[0].split():
            _, parts = client.fetch(number.decode(), "(BODY.PEEK[])")
            part = parts[0]
            assert isinstance(part, tuple)
            message = message_from_bytes(part[1], policy=policy.default)
            assert isinstance(message, EmailMessage)
            messages.append(message)
        client.logout()
        return messages

    def wait_for_exists(self, act: Callable[[], None]) -> float:
        """Seconds from the end of `act` until an IDLE session says EXISTS."""
        client = self.imap()
        client.select("INBOX")
        client.send(b"idle1 IDLE\r\n")
        assert client.readline().startswith(b"+")
        act()
        started = time.monotonic()
        client.sock.settimeout(RETRIED_WITHIN_S)
        while b"EXISTS" not in client.readline():
            pass
        seconds = time.monotonic() - started
        client.send(b"DONE\r\n")
        client.shutdown()
        return seconds


def _make(
    folder: Path, domain: str, user: str, host: str, ports: dict[str, int], resolver: str
) -> Appliance:
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "server.toml").write_text(
        _SERVER_TOML.format(domain=domain, host=host, resolver=resolver, **ports)
    )
    (folder / "config" / "domains.toml").write_text(f'[domains."{domain}"]\n')
    return Appliance(domain, user, host, ports, Serve(folder))


def _start(appliance: Appliance) -> None:
    appliance.process.start()
    gatepost(appliance.folder, "account", "add", appliance.address, "--password", PASSWORD)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Appliance, Appliance]]:
    names = ["smtp", "submission", "submissions", "imap", "imaps"]
    ports = dict(zip(names, free_ports("127.0.0.2", len(names)), strict=True))
    zone = {
        "one.test": {"MX": ["10 mail.one.test."]},
        "mail.one.test": {"A": ["127.0.0.2"]},
        "two.test": {"MX": ["10 mail.two.test."]},
        "mail.two.test": {"A": ["127.0.0.3"]},
    }
    async with DnsServer(zone) as authority, Unbound(authority.port) as resolver:
        one = _make(tmp_path / "one", "one.test", "anna", "127.0.0.2", ports, resolver.endpoint)
        two = _make(tmp_path / "two", "two.test", "ben", "127.0.0.3", ports, resolver.endpoint)
        try:
            await asyncio.gather(asyncio.to_thread(_start, one), asyncio.to_thread(_start, two))
            yield one, two
        finally:
            for appliance in (one, two):
                await asyncio.to_thread(appliance.process.__exit__)


async def test_a_submitted_message_is_announced_to_an_idle_session_of_the_other_server(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair
    seconds = await asyncio.to_thread(two.wait_for_exists, lambda: one.submit(two.address, "There"))
    assert seconds < ANNOUNCED_WITHIN_S
    (message,) = await asyncio.to_thread(two.messages)
    assert message["Subject"] == "There"
    assert message["Return-Path"] == f"<{one.address}>"
    assert "ESMTPS" in message.get_all("Received")[0], "servers use TLS between them"

    seconds = await asyncio.to_thread(
        one.wait_for_exists, lambda: two.submit(one.address, "And back")
    )
    assert seconds < ANNOUNCED_WITHIN_S
    assert gatepost(one.folder, "queue", "list")["total"] == 0


async def test_a_message_to_an_unknown_user_comes_back_as_a_delivery_status_notification(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair
    await asyncio.to_thread(one.wait_for_exists, lambda: one.submit("nobody@two.test", "Lost"))
    (notice,) = await asyncio.to_thread(one.messages)
    assert notice.get_content_type() == "multipart/report"
    assert notice["Return-Path"] == "<>"
    status = notice.get_payload(1).as_string()
    assert "Action: failed" in status
    assert "nobody@two.test" in status
    assert "5.1.1" in status
    assert await asyncio.to_thread(two.messages) == []


async def test_a_message_for_later_waits_until_it_is_sent_by_hand_and_its_arrival_is_reported(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair
    wishes = ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;ben@old.test"]
    mail = ["HOLDFOR=86400", "RET=HDRS", "ENVID=my+20name"]
    await asyncio.to_thread(one.submit, two.address, "Tomorrow", mail=mail, rcpt=wishes)
    assert gatepost(one.folder, "queue", "kick", "--all")["changed"] == 0
    (item,) = gatepost(one.folder, "queue", "list")["items"]
    assert (item["state"], item["attempts"]) == ("waiting", 0)
    assert "will be sent on" in item["note"]
    assert item["send_at"] == item["next_attempt_at"]
    asked = gatepost(one.folder, "queue", "show", str(item["id"]))["asked"]
    assert [sentence.split()[:3] for sentence in asked] == [
        ["It", "is", "not"],
        ["The", "sender", "wants"],
        ["A", "report", "about"],
        ["The", "sender's", "own"],
        ["It", "was", "first"],
    ]

    def kick() -> None:
        gatepost(one.folder, "queue", "kick", str(item["id"]))

    await asyncio.to_thread(one.wait_for_exists, kick)
    (notice,) = await asyncio.to_thread(one.messages)
    assert notice["Subject"] == "mail passed on"
    status = notice.get_payload(1).as_string()
    for line in (
        "Original-Envelope-Id: my name",
        "Future-Release-Request: for;86400",
        "Original-Recipient: rfc822;ben@old.test",
        "Action: relayed",
    ):
        assert line in status
    (message,) = await asyncio.to_thread(two.messages)
    assert message["Subject"] == "Tomorrow"


async def test_a_message_waits_for_a_server_that_is_down_and_arrives_once(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair
    await asyncio.to_thread(two.process.stop)
    await asyncio.to_thread(one.submit, two.address, "Later")
    await _until(lambda: _attempts(one) >= 1)
    await asyncio.to_thread(two.process.start)

    def kick() -> None:
        (item,) = gatepost(one.folder, "queue", "list")["items"]
        gatepost(one.folder, "queue", "kick", str(item["id"]))

    await asyncio.to_thread(two.wait_for_exists, kick)
    await _until(lambda: gatepost(one.folder, "queue", "list")["total"] == 0)
    (message,) = await asyncio.to_thread(two.messages)
    assert message["Subject"] == "Later"


async def test_the_sending_server_is_killed_while_a_message_waits_and_it_still_arrives_once(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair
    await asyncio.to_thread(two.process.stop)
    await asyncio.to_thread(one.submit, two.address, "Survivor")
    await asyncio.to_thread(one.process.kill)
    await asyncio.to_thread(two.process.start)
    await asyncio.to_thread(one.process.start)
    for item in gatepost(one.folder, "queue", "list")["items"]:
        with contextlib.suppress(subprocess.CalledProcessError):  # it may just have left by itself
            gatepost(one.folder, "queue", "kick", str(item["id"]))
    await _until(lambda: len(two.messages()) == 1)
    await _until(lambda: gatepost(one.folder, "queue", "list")["total"] == 0)
    assert [m["Subject"] for m in await asyncio.to_thread(two.messages)] == ["Survivor"]


async def test_a_report_that_comes_in_later_is_found_in_the_history_and_ends_mail_to_that_address(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair

    def go() -> None:
        two.wait_for_exists(lambda: one.submit(two.address, "There"))
        (arrived,) = two.messages()
        report = f"""From: MAILER-DAEMON@mail.two.test\r
To: {one.address}\r
Content-Type: multipart/report; report-type=delivery-status; boundary=x\r
\r
--x\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; inner.two.test\r
\r
Final-Recipient: rfc822; {two.address}\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550 5.1.1 user unknown\r
\r
--x\r
Content-Type: text/rfc822-headers\r
\r
Message-ID: {arrived["Message-ID"]}\r
\r
--x--\r
"""
        with smtplib.SMTP(one.host, one.ports["smtp"], timeout=20) as client:
            client.sendmail("", [one.address], report)
        (item,) = gatepost(one.folder, "queue", "history", "--result", "returned")["items"]
        assert (item["recipient"], item["subject"]) == (two.address, "There")
        (told,) = gatepost(one.folder, "queue", "history", str(item["id"]))["reports"]
        assert (told["kind"], told["reporter"], told["certain"]) == (
            "failed",
            "inner.two.test",
            True,
        )
        (entry,) = gatepost(one.folder, "queue", "suppression", "list")["items"]
        assert (entry["address"], entry["automatic"]) == (two.address, True)
        with pytest.raises(smtplib.SMTPDataError, match="suppression remove"):
            one.submit(two.address, "Again")
        gatepost(one.folder, "queue", "suppression", "remove", two.address, "--account", "anna")
        two.wait_for_exists(lambda: one.submit(two.address, "Again"))

    await asyncio.to_thread(go)


async def test_mail_to_the_same_server_never_touches_the_queue(
    pair: tuple[Appliance, Appliance],
) -> None:
    one, two = pair
    await asyncio.to_thread(two.process.stop)
    await asyncio.to_thread(one.wait_for_exists, lambda: one.submit(one.address, "To myself"))
    assert gatepost(one.folder, "queue", "list")["total"] == 0


async def test_nobody_relays_through_port_25(pair: tuple[Appliance, Appliance]) -> None:
    one, two = pair

    def probe() -> list[int]:
        with smtplib.SMTP(one.host, one.ports["smtp"], timeout=20) as client:
            client.ehlo("relay.test")
            client.mail(one.address)
            targets = [
                two.address,
                "x@elsewhere.test",
                f'"{two.address}"@one.test',
                "@one.test:ben@two.test",
                "ben%two.test@one.test",
            ]
            return [client.rcpt(target)[0] for target in targets]

    assert all(code >= 500 for code in await asyncio.to_thread(probe))


def _attempts(appliance: Appliance) -> int:
    items = gatepost(appliance.folder, "queue", "list")["items"]
    return max((item["attempts"] for item in items), default=0)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(RETRIED_WITHIN_S):
        while not await asyncio.to_thread(condition):
            await asyncio.sleep(0.1)


def test_the_test_addresses_are_this_computer() -> None:
    """All of 127.0.0.0/8 is loopback on Linux; elsewhere the addresses must be added first."""
    for host in ("127.0.0.2", "127.0.0.3"):
        with socket.socket() as probe:
            probe.bind((host, 0))
