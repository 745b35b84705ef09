"""Adding a domain: its name with what the Internet knows of it, who gets mail to the postmaster, then its DNS records."""

from collections.abc import Awaitable, Callable, Sequence

from pydantic import JsonValue

from backend.accounts.passwords import generate_password
from backend.admin.flows import names, parts
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import (
    ChecksStep,
    DoneStep,
    FlowType,
    FormStep,
    PageStep,
    ReviewStep,
    Step,
    Visit,
)
from backend.admin.forms.form import Values, checked, with_domains
from backend.admin.specs.check import Fault
from backend.admin.specs.compile import compile_fields
from backend.api import flows as w
from backend.api import forms as f
from backend.api.conditions import is_in
from backend.checkup.outside import ask, mail_hosts
from backend.config.fields import normal_address
from backend.config.model import Config, MailDomain
from backend.core.address import AddressError, parse_address, parse_domain

OPTIONS = ("catchall_separator", "localpart_case_sensitive")


def domain_of(visit: Visit) -> str:
    """In the form in which it is kept; as typed when it is none."""
    text = visit.text("name", "name").lstrip("@").removesuffix(".")
    try:
        return parse_domain(text).ascii
    except AddressError:
        return text


def _postmaster(visit: Visit) -> str:
    """Who gets that mail today."""
    domains = visit.config.domains
    return f"“{domains.postmaster_account or next(iter(domains.accounts))}”"


class Name(FormStep):
    id = "name"
    title = "Which domain?"
    short = "Domain"
    intro = "The part behind the @ in the addresses. It must belong to you."
    why = "Everybody finds the server of a domain through its DNS records, which only its owner can change. Nothing is changed before the last step of this wizard."

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        return [
            f.Field(
                key="name",
                kind="text",
                label="Domain",
                help="Names with letters such as ü are fine, too.",
                placeholder="example.org",
                required=True,
                autofocus=True,
                max_length=253,
                ask="Enter the name of your domain",
            ),
            f.Field(
                key="description",
                kind="text",
                label="Description",
                help="For yourself, such as “the family”.",
                max_length=500,
            ),
        ]

    def first(self, visit: Visit) -> Values:
        return {"name": visit.state.context.get("domain", "")}

    async def check(self, visit: Visit) -> list[Fault]:
        text, place = visit.text("name", "name").lstrip("@").removesuffix("."), ("name",)
        if "@" in text:
            fix = "Leave out the @ and what stands in front of it."
            return [Fault("domain.address", place, "That is a whole address.", fix)]
        if "://" in text or "/" in text:
            fix = "Enter the name alone, such as example.org."
            return [Fault("domain.url", place, "That is the address of a web page.", fix)]
        try:
            domain = parse_domain(text)
        except AddressError as error:
            return [
                Fault("domain.invalid", place, f"{error}.", "Enter a domain such as example.org.")
            ]
        if not visit.config.server.practice_mode and (refused := names.refusal(domain.ascii)):
            return [Fault("domain.not_own", place, *refused)]
        if domain.ascii in visit.config.domains.domains:
            fix = "Add accounts to it, or enter another name."
            return [Fault("domain.exists", place, f"{domain.unicode} is here already.", fix)]
        return []


