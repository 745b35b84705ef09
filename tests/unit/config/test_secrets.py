import os

import pytest

from backend.config.secrets import SecretStore


@pytest.fixture
def store(tmp_path):
    store = SecretStore(tmp_path / "secrets")
    store.open()
    return store


def test_what_was_set_is_got_and_deleted(store):
    assert store.get("accounts/anna/password") is None
    store.set("accounts/anna/password", {"argon2": "é"})
    store.set("transports/relay", {"password": "x"})
    assert store.get("accounts/anna/password") == {"argon2": "é"}
    assert store.list() == ["accounts/anna/password", "transports/relay"]
    assert store.list("accounts/") == ["accounts/anna/password"]
    assert store.delete("accounts/anna/password")
    assert not store.delete("accounts/anna/password")
    assert store.list() == ["transports/relay"]


def test_only_the_owner_may_look(store, tmp_path):
    store.set("a/b/c", {"x": 1})
    for folder, _, files in os.walk(tmp_path / "secrets"):
        assert os.stat(folder).st_mode & 0o777 == 0o700
        for file in files:
            assert os.stat(os.path.join(folder, file)).st_mode & 0o777 == 0o600


def test_rights_of_others_are_taken_away_at_the_start(store, tmp_path, expect_log):
    expect_log("secrets were readable for others")
    store.set("a", {"x": 1})
    (tmp_path / "secrets" / "a.json").chmod(0o644)
    store.open()
    assert (tmp_path / "secrets" / "a.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "name", ["", "..", "a/../b", "/a", "a//b", ".a", "a/b/c/d/e", "a\0b", "a\n", "ä"]
)
def test_unsafe_names_are_refused(store, name):
    with pytest.raises(ValueError, match="not a name"):
        store.set(name, {})
    with pytest.raises(ValueError, match="not a name"):
        store.get(name)


def test_a_damaged_secret_is_not_taken_for_none(store, tmp_path):
    (tmp_path / "secrets" / "a.json").write_text("[]")
    with pytest.raises(ValueError, match="damaged"):
        store.get("a")
