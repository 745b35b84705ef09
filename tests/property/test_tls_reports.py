"""Whatever a stranger's DNS says about TLS reports: it is refused with a reason, or what comes out is safe to use."""

from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from backend.outbound.tls_report_record import (
    MAX_DESTINATIONS,
    RecordError,
    mail_address,
    read_record,
)

PIECES = st.sampled_from(
    ["rua=", "mailto:", "https://", "a@b.test", "b.test", ",", ";", " ", "!", "%0D%0A", "%2C", "?",
     "x=1", "=", "@", "[", "]", ":", "443", "//", "\r\n", "ä", '"', "\\", "\0"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=20), st.binary(max_size=40))
def test_only_plain_addresses_and_urls_come_out(pieces, tail):
    record = b"v=TLSRPTv1; rua=" + "".join(pieces).encode() + tail
    try:
        found = read_record([record])
    except RecordError as error:
        assert str(error)
        return
    assert len(found.uris) <= MAX_DESTINATIONS
    for uri in found.uris:
        assert uri.isascii() and uri.isprintable()
        if uri.startswith("mailto:"):
            address = mail_address(uri)
            assert address is not None
            assert "\r" not in str(address) and "\n" not in str(address)
        else:
            assert urlsplit(uri).hostname
