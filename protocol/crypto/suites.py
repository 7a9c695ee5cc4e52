"""The signature suites, as data. A new suite is a new row and, at most, a new :class:`Scheme`."""

from dataclasses import dataclass

from protocol.crypto.ed25519 import Ed25519Scheme
from protocol.crypto.p256 import P256Scheme
from protocol.crypto.scheme import Scheme
from protocol.crypto.sm2 import Sm2Scheme
from protocol.errors import CallerError

# RFC 9053 §2.1 and §2.2 (IANA "COSE Algorithms").
COSE_ES256 = -7
COSE_EDDSA = -8
# IANA has no number for SM2; RFC 9052 §11.1 keeps values below -65536 for private use. Ours:
# SM2 with SM3, user id 1234567812345678, signature r || s of 64 bytes.
COSE_SM2_SM3 = -65_601


@dataclass(frozen=True, slots=True)
class Suite:
    """A signature algorithm with all its choices made.

    ``hash`` names an entry of :data:`protocol.crypto.hashes.HASHES` where the suite's users need
    a hash of the same family; ``scheme`` does the work. A hybrid is a scheme of two schemes.
    """

    name: str
    cose_alg: int
    hash: str
    scheme: Scheme
    signature_bytes: int
    public_bytes: int


SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite("SM2-SM3", COSE_SM2_SM3, "SM3", Sm2Scheme(), 64, 65),
        Suite("ES256", COSE_ES256, "SHA-256", P256Scheme(), 64, 65),
        Suite("Ed25519", COSE_EDDSA, "SHA-256", Ed25519Scheme(), 64, 32),
    )
}
BY_COSE_ALG: dict[int, Suite] = {suite.cose_alg: suite for suite in SUITES.values()}
DEFAULT_SUITE = "SM2-SM3"


def suite_named(name: str) -> Suite:
    """The suite of this name; ``CallerError("field_invalid")`` if we have none."""
    found = SUITES.get(name)
    if found is None:
        raise CallerError("field_invalid", "unknown suite")
    return found