class LookUp(ChecksStep):
    id = "look"
    title = "What the Internet knows of it"
    short = "What is known of it"
    intro = "Nothing here keeps you from going on."
    why = "A domain that already receives mail elsewhere goes on doing so until its MX record is changed. So there is time to prepare everything, and no mail is lost."

    def begin(self, visit: Visit) -> list[w.CheckItem]:
        if visit.config.server.practice_mode:
            text = "In practice mode nobody outside is asked."
            return [w.CheckItem(id="exists", title="Registered", result="skipped", text=text)]
        titles = {
            "exists": "Registered",
            "dns": "Where its DNS records are kept",
            "mail": "Where its mail goes today",
        }
        return [w.CheckItem(id=key, title=title, result="running") for key, title in titles.items()]

    async def look(self, visit: Visit, found: Callable[[w.CheckItem], Awaitable[None]]) -> None:
        domain, asker = domain_of(visit), visit.services.dns_checkup.asker
        shown = parts.shown_domain(domain)

        async def tell(key: str, title: str, result: str, text: str, **more: str) -> None:
            item = {"id": key, "title": title, "result": result, "text": text, **more}
            await found(w.CheckItem.model_validate(item))

        zone = await ask(asker, domain, "NS")
        if not zone.known:
            text = "The DNS does not answer just now."
            await tell("exists", "Registered", "unknown", text)
        elif zone.exists:
            await tell("exists", "Registered", "ok", f"{shown} is known to the DNS.")
        else:
            text = f"The DNS knows no {shown}."
            fix = "If it is new, this can take a day. Otherwise look for a typing mistake, or register it first."
            await tell("exists", "Registered", "warn", text, fix=fix)
        servers = ", ".join(sorted(zone.values)[:4])
        title = "Where its DNS records are kept"
        if servers:
            await tell("dns", title, "ok", f"At {servers}. The records are made there later.")
        else:
            text = "It lies in the zone of another domain." if zone.exists else "Nowhere yet."
            await tell("dns", title, "ok" if zone.known and zone.exists else "unknown", text)
        await self._mail(visit, domain, tell)

    async def _mail(self, visit: Visit, domain: str, tell: Callable[..., Awaitable[None]]) -> None:
        mail = await ask(visit.services.dns_checkup.asker, domain, "MX")
        title, hosts = "Where its mail goes today", mail_hosts(mail)
        own = visit.config.server.hostname.lower()
        if not mail.known:
            await tell("mail", title, "unknown", "The DNS does not answer just now.")
        elif not hosts:
            await tell("mail", title, "ok", "Nowhere yet. Nothing has to move.")
        elif hosts == [own]:
            await tell("mail", title, "ok", "Here already.")
        else:
            text = f"It receives mail at {parts.listed(hosts, 3)}."
            fix = "Move step by step: add the domain and all addresses here, let old mail be copied, and change the MX record last. Until then nothing arrives here."
            await tell("mail", title, "warn", text, fix=fix, found=", ".join(hosts))

    def verdict(self, visit: Visit, checks: Sequence[w.CheckItem]) -> str:  # noqa: ARG002  # of the kind
        if any(each.result == "warn" for each in checks):
            return "Read what is marked, then go on."
        if any(each.result == "unknown" for each in checks):
            return "Not everything could be told. You can go on."
        return "Nothing speaks against it."


class Postmaster(FormStep):
    id = "postmaster"
    title = "Who gets mail to the postmaster?"
    short = "Postmaster"
    intro = "Others write to postmaster and abuse when something is wrong with your mail."
    why = "Every domain with mail must have a postmaster. Reports about your mail go there, too."

    def fields(self, visit: Visit) -> list[f.Field]:
        has_accounts = bool(visit.config.domains.accounts)
        choices = []
        if has_accounts:
            now = _postmaster(visit)
            choices = [
                f.Choice(value="keep", label="As it is", help=f"It goes to {now}."),
                f.Choice(value="existing", label="Another account that is here"),
            ]
        new_help = (
            "With an address in the new domain. Whoever reads it gets the mail to the postmaster."
        )
        choices.append(f.Choice(value="new", label="A new account", help=new_help))
        if not has_accounts:
            choices.append(f.Choice(value="later", label="Decide later"))
        return [
            f.Field(
                key="who",
                kind="choice",
                label="Postmaster",
                default=choices[0].value,
                widget="radio",
                choices=choices,
            ),
            parts.account_choice(show_if=is_in("who", "existing")),
            f.Field(
                key="full_name",
                kind="text",
                label="Name of the person",
                placeholder="Anna Example",
                max_length=200,
                show_if=is_in("who", "new"),
            ),
            parts.local_part_field("Address", "anna").model_copy(
                update={"show_if": is_in("who", "new")}
            ),
        ]

    async def check(self, visit: Visit) -> list[Fault]:
        who = visit.text("postmaster", "who")
        if who == "existing":
            account = visit.text("postmaster", "account")
            if account not in visit.config.domains.accounts:
                return [
                    Fault(
                        "account.unknown",
                        ("account",),
                        "There is no such account.",
                        "Choose one of the list.",
                    )
                ]
        if who == "new":
            text = visit.text("postmaster", "local_part")
            try:
                if "@" in text:
                    raise AddressError("This is only the part in front of the @")
                parse_address(f"{text}@{domain_of(visit)}")
            except AddressError as error:
                return [Fault("address.invalid", ("local_part",), f"{error}.")]
            separator = visit.text("options", "catchall_separator")
            if separator and separator in text:
                return [
                    Fault(
                        "address.separator",
                        ("local_part",),
                        f"The address may not hold “{separator}”.",
                        "Leave out that sign.",
                    )
                ]
        return []


