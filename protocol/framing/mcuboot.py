"""MCUboot firmware images: header, payload and TLVs (MCUboot ``docs/design.md``, "Image format").

All numbers are little-endian. An image is ``header | body | [protected TLVs] | TLVs``; the hash
and the signature cover header, body and protected TLVs.

Rule 1: nothing here raises for what an image holds: it is read, or its ``Flaw`` is named.
Rule 2: whoever wants to trust an image gives the key; without one only the hash is checked, as a
bootloader built without a key does.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Protocol

from protocol.crypto.hashes import sha256
from protocol.framing.limits import MCUBOOT_IMAGE_BYTES_MAX, MCUBOOT_TLVS_MAX

HEADER_MAGIC = 0x96F3B83D
TLV_MAGIC, PROTECTED_MAGIC = 0x6907, 0x6908
HEADER_BYTES = 32
FLAG_NON_BOOTABLE = 0x10
_HEADER = struct.Struct("<IIHHIIBBHI4x")
_PAIR = struct.Struct("<HH")


class TlvType(IntEnum):
    """The TLVs that are read here."""

    KEY_HASH = 0x01
    PUBLIC_KEY = 0x02
    SHA256 = 0x10
    ECDSA = 0x22
    ED25519 = 0x24
    SECURITY_COUNTER = 0x50


class Flaw(StrEnum):
    """Why an image is not one, or is not to be run."""

    NO_IMAGE = "no_image"
    BAD_SIZE = "bad_size"
    BAD_TLVS = "bad_tlvs"
    BAD_HASH = "bad_hash"
    NOT_BOOTABLE = "not_bootable"
    UNSIGNED = "unsigned"
    OTHER_KEY = "other_key"
    BAD_SIGNATURE = "bad_signature"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A version; compared field by field."""

    major: int
    minor: int = 0
    revision: int = 0
    build: int = 0

    def __str__(self) -> str:
        short = f"{self.major}.{self.minor}.{self.revision}"
        return f"{short}.{self.build}" if self.build else short


@dataclass(frozen=True, slots=True)
class Header:
    """The first 32 bytes. Sizes are in bytes; ``header_bytes`` includes what pads the header."""

    header_bytes: int
    protected_bytes: int
    body_bytes: int
    flags: int
    version: Version
    load_address: int = 0


@dataclass(frozen=True, slots=True)
class Tlv:
    """One entry behind the body."""

    type: int
    data: bytes
    is_protected: bool


@dataclass(frozen=True, slots=True)
class Image:
    """A whole image. ``covered`` is what hash and signature speak of."""

    header: Header
    covered: bytes
    tlvs: tuple[Tlv, ...]
    total_bytes: int

    @property
    def digest(self) -> bytes:
        """The hash that the image claims, 32 bytes, or nothing."""
        return self.find(TlvType.SHA256)

    @property
    def security_counter(self) -> int:
        """The anti-rollback counter of the protected TLVs; 0 where there is none."""
        for tlv in self.tlvs:
            if tlv.type == TlvType.SECURITY_COUNTER and tlv.is_protected and len(tlv.data) == 4:
                return int.from_bytes(tlv.data, "little")
        return 0

    def find(self, wanted: int) -> bytes:
        """The first TLV of a type, or nothing."""
        return next((tlv.data for tlv in self.tlvs if tlv.type == wanted), b"")


class ImageKey(Protocol):
    """The public key that a bootloader was built with."""

    @property
    def key_hash(self) -> bytes:
        """SHA-256 of the key's SubjectPublicKeyInfo in DER."""
        ...

    @property
    def signature_type(self) -> int:
        """The TLV that holds this key's signatures."""
        ...

    def verify(self, signature: bytes, covered: bytes) -> bool:
        """Whether the signature is good; False, never an exception, for a malformed one."""
        ...


def read_header(data: bytes) -> Header | Flaw:
    """The header at the start of ``data``, of a possible size."""
    if len(data) < HEADER_BYTES:
        return Flaw.NO_IMAGE
    magic, load, header, protected, body, flags, major, minor, revision, build = (
        _HEADER.unpack_from(data)
    )
    if magic != HEADER_MAGIC:
        return Flaw.NO_IMAGE
    if header < HEADER_BYTES or header + body + protected > MCUBOOT_IMAGE_BYTES_MAX:
        return Flaw.BAD_SIZE
    version = Version(major, minor, revision, build)
    return Header(header, protected, body, flags, version, load)


