"""TLS reports as others read them: against the example of RFC 8460 (appendix B) and real reports."""

import email
import email.policy
import gzip
import json
from datetime import datetime

import pytest

from backend.core.address import parse_address
from backend.message.tls_report import (
    FailureDetail,
    PolicyResult,
    TlsReport,
    compressed,
    format_json,
    format_mail,
)

# RFC 8460, appendix B, without what is a link of that sender's.
EXAMPLE = {
    "organization-name": "company-x.example",
    "date-range": {
        "start-datetime": "2016-04-01T00:00:00Z",
        "end-datetime": "2016-04-01T23:59:59Z",
    },
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [
        {
            "policy": {
                "policy-type": "sts",
                "policy-string": [
                    "version: STSv1",
                    "mode: testing",
                    "mx: *.mail.company-y.example",
                    "max_age: 86400",
                ],
                "policy-domain": "company-y.example",
                "mx-host": ["*.mail.company-y.example"],
            },
            "summary": {
                "total-successful-session-count": 5326,
                "total-failure-session-count": 303,
            },
            "failure-details": [
                {
                    "result-type": "certificate-expired",
                    "sending-mta-ip": "2001:db8:abcd:0012::1",
                    "receiving-mx-hostname": "mx1.mail.company-y.example",
                    "failed-session-count": 100,
                },
                {
                    "result-type": "starttls-not-supported",
                    "sending-mta-ip": "2001:db8:abcd:0013::1",
                    "receiving-mx-hostname": "mx2.mail.company-y.example",
                    "receiving-ip": "203.0.113.56",
                    "failed-session-count": 200,
                },
                {
                    "result-type": "validation-failure",
                    "sending-mta-ip": "198.51.100.62",
                    "receiving-ip": "203.0.113.58",
                    "receiving-mx-hostname": "mx-backup.mail.company-y.example",
                    "failed-session-count": 3,
                    "failure-reason-code": "X509_V_ERR_PROXY_PATH_LENGTH_EXCEEDED",
                },
            ],
        }
    ],
}
ADDRESSES = {"author": parse_address("postmaster@company-x.example"), "at": 1_459_555_200.0}
ADDRESSES |= {"to": parse_address("reports@company-y.example"), "hostname": "mx.company-x.example"}


def _report(value: dict) -> TlsReport:
    """From the JSON, so that what is written again can be compared."""
    dates = value["date-range"]
    return TlsReport(
        domain="company-y.example",
        submitter=value["organization-name"],
        contact=value["contact-info"],
        report_id=value["report-id"],
        begin=datetime.fromisoformat(dates["start-datetime"]).timestamp(),
        end=datetime.fromisoformat(dates["end-datetime"]).timestamp(),
        policies=[
            PolicyResult(
                policy_type=each["policy"]["policy-type"],
                domain=each["policy"].get("policy-domain", ""),
                strings=each["policy"].get("policy-string", ()),
                mx_hosts=each["policy"].get("mx-host", ()),
                successes=each["summary"].get("total-successful-session-count", 0),
                failures=each["summary"].get("total-failure-session-count", 0),
                details=[
                    FailureDetail(
                        result_type=detail["result-type"],
                        count=detail["failed-session-count"],
                        sending_mta_ip=detail.get("sending-mta-ip", ""),
                        receiving_mx_hostname=detail.get("receiving-mx-hostname", ""),
                        receiving_mx_helo=detail.get("receiving-mx-helo", ""),
                        receiving_ip=detail.get("receiving-ip", ""),
                        failure_reason_code=detail.get("failure-reason-code", ""),
                    )
                    for detail in each.get("failure-details", ())
                ],
            )
            for each in value["policies"]
        ],
    )


def test_the_example_of_the_rfc_comes_out_as_it_is():
    assert json.loads(format_json(_report(EXAMPLE))) == EXAMPLE


@pytest.mark.parametrize("name", ["rpt01", "rpt02", "rpt03"])
def test_real_reports_come_out_with_the_same_meaning(testdata, name):
    if not testdata.is_dir():
        return  # the fixture has said so
    file = testdata / "reports-stalwart" / "resources" / "tlsrpt" / f"{name}.json"
    value = json.loads(file.read_text())
    ours = json.loads(format_json(_report(value)))
    assert ours["date-range"] == value["date-range"]
    for mine, theirs in zip(ours["policies"], value["policies"], strict=True):
        assert mine["policy"]["policy-type"] == theirs["policy"]["policy-type"]
        assert theirs["summary"].items() <= mine["summary"].items()
        for detail, known in zip(
            mine.get("failure-details", ()), theirs.get("failure-details", ()), strict=True
        ):
            known.pop("additional-information", None)
            assert detail == known


def test_the_mail_says_whose_report_it_is_and_carries_it():
    report = _report(EXAMPLE)
    raw = format_mail(report, compressed(report), **ADDRESSES)
    assert max(map(len, raw.split(b"\r\n"))) < 100
    assert b"\n" not in raw.replace(b"\r\n", b"")
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert not message.defects
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "tlsrpt"
    assert message["TLS-Report-Domain"] == "company-y.example"
    assert message["TLS-Report-Submitter"] == "company-x.example"
    assert message["TLS-Required"] == "No"
    assert " ".join(message["Subject"].split()) == (
        "Report Domain: company-y.example Submitter: company-x.example"
        " Report-ID: <5065427c-23d3-47ca-b6e0-946ea0e8c4be>"
    )
    text, attached = message.iter_parts()
    assert "company-y.example" in text.get_content()
    assert attached.get_content_type() == "application/tlsrpt+gzip"
    assert attached.get_filename() == (
        "company-x.example!company-y.example!1459468800!1459555199.json.gz"
    )
    assert json.loads(gzip.decompress(attached.get_content())) == EXAMPLE


def test_the_same_report_to_the_same_address_is_the_same_mail():
    report = _report(EXAMPLE)
    first, second = (format_mail(report, compressed(report), **ADDRESSES) for _ in range(2))
    other = format_mail(
        report, compressed(report), **(ADDRESSES | {"to": parse_address("x@company-y.example")})
    )
    ids = [email.message_from_bytes(raw)["Message-ID"] for raw in (first, other)]
    assert first == second
    assert ids[0] != ids[1]
