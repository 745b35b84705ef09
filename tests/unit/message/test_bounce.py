"""Delivery reports of other servers: the standard form, its usual faults, and prose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.address import parse_address
from backend.core.status import SmtpStatus
from backend.message import bounce
from backend.message.bounce import Kind, read_bounce
from backend.message.dsn import Action, Report, ReportedRecipient, build_dsn

HEADER = (
    b"Received: from laptop ([192.0.2.7])\r\n\tby mail.a.test with ESMTPSA id t4711;\r\n\tnow\r\n"
    b"From: anna@a.test\r\nMessage-ID: <m1@a.test>\r\nSubject: Lunch\r\n"
)


def own_report(action: Action, code: int, enhanced: str, text: str) -> bytes:
    return build_dsn(
        Report(
            action=action,
            hostname="mx.b.test",
            sender=parse_address("anna@a.test"),
            recipients=[
                ReportedRecipient(
                    address=parse_address("bo@b.test"),
                    answer=SmtpStatus(code, enhanced, text),
                    remote_mta="inner.b.test",
                )
            ],
            arrived_at=1.0,
            created_at=2.0,
            header=HEADER,
        )
    )


def standard(fields: str, returned: str = "", *, kind: str = "message/delivery-status") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.b.test\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\n"
        f"It failed.\n\n--x\nContent-Type: {kind}\n\n{fields}\n--x\n{returned}\n--x--\n"
    ).encode()


@pytest.mark.parametrize(
    ("action", "code", "enhanced", "kind"),
    [
        (Action.FAILED, 550, "5.1.1", Kind.FAILED),
        (Action.DELAYED, 451, "4.3.0", Kind.DELAYED),
    ],
)
def test_reads_what_this_server_itself_writes(action, code, enhanced, kind):
    found = read_bounce(own_report(action, code, enhanced, "user unknown"))
    assert (found.reporter, found.standard) == ("mx.b.test", True)
    assert found.message_ids == ("<m1@a.test>",)
    assert found.received_ids == ("t4711",)
    (address,) = found.addresses
    assert (address.kind, address.final) == (kind, "bo@b.test")
    assert (address.status.code, address.status.enhanced) == (code, enhanced)
    assert "user unknown" in address.status.text


def test_faults_of_the_standard_form_are_read_over():
    fields = (
        "Original-Envelope-Id: QQ314159\nReporting-MTA: dns;mx.b.test (a comment)\n\n\n\n"
        "ACTION: Failed (for good)\nfinal-recipient : rfc822;<Bo@b.test>\nStatus: 5.0.0 (permanent)\n"
        "Diagnostic-Code: smtp; 550-5.1.1 no\n such user\nOriginal-Recipient: rfc822;alias@b.test\n"
        "Final-Recipient: rfc822; cy@b.test\nAction: relayed\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822;\nAction: failed\n"
    )
    found = read_bounce(standard(fields).replace(b"\n", b"\r\n"))
    assert found.envelope_id == "QQ314159"
    bo, cy = found.addresses
    assert (bo.kind, bo.final, bo.original) == (Kind.FAILED, "Bo@b.test", "alias@b.test")
    assert str(bo.status) == "550 5.1.1 550-5.1.1 no such user"
    assert (cy.kind, cy.final) == (Kind.DELIVERED, "cy@b.test")


def test_what_lasted_too_long_has_failed_whatever_its_code_says():
    fields = "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; bo@b.test\nAction: failed\nStatus: 4.4.1\n"
    (address,) = read_bounce(standard(fields)).addresses
    assert (address.kind, address.status.code, address.status.enhanced) == (
        Kind.FAILED,
        550,
        "4.4.1",
    )


def test_international_addresses_and_encoded_parts():
    fields = "Reporting-MTA: dns; x\n\nFinal-Recipient: utf-8; b\\x{F6}@b.test\nAction: failed\nStatus: 5.1.1\n"
    returned = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nTWVzc2FnZS1JRDogPG0xQGEudGVzdD4KClRleHQ=\n"
    found = read_bounce(standard(fields, returned, kind="message/global-delivery-status"))
    assert found.addresses[0].final == "bö@b.test"
    assert found.message_ids == ("<m1@a.test>",)


def test_a_report_inside_what_was_returned_is_not_read():
    inner = own_report(Action.FAILED, 550, "5.1.1", "x").decode()
    forwarded = (
        "From: someone@b.test\nContent-Type: multipart/mixed; boundary=y\n\n--y\n"
        f"Content-Type: message/rfc822\n\n{inner}\n--y--\n"
    ).encode()
    assert read_bounce(forwarded) is None


@pytest.mark.parametrize("kind", ["message/disposition-notification", "message/feedback-report"])
def test_other_reports_are_none_of_these(kind):
    assert read_bounce(standard("Final-Recipient: rfc822; bo@b.test\n", kind=kind)) is None


QMAIL = b"""From: MAILER-DAEMON@b.test
Subject: failure notice

