"""Keys of every suite: what they accept, what they refuse, and that they may be shared."""

import copy
import gc
import pickle
import resource
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protocol.crypto import (
    SUITES,
    SigningKey,
    VerifyKey,
    ed25519,
    generate,
    hashes,
    kid_of,
    libcrypto,
    sha256,
    sm2,
    sm2_backend,
    sm2_gmssl,
    sm2_libcrypto,
)
from protocol.crypto.curves import P256, SM2, is_on_curve, signature_to_der
from protocol.errors import CallerError

ALL = sorted(SUITES)
CURVE_OF = {"SM2-SM3": SM2, "ES256": P256}
MESSAGE = b"pay 12.80 CNY"

needs_libcrypto = pytest.mark.skipif(
    sm2_backend() != "libcrypto", reason="this machine's libcrypto has no SM2"
)


@pytest.fixture(scope="module", params=ALL)
def key(request: pytest.FixtureRequest) -> SigningKey:
    return generate(request.param)


def test_a_signature_verifies_only_for_its_message_and_key(key: SigningKey) -> None:
    signature = key.sign(MESSAGE)
    assert len(signature) == key.suite.signature_bytes
    assert key.public.verify(signature, MESSAGE)
    assert not key.public.verify(signature, MESSAGE + b" ")
    assert not generate(key.suite.name).public.verify(signature, MESSAGE)
    assert key.public.verify(key.sign(b""), b"")


def test_every_flipped_bit_of_a_signature_is_refused(key: SigningKey) -> None:
    signature = key.sign(MESSAGE)
    for bit in range(8 * len(signature)):
        flipped = bytearray(signature)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not key.public.verify(bytes(flipped), MESSAGE), bit


def test_kid_is_bound_to_suite_and_key(key: SigningKey) -> None:
    suite, public = key.suite, key.public.public
    assert key.kid == key.public.kid == sha256(suite.name.encode() + public)[:8]
    others = [other for other in SUITES.values() if other is not suite]
    assert all(kid_of(other, public) != key.kid for other in others)


def test_the_wire_form_comes_back_as_the_same_key(key: SigningKey) -> None:
    again = VerifyKey.from_wire(key.public.to_wire())
    assert again == key.public
    assert hash(again) == hash(key.public)
    assert again.verify(key.sign(MESSAGE), MESSAGE)


@pytest.mark.parametrize(
    "wire",
    [
        None,
        {},
        [],
        {"suite": "SM2-SM3"},
        {"suite": "none", "public": b""},
        {"suite": "ES256", "public": "04"},
        {"suite": "Ed25519", "public": b"\x00" * 31},
        {"suite": 7, "public": b""},
    ],
)
def test_a_malformed_wire_key_is_the_caller_s_mistake(wire: object) -> None:
    with pytest.raises(CallerError) as caught:
        VerifyKey.from_wire(wire)
    assert caught.value.code == "field_invalid"


def test_a_private_key_is_neither_shown_nor_pickled(key: SigningKey) -> None:
    assert key.private_bytes().hex() not in repr(key) + str(key)
    for leak in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            leak(key)


def test_importing_checks_that_both_halves_belong_together(key: SigningKey) -> None:
    name, private = key.suite.name, key.private_bytes()
    again = SigningKey.from_private(name, private, expected_public=key.public.public)
    assert again.kid == key.kid
    with pytest.raises(CallerError):
        SigningKey.from_private(name, private, expected_public=generate(name).public.public)


@pytest.mark.parametrize("name", ["SM2-SM3", "ES256"])
def test_private_keys_out_of_range_are_refused(name: str) -> None:
    n = CURVE_OF[name].n
    refused = [0, n, n + 1, 2**256 - 1]
    if name == "SM2-SM3":
        refused.append(n - 1)  # libcrypto would sign for ever with it
    for scalar in refused:
        with pytest.raises(CallerError, match="out of range"):
            SigningKey.from_private(name, scalar.to_bytes(32, "big"))
    for wrong in (b"", b"\x01" * 31, b"\x01" * 33):
        with pytest.raises(CallerError, match="32 bytes"):
            SigningKey.from_private(name, wrong)


def test_the_largest_sm2_private_key_signs() -> None:
    key = SigningKey.from_private("SM2-SM3", (SM2.n - 2).to_bytes(32, "big"))
    assert key.public.verify(key.sign(MESSAGE), MESSAGE)


