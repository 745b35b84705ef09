"""Messages that could not be sent."""

import os
import stat

import pytest

from app.sendmail.keep import FOLDER, save_failed


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_each_gets_a_file_of_its_own_that_nobody_else_reads(home):
    files = {
        save_failed(b"Subject: x\r\n\r\n", recipient="a@b", reason="no\nwonder") for _ in "123"
    }
    assert len(files) == 3
    folder = home / FOLDER
    assert {file.parent for file in files} == {folder}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in files:
        assert file.name.startswith("newmsg.")
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_bytes() == b"X-Gatepost-Not-Sent: to a@b: no wonder\r\nSubject: x\r\n\r\n"


def test_a_folder_that_was_open_to_others_is_closed(home):
    (home / FOLDER).mkdir(mode=0o755)
    save_failed(b"", recipient="", reason="x")
    assert stat.S_IMODE((home / FOLDER).stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(home, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", home / FOLDER)
    with pytest.raises(PermissionError):
        save_failed(b"", recipient="", reason="x")
    assert not list((tmp_path / "elsewhere").iterdir())
