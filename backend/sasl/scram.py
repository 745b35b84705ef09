"""SCRAM-SHA-1 and SCRAM-SHA-256 with and without channel binding, both sides (RFC 5802, RFC 7677).

Nonces are given by the caller, and so is the binding: the octets of `tls-server-end-point` (RFC 5929 §4), the only type
that we know. With it, someone between the two sides who has a certificate of his own is noticed: also when he took the
-PLUS mechanisms out of the server's list, for both sides say under the proof what they could have done.
"""

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass

from backend.sasl.saslprep import PrepError, prepared, saslprep
from backend.sasl.steps import (
    MAX_RESPONSE_BYTES,
    Challenge,
    Failure,
    NeedCredentials,
    SaslError,
    ScramCredentials,
    Step,
    Success,
    Supplied,
)

HASHES = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256"}
PLUS = "-PLUS"
BINDING_TYPE = "tls-server-end-point"
MIN_ITERATIONS = 4096  # RFC 5802 §5.1, RFC 7677 §4
MAX_ITERATIONS = 1_000_000  # a server must not make us compute for minutes, a security limit

_SERVER_ERRORS = {
    "server-does-support-channel-binding": "the server can do better: its list of mechanisms was changed on the way,"
    " perhaps by someone who listens",
    "channel-bindings-dont-match": "the server has another certificate than the one that was shown here: someone"
    " may be listening in between",
}
# RFC 5802 §7: printable = %x21-2B / %x2D-7E
_NONCE = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,256}")


def _hmac(hash_name: str, key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hash_name)


def without_plus(mechanism: str) -> str:
    """The name under which credentials are kept: they are the same with and without binding."""
    return mechanism.removesuffix(PLUS)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise SaslError("bad base64 in a SCRAM message") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def derive(mechanism: str, password: str, salt: bytes, iterations: int) -> ScramCredentials:
    """RFC 5802 §3: what the server keeps. Takes some milliseconds."""
    name = HASHES[without_plus(mechanism)]
    salted = hashlib.pbkdf2_hmac(name, prepared(password), salt, iterations)
    stored_key = hashlib.new(name, _hmac(name, salted, b"Client Key")).digest()
    return ScramCredentials(salt, iterations, stored_key, _hmac(name, salted, b"Server Key"))


@dataclass(frozen=True, slots=True)
class _ClientFirst:
    flag: str
    gs2: str
    authzid: str
    bare: str
    login: str
    nonce: str


