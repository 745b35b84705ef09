"""What another server's certificate says: for whom it is, and the channel binding `tls-server-end-point`."""

import hashlib
import ssl

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from backend.tls.authority import names_of

MAX_NAMES = 5  # shown of one certificate


def server_end_point(certificate: bytes) -> bytes | None:
    """RFC 5929 §4: what SCRAM-…-PLUS puts under its proof. From the certificate as DER; None where none is defined, as
    for Ed25519.
    """
    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        return None
    if algorithm is None:
        return None
    # RFC 5929 §4.1: the hash of the certificate's own signature, but nothing weaker than SHA-256.
    name = "sha256" if algorithm.name in {"md5", "sha1"} else algorithm.name
    return hashlib.new(name, certificate).digest()


class ServingContext(ssl.SSLContext):
    """A context of this server that knows the binding of its certificate: a connection's context, which the name that
    the client asked for may have changed, says which certificate it was shown.
    """

    binding: bytes | None = None


def served_binding(connection: object) -> bytes | None:
    """`tls-server-end-point` of a connection that we serve (its `ssl_object`); None without TLS, or where none is
    defined.
    """
    if not isinstance(connection, ssl.SSLObject):
        return None
    context = connection.context
    return context.binding if isinstance(context, ServingContext) else None


def names_on(certificate: bytes) -> tuple[str, ...]:
    """The host names and addresses that it is for, at most a few."""
    try:
        names = names_of(x509.load_der_x509_certificate(certificate))
    except ValueError:
        return ()
    return tuple(sorted(names)[:MAX_NAMES])
