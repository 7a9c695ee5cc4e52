"""Keys and MACs against what others have published."""

import pytest

from backend.channels.iso8583.codec import encode
from backend.channels.iso8583.crypto import (
    WorkingKeys,
    check_value,
    decrypt,
    encrypt,
    mac_cup_ecb,
    mac_x919,
    unwrap_keys,
    wrap_keys,
)
from backend.channels.iso8583.sealing import seal, unseal
from protocol.errors import CallerError
from tests.support.iso8583_messages import every_message
from tests.unit.unionpay.test_iso8583_codec import PUBLISHED

MASTER = bytes.fromhex("70F2A84CCBC2AE8625CBB0F2C22AB923")
KEYS = WorkingKeys(bytes(range(16)), bytes(range(16, 32)))


def test_the_published_mac_of_a_double_length_key() -> None:
    key = bytes.fromhex("55036372B17543ECB173730768B8D6C4")
    assert mac_cup_ecb(key, PUBLISHED[:-8]) == b"5FE058DB"
    assert unseal(PUBLISHED, key).mti == "0830"


def test_the_mac_of_a_single_length_key_over_published_blocks() -> None:
    # The first XOR steps and the keys are published (youkuaiyun, zhu244912654, 80005341).
    blocks = bytes.fromhex(
        "0200302004C020C0 9811000000000000 0000510018340210 0006324392260009 942820D131210112"
        "0084393136363838 3031343030303030 3030303030303030 3031313536ACF46E 73838A82F9260000"
        "0000000000000822 0000010000000000"
    )
    assert mac_cup_ecb(bytes.fromhex("C24A8FB57AA20123"), blocks) == b"8A9E91B8"


def test_two_equal_halves_are_single_des() -> None:
    key = bytes.fromhex("0723C80DB5F4CD3D")
    assert mac_cup_ecb(key * 2, PUBLISHED) == mac_cup_ecb(key, PUBLISHED)


def test_the_published_unwrapping_of_a_working_key() -> None:
    assert decrypt(MASTER, bytes.fromhex("96D605EA176B7E9E")).hex().upper() == "C24A8FB57AA20123"


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        (b"Now is the time for all ", "A1C72E74EA3FA9B6"),
        (b"Now is the time for it", "2E2B1428CC78254F"),
    ],
)
def test_x919_vectors(text: bytes, mac: str) -> None:
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    assert mac_x919(key, text).hex().upper() == mac


def test_wrapped_keys_come_out_and_prove_themselves() -> None:
    wrapped = wrap_keys(MASTER, KEYS)
    assert len(wrapped) == 40
    assert unwrap_keys(MASTER, wrapped) == KEYS


def test_single_length_keys_and_a_track_key_are_understood() -> None:
    short = WorkingKeys(bytes(range(8)), bytes(range(8, 16)))
    assert unwrap_keys(MASTER, wrap_keys(MASTER, short)) == short
    track = bytes(range(32, 48))
    wrapped = wrap_keys(MASTER, KEYS) + encrypt(MASTER, track) + check_value(track)
    assert unwrap_keys(MASTER, wrapped) == KEYS


@pytest.mark.parametrize("length", [0, 23, 41, 84])
def test_keys_of_another_length_are_refused(length: int) -> None:
    with pytest.raises(CallerError, match=f"{length} bytes of keys"):
        unwrap_keys(MASTER, bytes(length))


def test_a_wrong_check_value_is_refused_and_shows_no_key() -> None:
    wrapped = bytearray(wrap_keys(MASTER, KEYS))
    wrapped[-1] ^= 1
    with pytest.raises(CallerError, match="check value"):
        unwrap_keys(MASTER, bytes(wrapped))
    assert KEYS.mac.hex() not in repr(KEYS)
    assert repr(KEYS.mac) not in repr(KEYS)


def test_a_message_with_its_mac_is_read_and_with_any_other_byte_refused() -> None:
    message = every_message()["sale"]
    sealed = seal(message, KEYS.mac)
    assert unseal(sealed, KEYS.mac).without_mac() == message
    for at in range(len(sealed)):
        spoilt = bytearray(sealed)
        spoilt[at] ^= 1
        with pytest.raises(CallerError, match=r"mac_invalid|frame_rejected"):
            unseal(bytes(spoilt), KEYS.mac)
    with pytest.raises(CallerError, match="mac_invalid"):
        unseal(encode(message), KEYS.mac)
