"""What must hold for TLS before a message is handed to one mail server, and why? Pure: findings in, one decision out.

    what a person chose for the message > REQUIRETLS > “TLS-Required: No” > DANE > MTA-STS > nothing

REQUIRETLS can't be loosened by hand; the other two ask for less or more than the domain does. DANE beats MTA-STS (RFC 8461
§2). Without any of them TLS is used where it is offered, without looking at the certificate, and plain text otherwise: against
one who only listens that is better than none (RFC 7435).
"""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum

from backend.core.status import SmtpStatus
from backend.dns.answers import Tlsa
from backend.outbound.tls_outcomes import AppliedPolicy, PolicyType, TlsResult, no_policy
from backend.outbound.transport import TlsChoice
from backend.tls import dane
from backend.tls.sts import Mode, StsPolicy


class Demand(StrEnum):
    OPPORTUNISTIC = "opportunistic"
    """Encrypted where the server can, whatever its certificate; plain otherwise."""
    ENCRYPTED = "encrypted"
    """Any certificate, but never plain."""
    VERIFIED = "verified"
    """A certificate for the server's name from an authority that this computer trusts."""
    DANE = "dane"
    """A certificate that the TLSA records vouch for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StsFinding:
    """`policy` None: the domain has none, or none is known. `is_unsure`: the DNS did not even say whether there is one.

    `fault` says what went wrong on the way to a newer policy, `fault_result` the same for reports.
    """

    policy: StsPolicy | None = None
    policy_id: str = ""
    expires_at: float = 0.0
    is_unsure: bool = False
    fault: str = ""
    fault_result: TlsResult | None = None


class TlsaState(Enum):
    NONE = "none"
    """There are none, or DNSSEC does not vouch for them or for the way to the server."""
    FOUND = "found"
    FAILED = "failed"
    """The DNS did not say, which somebody in between may have brought about (RFC 7672 §2.1.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsaFinding:
    """`base`: the name under which the records stand (RFC 7672 §2.2.2). `reason`: why there are none, or what failed."""

    state: TlsaState = TlsaState.NONE
    records: tuple[Tlsa, ...] = ()
    base: str = ""
    reason: str = ""


NO_STS = StsFinding()
NO_TLSA = TlsaFinding()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """`domain`: of the recipients; empty for an address literal. `domain_names`: under which names DNSSEC leads to the server."""

    domain: str
    host: str
    sts: StsFinding = NO_STS
    tlsa: TlsaFinding = NO_TLSA
    mx_is_authentic: bool = False
    domain_names: tuple[str, ...] = ()
    choice: TlsChoice = TlsChoice.DEFAULT
    require_tls: bool = False
    tls_optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsPolicy:
    """`applied`: for reports; empty when what the domain asks for was set aside. `refusal`: no connection is made at all.

    `rehearsed` (MTA-STS testing): the policy is tried first, what comes of it is reported, and the mail goes in any case;
    `rehearsal_fault` says that it failed before the connection.
    """

    demand: Demand
    reason: str
    applied: tuple[AppliedPolicy, ...] = ()
    refusal: SmtpStatus | None = None
    refusal_result: TlsResult | None = None
    records: tuple[Tlsa, ...] = ()
    names: tuple[str, ...] = ()
    """Reference identifiers for the usage DANE-TA (RFC 7672 §3.2.2)."""
    tls_name: str = ""
    """The name to ask the server for, when that is not its own."""
    rehearsed: AppliedPolicy | None = None
    rehearsal_fault: str = ""

    @property
    def key(self) -> str:
        """Equal for connections of which one may stand for the other: the same was demanded of the same records."""
        records = ",".join(sorted(dane.as_text(record) for record in self.records))
        return f"{self.demand}|{self.tls_name}|{','.join(self.names)}|{records}"


_UNVERIFIABLE = "5.7.30"  # RFC 8689 §8.2: REQUIRETLS support required


def sets_domain_aside(choice: TlsChoice, *, require_tls: bool, tls_optional: bool) -> bool:
    """Whether nothing that the recipient's domain asks for can change the decision, so that it need not be asked."""
    if require_tls:
        return False
    return choice is TlsChoice.INSECURE or (tls_optional and choice is TlsChoice.DEFAULT)


def decide(question: Question) -> TlsPolicy:
    if question.require_tls:
        return _required(question, _of_domain(question))
    if question.choice is TlsChoice.INSECURE:
        return TlsPolicy(
            demand=Demand.OPPORTUNISTIC,
            reason="chosen by hand for this message: it may go without verified encryption, whatever the domain asks for",
        )
    policy = _of_domain(question)
    if question.choice is TlsChoice.VERIFIED:
        return _at_least_verified(
            policy, "chosen by hand for this message: only with verified encryption"
        )
    if question.tls_optional:
        return TlsPolicy(
            demand=Demand.OPPORTUNISTIC,
            reason="the sender says “TLS-Required: No”: arriving matters more than what the domain asks for",
        )
    return policy


def _required(question: Question, policy: TlsPolicy) -> TlsPolicy:
    """RFC 8689 §4.2.1: verified TLS to a server that DNSSEC or MTA-STS says is the right one."""
    wanted = "the sender requires verified encryption (REQUIRETLS)"
    sts = question.sts.policy
    is_listed = sts is not None and sts.mode is not Mode.NONE and sts.names(question.host)
    if policy.demand is not Demand.DANE and not is_listed and not question.mx_is_authentic:
        text = (
            f"{wanted}, and neither DNSSEC nor MTA-STS vouches for {question.host}"
            " as a mail server of that domain"
        )
        # What could not be asked now may be known later.
        unsure = question.sts.is_unsure or question.sts.fault_result is not None
        status = SmtpStatus(451, "4.7.30", text) if unsure else SmtpStatus(550, _UNVERIFIABLE, text)
        return replace(policy, reason=text, refusal=policy.refusal or status, rehearsed=None)
    return _at_least_verified(policy, wanted)


def _at_least_verified(policy: TlsPolicy, why: str) -> TlsPolicy:
    if policy.refusal is not None or policy.demand in {Demand.VERIFIED, Demand.DANE}:
        return replace(policy, reason=f"{why}; {policy.reason}")
    return replace(policy, demand=Demand.VERIFIED, reason=why, rehearsed=None, rehearsal_fault="")


def _of_domain(question: Question) -> TlsPolicy:
    tlsa, host = question.tlsa, question.host
    if tlsa.state is TlsaState.FAILED:
        text = f"whether {host} has TLSA records (DANE) can't be told: {tlsa.reason}"
        return TlsPolicy(
            demand=Demand.DANE,
            reason=text,
            applied=(_applied_tlsa(question),),
            refusal=SmtpStatus(451, "4.7.5", text),
            refusal_result=TlsResult.DNSSEC_INVALID,
        )
    if tlsa.state is TlsaState.NONE:
        return _by_sts(question)
    records = dane.usable(tlsa.records)
    if records:
        return TlsPolicy(
            demand=Demand.DANE,
            reason=f"DANE: {host} must show a certificate that its TLSA records in the DNS (signed with DNSSEC) vouch for",
            applied=(_applied_tlsa(question),),
            records=records,
            names=tuple(dict.fromkeys((tlsa.base, *question.domain_names))),
            tls_name=tlsa.base if tlsa.base != host else "",
        )
    by_sts = _by_sts(question)
    if by_sts.demand is Demand.VERIFIED:
        return by_sts
    # RFC 7672 §2.2: the records promise TLS, even if none of them can be checked.
    return TlsPolicy(
        demand=Demand.ENCRYPTED,
        reason=f"DANE: {host} has TLSA records of kinds that mail does not use; the connection must be encrypted, whatever its certificate",
        applied=(_applied_tlsa(question),),
    )


def _by_sts(question: Question) -> TlsPolicy:
    domain, host, sts = question.domain, question.host, question.sts
    if sts.is_unsure:
        # Behaviour T1. Somebody who keeps the answer from us must not get the mail in plain text by that.
        return TlsPolicy(
            demand=Demand.VERIFIED,
            reason=f"whether {domain} has an MTA-STS policy can't be told ({sts.fault}), so encryption is verified as if it had",
            applied=(no_policy(domain),),
        )
    policy = sts.policy
    if policy is None or policy.mode is Mode.NONE:
        return TlsPolicy(
            demand=Demand.OPPORTUNISTIC,
            reason=_nothing(sts),
            applied=(no_policy(domain),) if domain else (),
        )
    applied = AppliedPolicy(
        type=PolicyType.STS, domain=domain, strings=policy.lines, mx_hosts=policy.mx
    )
    is_listed = policy.names(host)
    if policy.mode is Mode.TESTING:
        return TlsPolicy(
            demand=Demand.OPPORTUNISTIC,
            reason=f"MTA-STS of {domain} is in its testing mode: verified encryption is tried and reported, and mail goes in any case",
            rehearsed=applied,
            rehearsal_fault="" if is_listed else _unlisted(domain, host),
        )
    if not is_listed:
        return TlsPolicy(
            demand=Demand.VERIFIED,
            reason=_unlisted(domain, host),
            applied=(applied,),
            refusal=SmtpStatus(451, "4.7.5", _unlisted(domain, host)),
            refusal_result=TlsResult.VALIDATION_FAILURE,
        )
    return TlsPolicy(
        demand=Demand.VERIFIED,
        reason=f"MTA-STS of {domain} (enforce) lists {host} and asks for encryption with a verified certificate",
        applied=(applied,),
    )


def _nothing(sts: StsFinding) -> str:
    if sts.fault:
        return f"encrypted if the server can; an MTA-STS policy is announced, but {sts.fault}"
    return "no policy: encrypted if the server can, whatever its certificate"


def _unlisted(domain: str, host: str) -> str:
    return f"the MTA-STS policy of {domain} does not list {host} among its mail servers"


def _applied_tlsa(question: Question) -> AppliedPolicy:
    tlsa = question.tlsa
    return AppliedPolicy(
        type=PolicyType.TLSA,
        domain=tlsa.base or question.host,
        strings=tuple(dane.as_text(record) for record in tlsa.records[: dane.MAX_RECORDS]),
    )
