"""The keys and the MACs of the line: DES and two-key triple DES, as the field still has them.

``CUP-ECB`` (UnionPay's POS rules, MAC): XOR of all blocks, twice encrypted as hexadecimal text.
ANSI X9.19 (ISO 9797-1, algorithm 3, padding 1) for channels that ask for it.
Neither keys nor key text ever go into an error.
"""

import hmac
from dataclasses import dataclass, field
from functools import reduce

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from protocol.errors import CallerError

_BLOCK = 8
_CHECK_BYTES = 4
_SINGLE, _DOUBLE = 8, 16
# Field 62 of a sign-on's answer: each key's bytes, in order PIN, MAC and (third) track key.
_LAYOUTS = {24: (8, 8), 40: (16, 16), 60: (16, 16, 16)}


@dataclass(frozen=True, slots=True)
class WorkingKeys:
    """A session's keys, as a sign-on hands them out. In the clear: never log or store them."""

    pin: bytes = field(repr=False)
    mac: bytes = field(repr=False)


def encrypt(key: bytes, data: bytes) -> bytes:
    """ECB over whole blocks with a key of one or two DES keys."""
    encryptor = Cipher(_algorithm(key), modes.ECB()).encryptor()  # noqa: S305  # the flavour's own
    return encryptor.update(data) + encryptor.finalize()


def decrypt(key: bytes, data: bytes) -> bytes:
    """The reverse of ``encrypt``."""
    decryptor = Cipher(_algorithm(key), modes.ECB()).decryptor()  # noqa: S305
    return decryptor.update(data) + decryptor.finalize()


def check_value(key: bytes) -> bytes:
    """What proves a key without showing it: the first four bytes of encrypted zeros."""
    return encrypt(key, bytes(_BLOCK))[:_CHECK_BYTES]


def mac_cup_ecb(key: bytes, block: bytes) -> bytes:
    """UnionPay's MAC over a message from its type to field 63: eight ASCII characters."""
    folded = reduce(_xor, _blocks(block), bytes(_BLOCK)).hex().upper().encode()
    first = encrypt(key, folded[:_BLOCK])
    second = encrypt(key, _xor(first, folded[_BLOCK:]))
    return second.hex().upper().encode()[:_BLOCK]


def mac_x919(key: bytes, data: bytes) -> bytes:
    """ANSI X9.19's MAC, eight bytes: CBC under the left half, the last block under both."""
    left, right = key[:_SINGLE], key[_SINGLE:]
    last = reduce(lambda chained, block: encrypt(left, _xor(chained, block)), _blocks(data),
                  bytes(_BLOCK))  # fmt: skip
    return encrypt(left, decrypt(right, last))


def is_mac(expected: bytes, found: bytes) -> bool:
    """Whether two MACs are the same, told in constant time."""
    return hmac.compare_digest(expected, found)


def wrap_keys(master: bytes, keys: WorkingKeys) -> bytes:
    """Field 62 of a sign-on's answer: each key under the terminal's master key, and its check."""
    return b"".join(encrypt(master, key) + check_value(key) for key in (keys.pin, keys.mac))


def unwrap_keys(master: bytes, wrapped: bytes) -> WorkingKeys:
    """The keys of a sign-on's answer; ``frame_rejected`` for another length or a wrong check."""
    layout = _LAYOUTS.get(len(wrapped))
    if layout is None:
        raise CallerError("frame_rejected", f"field 62: {len(wrapped)} bytes of keys")
    keys, start = [], 0
    for length in layout:
        key = decrypt(master, wrapped[start : start + length])
        start += length + _CHECK_BYTES
        if not is_mac(check_value(key), wrapped[start - _CHECK_BYTES : start]):
            raise CallerError("frame_rejected", "field 62: a key's check value")
        keys.append(key)
    return WorkingKeys(keys[0], keys[1])


def _algorithm(key: bytes) -> TripleDES:
    # DES alone is triple DES with three equal keys.
    assert len(key) in {_SINGLE, _DOUBLE}
    return TripleDES(key * 3 if len(key) == _SINGLE else key + key[:_SINGLE])


def _blocks(data: bytes) -> list[bytes]:
    padded = data + bytes(-len(data) % _BLOCK)
    return [padded[start : start + _BLOCK] for start in range(0, len(padded), _BLOCK)]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