class Options(FormStep):
    id = "options"
    title = "How shall its mail be treated?"
    short = "Options"
    intro = "What is set here fits most people; it can be changed at any time."
    why = "With a separator, anna+shop@… arrives at anna@…: an address of its own for each shop."

    def fields(self, visit: Visit) -> list[f.Field]:  # noqa: ARG002  # the same for all
        fields = compile_fields(MailDomain, only=OPTIONS)
        return [each.model_copy(update={"level": "basic"}) for each in fields]

    def first(self, visit: Visit) -> Values:  # noqa: ARG002  # the same for all
        return {"catchall_separator": "+"}

    async def check(self, visit: Visit) -> list[Fault]:
        checked(MailDomain, self.plain(visit))
        return []


class Review(ReviewStep):
    id = "review"
    title = "Add the domain"
    intro = "Nothing has been changed so far."
    primary = "Add the domain"
    why = "From then on this server takes mail for the domain. Others only send it here once the DNS records say so; the next step shows them."

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        separator = visit.text("options", "catchall_separator")
        return [
            w.ReviewRow(label="Domain", value=_shown(domain_of(visit)), step="name"),
            w.ReviewRow(label="Postmaster", value=self._postmaster(visit), step="postmaster"),
            w.ReviewRow(
                label="Variants of addresses",
                value=f"with “{separator}”, such as anna{separator}shop" if separator else "none",
                step="options",
            ),
        ]

    def _postmaster(self, visit: Visit) -> str:
        match visit.text("postmaster", "who"):
            case "existing":
                return visit.text("postmaster", "account")
            case "new":
                return f"a new account, {visit.text('postmaster', 'local_part')}@{_shown(domain_of(visit))}"
            case "keep":
                return _postmaster(visit)
        return "decided later"

    async def effects(self, visit: Visit) -> list[f.Effect]:
        shown = _shown(domain_of(visit))
        texts = [
            f"This server takes mail for {shown}.",
            "Keys are made with which its mail is signed (DKIM).",
        ]
        if visit.text("postmaster", "who") == "new":
            texts.append("An account is made; its password is shown at the end.")
        effects = [f.Effect(text=text) for text in texts]
        effects.append(
            f.Effect(text="DNS records are to be made; the next step shows which.", kind="dns")
        )
        effects.append(f.Effect(text="No restart is needed.", kind="note"))
        return effects

    async def commit(self, visit: Visit) -> None:
        domain, accounts = domain_of(visit), visit.services.accounts
        options = checked(MailDomain, Options().plain(visit))
        settings = {name: getattr(options, name) for name in OPTIONS}
        settings["description"] = visit.text("name", "description")
        who, key = visit.text("postmaster", "who"), ""
        if who == "new":
            key = normal_address(f"{visit.text('postmaster', 'local_part')}@{domain}")

        def also(config: Config) -> Config:
            old = config.domains.domains[domain]
            domains = {**config.domains.domains, domain: old.model_copy(update=settings)}
            config = with_domains(config, domains=domains)
            if who == "existing":
                config = with_domains(
                    config, postmaster_account=visit.text("postmaster", "account")
                )
            elif who == "new":
                owner = (n for n, a in config.domains.accounts.items() if key in a.destinations)
                config = with_domains(config, postmaster_account=next(owner))
            return config

        if who == "new":
            made = await accounts.add_account(
                key,
                full_name=visit.text("postmaster", "full_name"),
                password=await kept_password(visit),
                add_domain=True,
                also=also,
                author=visit.author,
            )
            visit.state.made |= {"account": made.id, "address": made.address}
        else:
            await accounts.add_domain(domain, also=also, author=visit.author)
        visit.state.made["domain"] = domain

    def refusals(self, visit: Visit) -> list[Fault]:
        if domain_of(visit) in visit.config.domains.domains:
            text = f"{_shown(domain_of(visit))} has been added in the meantime."
            return [Fault("domain.exists", (), text)]
        return []

    async def is_applied(self, visit: Visit) -> bool:
        domain = domain_of(visit)
        if domain not in visit.config.domains.domains:
            return False
        visit.state.made["domain"] = domain
        if visit.text("postmaster", "who") == "new":
            address = f"{visit.text('postmaster', 'local_part')}@{domain}"
            visit.state.made["account"] = visit.services.accounts.find_account(address)
            visit.state.made["address"] = address
        return True


