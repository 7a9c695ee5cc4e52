"""What tells the makers' engines apart: numbers of code types, first values, the long form.

``zebra`` is the Programmer's Guide 72E-40451 and cuts a long code into several packets; ``gm67`` is
GROW's GM67 and GM77, which has one long packet for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from protocol.framing.ssi import (
    TRIGGER_CONTINUOUS,
    TRIGGER_EDGE,
    TRIGGER_HOLD,
    TRIGGER_HOST,
    TRIGGER_SENSING,
    Parameter,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SsiProfile:
    """One maker's engine. ``code_types`` is the byte in front of a decoded text."""

    name: str
    revision: str
    baud_codes: Mapping[int, int]
    code_types: Mapping[str, int]
    first_values: Mapping[int, int]
    trigger_modes: frozenset[int]
    has_long_form: bool


SWITCHES: dict[str, Parameter] = {
    "QRCode": Parameter.QR, "DataMatrix": Parameter.DATA_MATRIX, "PDF417": Parameter.PDF417,
    "Code128": Parameter.CODE_128, "Code39": Parameter.CODE_39, "Code93": Parameter.CODE_93,
    "Codabar": Parameter.CODABAR, "ITF": Parameter.ITF, "EAN13": Parameter.EAN_13,
    "EAN8": Parameter.EAN_8, "UPCA": Parameter.UPC_A, "UPCE": Parameter.UPC_E,
}  # fmt: skip
"""Which parameter switches a symbology on."""
_TYPES = {
    "Code39": 0x01, "Codabar": 0x02, "Code128": 0x03, "ITF": 0x06, "Code93": 0x07, "UPCA": 0x08,
    "UPCE": 0x09, "EAN8": 0x0A, "EAN13": 0x0B,
}  # fmt: skip
_FIRST_VALUES: dict[int, int] = {
    **dict.fromkeys(SWITCHES.values(), 1),
    Parameter.ITF: 0, Parameter.CODABAR: 0, Parameter.NO_READ_MESSAGE: 0,
    Parameter.SUFFIX_1: 0x0D, Parameter.PREFIX: 0x00, Parameter.SUFFIX_2: 0x0A,
    Parameter.SESSION_TIME: 30, Parameter.SAME_CODE_DELAY: 10,
    Parameter.TRIGGER_MODE: TRIGGER_HOLD, Parameter.RESPONSE_TIME: 20, Parameter.HANDSHAKING: 1,
    Parameter.FORMAT: 0, Parameter.PACKETED: 0,
}  # fmt: skip
_BAUD_CODES = {3: 1200, 4: 2400, 5: 4800, 6: 9600, 7: 19_200, 8: 38_400}

ZEBRA = SsiProfile(
    name="zebra",
    revision="TWSIM-001-R00 D SE 2",
    baud_codes={**_BAUD_CODES, 10: 57_600, 11: 115_200},
    code_types={**_TYPES, "PDF417": 0x11, "DataMatrix": 0x1B, "QRCode": 0x1C},
    first_values={**_FIRST_VALUES, Parameter.BAUD: 6},
    trigger_modes=frozenset((TRIGGER_HOLD, TRIGGER_EDGE, TRIGGER_CONTINUOUS, TRIGGER_HOST)),
    has_long_form=False,
)
GM67 = SsiProfile(
    name="gm67",
    revision="TWSIM-GM67 V1.0",
    baud_codes={**_BAUD_CODES, 9: 57_600, 10: 115_200},
    code_types={**_TYPES, "PDF417": 0xF0, "QRCode": 0xF1, "DataMatrix": 0xF2},
    first_values={**_FIRST_VALUES, Parameter.BAUD: 10},
    trigger_modes=frozenset(
        (TRIGGER_HOLD, TRIGGER_EDGE, TRIGGER_CONTINUOUS, TRIGGER_HOST, TRIGGER_SENSING)
    ),
    has_long_form=True,
)
PROFILES: dict[str, SsiProfile] = {one.name: one for one in (ZEBRA, GM67)}
