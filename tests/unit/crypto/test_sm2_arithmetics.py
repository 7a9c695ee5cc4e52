"""SM2's two arithmetics against each other and against gmssl itself; what fails the self test."""

import pytest

from protocol.crypto import (
    generate,
    hashes,
    libcrypto,
    sm2,
    sm2_backend,
    sm2_gmssl,
    sm2_libcrypto,
)

MESSAGE = b"pay 12.80 CNY"

needs_libcrypto = pytest.mark.skipif(
    sm2_backend() != "libcrypto", reason="this machine's libcrypto has no SM2"
)


@needs_libcrypto
def test_libcrypto_and_gmssl_verify_each_other_s_signatures() -> None:
    ours, theirs = sm2.Sm2Scheme(sm2_libcrypto), sm2.Sm2Scheme(sm2_gmssl)
    for round_ in range(12):
        private, message = ours.generate(), bytes(range(round_))
        one, other = ours.signer(private), theirs.signer(private)
        assert one.public == other.public
        assert ours.verifier(one.public).verify(other.sign(message), message)
        assert theirs.verifier(one.public).verify(one.sign(message), message)
        assert not theirs.verifier(one.public).verify(one.sign(message), message + b"!")


def test_gmssl_itself_agrees_with_our_digest_and_our_keys() -> None:
    from gmssl.sm2 import CryptSM2

    key = generate("SM2-SM3")
    reference = CryptSM2(private_key=key.private_bytes().hex(), public_key="")
    reference.public_key = key.public.public[1:].hex()
    assert reference.verify_with_sm3(key.sign(MESSAGE).hex(), MESSAGE)
    signature = reference.sign_with_sm3(MESSAGE, random_hex_str=f"{0x1234567890ABCDEF << 190:064x}")
    assert key.public.verify(bytes.fromhex(signature), MESSAGE)


def test_gmssl_keys_beginning_with_04_are_kept_whole() -> None:
    scheme = sm2.Sm2Scheme(sm2_gmssl)
    fast = sm2.Sm2Scheme(sm2_libcrypto if sm2_backend() == "libcrypto" else sm2_gmssl)
    private = next(
        candidate
        for candidate in (number.to_bytes(32, "big") for number in range(1, 2000))
        if fast.signer(candidate).public[1] == 4
    )
    signer = scheme.signer(private)
    assert scheme.verifier(signer.public).verify(signer.sign(MESSAGE), MESSAGE)


def test_gmssl_nonces_do_not_come_from_the_random_module() -> None:
    import random

    signer = sm2.Sm2Scheme(sm2_gmssl).signer((99).to_bytes(32, "big"))
    signatures = set()
    for _ in range(2):
        random.seed(1)
        signatures.add(signer.sign(MESSAGE))
    assert len(signatures) == 2


def test_gmssl_nonces_differ_between_messages_even_when_the_source_of_randomness_stands_still() -> (
    None
):
    signer = sm2_gmssl.load_private((99).to_bytes(32, "big"), bytes)
    one, other = hashes.sm3(b"one"), hashes.sm3(b"other")
    assert signer._nonce(one) != signer._nonce(other)
    assert signer.sign(one) == signer.sign(one)


def test_an_arithmetic_without_sm2_fails_the_self_test() -> None:
    class Broken:
        NAME = "broken"

        def load_private(self, private: bytes) -> sm2.DigestSigner:
            raise libcrypto.UnavailableError

        def load_public(self, public: bytes) -> sm2.DigestVerifier:
            raise libcrypto.UnavailableError

    class Credulous:
        NAME = "credulous"

        def load_private(self, private: bytes) -> sm2.DigestSigner:
            return sm2_gmssl.load_private(private)

        def load_public(self, public: bytes) -> sm2.DigestVerifier:
            class Yes:
                def verify(self, signature: bytes, digest: bytes) -> bool:
                    return True

            return Yes()

    assert not sm2.passes_self_test(Broken())
    assert not sm2.passes_self_test(Credulous())
    assert sm2.passes_self_test(sm2_gmssl)
