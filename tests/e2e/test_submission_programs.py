"""Other people's programs hand in mail here: msmtp (GNU SASL) and swaks, with each way to sign in; limits on sending."""

import asyncio
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.api.client import Client
from backend.api.types import ChangeAccount
from tests.support.server_process import Serve, Trial, free_ports, gatepost

pytestmark = pytest.mark.e2e

ADDRESS, PASSWORD = "anna@gatepost.test", "correct horse, bättery"
ASCII_PASSWORD = "correct horse, battery"  # smtplib has no other
MESSAGE = f"From: {ADDRESS}\nTo: {ADDRESS}\nSubject: by another program\n\nText\n".encode()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("programs") / "data"
    with Trial(folder, "--account", f"{ADDRESS}:{PASSWORD}") as running:
        yield running


@pytest.fixture
def received(trial: Trial) -> Iterator[None]:
    """Whatever the test hands in must arrive, once."""

    def count() -> int:
        (account,) = asyncio.run(accounts())
        return int(account.messages)

    async def accounts() -> list:
        async with Client.of_folder(trial.folder) as client:
            return [a for a in await client.accounts() if a.addresses[0].address == ADDRESS]

    before = count()
    yield
    assert count() == before + 1


@pytest.mark.parametrize("method", ["scram-sha-256", "scram-sha-1", "cram-md5", "plain", "login"])
@pytest.mark.parametrize("security", ["submissions", "submission"])
@pytest.mark.usefixtures("received")
def test_msmtp_signs_in_with_each_mechanism(
    trial: Trial, tmp_path: Path, method: str, security: str
) -> None:
    config = tmp_path / "msmtprc"
    starttls = "on" if security == "submission" else "off"
    config.write_text(
        f"account default\nhost localhost\nport {trial.ready.address(security)[1]}\nfrom {ADDRESS}\n"
        f"auth {method}\nuser {ADDRESS}\npassword {PASSWORD}\n"
        f"tls on\ntls_starttls {starttls}\ntls_trust_file {trial.ready.ca_file}\n"
    )
    config.chmod(0o600)
    done = subprocess.run(
        ["msmtp", "-C", str(config), ADDRESS],
        input=MESSAGE,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN", "CRAM-MD5"])
@pytest.mark.parametrize("security", ["submissions", "submission"])
@pytest.mark.usefixtures("received")
def test_swaks_signs_in_with_what_it_has(trial: Trial, method: str, security: str) -> None:
    host, port = trial.ready.address(security)
    done = subprocess.run(
        [
            *("swaks", "--server", host, "--port", str(port), "--helo", "laptop.test"),
            *("--from", ADDRESS, "--to", ADDRESS, "--header", "Subject: by swaks"),
            *("--auth", method, "--auth-user", ADDRESS, "--auth-password", PASSWORD),
            "--tls" if security == "submission" else "--tls-on-connect",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert "235 2.7.0" in done.stdout


SERVER_TOML = """
hostname = "mail.gatepost.test"

[listeners.test]
addresses = ["127.0.0.1"]
submissions_port = {port}

[outbound]
resolvers = ["127.0.0.1:9"]
"""


def test_limits_on_sending_are_told_with_the_setting_that_raises_them(tmp_path: Path) -> None:
    """Behaviour L2 and L3, its example: four in a day, two of them new. Recipients here count like those elsewhere."""
    (port,) = free_ports("127.0.0.1", 1)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "server.toml").write_text(SERVER_TOML.format(port=port))
    (tmp_path / "config" / "domains.toml").write_text('[domains."gatepost.test"]\n')

    def submit(to: str) -> str:
        (ca_file,) = tmp_path.glob("tls/*ca*.pem")
        context = ssl.create_default_context(cafile=str(ca_file))
        context.check_hostname = False
        with smtplib.SMTP_SSL("127.0.0.1", port, context=context, timeout=20) as client:
            client.login(ADDRESS, ASCII_PASSWORD)
            client.mail(ADDRESS)
            client.rcpt(f"{to}@gatepost.test")
            code, text = client.data(MESSAGE.replace(b"\n", b"\r\n"))
            return f"{code} {text.decode()}"

    with Serve(tmp_path):
        for name in ("anna", "b", "c", "d"):
            gatepost(
                *(tmp_path, "account", "add", f"{name}@gatepost.test"),
                *("--password", ASCII_PASSWORD),
            )
        change = ChangeAccount(max_outgoing_messages_per_day=4, max_first_time_recipients_per_day=2)
        asyncio.run(_change(tmp_path, change))
        assert submit("b").startswith("250 ")
        assert submit("c").startswith("250 ")
        assert submit("d") == (
            "451 4.7.1 max number of new/first-time recipients (2) over past 24h reached,"
            " try increasing per-account setting MaxFirstTimeRecipientsPerDay"
        )
        assert submit("b").startswith("250 ")
        assert submit("b").startswith("250 ")
        assert submit("b") == (
            "451 4.7.1 max number of messages (4) over past 24h reached,"
            " try increasing per-account setting MaxOutgoingMessagesPerDay"
        )


async def _change(folder: Path, change: ChangeAccount) -> None:
    async with Client.of_folder(folder) as client:
        await client.change_account("anna", change)
