"""One appliance sends all mail through the submission service of another one, which delivers it: set up by command line."""

import asyncio
import json
import smtplib
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from backend.api.client import Client
from tests.support.dns_server import DnsServer
from tests.support.server_process import Serve, free_ports, gatepost
from tests.support.unbound import Unbound

pytestmark = pytest.mark.e2e

PASSWORD = "correct horse battery staple"
ANNA = "anna@one.test"
BEN = "ben@two.test"

_SERVER_TOML = """
hostname = "{name}"

[listeners.test]
addresses = ["{host}"]
smtp_port = {smtp}
submission_port = {submission}
submissions_port = {submissions}

[outbound]
smtp_port = {smtp}
resolvers = ["{resolver}"]
allow_loopback = true
ca_file = "{ca_file}"
"""


class Pair:
    """`one` is a home server, `two` its provider, where anna may send from her address and ben has a mailbox."""

    def __init__(self, folder: Path, resolver: str) -> None:
        names = ["smtp", "submission", "submissions"]
        self.ports = dict(zip(names, free_ports("127.0.0.2", len(names)), strict=True))
        self.one, self.two = Serve(folder / "one"), Serve(folder / "two")
        ca_file = self.two.folder / "tls" / "ca.pem"
        for server, name, host, domains in (
            (self.one, "mail.one.test", "127.0.0.2", ["one.test"]),
            (self.two, "mail.two.test", "127.0.0.3", ["one.test", "two.test"]),
        ):
            (server.folder / "config").mkdir(parents=True)
            (server.folder / "config" / "server.toml").write_text(
                _SERVER_TOML.format(
                    name=name,
                    host=host,
                    resolver=resolver,
                    ca_file=ca_file if server is self.one else "",
                    **self.ports,
                )
            )
            (server.folder / "config" / "domains.toml").write_text(
                "# ours\n" + "".join(f'[domains."{domain}"]\n' for domain in domains)
            )

    def start(self) -> None:
        self.two.start()
        gatepost(self.two.folder, "account", "add", ANNA, "--password", PASSWORD)
        gatepost(self.two.folder, "account", "add", BEN, "--password", PASSWORD)
        (ca_file,) = self.two.folder.glob("tls/*ca*.pem")
        config = self.one.folder / "config" / "server.toml"
        config.write_text(
            config.read_text().replace(str(self.two.folder / "tls" / "ca.pem"), str(ca_file))
        )
        self.one.start()
        gatepost(self.one.folder, "account", "add", ANNA, "--password", PASSWORD)

    def command(self, *words: str, stdin: str = "") -> Any:
        return gatepost(self.one.folder, *words, stdin=stdin)

    def refused(self, *words: str, stdin: str = "") -> dict[str, Any]:
        with pytest.raises(subprocess.CalledProcessError) as caught:
            self.command(*words, stdin=stdin)
        assert caught.value.returncode == 1
        said: dict[str, Any] = json.loads(caught.value.output)
        return said

    def submit(self, subject: str) -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = ANNA, BEN, subject
        message.set_content("Hello by another way.\n")
        (ca_file,) = self.one.folder.glob("tls/*ca*.pem")
        context = ssl.create_default_context(cafile=str(ca_file))
        context.check_hostname = False
        with smtplib.SMTP_SSL(
            "127.0.0.2", self.ports["submissions"], context=context, timeout=20
        ) as client:
            client.login(ANNA, PASSWORD)
            client.send_message(message)

    def received(self) -> int:
        accounts = gatepost(self.two.folder, "account", "list")
        return sum(
            a["messages"] for a in accounts if any(x["address"] == BEN for x in a["addresses"])
        )


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    # Two's own MX is nowhere: mail can only come by the submission service.
    zone = {
        "two.test": {"MX": ["10 nowhere.two.test."]},
        "nowhere.two.test": {"A": ["127.0.0.9"]},
        "mail.two.test": {"A": ["127.0.0.3"]},
        "wrong.two.test": {"A": ["127.0.0.3"]},
    }
    async with DnsServer(zone) as authority, Unbound(authority.port) as resolver:
        made = Pair(tmp_path, resolver.endpoint)
        try:
            await asyncio.to_thread(made.start)
            yield made
        finally:
            for server in (made.one, made.two):
                await asyncio.to_thread(server.__exit__)


def _add(pair: Pair, name: str, *words: str, stdin: str = f"{PASSWORD}\n") -> Any:
    sign_in = ("--user", ANNA, "--password-stdin") if stdin else ()
    return pair.command("transport", "add", name, *sign_in, *words, stdin=stdin)


