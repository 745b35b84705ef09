"""Adding an account: the person, the address and more of them, the password, limits; at the end how to connect a mail app."""

import re

from backend.admin.flows import parts
from backend.admin.flows.domain import kept_password, shown_password
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import DoneStep, FlowType, FormStep, ReviewStep, Step, Visit
from backend.admin.forms.form import Values
from backend.admin.specs.check import Fault
from backend.admin.specs.compile import compile_fields
from backend.api import flows as w
from backend.api import forms as f
from backend.config.fields import normal_address
from backend.config.model import Account
from backend.core.address import AddressError
from backend.core.errors import NotFoundError, UserError
from backend.core.problems import Problem

LIMITS = ("quota_bytes", "max_outgoing_messages_per_day", "max_first_time_recipients_per_day")
MAX_MORE = 50  # addresses in one wizard


def address_of(visit: Visit) -> str:
    return f"{visit.text('person', 'local_part')}@{visit.text('person', 'domain')}"


def split_addresses(text: str) -> list[str]:
    """As people paste them: one a line, with commas or semicolons, with names around `<…>`."""
    found = []
    for part in re.split(r"[\n,;]+", text):
        inner = re.search(r"<([^<>]+)>", part)
        plain = (inner[1] if inner else part).strip().strip('"').removeprefix("mailto:")
        if plain:
            found.append(plain)
    return list(dict.fromkeys(found))


class Person(FormStep):
    id = "person"
    title = "Who is it?"
    short = "Person"
    intro = "An account is a person with a mailbox, a password and one or more addresses."
    why = "The name is what others see beside the address. Both can be changed later; mail stays where it is."

    def fields(self, visit: Visit) -> list[f.Field]:
        return [
            f.Field(
                key="full_name",
                kind="text",
                label="Name",
                help="As it is shown to the people they write to.",
                placeholder="Anna Example",
                max_length=200,
                autofocus=True,
            ),
            parts.local_part_field("Address", "anna"),
            parts.domain_field(visit),
        ]

    def first(self, visit: Visit) -> Values:
        domains = list(visit.config.domains.domains)
        wanted = visit.state.context.get("domain", "")
        return {"domain": wanted if wanted in domains else domains[0] if domains else ""}

    async def check(self, visit: Visit) -> list[Fault]:
        local_part = visit.text("person", "local_part")
        domain = visit.text("person", "domain")
        return parts.address_fault(visit, local_part, domain, ("local_part",))


class More(FormStep):
    id = "more"
    title = "More addresses?"
    short = "More addresses"
    intro = "Mail to each of them arrives in the same mailbox. Leave it empty if one is enough."
    why = "For example info@… or an earlier name. One mailbox can have as many as you like."

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        return [
            f.Field(
                key="addresses",
                kind="text",
                label="More addresses",
                help="One in each line.",
                placeholder="info@example.org",
                multiline=True,
                max_length=10_000,
            )
        ]

    async def check(self, visit: Visit) -> list[Fault]:
        texts = split_addresses(visit.text("more", "addresses"))
        if len(texts) > MAX_MORE:
            text = f"At most {MAX_MORE} addresses can be given here."
            return [Fault("account.too_many", ("addresses",), text, "Add the others later.")]
        found = []
        for text in texts:
            fault = self._fault(visit, text)
            if fault:
                found.append(f"{text}: {fault}")
        if not found:
            return []
        return [Fault("account.addresses", ("addresses",), " ".join(found[:10]))]

    def _fault(self, visit: Visit, text: str) -> str:
        local_part, at, _ = text.rpartition("@")
        if not at:
            return "An address has an @."
        try:
            key = normal_address(text)
        except AddressError as error:
            return f"{error}."
        if not local_part:
            return "An address that takes everything is added later, on the page of the account."
        if key == address_of(visit):
            return ""
        domain = key.rpartition("@")[2]
        if domain not in visit.config.domains.domains:
            return "The domain is not one of this server's."
        faults = parts.address_fault(visit, key.rpartition("@")[0], domain, ())
        return faults[0].message if faults else ""


