"""What can be set, and in what words it is shown: every setting once, for files, forms, command line and manual.

`ServerConfig` is `server.toml`, `DomainsConfig` is `domains.toml`. Faults of a single value are found here; faults
between values are `config.check`'s.
"""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from backend.config.alias import Alias, AliasName
from backend.config.dkim import Dkim
from backend.config.fields import (
    UI,
    AddressKey,
    HostName,
    Name,
    Settings,
    Shape,
    Text,
    checked_mailbox,
    checked_separator,
)
from backend.config.mta_sts import MtaSts
from backend.config.routing import HoldRule, Route, Transport
from backend.config.server import Admin, Limits, Listener, Log, Outbound, Tls

DEFAULT_OUTGOING_PER_DAY = 1000  # behaviour L1
DEFAULT_FIRST_TIME_PER_DAY = 200  # behaviour L1


class ServerConfig(Settings):
    """The server"""

    hostname: Annotated[
        HostName,
        UI(
            "Host name",
            "The full name of this server, as other mail servers know it and as its certificate says.",
            example="mail.example.org",
            live=False,
            shape=Shape(ask="Enter the name of this server", keywords="fqdn mx name"),
        ),
    ]
    practice_mode: Annotated[
        bool,
        UI(
            "Practice mode",
            "For trying out: nothing leaves this computer, and programs on it may sign in without TLS.",
            example="false",
            live=False,
        ),
    ] = False
    listeners: Annotated[
        dict[Name, Listener],
        Field(max_length=64),
        UI(
            "Listeners",
            "Groups of addresses and ports, each under a name of its own.",
            example="[listeners.public]",
            live=False,
            shape=Shape(
                item="Listener",
                key="Name",
                item_title="{@}",
                add="Add a listener",
                keywords="ports bind interface",
            ),
        ),
    ] = Field(default_factory=dict)
    tls: Annotated[
        Tls,
        UI(
            "Certificates", "Where the certificate for TLS comes from.", example="[tls]", live=False
        ),
    ] = Tls()
    limits: Annotated[
        Limits,
        UI(
            "Limits",
            "Bounds against overload and abuse.",
            example="[limits]",
            level="advanced",
            live=False,
        ),
    ] = Limits()
    outbound: Annotated[
        Outbound,
        UI(
            "Outgoing mail",
            "How mail reaches other servers.",
            example="[outbound]",
            level="advanced",
        ),
    ] = Outbound()
    admin: Annotated[
        Admin,
        UI(
            "Administration",
            "Administration in a browser.",
            example="[admin]",
            level="advanced",
            live=False,
        ),
    ] = Admin()
    log: Annotated[
        Log, UI("Log", "What is written to the log.", example="[log]", level="advanced", live=False)
    ] = Log()


