"""What is kept of a reading instead of its identifiers. Pure.

Rule 1: serial numbers, addresses and keys are kept as a keyed hash: the same value has the same
        pseudonym in the whole fleet, so that a clone in another store is seen, and nobody who has
        the table can try all serial numbers without the key.
Rule 2: what names no device (a build, a model, a set of modules) and what is measured stays as it
        is, so that people can read what has changed.
"""

import hashlib
import hmac
import json

from backend.risk.devices.attributes import Group, attribute_of
from backend.risk.devices.readings import Curve, Number, Plain, Reading

_LABEL = b"tillway device fingerprint 1"
_CHARS = 24
_READABLE = frozenset({Group.BUILD, Group.SOFTWARE, Group.EVIDENCE, Group.PLACE})
_READABLE_NAMES = frozenset({"board_revision", "ram"})


def pseudonym_key(master: bytes) -> bytes:
    """The key of all pseudonyms, from the installation's master key."""
    return hmac.digest(master, _LABEL, hashlib.sha256)


def pseudonymous(reading: Reading, key: bytes) -> Reading:
    """The reading as it is kept and judged."""
    return {name: _kept(name, value, key) for name, value in reading.items()}


def _kept(name: str, value: Plain, key: bytes) -> Plain:
    attribute = attribute_of(name)
    is_readable = attribute.group in _READABLE or attribute.name in _READABLE_NAMES
    if not isinstance(value, str) or is_readable:
        return value
    return hmac.digest(key, f"{attribute.name}\n{value}".encode(), hashlib.sha256).hex()[:_CHARS]


def to_text(reading: Reading) -> str:
    """A reading as JSON that ``plain_reading`` reads back as it was."""
    plain: dict[str, object] = {}
    for name, value in reading.items():
        match value:
            case Number(number, is_whole):
                plain[name] = int(number) if is_whole else number
            case Curve(values):
                plain[name] = list(values)
            case frozenset():
                plain[name] = sorted(value)
            case _:
                plain[name] = value
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
