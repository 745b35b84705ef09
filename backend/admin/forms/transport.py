"""The form of a transport: one choice of a way out, where the files have a table for each (behaviour T2 to T6).

`via` is the way. Its fields come from the stored models; three settings that belong together are one choice here: how TLS
is used, over which kind of addresses, and the sign-in with its password.
"""

from collections.abc import Mapping
from typing import Any, cast

from backend.admin.forms.form import (
    Form,
    InvalidError,
    Secrets,
    Values,
    check_key,
    checked,
    first_values_of,
    name_field,
    with_domains,
)
from backend.admin.language import Words
from backend.admin.services import Services
from backend.admin.specs.check import Fault, Path
from backend.admin.specs.compile import compile_field, compile_fields
from backend.api import forms as f
from backend.config.model import Config
from backend.config.routing import (
    DirectTransport,
    FailTransport,
    SmtpTransport,
    SocksTransport,
    Transport,
)
from backend.outbound.catalogue import MAX_PASSWORD_CHARS, signs_in

RELAYS = ("submissions", "submission", "smtp")
TLS_SETTINGS = ("no_starttls", "starttls_insecure_skip_verify")
PASSWORD: Path = ("via", "auth", "password")

PASSWORD_MOVES = "The saved password will be sent to {host} from now on. If that is not meant, enter another one."  # noqa: S105  # a sentence about one


class TransportForm(Form):
    id = "transport"

    def __init__(self, words: f.Spec) -> None:
        self._words = words

    def make_spec(self) -> f.Spec:
        via = f.Field(
            key="via",
            kind="variant",
            label="How mail leaves",
            help="Choose the way; the fields below it depend on it.",
            required=True,
            widget="cards",
            tag="kind",
            variants=_variants(),
            keywords="relay smarthost proxy socks direct method",
        )
        return self._words.model_copy(
            update={
                "id": self.id,
                "key": "transport",
                "creates": True,
                "key_field": name_field("Give the transport a name", suggest_from="via/host"),
                "fields": [via],
            }
        )

    def place(self, key: str) -> Path:
        return ("transports", key)

    def first_values(self) -> Values:
        return {"via": {"kind": "submissions", **first_values_of(self._relay_fields())}}

    def _relay_fields(self) -> list[f.Field]:
        return self.spec.fields[0].variants[0].fields

    def check_key(self, key: str) -> list[Fault]:
        return check_key(self.spec.key_field, key)

    def read(self, config: Config, key: str) -> Values | None:
        found = config.domains.transports.get(key)
        return None if found is None else {"via": _to_form(found)}

    def write(self, config: Config, key: str, values: Values) -> Config:
        via = cast(Mapping[str, Any], values["via"])
        try:
            new = checked(Transport, _to_stored(via))
        except InvalidError as error:
            raise InvalidError(
                [
                    Fault(
                        each.code,
                        self.path_of(each.path),
                        each.message,
                        each.fix,
                        each.params,
                    )
                    for each in error.faults
                ]
            ) from None
        return with_domains(config, transports={**config.domains.transports, key: new})

    def path_of(self, below: Path) -> Path:
        if not below:
            return ("via",)
        rest = below[1:]
        match rest:
            case ("no_starttls" | "starttls_insecure_skip_verify", *_):
                return ("via", "tls")
            case ("username", *_):
                return ("via", "auth", "username")
            case () if below[0] == "direct":
                return ("via", "family")
            case _:
                return ("via", *rest)

    # --- the password ------------------------------------------------------------------------------------------------

    async def mark_secrets(self, services: Services, key: str, values: Values) -> None:
        auth = _auth(values)
        if auth is not None:
            auth["password"] = {"set": services.catalogue.has_password(key)}

    async def keep_secrets(
        self, services: Services, key: str, secrets: Secrets, *, is_new: bool, before: bool
    ) -> None:
        catalogue = services.catalogue
        given = secrets.given.get(PASSWORD)
        if before:
            if is_new:
                # SECURITY: a password left over from another transport of that name must not go to this one's server.
                await catalogue.keep_password(key, given)
            elif given is None and (stored := catalogue.password(key)) is not None:
                # The person was told that it goes along when the server is another one (`notes`).
                secrets.held[PASSWORD] = stored
            return
        if PASSWORD in secrets.forgotten or not signs_in(catalogue.transport(key)):
            await catalogue.keep_password(key, None)
        elif not is_new and (kept := given or secrets.held.get(PASSWORD)) is not None:
            if given is not None or not catalogue.has_password(key):
                await catalogue.keep_password(key, kept)

    def check_secrets(self, secrets: Secrets) -> list[Fault]:
        given = secrets.given.get(PASSWORD)
        if given is None or (given and len(given) <= MAX_PASSWORD_CHARS and "\0" not in given):
            return []
        return [Fault("transport.password", PASSWORD, "This can't be a password.")]

    def notes(self, old: Values | None, new: Values, words: Words) -> list[f.Effect]:
        before, after = _auth(old or {}), _auth(new)
        if before is None or after is None or before.get("password") != {"set": True}:
            return []
        hosts = [_host(values) for values in (old or {}, new)]
        if hosts[0] == hosts[1] or after.get("password") not in (None, {"set": True}):
            return []
        return [f.Effect(text=words(PASSWORD_MOVES, host=hosts[1]), kind="note")]


def _auth(values: Values) -> dict[str, Any] | None:
    via = values.get("via")
    auth = via.get("auth") if isinstance(via, dict) else None
    return auth if isinstance(auth, dict) else None


def _host(values: Values) -> str:
    via = cast(Mapping[str, Any], values.get("via") or {})
    return str(via.get("host") or via.get("address") or "")


# --- the specification ---------------------------------------------------------------------------------------------------


