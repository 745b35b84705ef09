"""Every form there is: which settings, in what words, under which sections, with which actions. A new form is an entry here."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from backend.admin.forms.form import Form
from backend.admin.forms.parts import (
    account_form,
    alias_form,
    dkim_form,
    domain_form,
    hold_rule_form,
    mail_form,
    section_form,
    server_form,
)
from backend.admin.forms.suppression import SuppressionForm
from backend.admin.forms.transport import TransportForm
from backend.api import forms as f
from backend.api.conditions import Cond
from backend.config.model import Account, MailDomain

_Section = f.Section


def _words(
    title: str,
    help_: str,
    icon: str,
    page: str,
    *,
    layout: Sequence[f.Section] = (),
    actions: Sequence[f.Action] = (),
    listing: f.ListSpec | None = None,
    **more: Any,
) -> f.Spec:
    return f.Spec(
        id="",
        version="",
        title=title,
        help=help_,
        icon=icon,
        page=page,
        layout=list(layout),
        actions=list(actions),
        listing=listing,
        **more,
    )


def _rest(model: type[Account | MailDomain], *elsewhere: str) -> list[str]:
    """All settings but those that have a form of their own."""
    return [name for name in model.model_fields if name not in elsewhere]


# --- domains -------------------------------------------------------------------------------------------------------------

_REMOVE_DOMAIN = f.Action(
    id="remove",
    title="Remove",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/domains/{key}",
    done="The domain is removed.",
    confirm=f.Confirm(
        title="Remove the domain {key}?",
        text="Mail for it is refused from then on. Accounts must be moved to another domain first.",
        verb="Remove the domain",
        type_name=True,
    ),
)

DOMAIN = domain_form(
    "domain",
    _words(
        "Domain",
        "How mail for this domain is treated.",
        "world",
        "/domains/{key}/settings",
        actions=[_REMOVE_DOMAIN],
        listing=f.ListSpec(
            path="/domains",
            columns=[
                f.Column(key="unicode", title="Domain", main=True),
                f.Column(key="description", title="Description", priority=3),
                f.Column(key="accounts", title="Accounts", kind="number"),
                f.Column(key="addresses", title="Addresses", kind="number", priority=2),
                f.Column(
                    key="disabled",
                    title="State",
                    kind="state",
                    choices=[
                        f.Choice(value=False, label="in use", icon="circle-check"),
                        f.Choice(value=True, label="switched off", icon="player-pause"),
                    ],
                ),
            ],
            filters=[
                f.Field(
                    key="disabled",
                    kind="choice",
                    label="State",
                    nullable=True,
                    choices=[
                        f.Choice(value=False, label="in use"),
                        f.Choice(value=True, label="switched off"),
                    ],
                )
            ],
            sort="unicode",
            page="/domains/{key}",
            actions=[
                f.Action(
                    id="add",
                    title="Add a domain",
                    icon="world-plus",
                    kind="primary",
                    page="/domains/new",
                )
            ],
            row_actions=[_REMOVE_DOMAIN],
            empty=f.EmptyText(
                title="No domain yet",
                text="A domain is what stands behind the @ of your addresses. Add yours to begin.",
                icon="world",
                action=f.Action(
                    id="add",
                    title="Add a domain",
                    icon="world-plus",
                    kind="primary",
                    page="/domains/new",
                ),
            ),
            events=["config"],
        ),
    ),
    _rest(MailDomain, "routes", "dkim", "aliases"),
)

_ROUTES_HELP = "The first route that matches is taken; where none does, the next list is looked at, and in the end mail goes out directly."

DOMAIN_ROUTES = domain_form(
    "domain-routes",
    _words(
        "Routes of the domain",
        f"Which way mail from this domain takes. {_ROUTES_HELP}",
        "route",
        "/domains/{key}/routes",
    ),
    ["routes"],
)

DKIM = dkim_form(
    _words(
        "Signatures (DKIM)",
        "Proof for others that mail is really from this domain: which of its keys sign.",
        "key",
        "/domains/{key}/dkim",
        actions=[
            f.Action(
                id="rotate",
                title="Change the keys",
                help="New keys are made and published first, then they sign, then the old ones go.",
                icon="refresh",
                method="POST",
                path="/domains/{key}/dkim/rotate",
                done="The change of keys goes on by itself.",
            ),
        ],
        listing=f.ListSpec(
            path="/domains/{key}/dkim",
            items="selectors",
            columns=[
                f.Column(key="name", title="Key", main=True),
                f.Column(key="algorithm", title="Algorithm"),
                f.Column(key="signs", title="Signs", kind="bool"),
                f.Column(key="made_at", title="Made", kind="time", priority=2),
                f.Column(key="record_name", title="DNS name", kind="code", priority=3),
            ],
            searchable=False,
            empty=f.EmptyText(
                title="No key yet",
                text="Without one, mail leaves without a signature, and many will treat it as junk.",
                icon="key",
            ),
            events=["config"],
        ),
    )
)

_ADD_ALIAS = f.Action(
    id="add", title="Add an alias", icon="plus", kind="primary", page="/aliases/new"
)
_REMOVE_ALIAS = f.Action(
    id="remove",
    title="Remove",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/aliases/{key}",
    done="The alias is removed.",
    confirm=f.Confirm(
        title="Remove the alias {key}?",
        text="Mail to it is refused from then on; nobody's mail is deleted.",
        verb="Remove the alias",
    ),
)

ALIAS = alias_form(
    _words(
        "Alias",
        "One address whose mail goes to several people here.",
        "users",
        "/aliases/{key}",
        actions=[_REMOVE_ALIAS],
        listing=f.ListSpec(
            path="/aliases",
            key="address",
            columns=[
                f.Column(key="address", title="Address", main=True),
                f.Column(key="description", title="Description", priority=3),
                f.Column(key="members", title="Members", kind="count"),
                f.Column(key="post_public", title="Everybody may write", kind="bool", priority=2),
            ],
            sort="address",
            page="/aliases/{key}",
            actions=[_ADD_ALIAS],
            row_actions=[_REMOVE_ALIAS],
            empty=f.EmptyText(
                title="No alias yet",
                text="With an alias such as family@, one address reaches several people.",
                icon="users",
                action=_ADD_ALIAS,
            ),
            events=["config"],
        ),
    )
)

# --- accounts ------------------------------------------------------------------------------------------------------------

_REMOVE_ACCOUNT = f.Action(
    id="remove",
    title="Remove",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/accounts/{key}",
    done="The account is removed.",
    confirm=f.Confirm(
        title="Remove the account {key}?",
        text="All its mail is deleted for good.",
        verb="Remove the account",
        type_name=True,
    ),
)

_ADD_ACCOUNT = f.Action(
    id="add", title="Add an account", icon="user-plus", kind="primary", page="/accounts/new"
)

ACCOUNT = account_form(
    "account",
    _words(
        "Account",
        "A person or thing that has mailboxes here.",
        "user",
        "/accounts/{key}/settings",
        layout=[
            _Section(fields=["full_name", "domain", "disabled"]),
            _Section(title="Addresses", icon="at", fields=["destinations"]),
            _Section(
                title="Limits",
                help="They keep a stolen password from harming others much.",
                fields=[
                    "quota_bytes",
                    "max_outgoing_messages_per_day",
                    "max_first_time_recipients_per_day",
                ],
            ),
        ],
        actions=[
            f.Action(
                id="connect",
                title="Connect a mail app",
                icon="device-mobile",
                page="/accounts/{key}/connect",
            ),
            _REMOVE_ACCOUNT,
        ],
        listing=f.ListSpec(
            path="/accounts",
            key="id",
            paged=True,
            columns=[
                f.Column(key="id", title="Account", main=True),
                f.Column(key="full_name", title="Name"),
                f.Column(
                    key="addresses", title="Addresses", kind="count", priority=2, sortable=False
                ),
                f.Column(key="used_bytes", title="Used", kind="size", priority=2, sortable=False),
                f.Column(
                    key="disabled",
                    title="State",
                    kind="state",
                    sortable=False,
                    choices=[
                        f.Choice(value=False, label="in use", icon="circle-check"),
                        f.Choice(value=True, label="sign-in switched off", icon="lock"),
                    ],
                ),
            ],
            sort="id",
            page="/accounts/{key}",
            actions=[_ADD_ACCOUNT],
            row_actions=[
                f.Action(
                    id="connect",
                    title="Connect a mail app",
                    icon="device-mobile",
                    page="/accounts/{key}/connect",
                ),
                _REMOVE_ACCOUNT,
            ],
            empty=f.EmptyText(
                title="No account yet",
                text="Everybody who has mail here needs one.",
                icon="users",
                action=_ADD_ACCOUNT,
            ),
            events=["config"],
        ),
    ),
    _rest(Account, "routes"),
)

ACCOUNT_ROUTES = account_form(
    "account-routes",
    _words(
        "Routes of the account",
        f"Which way mail takes that this account sends. {_ROUTES_HELP}",
        "route",
        "/accounts/{key}/routes",
    ),
    ["routes"],
)

POSTMASTER = mail_form(
    "postmaster",
    _words(
        "Postmaster",
        "Who gets mail to postmaster, where nothing else is set.",
        "user",
        "/settings/postmaster",
    ),
    ["postmaster_account", "postmaster_mailbox"],
)

# --- delivery ------------------------------------------------------------------------------------------------------------

ROUTES = mail_form(
    "routes",
    _words("Routes", f"Which way mail takes. {_ROUTES_HELP}", "route", "/routes"),
    ["routes"],
)

_TRANSPORT_KINDS = [
    f.Choice(value="submissions", label="relay with TLS", icon="lock"),
    f.Choice(value="submission", label="relay with STARTTLS", icon="key"),
    f.Choice(value="smtp", label="relay over SMTP", icon="server"),
    f.Choice(value="socks", label="SOCKS proxy", icon="route"),
    f.Choice(value="direct", label="direct", icon="send"),
    f.Choice(value="fail", label="refuses", icon="ban"),
]

_TEST_TRANSPORT = f.Action(
    id="test",
    title="Test",
    help="Connects, checks the certificate and signs in, without sending a message.",
    icon="plug",
    method="POST",
    path="/transports/{key}/test",
    result="report",
)

_REMOVE_TRANSPORT = f.Action(
    id="remove",
    title="Remove",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/transports/{key}",
    done="The transport is removed.",
    confirm=f.Confirm(
        title="Remove the transport {key}?",
        text="Its password is forgotten too.",
        verb="Remove the transport",
    ),
)

_ADD_TRANSPORT = f.Action(
    id="add", title="Add a transport", icon="plus", kind="primary", page="/transports/new"
)

TRANSPORT = TransportForm(
    _words(
        "Transport",
        "A way out other than direct delivery. Routes say which mail takes it.",
        "plug",
        "/transports/{key}",
        actions=[_TEST_TRANSPORT, _REMOVE_TRANSPORT],
        listing=f.ListSpec(
            path="/transports",
            columns=[
                f.Column(key="name", title="Name", main=True),
                f.Column(key="settings/kind", title="Kind", kind="state", choices=_TRANSPORT_KINDS),
                f.Column(key="summary", title="What it does", priority=3, width="l"),
                f.Column(
                    key="used_by", title="Used by", kind="count", empty="no route", priority=2
                ),
            ],
            sort="name",
            page="/transports/{key}",
            actions=[_ADD_TRANSPORT],
            row_actions=[
                _TEST_TRANSPORT,
                _REMOVE_TRANSPORT.model_copy(update={"show_if": Cond(path="used_by", empty=True)}),
            ],
            empty=f.EmptyText(
                title="No transport yet",
                text="All mail goes out directly. Add one if your provider blocks that, or if a relay should send for you.",
                icon="send",
                action=_ADD_TRANSPORT,
            ),
            events=["config"],
        ),
    )
)

_ADD_HOLD = f.Action(
    id="add", title="Add a hold rule", icon="plus", kind="primary", page="/queue/holds/new"
)
_REMOVE_HOLD = f.Action(
    id="remove",
    title="Remove and release",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/queue/holds/{key}?release=true",
    done="The rule is removed, and what it held goes on.",
    confirm=f.Confirm(
        title="Remove the hold rule {key}?",
        text="The messages that it holds are sent, unless another rule holds them as well.",
        verb="Remove and release",
    ),
)
_APPLY_HOLD = f.Action(
    id="apply",
    title="Hold what waits already",
    help="A rule holds what is accepted from now on; this takes what is in the queue as well.",
    icon="hand-stop",
    method="POST",
    path="/queue/holds/{key}/apply",
    done="What matches in the queue is held.",
)

HOLD_RULE = hold_rule_form(
    _words(
        "Hold rule",
        "Mail that matches is accepted, but kept in the queue for now.",
        "hand-stop",
        "/queue/holds/{key}",
        actions=[_APPLY_HOLD, _REMOVE_HOLD],
        listing=f.ListSpec(
            path="/queue/holds",
            columns=[
                f.Column(key="name", title="Rule", main=True),
                f.Column(key="settings/comment", title="Reason", priority=2, width="l"),
                f.Column(key="held", title="Holds", kind="number"),
                f.Column(
                    key="settings/disabled",
                    title="State",
                    kind="state",
                    empty="removed",
                    choices=[
                        f.Choice(value=False, label="in use", icon="hand-stop"),
                        f.Choice(value=True, label="switched off", icon="player-pause"),
                    ],
                ),
            ],
            sort="name",
            page="/queue/holds/{key}",
            actions=[_ADD_HOLD],
            row_actions=[_APPLY_HOLD, _REMOVE_HOLD],
            empty=f.EmptyText(
                title="No hold rule",
                text="Nothing is held back by a rule.",
                icon="hand-stop",
                action=_ADD_HOLD,
            ),
            events=["config", "queue"],
        ),
    )
)

_ADD_SUPPRESSION = f.Action(
    id="add", title="Add an address", icon="plus", kind="primary", page="/suppressions/new"
)

SUPPRESSION = SuppressionForm(
    _words(
        "Suppression list",
        "Addresses to which nothing is sent, because they bounced for good or because somebody said so.",
        "ban",
        "/suppressions/{key}",
        listing=f.ListSpec(
            path="/suppressions",
            key="address",
            cursor=True,
            columns=[
                f.Column(key="address", title="Address", main=True, sortable=False),
                f.Column(
                    key="account",
                    title="For",
                    empty="all accounts",
                    priority=2,
                    sortable=False,
                ),
                f.Column(key="reason", title="Reason", width="l", priority=3, sortable=False),
                f.Column(
                    key="automatic",
                    title="Entered",
                    kind="state",
                    priority=3,
                    sortable=False,
                    choices=[
                        f.Choice(value=True, label="by the server", icon="server"),
                        f.Choice(value=False, label="by hand", icon="user"),
                    ],
                ),
                f.Column(key="since", title="Since", kind="time", priority=2, sortable=False),
                f.Column(key="until", title="Until", kind="time", empty="for ever", sortable=False),
            ],
            filters=[
                f.Field(
                    key="automatic",
                    kind="choice",
                    label="Entered",
                    nullable=True,
                    choices=[
                        f.Choice(value=True, label="by the server"),
                        f.Choice(value=False, label="by hand"),
                    ],
                )
            ],
            actions=[_ADD_SUPPRESSION],
            row_actions=[
                f.Action(
                    id="remove",
                    title="Send to it again",
                    icon="trash",
                    method="POST",
                    path="/suppressions/remove",
                    body={"items": [{"account": "{account}", "address": "{address}"}]},
                    done="Mail to the address is sent again.",
                )
            ],
            empty=f.EmptyText(
                title="Nothing is suppressed",
                text="An address that does not exist any more comes here by itself.",
                icon="ban",
                action=_ADD_SUPPRESSION,
            ),
            events=["queue"],
        ),
    )
)

# --- the server ----------------------------------------------------------------------------------------------------------

IDENTITY = server_form(
    "server-name",
    _words(
        "Name of the server",
        "What other servers and mail apps know it by.",
        "server",
        "/system/server",
    ),
    ["hostname", "practice_mode"],
)
LISTENERS = server_form(
    "server-listeners",
    _words("Ports", "Where the server listens.", "plug", "/system/ports"),
    ["listeners"],
)
TLS = section_form(
    "server-tls",
    _words(
        "Certificates",
        "Where the certificate for encrypted connections comes from.",
        "lock",
        "/system/certificates",
    ),
    "tls",
)
LIMITS = section_form(
    "server-limits",
    _words("Limits", "Bounds against overload and abuse.", "shield-check", "/system/limits"),
    "limits",
)
OUTBOUND = section_form(
    "server-outbound",
    _words("Outgoing mail", "How mail reaches other servers.", "send", "/system/outgoing"),
    "outbound",
)
ADMIN = section_form(
    "server-admin",
    _words(
        "Administration in a browser",
        "Who may reach it, and for how long.",
        "key",
        "/system/security",
    ),
    "admin",
)
LOG = section_form(
    "server-log",
    _words("Log", "How much the server writes of what it does.", "terminal-2", "/system/log"),
    "log",
)

FORMS: tuple[Form, ...] = (
    DOMAIN,
    DOMAIN_ROUTES,
    DKIM,
    ALIAS,
    ACCOUNT,
    ACCOUNT_ROUTES,
    POSTMASTER,
    ROUTES,
    TRANSPORT,
    HOLD_RULE,
    SUPPRESSION,
    IDENTITY,
    LISTENERS,
    TLS,
    LIMITS,
    OUTBOUND,
    ADMIN,
    LOG,
)


@cache
def by_id() -> dict[str, Form]:
    return {form.id: form for form in FORMS}
