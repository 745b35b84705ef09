"""What does a domain's MTA-STS policy say, and does it name a mail server? (RFC 8461; values in, values out)"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_AGE_S = 31_557_600  # RFC 8461 §3.2: a year; more is taken as a year
MAX_POLICY_OCTETS = 64 * 1024  # RFC 8461 §3.3 suggests this much; a security limit
MAX_MX_PATTERNS = 100  # a security limit; mail is delivered to at most ten hosts
_MAX_ID_CHARS = 32

_ID = re.compile(rf"[A-Za-z0-9]{{1,{_MAX_ID_CHARS}}}\Z")
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\Z")
_LABEL = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)"
_PATTERN = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})+\.?\Z")


class StsError(Exception):
    """The record or the policy breaks the rules; the text is a phrase for people."""


class Mode(StrEnum):
    ENFORCE = "enforce"
    TESTING = "testing"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class StsPolicy:
    """`mx`: names in lower case, some with one `*` as their first label. Empty only with the mode `none`."""

    mode: Mode
    mx: tuple[str, ...] = ()
    max_age_s: int = 0

    def names(self, host: str) -> bool:
        """Whether the policy lists that mail server (RFC 8461 §4.1)."""
        host = host.lower().rstrip(".")
        # RFC 6125 §6.4.3 as RFC 8461 §4.1 has it: the wildcard stands for exactly one label.
        rest = host.partition(".")[2]
        return any(
            pattern == host or (pattern.startswith("*.") and pattern[2:] == rest and rest != "")
            for pattern in self.mx
        )

    @property
    def lines(self) -> tuple[str, ...]:
        """As reports quote it (RFC 8460 §4.4)."""
        return (
            "version: STSv1",
            f"mode: {self.mode}",
            *(f"mx: {pattern}" for pattern in self.mx),
            f"max_age: {self.max_age_s}",
        )


def parse_record(texts: Sequence[bytes]) -> str | None:
    """The id in the TXT records at `_mta-sts.<domain>`; None when the domain has no policy (RFC 8461 §3.1).

    Raises:
        StsError: there are several records, or the one is not as it must be.
    """
    found = [text for text in texts if _is_ours(text)]
    if not found:
        return None
    if len(found) > 1:
        raise StsError("the DNS holds several MTA-STS records, which makes all of them void")
    try:
        text = found[0].decode("ascii")
    except UnicodeDecodeError:
        raise StsError("the MTA-STS record holds characters that it must not") from None
    fields = [part.strip(" \t") for part in text.split(";")]
    if fields[-1] == "":
        fields.pop()
    policy_id = ""
    for field in fields[1:]:
        key, equals, value = field.partition("=")
        key, value = key.rstrip(" \t"), value.lstrip(" \t")
        if not equals or not _KEY.match(key):
            raise StsError("the MTA-STS record is not well-formed")
        if key == "id" and not policy_id:
            policy_id = value
    if not _ID.match(policy_id):
        raise StsError(
            f"the id in the MTA-STS record is not 1 to {_MAX_ID_CHARS} letters and digits"
        )
    return policy_id


def _is_ours(text: bytes) -> bool:
    # RFC 8461 §3.1: records that do not begin with exactly this version are passed over.
    version, semicolon, _ = text.partition(b";")
    return semicolon == b";" and version.rstrip(b" \t") == b"v=STSv1"


def parse_policy(body: bytes) -> StsPolicy:
    """The file `mta-sts.txt` (RFC 8461 §3.2).

    Raises:
        StsError: it does not say what it must.
    """
    if len(body) > MAX_POLICY_OCTETS:
        raise StsError(f"the policy is longer than {MAX_POLICY_OCTETS // 1024} KiB")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise StsError("the policy is not text in UTF-8") from None
    values: dict[str, str] = {}
    patterns: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if not line.strip(" \t"):
            continue
        key, colon, value = line.partition(":")
        key, value = key.strip(" \t"), value.strip(" \t")
        if not colon or not _KEY.match(key):
            raise StsError("the policy has a line that is no “key: value”")
        if key == "mx":
            patterns.append(_pattern(value))
            if len(patterns) > MAX_MX_PATTERNS:
                raise StsError(f"the policy names more than {MAX_MX_PATTERNS} mail servers")
        else:
            # RFC 8461 §3.2: of fields that come twice, the first counts.
            values.setdefault(key, value)
    if values.get("version") != "STSv1":
        raise StsError("the policy does not say “version: STSv1”")
    try:
        mode = Mode(values.get("mode", ""))
    except ValueError:
        raise StsError("the policy has no mode that is enforce, testing or none") from None
    if mode is not Mode.NONE and not patterns:
        raise StsError("the policy names no mail server")
    return StsPolicy(mode=mode, mx=tuple(dict.fromkeys(patterns)), max_age_s=_max_age(values))


def _pattern(value: str) -> str:
    if len(value) > 255 or not _PATTERN.match(value):
        raise StsError("the policy names a mail server by what is no host name")
    return value.lower().rstrip(".")


def _max_age(values: dict[str, str]) -> int:
    text = values.get("max_age", "")
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise StsError("the policy does not say for how many seconds it holds (max_age)")
    return min(int(text), MAX_AGE_S)
