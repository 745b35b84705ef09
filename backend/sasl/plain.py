"""PLAIN (RFC 4616) and LOGIN (draft-murchison-sasl-login), both sides: the password itself travels."""

from backend.sasl.saslprep import PrepError, saslprep
from backend.sasl.steps import (
    MAX_RESPONSE_BYTES,
    Challenge,
    Failure,
    NeedPasswordCheck,
    SaslError,
    Step,
    Success,
    Supplied,
)


class PlainServer:
    name = "PLAIN"

    def __init__(self) -> None:
        self._login = ""
        self._authzid = ""

    def start(self, initial: bytes | None) -> Step:
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        # RFC 4616 §2: message = [authzid] UTF8NUL authcid UTF8NUL passwd
        parts = response.split(b"\0")
        if len(response) > MAX_RESPONSE_BYTES or len(parts) != 3 or not parts[1] or not parts[2]:
            return Failure("PLAIN message is malformed", malformed=True)
        try:
            authzid, login, password = (part.decode("utf-8") for part in parts)
            self._login, self._authzid = saslprep(login), authzid
        except (UnicodeDecodeError, PrepError):
            return Failure("PLAIN message is no valid text", malformed=True)
        return NeedPasswordCheck(self._login, password)

    def supply(self, supplied: Supplied) -> Step:
        if supplied is True:
            return Success(self._login, self._authzid)
        return Failure("wrong password", self._login)


class LoginServer:
    name = "LOGIN"

    def __init__(self) -> None:
        self._login: str | None = None

    def start(self, initial: bytes | None) -> Step:
        # INTEROP(Outlook): an initial response is the user name.
        return Challenge(b"Username:") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        if len(response) > MAX_RESPONSE_BYTES:
            return Failure("response is too long", malformed=True)
        try:
            text = response.decode("utf-8")
            if self._login is None:
                self._login = saslprep(text)
                return Challenge(b"Password:")
        except (UnicodeDecodeError, PrepError):
            return Failure("LOGIN response is no valid text", malformed=True)
        return NeedPasswordCheck(self._login, text)

    def supply(self, supplied: Supplied) -> Step:
        login = self._login or ""
        return Success(login) if supplied is True else Failure("wrong password", login)


class PlainClient:
    name = "PLAIN"

    def __init__(self, login: str, password: str) -> None:
        self._message = b"\0".join((b"", login.encode(), password.encode()))
        self._sent = False

    def start(self) -> bytes | None:
        self._sent = True
        return self._message

    @property
    def is_complete(self) -> bool:
        return self._sent

    def step(self, _challenge: bytes, /) -> bytes:
        raise SaslError("PLAIN has no challenge")


class LoginClient:
    name = "LOGIN"

    def __init__(self, login: str, password: str) -> None:
        self._answers = [login.encode(), password.encode()]

    def start(self) -> bytes | None:
        return None

    @property
    def is_complete(self) -> bool:
        return not self._answers

    def step(self, _challenge: bytes, /) -> bytes:
        # The wording of the challenges differs from server to server; their order does not.
        if not self._answers:
            raise SaslError("LOGIN has two challenges only")
        return self._answers.pop(0)
