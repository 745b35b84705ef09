"""Adding an alias: its address, who gets its mail, who may write to it."""

from collections.abc import Mapping
from typing import Any

from backend.accounts.aliases import add_alias, find_alias
from backend.admin.flows import parts
from backend.admin.flows.account import require_domain, split_addresses
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import DoneStep, FlowType, FormStep, ReviewStep, Step, Visit
from backend.admin.forms.form import Values
from backend.admin.specs.check import Fault
from backend.admin.specs.compile import compile_fields
from backend.api import flows as w
from backend.api import forms as f
from backend.config.alias import MAX_MEMBERS, Alias
from backend.config.fields import normal_address
from backend.config.model import Config
from backend.core.address import AddressError, parse_address
from backend.core.errors import NotFoundError

RULES = ("post_public", "list_members", "send_as")


def address_of(visit: Visit) -> str:
    return f"{visit.text('address', 'local_part')}@{visit.text('address', 'domain')}"


class Address(FormStep):
    id = "address"
    title = "Which address?"
    short = "Address"
    intro = "Mail to it goes to several people here, such as family@… or office@…"
    why = "An alias has no mailbox of its own: each member finds the mail in the own one."

    def fields(self, visit: Visit) -> list[f.Field]:
        description = compile_fields(Alias, only=["description"])
        return [
            parts.local_part_field("Address", "family", autofocus=True),
            parts.domain_field(visit),
            *description,
        ]

    def first(self, visit: Visit) -> Values:
        domains = list(visit.config.domains.domains)
        wanted = visit.state.context.get("domain", "")
        return {"domain": wanted if wanted in domains else domains[0] if domains else ""}

    async def check(self, visit: Visit) -> list[Fault]:
        local_part, domain = visit.text("address", "local_part"), visit.text("address", "domain")
        return parts.address_fault(visit, local_part, domain, ("local_part",))


class Members(FormStep):
    id = "members"
    title = "Who gets the mail?"
    short = "Members"
    intro = "Addresses of people who have an account here. A list from elsewhere can be pasted as it is."
    why = "Only addresses on this server can be members: mail passed on to others is often refused there as forged."

    def fields(self, visit: Visit) -> list[f.Field]:
        known = [
            key
            for account in visit.config.domains.accounts.values()
            for key in account.destinations
            if not key.startswith("@")
        ]
        return [
            f.Field(
                key="members",
                kind="text",
                label="Members",
                help="One in each line, or with commas between them.",
                placeholder="\n".join(known[:2]),
                required=True,
                multiline=True,
                autofocus=True,
                max_length=100_000,
                ask="Name at least one member",
            )
        ]

    async def check(self, visit: Visit) -> list[Fault]:
        members = split_addresses(visit.text("members", "members"))
        if not members:
            return [Fault("alias.no_members", ("members",), "Name at least one member.")]
        if len(members) > MAX_MEMBERS:
            text = f"An alias has at most {MAX_MEMBERS} members."
            return [Fault("alias.too_many", ("members",), text)]
        bad = [f"{each}: {why}" for each in members if (why := member_fault(visit.config, each))]
        if not bad:
            return []
        more = f" And {len(bad) - 10} more." if len(bad) > 10 else ""
        return [Fault("alias.members", ("members",), " ".join(bad[:10]) + more)]


def member_fault(config: Config, text: str) -> str:
    try:
        key = normal_address(text)
    except AddressError as error:
        return f"{error}."
    if key.startswith("@"):
        return "That is a whole domain."
    parsed = parse_address(key)
    domain = config.domains.domains.get(parsed.domain.ascii)
    if domain is None:
        return "It is not on this server."
    if parts.owner_of(config, key) == "an alias":
        return "It is an alias itself; name its members instead."
    if not parts.owner_of(config, key):
        return "Nobody here has this address."
    return ""


class Rules(FormStep):
    id = "rules"
    title = "Who may do what?"
    short = "Rights"
    why = (
        "A list that everybody may write to attracts advertising; one for members only stays quiet."
    )

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        return compile_fields(Alias, only=RULES)


class Review(ReviewStep):
    id = "review"
    title = "Add the alias"
    intro = "Nothing has been changed so far."
    primary = "Add the alias"

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        rules: Mapping[str, Any] = Rules().plain(visit)
        members = split_addresses(visit.text("members", "members"))
        return [
            w.ReviewRow(label="Address", value=address_of(visit), step="address"),
            w.ReviewRow(label="Members", value=parts.listed(members), step="members"),
            w.ReviewRow(
                label="May write to it",
                value="everybody" if rules["post_public"] else "members only",
                step="rules",
            ),
            w.ReviewRow(
                label="Members see each other",
                value="yes" if rules["list_members"] else "no",
                step="rules",
            ),
            w.ReviewRow(
                label="Members may send as it",
                value="yes" if rules["send_as"] else "no",
                step="rules",
            ),
        ]

    async def effects(self, visit: Visit) -> list[f.Effect]:
        count = len(split_addresses(visit.text("members", "members")))
        people = "one person" if count == 1 else f"{count} people"
        return [
            f.Effect(text=f"Mail to {address_of(visit)} goes to {people} from now on."),
            f.Effect(text="No DNS record changes, and no restart is needed.", kind="note"),
        ]

    async def commit(self, visit: Visit) -> None:
        members = [
            normal_address(each) for each in split_addresses(visit.text("members", "members"))
        ]
        settings = {
            **Rules().plain(visit),
            "members": list(dict.fromkeys(members)),
            "description": visit.text("address", "description"),
        }
        await add_alias(visit.services.config, address_of(visit), settings, author=visit.author)

    async def is_applied(self, visit: Visit) -> bool:
        try:
            find_alias(visit.config.domains, address_of(visit))
        except NotFoundError:
            return False
        return True


class Done(DoneStep):
    title = "The alias is ready"

    def links(self, visit: Visit) -> list[w.Link]:  # noqa: ARG002  # the same for all
        return [
            parts.link("All aliases", "/aliases", "users", primary=True),
            parts.link("Add another", "/aliases/new", "plus"),
        ]


class AddAlias(FlowType):
    id = "alias"
    name = "Add an alias"
    icon = "users"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [Address(), Members(), Rules(), Review(), Done()]

    def begin(self, visit: Visit) -> None:
        require_domain(visit)

    def about(self, state: FlowState) -> str:
        values = state.draft.get("address", {})
        return (
            f"{values.get('local_part')}@{values.get('domain')}" if values.get("local_part") else ""
        )
