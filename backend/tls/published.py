"""What the DNS should say of our certificate: TLSA (RFC 6698) and the authority's name for CAA (RFC 8659)."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

# The organisation in an issuer's name, and the name under which it looks for itself in CAA records.
_CAA_NAMES = {
    "Let's Encrypt": "letsencrypt.org",
    "ZeroSSL": "sectigo.com",
    "Sectigo Limited": "sectigo.com",
    "Google Trust Services": "pki.goog",
    "Google Trust Services LLC": "pki.goog",
    "Buypass AS-983163327": "buypass.com",
    "DigiCert Inc": "digicert.com",
    "Actalis S.p.A.": "actalis.it",
    "HARICA": "harica.gr",
}


@dataclass(frozen=True, slots=True)
class Published:
    """Empty where nothing can be said."""

    tlsa: str = ""
    issuer: str = ""


def read_published(chain: Path, *, own_authority: bool) -> Published:
    """Blocking. `own_authority`: the chain ends in our own authority, which stays when its certificates are renewed."""
    try:
        certificates = x509.load_pem_x509_certificates(chain.read_bytes())
    except (OSError, ValueError):
        return Published()
    if own_authority:
        # RFC 7672 §3.1.2: DANE-TA, the authority's key; it must be in the chain that we show, and is.
        return Published(f"2 1 1 {_key_hash(certificates[-1])}")
    names = certificates[0].issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    issuer = _CAA_NAMES.get(str(names[0].value), "") if names else ""
    # RFC 7672 §3.1.1: DANE-EE, our own key.
    return Published(f"3 1 1 {_key_hash(certificates[0])}", issuer)


def _key_hash(certificate: x509.Certificate) -> str:
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(key).hexdigest()
