"""Is a DKIM signature good? The one door to dkimpy, whose weak spots are made good here.

Its RSA in plain Python is replaced by `cryptography`; two of its patterns, which take quadratic time and more on hostile
mail, by linear ones. It is given the keys, and never asks the DNS itself. Signing is `signature`'s and `signing`'s.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import dkim
import dkim.canonicalization
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from backend.message import headers

MAX_SIGNATURES = 10  # security limit: more of one message are not looked at
MAX_FIELD_OCTETS = 16 * 1024  # security limit, of one DKIM-Signature field
MIN_RSA_BITS = 1024  # RFC 8301 §3.2


class Outcome(Enum):
    """RFC 8601 §2.7.1, as far as one signature goes."""

    PASS = "pass"  # noqa: S105 — a word of RFC 8601, no password
    FAIL = "fail"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True)
class Verified:
    """`partial`: the signature covers a beginning of the body only (`l=`); what follows may be anybody's."""

    outcome: Outcome
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    partial: bool = False
    reason: str = ""


def key_names(message: bytes) -> tuple[str, ...]:
    """The names under which the DNS has the keys of a message's signatures, for `verify`."""
    names = [f"{tags.get('s', '')}._domainkey.{tags.get('d', '')}" for tags in _signatures(message)]
    return tuple(dict.fromkeys(names))


def verify(message: bytes, keys: Mapping[str, str]) -> tuple[Verified, ...]:
    """Each signature from the top. `keys`: TXT records by name, as far as there are any. Takes some milliseconds."""
    found = _signatures(message)
    return tuple(_verify(message, index, tags, keys) for index, tags in enumerate(found))


def _signatures(message: bytes) -> list[dict[str, str]]:
    fields = headers.get_all(headers.split_header(message)[0], b"DKIM-Signature")
    return [_tags(field) for field in fields[:MAX_SIGNATURES]]


def _tags(field: bytes) -> dict[str, str]:
    tags = {}
    for part in field.decode("ascii", "replace").split(";"):
        key, equals, value = part.partition("=")
        if equals:
            tags[key.strip()] = re.sub(r"\s+", "", value)
    return tags if len(field) <= MAX_FIELD_OCTETS else {}


def _verify(
    message: bytes, index: int, tags: Mapping[str, str], keys: Mapping[str, str]
) -> Verified:
    domain, selector = tags.get("d", "").lower(), tags.get("s", "")
    record = keys.get(f"{selector}._domainkey.{tags.get('d', '')}")

    def answer(outcome: Outcome, reason: str = "") -> Verified:
        return Verified(outcome, domain, selector, tags.get("a", ""), "l" in tags, reason)

    if tags.get("a") == "rsa-sha1":
        return answer(Outcome.PERMERROR, "SHA-1 proves nothing any more")  # RFC 8301 §3.1
    if record is None:
        return answer(Outcome.PERMERROR, "there is no key for it")
    try:
        good = dkim.DKIM(message, minkey=MIN_RSA_BITS).verify(
            index, dnsfunc=lambda _, **__: record.encode()
        )
    except dkim.ValidationError as error:
        return answer(Outcome.FAIL, str(error))
    except (dkim.DKIMException, ValueError, LookupError, TypeError, AttributeError) as error:
        # dkimpy lets out whatever its parsing of strange fields and keys runs into.
        return answer(Outcome.PERMERROR, str(error))
    return answer(Outcome.PASS) if good else answer(Outcome.FAIL, "the signature is wrong")


def _verify_rsa(hash_: Any, signature: bytes, key: Mapping[str, int]) -> bool:
    public = rsa.RSAPublicNumbers(key["publicExponent"], key["modulus"]).public_key()
    try:
        public.verify(signature, hash_.digest(), padding.PKCS1v15(), Prehashed(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _strip_blanks_at_line_ends(content: bytes) -> bytes:
    return re.sub(rb"[ \t]+", b" ", content).replace(b" \r\n", b"\r\n")


dkim.RSASSA_PKCS1_v1_5_verify = _verify_rsa
dkim.canonicalization.strip_trailing_whitespace = _strip_blanks_at_line_ends
# The value of b=, which counts as empty: all up to the next semicolon.
dkim.RE_BTAG = re.compile(rb"([;\s]b\s*=)[^;]*")
