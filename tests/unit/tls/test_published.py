"""What the DNS should say of the certificate."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from backend.tls.authority import ensure_certificate
from backend.tls.published import Published, read_published

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def key_hash(certificate):
    public = certificate.public_key()
    return hashlib.sha256(
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def test_of_our_own_authority_it_is_the_authority_s_key_which_stays(tmp_path):
    files = ensure_certificate(tmp_path, ["mail.example.org"], NOW)
    first = read_published(files.certificate, own_authority=True)
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    assert first == Published(f"2 1 1 {key_hash(authority)}")
    ensure_certificate(tmp_path, ["mail.example.org", "example.org"], NOW)  # a new certificate
    assert read_published(files.certificate, own_authority=True) == first


@pytest.mark.parametrize(
    ("organisation", "issuer"),
    [("Let's Encrypt", "letsencrypt.org"), ("Unheard of", ""), (None, "")],
)
def test_of_a_given_certificate_it_is_its_own_key_and_its_issuer(tmp_path, organisation, issuer):
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, "R1")]
    if organisation:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.org")]))
        .issuer_name(x509.Name(attributes))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "chain.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    found = read_published(file, own_authority=False)
    assert found == Published(f"3 1 1 {key_hash(certificate)}", issuer)


def test_of_a_file_that_can_not_be_read_nothing_is_said(tmp_path):
    assert read_published(tmp_path / "none", own_authority=False) == Published()
    (tmp_path / "x").write_text("x")
    assert read_published(tmp_path / "x", own_authority=True) == Published()
