"""Lists that stand on no form: nothing in them is made or changed by hand."""

from backend.api import forms as f

_PROTOCOLS = [
    f.Choice(value="imap", label="mail app, reading"),
    f.Choice(value="submission", label="mail app, sending"),
    f.Choice(value="admin", label="administration"),
]
_RESULTS = [
    f.Choice(value=True, label="signed in", icon="check"),
    f.Choice(value=False, label="refused", icon="alert-circle"),
]
_THIS_COMPUTER = "this computer"

SIGN_INS = f.Spec(
    id="sign-ins",
    version="",
    title="Sign-ins",
    help="Who signed in, or tried to, with a mail app or to the administration.",
    icon="key",
    page="/signins",
    listing=f.ListSpec(
        path="/sign-ins",
        key="number",
        paged=True,
        columns=[
            f.Column(key="address", title="Name", main=True, sortable=False, empty="(no name)"),
            f.Column(
                key="succeeded", title="Result", kind="state", sortable=False, choices=_RESULTS
            ),
            f.Column(key="at", title="When", kind="time", sortable=False),
            f.Column(
                key="peer",
                title="From",
                kind="code",
                width="m",
                sortable=False,
                empty=_THIS_COMPUTER,
            ),
            f.Column(
                key="protocol",
                title="With",
                width="m",
                priority=2,
                sortable=False,
                choices=_PROTOCOLS,
            ),
            f.Column(
                key="encrypted",
                title="Connection",
                width="s",
                priority=3,
                sortable=False,
                empty="unknown",
                choices=[
                    f.Choice(value=True, label="encrypted"),
                    f.Choice(value=False, label="not encrypted"),
                ],
            ),
            f.Column(key="mechanism", title="Method", width="s", priority=4, sortable=False),
            f.Column(key="client", title="Program", width="m", priority=5, sortable=False),
        ],
        filters=[
            f.Field(
                key="succeeded", kind="choice", label="Result", nullable=True, choices=_RESULTS
            ),
            f.Field(key="protocol", kind="choice", label="With", nullable=True, choices=_PROTOCOLS),
        ],
        empty=f.EmptyText(
            title="Nobody has signed in yet",
            text="Each sign-in of a mail app and to the administration is listed here, and each that was refused.",
            icon="key",
        ),
        events=["sign_ins"],
    ),
)

SIGN_IN_SOURCES = f.Spec(
    id="sign-in-sources",
    version="",
    title="Refused sign-ins by address",
    help="Where wrong passwords came from. After some of them an address has to wait longer and longer; nobody is locked out for good.",
    icon="shield-check",
    page="/signins",
    listing=f.ListSpec(
        path="/sign-ins/failures",
        key="peer",
        paged=True,
        page="/signins/{key}",
        columns=[
            f.Column(
                key="peer",
                title="From",
                kind="code",
                main=True,
                sortable=False,
                empty=_THIS_COMPUTER,
            ),
            f.Column(key="count", title="Refused", kind="number", sortable=False),
            f.Column(key="succeeded", title="Signed in", kind="number", priority=3, sortable=False),
            f.Column(
                key="names", title="Tried as", kind="list", width="l", priority=2, sortable=False
            ),
            f.Column(key="last_at", title="Last", kind="time", sortable=False),
        ],
        empty=f.EmptyText(
            title="No sign-in was refused",
            text="Wrong passwords are counted here by the address they came from.",
            icon="shield-check",
        ),
        events=["sign_ins"],
    ),
)

LISTS: tuple[f.Spec, ...] = (SIGN_INS, SIGN_IN_SOURCES)
