"""Codes that set the scanner up instead of being read.

The maker prints them as pictures and does not say what stands in them. Here such a code says
``GROW#`` address ``=`` data in upper-case hexadecimal, for example ``GROW#0000=D5``: it writes the
registers and keeps them in flash. Whoever can show a scanner a code can do that, unless register
0003 forbids it (bit 1): a till should.
"""

import re
from dataclasses import dataclass

_FORM = re.compile(r"GROW#([0-9A-F]{4})=((?:[0-9A-F]{2}){1,16})")


@dataclass(frozen=True, slots=True)
class SetupCode:
    """Registers to write."""

    address: int
    values: bytes


def read(text: str) -> SetupCode | None:
    """The setup code that a text is, or ``None``."""
    found = _FORM.fullmatch(text)
    return SetupCode(int(found[1], 16), bytes.fromhex(found[2])) if found else None
