"""Do TLSA records vouch for a server's certificate? (RFC 6698, RFC 7671, RFC 7672 §3; values in, values out)

The records come from an authenticated DNS answer; nothing here asks or judges that. Some milliseconds of arithmetic: for a
thread.
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from backend.dns.answers import Tlsa

DANE_TA, DANE_EE = 2, 3
MAX_CHAIN = 10  # certificates of a server that are looked at, a security limit
MAX_RECORDS = 30  # TLSA records that are looked at, a security limit

_DIGEST_OCTETS = {1: 32, 2: 64}
_KNOWN_CRITICAL = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
}


class DaneError(Exception):
    """The records do not vouch for the server; the text is a phrase for people. `reason`: a short code for reports."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


def usable(records: Sequence[Tlsa]) -> tuple[Tlsa, ...]:
    """Those that mail may use: RFC 7672 §3.1.3 leaves out the usages that need public authorities (0 and 1)."""
    return tuple(record for record in records[:MAX_RECORDS] if _is_usable(record))


def as_text(record: Tlsa) -> str:
    return f"{record.usage} {record.selector} {record.matching} {record.data.hex()}"


def check(
    records: Sequence[Tlsa], chain: Sequence[bytes], names: Sequence[str], now: datetime
) -> None:
    """`records` are usable ones, `chain` the server's certificates as DER, its own first, `names` the reference identifiers.

    Raises:
        DaneError: no record vouches for the server.
    """
    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain[:MAX_CHAIN]]
    except ValueError:
        raise DaneError("its certificate can't be read", "certificate-unreadable") from None
    if not certificates:
        raise DaneError("it showed no certificate", "no-certificate")
    # RFC 7672 §3.1.1: the record binds the key to the name by itself; neither name nor dates of the certificate count.
    if any(r.usage == DANE_EE and _matches(r, certificates[0]) for r in records):
        return
    anchors = [record for record in records if record.usage == DANE_TA]
    if not anchors:
        raise DaneError(
            "its certificate is not the one that the TLSA records in the DNS name", "tlsa-mismatch"
        )
    _check_anchored(anchors, certificates, names, now)


def _check_anchored(
    anchors: Sequence[Tlsa],
    shown: Sequence[x509.Certificate],
    names: Sequence[str],
    now: datetime,
) -> None:
    """Usage 2: from the server's certificate up to one that a record names, each signed by the next."""
    path = [shown[0]]
    given = [*shown[1:], *_whole_certificates(anchors)]
    while not any(_matches(record, path[-1]) for record in anchors):
        # RFC 7671 §5.2: the chain holds the anchor; a server may show the others in any order.
        issuer = next((c for c in given if c not in path and _is_issued_by(path[-1], c)), None)
        if issuer is None or len(path) > MAX_CHAIN:
            raise DaneError(
                "its certificate does not come from an authority that the TLSA records in the DNS name",
                "tlsa-mismatch",
            )
        path.append(issuer)
    for depth, certificate in enumerate(path):
        _check_certificate(certificate, depth, now)
    if not any(_is_named(path[0], name) for name in names):
        raise DaneError(
            f"its certificate is for another name than {names[0]}", "certificate-host-mismatch"
        )


def _check_certificate(certificate: x509.Certificate, depth: int, now: datetime) -> None:
    """RFC 5280 §6.1, as far as it concerns one certificate of the path; `depth` 0 is the server's own."""
    if now > certificate.not_valid_after_utc:
        raise DaneError("its certificate has expired", "certificate-expired")
    if now < certificate.not_valid_before_utc:
        raise DaneError("its certificate is not valid yet", "certificate-expired")
    invalid = DaneError("its certificate chain is not valid", "certificate-invalid")
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension):
        raise invalid from None
    if any(e.critical and e.oid not in _KNOWN_CRITICAL for e in extensions):
        raise invalid
    usage = next((e.value for e in extensions if isinstance(e.value, x509.KeyUsage)), None)
    if depth == 0:
        purposes = next(
            (e.value for e in extensions if isinstance(e.value, x509.ExtendedKeyUsage)), None
        )
        accepted = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
        if purposes is not None and not accepted & set(purposes):
            raise invalid
        return
    limits = next((e.value for e in extensions if isinstance(e.value, x509.BasicConstraints)), None)
    if limits is None or not limits.ca or (usage is not None and not usage.key_cert_sign):
        raise invalid
    # The server's own certificate does not count (RFC 5280 §4.2.1.9).
    if limits.path_length is not None and depth - 1 > limits.path_length:
        raise invalid


def _is_usable(record: Tlsa) -> bool:
    if record.usage not in {DANE_TA, DANE_EE} or record.selector not in {0, 1}:
        return False
    if record.matching == 0:
        return bool(record.data)
    return len(record.data) == _DIGEST_OCTETS.get(record.matching, -1)


def _matches(record: Tlsa, certificate: x509.Certificate) -> bool:
    try:
        data = (
            certificate.public_bytes(Encoding.DER)
            if record.selector == 0
            else certificate.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            )
        )
    except (ValueError, UnsupportedAlgorithm):
        return False
    if record.matching == 1:
        data = hashlib.sha256(data).digest()
    elif record.matching == 2:
        data = hashlib.sha512(data).digest()
    return hmac.compare_digest(data, record.data)


def _whole_certificates(records: Sequence[Tlsa]) -> list[x509.Certificate]:
    """RFC 7671 §5.2.2: an anchor that stands whole in the DNS need not be shown by the server."""
    found = []
    for record in records:
        if record.selector == 0 and record.matching == 0:
            try:
                found.append(x509.load_der_x509_certificate(record.data))
            except ValueError:
                continue
    return found


def _is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_named(certificate: x509.Certificate, name: str) -> bool:
    """RFC 6125 §6.4: a wildcard only as the whole first label."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError, x509.DuplicateExtension):
        return False
    name = name.lower().rstrip(".")
    rest = name.partition(".")[2]
    for given in extension.value.get_values_for_type(x509.DNSName):
        pattern = given.lower().rstrip(".")
        if pattern == name or (pattern.startswith("*.") and pattern[2:] == rest and "." in rest):
            return True
    return False
