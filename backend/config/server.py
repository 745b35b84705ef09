"""The groups of settings in `server.toml`."""

from typing import Annotated, Literal

from pydantic import Field

from backend.config.fields import UI, Host, HostPort, IpAddress, Option, Port, Settings, Shape, When


def _port(title: str, help_: str, example: str) -> UI:
    return UI(title, help_, unit="port, 0 = off", example=example, live=False)


class Listener(Settings):
    """Where the server listens"""

    addresses: Annotated[
        list[IpAddress],
        Field(min_length=1, max_length=32),
        UI(
            "Addresses",
            "The addresses of this computer on which to listen; 0.0.0.0 and :: stand for all of them.",
            example='["0.0.0.0", "::"]',
            live=False,
            shape=Shape(
                item="IP address",
                widget="chips",
                add="Add an address",
                suggestions=("0.0.0.0", "::", "127.0.0.1"),  # noqa: S104  # a mail server listens to the world
                ask="Enter at least one address",
            ),
        ),
    ]
    public_addresses: Annotated[
        list[IpAddress],
        Field(max_length=32),
        UI(
            "Public addresses",
            "The addresses under which the Internet reaches this listener, when a router stands in between; the DNS check and the proposed records use them.",
            example='["203.0.113.9"]',
            level="advanced",
            live=False,
            shape=Shape(
                item="IP address",
                widget="chips",
                add="Add an address",
                keywords="nat router external",
            ),
        ),
    ] = Field(default_factory=list)
    smtp_port: Annotated[
        Port,
        _port("Incoming mail", "SMTP: where other servers deliver mail; 25 on the Internet.", "25"),
    ] = 0
    submission_port: Annotated[
        Port, _port("Submission", "SMTP with STARTTLS: where mail apps send.", "587")
    ] = 0
    submissions_port: Annotated[
        Port,
        _port("Submission with TLS", "SMTP with TLS from the start: where mail apps send.", "465"),
    ] = 0
    imap_port: Annotated[
        Port, _port("IMAP", "IMAP with STARTTLS: where mail apps read.", "143")
    ] = 0
    imaps_port: Annotated[
        Port, _port("IMAP with TLS", "IMAP with TLS from the start: where mail apps read.", "993")
    ] = 0
    http_port: Annotated[
        Port, _port("HTTP", "Plain HTTP: the administration in a browser on this computer.", "8080")
    ] = 0
    https_port: Annotated[
        Port, _port("HTTPS", "HTTP with TLS: the administration in a browser.", "443")
    ] = 0
    admin: Annotated[
        bool,
        UI(
            "Administration here",
            "Whether the administration pages answer on the HTTP ports of this listener.",
            example="true",
            live=False,
        ),
    ] = False


class Tls(Settings):
    """Certificates"""

    mode: Annotated[
        Literal["self_signed", "files"],
        UI(
            "Certificate from",
            "“self_signed” makes one with an own certificate authority, for trying out; “files” reads the two files below.",
            example="self_signed",
            live=False,
            shape=Shape(
                help="With it this server proves its name to mail apps and other servers.",
                widget="radio",
                options=(
                    Option(
                        "self_signed",
                        "Made here",
                        "By an authority of its own, for trying out: mail apps will ask whether to trust it.",
                    ),
                    Option("files", "My own files", "Two PEM files on the server's computer."),
                ),
                keywords="ssl tls certificate",
            ),
        ),
    ] = "self_signed"
    certificate_file: Annotated[
        str,
        UI(
            "Certificate file",
            "PEM file with the certificate of this server, then the intermediate ones. Needed for “files”.",
            example="/etc/ssl/mail.pem",
            live=False,
            shape=Shape(
                help="PEM file with the certificate of this server, then the intermediate ones.",
                kind="file",
                accept=(".pem", ".crt", ".cer"),
                show_if=(When("mode", ("files",)),),
                required_if=(When("mode", ("files",)),),
                ask="Name the file with the certificate",
                keywords="ssl chain",
            ),
        ),
    ] = ""
    key_file: Annotated[
        str,
        UI(
            "Key file",
            "PEM file with the private key that belongs to the certificate, without a pass phrase. Needed for “files”.",
            example="/etc/ssl/private/mail.key",
            live=False,
            shape=Shape(
                help="PEM file with the private key that belongs to the certificate, without a pass phrase.",
                kind="file",
                accept=(".pem", ".key"),
                show_if=(When("mode", ("files",)),),
                required_if=(When("mode", ("files",)),),
                ask="Name the file with the key",
                keywords="ssl private",
            ),
        ),
    ] = ""


