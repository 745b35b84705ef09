"""The channel binding `tls-server-end-point` (RFC 5929 §4) of a certificate, without a library: sendmail starts quickly.

Of the certificate's DER only the algorithm of its signature is read: Certificate ::= SEQUENCE { tbsCertificate,
signatureAlgorithm SEQUENCE { OBJECT IDENTIFIER, … }, … } (RFC 5280 §4.1).
"""

import hashlib

_SEQUENCE, _OBJECT_IDENTIFIER = 0x30, 0x06
_HASHES = {
    "2a864886f70d010104": "sha256",  # md5WithRSAEncryption: nothing weaker than SHA-256 (RFC 5929 §4.1)
    "2a864886f70d010105": "sha256",  # sha1WithRSAEncryption
    "2a864886f70d01010b": "sha256",
    "2a864886f70d01010c": "sha384",
    "2a864886f70d01010d": "sha512",
    "2a864886f70d01010e": "sha224",
    "2a8648ce3d0401": "sha256",  # ecdsa-with-SHA1
    "2a8648ce3d040301": "sha224",
    "2a8648ce3d040302": "sha256",
    "2a8648ce3d040303": "sha384",
    "2a8648ce3d040304": "sha512",
}


def server_end_point(certificate: bytes) -> bytes | None:
    """None where none is defined, as for Ed25519, or where the certificate can't be read."""
    try:
        inside = _value(certificate, 0, _SEQUENCE)
        algorithm = _value(certificate, _end(certificate, inside[0]), _SEQUENCE)
        start, end = _value(certificate, algorithm[0], _OBJECT_IDENTIFIER)
    except (IndexError, ValueError):
        return None
    name = _HASHES.get(certificate[start:end].hex())
    return None if name is None else hashlib.new(name, certificate).digest()


def _value(data: bytes, at: int, tag: int) -> tuple[int, int]:
    """Where the value of the element at that place begins and ends."""
    if data[at] != tag:
        raise ValueError("another element was expected")
    size, start = data[at + 1], at + 2
    if size & 0x80:
        octets = size & 0x7F
        if not 1 <= octets <= 3:
            raise ValueError("no certificate is that large")
        size, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + size > len(data):
        raise ValueError("the element is cut off")
    return start, start + size


def _end(data: bytes, at: int) -> int:
    return _value(data, at, data[at])[1]
