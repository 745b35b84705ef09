"""What goes over the admin API about who is signed in to the administration."""

from datetime import datetime

from backend.api.types import Reply


class AdminSession(Reply):
    id: str
    peer: str
    user_agent: str
    program: str = ""
    """The same in a few words, such as `Firefox on Linux`."""
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool


class AdminSessions(Reply):
    items: list[AdminSession]