Hi. This is the qmail-send program at b.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bo@b.test>:
Sorry, no mailbox here by that name. (#5.1.1)

<cy@b.test>:
192.0.2.1 does not like recipient.
Remote host said: 552 5.2.2 over quota

--- Below this line is a copy of the message.

Return-Path: <anna@a.test>
Received: (qmail 1 invoked from network)
Message-ID: <m1@a.test>
Subject: Lunch

bo@b.test wrote me
"""
EXIM = b"""From: Mail Delivery System <Mailer-Daemon@b.test>
Auto-Submitted: auto-replied
X-Failed-Recipients: bo@b.test
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bo@b.test
    (generated from team@b.test)
    Unrouteable address

------ This is a copy of the message, including all the headers. ------

Message-Id: <m1@a.test>
From: anna@a.test

"""
WARNING = b"""From: Mail Delivery Subsystem <MAILER-DAEMON@b.test>
Subject: Warning: could not send message for past 4 hours

    **      THIS IS A WARNING MESSAGE ONLY      **

   ----- The following addresses had transient non-fatal errors -----
<bo@b.test>

   ----- Original message follows -----
Message-Id: <m1@a.test>

"""


def test_prose_of_old_servers_is_read():
    found = read_bounce(QMAIL)
    assert (found.standard, found.message_ids) == (False, ("<m1@a.test>",))
    bo, cy = found.addresses
    assert (bo.final, bo.kind, bo.status.enhanced) == ("bo@b.test", Kind.FAILED, "5.1.1")
    assert (cy.final, cy.status.code, cy.status.enhanced) == ("cy@b.test", 552, "5.2.2")
    (bo,) = read_bounce(EXIM).addresses
    assert (bo.final, bo.kind) == ("bo@b.test", Kind.FAILED)
    assert "Unrouteable address" in bo.status.text
    (bo,) = read_bounce(WARNING).addresses
    assert (bo.final, bo.kind, bo.status.code) == ("bo@b.test", Kind.DELAYED, 450)
    assert read_bounce(WARNING).message_ids == ("<m1@a.test>",)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"From: bo@b.test\n\nMy mail to you could not be delivered, what is wrong?\n",
        b"From: bo@b.test\n\n",
        b"From: postmaster@b.test\n\nbo@b.test\nis my new address\n",
    ],
)
def test_ordinary_mail_is_no_report(raw):
    assert read_bounce(raw) is None


def test_everything_is_bounded():
    group = "\nFinal-Recipient: rfc822; u{}@b.test\nAction: failed\nDiagnostic-Code: smtp; {}\n"
    fields = "Reporting-MTA: dns; x\n" + "".join(group.format(n, "x" * 900) for n in range(50))
    found = read_bounce(standard(fields))
    assert all(len(a.status.text) <= bounce.MAX_TEXT_CHARS for a in found.addresses)
    fields = "Reporting-MTA: dns; x\n" + "".join(group.format(n, "") for n in range(1000))
    assert len(read_bounce(standard(fields)).addresses) <= bounce.MAX_RECIPIENTS
    many = "".join(f"<u{n}@b.test>:\nno\n\n" for n in range(5000))
    prose = f"Subject: failure\n\nThe following could not be delivered:\n{many}".encode()
    assert len(read_bounce(prose).addresses) == bounce.MAX_RECIPIENTS


@pytest.mark.parametrize(
    "line",
    [
        b"X-Failed-Recipients: " + b"a" * 9_900,
        b"References: " + b"<" * 9_900,
        b"Received: " + b"id " * 3_000,
    ],
)
def test_hostile_headers_take_no_more_time_than_others(line):
    body = b"\n\nThis could not be delivered:\n" + b"-" * 60_000 + b"\n" + b"a@" * 20_000 + b"\n"
    read_bounce(b"\n".join([line] * 20) + body)  # hangs when it is not linear


REAL = {
    "mime-cpython/test_email_data/msg_16.txt": ("jangel1@cougar.noc.ucla.edu", "failed"),
    "mime-cpython/test_email_data/msg_43.txt": ("xxxxxxx@dot.ca.gov", "failed"),
    "mime-mimekit-messages/UnitTests/TestData/messages/bounce.txt": (
        "netec.test@netecgc.com",
        "failed",
    ),
    "mime-mimekit-messages/UnitTests/TestData/messages/delivery-status.txt": (
        "newsletter-request@imusic.com",
        "failed",
    ),
    "mime-mimekit-messages/UnitTests/TestData/messages/delivery-status2.txt": (
        "source@domain.com",
        "failed",
    ),
    "mime-mimekit-messages/UnitTests/TestData/messages/delivery-status-no-blank-line.txt": (
        "newsletter-request@imusic.com",
        "failed",
    ),
    "mime-mimekit-messages/UnitTests/TestData/messages/delivery-status-multiple-blank-lines.txt": (
        "orig_recip@customer.com",
        "failed",
    ),
    "mime-ruby-mail/spec/fixtures/emails/mime_emails/raw_email_with_mimepart_without_content_type.eml": (
        "larose.julie@courrier.uqam.ca",
        "delayed",
    ),
}


def test_real_reports_are_read_and_no_other_mail_is_taken_for_one(testdata):
    found = {}
    for folder in (
        "mime-cpython",
        "mime-mimekit-messages",
        "mime-ruby-mail",
        "mail-spamassassin",
        "reports-stalwart",
        "mbox-maildir-mail-parser",
    ):
        for path in (testdata / folder).rglob("*"):
            if path.suffix != ".json" and path.is_file() and path.stat().st_size < 2_000_000:
                report = read_bounce(path.read_bytes())
                if report is not None and report.addresses:
                    found[path.relative_to(testdata).as_posix()] = (
                        report.addresses[0].final,
                        report.addresses[0].kind.value,
                    )
    assert found == (REAL if testdata.is_dir() else {})


@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: multipart/report; boundary=x\n",
                b"\n",
                b"--x\n",
                b"--x--\n",
                b"<a@b.c>:\n",
                b"Content-Type: message/delivery-status\n",
                b"Final-Recipient: rfc822; a@b.c\n",
                b"Action: failed\n",
                b"Status: 5.1.1\n",
                b"Content-Transfer-Encoding: base64\n",
                b"could not be delivered\n",
                b"Content-Type: message/rfc822\n",
                b"X-Failed-Recipients: a@b.c\n",
                b"\xff\x00\r",
                b"TWVz\n",
                b": \n",
            ]
        ),
        max_size=30,
    )
)
def test_nothing_makes_it_fail(pieces):
    report = read_bounce(b"".join(pieces))
    assert report is None or report.addresses
