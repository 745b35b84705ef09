"""DKIM keys: made, named, kept with the secrets, and the public half as the DNS record that others look up."""

import base64
import hashlib
import string
from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from backend.config import removed
from backend.config.dkim import Algorithm
from backend.config.secrets import SecretStore
from backend.core.clock import Clock

MAX_TXT_OCTETS = 255  # RFC 1035 §3.3: one string of a TXT record
MAX_CACHED_KEYS = 256

_NAMES: dict[Algorithm, str] = {"rsa2048": "rsa-sha256", "ed25519": "ed25519-sha256"}


class SigningKey(Protocol):
    def sign(self, digest: bytes) -> bytes:
        """Of a SHA-256 hash."""


@dataclass(frozen=True, slots=True)
class _Rsa:
    key: rsa.RSAPrivateKey = field(repr=False)

    def sign(self, digest: bytes) -> bytes:
        return self.key.sign(digest, padding.PKCS1v15(), Prehashed(hashes.SHA256()))


@dataclass(frozen=True, slots=True)
class _Ed25519:
    key: ed25519.Ed25519PrivateKey = field(repr=False)

    def sign(self, digest: bytes) -> bytes:
        # RFC 8463 §3: what is signed is the hash, by the plain algorithm.
        return self.key.sign(digest)


@dataclass(frozen=True, slots=True)
class Key:
    """`algorithm` as in the `a=` of a signature; `public` as in the `p=` of the record."""

    algorithm: str
    private: SigningKey = field(repr=False)
    public: str
    made_at: float


class KeyMissingError(LookupError):
    """There is no usable key; the text says of what."""


class KeyStore:
    """Keys by domain and selector. Making and reading one belongs on a thread; `cached` does not wait."""

    def __init__(self, secrets: SecretStore, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock
        self._cache: OrderedDict[str, Key] = OrderedDict()

    def cached(self, domain: str, selector: str) -> Key | None:
        return self._cache.get(_secret_name(domain, selector))

    def load(self, domain: str, selector: str) -> Key:
        """Raises:
        KeyMissingError: there is none, or it can't be read.
        """
        name = _secret_name(domain, selector)
        try:
            found = self._secrets.get(name)
            key = None if found is None else _read(found)
        except (OSError, ValueError, LookupError) as error:
            # Without the cause's text: it may quote the key.
            raise KeyMissingError(
                f"the key of {selector}._domainkey.{domain} can't be read ({type(error).__name__})"
            ) from None
        if key is None:
            raise KeyMissingError(f"there is no key of {selector}._domainkey.{domain}")
        self._cache[name] = key
        while len(self._cache) > MAX_CACHED_KEYS:
            self._cache.popitem(last=False)
        return key

    def has(self, domain: str, selector: str) -> bool:
        name = _secret_name(domain, selector)
        return name in self._cache or self._secrets.get(name) is not None

    def make(self, domain: str, selector: str, algorithm: Algorithm) -> None:
        """A new key, durable on return; takes up to some tenths of a second of CPU."""
        private, public = _generate(algorithm)
        self._secrets.set(
            _secret_name(domain, selector),
            {
                "algorithm": algorithm,
                "private_key": private,
                "public_key": public,
                "made_at": self._clock.time(),
            },
        )
        self._cache.pop(_secret_name(domain, selector), None)

    def remove(self, domain: str, selector: str) -> None:
        """For good."""
        self._secrets.delete(_secret_name(domain, selector))
        removed.forget(self._secrets, _secret_name(domain, selector))
        self._cache.pop(_secret_name(domain, selector), None)

    def set_aside(self, domain: str, selector: str) -> bool:
        """Of a domain that was removed, and may come back. Whether there was one."""
        self._cache.pop(_secret_name(domain, selector), None)
        return removed.set_aside(
            self._secrets, _secret_name(domain, selector), now=self._clock.time()
        )

    def set_aside_others(self, domains: Collection[str]) -> None:
        """The keys of all domains but these."""
        wanted = {_folder(domain) for domain in domains}
        for name in self._secrets.list("dkim/"):
            if name.split("/")[1] not in wanted:
                removed.set_aside(self._secrets, name, now=self._clock.time())

    def bring_back(self, domain: str, selector: str) -> bool:
        """Whether it had been set aside."""
        return removed.bring_back(self._secrets, _secret_name(domain, selector))


def _generate(algorithm: Algorithm) -> tuple[str, str]:
    key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == "rsa2048":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    else:
        key = ed25519.Ed25519PrivateKey.generate()
        # RFC 8463 §4: the bare 32 octets.
        public = key.public_key().public_bytes_raw()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private.decode(), base64.b64encode(public).decode()


def _read(secret: dict[str, object]) -> Key:
    """Raises:
    ValueError, LookupError: the secret holds no key that can be used.
    """
    loaded = serialization.load_pem_private_key(str(secret["private_key"]).encode(), None)
    private: SigningKey
    algorithm: Algorithm
    if isinstance(loaded, rsa.RSAPrivateKey):
        private, algorithm = _Rsa(loaded), "rsa2048"
    elif isinstance(loaded, ed25519.Ed25519PrivateKey):
        private, algorithm = _Ed25519(loaded), "ed25519"
    else:
        raise LookupError("a kind of key that DKIM does not know")  # noqa: TRY004 — of a file, not of a caller
    made_at = secret["made_at"]
    return Key(
        algorithm=_NAMES[algorithm],
        private=private,
        public=str(secret["public_key"]),
        made_at=float(made_at) if isinstance(made_at, int | float) else 0.0,
    )


def _secret_name(domain: str, selector: str) -> str:
    return f"dkim/{_folder(domain)}/{selector}"


def _folder(domain: str) -> str:
    # A part of a secret's name holds 128 characters, a domain up to 253.
    return domain if len(domain) <= 128 else hashlib.sha256(domain.encode()).hexdigest()


def record_name(domain: str, selector: str) -> str:
    """RFC 6376 §3.6.2.1."""
    return f"{selector}._domainkey.{domain}"


def record_text(key: Key) -> str:
    """RFC 6376 §3.6.1."""
    kind = key.algorithm.partition("-")[0]
    return f"v=DKIM1; k={kind}; p={key.public}"


def txt_strings(text: str) -> tuple[str, ...]:
    """A record's text in the strings that a TXT record is made of."""
    return tuple(text[at : at + MAX_TXT_OCTETS] for at in range(0, len(text), MAX_TXT_OCTETS))


def is_record_of(text: str, key: Key) -> bool:
    """Whether a TXT record that somebody published is the key's, however they wrote it."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        tags[name.strip()] = "".join(value.split())
    kind = key.algorithm.partition("-")[0]
    return (
        tags.get("p") == key.public
        and tags.get("k", "rsa") == kind
        and tags.get("v", "DKIM1") == "DKIM1"
    )


def selector_names(year: int) -> Iterator[str]:
    """`2026a`, `2026b`, … `2026z`, `2026aa`, …"""
    for length in (1, 2):
        for letters in product(string.ascii_lowercase, repeat=length):
            yield f"{year}{''.join(letters)}"


def free_name(year: int, taken: Collection[str]) -> str:
    return next(name for name in selector_names(year) if name not in taken)
