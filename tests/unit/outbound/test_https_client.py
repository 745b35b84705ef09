"""Whom HTTPS requests to servers that strangers name must never reach."""

import pytest

from backend.outbound.https_client import refusal_of_literal


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:127.0.0.1",
        "2130706433", "127.1", "0177.0.0.1", "127.0.0.1.", "0", "1:2",
    ],
)  # fmt: skip
def test_addresses_inside_and_what_only_looks_like_an_address_are_refused(host):
    assert refusal_of_literal(host, allow_private=False)


@pytest.mark.parametrize("host", ["reports.b.test", "8.8.8.8", "2606:4700::1111", "1a.test"])
def test_names_and_public_addresses_are_not(host):
    assert refusal_of_literal(host, allow_private=False) == ""