async def kept_password(visit: Visit) -> str:
    """A generated one that survives the end of the server in the middle of a commit, so that it can still be shown."""
    if "made/password" not in visit.secrets:
        visit.secrets["made/password"] = generate_password()
        await visit.services.flows.keep_secrets(visit.state.id, visit.secrets)
    return visit.secrets["made/password"]


class Records(PageStep):
    id = "records"
    title = "DNS records"
    intro = "Make these records where the DNS of the domain is kept. They are checked again and again; you need not wait."
    why = "They tell others where mail for the domain goes and who may send for it. They stay on the page of the domain."

    def page(self, visit: Visit) -> str:
        return f"/domains/{domain_of(visit)}/dns"


class Done(DoneStep):
    title = "The domain is ready"

    def links(self, visit: Visit) -> list[w.Link]:
        domain, account = domain_of(visit), visit.state.made.get("account", "")
        links = [
            parts.link(
                "Add an account",
                "/accounts/new",
                "user-plus",
                f"Somebody with an address in {_shown(domain)}.",
                primary=True,
            )
        ]
        if account:
            links.insert(
                0, parts.link("Connect a mail app", f"/accounts/{account}/connect", "device-mobile")
            )
        links.append(parts.link("DNS records", f"/domains/{domain}/dns", "world"))
        links.append(parts.link("All domains", "/domains", "list"))
        return links

    def secrets(self, visit: Visit) -> list[w.ShownSecret]:
        return shown_password(visit)


def shown_password(visit: Visit) -> list[w.ShownSecret]:
    password = visit.secrets.get("made/password", "")
    if not password:
        return []
    address = visit.state.made.get("address", "")
    text = "It is shown here only. Copy it into the mail app, or keep it where passwords are kept."
    return [w.ShownSecret(label=f"Password of {address}", value=password, help=text)]


def _shown(domain: str) -> str:
    return parts.shown_domain(domain)


class AddDomain(FlowType):
    id = "domain"
    name = "Add a domain"
    icon = "world-plus"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [Name(), LookUp(), Postmaster(), Options(), Review(), Records(), Done()]

    def about(self, state: FlowState) -> str:
        name: JsonValue = state.draft.get("name", {}).get("name")
        return str(name or "")
