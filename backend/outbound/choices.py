"""Which way does a message take with the settings of this moment, and how often did each route match?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from backend.config.model import Config
from backend.core.ids import AccountId
from backend.outbound.entries import Batch, Item
from backend.outbound.lint import RouteLint, Useless
from backend.outbound.relay import relay_of
from backend.outbound.route import Choice, Level, Question, Routing, Rule, route
from backend.outbound.tally import Tally


class Choices:
    def __init__(self, config: Callable[[], Config], tally: Tally) -> None:
        self._config = config
        self._tally = tally
        self._lint = RouteLint()

    def explain(self, item: Item) -> Choice:
        """Which way the next attempt for an item takes, and why."""
        sender_domain = item.sender.rpartition("@")[2]
        return self._route(
            item.account,
            shown_domain(sender_domain),
            shown_domain(item.recipient.rpartition("@")[2]),
            item.attempts,
            item.override,
        )

    def evaluate(
        self,
        *,
        account: str,
        sender_domain: str,
        recipient_domain: str,
        attempts: int,
        drafts: Mapping[Level, Sequence[Rule]],
        override: str | None = None,
    ) -> Choice:
        """Which way such a message would take. `drafts` are lists to look at instead of those in the settings."""
        question = Question(
            sender_domain=sender_domain,
            recipient_domain=recipient_domain,
            attempts=attempts,
            override=override,
        )
        routing = self._routing(AccountId(account), sender_domain)
        return route(
            question,
            replace(
                routing,
                account=drafts.get(Level.ACCOUNT, routing.account),
                domain=drafts.get(Level.DOMAIN, routing.domain),
                server=drafts.get(Level.SERVER, routing.server),
            ),
        )

    def useless_routes(self) -> Sequence[Useless]:
        """Routes that can never match."""
        config = self._config()
        return self._lint.of(config.domains, config.server.outbound.max_attempts)

    def relay_for(
        self,
        account: AccountId,
        sender_domain: str,
        recipient_domain: str,
        attempts: int,
        override: str | None,
    ) -> str:
        """The relay that takes such mail; empty when it goes another way. Also for other threads."""
        choice = self._route(account, sender_domain, recipient_domain, attempts, override)
        settings = self._config().domains.transports.get(choice.transport)
        return choice.transport if settings is not None and relay_of(settings) else ""

    def of_batch(self, batch: Batch) -> Choice:
        """Which way its next transaction takes; each route that matches is counted."""
        sender = batch.outgoing.sender
        sender_domain = "" if sender is None else sender.domain.ascii
        choices = [
            self._route(
                batch.account,
                sender_domain,
                shown_domain(domain),
                batch.attempts - 1,
                batch.override,
            )
            for domain in batch.domains
        ]
        for choice in choices:
            self._count(batch, choice)
        return choices[0]

    def _route(
        self,
        account: AccountId,
        sender_domain: str,
        recipient_domain: str,
        attempts: int,
        override: str | None,
    ) -> Choice:
        return route(
            Question(
                sender_domain=sender_domain,
                recipient_domain=recipient_domain,
                attempts=attempts,
                override=override,
            ),
            self._routing(account, sender_domain),
        )

    def _routing(self, account: AccountId, sender_domain: str) -> Routing:
        domains = self._config().domains
        owner, home = domains.accounts.get(account), domains.domains.get(sender_domain)
        return Routing(
            account=owner.routes if owner is not None else (),
            domain=home.routes if home is not None else (),
            server=domains.routes,
            transports=domains.transports,
        )

    def _count(self, batch: Batch, choice: Choice) -> None:
        step = choice.steps[-1] if choice.steps else None
        if step is None or not step.matched:
            return
        sender = batch.outgoing.sender
        domain = "" if sender is None else sender.domain.ascii
        routing = self._routing(batch.account, domain)
        owner, rules = {
            Level.ACCOUNT: (str(batch.account), routing.account),
            Level.DOMAIN: (domain, routing.domain),
            Level.SERVER: ("", routing.server),
        }[step.level]
        self._tally.count(step.level, owner, rules[step.position - 1])


def shown_domain(domain: str) -> str:
    """As routes see it: an address literal has none."""
    return "" if domain.startswith("[") else domain
