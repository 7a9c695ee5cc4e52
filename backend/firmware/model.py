"""What a firmware artifact is, and how far a device has come with one. Pure.

Rule 1: an image for a board carries its maker's signature (MCUboot's TLVs). Where the settings name
        the makers' keys, one of them must have signed; the board checks again by its own.
Rule 2: a version of a wish ends once: what comes after its end is not believed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from backend.firmware.limits import ARTIFACT_BYTES_MAX
from protocol.errors import CallerError
from protocol.framing import mcuboot
from protocol.framing.mcuboot import Flaw, ImageKey, TlvType

_CPIO = (b"070701", b"070702")
"""How an archive of the update program begins: newc, and newc with checksums."""
_SIGNATURES = (TlvType.ECDSA, TlvType.ED25519, 0x20, 0x23)
"""TLVs that hold a signature; the last two are RSA's."""


class FirmwareState(StrEnum):
    """How far a device has come with what is wanted of it."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    TRYING = "trying"
    """It runs, and is not kept yet."""
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    """The device has no use for it, or does not trust it."""
    FAILED = "failed"
    """It did not start, or did not stay: the earlier firmware runs."""


ENDED = frozenset({FirmwareState.CONFIRMED, FirmwareState.REFUSED, FirmwareState.FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What is known of some bytes of firmware. Hashes are hexadecimal."""

    digest: str
    """SHA-256 of the bytes; its name from then on."""
    sha1: str
    md5: str
    size: int
    kind: str
    """``mcuboot`` for a controller board, ``swu`` for a machine with the update program."""
    version: str
    """Of an image, as its header says; of an archive, as its bringer says."""
    image_hash: str
    """By which a board names it; empty for an archive."""


def read_artifact(data: bytes, *, version: str, keys: Sequence[ImageKey]) -> Artifact:
    """What these bytes are; ``firmware_file_invalid`` with the reason if they are nothing to
    install."""
    if len(data) > ARTIFACT_BYTES_MAX:
        raise CallerError("envelope_too_large", f"more than {ARTIFACT_BYTES_MAX} bytes")
    if data[:6] in _CPIO:
        if not version:
            raise CallerError("field_invalid", "version: an archive does not say its own")
        return _artifact(data, kind="swu", version=version, image_hash="")
    image = mcuboot.read_image(data)
    if isinstance(image, Flaw):
        raise CallerError("firmware_file_invalid", f"neither image nor archive: {image}")
    flaw = mcuboot.find_flaw(image, None) or _signature_flaw(image, keys)
    if flaw is not None:
        raise CallerError("firmware_file_invalid", flaw)
    found = str(image.header.version)
    if version and version != found:
        raise CallerError("field_invalid", f"version: the image says {found}")
    return _artifact(data, kind="mcuboot", version=found, image_hash=image.digest.hex())


def _signature_flaw(image: mcuboot.Image, keys: Sequence[ImageKey]) -> Flaw | None:
    if not any(image.find(kind) for kind in _SIGNATURES):
        return Flaw.UNSIGNED
    flaws = [mcuboot.find_flaw(image, key) for key in keys]
    return None if not flaws or None in flaws else flaws[0]


def _artifact(data: bytes, *, kind: str, version: str, image_hash: str) -> Artifact:
    return Artifact(
        digest=hashlib.sha256(data).hexdigest(),
        sha1=hashlib.sha1(data, usedforsecurity=False).hexdigest(),
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
        size=len(data),
        kind=kind,
        version=version,
        image_hash=image_hash,
    )
