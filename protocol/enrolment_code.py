"""The one-time code that an operator gives to a machine: ``7KQ2-M0XF-…``, eight groups of four.

Crockford base32: 4 characters find the code (20 bits), 12 are the secret (60 bits), 16 are the
start of the CA certificate's SHA-256 (80 bits), so that the machine can tell our backend from
another before it says the secret. A person may type O for 0, I or L for 1, and any case.
"""

from dataclasses import dataclass

from protocol.crypto.hashes import sha256
from protocol.errors import CallerError

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SPOKEN = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "\n": "", "\t": ""})
ID_CHARS, SECRET_CHARS, _FINGERPRINT_CHARS = 4, 12, 16
_TYPED_CHARS_MAX = 128
RANDOM_BYTES = 10
FINGERPRINT_BYTES = 10


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """A code as it is printed. The secret is shown by ``text`` only."""

    code_id: str
    secret: str
    fingerprint: str

    def text(self) -> str:
        """The eight groups."""
        joined = self.code_id + self.secret + self.fingerprint
        return "-".join(joined[at : at + 4] for at in range(0, len(joined), 4))

    def digest(self) -> bytes:
        """What the backend stores and compares instead of the secret."""
        return digest_of(self.code_id, self.secret)

    def names_ca(self, ca_certificate_der: bytes) -> bool:
        """Whether this is the CA that the code was printed for."""
        return fingerprint_of(ca_certificate_der) == self.fingerprint

    def __repr__(self) -> str:
        return f"PrintedCode({self.code_id})"


def mint_code(random_bytes: bytes, ca_certificate_der: bytes) -> PrintedCode:
    """A code from ``RANDOM_BYTES`` unpredictable bytes and the CA it belongs to."""
    if len(random_bytes) != RANDOM_BYTES:
        raise ValueError("a code needs 10 random bytes")
    letters = _letters(random_bytes, ID_CHARS + SECRET_CHARS)
    fingerprint = fingerprint_of(ca_certificate_der)
    return PrintedCode(letters[:ID_CHARS], letters[ID_CHARS:], fingerprint)


def read_code(typed: str) -> PrintedCode:
    """Read what a person typed; ``CallerError("enrol_code_invalid")`` if it is no code."""
    plain = typed[:_TYPED_CHARS_MAX].upper().translate(_SPOKEN)
    whole = ID_CHARS + SECRET_CHARS + _FINGERPRINT_CHARS
    if len(plain) != whole or not set(plain) <= set(_ALPHABET):
        raise CallerError("enrol_code_invalid")
    secret_end = ID_CHARS + SECRET_CHARS
    return PrintedCode(plain[:ID_CHARS], plain[ID_CHARS:secret_end], plain[secret_end:])


def digest_of(code_id: str, secret: str) -> bytes:
    """The hash of a secret. The secret is what travels: who reads the hash cannot join with it."""
    return sha256(f"tillway-enrolment-code-v1:{code_id}:{secret}".encode())


def fingerprint_of(ca_certificate_der: bytes) -> str:
    """The code's part that names a CA."""
    return _letters(sha256(ca_certificate_der)[:FINGERPRINT_BYTES], _FINGERPRINT_CHARS)


def _letters(raw: bytes, count: int) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(_ALPHABET[number >> 5 * at & 31] for at in range(count - 1, -1, -1))
