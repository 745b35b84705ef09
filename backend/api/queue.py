"""What goes over the admin API about choosing messages of the queue, and about those that have left it."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from backend.api.types import MAX_IDS, MAX_NUMBER, MAX_PAGE, Attempt, QueueFilter, Reply, Request

MAX_POSTPONE_S = 30 * 24 * 3600

Cursor = Annotated[str, Field(max_length=2000)]

HistoryResult = Literal["delivered", "failed", "dropped", "returned"]


class QueueIds(Request):
    """Messages of the queue: by number, or all that match a filter. With a filter, `at_most` is the number that a person
    was shown: when more match by now, nothing is done (409).
    """

    ids: list[Annotated[int, Field(ge=0, le=MAX_NUMBER)]] = Field(
        default_factory=list, max_length=MAX_IDS
    )
    matching: QueueFilter | None = None
    at_most: int | None = Field(default=None, ge=0, le=MAX_NUMBER)

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.ids) == (self.matching is not None):
            raise ValueError("Name messages by their numbers (ids), or a filter (matching)")
        return self


class QueueBefore(Request):
    """How a message was before an action, to be handed back for undoing it."""

    id: Annotated[int, Field(ge=0, le=MAX_NUMBER)]
    state: Literal["waiting", "held"]
    next_attempt_at: datetime
    transport: str | None = Field(default=None, max_length=64)
    """Chosen by hand; null for what the routes say."""
    tls: Literal["default", "verified", "insecure"] = "default"
    attempts: int = Field(default=8, ge=1, le=100)
    """In all."""
    note: str = Field(default="", max_length=1000)
    hold_rule: str = Field(default="", max_length=64)


class QueueActed(Reply):
    changed: int
    missing: list[int] = Field(default_factory=list)
    """Ids that are not (any more) in a state where this is possible."""
    before: list[QueueBefore] = Field(default_factory=list)
    """For undoing; empty when it can't be undone."""


class Postpone(QueueIds):
    """No attempt before `until`, or for so many seconds from now; 30 days at most. One of the two."""

    until: datetime | None = None
    seconds: int = Field(default=0, ge=0, le=MAX_POSTPONE_S)


class LimitAttempts(QueueIds):
    """How often messages are tried in all before their senders get a report."""

    attempts: int = Field(ge=1, le=12)


class UndoQueue(Request):
    """`before` as an action answered it."""

    before: list[QueueBefore] = Field(min_length=1, max_length=MAX_IDS)


class QueueGroup(Reply):
    """What is on its way to one domain. `answer`: what was said there last."""

    domain: str
    count: int
    held: int = 0
    next_attempt_at: datetime | None = None
    answer: str = ""
    problem: int = 0
    """Of these, how many another server has put off."""
    answer_in_short: str = ""


class QueueGroups(Reply):
    """The domains with most messages first; at most a hundred."""

    items: list[QueueGroup]


class HistoryItem(Reply):
    """One message to one recipient that has left the queue. `id` is the number that it had there.

    `result` `returned`: another server had taken it, and reported later that it failed. `acted_by`: who gave it up or
    removed it, empty for the server itself. `came_back`: the kind of the last report that came in about it.
    """

    id: int
    trace: str
    account: str
    sender: str
    recipient: str
    subject: str = ""
    message_id: str = ""
    size_bytes: int = 0
    created_at: datetime
    left_at: datetime
    attempts: int = 0
    result: HistoryResult
    acted_by: str = ""
    transport: str = ""
    """By which it went last. Empty: direct delivery."""
    transport_reason: str = ""
    last_answer: str = ""
    server: str = ""
    """Which said it."""
    came_back: str = ""
    answer_in_short: str = ""
    """What the last answer means, in a few words with its code."""
    unconfirmed: int = 0
    """How often it was sent without an answer, so that it may have arrived then as well."""


class History(Reply):
    """Newest first. `next`: the cursor of the next page, empty after the last one."""

    items: list[HistoryItem]
    total: int
    """Rows that match; where there are very many, no more than `counted`."""
    counted: int
    next: str = ""
    days: int = 0
    """How long the history is kept."""


