"""The forms and lists of domains, aliases and accounts."""

from backend.admin.forms.described import ROUTES_HELP, described
from backend.admin.forms.parts import (
    account_form,
    alias_form,
    dkim_form,
    domain_form,
    mail_form,
)
from backend.api import forms as f
from backend.config.model import Account, MailDomain


def _rest(model: type[Account | MailDomain], *elsewhere: str) -> list[str]:
    """All settings but those that have a form of their own."""
    return [name for name in model.model_fields if name not in elsewhere]


_REMOVE_DOMAIN = f.Action(
    id="remove",
    title="Remove…",
    icon="trash",
    kind="danger",
    page="/domains/{key}/remove",
)

DOMAIN = domain_form(
    "domain",
    described(
        "Domain",
        "How mail for this domain is treated.",
        "world",
        "/domains/{key}/settings",
        actions=[_REMOVE_DOMAIN],
        listing=f.ListSpec(
            path="/domains",
            columns=[
                f.Column(key="unicode", title="Domain", main=True),
                f.Column(
                    key="disabled",
                    title="State",
                    kind="state",
                    choices=[
                        f.Choice(value=False, label="in use", icon="circle-check"),
                        f.Choice(value=True, label="switched off", icon="player-pause"),
                    ],
                ),
                f.Column(key="accounts", title="Accounts", kind="number"),
                f.Column(key="addresses", title="Addresses", kind="number", priority=2),
                f.Column(key="aliases", title="Aliases", kind="number", priority=3),
                f.Column(
                    key="catch_all",
                    title="Other addresses go to",
                    help="The account that gets mail to addresses of the domain that nobody has.",
                    priority=3,
                    empty="refused",
                ),
                f.Column(
                    key="dkim_made_at",
                    title="Signing key",
                    help="How old the key is with which mail of the domain is signed (DKIM).",
                    kind="time",
                    priority=2,
                    empty="not signed",
                ),
                f.Column(
                    key="dns/score",
                    title="DNS",
                    help="How many of the records that matter are as they should be, by the last check.",
                    width="s",
                    empty="not checked",
                ),
                f.Column(key="description", title="Description", priority=4),
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
    _rest(MailDomain, "routes", "dkim", "aliases", "mta_sts"),
)

DOMAIN_POLICIES = domain_form(
    "domain-policies",
    described(
        "Policies of the domain",
        "What other servers are asked to keep to when they deliver to this domain.",
        "shield-check",
        "/domains/{key}/policies",
    ),
    ["mta_sts"],
)

DOMAIN_ROUTES = domain_form(
    "domain-routes",
    described(
        "Routes of the domain",
        f"Which way mail from this domain takes. {ROUTES_HELP}",
        "route",
        "/domains/{key}/routes",
    ),
    ["routes"],
)

DKIM = dkim_form(
    described(
        "Signatures (DKIM)",
        "Proof for others that mail is really from this domain: which of its keys sign.",
        "key",
        "/domains/{key}/dkim",
        actions=[
            f.Action(
                id="rotate",
                title="Change the keys…",
                help="New keys are made and published first, then they sign, then the old ones go.",
                icon="refresh",
                page="/domains/{key}/dkim/rotate",
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
    described(
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

_REMOVE_ACCOUNT = f.Action(
    id="remove",
    title="Remove…",
    icon="trash",
    kind="danger",
    page="/accounts/{key}/remove",
)

_LIMITS_OF_ACCOUNT = (
    "quota_bytes",
    "max_outgoing_messages_per_day",
    "max_first_time_recipients_per_day",
)

_ADD_ACCOUNT = f.Action(
    id="add", title="Add an account", icon="user-plus", kind="primary", page="/accounts/new"
)

ACCOUNT = account_form(
    "account",
    described(
        "Account",
        "A person or thing that has mailboxes here.",
        "user",
        "/accounts/{key}/settings",
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
                    key="address", title="Address", width="l", empty="no address", sortable=False
                ),
                f.Column(
                    key="state",
                    title="State",
                    kind="state",
                    sortable=False,
                    choices=[
                        f.Choice(value="active", label="in use", icon="circle-check"),
                        f.Choice(value="full", label="full", icon="alert-circle"),
                        f.Choice(value="disabled", label="switched off", icon="lock"),
                    ],
                ),
                f.Column(
                    key="used_bytes",
                    title="Used",
                    help="How much mail it keeps, of how much it may.",
                    kind="size",
                    of="quota_bytes",
                    priority=2,
                    sortable=False,
                ),
                f.Column(
                    key="last_sign_in_at",
                    title="Last sign-in",
                    kind="time",
                    priority=2,
                    empty="never",
                ),
                f.Column(
                    key="addresses", title="Addresses", kind="count", priority=3, sortable=False
                ),
            ],
            filters=[
                f.Field(
                    key="disabled",
                    kind="choice",
                    label="Sign-in",
                    nullable=True,
                    choices=[
                        f.Choice(value=False, label="allowed"),
                        f.Choice(value=True, label="switched off"),
                    ],
                )
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
            events=["config", "sign_ins", "mail"],
        ),
    ),
    _rest(Account, "routes", "destinations", *_LIMITS_OF_ACCOUNT),
)

ACCOUNT_ADDRESSES = account_form(
    "account-addresses",
    described(
        "Addresses",
        "Which addresses the account has, and where mail to each is put.",
        "at",
        "/accounts/{key}/addresses",
        listing=f.ListSpec(
            path="/addresses",
            key="address",
            paged=True,
            columns=[
                f.Column(key="address", title="Address", main=True),
                f.Column(
                    key="kind",
                    title="Kind",
                    kind="state",
                    choices=[
                        f.Choice(value="account", label="account", icon="circle-check"),
                        f.Choice(value="alias", label="alias", icon="send"),
                        f.Choice(value="catch_all", label="all others", icon="clock"),
                    ],
                ),
                f.Column(key="title", title="Whose", width="l"),
                f.Column(
                    key="mailbox", title="Mailbox", priority=2, sortable=False, empty="its members"
                ),
            ],
            filters=[
                f.Field(
                    key="kind",
                    kind="choice",
                    label="Kind",
                    choices=[
                        f.Choice(value="account", label="of an account"),
                        f.Choice(value="alias", label="alias"),
                        f.Choice(value="catch_all", label="all others (catch-all)"),
                    ],
                )
            ],
            sort="address",
            empty=f.EmptyText(
                title="No address yet",
                text="Mail to the domain is refused until somebody has an address in it.",
                icon="at",
                action=_ADD_ACCOUNT,
            ),
            events=["config"],
        ),
    ),
    ["destinations"],
)

ACCOUNT_LIMITS = account_form(
    "account-limits",
    described(
        "Limits of the account",
        "They keep a stolen password from harming others much.",
        "shield-check",
        "/accounts/{key}/limits",
    ),
    _LIMITS_OF_ACCOUNT,
    plain=True,
)

ACCOUNT_ROUTES = account_form(
    "account-routes",
    described(
        "Routes of the account",
        f"Which way mail takes that this account sends. {ROUTES_HELP}",
        "route",
        "/accounts/{key}/routes",
    ),
    ["routes"],
)

POSTMASTER = mail_form(
    "postmaster",
    described(
        "Postmaster",
        "Who gets mail to postmaster, where nothing else is set.",
        "user",
        "/settings/postmaster",
    ),
    ["postmaster_account", "postmaster_mailbox"],
)
