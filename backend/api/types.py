"""What goes over the admin API: requests, replies and events, as pydantic models.

Requests refuse unknown fields; replies ignore them, so that an older face can talk to a newer server. Times are aware
UTC. Ids are plain strings and numbers here; the server's own types stay on its side.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, TypeAdapter

from backend.api import model
from backend.api.summaries import DnsSummary

Request = model.Request
Reply = model.Reply

API_VERSION = 1

MAX_PAGE = 500  # rows in one reply, a security limit
MAX_NUMBER = 2**63 - 1  # of a row in a database
MAX_IDS = 10_000  # queue ids in one action, a security limit
MAX_LOG_LINES = 10_000  # what the log ring holds

SeverityName = Literal["error", "warning", "info"]


class Empty(Reply):
    """Done; there is nothing to say."""


# ---- problems


class Problem(Reply):
    """One fault, in words for people. `path` is the JSON pointer of the field; `fix` says what to do."""

    code: str
    message: str
    path: str = ""
    fix: str = ""
    severity: SeverityName = "error"
    file: str = ""
    line: int = 0
    subject: str = ""
    params: dict[str, str] = Field(default_factory=dict)
    since: datetime | None = None
    """Since when it is open (only in lists of open problems)."""


class Problems(Reply):
    items: list[Problem]


class ErrorReply(Reply):
    """Every refusal, as application/problem+json."""

    title: str
    code: str
    issues: list[Problem] = Field(default_factory=list)
    rev: int | None = None
    """Configuration revision that holds now (conflicts)."""
    theirs: "Configuration | None" = None
    """The configuration that holds now (conflicts of a save)."""
    conflict: dict[str, JsonValue] | None = None
    """A `forms.Conflict`, when a form was to be saved."""


# ---- session


class Hello(Reply):
    """The first thing that a face asks; needs no sign-in."""

    product: str = "gatepost"
    version: str
    build_id: str
    api_version: int
    signed_in: bool
    local: bool
    """This connection came through the data folder's own socket: the owner, without a password."""


class SignIn(Request):
    """There is one administrator; programs that ask for a name as well may send it."""

    user: Literal["admin"] = "admin"
    password: str = Field(max_length=1024)
    keep_signed_in: bool = False


class Me(Reply):
    """Who this connection is. `csrf_token` goes into the header `X-CSRF-Token` of everything but GET (cookie sign-ins)."""

    name: str
    local: bool
    csrf_token: str = ""
    session: str = ""
    idle_until: datetime | None = None
    expires_at: datetime | None = None


class ChangeAdminPassword(Request):
    """`current` is not needed by the local owner. Without `new` the server makes one up and shows it once."""

    current: str = Field(default="", max_length=1024)
    new: str | None = Field(default=None, min_length=12, max_length=1024)


class NewPassword(Reply):
    """`password` only when the server made it up: it can't be shown again."""

    password: str | None = None


# ---- status

VerdictName = Literal["ok", "attention", "problem"]


class Counters(Reply):
    """Since midnight, server time; `queue_*` are now."""

    received: int = 0
    delivered: int = 0
    rejected: int = 0
    submitted: int = 0
    sent: int = 0
    bounced: int = 0
    sign_ins: int = 0
    sign_in_failures: int = 0
    queue_waiting: int = 0
    queue_held: int = 0


class Port(Reply):
    """One open port. `purpose` in plain words; `security`: none, starttls, tls."""

    listener: str
    service: str
    host: str
    port: int
    security: Literal["none", "starttls", "tls"]
    purpose: str


class Disk(Reply):
    free_bytes: int
    total_bytes: int


class Status(Reply):
    verdict: VerdictName
    headline: str
    problems: list[Problem]
    counters: Counters
    ports: list[Port]
    disk: Disk
    version: str
    build_id: str
    pid: int
    started_at: datetime
    uptime_s: float
    memory_bytes: int = 0
    hostname: str
    practice_mode: bool
    sending_paused: bool = False
    data_folder: str
    web_url: str = ""
    """Address of the browser's administration; empty when no listener offers it."""
    domains: int
    accounts: int
    config_revision: int


# ---- domains


