"""`gatepost trial`: the contract that outside programs rely on, and what practice mode promises."""

import imaplib
import json
import smtplib
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server_process import ROOT, Trial, environment, free_ports, gatepost

pytestmark = pytest.mark.e2e

KEYS = {
    "smtp",
    "submission",
    "submissions",
    "imap",
    "imaps",
    "http",
    "https",
    "admin",
    "accounts",
    "ca_file",
    "data_dir",
    "pid",
}
PORTS = ("smtp", "submission", "submissions", "imap", "imaps", "http", "https")
MAX_IDLE_MIB = 120
MAX_IDLE_CONNECTION_KIB = 60


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with Trial(tmp_path_factory.mktemp("trial") / "data") as running:
        yield running


def _context(trial: Trial) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=trial.ready.ca_file)


def test_the_line_has_every_key_of_the_contract(trial: Trial) -> None:
    values = trial.ready.values
    assert set(values) >= KEYS
    assert all(
        isinstance(values[name][0], str) and isinstance(values[name][1], int) for name in PORTS
    )
    assert set(values["admin"]) >= {"url", "user", "password"}
    assert values["pid"] == trial.pid
    assert Path(values["data_dir"]) == trial.folder
    assert Path(values["ca_file"]).is_file()
    assert trial.ready.account == "me@gatepost.test"


def test_mail_that_comes_in_is_read_with_an_ordinary_client(trial: Trial) -> None:
    with smtplib.SMTP(*trial.ready.address("smtp")) as client:
        client.starttls(context=_context(trial))
        client.sendmail(
            "sender@example.test", [trial.ready.account], "Subject: Hello\r\n\r\nText\r\n"
        )
    with imaplib.IMAP4(*trial.ready.address("imap")) as client:
        client.starttls(ssl_context=_context(trial))
        client.login(trial.ready.account, trial.ready.password)
        client.select()
        _, found = client.search(None, "SUBJECT", "Hello")
        assert found[0].split()


def test_every_tls_port_shows_a_certificate_that_its_authority_vouches_for(trial: Trial) -> None:
    context = _context(trial)
    host, port = trial.ready.address("submissions")
    smtplib.SMTP_SSL(host, port, context=context).quit()
    host, port = trial.ready.address("imaps")
    imaplib.IMAP4_SSL(host, port, ssl_context=context).logout()
    host, port = trial.ready.address("https")
    with urllib.request.urlopen(f"https://{host}:{port}/admin/", context=context) as reply:
        assert b"Gatepost" in reply.read()


def test_mail_to_other_domains_waits_and_says_why(trial: Trial) -> None:
    host, port = trial.ready.address("submissions")
    with smtplib.SMTP_SSL(host, port, context=_context(trial)) as client:
        client.login(trial.ready.account, trial.ready.password)
        client.sendmail(
            trial.ready.account,
            ["far@away.example"],
            f"From: {trial.ready.account}\r\n\r\nText\r\n",
        )
    (item,) = [
        i
        for i in gatepost(trial.folder, "queue", "list")["items"]
        if i["recipient"] == "far@away.example"
    ]
    assert item["state"] == "waiting"
    assert "practice mode" in item["note"]
    assert item["attempts"] == 0