class MailDomain(Settings):
    """A domain for which this server takes mail"""

    description: Annotated[
        Text, UI("Description", "A note for yourself.", example="The family's domain")
    ] = ""
    disabled: Annotated[
        bool,
        UI(
            "Switched off",
            "Mail for the domain is put off with a temporary error, and nobody sends from it; for use while moving.",
            example="false",
            level="advanced",
            shape=Shape(widget="toggle", keywords="disable"),
        ),
    ] = False
    catchall_separator: Annotated[
        str,
        AfterValidator(checked_separator),
        UI(
            "Separator for variants",
            "With “+”, mail to anna+shop@… arrives at anna@…; empty switches this off.",
            example="+",
            level="advanced",
            shape=Shape(
                width="xs", suggestions=("+", "-"), keywords="plus address subaddress detail tag"
            ),
        ),
    ] = ""
    localpart_case_sensitive: Annotated[
        bool,
        UI(
            "Upper and lower case differ",
            "Whether Anna@… and anna@… are different addresses. Best left off.",
            example="false",
            level="advanced",
        ),
    ] = False
    routes: Annotated[
        list[Route],
        Field(max_length=1000),
        UI(
            "Routes",
            "For mail sent from this domain.",
            example='[[domains."example.org".routes]]',
            level="advanced",
            shape=Shape(
                item="Route",
                ordered=True,
                widget="reorder",
                item_title="{#}. through {transport}",
                add="Add a route",
                keywords="relay way rule smarthost",
            ),
        ),
    ] = Field(default_factory=list)
    aliases: Annotated[
        dict[AliasName, Alias],
        Field(max_length=10_000),
        UI(
            "Aliases",
            "Addresses of the domain whose mail goes to several people here.",
            example='[domains."example.org".aliases.family]',
        ),
    ] = Field(default_factory=dict)
    dkim: Annotated[
        Dkim,
        UI(
            "Signatures (DKIM)",
            "Proof for others that mail is really from this domain.",
            example='[domains."example.org".dkim]',
            level="advanced",
        ),
    ] = Dkim()
    mta_sts: Annotated[
        MtaSts,
        UI(
            "Encrypted delivery (MTA-STS)",
            "Asks other servers to deliver to this domain over verified TLS only.",
            example='[domains."example.org".mta_sts]',
            level="advanced",
        ),
    ] = MtaSts()

    def canonical_localpart(self, localpart: str) -> str:
        """What tells addresses of the domain apart (behaviour C1): without the variant behind the separator, in lower
        case unless case matters. `postmaster` is the same in any case (RFC 5321 §4.5.1).
        """
        local = unicodedata.normalize("NFC", localpart)
        if self.catchall_separator:
            local = local.split(self.catchall_separator, 1)[0]
        if not self.localpart_case_sensitive or local.lower() == "postmaster":
            local = local.lower()
        return local


class Destination(Settings):
    """What happens to mail for one address"""

    mailbox: Annotated[
        str,
        AfterValidator(checked_mailbox),
        UI(
            "Mailbox",
            "Where its mail is put; it is made when it is missing.",
            example="INBOX",
            shape=Shape(suggestions=("INBOX", "Archive"), keywords="folder"),
        ),
    ] = "INBOX"


class Account(Settings):
    """A person or thing that has mailboxes here"""

    domain: Annotated[
        HostName,
        UI(
            "Domain",
            "The domain of its main address.",
            example="example.org",
            shape=Shape(source="domains", ask="Choose the domain"),
        ),
    ]
    full_name: Annotated[
        Text,
        UI(
            "Full name",
            "As it stands in front of the address.",
            example="Anna Meier",
            shape=Shape(keywords="person display name"),
        ),
    ] = ""
    disabled: Annotated[
        bool,
        UI(
            "Sign-in switched off",
            "Nobody can sign in to the account or send from it; mail to it is still taken.",
            example="false",
            shape=Shape(widget="toggle", keywords="disable lock block"),
        ),
    ] = False
    quota_bytes: Annotated[
        int,
        Field(ge=0, le=2**53),
        UI(
            "Space",
            "How much mail it may keep; 0 for no limit.",
            unit="bytes",
            example="10737418240",
            shape=Shape(kind="size", zero="no limit", keywords="quota storage limit"),
        ),
    ] = 0
    max_outgoing_messages_per_day: Annotated[
        int,
        Field(ge=0, le=10_000_000),
        UI(
            "Messages a day",
            "To how many recipients it may send in 24 hours, so that a stolen password does not harm others much; 0 means 1000.",
            unit="recipients in 24 hours",
            example="1000",
            level="advanced",
            shape=Shape(zero="1000", width="s", keywords="limit rate sending"),
        ),
    ] = DEFAULT_OUTGOING_PER_DAY
    max_first_time_recipients_per_day: Annotated[
        int,
        Field(ge=0, le=10_000_000),
        UI(
            "New recipients a day",
            "To how many recipients it never wrote to before it may send in 24 hours; 0 means 200.",
            unit="recipients in 24 hours",
            example="200",
            level="advanced",
            shape=Shape(zero="200", width="s", keywords="limit rate sending"),
        ),
    ] = DEFAULT_FIRST_TIME_PER_DAY
    destinations: Annotated[
        dict[AddressKey, Destination],
        Field(max_length=10_000),
        UI(
            "Addresses",
            "The addresses of the account; “@example.org” takes all mail of the domain that no other address takes.",
            example='[accounts.anna.destinations."anna@example.org"]',
            shape=Shape(
                item="Address",
                key="Address",
                item_title="{@}",
                add="Add an address",
                keywords="email alias catch-all",
            ),
        ),
    ] = Field(default_factory=dict)
    routes: Annotated[
        list[Route],
        Field(max_length=1000),
        UI(
            "Routes",
            "For mail that this account sends.",
            example="[[accounts.anna.routes]]",
            level="advanced",
            shape=Shape(
                item="Route",
                ordered=True,
                widget="reorder",
                item_title="{#}. through {transport}",
                add="Add a route",
                keywords="relay way rule smarthost",
            ),
        ),
    ] = Field(default_factory=list)

    @property
    def outgoing_limit(self) -> int:
        return self.max_outgoing_messages_per_day or DEFAULT_OUTGOING_PER_DAY

    @property
    def first_time_limit(self) -> int:
        return self.max_first_time_recipients_per_day or DEFAULT_FIRST_TIME_PER_DAY

    @property
    def main_address(self) -> str:
        """The first address in its own domain, else the first; empty when there is none but catch-alls."""
        exact = [key for key in self.destinations if not key.startswith("@")]
        own = [key for key in exact if key.endswith(f"@{self.domain}")]
        return next(iter(own or exact), "")


