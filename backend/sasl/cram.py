"""CRAM-MD5, both sides (RFC 2195)."""

import hmac
import re

from backend.sasl.md5 import hmac_from_states
from backend.sasl.saslprep import PrepError, prepared, saslprep
from backend.sasl.steps import (
    MAX_RESPONSE_BYTES,
    Challenge,
    CramCredentials,
    Failure,
    NeedCredentials,
    SaslError,
    Step,
    Success,
    Supplied,
)

_DIGEST = re.compile(r"[0-9a-fA-F]{32}")


class CramServer:
    name = "CRAM-MD5"

    def __init__(self, challenge: bytes) -> None:
        """`challenge`: fresh and unpredictable, in the form `<digits.digits@host>`."""
        self._challenge = challenge
        self._login = ""
        self._digest = ""

    def start(self, initial: bytes | None) -> Step:
        # RFC 2195 §2: the server speaks first; an initial response has no place here.
        if initial:
            return Failure("CRAM-MD5 has no initial response", malformed=True)
        return Challenge(self._challenge)

    def step(self, response: bytes) -> Step:
        if len(response) > MAX_RESPONSE_BYTES:
            return Failure("response is too long", malformed=True)
        try:
            login, space, digest = response.decode("utf-8").rpartition(" ")
            self._login = saslprep(login)
        except (UnicodeDecodeError, PrepError):
            return Failure("CRAM-MD5 response is no valid text", malformed=True)
        if not space or not login or _DIGEST.fullmatch(digest) is None:
            return Failure("CRAM-MD5 response is malformed", malformed=True)
        self._digest = digest.lower()
        return NeedCredentials(self._login)

    def supply(self, supplied: Supplied) -> Step:
        if not isinstance(supplied, CramCredentials):
            raise TypeError("CRAM-MD5 needs CramCredentials")
        expected = hmac_from_states(supplied.inner, supplied.outer, self._challenge).hex()
        if not hmac.compare_digest(expected, self._digest):
            return Failure("wrong password", self._login)
        return Success(self._login)


class CramClient:
    name = "CRAM-MD5"

    def __init__(self, login: str, password: str) -> None:
        self._login = login
        self._password = prepared(password)
        self._answered = False

    def start(self) -> bytes | None:
        return None

    @property
    def is_complete(self) -> bool:
        return self._answered

    def step(self, challenge: bytes, /) -> bytes:
        if self._answered:
            raise SaslError("CRAM-MD5 has one challenge only")
        self._answered = True
        digest = hmac.digest(self._password, challenge, "md5").hex()
        return f"{self._login} {digest}".encode()