class HistoryQuery(Request):
    """`sender` and `recipient`: whole addresses. `since` and `until`: when it left."""

    cursor: Cursor = ""
    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    result: HistoryResult | None = None
    account: str = Field(default="", max_length=64)
    sender: str = Field(default="", max_length=320)
    recipient: str = Field(default="", max_length=320)
    domain: str = Field(default="", max_length=255)
    trace: str = Field(default="", max_length=100)
    text: str = Field(default="", max_length=200)
    """Found in sender, recipient, subject, Message-ID or answer."""
    since: datetime | None = None
    until: datetime | None = None


class CameBack(Reply):
    """A report about the message that came in from outside. `trace`: of the message that brought it.

    `kind`: failed, delayed, delivered. `certain` false: it fits, but nothing proves that it belongs here.
    """

    at: datetime
    kind: str
    status: str = ""
    text: str = ""
    reporter: str = ""
    trace: str = ""
    certain: bool = True


class HistoryDetail(Reply):
    item: HistoryItem
    attempts: list[Attempt]
    reports: list[CameBack] = Field(default_factory=list)


class HoldRuleSettings(Request):
    """All criteria must hold; an empty list is any. `.example.org` is that domain and all below it."""

    account: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=1000
    )
    from_domain: list[Annotated[str, Field(max_length=255)]] = Field(
        default_factory=list, max_length=1000
    )
    to_domain: list[Annotated[str, Field(max_length=255)]] = Field(
        default_factory=list, max_length=1000
    )
    disabled: bool = False
    comment: str = Field(default="", max_length=500)


class HoldRule(Reply):
    """`settings` null: the rule was removed, but messages are still held by it."""

    name: str
    settings: HoldRuleSettings | None = None
    held: int = 0


class HoldRules(Reply):
    """`held_by_hand`: messages that no rule holds. `paused`: nothing leaves at all, by the rule `pause_rule`."""

    items: list[HoldRule]
    held_by_hand: int = 0
    paused: bool = False
    pause_rule: str = ""


class AddHoldRule(Request):
    """`apply`: it also holds what waits already; otherwise only what is accepted from now on."""

    name: str = Field(max_length=64)
    settings: HoldRuleSettings = HoldRuleSettings()
    apply: bool = True


class RemoveHoldRule(Request):
    """`release`: what it holds goes on, unless another rule holds it as well."""

    release: bool = False


class PauseSending(Request):
    comment: str = Field(default="", max_length=500)


class Suppression(Reply):
    """`id` tells it apart for people: an address may be suppressed for some accounts only. `account` empty: for all accounts. `automatic`: made by the server after a bounce. `until` null: for ever.
    `trace`: of the message that bounced.
    """

    account: str
    address: str
    id: str
    automatic: bool
    reason: str = ""
    trace: str = ""
    since: datetime
    until: datetime | None = None


class Suppressions(Reply):
    """Newest first. `next`: the cursor of the next page, empty after the last one. `days`: how long automatic ones hold."""

    items: list[Suppression]
    total: int
    next: str = ""
    days: int = 0


class SuppressionQuery(Request):
    """`account` null takes all, empty those that hold for all accounts. `text` is found in address or reason."""

    cursor: Cursor = ""
    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    account: str | None = Field(default=None, max_length=64)
    automatic: bool | None = None
    text: str = Field(default="", max_length=200)


class AddSuppression(Request):
    """`account` empty: for all accounts. `days` 0: for ever; `until` says the same as a moment. `automatic` and `trace` restore an
    entry that the server had made.
    """

    address: str = Field(max_length=320)
    account: str = Field(default="", max_length=64)
    reason: str = Field(default="", max_length=300)
    days: int = Field(default=0, ge=0, le=36_500)
    until: datetime | None = None
    automatic: bool = False
    trace: str = Field(default="", max_length=100)


class SuppressionKey(Request):
    account: str = Field(default="", max_length=64)
    address: str = Field(max_length=320)


class RemoveSuppressions(Request):
    items: list[SuppressionKey] = Field(min_length=1, max_length=MAX_IDS)


class Removed(Reply):
    removed: int


class SendLimit(Reply):
    """How much of one limit is used within the last 24 hours. `room_at`: when there is room again; null while there is."""

    used: int
    limit: int
    room_at: datetime | None = None


class SendLimits(Reply):
    """Counted by recipients. `first_time`: those that the account never wrote to before."""

    account: str
    messages: SendLimit
    first_time: SendLimit