class Domain(Reply):
    name: str
    """A-labels."""
    unicode: str
    description: str = ""
    disabled: bool = False
    accounts: int = 0
    addresses: int = 0
    catch_all: str = ""
    """Account that gets mail to unknown addresses; empty: refused."""
    catchall_separator: str = ""
    localpart_case_sensitive: bool = False
    dns: DnsSummary | None = None
    """None while its DNS was never checked."""
    aliases: int = 0
    signed: bool = False
    """Mail from it leaves with a signature (DKIM)."""
    dkim_made_at: datetime | None = None
    """When the oldest key was made that signs."""
    mta_sts: Literal["off", "testing", "enforce", "none"] = "off"


class Domains(Reply):
    items: list[Domain]


class AddDomain(Request):
    name: str = Field(max_length=300)
    description: str = Field(default="", max_length=500)


# ---- accounts


class AccountAddress(Reply):
    address: str
    """`anna@example.org`, or `@example.org` for the catch-all."""
    mailbox: str = "INBOX"
    catch_all: bool = False


AccountState = Literal["active", "full", "disabled"]


class Account(Reply):
    id: str
    domain: str
    full_name: str = ""
    disabled: bool = False
    address: str = ""
    """The main one."""
    addresses: list[AccountAddress]
    quota_bytes: int = 0
    """0: no limit."""
    used_bytes: int = 0
    messages: int = 0
    max_outgoing_messages_per_day: int = 0
    max_first_time_recipients_per_day: int = 0
    last_sign_in_at: datetime | None = None
    state: AccountState = "active"
    """`full`: it keeps as much as it may, so that mail to it is put off."""


class Accounts(Reply):
    items: list[Account]
    total: int = 0
    """How many there are on all pages."""


class AccountsQuery(Request):
    """`limit` 0: all of them. `search`: words of names and addresses. `sort`: a column, with `-` downwards. `domain`: only those
    with an address in it.
    """

    search: str = Field(default="", max_length=200)
    domain: str = Field(default="", max_length=255)
    disabled: bool | None = None
    sort: Literal[
        "", "id", "-id", "full_name", "-full_name", "last_sign_in_at", "-last_sign_in_at"
    ] = ""
    limit: int = Field(default=0, ge=0, le=MAX_PAGE)
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)


class AddAccount(Request):
    """The domain of `address` must exist. Without `id` one is made from the address; without `password` one is made up."""

    address: str = Field(max_length=320)
    id: str | None = Field(default=None, max_length=64)
    full_name: str = Field(default="", max_length=200)
    password: str | None = Field(default=None, max_length=1024)
    quota_bytes: int = Field(default=0, ge=0)


class NewAccount(Reply):
    """`password` only when the server made it up: it can't be shown again."""

    account: Account
    password: str | None = None


class ChangeAccount(Request):
    """Fields that are not given (null) stay as they are."""

    full_name: str | None = Field(default=None, max_length=200)
    disabled: bool | None = None
    quota_bytes: int | None = Field(default=None, ge=0)
    max_outgoing_messages_per_day: int | None = Field(default=None, ge=0)
    max_first_time_recipients_per_day: int | None = Field(default=None, ge=0)


class SetPassword(Request):
    """Without `password` the server makes one up and shows it once."""

    password: str | None = Field(default=None, max_length=1024)


class AddAddress(Request):
    """`@example.org` makes the account the catch-all of that domain."""

    address: str = Field(max_length=320)
    mailbox: str = Field(default="INBOX", max_length=500)


class ChangeAddress(Request):
    mailbox: str = Field(min_length=1, max_length=500)


# ---- queue

QueueState = Literal["waiting", "held", "sending", "done", "failed", "dropped"]
QueueSort = Literal[
    "id", "created_at", "next_attempt_at", "recipient", "sender", "attempts", "size_bytes"
]


class QueueItem(Reply):
    """One message to one recipient. `note`: why it waits, in plain words. `last_answer`: what the other server said last."""

    id: int
    trace: str = ""
    account: str = ""
    sender: str
    recipient: str
    size_bytes: int
    state: QueueState
    note: str = ""
    created_at: datetime
    next_attempt_at: datetime | None = None
    send_at: datetime | None = None
    """The time that the sender chose, as long as it has not come."""
    attempts: int = 0
    last_answer: str = ""
    transport: str = ""
    """By which it will go, as long as it waits; then by which it went last. Empty: direct delivery."""
    transport_reason: str = ""
    transport_chosen: bool = False
    """By hand, so that no route is asked."""
    tls_choice: Literal["default", "verified", "insecure"] = "default"
    """By hand: what must hold for encryption whatever the recipient's domain asks for."""
    max_attempts: int = 8
    """After which it is given up."""
    unconfirmed: int = 0
    """How often it was sent without an answer, so that it may have arrived all the same."""
    subject: str = ""
    hold_rule: str = ""
    """By which it is held; empty for by hand."""
    answer_in_short: str = ""
    """What the last answer means, in a few words with its code."""


