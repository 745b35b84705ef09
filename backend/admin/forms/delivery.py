"""The forms and lists of how mail leaves: routes, transports, hold rules, suppressions."""

from backend.admin.forms.described import ROUTES_HELP, described
from backend.admin.forms.parts import (
    hold_rule_form,
    mail_form,
)
from backend.admin.forms.suppression import SuppressionForm
from backend.admin.forms.transport import TransportForm
from backend.api import forms as f
from backend.api.conditions import Cond

ROUTES = mail_form(
    "routes",
    described("Routes", f"Which way mail takes. {ROUTES_HELP}", "route", "/routes"),
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
    described(
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
                f.Column(key="summary", title="What it does", priority=3, width="full"),
                f.Column(
                    key="last_result/ok",
                    title="Last result",
                    kind="state",
                    empty="not used yet",
                    choices=[
                        f.Choice(value=True, label="worked", icon="check"),
                        f.Choice(value=False, label="failed", icon="alert-circle"),
                    ],
                ),
                f.Column(key="last_result/at", title="When", kind="time", priority=2),
                f.Column(key="used_by", title="Routes", kind="count", empty="no route", priority=2),
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
            events=["config", "queue"],
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
_IN_USE, _GONE = Cond(path="settings", empty=False), Cond(path="settings", empty=True)
_HOLDS, _HOLDS_NONE = Cond(path="held", min=1), Cond(path="held", max=0)

_SHOW_HELD = f.Action(
    id="show",
    title="Show",
    help="The messages that it holds.",
    icon="eye",
    page="/queue/rule/{key}",
    show_if=_HOLDS,
)
_APPLY_TO_WAITING = _APPLY_HOLD.model_copy(update={"show_if": _IN_USE})
_REMOVE_EMPTY = f.Action(
    id="remove",
    title="Remove",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/queue/holds/{key}",
    done="The rule is removed.",
    confirm=f.Confirm(
        title="Remove the hold rule {key}?",
        text="It holds nothing now. What would match it from now on is sent at once.",
        verb="Remove the rule",
    ),
    show_if=Cond(all=[_IN_USE, _HOLDS_NONE]),
)
_REMOVE_HOLDING = _REMOVE_HOLD.model_copy(
    update={
        "id": "remove-release",
        "confirm": f.Confirm(
            title="Remove the hold rule {key}, and send what it holds?",
            text="Messages that it holds: {held}. They are sent, unless another rule holds them as well.",
            verb="Remove and release",
        ),
        "show_if": Cond(all=[_IN_USE, _HOLDS]),
    }
)
_REMOVE_ONLY = f.Action(
    id="remove-keep",
    title="Remove, keep on hold",
    icon="trash",
    kind="danger",
    method="DELETE",
    path="/queue/holds/{key}",
    done="The rule is removed. What it held stays on hold.",
    confirm=f.Confirm(
        title="Remove the hold rule {key}, and keep what it holds?",
        text="Messages that stay on hold until somebody releases them: {held}.",
        verb="Remove the rule",
    ),
    show_if=Cond(all=[_IN_USE, _HOLDS]),
)
_LET_GO = f.Action(
    id="release",
    title="Release what it held",
    icon="player-play",
    method="POST",
    path="/queue/release",
    body={"matching": {"rule": "{key}"}},
    done="What the rule held goes on.",
    show_if=_GONE,
)

HOLD_RULE = hold_rule_form(
    described(
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
            row_actions=[
                _SHOW_HELD,
                _APPLY_TO_WAITING,
                _REMOVE_EMPTY,
                _REMOVE_HOLDING,
                _REMOVE_ONLY,
                _LET_GO,
            ],
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
    described(
        "Suppression list",
        "Addresses to which nothing is sent, because they bounced for good or because somebody said so.",
        "ban",
        "/suppressions/{key}",
        listing=f.ListSpec(
            path="/suppressions",
            key="id",
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
                    undo=f.Undo(
                        path="/suppressions",
                        body={
                            "address": "{address}",
                            "account": "{account}",
                            "reason": "{reason}",
                            "until": "{until}",
                            "automatic": "{automatic}",
                            "trace": "{trace}",
                        },
                    ),
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