class Limits(Settings):
    """Limits against overload and abuse"""

    message_size_bytes: Annotated[
        int,
        Field(ge=64 * 1024, le=2 * 1024**3),
        UI(
            "Largest message",
            "Messages above this size are refused, coming in and going out.",
            unit="bytes",
            example="52428800",
            live=False,
            shape=Shape(kind="size", keywords="size limit attachment"),
        ),
    ] = 50 * 1024 * 1024
    recipients: Annotated[
        int,
        Field(ge=100, le=10_000),
        UI(
            "Recipients of one message",
            "How many recipients one message may have in one go; the mail standard asks for at least 100.",
            unit="recipients",
            example="100",
            level="advanced",
            live=False,
        ),
    ] = 100
    connections: Annotated[
        int,
        Field(ge=10, le=100_000),
        UI(
            "Connections",
            "How many connections each port keeps open at the same time.",
            unit="connections",
            example="1000",
            level="advanced",
            live=False,
        ),
    ] = 1000
    connections_per_address: Annotated[
        int,
        Field(ge=2, le=100_000),
        UI(
            "Connections from one address",
            "How many of them may come from the same IP address.",
            unit="connections",
            example="50",
            level="advanced",
            live=False,
        ),
    ] = 50
    connections_per_minute_per_address: Annotated[
        int,
        Field(ge=10, le=1_000_000),
        UI(
            "New connections from one address",
            "How many new connections one IP address may open in a minute.",
            unit="connections per minute",
            example="300",
            level="advanced",
            live=False,
        ),
    ] = 300