def _variants() -> list[f.Variant]:
    plain_auth = compile_field("auth", SmtpTransport.model_fields["auth"])
    auth = _with_password(plain_auth)
    host, *others = compile_fields(SmtpTransport, leave_out=("auth", *TLS_SETTINGS))
    username = [each for each in plain_auth.fields if each.key == "username"]
    proxy_auth = plain_auth.model_copy(update={"fields": username, "level": "advanced"})
    proxy = compile_fields(SocksTransport, leave_out=("username",))
    return [
        f.Variant(
            value="submissions",
            title="Relay with sign-in (TLS)",
            help="A provider passes on your mail; encrypted from the start, port 465. The usual choice.",
            icon="lock",
            fields=[host, auth, *others],
        ),
        f.Variant(
            value="submission",
            title="Relay with sign-in (STARTTLS)",
            help="A provider that wants port 587.",
            icon="key",
            fields=[host, auth, _tls(), *others],
        ),
        f.Variant(
            value="smtp",
            title="Relay without sign-in",
            help="Another mail server in your own network takes it, port 25.",
            icon="server",
            fields=[host, _tls(), auth.model_copy(update={"level": "advanced"}), *others],
        ),
        f.Variant(
            value="socks",
            title="Through a SOCKS proxy",
            help="Direct delivery from another address, which belongs into your SPF record.",
            icon="route",
            level="advanced",
            fields=[*map(_needed, proxy), _with_password(proxy_auth)],
        ),
        f.Variant(
            value="direct",
            title="Directly, over IPv4 or IPv6 only",
            help="Straight to the recipient's server, where one of the two makes trouble.",
            icon="send",
            level="advanced",
            fields=[_family()],
        ),
        f.Variant(
            value="fail",
            title="Refuse",
            help="Mail on this way is not delivered; the sender is told.",
            icon="ban",
            level="advanced",
            fields=compile_fields(FailTransport),
        ),
    ]


def _needed(field: f.Field) -> f.Field:
    # The file may leave it out, but nothing goes through a proxy without a name.
    return field.model_copy(update={"required": True}) if field.key == "remote_hostname" else field


def _with_password(auth: f.Field) -> f.Field:
    password = f.Field(
        key="password",
        kind="secret",
        label="Password",
        help="Kept with the secrets of the server and never shown. Many providers want one made for this purpose, an app password.",
        max_length=MAX_PASSWORD_CHARS,
        ask="Enter the password",
        keywords="login secret credentials",
    )
    username, *others = auth.fields
    return auth.model_copy(
        update={
            "help": "User name and password, if the server asks for them.",
            "fields": [username, password, *others],
        }
    )


def _tls() -> f.Field:
    return f.Field(
        key="tls",
        kind="choice",
        label="Encryption",
        help="STARTTLS encrypts the connection after it was opened.",
        default="checked",
        resettable=True,
        level="advanced",
        widget="radio",
        keywords="starttls tls certificate verify insecure",
        choices=[
            f.Choice(
                value="checked",
                label="STARTTLS, certificate checked",
                help="The only one that keeps others from reading along.",
            ),
            f.Choice(
                value="any",
                label="STARTTLS, any certificate",
                help="Anybody on the way can pretend to be the server.",
            ),
            f.Choice(
                value="none",
                label="Without TLS",
                help="Only for a server on the same computer or in a network that you trust.",
            ),
        ],
    )


def _family() -> f.Field:
    return f.Field(
        key="family",
        kind="choice",
        label="Addresses",
        help="Over which kind of addresses other servers are reached.",
        default="both",
        widget="radio",
        keywords="ipv4 ipv6",
        choices=[
            f.Choice(value="both", label="IPv4 and IPv6"),
            f.Choice(value="ipv4", label="IPv4 only"),
            f.Choice(value="ipv6", label="IPv6 only"),
        ],
    )


# --- to and from the stored tables ---------------------------------------------------------------------------------------


def _to_form(stored: Transport) -> dict[str, Any]:
    for kind in RELAYS:
        relay: SmtpTransport | None = getattr(stored, kind)
        if relay is None:
            continue
        data = relay.model_dump(mode="json", exclude=set(TLS_SETTINGS))
        if kind != "submissions":
            any_certificate = relay.starttls_insecure_skip_verify
            data["tls"] = "none" if relay.no_starttls else "any" if any_certificate else "checked"
        return {"kind": kind, **data}
    if stored.socks is not None:
        data = stored.socks.model_dump(mode="json")
        username = data.pop("username")
        return {"kind": "socks", **data, "auth": {"username": username} if username else None}
    if stored.fail is not None:
        return {"kind": "fail", **stored.fail.model_dump(mode="json")}
    direct = stored.direct or DirectTransport()
    family = "ipv6" if direct.disable_ipv4 else "ipv4" if direct.disable_ipv6 else "both"
    return {"kind": "direct", "family": family}


def _to_stored(via: Mapping[str, Any]) -> dict[str, Any]:
    kind = via["kind"]
    rest = {name: value for name, value in via.items() if name not in {"kind", "auth"}}
    auth = {k: v for k, v in (via.get("auth") or {}).items() if k != "password"}
    if kind == "direct":
        family = rest.get("family", "both")
        if family == "both":
            return {}
        return {"direct": {"disable_ipv4": family == "ipv6", "disable_ipv6": family == "ipv4"}}
    if kind == "socks":
        return {"socks": {**rest, "username": auth.get("username", "")}}
    if kind == "fail":
        return {"fail": rest}
    tls = rest.pop("tls", "checked")
    rest |= {"no_starttls": tls == "none", "starttls_insecure_skip_verify": tls == "any"}
    return {kind: {**rest, "auth": auth or None}}
