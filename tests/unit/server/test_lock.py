"""One server for one data folder, and only in a folder that can be one."""

import pytest

from backend.core.errors import UserError
from backend.server.lock import FolderLock


def test_the_second_is_refused_until_the_first_has_ended(tmp_path):
    first, second = FolderLock(tmp_path / "data" / "run"), FolderLock(tmp_path / "data" / "run")
    first.take()
    with pytest.raises(UserError, match="running already"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_folder_that_can_not_be_one_is_told_in_plain_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="can't be used") as caught:
        FolderLock(tmp_path / "file" / "run").take()
    assert "--dir" in caught.value.problem.fix


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path):
    run = tmp_path / "data" / "run"
    run.mkdir(parents=True)
    (run / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="can't be used"):
        FolderLock(run).take()
    assert not (tmp_path / "elsewhere").exists()