@pytest.mark.parametrize("name", ["SM2-SM3", "ES256"])
def test_public_keys_off_the_curve_or_in_another_form_are_refused(name: str) -> None:
    curve, public = CURVE_OF[name], generate(name).public.public
    flipped = public[:-1] + bytes((public[-1] ^ 1,))
    wrong = [
        b"",
        public[1:],
        b"\x02" + public[1:33],
        b"\x06" + public[1:],
        public + b"\x00",
        flipped,
        b"\x04" + bytes(64),
        b"\x00",
        b"\x04" + curve.p.to_bytes(32, "big") + public[33:],
    ]
    for form in wrong:
        with pytest.raises(CallerError):
            VerifyKey(SUITES[name], form)


def test_the_same_point_with_a_coordinate_above_p_is_refused() -> None:
    curve = SM2
    # x = 0..: find a point whose x + p still fits 32 bytes, then spell it the second way.
    for x in range(1, 200):
        square = (x**3 + curve.a * x + curve.b) % curve.p
        y = pow(square, (curve.p + 1) // 4, curve.p)
        if y * y % curve.p == square:
            break
    assert is_on_curve(curve, x, y)
    assert not is_on_curve(curve, x + curve.p, y)
    VerifyKey(SUITES["SM2-SM3"], b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))
    second = b"\x04" + (x + curve.p).to_bytes(32, "big") + y.to_bytes(32, "big")
    with pytest.raises(CallerError):
        VerifyKey(SUITES["SM2-SM3"], second)


def test_ed25519_keys_of_small_order_off_curve_or_not_canonical_are_refused() -> None:
    p = 2**255 - 19
    assert (ed25519._D * ed25519._Y_ORDER_8**2 + 1) % p != 0
    for y in ed25519.SMALL_ORDER_Y:
        assert _order_divides_eight(y)
    bad = [
        (y | sign << 255).to_bytes(32, "little") for y in ed25519.SMALL_ORDER_Y for sign in (0, 1)
    ]
    bad += [(p + y).to_bytes(32, "little") for y in range(19)]
    bad += [(2).to_bytes(32, "little"), bytes(31), bytes(33)]  # y = 2 is on no point
    for public in bad:
        with pytest.raises(CallerError):
            VerifyKey(SUITES["Ed25519"], public)


def _order_divides_eight(y: int) -> bool:
    """Double the point (x, y) three times, on y alone and x², with RFC 8032's curve equation."""
    p, d = ed25519._P, ed25519._D
    for _ in range(3):
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, p) % p
        y = (y * y + x2) * pow(1 - d * x2 * y * y, -1, p) % p
    return y == 1


def malformed(name: str, signature: bytes) -> dict[str, bytes]:
    """Seventeen ways to spell a signature wrongly, all close to the sound one."""
    n = CURVE_OF[name].n
    r, s = signature[:32], signature[32:]
    zero, order = bytes(32), n.to_bytes(32, "big")
    der = signature_to_der(CURVE_OF[name], signature)
    assert der is not None
    return {
        "r = 0": zero + s,
        "s = 0": r + zero,
        "both 0": zero + zero,
        "r = n": order + s,
        "s = n": r + order,
        "r = n + 1": (n + 1).to_bytes(32, "big") + s,
        "s = 2^256 - 1": r + b"\xff" * 32,
        "s negated twos-complement": r + (2**256 - int.from_bytes(s, "big")).to_bytes(32, "big"),
        "s + n * 2^256": r + (int.from_bytes(s, "big") + (n << 256)).to_bytes(64, "big"),
        "swapped": s + r,
        "empty": b"",
        "truncated": signature[:-1],
        "trailing byte": signature + b"\x00",
        "leading zeros": b"\x00" + r + b"\x00" + s,
        "DER": der,
        "DER, long length": b"\x30\x81" + der[1:],
        "hex text": signature.hex().encode(),
    }


@pytest.mark.parametrize("name", ["SM2-SM3", "ES256"])
def test_seventeen_malformed_signatures_are_refused_without_an_exception(name: str) -> None:
    key = generate(name)
    cases = malformed(name, key.sign(MESSAGE))
    assert len(cases) == 17
    for case, signature in cases.items():
        assert not key.public.verify(signature, MESSAGE), case


