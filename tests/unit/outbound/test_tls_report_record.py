"""What a domain says of its TLS reports (RFC 8460 §3), the RFC's own examples among it."""

import pytest

from backend.outbound.tls_report_record import (
    MAX_DESTINATIONS,
    Destinations,
    RecordError,
    read_record,
)


@pytest.mark.parametrize(
    ("record", "uris"),
    [
        (b"v=TLSRPTv1;rua=mailto:reports@example.com", ("mailto:reports@example.com",)),
        (
            b"v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
            ("https://reporting.example.com/v1/tlsrpt",),
        ),
        (b"v=TLSRPTv1; rua=mailto:a@b.test ; ", ("mailto:a@b.test",)),
        (
            b"v=TLSRPTv1; rua=mailto:a@b.test , https://b.test/r; ext-1.x_y=9",
            ("mailto:a@b.test", "https://b.test/r"),
        ),
        (b"v=TLSRPTv1;rua=mailto:a@b.test;rua=mailto:A@B.test", ("mailto:a@b.test", "mailto:A@b.test")),
        (b"v=TLSRPTv1; rua=MAILTO:a%2Bb@b.test?subject=x", ("mailto:a+b@b.test",)),
        (b"v=TLSRPTv1; rua=mailto:a@b.test,mailto:a@B.test", ("mailto:a@b.test",)),
    ],
)  # fmt: skip
def test_addresses_are_read(record, uris):
    assert read_record([b"other", record]).uris == uris


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([], "asks for no reports"),
        ([b"v=STSv1; id=1"], "asks for no reports"),
        ([b"v=TLSRPTv2; rua=mailto:a@b.test"], "asks for no reports"),
        ([b"V=TLSRPTv1; rua=mailto:a@b.test"], "asks for no reports"),
        ([b" v=TLSRPTv1; rua=mailto:a@b.test"], "asks for no reports"),
        ([b"v=TLSRPTv1;rua=mailto:a@b.test"] * 2, "more than one"),
        ([b"v=TLSRPTv1"], "names no address"),
        ([b"v=TLSRPTv1;"], "names no address"),
        ([b"v=TLSRPTv1; rua"], "without “=”"),
        ([b"v=TLSRPTv1; rua="], "can't be read"),
        ([b"v=TLSRPTv1; rua=mailto:a@b.test,"], "can't be read"),
        ([b"v=TLSRPTv1; rua=mailto:a@b.test!10m"], "can't be read"),
        ([b"v=TLSRPTv1; rua=a@b.test"], "can't be read"),
        ([b"v=TLSRPTv1;; rua=mailto:a@b.test"], "without “=”"),
        ([b"v=TLSRPTv1; -x=1; rua=mailto:a@b.test"], "can't be read"),
        ([b"v=TLSRPTv1; x=a=b; rua=mailto:a@b.test" + b" " * 5000], "too long"),
        ([b"v=TLSRPTv1; rua=mailto:\xff@b.test"], "can't be read"),
    ],
)
def test_what_breaks_the_grammar_is_no_record(records, reason):
    with pytest.raises(RecordError, match=reason):
        read_record(records)


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://b.test/",
        "http://b.test/",
        "mailto:nobody",
        "mailto:a@[192.0.2.1]",
        "mailto:a%0D%0ABcc:x@b.test",
        "mailto:a@b.test%2Cc@b.test",
        "mailto:%C3%A4@b.test",
        "https://",
        "https://user:secret@b.test/",
        "https://b.test:99999/",
        "https://b.test/" + "x" * 1000,
    ],
)
def test_addresses_that_are_not_taken_are_left_out(uri):
    record = f"v=TLSRPTv1; rua={uri},mailto:a@b.test".encode()
    assert read_record([record]) == Destinations(("mailto:a@b.test",), (uri,))


def test_a_domain_can_have_its_report_sent_to_a_few_places_only():
    uris = [f"mailto:a{n}@b.test" for n in range(10)]
    found = read_record([f"v=TLSRPTv1; rua={','.join(uris)}".encode()])
    assert len(found.uris) == MAX_DESTINATIONS
    assert len(found.unusable) == 10 - MAX_DESTINATIONS
