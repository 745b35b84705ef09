"""What the DNS says of a domain that is not on this server yet: whether it exists, who keeps its zone, where its mail goes now."""

from dataclasses import dataclass
from typing import Protocol

from backend.dns.answers import Answer, Found, LookupFailed, NoDomain


class Asker(Protocol):
    """`backend.dns.resolver.DnsResolver` is one."""

    async def records(self, name: str, kind: str) -> Answer[str]: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """`known` false: nobody could tell. Else `values` are the records, none when it has none."""

    known: bool
    exists: bool = True
    values: tuple[str, ...] = ()


async def ask(asker: Asker, name: str, kind: str) -> Finding:
    answer = await asker.records(name, kind)
    match answer:
        case Found():
            return Finding(known=True, values=tuple(answer.records))
        case NoDomain():
            return Finding(known=True, exists=False)
        case LookupFailed():
            return Finding(known=False)
        case _:
            return Finding(known=True)


def mail_hosts(finding: Finding) -> list[str]:
    """Of an MX answer, the preferred first; none for the null MX (RFC 7505)."""
    found = []
    for text in finding.values:
        preference, _, host = text.partition(" ")
        if preference.isdecimal() and host.strip(". "):
            found.append((int(preference), host.strip(". ").lower()))
    return [host for _, host in sorted(found)]
