"""Forms on settings as they stand: domains, accounts, routes, signatures, and the sections of the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pydantic import BaseModel

from backend.admin.forms.form import (
    NamedForm,
    PartForm,
    Values,
    checked,
    name_field,
    with_domains,
    with_server,
)
from backend.admin.language import Words
from backend.admin.specs.check import Path
from backend.api import forms as f
from backend.config.alias import Alias
from backend.config.dkim import Dkim
from backend.config.model import Account, Config, DomainsConfig, MailDomain, ServerConfig
from backend.config.routing import HoldRule
from backend.core.address import AddressError, parse_domain


def ascii_domain(key: str) -> str:
    try:
        return parse_domain(key).ascii
    except AddressError:
        return key


def domain_form(id_: str, words: f.Spec, only: Sequence[str]) -> PartForm:
    """On settings of a domain."""
    return PartForm(
        id=id_,
        model=MailDomain,
        words=words.model_copy(update={"key": "domain"}),
        get=lambda config, key: config.domains.domains.get(key),
        put=lambda config, key, new: with_domains(
            config, domains={**config.domains.domains, key: new}
        ),
        prefix=lambda key: ("domains", key),
        only=tuple(only),
        spelled=ascii_domain,
    )


def account_form(id_: str, words: f.Spec, only: Sequence[str], *, plain: bool = False) -> PartForm:
    """On settings of an account."""
    return PartForm(
        id=id_,
        model=Account,
        words=words.model_copy(update={"key": "account"}),
        get=lambda config, key: config.domains.accounts.get(key),
        put=lambda config, key, new: with_domains(
            config, accounts={**config.domains.accounts, key: new}
        ),
        prefix=lambda key: ("accounts", key),
        only=tuple(only),
        plain=plain,
    )


def alias_form(words: f.Spec) -> PartForm:
    """On an alias; the key is its address."""

    def parts(config: Config, key: str) -> tuple[MailDomain | None, str]:
        localpart, _, domain = key.rpartition("@")
        return config.domains.domains.get(domain), localpart

    def get(config: Config, key: str) -> Alias | None:
        domain, localpart = parts(config, key)
        return None if domain is None else domain.aliases.get(localpart)

    def put(config: Config, key: str, new: Alias) -> Config:
        domain, localpart = parts(config, key)
        assert domain is not None
        changed = domain.model_copy(update={"aliases": {**domain.aliases, localpart: new}})
        name = key.rpartition("@")[2]
        return with_domains(config, domains={**config.domains.domains, name: changed})

    def prefix(key: str) -> Path:
        localpart, _, domain = key.rpartition("@")
        return ("domains", domain, "aliases", localpart)

    return PartForm(
        id="alias",
        model=Alias,
        words=words.model_copy(update={"key": "alias"}),
        get=get,
        put=put,
        prefix=prefix,
    )


class MailForm(PartForm):
    """On settings of domains.toml that belong to no domain and no account."""

    def write(self, config: Config, key: str, values: Values) -> Config:
        # Only these are looked at anew: with thousands of accounts the whole would take a while.
        kept = config.domains.model_dump(include=set(self.only))
        return self.put(config, key, checked(DomainsConfig, {**kept, **values}))


def mail_form(id_: str, words: f.Spec, only: Sequence[str]) -> PartForm:
    names = tuple(only)
    return MailForm(
        id=id_,
        model=DomainsConfig,
        words=words,
        get=lambda config, key: None if key else config.domains,
        put=lambda config, _, new: with_domains(
            config, **{name: getattr(new, name) for name in names}
        ),
        prefix=lambda _: (),
        only=names,
    )


def hold_rule_form(words: f.Spec) -> PartForm:
    """On a hold rule; it makes new ones too."""
    return NamedForm(
        id="hold-rule",
        model=HoldRule,
        words=words.model_copy(update={"key": "name"}),
        get=lambda config, key: config.domains.hold_rules.get(key),
        put=lambda config, key, new: with_domains(
            config, hold_rules={**config.domains.hold_rules, key: new}
        ),
        prefix=lambda key: ("hold_rules", key),
        key_field=name_field(
            "Give the rule a name", help_="It is shown with each message that the rule holds."
        ).model_copy(update={"placeholder": "their-move"}),
    )


def dkim_form(words: f.Spec) -> PartForm:
    """Which keys sign the mail of a domain. Keys are made and removed by actions of their own."""

    def get(config: Config, key: str) -> Dkim | None:
        domain = config.domains.domains.get(key)
        return None if domain is None else domain.dkim

    def put(config: Config, key: str, new: Dkim) -> Config:
        old = config.domains.domains[key]
        if new.sign != old.dkim.sign:
            # Who chooses by hand ends a change of keys that is under way.
            new = new.model_copy(update={"rotation": None})
        changed = old.model_copy(update={"dkim": new})
        return with_domains(config, domains={**config.domains.domains, key: changed})

    return PartForm(
        id="dkim",
        model=Dkim,
        words=words.model_copy(update={"key": "domain"}),
        get=get,
        put=put,
        prefix=lambda key: ("domains", key, "dkim"),
        only=("sign",),
        spelled=ascii_domain,
    )


def section_form(id_: str, words: f.Spec, section: str) -> PartForm:
    """On a section of server.toml."""
    model = ServerConfig.model_fields[section].annotation
    assert isinstance(model, type)
    return PartForm(
        id=id_,
        model=cast(type[BaseModel], model),
        words=words,
        get=lambda config, key: None if key else cast(BaseModel, getattr(config.server, section)),
        put=lambda config, _, new: with_server(config, **{section: new}),
        prefix=lambda _: (section,),
    )


@dataclass(eq=False)
class ServerForm(PartForm):
    """On settings of server.toml that stand in no section: the name, the listeners."""

    def notes(self, old: Values | None, new: Values, words: Words) -> list[f.Effect]:  # noqa: ARG002  # the form's
        listeners = new.get("listeners")
        if not isinstance(listeners, dict) or any(map(_is_administration, listeners.values())):
            return []
        return [f.Effect(text=words(NO_ADMINISTRATION), kind="note")]


NO_ADMINISTRATION = "No listener has the administration: after the restart no browser can open it, only the window on the server's computer."


def _is_administration(listener: object) -> bool:
    if not isinstance(listener, dict):
        return False
    return bool(listener.get("admin") and (listener.get("http_port") or listener.get("https_port")))


def server_form(id_: str, words: f.Spec, only: Sequence[str]) -> PartForm:
    names = tuple(only)
    return ServerForm(
        id=id_,
        model=ServerConfig,
        words=words,
        get=lambda config, key: None if key else config.server,
        put=lambda config, _, new: with_server(
            config, **{name: getattr(new, name) for name in names}
        ),
        prefix=lambda _: (),
        only=names,
    )
