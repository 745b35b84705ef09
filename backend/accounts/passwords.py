"""What is kept of an account's password, and how one is checked, made and judged.

Kept with the secrets as `accounts/<id>/password`: an argon2id hash for passwords that are sent, verifiers for SCRAM, and
the HMAC-MD5 states that CRAM-MD5 needs. The password follows from none of them. (The MD5 states are the weakest of
the three for whoever steals the folder; long passwords are what helps, hence the rule on their length.)
"""

import base64
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.config.secrets import SecretStore
from backend.core.errors import UserError
from backend.core.ids import AccountId
from backend.core.problems import Problem
from backend.observe import log as logs
from backend.runtime.threads import Pool, run_blocking
from backend.sasl.md5 import hmac_states
from backend.sasl.saslprep import PrepError, prepared, saslprep
from backend.sasl.scram import HASHES, derive
from backend.sasl.steps import CramCredentials, ScramCredentials

log = logs.get(__name__)

MIN_PASSWORD_CHARS = 12
MAX_PASSWORD_BYTES = 1024  # a security limit
SCRAM_ITERATIONS = 15_000
MAX_KEPT = 10_000  # credentials and checks kept in memory, a security limit
_SALT_BYTES = 16
# Without what looks alike (0 O, 1 l I) and without characters that need care in URLs or shells.
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

# RFC 9106 suggests more memory, OWASP this much as the least: 20 ms and 19 MiB suit a small computer at home.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


@dataclass(frozen=True, slots=True)
class Credentials:
    """All that is kept of one password."""

    argon2: str = field(repr=False)
    scram: dict[str, ScramCredentials] = field(repr=False)
    cram: CramCredentials = field(repr=False)


def generate_password() -> str:
    """Twenty letters and digits in groups, 100 bits: easy to read out, too many to guess."""
    groups = ["".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4)]
    return "-".join(groups)


def check_password_rules(password: str, *, practice: bool = False) -> Problem | None:
    """What is wrong with a password that a person chose; in practice mode any that is not empty will do."""
    fix = "Choose a longer one, for example four or five words, or let one be generated."
    if not password or len(password.encode("utf-8", "surrogatepass")) > MAX_PASSWORD_BYTES:
        return Problem(
            code="password.length",
            path="/password",
            message=f"A password has at least one and at most {MAX_PASSWORD_BYTES} characters.",
            fix=fix,
        )
    if practice:
        return None
    if len(password) < MIN_PASSWORD_CHARS:
        return Problem(
            code="password.short",
            path="/password",
            message=f"The password has fewer than {MIN_PASSWORD_CHARS} characters.",
            fix=fix,
        )
    if len(set(password)) < 5:
        return Problem(
            code="password.simple",
            path="/password",
            message="The password repeats too few different characters.",
            fix=fix,
        )
    try:
        saslprep(password, stored=True)
    except PrepError as error:
        return Problem(
            code="password.characters",
            path="/password",
            message=f"The password can't be used: {error}.",
            fix="Leave that character out.",
        )
    return None


