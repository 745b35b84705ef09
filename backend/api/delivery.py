"""What goes over the admin API about transports and routes."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from backend.api.queue import QueueIds
from backend.api.types import Problem, Reply, Request

TransportKind = Literal["submissions", "submission", "smtp", "socks", "direct", "fail"]
RouteLevel = Literal["account", "domain", "server"]

MAX_DRAFT_ROUTES = 1000  # in one question to the tester, a security limit
MAX_ATTEMPT_QUESTIONS = 20
MAX_ROUTE_LISTS = 1000  # in one change, a security limit
MAX_SPF_NOTES = 20

Text = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(max_length=64)]


class TransportSettings(Request):
    """`kind`: a relay with TLS (submissions), with STARTTLS (submission) or over SMTP (smtp), a SOCKS proxy, direct
    delivery, or refusal (fail). The fields of other kinds stay as they are. `port` 0 is the usual one.
    """

    kind: TransportKind
    host: Text = ""
    port: int = Field(default=0, ge=0, le=65535)
    username: Text = ""
    mechanisms: list[Text] = Field(default_factory=list, max_length=10)
    starttls_insecure_skip_verify: bool = False
    no_starttls: bool = False
    spf_include: Text = ""
    address: Text = ""
    """Of the proxy: host and port."""
    remote_ips: list[Text] = Field(default_factory=list, max_length=100)
    remote_hostname: Text = ""
    disable_ipv4: bool = False
    disable_ipv6: bool = False
    smtp_code: int = Field(default=554, ge=400, le=599)
    smtp_message: Text = ""


class TransportResult(Reply):
    """Of the last delivery attempt through it, or of the last test (`tested`)."""

    at: datetime
    ok: bool
    text: str
    tested: bool = False


class RoutePlace(Reply):
    """`owner`: the account or domain whose list it is, empty for the server. `position` counts from 1."""

    level: RouteLevel
    owner: str = ""
    position: int
    text: str
    """The same in words."""


class SpfNote(Reply):
    """What the SPF record of a domain must have in it, so that others accept mail that comes this way."""

    domain: str
    text: str
    page: str
    """Where the records of the domain are shown; empty when there is no such page."""


class Transport(Reply):
    name: str
    settings: TransportSettings
    summary: str
    """In a phrase: what it does, and with whom."""
    needs_password: bool = False
    has_password: bool = False
    used_by: list[str] = Field(default_factory=list)
    """Routes that name it, in words."""
    places: list[RoutePlace] = Field(default_factory=list)
    """The same routes."""
    spf: list[SpfNote] = Field(default_factory=list)
    """Of this server's domains, at most `MAX_SPF_NOTES`."""
    spf_hint: str = ""
    """What to find out first."""
    last_result: TransportResult | None = None
    revision: int
    """Of the settings: what a change of it must be based on."""


class Transports(Reply):
    items: list[Transport]
    revision: int


class AddTransport(Request):
    name: Name
    settings: TransportSettings
    password: str | None = Field(default=None, max_length=1024)


class EditTransport(Request):
    """All settings anew. `password` null keeps the one that is stored, as long as a user name asks for it.

    A stored one is for one server: where the change names another, `keep_password` says whether it is sent there (true) or
    forgotten (false); without a word the change is refused with 409.
    """

    settings: TransportSettings
    password: str | None = Field(default=None, max_length=1024)
    keep_password: bool | None = None


class SetTransportPassword(Request):
    """null forgets it."""

    password: str | None = Field(max_length=1024)


class TransportTestQuestion(Request):
    """`sender` empty takes an address of this server. `domain`: whose mail server direct delivery is tried with."""

    sender: str = Field(default="", max_length=320)
    domain: str = Field(default="", max_length=255)


class TransportTestStep(Reply):
    """`ok` null: not done, or not reached."""

    name: str
    ok: bool | None = None
    text: str


class TransportTest(Reply):
    ok: bool
    message: str
    fix: str = ""
    steps: list[TransportTestStep] = Field(default_factory=list)
    excerpt: str = ""
    """The dialogue, without secrets."""


class RouteSettings(Request):
    """All criteria must hold. `.example.org` is that domain and all below it; an empty list is any."""

    from_domain: list[Text] = Field(default_factory=list, max_length=1000)
    to_domain: list[Text] = Field(default_factory=list, max_length=1000)
    minimum_attempts: int = Field(default=0, ge=0, le=100)
    transport: Name
    disabled: bool = False
    """Kept, but takes no mail."""
    comment: Text = ""


