"""What can be found out about a message before it is judged: each check answers one question with one fact.

A new check (SPF, DKIM, junk …) is a class of this shape in the list that the server hands to the pipeline.
"""

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from backend.core.address import AddressError, parse_domain
from backend.core.connection import SessionFacts
from backend.core.envelope import Envelope
from backend.dns.answers import Found, LookupFailed
from backend.dns.resolver import Resolver
from backend.store.values import Content

MAX_PTR_NAMES = 5  # names of one address that are looked up again, a security limit


class Verdict(StrEnum):
    """RFC 8601 §2.7, the words of Authentication-Results."""

    NONE = "none"
    PASS = "pass"  # noqa: S105  # a verdict, no password
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Fact:
    """`check` names the question; `text` says the answer in plain words."""

    check: str
    verdict: Verdict
    text: str = ""
    subject: str = ""
    """What it is about: the verified host name, say."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """All that a check may look at."""

    envelope: Envelope
    content: Content
    session: SessionFacts


class Check(Protocol):
    name: str

    def applies(self, incoming: Incoming) -> bool:
        """False leaves it out for this message, at no cost."""

    async def run(self, incoming: Incoming) -> Fact: ...


class GreetingCheck:
    """Does the client give a host name that can be one?"""

    name = "greeting"

    def applies(self, incoming: Incoming) -> bool:
        return not incoming.session.peer_is_loopback

    async def run(self, incoming: Incoming) -> Fact:
        greeting = incoming.session.greeting
        if not incoming.session.greeting_is_valid:
            return Fact(
                self.name, Verdict.FAIL, f"It greeted as “{greeting}”, which is no host name"
            )
        if "." not in greeting and not greeting.startswith("["):
            return Fact(self.name, Verdict.FAIL, f"It greeted as “{greeting}”, without a domain")
        return Fact(self.name, Verdict.PASS, f"It greeted as {greeting}")


class ReverseNameCheck:
    """Has the client's address a name, and does that name lead back to the address? (RFC 8601 §3, iprev)"""

    name = "iprev"

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def applies(self, incoming: Incoming) -> bool:
        return not incoming.session.peer_is_loopback

    async def run(self, incoming: Incoming) -> Fact:
        peer = ipaddress.ip_address(incoming.session.peer_address.partition("%")[0])
        names = await self._resolver.ptr(str(peer))
        if isinstance(names, LookupFailed):
            return Fact(
                self.name, Verdict.TEMPERROR, "The name of its address could not be looked up"
            )
        if not isinstance(names, Found):
            return Fact(self.name, Verdict.FAIL, "Its address has no name")
        temporary = False
        for name in names.records[:MAX_PTR_NAMES]:
            try:
                host = parse_domain(name).ascii
            except AddressError:
                continue
            addresses = await self._resolver.addresses(host)
            if isinstance(addresses, LookupFailed):
                temporary = True
            elif isinstance(addresses, Found) and any(
                ipaddress.ip_address(a) == peer for a in addresses.records
            ):
                return Fact(self.name, Verdict.PASS, f"Its address is that of {host}", host)
        if temporary:
            return Fact(
                self.name, Verdict.TEMPERROR, "The name of its address could not be looked up"
            )
        return Fact(self.name, Verdict.FAIL, "The name of its address does not lead back to it")
