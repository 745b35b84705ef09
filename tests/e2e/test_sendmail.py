"""`gatepost-sendmail` as programs call it, against a running server: every way in, and every way to fail."""

import imaplib
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.sendmail.settings import MECHANISMS
from tests.support.server_process import ROOT, Trial, environment, free_ports

pytestmark = pytest.mark.e2e

ADDRESS, PASSWORD = "anna@gatepost.test", "correct horse battery"


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    folder = tmp_path_factory.mktemp("sendmail") / "data"
    with Trial(folder, "--account", f"{ADDRESS}:{PASSWORD}") as running:
        yield running


class Sendmail:
    """The program under the name `sendmail`, as a link to the script that pip would make."""

    def __init__(self, folder: Path, trial: Trial) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.config = folder / "sendmail.toml"
        script = folder / "gatepost-sendmail"
        script.write_text(
            f"#!{sys.executable}\nimport sys\nfrom app.sendmail.command import main\nsys.exit(main())\n"
        )
        script.chmod(0o755)
        self.program = folder / "sendmail"
        self.program.symlink_to(script)
        self.trial = trial
        self.configure()

    def configure(self, port: str | int = "submissions", **changes: object) -> None:
        values: dict[str, object] = {
            "host": "localhost",
            "port": port if isinstance(port, int) else self.trial.ready.address(port)[1],
            "ca_file": self.trial.ready.ca_file,
            "username": ADDRESS,
            "password": PASSWORD,
            "from": ADDRESS,
            "default_destination": ADDRESS,
            **changes,
        }
        lines = [f"{name} = {str(v).lower() if isinstance(v, bool) else repr(v)}" for name, v in values.items()]  # fmt: skip
        self.config.write_text("\n".join(lines).replace('"', "'"))
        self.config.chmod(0o600)

    def run(self, *words: str, message: bytes = b"", code: int = 0) -> str:
        done = subprocess.run(
            [str(self.program), *words],
            input=message,
            capture_output=True,
            check=False,
            cwd=self.home,
            env={
                **environment(),
                "HOME": str(self.home),
                "GATEPOST_SENDMAIL_CONFIG": str(self.config),
            },
            timeout=60,
        )
        said = done.stderr.decode()
        assert done.returncode == code, said
        assert not done.stdout
        assert bool(said) == bool(code)
        return said

    def saved(self) -> list[Path]:
        folder = self.home / "gatepost-sendmail.failures"
        return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def sendmail(tmp_path: Path, trial: Trial) -> Sendmail:
    return Sendmail(tmp_path, trial)


def received(trial: Trial, subject: str) -> bytes:
    """The one message with that subject."""
    with imaplib.IMAP4(*trial.ready.address("imap")) as client:
        client.login(ADDRESS, PASSWORD)
        client.select()
        _, found = client.search(None, "SUBJECT", f'"{subject}"')
        (number,) = found[0].split()
        _, answer = client.fetch(number.decode(), "(BODY.PEEK[])")
        return answer[0][1]


@pytest.mark.parametrize("method", ["", *MECHANISMS])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_every_mechanism_signs_in_over_tls_and_starttls(trial, sendmail, method, security):
    port = "submissions" if security == "tls" else "submission"
    sendmail.configure(port, **{security: True, "auth_method": method})
    subject = f"{security}-{method or 'strongest'}."
    sendmail.run("-i", ADDRESS, message=f"From: root\nSubject: {subject}\n\nText\n".encode())
    content = received(trial, subject)
    assert f"From: <{ADDRESS}>\r\n".encode() in content
    assert f"To: <{ADDRESS}>\r\n".encode() in content
    assert b"From: root" not in content
    assert not sendmail.saved()


def test_on_this_computer_plain_text_will_do(trial, sendmail):
    sendmail.configure("submission", tls=False, auth_method="PLAIN")
    sendmail.run(ADDRESS, message=b"Subject: plain-text\n\n")
    assert received(trial, "plain-text")


def test_cron_s_mail_to_root_reaches_the_default_destination(trial, sendmail):
    message = (
        b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@attic> backup\n"
        b"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"
        b"X-Cron-Env: <SHELL=/bin/sh>\n\nGr\xc3\xbc\xc3\x9fe\n"
    )
    sendmail.run("-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root", message=message)
    content = received(trial, "backup")
    assert content.endswith(b"\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n")
    assert b"To: root\r\n" in content


def test_with_t_the_header_names_the_recipient(trial, sendmail):
    sendmail.run("-it", message=f"To: Anna <{ADDRESS}>\nSubject: with-t\n\n".encode())
    assert received(trial, "with-t")


def test_dots_8_bit_and_large_messages_arrive_unchanged(trial, sendmail):
    body = b".\n..\n.x\n\xff\x80 \xc3\xa4\n" + b"0123456789 .\n.\n" * 200_000
    sendmail.run(ADDRESS, message=b"Subject: dots-and-more\n\n" + body)
    content = received(trial, "dots-and-more")
    assert content.partition(b"\r\n\r\n")[2] == body.replace(b"\n", b"\r\n")


def test_a_python_program_that_pipes_to_sendmail_is_served(trial, sendmail):
    code = (
        "import subprocess, sys\n"
        "p = subprocess.Popen([sys.argv[1], '-t', '-oi'], stdin=subprocess.PIPE)\n"
        f"p.communicate(b'To: {ADDRESS}\\nSubject: piped\\n\\nx')\n"
        "sys.exit(p.returncode)"
    )
    variables = {"GATEPOST_SENDMAIL_CONFIG": str(sendmail.config), "HOME": str(sendmail.home)}
    subprocess.run(
        [sys.executable, "-c", code, str(sendmail.program)],
        check=True,
        env={**environment(), **variables},
        timeout=60,
    )
    assert received(trial, "piped")


