"""Keys and signed messages for tests."""

from pathlib import Path

from backend.config.dkim import Algorithm
from backend.config.secrets import SecretStore
from backend.core.clock import FakeClock
from backend.mailauth.keys import Key, KeyStore, record_name, record_text
from backend.mailauth.signature import Signer, body_hash, prepare, select_fields
from backend.message.headers import split_header

MESSAGE = (
    b"Received: from laptop by mail.example.org; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    b"From: Anna <anna@example.org>\r\nTo: Bo <bo@b.test>,\r\n\tCy <cy@c.test>\r\n"
    b"Subject:  Lunch \t on  Friday\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    b"Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
    b"\r\nHello  Bo, \r\n\r\nsee you \t\r\n\r\n\r\n"
)


def key_store(folder: Path, clock=None) -> KeyStore:
    secrets = SecretStore(folder)
    secrets.open()
    return KeyStore(secrets, clock or FakeClock())


def a_key(folder: Path, selector: str, algorithm: Algorithm, domain: str = "example.org") -> Key:
    store = key_store(folder)
    store.make(domain, selector, algorithm)
    return store.load(domain, selector)


def signed(
    key: Key,
    message: bytes = MESSAGE,
    *,
    domain: str = "example.org",
    selector: str = "2023a",
    localpart: str = "anna",
    at: float = 1_700_000_000,
) -> bytes:
    """The message with a signature before it."""
    header, body = split_header(message)
    signer = Signer(domain=domain, selector=selector, algorithm=key.algorithm, localpart=localpart)
    unsigned = prepare(signer, select_fields(header), body_hash([body]), at)
    return unsigned.field(key.private.sign(unsigned.digest)) + message


def records(key: Key, domain: str = "example.org", selector: str = "2023a") -> dict[str, str]:
    return {record_name(domain, selector): record_text(key)}
