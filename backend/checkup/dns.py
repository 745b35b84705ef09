"""The DNS of a domain: what it should say, and what it says now.

Entry point of the package: `DnsCheckup.records` and `DnsCheckup.check`. In practice mode nobody is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from backend.checkup.checks import Check, check_of
from backend.checkup.compare import COMPARE, found_of, stray_mta_sts
from backend.checkup.facts import DkimRecord, Facts, TlsFacts, gather_facts, is_public
from backend.checkup.records import Record, expected_records, format_zone, reverse_record
from backend.checkup.spf_check import check_spf
from backend.checkup.sts_check import FetchPolicy, check_policy
from backend.checkup.survey import Asker, Question, Survey
from backend.checkup.worldwide import PublicResolver, look_around
from backend.config.model import Config
from backend.core.address import AddressError, parse_domain
from backend.core.clock import Clock, SystemClock
from backend.core.errors import NotFoundError
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.outbound.dial import refusal

log = logs.get(__name__)

FindKeys = Callable[[str], Awaitable[Sequence[DkimRecord]]]
"""The keys of a domain."""

TIME_LIMIT_S = 20.0  # for the whole check
FIRST_ROUND_S = 12.0  # for the records themselves, so that time is left for what they lead to
MAX_NAMED = 2  # records named in the headline; the lines below name all

PRACTICE_NOTE = (
    "Practice mode needs no DNS: nothing leaves this computer and nobody outside is asked. When the server "
    "goes live, this page says which records to make."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    domain: str
    practice_mode: bool
    records: tuple[Record, ...]
    zone: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    domain: str
    practice_mode: bool
    checked_at: float
    headline: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    zone: str = ""
    """In which the domain lies; empty when that could not be told."""
    name_servers: tuple[str, ...] = ()


class DnsCheckup:
    """Holds nothing between two checks."""

    def __init__(
        self,
        asker: Asker,
        *,
        config: Callable[[], Config],
        dkim: FindKeys | None = None,
        tls: Callable[[], Awaitable[TlsFacts]] | None = None,
        fetch_policy: FetchPolicy | None = None,
        public: Callable[[str], PublicResolver] | None = None,
        clock: Clock | None = None,
        port: int = 53,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        """`dkim` None: this server does not sign. `public`: asks the resolver at that address. `port`: on which authoritative servers answer."""
        self.asker = asker
        self._config = config
        self._dkim = dkim
        self._tls = tls
        self._fetch_policy = fetch_policy
        self._public = public
        self._clock: Clock = clock or SystemClock()
        self._port = port
        self._time_limit_s = time_limit_s

    async def records(self, name: str) -> Proposal:
        """Raises:
        NotFoundError: that is none of our domains.
        """
        domain = self.domain(name)
        if self._config().server.practice_mode:
            note = (PRACTICE_NOTE,)
            return Proposal(domain=domain, practice_mode=True, records=(), zone="", notes=note)
        facts = await self._facts(domain)
        records = tuple(expected_records(facts))
        return Proposal(
            domain=domain,
            practice_mode=False,
            records=records,
            zone=format_zone(domain, records),
            notes=self._notes(facts),
        )

    async def check(self, name: str) -> Report:
        """Raises:
        NotFoundError: that is none of our domains.
        """
        domain, now = self.domain(name), self._clock.time()
        config = self._config()
        if config.server.practice_mode:
            return Report(
                domain=domain,
                practice_mode=True,
                checked_at=now,
                headline=PRACTICE_NOTE,
                checks=(),
                notes=(),
            )
        facts = await self._facts(domain)
        allow_private = config.server.outbound.allow_loopback
        self.asker.forget()
        survey = Survey(
            self.asker,
            deadline=asyncio.get_running_loop().time() + self._time_limit_s,
            may_ask=lambda ip: refusal(ip, allow_private=allow_private) is None,
            port=self._port,
        )
        checks = await _Checking(facts, survey, self._time_limit_s).run()
        if self._fetch_policy is not None:
            checks += await check_policy(facts, self._fetch_policy)
        if self._public is not None and (named := config.server.outbound.public_resolvers):
            checks = await look_around(checks, {each: self._public(each) for each in named})
        return Report(
            domain=domain,
            practice_mode=False,
            checked_at=now,
            headline=headline(checks),
            checks=tuple(checks),
            notes=self._notes(facts),
            zone=(zone := survey.zone_of(domain)),
            name_servers=survey.name_servers(zone),
        )

    def domain(self, name: str) -> str:
        """As the settings write it.

        Raises:
            NotFoundError: that is none of our domains.
        """
        try:
            domain = parse_domain(name).ascii
        except AddressError:
            domain = name
        if domain not in self._config().domains.domains:
            raise NotFoundError(
                Problem(
                    code="domain.unknown",
                    subject=name,
                    message=f"{name} is not a domain of this server.",
                    fix="Add it first, or look at the list of domains for its spelling.",
                )
            )
        return domain

    async def _facts(self, domain: str) -> Facts:
        keys: Sequence[DkimRecord] = ()
        if self._dkim is not None:
            keys = await self._dkim(domain)
        tls = await self._tls() if self._tls is not None else TlsFacts()
        return gather_facts(self._config(), domain, dkim=keys, tls=tls)

    def _notes(self, facts: Facts) -> tuple[str, ...]:
        notes = []
        if not any(key.signs for key in facts.dkim):
            notes.append("Mail of this domain is not signed (DKIM); others trust it less.")
        if facts.relays:
            names = ", ".join(f"“{name}”" for name in facts.relays)
            notes.append(
                f"Nothing is checked for mail that leaves through {names}: whether that server may send for you, "
                "only its operator knows. Set “spf_include” of the transport to what they tell you."
            )
        if not facts.addresses:
            notes.append(
                "The settings do not name the public address of this server (“public_addresses” of a listener), "
                "so that its address can't be compared."
            )
        return tuple(notes)


class _Checking:
    """One check: asks in two rounds, then judges."""

    def __init__(self, facts: Facts, survey: Survey, time_limit_s: float) -> None:
        self._facts = facts
        self._survey = survey
        self._first_round_s = min(FIRST_ROUND_S, time_limit_s * 0.6)

    async def run(self) -> list[Check]:
        facts, survey = self._facts, self._survey
        records = expected_records(facts)
        await survey.fetch(self._questions(records), within_s=self._first_round_s)
        addresses = facts.addresses or tuple(
            ip
            for kind in ("A", "AAAA")
            for ip in found_of(survey.get(facts.hostname, kind))
            if is_public(ip)
        )
        if not facts.addresses:
            # Nobody told us our address, but its own name leads to it.
            records += [reverse_record(ip, facts.hostname) for ip in addresses]
            await survey.fetch((record.name, "PTR") for record in records if record.type == "PTR")
        checks: list[Check] = []
        for record in records:
            checks += await self._judge(record, addresses)
        checks += stray_mta_sts(facts, survey.get)
        return [self._with_source(check) for check in checks]

    def _questions(self, records: Sequence[Record]) -> list[Question]:
        facts = self._facts
        hosts = [facts.hostname, *(each.hostname for each in facts.exits)]
        questions: list[Question] = [(name, kind) for name in hosts for kind in ("A", "AAAA")]
        questions += [(facts.hostname, "CNAME"), (f"_mta-sts.{facts.domain}", "TXT")]
        for record in records:
            questions.append((record.name, record.type))
            if record.type == "CNAME":
                questions += [(record.name, "A"), (record.name, "AAAA")]
        return questions

    async def _judge(self, record: Record, addresses: Sequence[str]) -> list[Check]:
        try:
            if record.code == "spf":
                return await check_spf(record, self._facts, addresses, self._survey)
            return [COMPARE[record.code](record, self._survey.get)]
        except Exception as error:
            # Whatever somebody has put into his zone: the other checks stand.
            log.warning("dns check failed", check=record.code, error=repr(error))
            return [check_of(record, "unknown", "Could not tell: a fault in this program.")]

    def _with_source(self, check: Check) -> Check:
        zone = self._survey.zone_of(check.name)
        direct = (check.name, check.type) in self._survey.direct
        servers = ", ".join(self._survey.name_servers(zone))
        if direct:
            how = f"Asked the name servers of {zone} themselves ({servers})."
        elif check.result == "unknown":
            how = f"Asked for the {check.type} record of {check.name}."
        else:
            how = (
                "Asked the DNS resolver of this server; a change may take a while to be seen there."
            )
        return replace(check, direct=direct, zone=zone, how=how)


def headline(checks: Sequence[Check]) -> str:
    """One sentence for all of them. What is optional is not spoken of."""
    bad = [each for each in checks if each.result in {"missing", "different"}]
    required = [each for each in bad if each.severity == "required"]
    receive = [each.title for each in required if each.area == "receive"]
    if receive:
        return f"Mail can't be received yet: {_list(receive)}."
    untold = [each for each in checks if each.result == "unknown" and each.severity == "required"]
    if required:
        start = "" if any(each.area == "receive" for each in untold) else "Mail can be received. "
        accepted = [each.title for each in required if each.area == "accepted"]
        if accepted:
            return f"{start}Others may refuse yours or treat it as junk until this is fixed: {_list(accepted)}."
        return f"{start}To be fixed: {_list([each.title for each in required])}."
    if untold:
        return f"Nothing wrong was seen, but not everything could be told: {_list([each.title for each in untold])}."
    recommended = [each.title for each in bad if each.severity == "recommended"]
    if recommended:
        return f"Mail can be received and sent. Recommended as well: {_list(recommended)}."
    return "Mail can be received and sent: all records that matter are right."


def _list(titles: Sequence[str]) -> str:
    shown = [f"“{title}”" for title in dict.fromkeys(titles)]
    if len(shown) <= MAX_NAMED + 1:  # “and 1 more” is no shorter than its name
        return ", ".join(shown)
    return f"{', '.join(shown[:MAX_NAMED])} and {len(shown) - MAX_NAMED} more"