def test_gatepost_sendmail_is_the_same_program(trial, sendmail):
    subprocess.run(
        [sys.executable, "-m", "app", "sendmail", "--config", str(sendmail.config), "-oi", ADDRESS],
        input=b"Subject: by-gatepost\n\n",
        check=True,
        cwd=ROOT,
        env={**environment(), "HOME": str(sendmail.home)},
        timeout=60,
    )
    assert received(trial, "by-gatepost")


def test_a_wrong_password_is_told_and_the_message_is_saved(sendmail):
    sendmail.configure(password="tromb0ne")
    said = sendmail.run(ADDRESS, message=b"Subject: kept\n\nText\n", code=1)
    assert "localhost answers: 535 5.7.8" in said
    assert f"Check “username”, “password” and “auth_method” in {sendmail.config}" in said
    (file,) = sendmail.saved()
    assert str(file) in said
    content = file.read_bytes()
    assert content.startswith(f"X-Gatepost-Not-Sent: to {ADDRESS}: localhost answers".encode())
    assert f"\r\nFrom: <{ADDRESS}>\r\nSubject: kept\r\n".encode() in content
    assert b"tromb0ne" not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_messages_for_a_server_that_is_down_are_saved_each_for_itself(sendmail):
    port = free_ports("127.0.0.1", 1)[0]
    sendmail.configure(port, host="127.0.0.1")
    for _ in range(3):
        said = sendmail.run(ADDRESS, message=b"Subject: kept\n\n", code=1)
    assert f"There is no connection to 127.0.0.1 port {port}: connection refused" in said
    assert len(sendmail.saved()) == 3


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(sendmail):
    sendmail.configure(ca_file="")
    said = sendmail.run(ADDRESS, message=b"\n", code=1)
    assert "not to be trusted" in said
    assert "“ca_file”" in said
    sendmail.configure("submission", ca_file="", starttls=True)
    assert "not to be trusted" in sendmail.run(ADDRESS, message=b"\n", code=1)
    assert len(sendmail.saved()) == 2


def test_starttls_is_needed_where_it_is_set(sendmail):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import socket, sys\n"
            "s = socket.socket(fileno=int(sys.argv[1])); c, _ = s.accept()\n"
            "c.sendall(b'220 old\\r\\n'); c.recv(999); c.sendall(b'250-old\\r\\n250 AUTH PLAIN\\r\\n')\n"
            "sys.stdout.write(c.recv(999).decode())"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(server.fileno())],
            pass_fds=[server.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )
        sendmail.configure(server.getsockname()[1], host="127.0.0.1", starttls=True)
        said = sendmail.run(ADDRESS, message=b"\n", code=1)
        assert "127.0.0.1: The server does not offer TLS. Use “tls = true”" in said
        heard, _ = process.communicate(timeout=30)
    assert "AUTH" not in heard
    assert "MAIL" not in heard


def test_tls_towards_a_port_without_it_says_what_to_set(sendmail):
    sendmail.configure("submission", tls=True)
    assert "set “starttls”" in sendmail.run(ADDRESS, message=b"\n", code=1)


def test_a_refused_recipient_is_told_in_the_server_s_words(sendmail):
    said = sendmail.run("nobody@gatepost.test", message=b"Subject: x\n\n", code=1)
    assert "localhost answers: 550 5.1.1" in said
    assert len(sendmail.saved()) == 1


def test_a_sender_that_the_account_may_not_use_is_refused(sendmail):
    sendmail.configure(**{"from": "other@gatepost.test"})
    said = sendmail.run(ADDRESS, message=b"Subject: x\n\n", code=1)
    assert "localhost answers: 5" in said


def test_not_exactly_one_recipient_is_refused_without_reading(sendmail):
    for words in ([], ["a@b", "c@d"], ["-t", "a@b"]):
        assert "need either exactly 1 recipient, or -t" in sendmail.run(*words, code=1)
    assert not sendmail.saved()


def test_a_local_recipient_without_a_default_destination_is_refused_and_saved(sendmail):
    sendmail.configure(default_destination="")
    said = sendmail.run("root", message=b"Subject: x\n\n", code=1)
    assert "recipient “root” has no @ and no default destination configured" in said
    assert sendmail.saved()[0].read_bytes().endswith(b"Subject: x\n\n")


def test_faults_of_the_settings_do_not_cost_the_message(sendmail):
    sendmail.config.chmod(0o644)
    said = sendmail.run(ADDRESS, message=b"Subject: x\n\n", code=1)
    assert "too many users may read" in said
    assert len(sendmail.saved()) == 1


def test_without_a_home_that_can_be_written_it_says_so(sendmail):
    os.rmdir(sendmail.home)
    sendmail.home.write_text("")
    sendmail.config.chmod(0o644)
    done = subprocess.run(
        [str(sendmail.program), "--config", str(sendmail.config), ADDRESS],
        input=b"\n",
        capture_output=True,
        check=False,
        env={**environment(), "HOME": str(sendmail.home)},
        timeout=60,
    )
    assert done.returncode == 1
    assert b"could not be saved either" in done.stderr
