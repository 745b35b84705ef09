"""In which order are a host's addresses tried, and when may the other kind of addresses help? (behaviour T13) Pure.

Attempts go over IPv6 and IPv4 in turn where a host has both: one of them may be blocked or badly known. The second
attempt over a kind goes to the same address as the first one, for a server that greylists knows who has come before.
"""

from collections.abc import Sequence
from typing import Literal

from backend.core.status import SmtpStatus

IpVersion = Literal[4, 6]


def version_of(ip: str) -> IpVersion:
    return 6 if ":" in ip else 4


def order_addresses(addresses: Sequence[str], earlier: Sequence[str]) -> list[str]:
    """`earlier`: where the attempts made so far ended, one address for each, oldest first. Else the order stays as it came."""
    if not earlier:
        return list(addresses)
    last = version_of(earlier[-1])

    def rank(ip: str) -> tuple[bool, bool]:
        version = version_of(ip)
        before = [old for old in earlier if version_of(old) == version]
        return version == last, not (len(before) == 1 and before[0] == ip)

    return sorted(addresses, key=rank)


def other_version(addresses: Sequence[str], ip: str) -> IpVersion | None:
    """The kind of addresses that the host has beside that of `ip`; None when it has none."""
    other: IpVersion = 4 if version_of(ip) == 6 else 6
    return other if any(version_of(each) == other for each in addresses) else None


def may_depend_on_address(status: SmtpStatus) -> bool:
    """RFC 3463 §3.8: a refusal by policy (X.7.X) is often about the address that we come from, not about the message."""
    return status.is_permanent and status.enhanced.startswith("5.7.")