class Outbound(Settings):
    """Mail that leaves"""

    smtp_port: Annotated[
        Port,
        UI(
            "Port of other servers",
            "The port on which other mail servers take mail: 25, except in tests.",
            unit="port",
            example="25",
            level="advanced",
            live=False,
        ),
    ] = 25
    resolvers: Annotated[
        list[HostPort],
        Field(max_length=16),
        UI(
            "DNS servers",
            "DNS servers to ask, as address:port; empty uses those of this computer.",
            example='["127.0.0.1:53"]',
            level="advanced",
            live=False,
            shape=Shape(
                widget="chips",
                item="DNS server",
                add="Add a DNS server",
                keywords="resolver nameserver",
            ),
        ),
    ] = Field(default_factory=list)
    public_resolvers: Annotated[
        list[HostPort],
        Field(max_length=4),
        UI(
            "Public DNS servers to compare with",
            "DNS servers that a check of a domain's DNS asks as well, to tell whether everybody sees a change already, such as 1.1.1.1:53 and 9.9.9.9:53. They learn which domains you look after; empty asks none.",
            example='["1.1.1.1:53", "9.9.9.9:53"]',
            level="advanced",
            shape=Shape(
                widget="chips",
                item="DNS server",
                add="Add a DNS server",
                keywords="resolver worldwide propagation",
            ),
        ),
    ] = Field(default_factory=list)
    believe_resolvers: Annotated[
        bool,
        UI(
            "Believe these DNS servers",
            "Whether the DNS servers named above are believed when they say that an answer is signed (DNSSEC), which DANE needs. Only where nobody in between can forge their answers, such as in your own network; a DNS server on this computer is always believed.",
            example="false",
            level="advanced",
            live=False,
        ),
    ] = False
    ca_file: Annotated[
        str,
        UI(
            "Additional certificate authorities",
            "PEM file with certificate authorities to trust beside those of this computer.",
            example="/etc/ssl/own-ca.pem",
            level="advanced",
            live=False,
            shape=Shape(kind="file", accept=(".pem", ".crt"), keywords="ca root trust"),
        ),
    ] = ""
    tls_reports: Annotated[
        bool,
        UI(
            "Send TLS reports",
            "Once a day, tells other domains that ask for it how encrypted connections to their mail servers went, so that they notice faults. Only numbers and names of servers, nothing about messages.",
            example="true",
            level="advanced",
        ),
    ] = True
    concurrency: Annotated[
        int,
        Field(ge=1, le=1000),
        UI(
            "Deliveries at a time",
            "How many messages are delivered to other servers at the same time.",
            unit="deliveries",
            example="10",
            level="advanced",
            live=False,
        ),
    ] = 10
    concurrency_per_domain: Annotated[
        int,
        Field(ge=1, le=100),
        UI(
            "Deliveries at a time to one domain",
            "It begins with one; further ones come only while many messages wait for the domain and its server takes them.",
            unit="deliveries",
            example="5",
            level="advanced",
            live=False,
        ),
    ] = 5
    longest_hold_days: Annotated[
        int,
        # Signed when accepted: no longer than records of replaced DKIM keys stay published (`mailauth.rotation`).
        Field(ge=0, le=30),
        UI(
            "Sending later",
            "How far ahead a mail app may ask for a message to be sent (FUTURERELEASE); 0 switches that off.",
            unit="days",
            example="30",
            level="advanced",
            live=False,
        ),
    ] = 30
    max_attempts: Annotated[
        int,
        Field(ge=1, le=12),
        UI(
            "Attempts",
            "How often a message is tried while another server can't take it, before its sender gets a report: 8 attempts take about 16 hours, each further one as long again. For messages that are handed in from now on.",
            unit="attempts",
            example="8",
            level="advanced",
        ),
    ] = 8
    history_days: Annotated[
        int,
        Field(ge=0, le=3650),
        UI(
            "Days of history",
            "How long is kept what became of each message that left: to whom, when, and what the other server said; 0 keeps nothing, and then bounces that come in later can't be matched.",
            unit="days",
            example="30",
        ),
    ] = 30
    suppression_days: Annotated[
        int,
        Field(ge=0, le=3650),
        UI(
            "Days without a vanished address",
            "When another server says that an address does not exist, the account sends nothing there for this long; 0 goes on trying each time.",
            unit="days",
            example="60",
        ),
    ] = 60
    allow_loopback: Annotated[
        bool,
        UI(
            "Deliver to private addresses",
            "Whether mail may be delivered to servers on this computer and in private networks; for tests only: otherwise a stranger's DNS entry could point your server at devices in your home.",
            example="false",
            level="advanced",
            live=False,
        ),
    ] = False


class Admin(Settings):
    """Administration in a browser"""

    allowed_hosts: Annotated[
        list[Host],
        Field(max_length=100),
        UI(
            "Names of this server",
            "Names and IP addresses under which a browser may open the administration, beside the host name and localhost.",
            example='["mail.example.org", "192.168.1.10"]',
            live=False,
            shape=Shape(
                widget="chips", item="Name", add="Add a name", keywords="host allowed browser"
            ),
        ),
    ] = Field(default_factory=list)
    session_minutes: Annotated[
        int,
        Field(ge=5, le=60 * 24 * 90),
        UI(
            "Sign-out after",
            "After this time without a click the administration asks for the password again.",
            unit="minutes",
            example="720",
            level="advanced",
            live=False,
            shape=Shape(kind="duration", every="min", keywords="session timeout idle"),
        ),
    ] = 720


class Log(Settings):
    """Log"""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        UI(
            "Detail",
            "How much is written to the log; “debug” is for looking into a fault.",
            example="info",
            level="advanced",
            live=False,
            shape=Shape(
                help="How much is written to the log.",
                options=(
                    Option("debug", "Everything", "For looking into a fault; much is written."),
                    Option("info", "What happens"),
                    Option("warning", "What may go wrong"),
                    Option("error", "Faults only"),
                ),
                keywords="level verbose debug",
            ),
        ),
    ] = "info"
