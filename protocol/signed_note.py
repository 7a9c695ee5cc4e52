"""Signed notes: text that anybody can read and check, as logs publish their checkpoints.

    <text, each line ending in a newline>
    <empty line>
    — <name> <base64(key id, 4 bytes || signature)>

The form is C2SP signed-note's (that of Go's ``sumdb/note``); what is signed is the text with its
last newline. A key is known by a name and an id, ``SHA-256(name || 0A || material)[:4]``, and is
written ``<name>+<id in hex>+<base64(material)>``.

Rule 1: material is ``01 || public key`` for Ed25519; a suite without an assigned type byte says its
        own name: ``FF || "tillway " || suite || 0A || public key``.
Rule 2: a note has one form. What does not come out as it went in is no note: so no byte of it, not
        even an unused bit of its base64, can be another.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from protocol.crypto.hashes import sha256
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.crypto.suites import SUITES, suite_named
from protocol.errors import CallerError

NOTE_CHARS_MAX = 4096
KEY_TEXT_CHARS_MAX = 512
_ID_BYTES = 4
_ED25519, _OWN = b"\x01", b"\xff"
_NAME = re.compile(r"[!-*,-~]{1,200}").fullmatch
_DASH = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under the name that its signatures bear."""

    name: str
    key: VerifyKey

    def __post_init__(self) -> None:
        if not _NAME(self.name):
            raise CallerError("field_invalid", "a note key's name")

    @property
    def id(self) -> bytes:
        """Which key of this name it is."""
        return sha256(self.name.encode() + b"\n" + _material(self.key))[:_ID_BYTES]

    def to_text(self) -> str:
        """The one line that a verifier needs."""
        material = base64.b64encode(_material(self.key)).decode()
        return f"{self.name}+{self.id.hex()}+{material}"

    @classmethod
    def from_text(cls, text: str) -> "NoteKey":
        """Read ``to_text``; ``CallerError("field_invalid")`` for anything else."""
        name, _, rest = text.partition("+")
        found = cls(name, _key_of(_base64(rest.partition("+")[2])))
        if len(text) > KEY_TEXT_CHARS_MAX or found.to_text() != text:
            raise CallerError("field_invalid", "not a note key")
        return found


def sign_note(text: str, name: str, key: SigningKey) -> str:
    """The note: the text and one signature. The text has no empty line and ends with a newline."""
    assert text.endswith("\n")
    assert "\n\n" not in text
    return _note(text, NoteKey(name, key.public), key.sign(text.encode()))


def open_note(note: str, key: NoteKey) -> str:
    """The text, once its one signature is this key's and holds; else ``signature_invalid``."""
    text, found, last = note.rpartition("\n\n")
    words = last.split(" ")
    if not found or len(words) != len(("dash", "name", "signature")) or len(note) > NOTE_CHARS_MAX:
        raise CallerError("signature_invalid", "not a signed note")
    text += "\n"
    signature = _base64(words[2].removesuffix("\n"))[_ID_BYTES:]
    try:
        is_canonical = _note(text, key, signature) == note
        is_signed = is_canonical and key.key.verify(signature, text.encode())
    except UnicodeEncodeError:
        is_signed = False
    if not is_signed:
        raise CallerError("signature_invalid", "the note is not signed by this key")
    return text


def _note(text: str, key: NoteKey, signature: bytes) -> str:
    return f"{text}\n{_DASH}{key.name} {base64.b64encode(key.id + signature).decode()}\n"


def _material(key: VerifyKey) -> bytes:
    if key.suite.name == "Ed25519":
        return _ED25519 + key.public
    return _own(key.suite.name) + key.public


def _own(suite: str) -> bytes:
    return _OWN + f"tillway {suite}\n".encode()


def _key_of(material: bytes) -> VerifyKey:
    if material.startswith(_ED25519):
        return VerifyKey(suite_named("Ed25519"), material[1:])
    for name, suite in SUITES.items():
        if name != "Ed25519" and material.startswith(_own(name)):
            return VerifyKey(suite, material.removeprefix(_own(name)))
    raise CallerError("field_invalid", "not a note key")


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