class QueueList(Reply):
    """`total` counts the rows that match; the other numbers the whole queue, `waiting` with those that are being sent.
    `problem`: put off by another server at least once, or failed. `next`: the next page's cursor, empty after the last one.
    """

    items: list[QueueItem]
    total: int
    waiting: int = 0
    held: int = 0
    unconfirmed: int = 0
    """Sendings without an answer since this queue exists (a killed server, a broken connection): each may have arrived twice."""
    sending: int = 0
    failed: int = 0
    problem: int = 0
    next: str = ""


class QueueFilter(Request):
    """`domain`: the recipient's. `text` is found in sender, recipient, subject or last answer. `rule` holds it.

    `problem`: only what another server put off at least once, or what failed. `later`: only what its sender wants to be sent at
    a time that has not come.
    """

    state: QueueState | None = None
    account: str = Field(default="", max_length=64)
    domain: str = Field(default="", max_length=255)
    text: str = Field(default="", max_length=200)
    rule: str = Field(default="", max_length=64)
    problem: bool = False
    later: bool = False


class QueueQuery(QueueFilter):
    """`cursor`: `next` of the page before, with the same sort."""

    cursor: str = Field(default="", max_length=2000)
    offset: int = Field(default=0, ge=0, le=MAX_NUMBER)
    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    sort: QueueSort = "next_attempt_at"
    descending: bool = False


class Attempt(Reply):
    at: datetime
    duration_ms: int = 0
    host: str = ""
    ip: str = ""
    tls: str = ""
    succeeded: bool = False
    answer: str = ""
    transport: str = ""
    """Empty: direct delivery."""
    reason: str = ""
    """Why it was that transport."""
    policy: str = ""
    """What had to hold for encryption, and why."""
    excerpt: str = ""
    """The dialogue, without the message."""
    in_short: str = ""
    """What the answer means, in a few words with its code."""


class QueueDetail(Reply):
    item: QueueItem
    attempts: list[Attempt]
    route: str = ""
    """Which way the next attempt takes and why, in a sentence."""
    route_steps: list[str] = Field(default_factory=list)
    asked: list[str] = Field(default_factory=list)
    """What the sender asked for beside sending it (reports, a later time, encryption): a sentence each."""
    headers: str = ""


# ---- timeline


class TimelineStep(Reply):
    """`kind` is stable: received, checked, accepted, rejected, delivered, queued, attempt, sent, deferred, bounced, held, dropped, reported."""

    at: datetime
    kind: str
    text: str
    details: dict[str, str] = Field(default_factory=dict)


class TraceSummary(Reply):
    trace: str
    started_at: datetime
    last_at: datetime
    direction: Literal["in", "out", ""] = ""
    sender: str = ""
    recipients: list[str] = Field(default_factory=list)
    outcome: str = ""
    """`kind` of the last step."""
    text: str = ""
    """The last step's sentence."""


class Timeline(Reply):
    """`understood`: as what the search text was taken (`queue number`, `IP address`, `Message-ID`, `address`, `text`). `next`: the
    next page's cursor, empty after the last one; a page may be short although others follow.
    """

    items: list[TraceSummary]
    """Newest first."""
    understood: str = ""
    next: str = ""


