"""The EHLO keywords we know: what a server offers (reading its reply) and what we offer (writing ours)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Extension(StrEnum):
    SIZE = "SIZE"  # RFC 1870
    PIPELINING = "PIPELINING"  # RFC 2920
    CHUNKING = "CHUNKING"  # RFC 3030
    EIGHT_BIT_MIME = "8BITMIME"  # RFC 6152
    SMTPUTF8 = "SMTPUTF8"  # RFC 6531
    ENHANCED_STATUS_CODES = "ENHANCEDSTATUSCODES"  # RFC 2034
    STARTTLS = "STARTTLS"  # RFC 3207
    AUTH = "AUTH"  # RFC 4954
    DSN = "DSN"  # RFC 3461
    MT_PRIORITY = "MT-PRIORITY"  # RFC 6710
    REQUIRETLS = "REQUIRETLS"  # RFC 8689
    FUTURERELEASE = "FUTURERELEASE"  # RFC 4865


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What one side offers. `size_bytes` 0: SIZE without a limit, or no SIZE. `unknown` are keywords that we don't use."""

    keywords: frozenset[Extension] = frozenset()
    size_bytes: int = 0
    mechanisms: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    future_release: str = ""
    """What FUTURERELEASE says of its limits: seconds, and the latest time (RFC 4865 §3)."""

    def __contains__(self, extension: Extension) -> bool:
        return extension in self.keywords


NOTHING = Offer()


def parse_offer(lines: Sequence[str]) -> Offer:
    """From the lines of an EHLO reply after the first; what can't be read is left out."""
    keywords: set[Extension] = set()
    mechanisms: list[str] = []
    unknown: list[str] = []
    future_release, size_bytes = "", 0
    for line in lines:
        # INTEROP(old Exchange, Sendmail): "AUTH=LOGIN PLAIN" beside or instead of "AUTH LOGIN PLAIN".
        if line[:5].upper() == "AUTH=":
            line = "AUTH " + line[5:]  # noqa: PLW2901  # the line as it should have been
        keyword, *arguments = line.split() or [""]
        try:
            extension = Extension(keyword.upper())
        except ValueError:
            if keyword:
                unknown.append(keyword.upper())
            continue
        keywords.add(extension)
        # RFC 1870 §4: the argument is optional and 0 says that there is no fixed limit.
        if extension is Extension.SIZE and arguments and arguments[0].isdecimal():
            size_bytes = int(arguments[0][:20])
        elif extension is Extension.AUTH:
            mechanisms.extend(a.upper() for a in arguments if a.upper() not in mechanisms)
        elif extension is Extension.FUTURERELEASE:
            future_release = " ".join(arguments)
    return Offer(
        keywords=frozenset(keywords),
        size_bytes=size_bytes,
        mechanisms=tuple(mechanisms),
        unknown=tuple(unknown),
        future_release=future_release,
    )


def format_offer(offer: Offer) -> tuple[str, ...]:
    """The lines of our own EHLO reply after the first, in the order of `Extension`; the inverse of `parse_offer`."""
    lines = []
    for extension in Extension:
        if extension not in offer.keywords:
            continue
        if extension is Extension.SIZE:
            lines.append(f"SIZE {offer.size_bytes}" if offer.size_bytes else "SIZE")
        elif extension is Extension.AUTH:
            lines.append(" ".join(("AUTH", *offer.mechanisms)))
        elif extension is Extension.FUTURERELEASE:
            lines.append(f"FUTURERELEASE {offer.future_release}".rstrip())
        else:
            lines.append(extension.value)
    return tuple(lines)