def test_the_administration_takes_the_password_and_no_other(trial: Trial) -> None:
    base = trial.ready.values["admin"]["url"].removesuffix("/admin/")

    def sign_in(password: str) -> int:
        body = json.dumps({"password": password}).encode()
        request = urllib.request.Request(
            f"{base}/api/v1/session", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request) as reply:
                return int(reply.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    assert sign_in("not this one") == 401
    assert sign_in(trial.ready.values["admin"]["password"]) == 200
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{base}/api/v1/status")
    refused.value.close()
    assert refused.value.code == 401


def test_a_second_server_on_the_same_folder_is_refused_in_plain_words(trial: Trial) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "trial", "--dir", str(trial.folder), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert "running already" in done.stderr
    assert done.stdout == ""


def test_a_new_password_ends_the_sessions_of_the_old_one(trial: Trial) -> None:
    address = "changing@gatepost.test"
    gatepost(trial.folder, "account", "add", address, "--password", "the first password")
    client = imaplib.IMAP4(*trial.ready.address("imap"))
    try:
        client.login(address, "the first password")
        gatepost(
            trial.folder, "account", "password", "changing", "--password", "the second password"
        )
        client.sock.settimeout(10)
        with pytest.raises(imaplib.IMAP4.abort):
            for _ in range(3):  # BYE, and then the end of the line
                client.noop()
    finally:
        client.shutdown()
    with imaplib.IMAP4(*trial.ready.address("imap")) as client:
        client.login(address, "the second password")


def test_files_are_for_their_owner_alone_and_there_may_be_many(trial: Trial) -> None:
    public = {"ca.pem", "server.pem"}
    files = [path for path in trial.folder.rglob("*") if path.name not in public]
    assert len(files) > 10
    assert [path for path in files if path.lstat().st_mode & 0o077] == []
    limits = Path(f"/proc/{trial.pid}/limits").read_text()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    allowed, most = line.split()[3:5]
    assert int(allowed) >= min(int(most), 16_384)


def test_a_damaged_database_is_named_at_the_start(tmp_path: Path) -> None:
    queue = tmp_path / "data" / "queue" / "queue.db"
    queue.parent.mkdir(parents=True)
    queue.write_bytes(b"no database at all " * 500)
    done = subprocess.run(
        [sys.executable, "-m", "app", "trial", "--dir", str(tmp_path / "data"), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 78
    assert str(queue) in done.stderr and "backup" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_idle_server_and_its_idle_connections_are_small(trial: Trial) -> None:
    def memory_kib() -> int:
        text = Path(f"/proc/{trial.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0])

    assert memory_kib() < MAX_IDLE_MIB * 1024
    clients = []
    for _ in range(20):  # what is made once is not the connections' cost
        clients.append(_idle_client(trial))
    before = memory_kib()
    for _ in range(100):
        clients.append(_idle_client(trial))
    each = (memory_kib() - before) / 100
    for client in clients:
        client.shutdown()
    assert each < MAX_IDLE_CONNECTION_KIB


def _idle_client(trial: Trial) -> imaplib.IMAP4:
    client = imaplib.IMAP4(*trial.ready.address("imap"))
    client.login(trial.ready.account, trial.ready.password)
    client.select()
    client.send(b"x IDLE\r\n")
    assert client.readline().startswith(b"+")
    return client


def test_the_same_folder_comes_back_with_the_same_mail_and_passwords(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with Trial(folder) as trial:
        first = trial.ready.values
        with smtplib.SMTP(*trial.ready.address("smtp")) as client:
            client.sendmail("a@b.test", [trial.ready.account], "Subject: kept\r\n\r\nText\r\n")
        assert trial.stop() == 0
    assert not (folder / "run" / "server.json").exists()
    with Trial(folder) as trial:
        again = trial.ready.values
        assert {**again, "pid": 0} == {**first, "pid": 0}
        with imaplib.IMAP4(*trial.ready.address("imap")) as client:
            client.login(trial.ready.account, trial.ready.password)
            assert client.select()[1] == [b"1"]
    assert gatepost(folder, "verify")["problems"] == []


def test_accounts_and_ports_can_be_chosen(tmp_path: Path) -> None:
    base = (free_ports("127.0.0.1", 1)[0] % 20_000) + 20_000
    arguments = (
        "--port-base",
        str(base),
        "--account",
        "anna@one.test:short",
        "--account",
        "ben@two.test:pw:with:colons",
    )
    with Trial(tmp_path / "data", *arguments) as trial:
        assert trial.ready.address("smtp") == ("127.0.0.1", base + 25)
        assert [a["address"] for a in trial.ready.values["accounts"]] == [
            "anna@one.test",
            "ben@two.test",
        ]
        with imaplib.IMAP4(*trial.ready.address("imap")) as client:
            client.login("ben@two.test", "pw:with:colons")
        assert {d["name"] for d in gatepost(tmp_path / "data", "domain", "list")} == {
            "one.test",
            "two.test",
        }


def test_a_killed_server_starts_again(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "data")
    trial.start()
    trial.kill()
    with trial, smtplib.SMTP(*trial.ready.address("smtp")) as client:
        assert client.noop()[0] == 250


def test_it_needs_no_network_but_loopback(tmp_path: Path) -> None:
    """In a network namespace of its own, where every packet to the outside would fail."""
    alone = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0:
        print("this system lets nobody make a network namespace; not tried")
        return
    done = subprocess.run(
        [*alone, sys.executable, "-c", _ALONE, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


_ALONE = """
import fcntl, smtplib, socket, struct, sys
from pathlib import Path
from tests.support.server_process import Trial

with socket.socket() as probe:  # a new namespace's loopback is down
    fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x", b"lo", 1))
with Trial(Path(sys.argv[1])) as trial:
    with smtplib.SMTP(*trial.ready.address("smtp")) as client:
        client.sendmail("a@b.test", [trial.ready.account], "Subject: x\\r\\n\\r\\ny\\r\\n")
"""