def read_image(data: bytes) -> Image | Flaw:
    """The image at the start of ``data`` (a file or a slot), not yet checked against any key."""
    header = read_header(data)
    if isinstance(header, Flaw):
        return header
    body_end = header.header_bytes + header.body_bytes
    covered_end = body_end + header.protected_bytes
    if covered_end + _PAIR.size > len(data):
        return Flaw.BAD_SIZE
    protected: list[Tlv] | None = []
    if header.protected_bytes:
        block = data[body_end:covered_end]
        protected = _read_block(block, PROTECTED_MAGIC)
        if protected is None or _PAIR.unpack_from(block)[1] != header.protected_bytes:
            return Flaw.BAD_TLVS
    tlvs = _read_block(data[covered_end:], TLV_MAGIC)
    if tlvs is None or protected is None:
        return Flaw.BAD_TLVS
    total = covered_end + _PAIR.unpack_from(data, covered_end)[1]
    return Image(header, data[:covered_end], (*protected, *tlvs), total)


def find_flaw(image: Image, key: ImageKey | None) -> Flaw | None:
    """Why this image must not run, or ``None`` if hash and, with a key, signature are good."""
    if image.header.flags & FLAG_NON_BOOTABLE:
        return Flaw.NOT_BOOTABLE
    if image.digest != sha256(image.covered):
        return Flaw.BAD_HASH
    return _signature_flaw(image, key) if key is not None else None


def pack_image(
    body: bytes, version: Version, *, flags: int = 0, security_counter: int | None = None
) -> bytes:
    """An unsigned image: header, body, counter if given, and hash."""
    protected = b""
    if security_counter is not None:
        entry = _PAIR.pack(TlvType.SECURITY_COUNTER, 4) + security_counter.to_bytes(4, "little")
        protected = _PAIR.pack(PROTECTED_MAGIC, _PAIR.size + len(entry)) + entry
    header = _HEADER.pack(
        HEADER_MAGIC, 0, HEADER_BYTES, len(protected), len(body), flags,
        version.major, version.minor, version.revision, version.build,
    )  # fmt: skip
    covered = header + body + protected
    entry = _PAIR.pack(TlvType.SHA256, 32) + sha256(covered)
    return covered + _PAIR.pack(TLV_MAGIC, _PAIR.size + len(entry)) + entry


def _signature_flaw(image: Image, key: ImageKey) -> Flaw | None:
    named = [
        tlv.data if tlv.type == TlvType.KEY_HASH else sha256(tlv.data)
        for tlv in image.tlvs
        if tlv.type in (TlvType.KEY_HASH, TlvType.PUBLIC_KEY)
    ]
    signature = image.find(key.signature_type)
    if not signature:
        return Flaw.OTHER_KEY if named and key.key_hash not in named else Flaw.UNSIGNED
    if key.key_hash not in named:
        return Flaw.OTHER_KEY
    return None if key.verify(signature, image.covered) else Flaw.BAD_SIGNATURE


def _read_block(data: bytes, magic: int) -> list[Tlv] | None:
    """The TLVs of the block at the start of ``data``; ``None`` if they do not fill it."""
    if len(data) < _PAIR.size:
        return None
    found, total = _PAIR.unpack_from(data)
    if found != magic or not _PAIR.size <= total <= len(data):
        return None
    tlvs = list(_walk(data[:total], is_protected=magic == PROTECTED_MAGIC))
    is_whole = sum(_PAIR.size + len(tlv.data) for tlv in tlvs) == total - _PAIR.size
    return tlvs if is_whole else None


def _walk(block: bytes, *, is_protected: bool) -> Iterator[Tlv]:
    position = _PAIR.size
    for _ in range(MCUBOOT_TLVS_MAX):
        if position + _PAIR.size > len(block):
            return
        kind, length = _PAIR.unpack_from(block, position)
        position += _PAIR.size
        if position + length > len(block):
            return
        yield Tlv(kind, block[position : position + length], is_protected)
        position += length
