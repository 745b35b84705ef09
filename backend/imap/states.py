"""Which command is legal where? (RFC 9051 §3 and the states in §6)

Rule: whatever decides about states stands in this file. `LEGAL` is the table; the session changes its state only to
what `NEXT` allows, so that an impossible move fails at once.
"""

from enum import Enum

from backend.imap import commands as c


class State(Enum):
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


NEXT: dict[State, frozenset[State]] = {
    State.NOT_AUTHENTICATED: frozenset({State.AUTHENTICATED, State.LOGOUT}),
    State.AUTHENTICATED: frozenset({State.SELECTED, State.LOGOUT}),
    State.SELECTED: frozenset({State.SELECTED, State.AUTHENTICATED, State.LOGOUT}),
    State.LOGOUT: frozenset(),
}

_ANY = frozenset({c.Capability, c.Noop, c.Logout, c.Id})
_NOT_AUTHENTICATED = frozenset({c.StartTls, c.Login, c.Authenticate})
_AUTHENTICATED = frozenset(
    {
        c.Enable,
        c.Select,
        c.Create,
        c.Delete,
        c.Rename,
        c.Subscribe,
        c.Unsubscribe,
        c.List,
        c.Lsub,
        c.Status,
        c.Namespace,
        c.Append,
        c.Idle,
    }
)
_SELECTED = frozenset(
    {c.Check, c.Close, c.Unselect, c.Expunge, c.Search, c.Fetch, c.Store, c.Copy, c.Move}
)

LEGAL: dict[State, frozenset[type[c.Command]]] = {
    State.NOT_AUTHENTICATED: _ANY | _NOT_AUTHENTICATED,
    State.AUTHENTICATED: _ANY | _AUTHENTICATED,
    State.SELECTED: _ANY | _AUTHENTICATED | _SELECTED,
    State.LOGOUT: frozenset(),
}


def is_legal(command: c.Command, state: State) -> bool:
    return type(command) in LEGAL[state]


def why_not(command: c.Command, state: State) -> str:
    """For the BAD reply to a command that is not legal in `state`."""
    if type(command) in _NOT_AUTHENTICATED:
        return "You are signed in already"
    if state is State.NOT_AUTHENTICATED:
        return "Please sign in first"
    return "Please select a mailbox first"
