"""COSE_Sign1: one encoding, the exact bytes, the right key."""

import cbor2
import pytest

from protocol import cose
from protocol.crypto import SUITES, SigningKey, generate
from protocol.errors import CallerError

KEYS = {name: generate(name) for name in SUITES}
PAYLOAD = b"\xa1\x01\x02 exact bytes"


@pytest.fixture(params=sorted(SUITES))
def key(request: pytest.FixtureRequest) -> SigningKey:
    return KEYS[request.param]


def believed(data: bytes, key: SigningKey) -> bool:
    try:
        return cose.verify1(cose.parse1(data), key.public)
    except CallerError:
        return False


def build(
    protected: object = None,
    unprotected: object = None,
    payload: object = PAYLOAD,
    signature: object = b"s" * 64,
    tag: int = 18,
) -> bytes:
    inner = {1: -7, 4: b"k" * 8} if protected is None else protected
    body = inner if isinstance(inner, bytes) else cbor2.dumps(inner, canonical=True)
    parts = [body, {} if unprotected is None else unprotected, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(tag, parts), canonical=True)


def test_a_signed_payload_comes_back_and_verifies(key: SigningKey) -> None:
    message = cose.parse1(cose.sign1(key, PAYLOAD))
    assert (message.alg, message.kid, message.payload) == (key.suite.cose_alg, key.kid, PAYLOAD)
    assert cose.verify1(message, key.public)


def test_external_data_is_signed_too(key: SigningKey) -> None:
    message = cose.parse1(cose.sign1(key, PAYLOAD, b"context"))
    assert cose.verify1(message, key.public, b"context")
    assert not cose.verify1(message, key.public)
    assert not cose.verify1(message, key.public, b"contexT")


def test_another_reader_sees_rfc_9052_s_shape(key: SigningKey) -> None:
    data = cose.sign1(key, PAYLOAD)
    tagged = cbor2.loads(data)
    protected, unprotected, payload, signature = tagged.value
    assert tagged.tag == 18
    assert cbor2.loads(protected) == {1: key.suite.cose_alg, 4: key.kid}
    assert unprotected == {}
    assert payload == PAYLOAD
    assert len(signature) == 64
    assert cbor2.dumps(tagged, canonical=True) == data


@pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_535, 65_536])
def test_every_length_of_payload_uses_the_shortest_head(size: int) -> None:
    data = cose.sign1(KEYS["Ed25519"], b"x" * size)
    assert cbor2.dumps(cbor2.loads(data), canonical=True) == data
    assert len(cose.parse1(data, bytes_max=100_000).payload) == size


def test_a_key_of_another_suite_or_kid_does_not_verify() -> None:
    message = cose.parse1(cose.sign1(KEYS["ES256"], PAYLOAD))
    assert not cose.verify1(message, KEYS["SM2-SM3"].public)
    assert not cose.verify1(message, generate("ES256").public)


def test_a_signature_longer_than_any_suite_s_is_malformed() -> None:
    with pytest.raises(CallerError) as caught:
        cose.parse1(build(signature=b"s" * 9000), bytes_max=100_000)
    assert caught.value.code == "envelope_malformed"


def test_any_flipped_bit_is_malformed_or_refused(key: SigningKey) -> None:
    data = cose.sign1(key, PAYLOAD)
    assert believed(data, key)
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not believed(bytes(flipped), key), bit


def test_the_sound_form_of_the_table_below_is_accepted() -> None:
    assert cose.parse1(build()).payload == PAYLOAD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xd2",
        b"\xd2\x84",
        build()[:-1],
        build() + b"\x00",
        build()[1:],  # untagged
        build(tag=17),
        build(tag=98),
        b"\xd8\x12" + build()[1:],  # the tag's long form
        build(unprotected={4: b"11"}),
        build(payload=None),
        build(payload="text"),
        build(signature=b""),
        build(protected={}),
        build(protected=b""),
        build(protected={1: -7}),
        build(protected={4: b"k" * 8}),
        build(protected={1: -7, 4: b"k" * 7}),
        build(protected={1: -7, 4: "k" * 8}),
        build(protected={1: "ES256", 4: b"k" * 8}),
        build(protected={1: -7, 2: [9], 4: b"k" * 8}),
        build(protected={1: True, 4: b"k" * 8}),
        build(protected=bytes.fromhex("a2044801020304050607080126")),  # keys in another order
        build(protected=bytes.fromhex("a20138060448") + b"k" * 8),  # -7 in two bytes
        build(protected=bytes.fromhex("bf01260448") + b"k" * 8 + b"\xff"),  # indefinite map
        build(protected=bytes.fromhex("a201260126")),  # a key twice
        build(protected={1: -7, 4: b"k" * 8, 99: b"z" * 60}),
        b"\xd2\x84\x58\x05" + b"\xa1\x01\x26\x04\x41" + build()[3:],
        b"\xd2\x84" + b"\x5b" + b"\xff" * 8,  # a byte string of 2^64 - 1
        b"\xd2\x84" + b"\x5f\x41\xa0\xff" + b"\xa0\x40\x41s",
        b"\xd2\x9f" + build()[2:] + b"\xff",
        b"\x81" * 500,
    ],
)
def test_every_other_encoding_is_malformed(data: bytes) -> None:
    with pytest.raises(CallerError) as caught:
        cose.parse1(data)
    assert caught.value.code == "envelope_malformed"


def test_what_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(CallerError) as caught:
        cose.parse1(build(payload=b"x" * 100), bytes_max=100)
    assert caught.value.code == "envelope_too_large"
