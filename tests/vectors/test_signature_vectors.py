"""Published examples: GB/T 32918.5, GB/T 32905, RFC 8032, RFC 6979, RFC 9052 and cose-wg."""

import base64

import pytest

from protocol import cose
from protocol.crypto import SUITES, SigningKey, VerifyKey, sha256, sm3
from protocol.crypto.sm2 import z_value

SM2_PRIVATE = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
SM2_PUBLIC = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SM2_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def test_sm3_of_the_standard_s_two_examples() -> None:
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert (
        sm3(b"abcd" * 16).hex()
        == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


def test_sm2_z_value_and_digest_of_the_standard_s_example() -> None:
    z = z_value(SM2_PUBLIC)
    assert z.hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    assert (
        sm3(z + b"message digest").hex()
        == "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640"
    )


def test_sm2_signature_of_the_standard_s_example_verifies() -> None:
    key = SigningKey.from_private("SM2-SM3", SM2_PRIVATE, expected_public=SM2_PUBLIC)
    assert key.public.verify(SM2_SIGNATURE, b"message digest")
    assert not key.public.verify(SM2_SIGNATURE, b"message digest.")


@pytest.mark.parametrize(
    ("private", "public", "message", "signature"),
    [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            (
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            (
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
            ),
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            (
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ),
        ),
    ],
)
def test_ed25519_of_rfc_8032_section_7_1(
    private: str, public: str, message: str, signature: str
) -> None:
    key = SigningKey.from_private(
        "Ed25519", bytes.fromhex(private), expected_public=bytes.fromhex(public)
    )
    assert key.sign(bytes.fromhex(message)).hex() == signature
    assert key.public.verify(bytes.fromhex(signature), bytes.fromhex(message))


@pytest.mark.parametrize(
    ("message", "r", "s"),
    [
        (
            b"sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            b"test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
            "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ],
)
def test_es256_of_rfc_6979_appendix_a_2_5_verifies(message: bytes, r: str, s: str) -> None:
    private = bytes.fromhex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
    public = bytes.fromhex(
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    )
    key = SigningKey.from_private("ES256", private, expected_public=public)
    assert key.public.verify(bytes.fromhex(r + s), message)


def _cose_wg_key() -> VerifyKey:
    x, y = (
        "usWxHK2PmfnHKwXPS54m0kTcGJ90UiglWiGahtagnv8",
        "IBOL-C3BttVivg-lSreASjpkttcsz-1rb7btKLv8EX4",
    )
    point = b"\x04" + base64.urlsafe_b64decode(x + "=") + base64.urlsafe_b64decode(y + "=")
    return VerifyKey(SUITES["ES256"], point)


CONTENT = b"This is the content."
COSE_EXAMPLES = [
    pytest.param(
        "",
        "a10126",
        "",
        "8eb33e4ca31d1c465ab05aac34cc6b23d58fef5c083106c4d25a91aef0b0117e"
        "2af9a291aa32e14ab834dc56ed2a223444547e01f11d3b0916e5a4c345cacb36",
        id="RFC 9052 C.2.1",
    ),
    pytest.param(
        "846a5369676e617475726531404054546869732069732074686520636f6e74656e742e",
        "",
        "",
        "eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e1"
        "1a02e5f0344bf2d4ee5c7fd75a68a9f5e0b3cc1f1fc1409c189566586ff9d610",
        id="cose-wg sign-pass-01",
    ),
    pytest.param(
        "846a5369676e61747572653143a101264c11aa22bb33cc44dd55006699"
        "54546869732069732074686520636f6e74656e742e",
        "a10126",
        "11aa22bb33cc44dd55006699",
        "eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e1"
        "55388b10c4f1b59a6733eab416870a945111a4b2fbdbef33a77234b1deff2f9b",
        id="cose-wg sign-pass-02, external data",
    ),
]


@pytest.mark.parametrize(("to_be_signed", "protected", "aad", "signature"), COSE_EXAMPLES)
def test_sig_structure_of_published_sign1_messages(
    to_be_signed: str, protected: str, aad: str, signature: str
) -> None:
    built = cose.sig_structure(bytes.fromhex(protected), CONTENT, bytes.fromhex(aad))
    if to_be_signed:
        assert built.hex() == to_be_signed
    assert _cose_wg_key().verify(bytes.fromhex(signature), built)
    assert not _cose_wg_key().verify(bytes.fromhex(signature), built + b"\x00")


def test_sm3_and_sha256_of_nothing() -> None:
    assert sm3(b"").hex() == "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
    assert sha256(b"").hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
