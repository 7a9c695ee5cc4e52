"""What tells the models of the family apart: register maps, factory values, abilities.

``gm65`` is GM65 manual V1.3. ``gm812`` is the newer generation (GM812, GM805, GM861): its registers
0000-0061 are those that a GM861 reports when it is new. ``gm60`` is the GM60 as its maker's library
addresses it; what that library does not say has the GM65's value.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.framing import gm65

REGISTERS = 256
SYMBOLOGY_MANUAL_ORDER = (
    "EAN13", "EAN8", "UPCA", "UPCE", "UPCE1", "Code128", "Code39", "Code93", "Codabar", "ITF",
    "Industrial25", "Matrix25", "Code11", "MSI", "DataBarOmni", "DataBarLtd", "DataBarExp",
    "QRCode", "DataMatrix", "PDF417",
)  # fmt: skip
"""As registers 0091 to 00A4 list them."""
_LETTERS = b"ddcccjbiaeDvHmRRRQur"
REG_LETTERS = 0x91


@dataclass(frozen=True, slots=True)
class Symbology:
    """Where a kind of code is switched on (bit 0), and where its length limits stand, if any."""

    register: int
    has_lengths: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerProfile:
    """One model. ``unicode_value`` is what bits 3-2 of 000D say for UTF-8."""

    name: str
    factory: Mapping[int, int]
    symbologies: Mapping[str, Symbology]
    unicode_value: int = 1
    has_heartbeat: bool = False
    has_frames: bool = False
    has_chosen_head: bool = False
    has_aim_id: bool = False
    writable_above_e0: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What differs between firmwares. ``version`` 87 is the one that forgets register 002C."""

    version: int = 100
    same_code_unit_ms: int = 100
    boot_ms: int = 0
    has_boot_line: bool = False


def letter_register(symbology: str) -> int:
    """Where the CodeID letter of a symbology stands."""
    return REG_LETTERS + SYMBOLOGY_MANUAL_ORDER.index(symbology)


_LETTER_VALUES = {REG_LETTERS + place: letter for place, letter in enumerate(_LETTERS)}
_GM65_MAP: dict[str, Symbology] = {
    "EAN13": Symbology(0x2E), "EAN8": Symbology(0x2F), "UPCA": Symbology(0x30),
    "UPCE": Symbology(0x31), "UPCE1": Symbology(0x32), "Code128": Symbology(0x33, True),
    "Code39": Symbology(0x36, True), "Code93": Symbology(0x39, True),
    "Codabar": Symbology(0x3C, True), "QRCode": Symbology(0x3F), "ITF": Symbology(0x40, True),
    "Industrial25": Symbology(0x43, True), "Matrix25": Symbology(0x46, True),
    "Code11": Symbology(0x49, True), "MSI": Symbology(0x4C, True),
    "DataBarOmni": Symbology(0x4F), "DataBarLtd": Symbology(0x50),
    "DataBarExp": Symbology(0x51, True), "DataMatrix": Symbology(0x54), "PDF417": Symbology(0x55),
}  # fmt: skip
_GM60_MAP: dict[str, Symbology] = {
    "EAN13": Symbology(0x2E), "EAN8": Symbology(0x31), "UPCA": Symbology(0x34),
    "UPCE": Symbology(0x37), "UPCE1": Symbology(0x38), "Code128": Symbology(0x3B, True),
    "Code39": Symbology(0x3E), "Code93": Symbology(0x43, True), "Codabar": Symbology(0x46, True),
    "QRCode": Symbology(0x49), "ITF": Symbology(0x4A, True), "PDF417": Symbology(0x4D),
    "DataMatrix": Symbology(0x4E),
}  # fmt: skip
_OFF_WHEN_NEW = frozenset(
    ("ITF", "Industrial25", "Matrix25", "Code11", "MSI", "DataBarOmni", "DataBarLtd", "DataBarExp")
)
_LENGTHS_WHEN_NEW = (4, 0x80)
_COMMON = {
    gm65.REG_STABILISE: 4, gm65.REG_INTERVAL: 10, gm65.REG_READ_TIME: 50, gm65.REG_IDLE: 0x81,
    gm65.REG_IDLE + 1: 0x2C, gm65.REG_TONE: 0x3E, gm65.REG_TONE + 1: 60, gm65.REG_BEEP: 0x04,
    gm65.REG_BAUD: 0x39, gm65.REG_BAUD + 1: 0x01, gm65.REG_SYMBOLOGIES: 0x05, gm65.REG_TAIL: 0x01,
    gm65.REG_MODEL + 1: 100, gm65.REG_VERSION: 100,
}  # fmt: skip
_GM861_REPORT = bytes.fromhex(
    "d6002000000a32012c00873c01a11c3203008000060000000000000000000000"
    "0002803c000000060000390105640d0d0d010d01048009048005048001048001"
    "0804800804800804800804800801800000000480010100000000048000000300"
    "0100"
)


def _switches(symbologies: Mapping[str, Symbology]) -> dict[int, int]:
    """The symbologies' registers as they leave the factory."""
    values: dict[int, int] = {}
    for name, symbology in symbologies.items():
        values[symbology.register] = int(name not in _OFF_WHEN_NEW)
        if symbology.has_lengths:
            values[symbology.register + 1], values[symbology.register + 2] = _LENGTHS_WHEN_NEW
    return values


GM65 = ScannerProfile(
    name="gm65",
    factory={
        **_COMMON, **_LETTER_VALUES, **_switches(_GM65_MAP), gm65.REG_MODE: 0xD4,
        gm65.REG_MODEL: 0x05,
    },
    symbologies=_GM65_MAP,
)  # fmt: skip
GM812 = ScannerProfile(
    name="gm812",
    factory={
        **_COMMON, **_LETTER_VALUES, **dict(enumerate(_GM861_REPORT)),
    },
    symbologies=_GM65_MAP,
    has_heartbeat=True,
    has_frames=True,
    has_aim_id=True,
    writable_above_e0=frozenset({0xE7}),
)  # fmt: skip
GM60 = ScannerProfile(
    name="gm60",
    factory={**_COMMON, **_LETTER_VALUES, **_switches(_GM60_MAP), gm65.REG_MODE: 0xD6},
    symbologies=_GM60_MAP,
    unicode_value=3,
    has_frames=True,
    has_chosen_head=True,
)
PROFILES: dict[str, ScannerProfile] = {one.name: one for one in (GM65, GM812, GM60)}