class Password(FormStep):
    id = "password"
    title = "Which password?"
    short = "Password"
    why = "Passwords are not kept, only what is needed to check them. Nobody can look them up later, but a new one can be set at any time."

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        return [
            *parts.password_fields(),
            *[
                each.model_copy(update={"level": "basic"})
                for each in compile_fields(Account, only=LIMITS)
            ],
        ]

    def layout(self, visit: Visit) -> list[f.Section]:  # noqa: ARG002  # the same for all
        return [
            f.Section(fields=["how", "password"]),
            f.Section(
                title="Limits",
                help="They keep a stolen password from doing much harm. What is set here fits most people.",
                fields=list(LIMITS),
                collapsed=True,
            ),
        ]

    async def check(self, visit: Visit) -> list[Fault]:
        return parts.password_fault(visit, "password")


class Review(ReviewStep):
    id = "review"
    title = "Add the account"
    intro = "Nothing has been changed so far."
    primary = "Add the account"

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        more = split_addresses(visit.text("more", "addresses"))
        generated = visit.values("password").get("how", "make") == "make"
        rows = [
            w.ReviewRow(
                label="Name", value=visit.text("person", "full_name") or "none", step="person"
            ),
            w.ReviewRow(label="Address", value=address_of(visit), step="person"),
            w.ReviewRow(label="More addresses", value=parts.listed(more) or "none", step="more"),
            w.ReviewRow(
                label="Password",
                value="is made and shown" if generated else "as you entered it",
                step="password",
            ),
        ]
        quota = visit.number("password", "quota_bytes")
        if quota:
            rows.append(
                w.ReviewRow(label="Space", value=f"{quota / 1024**3:.3g} GiB", step="password")
            )
        return rows

    async def effects(self, visit: Visit) -> list[f.Effect]:
        return [
            f.Effect(text=f"Mail to {address_of(visit)} is taken from now on."),
            f.Effect(text="No DNS record changes, and no restart is needed.", kind="note"),
        ]

    async def commit(self, visit: Visit) -> None:
        step = Password()
        plain = step.plain(visit)
        settings = {name: plain[name] for name in LIMITS if plain.get(name) is not None}
        generated = visit.values("password").get("how", "make") == "make"
        given = await kept_password(visit) if generated else visit.secret("password", "password")
        if not generated:
            visit.secrets.pop("made/password", None)
        made = await visit.services.accounts.add_account(
            address_of(visit),
            full_name=visit.text("person", "full_name"),
            password=given or "",
            more_addresses=split_addresses(visit.text("more", "addresses")),
            settings=settings,
            author=visit.author,
        )
        visit.secrets.pop("password/password", None)
        visit.state.made |= {"account": made.id, "address": made.address}

    async def is_applied(self, visit: Visit) -> bool:
        try:
            account = visit.services.accounts.find_account(address_of(visit))
        except NotFoundError:
            return False
        visit.secrets.pop("password/password", None)
        visit.state.made |= {"account": account, "address": address_of(visit)}
        return True


class Done(DoneStep):
    title = "The account is ready"

    def links(self, visit: Visit) -> list[w.Link]:
        account = visit.state.made.get("account", "")
        return [
            parts.link(
                "Connect a mail app",
                f"/accounts/{account}/connect",
                "device-mobile",
                "Settings for phones and computers.",
                primary=True,
            ),
            parts.link("The account", f"/accounts/{account}", "user"),
            parts.link("Add another", "/accounts/new", "user-plus"),
        ]

    def secrets(self, visit: Visit) -> list[w.ShownSecret]:
        return shown_password(visit)


class AddAccount(FlowType):
    id = "account"
    name = "Add an account"
    icon = "user-plus"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [Person(), More(), Password(), Review(), Done()]

    def begin(self, visit: Visit) -> None:
        require_domain(visit)

    def about(self, state: FlowState) -> str:
        person = state.draft.get("person", {})
        local_part = person.get("local_part")
        return (
            f"{local_part}@{person.get('domain')}"
            if local_part
            else str(person.get("full_name") or "")
        )


def require_domain(visit: Visit) -> None:
    if not visit.config.domains.domains:
        raise UserError(
            Problem(
                code="flow.no_domain",
                message="An address needs a domain, and there is none yet.",
                fix="Add a domain first.",
            )
        )