class TimelineQuery(Request):
    """`cursor`: `next` of the page before, with the same text."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE)
    text: str = Field(default="", max_length=200)
    """Address, Message-ID, queue id, IP address or trace."""
    cursor: str = Field(default="", max_length=300)


class TraceLink(Reply):
    """Where more is to be found: the queue, its history, an account, the log, another message."""

    title: str
    path: str
    icon: str = ""


class Trace(Reply):
    """`sentence`: what became of it; `tone`: ok, warn, error, info. `question` and `reasons`: why, when it went wrong. `over`: no
    further step is to be expected.
    """

    summary: TraceSummary
    steps: list[TimelineStep]
    tone: str = "info"
    sentence: str = ""
    question: str = ""
    reasons: list[str] = Field(default_factory=list)
    links: list[TraceLink] = Field(default_factory=list)
    over: bool = False


# ---- log and sign-ins

LevelName = Literal["debug", "info", "warning", "error"]


class LogLine(Reply):
    seq: int
    at: datetime
    level: LevelName
    logger: str
    message: str
    fields: dict[str, JsonValue] = Field(default_factory=dict)
    trace: str = ""
    """Stack trace, if the line carries one."""


class LogQuery(Request):
    """`level`: this and worse. `logger`: prefix, such as `smtpd`. `after`: lines with a higher `seq` only."""

    limit: int = Field(default=500, ge=1, le=MAX_LOG_LINES)
    level: LevelName = "debug"
    logger: str = Field(default="", max_length=100)
    text: str = Field(default="", max_length=200)
    after: int = Field(default=0, ge=0)


class Log(Reply):
    lines: list[LogLine]
    """Oldest first; the newest `limit` of those that match."""
    last_seq: int


class SignInEntry(Reply):
    """`protocol`: imap, submission or admin. `number` tells entries apart. `encrypted`: null where nobody noted it.
    `client`: what the program said of itself.
    """

    number: int = 0
    at: datetime
    account: str
    address: str
    protocol: str
    peer: str
    succeeded: bool
    mechanism: str = ""
    encrypted: bool | None = None
    client: str = ""


# ---- configuration


class Configuration(Reply):
    """`files`: name → text (`server.toml`, `domains.toml`); `data`: the same as values, defaults filled in."""

    revision: int
    files: dict[str, str]
    data: dict[str, Any]


# ---- server and jobs


class Accepted(Reply):
    """Will happen right after this reply."""

    text: str = ""


class Job(Reply):
    """Long work. `total` 0: not known yet. `text`: what it does now, or what came out. `title`: what it is; `cancelling`: what
    stopping it means; `path`: the page that it belongs to. `rate`: a second; `remaining_s`: about how long it will take, null
    while that can't be told. `seen`: somebody has looked at its end.
    """

    id: str
    kind: str
    state: Literal["running", "done", "failed", "cancelled"]
    title: str = ""
    cancelling: str = ""
    path: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0
    remaining_s: float | None = None
    seen: bool = False
    text: str = ""
    problems: list[Problem] = Field(default_factory=list)
    started_at: datetime
    ended_at: datetime | None = None


class Jobs(Reply):
    items: list[Job]


# ---- events (server-sent)


class TimelineEvent(Reply):
    topic: Literal["timeline"] = "timeline"
    trace: str
    step: TimelineStep


class QueueEvent(Reply):
    topic: Literal["queue"] = "queue"
    id: int
    state: str


class ConfigEvent(Reply):
    topic: Literal["config"] = "config"
    revision: int
    author: str


class ProblemEvent(Reply):
    """Raised, or cleared (then only `code` and `subject` of the problem count)."""

    topic: Literal["problems"] = "problems"
    cleared: bool = False
    problem: Problem


class SignInEvent(Reply):
    topic: Literal["sign_ins"] = "sign_ins"
    entry: SignInEntry


class MailEvent(Reply):
    """New messages in a mailbox, or messages gone."""

    topic: Literal["mail"] = "mail"
    account: str
    added: int = 0
    removed: int = 0


class JobEvent(Reply):
    topic: Literal["jobs"] = "jobs"
    job: Job


class StatusEvent(Reply):
    """Today's counters moved; at most once a second."""

    topic: Literal["status"] = "status"
    counters: Counters


class ServerEvent(Reply):
    """The server ends; `state` says whether it comes back."""

    topic: Literal["server"] = "server"
    state: Literal["stopping", "restarting"]


class ResyncEvent(Reply):
    """Events were lost for this reader: read everything again."""

    topic: Literal["resync"] = "resync"


class FlowEvent(Reply):
    """A check of a wizard has finished."""

    topic: Literal["flow"] = "flow"
    id: str


EventData = Annotated[
    TimelineEvent
    | QueueEvent
    | ConfigEvent
    | ProblemEvent
    | SignInEvent
    | MailEvent
    | JobEvent
    | FlowEvent
    | StatusEvent
    | ServerEvent
    | ResyncEvent,
    Field(discriminator="topic"),
]
EVENT_DATA: TypeAdapter[EventData] = TypeAdapter(EventData)
TOPICS = (
    "timeline",
    "queue",
    "config",
    "problems",
    "sign_ins",
    "mail",
    "jobs",
    "flow",
    "status",
    "server",
)


class EventsQuery(Request):
    """`topics`: separated by commas; empty: all."""

    topics: str = Field(default="", max_length=200)


ErrorReply.model_rebuild()
