import pytest

from backend.config.removed import KEPT_S, bring_back, clear, forget, set_aside
from backend.config.secrets import SecretStore

NAME = "transports/relay"
PURPOSE = {"server": "smtp.example.net", "user": "me"}


@pytest.fixture
def store(tmp_path):
    store = SecretStore(tmp_path / "secrets")
    store.open()
    store.set(NAME, {"password": "x"})
    return store


def test_what_was_set_aside_is_brought_back(store):
    assert set_aside(store, NAME, now=1)
    assert store.get(NAME) is None
    assert bring_back(store, NAME)
    assert store.get(NAME) == {"password": "x"}
    assert store.list() == [NAME]
    assert not bring_back(store, NAME), "there is nothing aside any more"
    assert not set_aside(store, "transports/other", now=1)


def test_it_comes_back_for_the_same_purpose_only_and_never_over_another(store):
    set_aside(store, NAME, now=1, purpose=PURPOSE)
    assert not bring_back(store, NAME)
    assert not bring_back(store, NAME, purpose=PURPOSE | {"server": "evil.test"})
    store.set(NAME, {"password": "new"})
    assert not bring_back(store, NAME, purpose=PURPOSE)
    store.delete(NAME)
    assert bring_back(store, NAME, purpose=PURPOSE)


def test_it_is_deleted_for_good_after_a_while_or_when_nobody_wants_it(store):
    set_aside(store, NAME, now=100)
    store.set("removed/dkim/a.test/x", {"odd": 1})
    assert clear(store, now=100 + KEPT_S) == 1, "what can't come back"
    assert store.list() == ["removed/" + NAME]
    assert clear(store, now=101 + KEPT_S) == 1
    assert store.list() == []
    store.set(NAME, {"password": "x"})
    set_aside(store, NAME, now=100)
    forget(store, NAME)
    assert not bring_back(store, NAME)


def test_a_damaged_one_stays_away_and_is_cleared(store, tmp_path, expect_log):
    expect_log("a secret can't be brought back")
    set_aside(store, NAME, now=100)
    (tmp_path / "secrets" / "removed" / "transports" / "relay.json").write_text("[]")
    assert not bring_back(store, NAME)
    assert clear(store, now=100) == 1
