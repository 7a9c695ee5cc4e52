"""Keys at rest."""

from ssl import RAND_bytes

import cbor2
import pytest

from protocol.crypto import SUITES, generate, seal, sealing, unseal
from protocol.errors import CallerError

PASSPHRASE = b"correct horse battery"


@pytest.mark.parametrize("suite", sorted(SUITES))
@pytest.mark.parametrize("cipher", ["AES-256-GCM", "SM4-GCM"])
def test_a_sealed_key_opens_with_its_passphrase_only(suite: str, cipher: str) -> None:
    key = generate(suite)
    sealed = seal(key, PASSPHRASE, cipher=cipher)
    assert key.private_bytes() not in sealed
    opened = unseal(sealed, PASSPHRASE)
    assert opened.public == key.public
    assert key.public.verify(opened.sign(b"m"), b"m")
    with pytest.raises(CallerError) as caught:
        unseal(sealed, PASSPHRASE + b"!")
    assert caught.value.code == "key_unsealable"


def test_sealing_twice_gives_other_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "RAND_bytes", RAND_bytes)  # the suite seals with one salt
    key = generate("Ed25519")
    (header, nonce, body), other = (cbor2.loads(seal(key, PASSPHRASE)) for _ in range(2))
    assert nonce != other[1]
    assert body != other[2]
    salt, others_salt = (cbor2.loads(one)[7] for one in (header, other[0]))
    assert salt != others_salt


def test_damage_anywhere_is_refused() -> None:
    sealed = seal(generate("Ed25519"), PASSPHRASE)
    for at in range(0, len(sealed), 9):
        damaged = bytearray(sealed)
        damaged[at] ^= 0x01
        with pytest.raises(CallerError):
            unseal(bytes(damaged), PASSPHRASE)
    for other in (b"", sealed[:-1], sealed + b"\x00" * 5000, cbor2.dumps([1, 2, 3]), b"\xff"):
        with pytest.raises(CallerError):
            unseal(other, PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [
        {1: 2}, {1: True}, {2: "none"}, {2: ["ES256"]}, {3: "ROT13"}, {3: ["AES-256-GCM"]}, {3: {}},
        {4: 60}, {4: 1}, {4: True}, {5: 99}, {7: "salt"}, {7: cbor2.CBORTag(35, "(a+)+b")},
    ],
)  # fmt: skip
def test_parameters_outside_the_bounds_are_refused(change: dict[int, object]) -> None:
    header, nonce, body = cbor2.loads(seal(generate("Ed25519"), PASSPHRASE))
    changed = cbor2.dumps({**cbor2.loads(header), **change})
    with pytest.raises(CallerError):
        unseal(cbor2.dumps([changed, nonce, body]), PASSPHRASE)


@pytest.mark.parametrize("passphrase", [b"", b"short", b"x" * 2000])
def test_a_passphrase_must_be_worth_its_name(passphrase: bytes) -> None:
    with pytest.raises(CallerError) as caught:
        seal(generate("Ed25519"), passphrase)
    assert caught.value.code == "config_invalid"
