"""Wrapped keys: for their receiver only, whole or not at all."""

import pytest
from gmssl.sm2 import CryptSM2
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.crypto.keys import generate
from protocol.crypto.wrapping import unwrap, wrap
from protocol.errors import CallerError

SECRET = bytes(range(16))


@pytest.mark.parametrize("suite", ["SM2-SM3", "ES256"])
def test_a_wrapped_secret_opens_for_its_receiver_only(suite: str) -> None:
    mine, other = generate(suite), generate(suite)
    wrapped = wrap(SECRET, mine.public)
    assert unwrap(wrapped, mine) == SECRET
    assert wrap(SECRET, mine.public) != wrapped
    with pytest.raises(CallerError) as caught:
        unwrap(wrapped, other)
    assert caught.value.code == "key_unsealable"


@pytest.mark.parametrize("suite", ["SM2-SM3", "ES256"])
@given(at=st.integers(0, 200), flip=st.integers(1, 255))
@settings(max_examples=40)
def test_a_damaged_secret_does_not_open(suite: str, at: int, flip: int) -> None:
    key = generate(suite)
    wrapped = bytearray(wrap(SECRET, key.public))
    wrapped[at % len(wrapped)] ^= flip
    with pytest.raises(CallerError):
        unwrap(bytes(wrapped), key)


@pytest.mark.parametrize("noise", [b"", b"\x30\x00", bytes(65), bytes(120), bytes(1000)])
@pytest.mark.parametrize("suite", ["SM2-SM3", "ES256"])
def test_noise_does_not_open(suite: str, noise: bytes) -> None:
    with pytest.raises(CallerError):
        unwrap(noise, generate(suite))


def test_a_suite_that_only_signs_wraps_nothing() -> None:
    key = generate("Ed25519")
    with pytest.raises(CallerError):
        wrap(SECRET, key.public)
    with pytest.raises(CallerError):
        unwrap(b"x", key)


@pytest.mark.parametrize("secret", [b"", bytes(65)])
def test_only_short_secrets_are_wrapped(secret: bytes) -> None:
    with pytest.raises(CallerError):
        wrap(secret, generate().public)


def test_an_independent_implementation_opens_what_sm2_wrapped() -> None:
    key = generate("SM2-SM3")
    x, y, digest, body = _sm2_parts(wrap(SECRET, key.public))
    engine = CryptSM2(private_key=key.private_bytes().hex(), public_key="", mode=1)
    assert engine.decrypt(x + y + digest + body) == SECRET


def _sm2_parts(der: bytes) -> list[bytes]:
    """x, y, C3, C2 of GM/T 0009 §7.2."""
    assert der[0] == 0x30
    at, parts = 2, []
    for width in (32, 32, 0, 0):
        length = der[at + 1]
        part = der[at + 2 : at + 2 + length]
        parts.append(part[-32:].rjust(32, b"\x00") if width else part)
        at += 2 + length
    assert at == len(der)
    return parts
