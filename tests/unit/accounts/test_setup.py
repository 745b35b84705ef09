"""Profiles that are offered once, and who asked for settings."""

from backend.accounts import setup
from backend.accounts.setup import SetupDesk


def test_an_offer_is_taken_once_and_again_within_a_minute():
    desk = SetupDesk()
    token = desk.offer("anna", b"profile", 1000)
    assert desk.take("guessed", 1001) is None
    assert desk.take(token, 1100) == b"profile"
    assert desk.take(token, 1150) == b"profile"
    assert desk.take(token, 1161) is None


def test_an_offer_ends_after_a_quarter_of_an_hour_or_with_the_next_one():
    desk = SetupDesk()
    first = desk.offer("anna", b"1", 0)
    assert desk.take(first, 900) is None
    old = desk.offer("anna", b"1", 1000)
    new = desk.offer("anna", b"2", 1001)
    assert desk.take(old, 1002) is None
    assert desk.take(new, 1002) == b"2"


def test_offers_and_notes_are_bounded(monkeypatch):
    monkeypatch.setattr(setup, "MAX_OFFERS", 2)
    monkeypatch.setattr(setup, "MAX_NOTED", 2)
    desk = SetupDesk()
    tokens = [desk.offer(name, b"x", 0) for name in ("a", "b", "c")]
    assert [desk.take(token, 1) for token in tokens] == [None, b"x", b"x"]
    for at, name in enumerate(("d", "e", "f")):
        desk.note(name, "autoconfig", at)
    assert desk.last_asked("d") is None
    assert desk.last_asked("e", "f", "nobody").at == 2
