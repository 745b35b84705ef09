"""The report is read back with the standard library's parser."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.address import parse_address
from backend.core.status import SmtpStatus
from backend.message.dsn import MAX_HEADER_OCTETS, Action, Report, ReportedRecipient, build_dsn

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
HOUR = 3600.0
HEADER = b"From: Anna <anna@a.example>\r\nTo: bo@b.example\r\nSubject: Lunch\r\nMessage-ID: <1@a.example>\r\n"


def report(action=Action.FAILED, recipients=None, **more):
    facts = {
        "action": action,
        "hostname": "mail.a.example",
        "sender": parse_address("anna@a.example"),
        "recipients": recipients
        or [
            ReportedRecipient(
                address=parse_address("bo@b.example"),
                answer=SmtpStatus(550, "5.1.1", "No such user"),
                remote_mta="mx.b.example",
                last_attempt_at=NOW - 1,
            )
        ],
        "arrived_at": NOW - 60,
        "created_at": NOW,
        "header": HEADER,
        "message_id": "<1@a.example>",
        "attempts": 1,
    }
    return build_dsn(Report(**(facts | more)))


def parse(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects
    return message


def status_groups(message: EmailMessage):
    part = list(message.iter_parts())[1]
    return [dict(group.items()) for group in part.get_payload()]


def test_a_failure_report_has_its_three_parts_and_fields():
    message = parse(report())
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["From"] == "Mail delivery <postmaster@mail.a.example>"
    assert message["To"] == "<anna@a.example>" or message["To"] == "anna@a.example"
    assert message["Subject"] == "mail delivery failed"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<1@a.example>"
    assert message["References"] == "<1@a.example>"
    assert [p.get_content_type() for p in message.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]


def test_the_fields_say_who_when_and_why():
    about_message, about_recipient = status_groups(parse(report()))
    assert about_message == {
        "Reporting-MTA": "dns; mail.a.example",
        "Arrival-Date": format_datetime(datetime.fromtimestamp(NOW - 60, UTC)),
    }
    assert about_recipient == {
        "Final-Recipient": "rfc822; bo@b.example",
        "Action": "failed",
        "Status": "5.1.1",
        "Remote-MTA": "dns; mx.b.example",
        "Diagnostic-Code": "smtp; 550 5.1.1 No such user",
        "Last-Attempt-Date": format_datetime(datetime.fromtimestamp(NOW - 1, UTC)),
    }


def test_the_text_is_for_people():
    text = parse(report()).get_body().get_content()
    assert "could not be delivered to:" in text
    assert "bo@b.example" in text
    assert "mx.b.example said: 550 5.1.1 No such user" in text
    assert "will not be tried again" in text


def test_the_original_header_comes_back_as_it_was():
    part = list(parse(report()).iter_parts())[2]
    assert (
        part.get_payload(decode=True).replace(b"\r\n", b"\n").strip()
        == HEADER.replace(b"\r\n", b"\n").strip()
    )


def test_a_delay_computes_when_the_attempts_are():
    raw = report(
        Action.DELAYED,
        retry_at=[NOW + 2 * HOUR, NOW + 6 * HOUR, NOW + 14 * HOUR],
        attempts=5,
        recipients=[
            ReportedRecipient(
                address=parse_address("bo@b.example"),
                answer=SmtpStatus(451, "4.4.1", "no host of b.example answers"),
            )
        ],
    )
    message = parse(raw)
    assert message["Subject"] == "mail delivery delayed"
    text = " ".join(message.get_body().get_content().split())
    assert "in 2 hours, 6 hours and 14 hours" in text
    fields = status_groups(message)[1]
    assert (fields["Action"], fields["Status"]) == ("delayed", "4.4.1")
    assert parsedate_to_datetime(fields["Will-Retry-Until"]).timestamp() == NOW + 14 * HOUR
    assert "Remote-MTA" not in fields
    assert fields["Diagnostic-Code"].startswith("x-gatepost; ")


@pytest.mark.parametrize(
    ("answer", "action", "status"),
    [
        (SmtpStatus(550, "", "no"), Action.FAILED, "5.0.0"),
        (SmtpStatus(451, "", "later"), Action.FAILED, "4.0.0"),
        (SmtpStatus(451, "", "later"), Action.DELAYED, "4.0.0"),
        (SmtpStatus(550, "2.0.0", "odd"), Action.FAILED, "5.0.0"),
        (SmtpStatus(552, "5.2.2", "full"), Action.FAILED, "5.2.2"),
    ],
)
def test_the_status_is_the_servers_own_or_zero_zero(answer, action, status):
    recipients = [ReportedRecipient(address=parse_address("bo@b.example"), answer=answer)]
    assert status_groups(parse(report(action, recipients)))[1]["Status"] == status


def test_each_recipient_has_a_group():
    recipients = [
        ReportedRecipient(
            address=parse_address(f"{name}@b.example"), answer=SmtpStatus(550, "5.1.1", name)
        )
        for name in ("bo", "cy")
    ]
    groups = status_groups(parse(report(recipients=recipients)))
    assert [g["Final-Recipient"] for g in groups[1:]] == [
        "rfc822; bo@b.example",
        "rfc822; cy@b.example",
    ]


def test_addresses_beyond_ascii_use_the_international_form():
    recipients = [
        ReportedRecipient(
            address=parse_address("jürgen@b.example"), answer=SmtpStatus(550, "5.1.1", "nö")
        )
    ]
    raw = report(recipients=recipients, header="Subject: Grüße\r\n".encode())
    message = parse(raw)
    types = [p.get_content_type() for p in message.iter_parts()]
    assert types == ["text/plain", "message/global-delivery-status", "message/global-headers"]
    assert "Final-Recipient: utf-8; jürgen@b.example".encode() in raw


def test_a_message_id_that_could_break_the_header_is_left_out():
    message = parse(report(message_id="<a@b>\r\nBcc: x@y"))
    assert message["In-Reply-To"] is None
    assert message["Bcc"] is None


def test_a_huge_header_is_cut():
    raw = report(header=b"X: " + b"y" * (MAX_HEADER_OCTETS * 2))
    assert len(raw) < MAX_HEADER_OCTETS + 5000


@given(st.text(max_size=3000), st.text(max_size=300))
def test_no_answer_can_add_a_field_or_a_part(text, host):
    recipients = [
        ReportedRecipient(
            address=parse_address("bo@b.example"),
            answer=SmtpStatus(550, "5.1.1", text),
            remote_mta=host,
            last_attempt_at=NOW,
        )
    ]
    message = email.message_from_bytes(report(recipients=recipients), policy=email.policy.default)
    assert len(list(message.iter_parts())) == 3
    groups = status_groups(message)
    assert len(groups) == 2
    assert set(groups[1]) <= {
        "Final-Recipient",
        "Action",
        "Status",
        "Remote-MTA",
        "Diagnostic-Code",
        "Last-Attempt-Date",
    }
    assert all(len(line) < 998 for line in report(recipients=recipients).split(b"\r\n"))


def test_what_the_sender_called_things_stands_in_the_fields():
    recipient = ReportedRecipient(
        address=parse_address("bo@b.example"),
        answer=SmtpStatus(250, "2.1.5", "it is in the mailbox"),
        original=("rfc822", "Bo+lists@old.example"),
    )
    raw = report(
        action=Action.DELIVERED,
        recipients=[recipient],
        envelope_id="my id",
        future_release="for;60",
    )
    message = parse(raw)
    assert message["Subject"] == "mail delivered"
    first, second = status_groups(message)
    assert list(first) == [
        "Original-Envelope-Id",
        "Reporting-MTA",
        "Arrival-Date",
        "Future-Release-Request",
    ]
    assert first["Original-Envelope-Id"] == "my id"
    assert second == {
        "Original-Recipient": "rfc822;Bo+lists@old.example",
        "Final-Recipient": "rfc822; bo@b.example",
        "Action": "delivered",
        "Status": "2.1.5",
    }


def test_a_whole_message_comes_back_byte_for_byte():
    content = HEADER + b"\r\n--x\r\n\xe4\r\n.\r\nno line end"
    raw = report(content=content)
    assert content in raw
    returned = list(parse(raw).iter_parts())[2]
    assert returned.get_content_type() == "message/rfc822"
    assert "Your message follows below." in raw.decode("latin-1")


ANY_TEXT = st.text(max_size=60)


@given(
    ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT, st.sampled_from(list(Action)), st.binary(max_size=80)
)
def test_no_value_forges_a_field_or_a_part(envelope_id, kind, original, hold, action, content):
    recipient = ReportedRecipient(
        address=parse_address("bo@b.example"),
        answer=SmtpStatus(550, "5.1.1", original),
        original=(kind, original),
    )
    raw = report(
        action=action,
        recipients=[recipient],
        envelope_id=envelope_id,
        future_release=hold,
        content=content,
    )
    message = email.message_from_bytes(raw, policy=email.policy.compat32)
    _, status, _ = message.get_payload()
    first, second = status.get_payload()
    assert set(first.keys()) <= {
        "Original-Envelope-Id",
        "Reporting-MTA",
        "Arrival-Date",
        "Future-Release-Request",
    }
    assert set(second.keys()) <= {
        "Original-Recipient",
        "Final-Recipient",
        "Action",
        "Status",
        "Diagnostic-Code",
        "Will-Retry-Until",
    }