def _attributes(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or len(key) != 1:
            raise SaslError("a SCRAM attribute is malformed")
        pairs.append((key, value))
    return pairs


def _unescape(name: str) -> str:
    # RFC 5802 §5.1: "=2C" is a comma, "=3D" an equals sign, any other "=" is an error.
    if re.search(r"=(?!2C|3D)", name):
        raise SaslError("a name in SCRAM is wrongly escaped")
    return name.replace("=2C", ",").replace("=3D", "=")


def _escape(name: str) -> str:
    return name.replace("=", "=3D").replace(",", "=2C")


def _parse_client_first(message: bytes) -> _ClientFirst:
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SaslError("SCRAM message is no UTF-8") from error
    parts = text.split(",", 2)
    if len(parts) != 3:
        raise SaslError("client-first-message is too short")
    flag, authz, bare = parts
    if flag not in {"n", "y"} and not flag.startswith("p="):
        raise SaslError("gs2 header is malformed")
    if authz and not authz.startswith("a="):
        raise SaslError("gs2 header is malformed")
    attributes = _attributes(bare)
    # RFC 5802 §5.1: "m=" is a mandatory extension, which we don't know.
    if len(attributes) < 2 or [key for key, _ in attributes[:2]] != ["n", "r"]:
        raise SaslError("client-first-message lacks name or nonce")
    nonce = attributes[1][1]
    if _NONCE.fullmatch(nonce) is None:
        raise SaslError("client nonce is malformed")
    try:
        login = saslprep(_unescape(attributes[0][1]))
    except PrepError as error:
        raise SaslError("name is not allowed in SASLprep") from error
    return _ClientFirst(flag, f"{flag},{authz},", _unescape(authz[2:]), bare, login, nonce)


class ScramServer:
    def __init__(self, mechanism: str, nonce: str, *, binding: bytes | None = None) -> None:
        """`nonce`: fresh and unpredictable, printable ASCII without commas. `binding`: of this connection, where the
        -PLUS mechanisms are offered on it.
        """
        if mechanism.endswith(PLUS) and binding is None:
            raise ValueError(f"{mechanism} needs a channel binding")
        self.name = mechanism
        self._hash = HASHES[without_plus(mechanism)]
        self._binding = binding
        self._nonce = nonce
        self._first: _ClientFirst | None = None
        self._server_first = ""
        self._credentials: ScramCredentials | None = None

    def start(self, initial: bytes | None) -> Step:
        return Challenge(b"") if initial is None else self.step(initial)

    def step(self, response: bytes) -> Step:
        login = self._first.login if self._first else ""
        if len(response) > MAX_RESPONSE_BYTES:
            return Failure("response is too long", login, malformed=True)
        try:
            if self._first is None:
                first = _parse_client_first(response)
                self._check_binding(first.flag)
                self._first = first
                return NeedCredentials(first.login)
            return self._check_final(self._first, response)
        except SaslError as error:
            return Failure(str(error), login, malformed=True)

    def _check_binding(self, flag: str) -> None:
        if self.name.endswith(PLUS):
            if flag != f"p={BINDING_TYPE}":
                raise SaslError(f"channel binding must be {BINDING_TYPE}")
        elif flag.startswith("p="):
            raise SaslError("channel binding belongs to the -PLUS mechanisms")
        elif flag == "y" and self._binding is not None:
            # SECURITY: RFC 5802 §6: the client could bind and was made to believe that we can't.
            raise SaslError("the list of mechanisms was tampered with on its way")

    def supply(self, supplied: Supplied) -> Step:
        if not isinstance(supplied, ScramCredentials) or self._first is None:
            raise TypeError("SCRAM needs ScramCredentials after NeedCredentials")
        self._credentials = supplied
        salt = _base64(supplied.salt)
        self._server_first = f"r={self._first.nonce}{self._nonce},s={salt},i={supplied.iterations}"
        return Challenge(self._server_first.encode())

    def _check_final(self, first: _ClientFirst, response: bytes) -> Step:
        if self._credentials is None:
            return Failure("out of order", first.login, malformed=True)
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SaslError("SCRAM message is no UTF-8") from error
        without_proof, found, proof_text = text.rpartition(",p=")
        if not found:
            raise SaslError("client-final-message lacks its proof")
        attributes = _attributes(without_proof)
        if len(attributes) < 2 or [key for key, _ in attributes[:2]] != ["c", "r"]:
            raise SaslError("client-final-message lacks binding or nonce")
        bound = self._binding if self.name.endswith(PLUS) and self._binding is not None else b""
        if not hmac.compare_digest(_unbase64(attributes[0][1]), first.gs2.encode() + bound):
            # Either the gs2 header differs from the first message, or the two sides see different certificates.
            raise SaslError("the channel binding differs")
        if not hmac.compare_digest(attributes[1][1].encode(), (first.nonce + self._nonce).encode()):
            raise SaslError("the nonce differs from the first message")
        proof = _unbase64(proof_text)
        credentials = self._credentials
        if len(proof) != len(credentials.stored_key):
            raise SaslError("the proof has a wrong length")
        auth_message = f"{first.bare},{self._server_first},{without_proof}".encode()
        signature = _hmac(self._hash, credentials.stored_key, auth_message)
        client_key = _xor(proof, signature)
        stored_key = hashlib.new(self._hash, client_key).digest()
        if not hmac.compare_digest(stored_key, credentials.stored_key):
            return Failure("wrong password", first.login)
        verifier = _hmac(self._hash, credentials.server_key, auth_message)
        return Success(first.login, first.authzid, f"v={_base64(verifier)}".encode())


class ScramClient:
    def __init__(
        self,
        mechanism: str,
        login: str,
        password: str,
        nonce: str,
        *,
        binding: bytes | None = None,
    ) -> None:
        """`binding`: of this connection, where the -PLUS mechanisms are allowed. With one of them it is used; with
        another mechanism the server is told that we would have (RFC 5802 §6).
        """
        if mechanism.endswith(PLUS) and binding is None:
            raise ValueError(f"{mechanism} needs a channel binding")
        self.name = mechanism
        self._hash = HASHES[without_plus(mechanism)]
        if mechanism.endswith(PLUS):
            self._gs2, self._bound = f"p={BINDING_TYPE},,", binding or b""
        else:
            self._gs2, self._bound = ("n,," if binding is None else "y,,"), b""
        self._password = prepared(password)
        self._nonce = nonce
        self._bare = f"n={_escape(login)},r={nonce}"
        self._expected: bytes | None = None
        self._verified = False

    def start(self) -> bytes | None:
        return f"{self._gs2}{self._bare}".encode()

    @property
    def is_complete(self) -> bool:
        return self._verified

    def step(self, challenge: bytes, /) -> bytes:
        if len(challenge) > MAX_RESPONSE_BYTES:
            raise SaslError("challenge is too long")
        try:
            text = challenge.decode("utf-8")
        except UnicodeDecodeError as error:
            raise SaslError("SCRAM message is no UTF-8") from error
        if self._expected is None:
            return self._answer(text)
        return self._verify(text)

    def _answer(self, text: str) -> bytes:
        attributes = _attributes(text)
        if len(attributes) < 3 or [key for key, _ in attributes[:3]] != ["r", "s", "i"]:
            raise SaslError("server-first-message lacks nonce, salt or iterations")
        nonce, salt, count = (value for _, value in attributes[:3])
        if not nonce.startswith(self._nonce) or len(nonce) <= len(self._nonce):
            raise SaslError("the server did not extend the nonce")
        if not count.isdecimal() or not MIN_ITERATIONS <= int(count) <= MAX_ITERATIONS:
            raise SaslError("the server asks for an unusable number of iterations")
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, _unbase64(salt), int(count))
        client_key = _hmac(self._hash, salted, b"Client Key")
        stored_key = hashlib.new(self._hash, client_key).digest()
        without_proof = f"c={_base64(self._gs2.encode() + self._bound)},r={nonce}"
        auth_message = f"{self._bare},{text},{without_proof}".encode()
        proof = _xor(client_key, _hmac(self._hash, stored_key, auth_message))
        server_key = _hmac(self._hash, salted, b"Server Key")
        self._expected = _hmac(self._hash, server_key, auth_message)
        return f"{without_proof},p={_base64(proof)}".encode()

    def _verify(self, text: str) -> bytes:
        key, value = _attributes(text)[0]
        if key == "e":
            raise SaslError(_SERVER_ERRORS.get(value, f"the server refused: {value[:100]}"))
        if (
            key != "v"
            or self._expected is None
            or not hmac.compare_digest(_unbase64(value), self._expected)
        ):
            raise SaslError("the server could not prove that it knows the password")
        self._verified = True
        return b""
