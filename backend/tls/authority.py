"""An own certificate authority for trying out and for the time before a public certificate: one CA, one leaf.

Made so that strict verification (Python 3.13, RFC 5280 §4.2) accepts them: key identifiers, key usage, constraints.
Blocking; for a thread.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.config.atomic import write_atomically

CA_DAYS = 3650
LEAF_DAYS = 397  # what mail apps of Apple accept at most from a CA that people installed
RENEW_BEFORE = timedelta(days=30)
_BACKDATED = timedelta(hours=1)  # clocks of other devices go wrong

CA_FILE = "ca.pem"
CA_KEY_FILE = "ca.key"
CERTIFICATE_FILE = "server.pem"
KEY_FILE = "server.key"


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """`certificate` holds the leaf and the CA behind it."""

    ca: Path
    certificate: Path
    key: Path


def local_files(folder: Path) -> LocalFiles:
    return LocalFiles(folder / CA_FILE, folder / CERTIFICATE_FILE, folder / KEY_FILE)


def ensure_certificate(folder: Path, names: Sequence[str], now: datetime) -> LocalFiles:
    """Makes or renews what is missing, is about to expire, or lacks a name.

    Raises:
        OSError: the folder can't be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = local_files(folder)
    ca, ca_key, is_new = _ensure_ca(folder, now)
    leaf = None if is_new else _read_certificate(files.certificate)
    wanted = {str(name.value) for name in _alternative_names(names)}
    if (
        leaf is None
        or (key := _read_key(files.key)) is None
        or key.public_key() != leaf.public_key()
        or leaf.not_valid_after_utc - now < RENEW_BEFORE
        or leaf.issuer != ca.subject
        or not wanted <= names_of(leaf)
    ):
        _make_leaf(files, ca, ca_key, names, now)
    return files


def names_of(certificate: x509.Certificate) -> set[str]:
    """Its DNS names and IP addresses."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in extension.value}


def _read_certificate(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_atomically(path, pem, mode=0o600)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _ensure_ca(
    folder: Path, now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey, bool]:
    certificate, key = _read_certificate(folder / CA_FILE), _read_key(folder / CA_KEY_FILE)
    if (
        certificate is not None
        and key is not None
        and certificate.public_key() == key.public_key()
        and certificate.not_valid_after_utc - now > timedelta(days=LEAF_DAYS)
    ):
        return certificate, key, False
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # The serial number in the name keeps two CAs of two data folders apart in one trust store.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gatepost"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Gatepost local CA {serial % 0xFFFFFF:06x}"),
        ]
    )
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_key(folder / CA_KEY_FILE, key)
    write_atomically(folder / CA_FILE, _pem(certificate), mode=0o644)
    return certificate, key, True


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(names: Sequence[str]) -> list[x509.DNSName | x509.IPAddress]:
    result: list[x509.DNSName | x509.IPAddress] = []
    for name in dict.fromkeys((*names, "localhost", "127.0.0.1", "::1")):
        try:
            result.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            result.append(x509.DNSName(name))
    return result


def _make_leaf(
    files: LocalFiles,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name has at most 64 characters; the names that count are the alternative ones.
    common_name = next((name for name in names if len(name) <= 64), "localhost")
    public = key.public_key()
    leaf = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(ca.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_alternative_names(names)), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()),
            critical=False,
        )
        .sign(ca_key, hashes.SHA256())
    )
    # The key first: a crash in between leaves a pair that does not match, which the next start sees and renews.
    _write_key(files.key, key)
    write_atomically(files.certificate, _pem(leaf) + _pem(ca), mode=0o644)
