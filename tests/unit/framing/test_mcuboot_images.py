"""Goal: images and trailers are read as the maker's own tool writes them.

Method: ``imgtool``, unmodified, makes keys and images; each flaw is put in by hand.
"""

import struct
from pathlib import Path

import pytest

from protocol.crypto.image_keys import image_key_from_pem
from protocol.errors import CallerError
from protocol.framing import mcuboot
from protocol.framing.mcuboot import Flaw, Image, ImageKey, Version
from protocol.framing.mcuboot_trailer import Mark, SwapType, read_trailer, swap_type_of
from tests.support.firmware import SLOT_BYTES, SigningRoom, body_of, open_signing_room, run_imgtool

BODY = body_of("firmware", 5000)


@pytest.fixture(scope="module", params=["ecdsa-p256", "ed25519"])
def room(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> SigningRoom:
    return open_signing_room(tmp_path_factory.mktemp("signing"), request.param)


@pytest.fixture(scope="module")
def key(room: SigningRoom) -> ImageKey:
    return image_key_from_pem(room.public_pem.read_bytes())


def _read(data: bytes) -> Image:
    image = mcuboot.read_image(data)
    assert isinstance(image, Image)
    return image


def test_a_signed_image_is_read_and_found_sound(room: SigningRoom, key: ImageKey) -> None:
    data = room.sign(BODY, "2.1.3+7", "-s", "5")
    image = _read(data)
    assert image.header.version == Version(2, 1, 3, 7)
    assert str(image.header.version) == "2.1.3.7"
    assert image.header.header_bytes == 512
    assert image.covered[512 : 512 + len(BODY)] == BODY
    assert image.security_counter == 5
    assert image.total_bytes == len(data)
    assert mcuboot.find_flaw(image, key) is None


def test_any_flipped_bit_is_a_flaw(room: SigningRoom, key: ImageKey) -> None:
    data = room.sign(BODY, "1.0.0", "-s", "1")
    for at in [0, 8, 13, 600, 5511, *range(5512, len(data))]:
        broken = bytearray(data)
        broken[at] ^= 0x01
        image = mcuboot.read_image(bytes(broken))
        flaw = image if isinstance(image, Flaw) else mcuboot.find_flaw(image, key)
        assert flaw is not None, at


def test_another_key_and_no_signature_are_told_apart(
    room: SigningRoom, key: ImageKey, tmp_path: Path
) -> None:
    foreign = open_signing_room(tmp_path / room.kind, room.kind).sign(BODY, "1.0.0")
    assert mcuboot.find_flaw(_read(foreign), key) is Flaw.OTHER_KEY
    unsigned = _read(mcuboot.pack_image(BODY, Version(1)))
    assert mcuboot.find_flaw(unsigned, key) is Flaw.UNSIGNED
    assert mcuboot.find_flaw(unsigned, None) is None


def test_a_whole_public_key_in_the_image_is_as_good_as_its_hash(
    room: SigningRoom, key: ImageKey
) -> None:
    image = _read(room.sign(BODY, "1.0.0", "--public-key-format", "full"))
    assert image.find(mcuboot.TlvType.KEY_HASH) == b""
    assert mcuboot.find_flaw(image, key) is None


def test_the_makers_tool_accepts_what_we_pack(tmp_path: Path) -> None:
    file = tmp_path / "ours.bin"
    packed = mcuboot.pack_image(BODY, Version(1, 2, 3, 4), security_counter=9)
    file.write_bytes(packed)
    assert "1.2.3+4" in run_imgtool("verify", file)
    assert _read(packed).security_counter == 9


def test_the_trailer_is_where_the_makers_tool_puts_it(room: SigningRoom) -> None:
    padded = room.sign(BODY, "1.0.0", "--pad")
    assert len(padded) == SLOT_BYTES
    waiting = read_trailer(padded)
    assert (waiting.magic, waiting.image_ok) == (Mark.SET, Mark.UNSET)
    confirmed = read_trailer(room.sign(BODY, "1.0.0", "--pad", "--confirm"))
    assert (confirmed.magic, confirmed.image_ok) == (Mark.SET, Mark.SET)
    nothing = read_trailer(b"\xff" * SLOT_BYTES)
    assert swap_type_of(nothing, nothing) is SwapType.NONE
    assert swap_type_of(nothing, waiting) is SwapType.TEST
    assert swap_type_of(nothing, confirmed) is SwapType.PERMANENT
    assert not waiting.is_mid_swap


def test_a_counter_outside_the_protected_part_counts_nothing() -> None:
    data = mcuboot.pack_image(BODY, Version(1))
    entry = struct.pack("<HHI", mcuboot.TlvType.SECURITY_COUNTER, 4, 99)
    block = struct.pack("<HH", mcuboot.TLV_MAGIC, 4 + 36 + len(entry)) + data[-36:] + entry
    image = _read(data[:-40] + block)
    assert image.find(mcuboot.TlvType.SECURITY_COUNTER)
    assert image.security_counter == 0


@pytest.mark.parametrize(
    ("cut", "flaw"),
    [(0, Flaw.NO_IMAGE), (31, Flaw.NO_IMAGE), (600, Flaw.BAD_SIZE), (5040, Flaw.BAD_TLVS)],
)
def test_a_cut_image_has_a_name(cut: int, flaw: Flaw) -> None:
    assert mcuboot.read_image(mcuboot.pack_image(BODY, Version(1))[:cut]) is flaw


def test_an_image_that_is_not_to_be_booted_is_refused() -> None:
    image = _read(mcuboot.pack_image(BODY, Version(1), flags=mcuboot.FLAG_NON_BOOTABLE))
    assert mcuboot.find_flaw(image, None) is Flaw.NOT_BOOTABLE


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"]
)
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(CallerError, match="config_invalid"):
        image_key_from_pem(pem)
