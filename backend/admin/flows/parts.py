"""What several wizards ask: fields and checks for names, addresses, passwords, and who is there already."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from backend.accounts.passwords import MAX_PASSWORD_BYTES, check_password_rules
from backend.admin.flows.steps import Visit
from backend.admin.forms.effects import effects_of_configs
from backend.admin.specs.check import Fault
from backend.admin.specs.compile import SOURCES
from backend.api import flows as w
from backend.api import forms as f
from backend.api.conditions import is_in
from backend.config.check import check
from backend.config.model import Config
from backend.core.address import AddressError, Domain, parse_address
from backend.core.errors import ConfigError

MAX_ADDRESS_CHARS = 320
MAX_LISTED = 20  # things that are named one by one before the rest is counted


def shown_domain(name: str) -> str:
    return Domain(name).unicode


def domain_field(visit: Visit, key: str = "domain") -> f.Field:
    """A choice, since an address here needs a domain that is here."""
    return f.Field(
        key=key,
        kind="choice",
        label="Domain",
        help="The part behind the @.",
        required=True,
        width="m",
        ask="Choose a domain",
        choices=[
            f.Choice(value=name, label=f"@{shown_domain(name)}")
            for name in visit.config.domains.domains
        ],
    )


def local_part_field(label: str, example: str, *, autofocus: bool = False) -> f.Field:
    return f.Field(
        key="local_part",
        kind="text",
        label=label,
        help="The part in front of the @.",
        required=True,
        placeholder=example,
        max_length=64,
        width="m",
        autofocus=autofocus,
        ask="Enter the part in front of the @",
    )


def address_fault(visit: Visit, local_part: str, domain: str, path: tuple[str, ...]) -> list[Fault]:
    """What speaks against a new address."""
    if "@" in local_part:
        text = "This is only the part in front of the @."
        return [Fault("address.local_part", path, text, "Leave out the @ and what follows.")]
    try:
        address = parse_address(f"{local_part}@{domain}")
    except AddressError as error:
        return [Fault("address.invalid", path, f"{error}.")]
    settings = visit.config.domains.domains.get(domain)
    if settings is None:
        return [Fault("address.unknown_domain", path, "The domain is not here any more.")]
    separator = settings.catchall_separator
    if separator and separator in address.localpart:
        return [
            Fault(
                "address.separator",
                path,
                f"The address may not hold “{separator}”: the domain uses it for variants of an address.",
                "Leave out that sign and what follows.",
            )
        ]
    owner = owner_of(visit.config, str(address))
    if owner:
        return [
            Fault(
                "address.exists", path, f"{address} belongs to {owner} already.", "Choose another."
            )
        ]
    return []


def owner_of(config: Config, address: str) -> str:
    """Whose the address is, in words; empty when it is free. Catch-alls do not count."""
    parsed = parse_address(address)
    domain = config.domains.domains.get(parsed.domain.ascii)
    if domain is None:
        return ""
    wanted = domain.canonical_localpart(parsed.localpart)
    if any(domain.canonical_localpart(name) == wanted for name in domain.aliases):
        return "an alias"
    ending = f"@{parsed.domain.ascii}"
    for account, settings in config.domains.accounts.items():
        for key in settings.destinations:
            if key.endswith(ending) and key != ending:
                if domain.canonical_localpart(parse_address(key).localpart) == wanted:
                    return f"the account “{account}”"
    return ""


def password_fields(step_choice: str = "how") -> list[f.Field]:
    return [
        f.Field(
            key=step_choice,
            kind="choice",
            label="Password",
            help="Mail apps sign in with the address and this password.",
            default="make",
            widget="radio",
            choices=[
                f.Choice(
                    value="make",
                    label="Make a strong one",
                    help="It is shown once at the end, to be copied into the mail app.",
                ),
                f.Choice(value="set", label="Enter one", help="At least 12 characters."),
            ],
        ),
        f.Field(
            key="password",
            kind="secret",
            label="The password",
            help="Four or five words are easy to remember and hard to guess.",
            max_length=MAX_PASSWORD_BYTES,
            required=True,
            show_if=is_in(step_choice, "set"),
            ask="Enter a password",
        ),
    ]


def password_fault(visit: Visit, step: str, choice: str = "how") -> list[Fault]:
    if visit.values(step).get(choice) != "set":
        return []
    practice = visit.config.server.practice_mode
    problem = check_password_rules(visit.secret(step, "password") or "", practice=practice)
    if problem is None:
        return []
    return [Fault(problem.code, ("password",), problem.message, problem.fix)]


def account_choice(**more: object) -> f.Field:
    values = {
        "key": "account",
        "kind": "ref",
        "label": "Account",
        "required": True,
        "ask": "Choose an account",
        "choices_from": SOURCES["accounts"].model_copy(update={"create": ""}),
        **more,
    }
    return f.Field.model_validate(values)


def listed(names: Sequence[str], limit: int = MAX_LISTED) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def planned(visit: Visit, change: Callable[[Config], Config]) -> Config | None:
    """The configuration as the commit would leave it; None when it can't be."""
    try:
        new = change(visit.config)
    except (ConfigError, ValueError):
        return None
    return None if check(new.server, new.domains) else replace(new, revision=visit.config.revision)


def dns_effects(visit: Visit, new: Config | None) -> list[f.Effect]:
    """The records of the domains that are here already, as they change."""
    return [] if new is None else effects_of_configs(visit.config, new, visit.words)


def link(title: str, page: str, icon: str, help_: str = "", *, primary: bool = False) -> w.Link:
    return w.Link(title=title, page=page, icon=icon, help=help_, primary=primary)