@pytest.mark.parametrize("arithmetic", [sm2_libcrypto, sm2_gmssl])
def test_both_sm2_arithmetics_refuse_the_malformed_and_the_negated(
    arithmetic: sm2.Arithmetic,
) -> None:
    scheme = sm2.Sm2Scheme(arithmetic)
    signer = scheme.signer(scheme.generate())
    verifier = scheme.verifier(signer.public)
    signature = signer.sign(MESSAGE)
    assert verifier.verify(signature, MESSAGE)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    opposite = r.to_bytes(32, "big") + (SM2.n - r).to_bytes(32, "big")  # t = r + s = 0 mod n
    negated = r.to_bytes(32, "big") + (SM2.n - s).to_bytes(32, "big")
    for wrong in (*malformed("SM2-SM3", signature).values(), opposite, negated):
        assert not verifier.verify(wrong, MESSAGE)


@needs_libcrypto
def test_libcrypto_takes_only_strict_der() -> None:
    scheme = sm2.Sm2Scheme(sm2_libcrypto)
    signer = scheme.signer(scheme.generate())
    digest = hashes.sm3(MESSAGE)
    private = libcrypto.Sm2PrivateKey((12345).to_bytes(32, "big"))
    public = libcrypto.Sm2PublicKey(private.public())
    assert signer.public != private.public()
    der = private.sign(digest)
    assert public.verify(der, digest)
    body = der[2:]
    for wrong in (
        b"",
        der[:-1],
        der + b"\x00",
        b"\x30\x81" + der[1:],
        b"\x30\x80" + body + b"\x00\x00",
        b"\x30" + bytes((len(body) + 1,)) + body + b"\x00",
        b"\x30" + bytes((len(body) + 1,)) + b"\x02" + bytes((body[1] + 1,)) + b"\x00" + body[2:],
    ):
        assert not public.verify(wrong, digest)


@needs_libcrypto
def test_a_refused_signature_leaves_no_error_behind_for_the_ssl_module() -> None:
    public = libcrypto.Sm2PublicKey(libcrypto.Sm2PrivateKey((7).to_bytes(32, "big")).public())
    assert not public.verify(b"nonsense", bytes(32))
    peek = libcrypto.library().ERR_peek_error
    assert peek() == 0
    ssl.create_default_context()


def test_sm2_key_generation_rejects_what_is_out_of_range() -> None:
    stream = [bytes(32), b"\xff" * 32, (SM2.n - 1).to_bytes(32, "big"), (5).to_bytes(32, "big")]
    scheme = sm2.Sm2Scheme(random_bytes=lambda _count: stream.pop(0))
    assert scheme.generate() == (5).to_bytes(32, "big")
    with pytest.raises(AssertionError, match="broken"):
        sm2.Sm2Scheme(random_bytes=bytes).generate()


def test_one_key_may_sign_and_verify_in_many_threads(key: SigningKey) -> None:
    def work(number: int) -> bool:
        message = number.to_bytes(4, "big")
        return key.public.verify(key.sign(message), message) and not key.public.verify(
            key.sign(message), b"other"
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


@needs_libcrypto
def test_contexts_and_keys_are_freed() -> None:
    key = generate("SM2-SM3")

    def rounds(count: int) -> None:
        for _ in range(count):
            VerifyKey(key.suite, key.public.public).verify(b"\x01" * 64, MESSAGE)
            assert not key.public.verify(b"\x01" * 64, MESSAGE)

    rounds(200)
    gc.collect()
    before_kib = _resident_kib()
    rounds(3000)
    gc.collect()
    # Leaked keys alone would be 5 MiB here.
    assert _resident_kib() - before_kib < 1536


def _resident_kib() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def test_the_bundled_sm3_equals_the_system_s() -> None:
    running = hashes._BundledSm3()
    running.update(b"ab")
    branch = running.copy()
    running.update(b"c")
    branch.update(b"d")
    assert running.digest() == hashes.sm3(b"abc")
    assert branch.digest() == hashes.sm3(b"abd")


def test_a_machine_whose_libcrypto_has_no_sm2_signs_with_the_fallback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    signed_here = generate("SM2-SM3")
    signature = signed_here.sign(MESSAGE)
    monkeypatch.setattr(libcrypto, "LIBRARY_NAMES", ("libnowhere.so.0",))
    libcrypto.library.cache_clear()
    sm2._chosen.cache_clear()
    try:
        assert sm2_backend() == "gmssl"
        key = generate("SM2-SM3")
        assert key.public.verify(key.sign(MESSAGE), MESSAGE)
        assert VerifyKey(signed_here.suite, signed_here.public.public).verify(signature, MESSAGE)
    finally:
        monkeypatch.undo()
        libcrypto.library.cache_clear()
        sm2._chosen.cache_clear()
