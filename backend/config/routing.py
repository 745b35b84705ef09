"""Settings of the ways out: transports and the routes that choose them (behaviour T2 to T9)."""

from typing import Annotated

from pydantic import AfterValidator, Field

from backend.config.fields import UI, Name, Option, Port, RouteDomain, Settings, Shape, Text
from backend.core.address import parse_domain


def checked_spf_include(text: str) -> str:
    """A domain name, with or without `include:` in front; empty for none."""
    name = text.strip().removeprefix("include:")
    return parse_domain(name).ascii if name else ""


SASL_MECHANISMS = (
    "SCRAM-SHA-256-PLUS",
    "SCRAM-SHA-1-PLUS",
    "SCRAM-SHA-256",
    "SCRAM-SHA-1",
    "CRAM-MD5",
    "PLAIN",
    "LOGIN",
)
"""What a transport may sign in with, in the order in which they are preferred (behaviour T11)."""


class Route(Settings):
    """Which transport to use for what: all criteria must hold, the first route that matches wins (behaviour T8, T9)"""

    from_domain: Annotated[
        list[RouteDomain],
        Field(max_length=1000),
        UI(
            "From domains",
            "Domains of the sender; “.example.org” includes all below it; empty means any.",
            example='["example.org"]',
            shape=Shape(widget="chips", item="Domain", add="Add a domain", keywords="sender"),
        ),
    ] = Field(default_factory=list)
    to_domain: Annotated[
        list[RouteDomain],
        Field(max_length=1000),
        UI(
            "To domains",
            "Domains of the recipient; “.example.org” includes all below it; empty means any.",
            example='[".example.net"]',
            shape=Shape(
                widget="chips", item="Domain", add="Add a domain", keywords="recipient destination"
            ),
        ),
    ] = Field(default_factory=list)
    minimum_attempts: Annotated[
        int,
        Field(ge=0, le=100),
        UI(
            "After attempts",
            "Only when the message was tried at least this often before; 3 means from the 4th attempt on.",
            unit="attempts",
            example="3",
            level="advanced",
            shape=Shape(width="xs"),
        ),
    ] = 0
    transport: Annotated[
        Name,
        UI(
            "Transport",
            "Name of the transport to use.",
            example="relay",
            shape=Shape(source="transports", ask="Choose a transport"),
        ),
    ]
    disabled: Annotated[
        bool,
        UI("Switched off", "The route is kept, but takes no mail.", example="true"),
    ] = False
    comment: Annotated[
        Text,
        Field(max_length=500),
        UI(
            "Comment",
            "A note for people; the server does not read it.",
            example="while port 25 is closed",
        ),
    ] = ""


class HoldRule(Settings):
    """What is kept in the queue until the rule is removed: all criteria must hold"""

    account: Annotated[
        list[Name],
        Field(max_length=1000),
        UI(
            "Accounts",
            "Accounts whose mail is held; empty means any.",
            example='["anna"]',
            shape=Shape(widget="chips", item="Account", add="Add an account", keywords="account"),
        ),
    ] = Field(default_factory=list)
    from_domain: Annotated[
        list[RouteDomain],
        Field(max_length=1000),
        UI(
            "From domains",
            "Domains of the sender; “.example.org” includes all below it; empty means any.",
            example='["example.org"]',
            shape=Shape(widget="chips", item="Domain", add="Add a domain", keywords="sender"),
        ),
    ] = Field(default_factory=list)
    to_domain: Annotated[
        list[RouteDomain],
        Field(max_length=1000),
        UI(
            "To domains",
            "Domains of the recipient; “.example.org” includes all below it; empty means any.",
            example='[".example.net"]',
            shape=Shape(
                widget="chips", item="Domain", add="Add a domain", keywords="recipient destination"
            ),
        ),
    ] = Field(default_factory=list)
    disabled: Annotated[
        bool,
        UI("Switched off", "The rule is kept, but holds no mail.", example="true"),
    ] = False
    comment: Annotated[
        Text,
        Field(max_length=500),
        UI(
            "Reason",
            "Shown with each message that the rule holds.",
            example="their server loses mail this week",
        ),
    ] = ""


class TransportAuth(Settings):
    """Signing in at a relay; the password is kept with the secrets, not in the file"""

    username: Annotated[
        Text,
        Field(min_length=1),
        UI(
            "User name",
            "The name to sign in with.",
            example="me@example.org",
            shape=Shape(ask="Enter the user name", keywords="login sasl"),
        ),
    ]
    mechanisms: Annotated[
        list[str],
        Field(max_length=10),
        UI(
            "Mechanisms",
            "Allowed ways to sign in, best first; empty means all that keep the password secret: SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5. PLAIN and LOGIN, which send the password itself, only if listed.",
            example='["SCRAM-SHA-256", "PLAIN"]',
            level="advanced",
            shape=Shape(
                kind="multi",
                widget="chips",
                options=tuple(Option(name, name) for name in SASL_MECHANISMS),
                keywords="sasl scram plain login",
            ),
        ),
    ] = Field(default_factory=list)