class MailRoute(Reply):
    """`owner`: the account or domain whose list it stands in, empty for the server. `position` counts from 1."""

    level: RouteLevel
    owner: str = ""
    position: int
    settings: RouteSettings
    sentence: str
    """What it does; what differs from route to route stands between pairs of `**`."""
    warning: str = ""
    """Why it can never match."""
    hits: int = 0
    """Delivery attempts that it decided in the last 30 days."""


class MailRoutes(Reply):
    """In the order in which they are looked at; after them comes direct delivery."""

    items: list[MailRoute]
    revision: int
    warnings: list[Problem] = Field(default_factory=list)


class AddMailRoute(Request):
    """`position` 0 puts it at the end. `revision`: refused (409) when the settings have changed since."""

    level: RouteLevel = "server"
    owner: str = Field(default="", max_length=255)
    position: int = Field(default=0, ge=0, le=10_000)
    route: RouteSettings
    revision: int | None = None


class RemoveMailRoute(Request):
    level: RouteLevel = "server"
    owner: str = Field(default="", max_length=255)
    position: int = Field(ge=1, le=10_000)
    revision: int | None = None


class SetMailRoutes(Request):
    """The whole list of the server, an account or a domain (`owner`), in order: to change, move or switch off routes."""

    level: RouteLevel = "server"
    owner: str = Field(default="", max_length=255)
    routes: list[RouteSettings] = Field(max_length=1000)


class RouteList(Request):
    """All routes of the server, an account or a domain (`owner`), in order."""

    level: RouteLevel = "server"
    owner: str = Field(default="", max_length=255)
    routes: list[RouteSettings] = Field(max_length=1000)


class SetRouteLists(Request):
    """Several lists, all or nothing. `dry_run`: nothing is saved; the reply is what it would be."""

    lists: list[RouteList] = Field(max_length=MAX_ROUTE_LISTS)
    dry_run: bool = False


class DraftRoutes(Request):
    """Lists to try instead of those in the settings; null leaves a list as it is."""

    account: list[RouteSettings] | None = Field(default=None, max_length=MAX_DRAFT_ROUTES)
    domain: list[RouteSettings] | None = Field(default=None, max_length=MAX_DRAFT_ROUTES)
    server: list[RouteSettings] | None = Field(default=None, max_length=MAX_DRAFT_ROUTES)


class RouteQuestion(Request):
    """Addresses or domains; `from` empty is the null sender. `account` empty: whose address `from` is.

    `queue_id`: a message in the queue, whose own sender, recipient and account count instead. `attempts`: how many were
    made before, one answer for each; empty is none, or as many as were made for the message in the queue.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )

    sender: str = Field(default="", max_length=320, alias="from")
    recipient: str = Field(default="", max_length=320, alias="to")
    account: str = Field(default="", max_length=320)
    queue_id: int | None = Field(default=None, ge=1, lt=2**63)
    attempts: list[Annotated[int, Field(ge=0, le=1000)]] = Field(
        default_factory=list, max_length=MAX_ATTEMPT_QUESTIONS
    )
    draft_routes: DraftRoutes | None = None
    draft_lists: list[RouteList] = Field(default_factory=list, max_length=MAX_ROUTE_LISTS)
    """Lists that are not saved yet; only those of the account and the domain in question count, and the server's."""


class RouteStep(Reply):
    """One rule that was looked at: why it did not match, or by what it did."""

    level: RouteLevel
    position: int
    transport: str
    matched: bool
    reason: str


class RouteAnswer(Reply):
    """`transport` empty is direct delivery. `known` false: it is not among the transports."""

    attempts: int
    transport: str
    known: bool
    headline: str
    """Where it goes and which rule says so, for people."""
    reason: str
    steps: list[RouteStep]


class RouteSpan(Reply):
    """Attempts that go the same way, counted from 1."""

    first: int
    last: int
    transport: str
    known: bool


class RouteEvaluation(Reply):
    account: str
    """Whose routes were looked at; empty for nobody's."""
    sender_domain: str
    recipient_domain: str
    is_local: bool = False
    """The recipient's domain is one of this server's: its mail takes no route."""
    answers: list[RouteAnswer]
    notice: str = ""
    """Why the routes do not count for a message in the queue."""
    spans: list[RouteSpan]
    """All attempts of a message, from the first to the last."""
    forecast: str
    """The same as a phrase: 1–3 direct, from 4 relay."""  # a range, as people write it


class ChooseTransport(QueueIds):
    """`transport` null: the routes decide again. Empty: direct delivery."""

    transport: Name | None = None
