"""A test of a transport in words: how far it came, what that means, and what to do. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.core.status import SmtpStatus
from backend.outbound.dial import Fault
from backend.outbound.relay import IN_THE_CLEAR, Finding, RelaySettings
from backend.outbound.session import LEADS_BACK
from backend.outbound.transport import Delivery
from backend.smtp.client import NO_MECHANISM, Stage, Tls

PORT_25 = "Many internet providers block port 25. If other domains don't answer either, send through your provider's relay."
_USUAL = "465 with TLS, 587 with STARTTLS, 25 without sign-in"


@dataclass(frozen=True, slots=True)
class TestStep:
    """`ok` None: not done, or not reached."""

    __test__ = False  # pytest: not a test class

    name: str
    ok: bool | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`message` is the outcome in a sentence, `fix` says what to do when it is not good. `excerpt`: the dialogue."""

    ok: bool
    message: str
    fix: str = ""
    steps: tuple[TestStep, ...] = ()
    excerpt: str = ""


def of_relay(finding: Finding, settings: RelaySettings, sender: str) -> Report:
    place = f"{settings.host}:{settings.port}"
    message, fix = _verdict(finding, settings, sender, place)
    return Report(
        ok=finding.status.is_success,
        message=message,
        fix=fix,
        steps=tuple(_steps(finding, settings, sender, place)),
        excerpt=finding.tried.excerpt,
    )


def of_direct(delivery: Delivery, domain: str, proxy: str, name: str) -> Report:
    """After a delivery that stopped at the sender."""
    status = delivery.results[0].status
    steps = tuple(
        TestStep(f"{t.host} {t.ip}".strip(), t.succeeded, t.answer) for t in delivery.tries
    )
    excerpt = "\n\n".join(t.excerpt for t in delivery.tries if t.excerpt)
    if status.is_success:
        host = delivery.tries[-1].host
        through = f" through {proxy}" if proxy else ""
        return Report(
            ok=True,
            message=f"{host} would take mail for {domain}{through}.",
            steps=steps,
            excerpt=excerpt,
        )
    fix = "The steps say what each server of that domain answered."
    if proxy and "user name and password" in status.text:
        fix = f"Correct “username”, or set the password with: gatepost transport password {name}"
    elif proxy and proxy in status.text and "can't be reached" in status.text:
        fix = f"Start the proxy, or correct “address” ({proxy})."
    elif "no connection within" in status.text:
        fix = PORT_25
    elif any(t.policy and t.policy in t.answer for t in delivery.tries):
        fix = f"That is for those who run {domain} to mend. What they ask for is told by: gatepost tls policy {domain}"
    elif "5.7." in str(status):
        fix = "That server refuses mail from your address; a relay may be needed."
    return Report(
        ok=False,
        message=f"No mail server of {domain} can be used: {status.text}.",
        fix=fix,
        steps=steps,
        excerpt=excerpt,
    )


def _steps(
    finding: Finding, settings: RelaySettings, sender: str, place: str
) -> Sequence[TestStep]:
    failed = None if finding.status.is_success else finding.stage
    order = [Stage.CONNECT, Stage.TLS, Stage.AUTH, Stage.MAIL]
    reached = order.index(failed) if failed in order else len(order)
    said = str(finding.status) if finding.remote else finding.status.text

    def state(stage: Stage) -> bool | None:
        place_in_order = order.index(stage)
        return None if place_in_order > reached else place_in_order < reached

    def step(name: str, stage: Stage, done: str) -> TestStep:
        ok = state(stage)
        return TestStep(name, ok, done if ok else said if ok is False else "not reached")

    steps = [step("connect", Stage.CONNECT, f"connected to {place} ({finding.tried.ip})")]
    if settings.tls is Tls.NEVER:
        steps.append(TestStep("certificate", None, "TLS is switched off"))
    else:
        checked = (
            "the certificate is valid" if settings.verify else "the certificate was not checked"
        )
        done = (
            f"{finding.tried.tls}, {checked}" if finding.tried.tls else "the server offers no TLS"
        )
        steps.append(step("certificate", Stage.TLS, done))
    if settings.username:
        done = f"signed in as {settings.username} with {finding.signed_in_with}"
        steps.append(step("sign in", Stage.AUTH, done))
    else:
        steps.append(TestStep("sign in", None, "no user name is set"))
    steps.append(step("sender", Stage.MAIL, f"mail from {sender or '<>'} is taken"))
    return steps