class DomainsConfig(Settings):
    """Domains, accounts, and the ways out"""

    postmaster_account: Annotated[
        str,
        UI(
            "Postmaster",
            "The account that gets mail to postmaster where nothing else is set; empty means the first account.",
            example="anna",
            level="advanced",
            shape=Shape(source="accounts", keywords="reports owner"),
        ),
    ] = ""
    postmaster_mailbox: Annotated[
        str,
        AfterValidator(checked_mailbox),
        UI(
            "Mailbox of the postmaster",
            "Where that mail is put.",
            example="Postmaster",
            level="advanced",
        ),
    ] = "INBOX"
    domains: Annotated[
        dict[HostName, MailDomain],
        Field(max_length=10_000),
        UI("Domains", "The domains for which mail is taken.", example='[domains."example.org"]'),
    ] = Field(default_factory=dict)
    accounts: Annotated[
        dict[Name, Account],
        Field(max_length=100_000),
        UI("Accounts", "Who has mailboxes here.", example="[accounts.anna]"),
    ] = Field(default_factory=dict)
    transports: Annotated[
        dict[Name, Transport],
        Field(max_length=1000),
        UI(
            "Transports",
            "Ways out other than direct delivery.",
            example="[transports.relay]",
            level="advanced",
        ),
    ] = Field(default_factory=dict)
    hold_rules: Annotated[
        dict[Name, HoldRule],
        Field(max_length=1000),
        UI(
            "Hold rules",
            "Mail that is accepted, but kept in the queue for now.",
            example="[hold_rules.their-move]",
            level="advanced",
        ),
    ] = Field(default_factory=dict)
    routes: Annotated[
        list[Route],
        Field(max_length=1000),
        UI(
            "Routes",
            "For all mail that leaves.",
            example="[[routes]]",
            level="advanced",
            shape=Shape(
                item="Route",
                ordered=True,
                widget="reorder",
                item_title="{#}. through {transport}",
                add="Add a route",
                keywords="relay way rule smarthost",
            ),
        ),
    ] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Config:
    """One consistent configuration; `revision` grows with each applied change."""

    server: ServerConfig
    domains: DomainsConfig
    revision: int = 0
