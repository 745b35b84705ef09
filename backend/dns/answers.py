"""What a DNS lookup can come to: values, so that no caller forgets the difference between “none” and “could not ask”."""

from dataclasses import dataclass
from typing import Generic, TypeVar

R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Found(Generic[R_co]):
    """At least one record.

    `authentic` is true when a validating resolver that we trust (on this computer, or one that the settings believe) says
    that DNSSEC vouches for the whole answer. `canonical` is the name at the end of the CNAME chain, `aliases` its length.
    """

    records: tuple[R_co, ...]
    authentic: bool = False
    canonical: str = ""
    aliases: int = 0


@dataclass(frozen=True, slots=True)
class NoRecord:
    """The name exists, but has no record of this type."""

    authentic: bool = False
    canonical: str = ""
    aliases: int = 0


@dataclass(frozen=True, slots=True)
class NoDomain:
    """The name does not exist (NXDOMAIN)."""

    authentic: bool = False


@dataclass(frozen=True, slots=True)
class LookupFailed:
    """Nothing is known. `temporary`: asking again later may help. `reason` is a phrase for people."""

    reason: str
    temporary: bool = True


R = TypeVar("R")
Answer = Found[R] | NoRecord | NoDomain | LookupFailed


@dataclass(frozen=True, slots=True, order=True)
class Mx:
    """`host` without a final dot, lower case; empty for the null MX (RFC 7505)."""

    preference: int
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tlsa:
    usage: int
    selector: int
    matching: int
    data: bytes