def make_credentials(password: str) -> Credentials:
    """Takes some 40 ms: for a thread."""
    raw = prepared(password)
    salts = {name: secrets.token_bytes(_SALT_BYTES) for name in HASHES}
    inner, outer = hmac_states(raw)
    return Credentials(
        argon2=_hasher.hash(raw),
        scram={n: derive(n, password, salt, SCRAM_ITERATIONS) for n, salt in salts.items()},
        cram=CramCredentials(inner, outer),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _to_secret(credentials: Credentials) -> dict[str, object]:
    return {
        "version": 1,
        "argon2": credentials.argon2,
        "scram": {
            name: {
                "salt": _text(kept.salt),
                "iterations": kept.iterations,
                "stored_key": _text(kept.stored_key),
                "server_key": _text(kept.server_key),
            }
            for name, kept in credentials.scram.items()
        },
        "cram_md5": {
            "inner": _text(credentials.cram.inner),
            "outer": _text(credentials.cram.outer),
        },
    }


def _damaged() -> ValueError:
    return ValueError("a stored password is damaged")


class _Reader:
    """Typed look into a JSON object; a missing or odd member is a damaged secret."""

    def __init__(self, value: object) -> None:
        if not isinstance(value, dict):
            raise _damaged()
        self._value = value

    def part(self, key: str) -> "_Reader":
        return _Reader(self._value.get(key))

    def text(self, key: str) -> str:
        value = self._value.get(key)
        if not isinstance(value, str):
            raise _damaged()
        return value

    def data(self, key: str) -> bytes:
        return base64.b64decode(self.text(key), validate=True)

    def number(self, key: str) -> int:
        value = self._value.get(key)
        if not isinstance(value, int):
            raise _damaged()
        return value


def _from_secret(value: dict[str, object]) -> Credentials:
    root = _Reader(value)
    scram = {}
    for name in HASHES:
        kept = root.part("scram").part(name)
        scram[name] = ScramCredentials(
            kept.data("salt"),
            kept.number("iterations"),
            kept.data("stored_key"),
            kept.data("server_key"),
        )
    cram = root.part("cram_md5")
    return Credentials(
        root.text("argon2"), scram, CramCredentials(cram.data("inner"), cram.data("outer"))
    )


def _name(account: AccountId) -> str:
    return f"accounts/{account}/password"


def _verify(stored: str, password: bytes) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


class Passwords:
    """The passwords of all accounts. For an unknown account each method does the same work on made-up credentials."""

    def __init__(self, store: SecretStore) -> None:
        self._store = store
        self.on_changed: Callable[[AccountId], None] | None = None
        """Told of an account whose password is another one now: what was signed in with the old one must end."""
        self._kept: OrderedDict[AccountId, Credentials] = OrderedDict()
        # A mail app signs in many times a day: a password that was right before is recognised by a keyed hash in
        # memory, with a key that lives as long as this process.
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[AccountId, bytes] = OrderedDict()
        self._dummy_secret = b""
        self._dummy: Credentials | None = None

    async def open(self) -> None:
        """Makes the made-up credentials for unknown names."""
        self._dummy_secret = await run_blocking(Pool.FILES, self._load_dummy_secret)
        self._dummy = await run_blocking(Pool.CRYPTO, make_credentials, generate_password())

    def _load_dummy_secret(self) -> bytes:
        try:
            secret = self._store.get("server/dummy-salt")
            if secret is not None:
                return str(secret["key"]).encode()
        except (ValueError, KeyError) as error:
            log.warning("salt for unknown names is damaged, made anew", reason=str(error))
        key = secrets.token_hex(32)
        self._store.set("server/dummy-salt", {"key": key})
        return key.encode()

    async def set(self, account: AccountId, password: str) -> None:
        """Durable on return. Rules are the caller's (`check_password_rules`)."""
        credentials = await run_blocking(Pool.CRYPTO, make_credentials, password)
        await run_blocking(Pool.FILES, self._store.set, _name(account), _to_secret(credentials))
        self._forget(account)
        if self.on_changed is not None:
            self.on_changed(account)

    async def remove(self, account: AccountId) -> None:
        await run_blocking(Pool.FILES, self._store.delete, _name(account))
        self._forget(account)

    def _forget(self, account: AccountId) -> None:
        self._kept.pop(account, None)
        self._right.pop(account, None)

    def has_password(self, account: AccountId) -> bool:
        return self._find(account) is not None

    def _find(self, account: AccountId | None) -> Credentials | None:
        if account is None:
            return None
        kept = self._kept.get(account)
        if kept is None:
            try:
                stored = self._store.get(_name(account))
                if stored is None:
                    return None
                kept = _from_secret(stored)
            except ValueError as error:
                raise UserError(
                    Problem(
                        code="password.damaged",
                        subject=account,
                        message=f"The stored password of “{account}” is damaged.",
                        fix=f"Set a new one: gatepost account password {account}",
                    )
                ) from error
            self._kept[account] = kept
            if len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return kept

    def _dummy_credentials(self) -> Credentials:
        if self._dummy is None:
            raise RuntimeError("Passwords.open() was not awaited")
        return self._dummy

    async def check(self, account: AccountId | None, password: str) -> bool:
        """Whether it is the account's password."""
        raw = prepared(password)
        known = self._find(account)
        if account is not None and known is not None:
            mark = hmac.digest(self._key, known.argon2.encode() + b"\0" + raw, "sha256")
            if hmac.compare_digest(self._right.get(account, b""), mark):
                return True
            if await run_blocking(Pool.CRYPTO, _verify, known.argon2, raw):
                self._right[account] = mark
                if len(self._right) > MAX_KEPT:
                    self._right.popitem(last=False)
                return True
            return False
        await run_blocking(Pool.CRYPTO, _verify, self._dummy_credentials().argon2, raw)
        return False

    def scram(self, account: AccountId | None, login: str, mechanism: str) -> ScramCredentials:
        """For an unknown name a salt that stays the same for that name, so that it can't be told from a known one."""
        known = self._find(account)
        if known is not None:
            return known.scram[mechanism]
        message = f"{mechanism}\0{login.lower()}".encode("utf-8", "surrogatepass")
        salt = hmac.digest(self._dummy_secret, message, "sha256")[:_SALT_BYTES]
        size = hashlib.new(HASHES[mechanism]).digest_size
        return ScramCredentials(
            salt, SCRAM_ITERATIONS, secrets.token_bytes(size), secrets.token_bytes(size)
        )

    def cram(self, account: AccountId | None) -> CramCredentials:
        known = self._find(account)
        if known is not None:
            return known.cram
        return CramCredentials(secrets.token_bytes(16), secrets.token_bytes(16))
