"""Whom we never connect to, however the address is written."""

import pytest

from backend.outbound.dial import refusal

LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::")
PRIVATE = (
    *("10.1.1.1", "100.64.0.1", "169.254.1.1", "192.168.0.1", "0.1.2.3", "240.0.0.1"),
    *("fe80::1", "fc00::1", "fec0::1", "::ffff:10.1.1.1", "64:ff9b::a00:1", "2002:a00:1::1"),
    # A network's own NAT64, and old ways to write IPv4 inside of IPv6.
    *("64:ff9b:1::7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "2001:0:7f00:1::1", "100::1"),
)
NOBODY = ("0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:0.0.0.0")  # not bound
PUBLIC = ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1")


@pytest.mark.parametrize("ip", [*LOOPBACK, *PRIVATE, *NOBODY])
def test_no_mail_goes_to_addresses_inside(ip):
    assert refusal(ip, allow_private=False)


@pytest.mark.parametrize("ip", NOBODY)
def test_what_is_no_server_s_address_is_refused_even_where_private_ones_are_allowed(ip):
    assert refusal(ip, allow_private=True)


@pytest.mark.parametrize("ip", PUBLIC)
def test_mail_goes_to_public_addresses(ip):
    assert refusal(ip, allow_private=False) is None


@pytest.mark.parametrize("ip", [*LOOPBACK, *PRIVATE])
def test_the_setting_for_tests_opens_them(ip):
    assert refusal(ip, allow_private=True) is None