class SmtpTransport(Settings):
    """Handing mail to another server (behaviour T3, T4)"""

    host: Annotated[
        str,
        UI(
            "Server",
            "The name its certificate is checked against.",
            example="smtp.example.net",
            shape=Shape(
                ask="Enter the server name",
                placeholder="smtp.relay.example",
                keywords="host smarthost provider",
            ),
        ),
    ]
    port: Annotated[
        Port,
        UI(
            "Port",
            "0 means the usual one: 465 with TLS, 587 for submission, 25 for SMTP.",
            unit="port",
            example="465",
            level="advanced",
            shape=Shape(zero="the usual one", width="xs"),
        ),
    ] = 0
    starttls_insecure_skip_verify: Annotated[
        bool,
        UI(
            "Accept any certificate",
            "Do not check the certificate after STARTTLS. Anybody on the way can then read along.",
            example="false",
            level="advanced",
        ),
    ] = False
    no_starttls: Annotated[
        bool,
        UI(
            "Without TLS",
            "Never use TLS. Only for a server on the same computer or a trusted network.",
            example="false",
            level="advanced",
        ),
    ] = False
    spf_include: Annotated[
        str,
        AfterValidator(checked_spf_include),
        UI(
            "Name for SPF",
            "What the operator of the server wants in your SPF record behind “include:”, so that others accept mail that comes through it.",
            example="spf.example.net",
            level="advanced",
            shape=Shape(keywords="spf include dns"),
        ),
    ] = ""
    auth: Annotated[
        TransportAuth | None,
        UI(
            "Sign in",
            "User name for the server; leave out if it asks for none.",
            example="[transports.relay.submissions.auth]",
            shape=Shape(widget="group_toggle", keywords="login password credentials"),
        ),
    ] = None


class SocksTransport(Settings):
    """Direct delivery through a SOCKS5 proxy (behaviour T6)"""

    address: Annotated[
        str,
        UI(
            "Proxy",
            "Host and port of the SOCKS5 proxy.",
            example="127.0.0.1:1080",
            shape=Shape(ask="Enter host and port of the proxy", keywords="socks5 tor"),
        ),
    ]
    remote_ips: Annotated[
        list[str],
        Field(max_length=100),
        UI(
            "Addresses of the proxy",
            "The IP addresses under which the proxy reaches other servers; they belong into the SPF record.",
            example='["192.0.2.1"]',
            shape=Shape(widget="chips", item="IP address", add="Add an address", keywords="spf ip"),
        ),
    ] = Field(default_factory=list)
    username: Annotated[
        Text,
        UI(
            "User name",
            "If the proxy asks for one; the password is kept with the secrets, not in the file.",
            example="gatepost",
            level="advanced",
        ),
    ] = ""
    remote_hostname: Annotated[
        str,
        UI(
            "Name of the proxy",
            "The host name that belongs to those addresses.",
            example="out.example.org",
            shape=Shape(ask="Enter the name of the proxy"),
        ),
    ] = ""


class DirectTransport(Settings):
    """Direct delivery over one kind of addresses only"""

    disable_ipv4: Annotated[
        bool, UI("Without IPv4", "Never connect over IPv4.", example="false")
    ] = False
    disable_ipv6: Annotated[
        bool, UI("Without IPv6", "Never connect over IPv6.", example="true")
    ] = False


class FailTransport(Settings):
    """Refusing mail for the destinations of a route"""

    smtp_code: Annotated[
        int,
        Field(ge=400, le=599),
        UI(
            "Reply code",
            "4xx tries again later, 5xx gives up at once.",
            unit="SMTP code",
            example="554",
            shape=Shape(width="xs"),
        ),
    ] = 554
    smtp_message: Annotated[
        Text,
        UI("Reply text", "What the sender is told.", example="Mail to that domain is switched off"),
    ] = "Delivery to that domain is switched off on this server"


class Transport(Settings):
    """A way out: one method, or none for direct delivery (behaviour T2)"""

    submissions: Annotated[
        SmtpTransport | None,
        UI(
            "Relay with TLS",
            "Submission with TLS from the start.",
            example="[transports.relay.submissions]",
        ),
    ] = None
    submission: Annotated[
        SmtpTransport | None,
        UI(
            "Relay with STARTTLS",
            "Submission with STARTTLS.",
            example="[transports.relay.submission]",
        ),
    ] = None
    smtp: Annotated[
        SmtpTransport | None,
        UI(
            "Relay over SMTP",
            "Plain SMTP with STARTTLS, mostly without sign-in.",
            example="[transports.lan.smtp]",
        ),
    ] = None
    socks: Annotated[
        SocksTransport | None,
        UI(
            "SOCKS proxy",
            "Direct delivery through a proxy.",
            example="[transports.proxy.socks]",
            level="advanced",
        ),
    ] = None
    direct: Annotated[
        DirectTransport | None,
        UI(
            "Direct",
            "Direct delivery over IPv4 or IPv6 only.",
            example="[transports.v4.direct]",
            level="advanced",
        ),
    ] = None
    fail: Annotated[
        FailTransport | None,
        UI(
            "Refuse",
            "Mail is not delivered but returned.",
            example="[transports.none.fail]",
            level="advanced",
        ),
    ] = None
