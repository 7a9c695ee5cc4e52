"""The two prime curves we use, and the checks on values that came from outside.

Only public values are computed on here: nothing in this module is constant time.
"""

from dataclasses import dataclass

from protocol.crypto.limits import EC_PUBLIC_KEY_BYTES, PRIVATE_KEY_BYTES, SIGNATURE_BYTES


@dataclass(frozen=True, slots=True)
class Curve:
    """y² = x³ + ax + b over the field of p elements; G has the prime order n; the cofactor is 1."""

    name: str
    p: int
    a: int
    b: int
    gx: int
    gy: int
    n: int


# GB/T 32918.5-2017, clause 2 (also GM/T 0003.5-2012): the recommended curve.
SM2 = Curve(
    name="SM2",
    p=0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF,
    a=0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFC,
    b=0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93,
    gx=0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    gy=0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
    n=0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123,
)

# FIPS 186-5 / SP 800-186, P-256.
P256 = Curve(
    name="P-256",
    p=0xFFFFFFFF_00000001_00000000_00000000_00000000_FFFFFFFF_FFFFFFFF_FFFFFFFF,
    a=0xFFFFFFFF_00000001_00000000_00000000_00000000_FFFFFFFF_FFFFFFFF_FFFFFFFC,
    b=0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
    gx=0x6B17D1F2_E12C4247_F8BCE6E5_63A440F2_77037D81_2DEB33A0_F4A13945_D898C296,
    gy=0x4FE342E2_FE1A7F9B_8EE7EB4A_7C0F9E16_2BCE3357_6B315ECE_CBB64068_37BF51F5,
    n=0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
)


def is_on_curve(curve: Curve, x: int, y: int) -> bool:
    """Whether (x, y) is a point of the curve in its one encoding. As h = 1, it then has order n."""
    if not (0 <= x < curve.p and 0 <= y < curve.p):
        return False
    return (y * y - (x * x * x + curve.a * x + curve.b)) % curve.p == 0


def point_from_bytes(curve: Curve, public: bytes) -> tuple[int, int]:
    """The coordinates of an uncompressed point ``04 x y``; ``ValueError`` for anything else."""
    if len(public) != EC_PUBLIC_KEY_BYTES or public[0] != 4:
        raise ValueError("a public key is 65 bytes: 04, x, y")
    x, y = int.from_bytes(public[1:33], "big"), int.from_bytes(public[33:], "big")
    if not is_on_curve(curve, x, y):
        raise ValueError("the public key is not a point of the curve")
    return x, y


def scalar_from_bytes(private: bytes, *, scalar_max: int) -> int:
    """A private key in 1…``scalar_max``; ``ValueError`` for anything else."""
    if len(private) != PRIVATE_KEY_BYTES:
        raise ValueError("a private key is 32 bytes")
    scalar = int.from_bytes(private, "big")
    if not 1 <= scalar <= scalar_max:
        raise ValueError("the private key is out of range")
    return scalar


def signature_to_der(curve: Curve, signature: bytes) -> bytes | None:
    """The one DER form of ``r || s`` (RFC 9053 §2.1), or None unless 1 ≤ r, s < n in 64 bytes."""
    if len(signature) != SIGNATURE_BYTES:
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (1 <= r < curve.n and 1 <= s < curve.n):
        return None
    body = _der_integer(r) + _der_integer(s)
    return bytes((0x30, len(body))) + body


def signature_from_der(der: bytes) -> bytes:
    """``r || s`` of a DER signature that our own libcrypto made."""
    r_end = 4 + der[3]
    r, s = int.from_bytes(der[4:r_end], "big"), int.from_bytes(der[r_end + 2 :], "big")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _der_integer(value: int) -> bytes:
    body = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return bytes((0x02, len(body))) + body
