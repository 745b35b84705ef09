"""Signed-in browsers and programs. The secret is 256 random bits; only its hash is kept, also on disk."""

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from backend.config.atomic import write_atomically
from backend.core.clock import Clock
from backend.observe import log as logs

log = logs.get(__name__)

SHORT_S = 24 * 3600.0  # without “keep me signed in”
ABSOLUTE_S = 30 * 24 * 3600.0
MAX_SESSIONS = 200  # a security limit; the one unused for longest goes
MAX_AGENT_CHARS = 200


@dataclass(slots=True)
class Session:
    """`id` is for people and the API; it opens nothing. `key` is the hash of the secret."""

    id: str
    key: str
    csrf_token: str
    peer: str
    user_agent: str
    created: float
    used: float
    expires: float


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class Sessions:
    """`folder` is DIR/secrets."""

    def __init__(self, folder: Path, clock: Clock, *, idle_s: float = 12 * 3600.0) -> None:
        self._file = folder / "admin-sessions.json"
        self._clock = clock
        self.idle_s = idle_s
        self._by_key: dict[str, Session] = {}

    def load(self) -> None:
        """Sessions outlive a restart of the server."""
        try:
            values = json.loads(self._file.read_text(encoding="utf-8"))
            sessions = [Session(**value) for value in values]
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError) as error:
            log.warning("signed-in sessions can't be read, all are signed out", reason=str(error))
            return
        self._by_key = {s.key: s for s in sessions if self._is_alive(s)}

    def save(self) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        values = [asdict(session) for session in self._by_key.values()]
        write_atomically(self._file, json.dumps(values).encode(), durable=False)

    def open(self, *, peer: str, user_agent: str, keep: bool) -> tuple[str, Session]:
        """The secret for the cookie, and the session."""
        now = self._clock.time()
        secret = secrets.token_urlsafe(32)
        session = Session(
            id=secrets.token_hex(8),
            key=_key(secret),
            csrf_token=secrets.token_urlsafe(32),
            peer=peer,
            user_agent=user_agent[:MAX_AGENT_CHARS],
            created=now,
            used=now,
            expires=now + (ABSOLUTE_S if keep else SHORT_S),
        )
        self._by_key = {key: s for key, s in self._by_key.items() if self._is_alive(s)}
        if len(self._by_key) >= MAX_SESSIONS:
            del self._by_key[min(self._by_key.values(), key=lambda s: s.used).key]
        self._by_key[session.key] = session
        try:
            self.save()
        except OSError as error:  # on a full disk one must be able to sign in all the same
            log.warning("signed-in session can't be kept over a restart", reason=str(error))
        return secret, session

    def find(self, secret: str) -> Session | None:
        """The session of a secret, if it is still good; finding it counts as use."""
        session = self._by_key.get(_key(secret))
        if session is None or not self._is_alive(session):
            return None
        session.used = self._clock.time()
        return session

    def is_open(self, session: Session) -> bool:
        return session.key in self._by_key and self._is_alive(session)

    def all(self) -> list[Session]:
        """The last used first."""
        alive = [s for s in self._by_key.values() if self._is_alive(s)]
        return sorted(alive, key=lambda s: -s.used)

    def close(self, session_id: str) -> bool:
        """True if there was one."""
        found = next((s for s in self._by_key.values() if s.id == session_id), None)
        if found is None:
            return False
        del self._by_key[found.key]
        self.save()
        return True

    def close_others(self, kept: Session | None) -> None:
        self._by_key = {key: s for key, s in self._by_key.items() if s is kept}
        self.save()

    def _is_alive(self, session: Session) -> bool:
        now = self._clock.time()
        return now < session.expires and now < session.used + self.idle_s
