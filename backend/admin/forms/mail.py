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
    described(
        "Account",
        "A person or thing that has mailboxes here.",
        "user",
        "/accounts/{key}/settings",
        layout=[
            f.Section(fields=["full_name", "domain", "disabled"]),
            f.Section(title="Addresses", icon="at", fields=["destinations"]),
            f.Section(
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
