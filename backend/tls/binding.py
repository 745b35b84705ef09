"""The channel binding `tls-server-end-point`: what SCRAM-…-PLUS puts under its proof (RFC 5929 §4)."""

import hashlib

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm


def server_end_point(certificate: bytes) -> bytes | None:
    """From the server's certificate as DER; None where none is defined, as for Ed25519."""
    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    if algorithm is None:
        return None
    # RFC 5929 §4.1: the hash of the certificate's own signature, but nothing weaker than SHA-256.
    name = "sha256" if algorithm.name in {"md5", "sha1"} else algorithm.name
    return hashlib.new(name, certificate).digest()
