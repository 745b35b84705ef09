"""The settings of sendmail: defaults, faults, and who may read the file."""

import os
import tomllib

import pytest

from app.sendmail.fault import SendmailError
from app.sendmail.settings import VARIABLE, describe, load_settings, parse_settings

MINIMUM = {"host": "mail.example.org", "from": "cron@example.org"}


def write(path, text='host = "mail.example.org"\nfrom = "cron@example.org"\n', mode=0o600):
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_without_more_it_is_tls_on_port_465():
    found = parse_settings(MINIMUM, "f")
    assert (found.tls, found.starttls, found.port, found.username) == (True, False, 465, "")
    assert parse_settings({**MINIMUM, "starttls": True}, "f").port == 587
    assert not parse_settings({**MINIMUM, "starttls": True}, "f").tls
    plain = parse_settings({**MINIMUM, "tls": False, "port": 25}, "f")
    assert (plain.tls, plain.starttls, plain.port) == (False, False, 25)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"tls": True, "starttls": True}, "exclude each other"),
        ({"port": 70_000}, "between 0 and 65535"),
        ({"port": "465"}, "port = 465"),
        ({"port": True}, "port = 465"),
        ({"username": "a"}, "go together"),
        ({"auth_method": "PLAIN"}, "needs a “username”"),
        ({"auth_method": "LOGIN", "username": "a", "password": "b"}, "must be one of SCRAM"),
        ({"from": "nobody"}, "“from”: “nobody” has no @"),
        ({"from": ""}, "“from” is empty"),
        ({"default_destination": "x"}, "“default_destination”"),
        ({"Host": "x"}, "no setting “Host”"),
    ],
)
def test_faults_are_named(values, said):
    with pytest.raises(SendmailError, match=said):
        parse_settings({**MINIMUM, **values}, "f")


def test_all_faults_are_told_at_once():
    with pytest.raises(SendmailError) as caught:
        parse_settings({"prot": 1, "tls": "yes"}, "f")
    assert all(word in str(caught.value) for word in ("“prot”", "“host”", "“from”", "“tls”"))


def test_what_is_described_is_a_file_that_can_be_used(tmp_path):
    text = describe()
    assert load_settings(write(tmp_path / "f", text)).host == "mail.example.org"
    every = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.split("\n")
    )
    lines = [line for line in every.split("\n") if not line.startswith("#") and "=" in line]
    values = tomllib.loads("\n".join(line for line in lines if "chmod" not in line))
    assert len(values) == 11
    assert parse_settings(values, "f").username == "cron@example.org"


def test_the_file_is_the_named_one_then_that_of_the_environment(tmp_path):
    one = write(tmp_path / "1")
    other = write(tmp_path / "2", 'host = "b"\nfrom = "a@b"\n')
    assert load_settings(one, {VARIABLE: other}).host == "mail.example.org"
    assert load_settings("", {VARIABLE: other}).host == "b"


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602, 0o661])
def test_a_file_that_too_many_may_read_or_change_is_refused(tmp_path, mode):
    with pytest.raises(SendmailError, match="chmod 640"):
        load_settings(write(tmp_path / "f", mode=mode))


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o440])
def test_a_group_may_read_it(tmp_path, mode):
    assert load_settings(write(tmp_path / "f", mode=mode)).port == 465


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(tmp_path):
    file = write(tmp_path / "f")
    os.chown(file, 65_534, -1)
    with pytest.raises(SendmailError, match="another user"):
        load_settings(file)


def test_a_missing_broken_or_huge_file_is_told_in_words(tmp_path):
    with pytest.raises(SendmailError, match="describe-config"):
        load_settings(str(tmp_path / "none"))
    with pytest.raises(SendmailError, match="line 2"):
        load_settings(write(tmp_path / "f", 'host = "a"\nfrom cron'))
    with pytest.raises(SendmailError, match="too large"):
        load_settings(write(tmp_path / "f", "#" * 70_000))
    with pytest.raises(SendmailError):
        load_settings(str(tmp_path))


def test_the_password_is_not_shown_with_the_settings():
    found = parse_settings({**MINIMUM, "username": "a", "password": "s3cret"}, "f")
    assert "s3cret" not in repr(found)
