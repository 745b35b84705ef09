"""What went wrong with a transport, in sentences that say what to do."""

import pytest

from backend.core.status import SmtpStatus
from backend.outbound.advice import of_relay
from backend.outbound.dial import Fault
from backend.outbound.relay import Finding, RelaySettings
from backend.outbound.session import LEADS_BACK
from backend.outbound.transport import Try
from backend.smtp.client import NO_MECHANISM, Stage, Tls

SENDER = "anna@a.test"


def report(
    stage,
    code,
    text="what the server says",
    *,
    fault=Fault.OTHER,
    remote=True,
    connected=True,
    mechanisms=(),
    tls=Tls.REQUIRED,
):
    finding = Finding(
        stage=stage,
        status=SmtpStatus(code, "", text),
        remote=remote,
        fault=fault,
        connected=connected,
        mechanisms=mechanisms,
        signed_in_with="SCRAM-SHA-256",
        tried=Try(host="r.test", ip="192.0.2.1", tls="TLSv1.3 X", excerpt="C: EHLO"),
    )
    settings = RelaySettings(
        name="t", host="r.test", port=587, tls=tls, verify=True, username="me", password="x"
    )
    return of_relay(finding, settings, SENDER)


def ours(stage, text="why", fault=Fault.OTHER, **more):
    return report(stage, 451, text, fault=fault, remote=False, **more)


@pytest.mark.parametrize(
    ("found", "message", "fix"),
    [
        (
            ours(Stage.CONNECT, fault=Fault.REFUSED, connected=False),
            "Nothing listens",
            "Usual are 465",
        ),
        (ours(Stage.CONNECT, fault=Fault.TIMEOUT, connected=False), "does not answer", "firewall"),
        (ours(Stage.CONNECT, LEADS_BACK), "is this server itself", "of your provider"),
        (ours(Stage.MAIL, LEADS_BACK), "is this server itself", "of your provider"),
        (ours(Stage.CONNECT, fault=Fault.UNKNOWN_NAME, connected=False), "is not known", "“host”"),
        (
            ours(Stage.CONNECT, fault=Fault.UNREACHABLE, connected=False),
            "can't be reached",
            "network",
        ),
        (
            ours(Stage.CONNECT, fault=Fault.TIMEOUT),
            "does not answer in time",
            "wait for TLS on 465",
        ),
        (report(Stage.CONNECT, 554), "does not want to talk", "operator"),
        (
            ours(Stage.TLS, fault=Fault.CERTIFICATE_NAME),
            "is for another name, not for r.test",
            "Enter as “host”",
        ),
        (ours(Stage.TLS, fault=Fault.CERTIFICATE_EXPIRED), "out of date", "clock"),
        (ours(Stage.TLS, fault=Fault.CERTIFICATE_UNTRUSTED), "vouches", "outbound.ca_file"),
        (
            ours(Stage.TLS, "The server does not offer TLS"),
            "does not offer STARTTLS",
            "submissions",
        ),
        (ours(Stage.CONNECT, fault=Fault.TLS, tls=Tls.IMPLICIT), "TLS from the start", "port 587"),
        (ours(Stage.TLS, fault=Fault.TLS), "TLS with r.test:587 failed", "TLS 1.2"),
        (
            ours(Stage.AUTH, f"{NO_MECHANISM}, x", mechanisms=("PLAIN", "LOGIN")),
            "password itself",
            '["PLAIN"]',
        ),
        (ours(Stage.AUTH, f"{NO_MECHANISM}, x"), "offers no sign-in", "Leave out the user name"),
        (
            ours(Stage.AUTH, f"{NO_MECHANISM}, x", mechanisms=("GSSAPI",)),
            "No way to sign in",
            "“mechanisms”",
        ),
        (report(Stage.AUTH, 535), "does not accept user name and password", "transport password t"),
        (report(Stage.AUTH, 534), "another way to sign in", "password for apps"),
        (report(Stage.AUTH, 454), "The sign-in failed", "Try again later"),
        (ours(Stage.AUTH, "did not prove"), "did not hold", "listening in between"),
        (report(Stage.MAIL, 530), "wants a sign-in", "user name"),
        (report(Stage.MAIL, 550), f"does not take mail from {SENDER}", "Register this address"),
        (report(Stage.MAIL, 553), f"does not take mail from {SENDER}", "(me may not)"),
        (report(Stage.MAIL, 451), "at the moment", "Try again later"),
    ],
)
def test_each_fault_has_its_sentence_and_says_what_to_do(found, message, fix):
    assert not found.ok
    assert message in found.message
    assert fix in found.fix
    assert found.message.endswith(".")
    assert ".." not in found.message


def test_the_steps_say_how_far_it_came():
    found = report(Stage.AUTH, 535)
    assert [(step.name, step.ok) for step in found.steps] == [
        ("connect", True),
        ("certificate", True),
        ("sign in", False),
        ("sender", None),
    ]
    good = report(Stage.MAIL, 250)
    assert good.ok
    assert all(step.ok for step in good.steps)
    assert good.steps[2].text == "signed in as me with SCRAM-SHA-256"
