"""Looks for secrets where none may be: in every file below a folder and in what was printed.

Rule: a secret is sought as it is, in hexadecimal, in Base64 wherever it begins in a longer text,
      backwards, and a number packed two digits a byte or as an integer, too. A short number, which
      may stand by chance in a longer one, counts where no other digit touches it.
"""

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import zxingcpp
from PIL import Image

PICTURES = frozenset({".png"})
_LONG_BYTES_MIN = 12
"""A secret of fewer stands in other forms by chance."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret and where it was found."""

    name: str
    where: str
    form: str


class Sought:
    """Secrets by name; text is sought in UTF-8."""

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        self._forms = [
            (name, form, written)
            for name, value in secrets.items()
            for form, written in _forms(value.encode() if isinstance(value, str) else value)
        ]

    def in_bytes(self, content: bytes, where: str) -> list[Leak]:
        """The secrets in it."""
        lower = content.lower()
        return [
            Leak(name, where, form)
            for name, form, written in self._forms
            if _stands(written, lower if form == "hex" else content)
        ]

    def below(self, folder: Path, *, homes: frozenset[str] = frozenset()) -> list[Leak]:
        """The secrets in all files below a folder but those that exist to keep one, by name."""
        found = []
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.name in homes:
                continue
            where = path.relative_to(folder).as_posix()
            for content in _contents(path):
                found += self.in_bytes(content, where)
        return found


def _contents(path: Path) -> Iterable[bytes]:
    """The bytes of a file; of a picture, what codes on it say, too."""
    yield path.read_bytes()
    if path.suffix in PICTURES:
        with Image.open(path) as picture:
            yield b"\n".join(code.bytes for code in zxingcpp.read_barcodes(picture))


def _stands(written: bytes, content: bytes) -> bool:
    """A short number counts where it is not part of a longer one, or of one in hexadecimal."""
    if written not in content:
        return False
    if len(written) >= _LONG_BYTES_MIN or not written.isdigit():
        return True
    return re.search(rb"(?<![0-9a-f])" + written + rb"(?![0-9a-f])", content) is not None


def _forms(value: bytes) -> Iterable[tuple[str, bytes]]:
    is_long = len(value) >= _LONG_BYTES_MIN
    yield "plain", value
    yield "reversed", value[::-1]
    if is_long or value.isdigit():
        yield "hex", value.hex().encode()
    if is_long:
        for skipped in range(3):
            yield "base64", _base64(value, skipped, b"+/")
            yield "base64url", _base64(value, skipped, b"-_")
    if is_long and value.isdigit():
        packed = value if len(value) % 2 == 0 else value + b"f"
        pairs = (packed[at : at + 2] for at in range(0, len(packed), 2))
        swapped = b"".join(pair[::-1] for pair in pairs)
        yield "two digits a byte", bytes.fromhex(packed.decode())
        yield "semi-octets", bytes.fromhex(swapped.decode())
        yield "semi-octets in hex", swapped
        yield "integer", int(value).to_bytes(8, "big")


def _base64(value: bytes, skipped: int, altchars: bytes) -> bytes:
    """What of it does not depend on its neighbours, where ``skipped`` bytes of them share the
    first group."""
    whole = base64.b64encode(bytes(skipped) + value, altchars=altchars)
    return whole[-(-8 * skipped // 6) : (skipped + len(value)) * 8 // 6]
