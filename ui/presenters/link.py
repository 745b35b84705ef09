"""How the window stands to its server, and what it says and offers in each state."""

from dataclasses import dataclass
from enum import Enum

FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 15.0
CRASHES = 3
CRASH_WINDOW_S = 600.0


class LinkState(Enum):
    NO_SERVER = "no server"
    """None was chosen yet: the start page."""
    CONNECTING = "connecting"
    CONNECTED = "connected"
    STARTING = "starting"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    NOT_RESPONDING = "not responding"
    STOPPED = "stopped"
    DIED = "died"
    NO_PERMISSION = "no permission"
    VERSION_DIFFERS = "version differs"
    SIGN_IN = "sign in"


class LinkAction(Enum):
    START = "Start the server"
    STOP = "Stop the server"
    RESTART = "Restart the server"
    RETRY = "Try again now"
    SHOW_LOG = "Show the log"
    CHOOSE = "Choose another server"
    SIGN_IN = "Sign in"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkText:
    pill: str
    tone: str
    title: str = ""
    body: str = ""
    actions: tuple[LinkAction, ...] = ()


def describe_link(
    state: LinkState, *, local: bool, detail: str = "", waiting_s: float = 0
) -> LinkText:
    """What the pill and the banner say. `detail`: what is known besides; `waiting_s`: until the next try."""
    again = f" Trying again in {waiting_s:.0f} s." if waiting_s >= 1 else ""
    match state:
        case LinkState.CONNECTED:
            return LinkText(pill="Running", tone="ok")
        case LinkState.NO_SERVER:
            return LinkText(pill="No server", tone="neutral")
        case LinkState.CONNECTING:
            return LinkText(pill="Connecting", tone="info", title="Connecting to the server…")
        case LinkState.STARTING:
            return LinkText(
                pill="Starting",
                tone="info",
                title="The server is starting…",
                body="This takes a few seconds.",
            )
        case LinkState.RESTARTING:
            return LinkText(
                pill="Restarting",
                tone="info",
                title="The server is restarting, as expected.",
                body="Mail programs connect again by themselves. This page comes back in a few seconds.",
            )
        case LinkState.STOPPING:
            return LinkText(pill="Stopping", tone="info", title="The server is stopping…")
        case LinkState.NOT_RESPONDING:
            body = (
                "It runs, but it does not answer."
                if local
                else "It may be down, or the network is."
            )
            actions = (
                (LinkAction.RETRY, LinkAction.RESTART)
                if local
                else (LinkAction.RETRY, LinkAction.CHOOSE)
            )
            return LinkText(
                pill="Not responding",
                tone="warn",
                title="The server is not responding.",
                body=f"{body} What you see below is as it was.{again}",
                actions=actions,
            )
        case LinkState.STOPPED:
            return LinkText(
                pill="Stopped",
                tone="neutral",
                title="The server is stopped: no mail is received or sent.",
                body="Other servers try again for days, so nothing is lost while it stays off for a while.",
                actions=(LinkAction.START,) if local else (LinkAction.RETRY, LinkAction.CHOOSE),
            )
        case LinkState.DIED:
            return LinkText(
                pill="Stopped",
                tone="error",
                title="The server has stopped unexpectedly.",
                body=detail or "The last lines of its log say why.",
                actions=(LinkAction.START, LinkAction.SHOW_LOG),
            )
        case LinkState.NO_PERMISSION:
            return LinkText(
                pill="No permission",
                tone="error",
                title="You may not administer this server.",
                body=detail
                or "It runs as another user of this computer. Start Gatepost as that user, or sign in by its address.",
                actions=(LinkAction.CHOOSE, LinkAction.RETRY),
            )
        case LinkState.VERSION_DIFFERS:
            return LinkText(
                pill="Other version",
                tone="warn",
                title="The server is of another version than this window.",
                body=f"{detail} Restart the server so that both are the same. Mail is not affected.".strip(),
                actions=(LinkAction.RESTART, LinkAction.CHOOSE) if local else (LinkAction.CHOOSE,),
            )
        case LinkState.SIGN_IN:
            return LinkText(
                pill="Sign in",
                tone="warn",
                title="Sign in to administer this server.",
                body=detail,
                actions=(LinkAction.SIGN_IN, LinkAction.CHOOSE),
            )


class Backoff:
    """1, 2, 4, 8, then 15 seconds between tries."""

    def __init__(self) -> None:
        self._next_s = FIRST_WAIT_S

    def next_s(self) -> float:
        wait_s = self._next_s
        self._next_s = min(self._next_s * 2, LONGEST_WAIT_S)
        return wait_s

    def reset(self) -> None:
        self._next_s = FIRST_WAIT_S


class CrashWatch:
    """Counts unexpected ends: three within ten minutes mean that starting it again does not help."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def add(self, at: float) -> bool:
        """True when the recovery page is due."""
        self._times = [time for time in self._times if at - time < CRASH_WINDOW_S] + [at]
        return len(self._times) >= CRASHES

    def reset(self) -> None:
        self._times.clear()


def versions_agree(window_api: int, server_api: int) -> bool:
    """One version apart is tolerated: replies ignore what they do not know."""
    return abs(window_api - server_api) <= 1