async def test_all_mail_leaves_through_the_submission_service_of_the_provider(pair: Pair) -> None:
    await asyncio.to_thread(_play, pair)


def _play(pair: Pair) -> None:
    submissions, submission = str(pair.ports["submissions"]), str(pair.ports["submission"])
    tls = ("--host", "mail.two.test", "--port", submissions)
    starttls = (
        *("--kind", "relay-starttls", "--host", "mail.two.test", "--port", submission),
        *("--mechanism", "PLAIN"),
    )
    assert _add(pair, "tls", *tls)["has_password"]
    _add(pair, "starttls", *starttls)

    tested = pair.command("transport", "test", "tls")
    assert tested["ok"], tested
    steps = {step["name"]: step for step in tested["steps"]}
    assert "the certificate is valid" in steps["certificate"]["text"]
    assert "SCRAM-SHA-256-PLUS" in steps["sign in"]["text"]
    assert PASSWORD not in json.dumps(tested)
    assert "PLAIN" in json.dumps(pair.command("transport", "test", "starttls"))

    # What goes wrong, in sentences.
    told = pair.refused("transport", "test", "tls", "--sender", "eve@elsewhere.test")
    assert "does not take mail from eve@elsewhere.test" in told["message"]
    assert "Register this address" in told["fix"]
    _add(pair, "wrong-password", *tls, stdin="not this one\n")
    told = pair.refused("transport", "test", "wrong-password")
    assert "does not accept user name and password" in told["message"]
    assert "gatepost transport password wrong-password" in told["fix"]
    _add(pair, "wrong-name", "--host", "wrong.two.test", "--port", submissions)
    assert "not for wrong.two.test" in pair.refused("transport", "test", "wrong-name")["message"]
    _add(pair, "wrong-kind", "--host", "mail.two.test", "--port", submission)
    assert (
        "does not speak TLS from the start"
        in pair.refused("transport", "test", "wrong-kind")["message"]
    )
    _add(pair, "no-password", *tls[:2], "--user", ANNA, stdin="")
    assert (
        "no password is stored"
        in pair.refused("transport", "test", "no-password")["message"].lower()
    )

    # A route for all mail; the tester and the list agree with what then happens.
    pair.command("route", "add", "--transport", "tls")
    (answer,) = pair.command("route", "test", "--from", ANNA, "--to", BEN)["answers"]
    assert answer["transport"] == "tls"
    pair.submit("By TLS")
    _wait(lambda: pair.received() == 1)
    trace = _last_trace(pair)
    assert "Route 1 of the server (tls) matches" in trace
    assert "mail.two.test took the message" in trace

    # Another one for one message only, by hand: the routes lead nowhere now.
    pair.command("transport", "add", "closed", "--kind", "refuse", "--code", "450")
    pair.command("route", "add", "--transport", "closed", "--at", "1")
    assert "route 1 before it takes all" in pair.command("route", "list")["items"][1]["warning"]
    pair.submit("By STARTTLS")
    _wait(lambda: pair.command("queue", "list")["items"][0]["attempts"] == 1)
    (item,) = pair.command("queue", "list")["items"]
    assert item["transport"] == "closed"
    detail = pair.command("queue", "show", str(item["id"]))
    assert detail["attempts"][0]["transport"] == "closed"
    assert "Route 1 of the server (closed)" in detail["attempts"][0]["reason"]
    told = pair.refused("queue", "transport", str(item["id"]), "nothing")
    assert 'unknown transport "nothing"' in told["issues"][0]["message"]
    pair.command("queue", "transport", str(item["id"]), "starttls")
    _wait(lambda: pair.received() == 2)

    # Taking down: not while a route uses it; comments stay; no password is in the files or the log.
    told = pair.refused("transport", "remove", "tls")
    assert "is used by route 2 of the server" in told["issues"][0]["message"]
    pair.command("route", "remove", "1")
    pair.command("route", "remove", "1")
    pair.command("transport", "remove", "tls")
    folder = pair.one.folder
    text = (folder / "config" / "domains.toml").read_text()
    assert text.startswith("# ours\n")
    assert "transports.starttls" in text
    for path in [*folder.glob("config/**/*"), *folder.glob("log/*"), folder / "stderr"]:
        assert not path.is_file() or PASSWORD not in path.read_text(errors="replace"), path
    assert not (folder / "secrets" / "transports" / "tls.json").exists()


def _last_trace(pair: Pair) -> str:
    async def ask() -> str:
        async with Client.of_folder(pair.one.folder) as client:
            (newest, *_) = await client.timeline()
            return (await client.trace(newest.trace)).model_dump_json()

    return asyncio.run(ask())


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 30 seconds"
        time.sleep(0.1)
