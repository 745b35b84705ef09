"""HMAC-MD5 from stored states (RFC 1321, RFC 2104 §4), so that a server of CRAM-MD5 need not keep passwords.

`hashlib` can't take up a hash in the middle, hence the compression function here.
"""

import hashlib
import math
import struct

_INITIAL = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_SINES = tuple(int(abs(math.sin(i + 1)) * 2**32) & 0xFFFFFFFF for i in range(64))
_SHIFTS = (7, 12, 17, 22) * 4 + (5, 9, 14, 20) * 4 + (4, 11, 16, 23) * 4 + (6, 10, 15, 21) * 4
_BLOCK = 64
_MASK = 0xFFFFFFFF

State = tuple[int, int, int, int]


def compress(state: State, block: bytes) -> State:
    """RFC 1321 §3.4: one block of 64 bytes into the state."""
    words = struct.unpack("<16I", block)
    a, b, c, d = state
    for i in range(64):
        if i < 16:
            mixed, word = (b & c) | (~b & d), i
        elif i < 32:
            mixed, word = (d & b) | (~d & c), (5 * i + 1) % 16
        elif i < 48:
            mixed, word = b ^ c ^ d, (3 * i + 5) % 16
        else:
            mixed, word = c ^ (b | (~d & _MASK)), (7 * i) % 16
        total = (a + mixed + _SINES[i] + words[word]) & _MASK
        shift = _SHIFTS[i]
        rotated = ((total << shift) | (total >> (32 - shift))) & _MASK
        a, d, c, b = d, c, b, (b + rotated) & _MASK
    return (
        (state[0] + a) & _MASK,
        (state[1] + b) & _MASK,
        (state[2] + c) & _MASK,
        (state[3] + d) & _MASK,
    )


def finish(state: bytes, message: bytes) -> bytes:
    """The digest of one block (already in `state`) followed by `message`."""
    current: State = struct.unpack("<4I", state)
    length = _BLOCK + len(message)
    padded = message + b"\x80" + b"\0" * ((55 - length) % 64) + struct.pack("<Q", length * 8)
    for start in range(0, len(padded), _BLOCK):
        current = compress(current, padded[start : start + _BLOCK])
    return struct.pack("<4I", *current)


def hmac_states(key: bytes) -> tuple[bytes, bytes]:
    """What to keep of a key: the states after HMAC's inner and outer key block."""
    if len(key) > _BLOCK:
        key = hashlib.md5(key, usedforsecurity=False).digest()
    key = key.ljust(_BLOCK, b"\0")
    inner = compress(_INITIAL, bytes(byte ^ 0x36 for byte in key))
    outer = compress(_INITIAL, bytes(byte ^ 0x5C for byte in key))
    return struct.pack("<4I", *inner), struct.pack("<4I", *outer)


def hmac_from_states(inner: bytes, outer: bytes, message: bytes) -> bytes:
    return finish(outer, finish(inner, message))
