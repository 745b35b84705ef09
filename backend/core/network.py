"""Whose address is that? What limits and throttles count as one stranger."""

import ipaddress


def network_of(peer: str) -> str:
    """One home or one machine: an IPv4 address, or the /64 of an IPv6 address, which belongs to one household as a whole."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