def _verdict(finding: Finding, settings: RelaySettings, sender: str, place: str) -> tuple[str, str]:
    status = finding.status
    if status.is_success:
        return f"{place} takes mail from {sender or 'the null sender'}.", ""
    if not finding.connected:
        return _not_connected(finding, settings, place)
    said = f"The server said: {status}." if finding.remote else f"{status.text}."
    if finding.status.text == LEADS_BACK:
        return f"{place} is this server itself.", (
            "Enter the server of your provider; mail that is handed to ourselves would go round in a circle."
        )
    if finding.fault is Fault.TIMEOUT:
        fix = f"Check the port: some servers wait for TLS on 465, others talk first on 587 and 25. Usual are {_USUAL}."
        return f"{place} was connected to but does not answer in time.", fix
    match finding.stage:
        case Stage.TLS | Stage.CONNECT if finding.fault is not Fault.OTHER or (
            finding.stage is Stage.TLS
        ):
            return _no_tls(finding, settings, place)
        case Stage.AUTH:
            return _not_signed_in(finding, settings, said)
        case Stage.MAIL:
            return _sender_refused(status, settings, sender, said)
        case _:
            return f"{place} does not want to talk to this server. {said}", (
                "Ask its operator; it may know your address as one that may not send."
            )


def _not_connected(finding: Finding, settings: RelaySettings, place: str) -> tuple[str, str]:
    match finding.fault:
        case Fault.REFUSED:
            return f"Nothing listens on {place}.", f"Check the port. Usual are {_USUAL}."
        case Fault.TIMEOUT:
            return f"{place} does not answer.", (
                "Check server and port. A firewall or your internet provider may block that port; many block 25."
            )
        case Fault.UNKNOWN_NAME:
            return f"The server {settings.host} is not known: {finding.status.text}.", (
                "Check how “host” is written."
            )
        case _:
            return f"{place} can't be reached: {finding.status.text}.", (
                "Check the network, then server and port."
            )


def _no_tls(finding: Finding, settings: RelaySettings, place: str) -> tuple[str, str]:
    match finding.fault:
        case Fault.CERTIFICATE_NAME:
            whose = ", ".join(finding.names) or "another name"
            return f"The certificate of {place} is for {whose}, not for {settings.host}.", (
                "Enter as “host” the name that the certificate is for, if that is your provider's."
            )
        case Fault.CERTIFICATE_EXPIRED:
            return f"The certificate of {place} is out of date.", (
                "Check the clock of this computer; if it is right, tell the operator of the server."
            )
        case Fault.CERTIFICATE_UNTRUSTED:
            return f"Nobody known here vouches for the certificate of {place}.", (
                "If the server is your own, name its authority in outbound.ca_file of server.toml. "
                "Otherwise somebody may be listening in between: ask the operator."
            )
    if "does not offer TLS" in finding.status.text:
        return f"{place} does not offer STARTTLS.", (
            "Use “submissions” (port 465) if the server has it. In a trusted network, no_starttls = true sends without TLS."
        )
    if settings.tls is Tls.IMPLICIT:
        return f"{place} does not speak TLS from the start: {finding.status.text}.", (
            "Use “submission” (STARTTLS, port 587) instead of “submissions”, or correct the port."
        )
    return f"TLS with {place} failed: {finding.status.text}.", (
        "Tell the operator of the server; it may know only versions before TLS 1.2."
    )


def _not_signed_in(finding: Finding, settings: RelaySettings, said: str) -> tuple[str, str]:
    status = finding.status
    if not finding.remote and status.text.startswith(NO_MECHANISM):
        offered = [name for name in finding.mechanisms if name.upper() in IN_THE_CLEAR]
        if offered and finding.tried.tls:
            names = " or ".join(offered)
            return f"The server signs in only with the password itself: {status.text}.", (
                f'If you trust it with that, allow it: mechanisms = ["{offered[0]}"] ({names}).'
            )
        if not finding.mechanisms:
            return "The server offers no sign-in.", (
                "Leave out the user name if it asks for none; otherwise use its submission port, 465 or 587."
            )
        return f"No way to sign in is known to both sides: {status.text}.", (
            "Remove “mechanisms”, so that all that are safe may be used, or list one of the server's."
        )
    if finding.remote and status.code == 535:
        return (
            f"The server does not accept user name and password for {settings.username}. {said}",
            (
                f"Check the user name, then set the password again: gatepost transport password {settings.name}. "
                "Many providers want a password made for one app."
            ),
        )
    if finding.remote and status.code == 534:
        return f"The server wants another way to sign in. {said}", (
            "Make a password for apps at your provider and set it here, or change “mechanisms”."
        )
    if not finding.remote:
        return f"The sign-in did not hold: {status.text}.", (
            "Somebody may be listening in between, or the server is faulty: ask its operator before you allow weaker mechanisms."
        )
    return f"The sign-in failed. {said}", "Try again later; if it stays so, ask the operator."


def _sender_refused(
    status: SmtpStatus, settings: RelaySettings, sender: str, said: str
) -> tuple[str, str]:
    if status.code == 530:
        return f"The server wants a sign-in. {said}", (
            "Add the user name that your provider gave you, and set its password."
        )
    if status.code in {550, 551, 553, 554} or status.is_permanent:
        return f"The server does not take mail from {sender or 'the null sender'}. {said}", (
            "Register this address or its domain at the provider as one that you may send from"
            + (
                f", or use an account there that may ({settings.username} may not)."
                if settings.username
                else "."
            )
        )
    return f"The server does not take mail at the moment. {said}", "Try again later."
