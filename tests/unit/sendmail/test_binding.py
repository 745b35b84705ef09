"""The channel binding that sendmail reads from a certificate is the one that a whole library finds."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sendmail.binding import server_end_point
from backend.tls import binding

RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())


def certificate(key, algorithm) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.a.test")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    return builder.sign(key, algorithm).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
@pytest.mark.parametrize(
    "algorithm", [hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]
)
def test_it_is_the_hash_of_the_certificate_s_own_signature(key, algorithm):
    der = certificate(key, algorithm)
    found = server_end_point(der)
    assert found is not None
    assert found == binding.server_end_point(der)


def test_where_none_is_defined_there_is_none():
    der = certificate(ed25519.Ed25519PrivateKey.generate(), None)
    assert server_end_point(der) is None
    assert binding.server_end_point(der) is None


@settings(max_examples=100)
@given(data=st.binary(max_size=40), cut=st.integers(0, 1200))
def test_what_is_no_certificate_does_no_harm(data, cut):
    server_end_point(data)
    server_end_point(b"\x30" + data)
    whole = certificate(EC, hashes.SHA256())
    assert server_end_point(whole[: min(cut, len(whole) - 1)]) is None
