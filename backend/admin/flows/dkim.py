"""Changing the signature keys of a domain, over days: publish the new ones, wait, sign with them, let the old ones go.

The server goes on with it by itself; the wizard shows where it stands and what there is to do.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from backend.admin.flows import parts
from backend.admin.flows.state import FlowState
from backend.admin.flows.steps import ChecksStep, DoneStep, FlowType, ReviewStep, Step, Visit
from backend.admin.specs.check import Fault
from backend.api import flows as w
from backend.api import forms as f
from backend.config.dkim import moment
from backend.core.address import AddressError, parse_domain
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.mailauth import rotation as rotations
from backend.mailauth.selectors import SelectorState


def domain_of(visit: Visit) -> str:
    return visit.state.context.get("domain", "")


def phase_of(visit: Visit) -> str:
    """Empty: no change of keys is under way."""
    settings = visit.config.domains.domains.get(domain_of(visit))
    return settings.dkim.rotation.phase if settings and settings.dkim.rotation else ""


class Begin(ReviewStep):
    id = "begin"
    title = "Change the signature keys"
    short = "Begin"
    intro = "New keys are made, published and taken into use; the old ones go at the end. Mail goes on being signed all the time."
    primary = "Make the new keys"
    why = "Whoever has stolen a key could sign mail as you. Changing keys once a year or so ends that. It takes some days, since others remember DNS records for a while; you need not wait here."

    def rows(self, visit: Visit) -> list[w.ReviewRow]:
        settings = visit.config.domains.domains[domain_of(visit)]
        signing = ", ".join(settings.dkim.sign) or "nothing yet"
        return [
            w.ReviewRow(label="Domain", value=parts.shown_domain(domain_of(visit))),
            w.ReviewRow(label="Signs with", value=signing),
        ]

    async def effects(self, visit: Visit) -> list[f.Effect]:  # noqa: ARG002  # the same for all
        return [
            f.Effect(text="For each key that signs, one in reserve is taken or a new one is made."),
            f.Effect(text="DNS records are to be made; the next step shows which.", kind="dns"),
            f.Effect(
                text="Mail goes on being signed with the old keys until others can see the new ones.",
                kind="note",
            ),
        ]

    async def commit(self, visit: Visit) -> None:
        await visit.services.dkim.rotate(domain_of(visit), author=visit.author)

    async def is_applied(self, visit: Visit) -> bool:
        return bool(phase_of(visit))


class _Phase(ChecksStep):
    """Looks at the DNS of keys. `over`: phases in which this step is behind us."""

    over: tuple[str, ...]
    not_yet: str

    def begin(self, visit: Visit) -> list[w.CheckItem]:
        if phase_of(visit) in self.over:
            return []
        names = self._names(visit)
        return [w.CheckItem(id=name, title=name, result="running") for name in names]

    def _names(self, visit: Visit) -> list[str]:
        rotation = visit.config.domains.domains[domain_of(visit)].dkim.rotation
        if rotation is None:
            return []
        return list(rotation.old if self.id == "retire" else rotation.new)

    async def look(self, visit: Visit, found: Callable[[w.CheckItem], Awaitable[None]]) -> None:
        keys = await visit.services.dkim.describe(domain_of(visit), look_up=True)
        wanted = self._names(visit)
        for each in keys.selectors:
            if each.name in wanted:
                await found(self._item(each))

    def _item(self, key: SelectorState) -> w.CheckItem:
        texts = {
            True: "Others can see it.",
            False: "It is not there yet.",
            None: "The DNS could not be asked.",
        }
        result = {True: "ok", False: "fail", None: "unknown"}[key.in_dns]
        fix = "" if key.in_dns else "Make this TXT record where the DNS of the domain is kept."
        return w.CheckItem.model_validate(
            {
                "id": key.name,
                "title": f"TXT {key.record_name}",
                "result": result,
                "severity": "required",
                "text": texts[key.in_dns],
                "fix": fix,
                "expected": key.record,
            }
        )

    async def submit(self, visit: Visit, move: w.FlowMove) -> list[Fault]:  # noqa: ARG002  # of the kind
        if phase_of(visit) in self.over:
            return []
        await visit.services.dkim.rotate(domain_of(visit), author=visit.author)
        if phase_of(visit) in self.over:
            return []
        self.forget(visit)
        return [Fault("dkim.not_yet", (), self.not_yet)]

    async def skipped(self, visit: Visit) -> list[Fault]:
        if phase_of(visit) not in self.over:
            await visit.services.dkim.rotate(domain_of(visit), hurry=True, author=visit.author)
        return []


class Publish(_Phase):
    id = "publish"
    title = "Publish the new keys"
    short = "Publish"
    intro = "Make these DNS records. As soon as they are seen, the change goes on by itself; you can leave this and come back."
    why = "Others check signatures with the key that they find in the DNS. So it must be there before mail is signed with it."
    primary = "Go on"
    over = ("wait", "retire", "")
    not_yet = "The records can't be seen yet. It can take an hour until others see what was made in the DNS."

    def verdict(self, visit: Visit, checks: Sequence[w.CheckItem]) -> str:
        if phase_of(visit) in self.over or (checks and all(e.result == "ok" for e in checks)):
            return "The records are there."
        return "The records are not all there yet."


class Wait(_Phase):
    id = "wait"
    title = "Wait until everybody sees them"
    short = "Wait"
    intro = "Others remember for a while what was in the DNS before. Nothing is to be done; the server goes on by itself."
    why = "Who signs too early has mail that some can't check yet."
    primary = "Go on"
    skip = "Sign with the new keys now"
    over = ("retire", "")
    not_yet = "It is too early. The server goes on by itself; come back later, or sign with the new keys now."

    def verdict(self, visit: Visit, checks: Sequence[w.CheckItem]) -> str:  # noqa: ARG002  # of the kind
        if phase_of(visit) in self.over:
            return "Mail is signed with the new keys."
        return _until(visit, "From {when} on mail is signed with the new keys.")


class Retire(_Phase):
    id = "retire"
    title = "Let the old keys go"
    short = "Let go"
    intro = "Mail is signed with the new keys. The old records must stay until mail that is still on its way has been checked."
    why = "A message can be under way for days; its signature is checked when it arrives."
    primary = "Go on"
    skip = "Remove the old keys now"
    over = ("",)
    not_yet = "It is too early. The server removes the old keys by itself; come back later to see that it did."

    def verdict(self, visit: Visit, checks: Sequence[w.CheckItem]) -> str:  # noqa: ARG002  # of the kind
        if phase_of(visit) in self.over:
            return "The old keys are removed. Remove their DNS records, too."
        return _until(
            visit, "On {when} the old keys are removed here. Leave their DNS records until then."
        )


def _until(visit: Visit, text: str) -> str:
    rotation = visit.config.domains.domains[domain_of(visit)].dkim.rotation
    if rotation is None:
        return ""
    state = rotations.State(
        rotation.phase, tuple(rotation.new), tuple(rotation.old), moment(rotation.since)
    )
    at = rotations.due_at(state)
    if at is None:
        return ""
    return text.replace("{when}", datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC"))


class Done(DoneStep):
    title = "The keys are changed"
    intro = "Remove the DNS records of the old keys."

    def links(self, visit: Visit) -> list[w.Link]:
        domain = domain_of(visit)
        return [
            parts.link("DNS records", f"/domains/{domain}/dns", "world", primary=True),
            parts.link("Signatures (DKIM)", f"/domains/{domain}/dkim", "key"),
        ]


class RotateKeys(FlowType):
    id = "dkim"
    name = "Change the signature keys"
    icon = "key"

    def steps(self, visit: Visit) -> list[Step]:  # noqa: ARG002  # always the same
        return [Begin(), Publish(), Wait(), Retire(), Done()]

    def begin(self, visit: Visit) -> None:
        require_domain(visit)
        if phase := phase_of(visit):
            # One is under way already, perhaps begun by hand: the wizard joins it.
            visit.state.step = phase
            before = ["begin", "publish", "wait", "retire"]
            visit.state.passed = before[: before.index(phase)]
            visit.state.committed = True

    def about(self, state: FlowState) -> str:
        return state.context.get("domain", "")


def require_domain(visit: Visit) -> None:
    """Spells the domain of the context as the settings do.

    Raises:
        NotFoundError: it is none of ours.
    """
    try:
        name = parse_domain(visit.state.context.get("domain", "")).ascii
    except AddressError:
        name = ""
    if name not in visit.config.domains.domains:
        text = "There is no such domain here."
        raise NotFoundError(
            Problem(code="domain.unknown", message=text, fix="See the list of domains.")
        )
    visit.state.context["domain"] = name
