import typing

from backend.imap import capability
from backend.imap import commands as c
from backend.imap.states import LEGAL, NEXT, State, is_legal, why_not
from backend.imapd.commands import HANDLERS


def offered(**changes) -> set[bytes]:
    arguments = {
        "signed_in": False,
        "can_start_tls": False,
        "may_sign_in": True,
        "mechanisms": ("PLAIN",),
        "append_limit": 100,
        **changes,
    }
    return set(capability.offered(**arguments).split())


def test_without_tls_no_password_is_asked_for():
    names = offered(can_start_tls=True, may_sign_in=False)
    assert {b"STARTTLS", b"LOGINDISABLED"} <= names
    assert not any(name.startswith(b"AUTH=") for name in names)


def test_under_tls_mechanisms_are_offered():
    names = offered()
    assert b"AUTH=PLAIN" in names
    assert not {b"STARTTLS", b"LOGINDISABLED"} & names


def test_after_login_the_rest_is_told():
    names = offered(signed_in=True)
    assert {b"MOVE", b"UIDPLUS", b"CONDSTORE", b"APPENDLIMIT=100"} <= names
    assert b"AUTH=PLAIN" not in names
    # RFC 7888 §6: not both
    assert b"LITERAL-" not in names


def test_an_offer_without_the_ability_is_not_made(monkeypatch):
    extra = capability.Offer("QRESYNC", "RFC 7162", ability="qresync")
    monkeypatch.setattr(capability, "OFFERS", (extra,))
    assert b"QRESYNC" not in offered(signed_in=True)
    assert b"QRESYNC" in offered(signed_in=True, abilities={"qresync"})


def test_every_command_has_a_handler_and_a_state():
    commands = set(typing.get_args(c.Command))
    assert set(HANDLERS) == commands
    assert set().union(*LEGAL.values()) == commands


def test_what_is_not_legal_says_what_to_do():
    assert not is_legal(c.Expunge(), State.AUTHENTICATED)
    assert why_not(c.Expunge(), State.AUTHENTICATED) == "Please select a mailbox first"
    assert why_not(c.Expunge(), State.NOT_AUTHENTICATED) == "Please sign in first"
    assert why_not(c.Login(b"", b""), State.SELECTED) == "You are signed in already"


def test_every_state_leads_to_logout():
    assert all(State.LOGOUT in following for state, following in NEXT.items() if following)
