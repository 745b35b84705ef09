"""What lists say in a word of a thing that has a page of its own."""

from datetime import datetime
from typing import Literal

from backend.api.model import Reply

CheckState = Literal["ok", "warn", "fail", "optional", "unknown"]


class DnsSummary(Reply):
    """What the last check has found, for lists. `score`: such as “5 of 7”; optional records do not count."""

    state: CheckState
    score: str
    headline: str
    checked_at: datetime
