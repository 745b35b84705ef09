"""Who hears of changes: the hub of the account and the hub of the whole store, after the commit, in commit order."""

from backend.core.events import MailboxChange
from backend.runtime.hub import Hub


class Announcer:
    def __init__(self, everything: Hub[MailboxChange]) -> None:
        self.account: Hub[MailboxChange] = Hub()
        self._everything = everything

    def publish(self, change: MailboxChange) -> None:
        self.account.publish(change)
        self._everything.publish(change)
