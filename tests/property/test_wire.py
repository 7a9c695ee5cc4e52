"""Everything that travels: decode∘encode is the identity, any flipped bit is refused, and no
sequence of bytes crashes a decoder.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol import answers, batch, cbor, cose, envelope
from protocol.answers import Answer
from protocol.batch import Batch, BatchItem
from protocol.crypto.keys import SigningKey, generate
from protocol.crypto.suites import SUITES
from protocol.envelope import Envelope
from protocol.errors import CallerError, TillwayError
from protocol.ids import from_bytes
from protocol.limits import BATCH_ITEMS_MAX, CLOCK_SKEW_MS_MAX, ENVELOPE_BYTES_MAX

KEYS = {suite: generate(suite) for suite in SUITES}
OTHER = generate("ES256")

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.text(max_size=20)
    | st.binary(max_size=20)
)
plain = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(max_size=12), plain, max_size=5)
counts = st.integers(0, 2**63 - 1)
envelopes = st.builds(
    Envelope,
    message_type=st.sampled_from(["payment.create", "x"]),
    request_id=st.binary(min_size=16, max_size=16).map(lambda raw: from_bytes("req", raw)),
    device=names,
    store=names,
    boot_epoch=counts,
    counter=counts,
    sent_at_ms=counts,
    nonce=st.binary(min_size=12, max_size=12),
    reply_to=names.map(lambda name: f"coap:{name}"),
    body=bodies,
    trace_id=names,
    fingerprint=st.one_of(st.just(b""), st.binary(min_size=16, max_size=16)),
    extra=st.dictionaries(st.integers(14, 99), plain, max_size=2),
)
answer_values = st.builds(
    Answer,
    message_type=names,
    request_id=names,
    device=names,
    store=names,
    answered_at_ms=counts,
    body=bodies,
    trace_id=names,
)
keys = st.sampled_from([KEYS[suite] for suite in sorted(KEYS)])
quiet = settings(max_examples=60)


@given(envelopes, keys)
@quiet
def test_an_envelope_arrives_as_it_was_sealed(sent: Envelope, key: SigningKey) -> None:
    sealed = envelope.unseal(envelope.seal(sent, key))
    sealed.verify(key.public)
    assert sealed.envelope == sent
    assert sealed.sign1.kid == key.kid
    with pytest.raises(CallerError) as caught:
        sealed.verify(OTHER.public)
    assert caught.value.code == "signature_invalid"


@given(envelopes, keys, st.data())
@quiet
def test_any_flipped_bit_of_an_envelope_is_refused(
    sent: Envelope, key: SigningKey, data: st.DataObject
) -> None:
    sealed = bytearray(envelope.seal(sent, key))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TillwayError):
        envelope.unseal(bytes(sealed)).verify(key.public)


@given(envelopes)
@quiet
def test_a_retry_has_the_content_of_the_first_try_and_other_content_has_not(
    sent: Envelope,
) -> None:
    retry = dataclasses.replace(sent, counter=1, boot_epoch=2, sent_at_ms=3, nonce=b"n" * 12)
    assert envelope.content_hash(retry) == envelope.content_hash(sent)
    other = dataclasses.replace(sent, body={**sent.body, "": 1 if sent.body.get("") != 1 else 2})
    assert envelope.content_hash(other) != envelope.content_hash(sent)


@given(st.lists(answer_values, min_size=1, max_size=9), keys)
@quiet
def test_every_answer_of_a_group_is_proved_by_the_one_signature(
    group: list[Answer], key: SigningKey
) -> None:
    for said, wire in zip(group, answers.seal_group(group, key), strict=True):
        sealed = answers.unseal(wire)
        assert sealed.kid == key.kid
        assert sealed.verify(key.public) == said
        with pytest.raises(CallerError):
            sealed.verify(OTHER.public)


@given(st.lists(answer_values, min_size=1, max_size=5), keys, st.data())
@quiet
def test_any_flipped_bit_of_an_answer_is_refused(
    group: list[Answer], key: SigningKey, data: st.DataObject
) -> None:
    wire = bytearray(data.draw(st.sampled_from(answers.seal_group(group, key))))
    bit = data.draw(st.integers(0, len(wire) * 8 - 1))
    wire[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TillwayError):
        answers.unseal(bytes(wire)).verify(key.public)


def test_an_answer_cannot_be_moved_into_the_place_of_another() -> None:
    key = KEYS["ES256"]
    group = [
        Answer(message_type="t", request_id=f"r{n}", device="d", store="s", answered_at_ms=n,
               body={}, trace_id="x")
        for n in range(4)
    ]  # fmt: skip
    first, second, *_ = [
        cbor.decode(wire, bytes_max=9999) for wire in answers.seal_group(group, key)
    ]
    swapped = cbor.encode([first[0], *second[1:]])
    with pytest.raises(CallerError):
        answers.unseal(swapped).verify(key.public)


@given(
    st.lists(st.tuples(counts, st.binary(max_size=200)), min_size=1, max_size=BATCH_ITEMS_MAX),
    names,
    keys,
)
@quiet
def test_a_batch_arrives_as_it_was_sealed(
    rows: list[tuple[int, bytes]], hub: str, key: SigningKey
) -> None:
    sent = Batch(hub, "b1", 5, tuple(BatchItem(at_ms, data) for at_ms, data in rows))
    assert batch.unseal(batch.seal(sent, key)).verify(key.public) == sent


def test_a_batch_is_neither_empty_nor_too_long() -> None:
    item = BatchItem(1, b"x")
    for items in ((), (item,) * (BATCH_ITEMS_MAX + 1)):
        with pytest.raises(ValueError, match="1 to 50"):
            batch.seal(Batch("h", "b", 1, items), KEYS["ES256"])


UNSEALERS: list[Callable[[bytes], Any]] = [
    envelope.unseal,
    envelope.decode_payload,
    answers.unseal,
    batch.unseal,
    cose.parse1,
    lambda data: cbor.decode(data, bytes_max=1000),
]


@pytest.mark.parametrize("unseal", UNSEALERS)
@given(data=st.binary(max_size=300))
@example(data=b"\x81" * 290 + b"\x01")
@example(data=b"\xd2\x84\x43\xa1\x01\x26\xa0")
@example(data=b"\x9b" + b"\xff" * 8)
@example(data=b"\xbf\xff")
@settings(max_examples=400)
def test_arbitrary_bytes_are_refused_with_a_code_of_ours(
    unseal: Callable[[bytes], Any], data: bytes
) -> None:
    try:
        unseal(data)
    except TillwayError as error:
        assert error.advice.retry == "never"


@given(plain)
@quiet
def test_plain_values_survive_cbor(value: Any) -> None:
    if isinstance(value, int) and value >= 2**63:
        return
    assert cbor.decode(cbor.encode(value), bytes_max=100_000) == value


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), {1.5: 1}, b"x" * 2000, {"a": 1.0}, [[[[[[[[[[1]]]]]]]]]]]
)
def test_floats_and_oversized_and_too_deep_values_are_refused(value: object) -> None:
    with pytest.raises(CallerError):
        cbor.decode(cbor.encode(value), bytes_max=1000)


def test_trailing_bytes_and_duplicate_keys_are_refused() -> None:
    for data in (b"\x01\x01", b"\xa2\x01\x01\x01\x02", b"\xc0\x60", b"\xf7"):
        with pytest.raises(CallerError) as caught:
            cbor.decode(data, bytes_max=100)
        assert caught.value.code == "envelope_malformed"


def sample(**changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "message_type": "payment.query",
        "request_id": from_bytes("req", bytes(16)),
        "device": "pos-1",
        "store": "s1",
        "boot_epoch": 1,
        "counter": 1,
        "sent_at_ms": 10**12,
        "nonce": bytes(12),
        "reply_to": "coap:pos-1",
        "body": {},
        "trace_id": "t",
    }
    return Envelope(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"device": "a/b"}, "envelope_malformed", "device"),
        ({"store": "#"}, "envelope_malformed", "store"),
        ({"request_id": "req_x"}, "id_invalid", "request_id"),
        ({"counter": -1}, "envelope_malformed", "counter"),
        ({"sent_at_ms": -1}, "envelope_malformed", "sent_at_ms"),
        ({"sent_at_ms": 2**64}, "envelope_malformed", ""),
        ({"nonce": b"short"}, "envelope_malformed", "nonce"),
        ({"trace_id": "\n"}, "envelope_malformed", "trace_id"),
        ({"message_type": ""}, "envelope_malformed", "type"),
        ({"fingerprint": b"short"}, "envelope_malformed", "fingerprint"),
        ({"body": {"x": "y" * ENVELOPE_BYTES_MAX}}, "envelope_too_large", ""),
        ({"extra": {1: 2}}, None, ""),
    ],
)
def test_a_wrong_field_of_an_envelope_is_named(
    changes: dict[str, Any], code: str | None, named: str
) -> None:
    data = envelope.seal(sample(**changes), KEYS["ES256"])
    if code is None:
        assert envelope.unseal(data).envelope.extra == {}
        return
    with pytest.raises(CallerError) as caught:
        envelope.unseal(data)
    assert (caught.value.code, caught.value.detail) == (code, named)


def test_another_version_is_refused_as_such() -> None:
    fields = cbor.decode(envelope.encode_payload(sample()), bytes_max=9999)
    data = cose.sign1(KEYS["ES256"], cbor.encode({**fields, 1: 2}))
    with pytest.raises(CallerError) as caught:
        envelope.unseal(data)
    assert caught.value.code == "envelope_version"


@pytest.mark.parametrize("skew_ms", [0, CLOCK_SKEW_MS_MAX, -CLOCK_SKEW_MS_MAX])
def test_an_envelope_within_five_minutes_is_fresh(skew_ms: int) -> None:
    envelope.check_freshness(sample(), now_ms=10**12 + skew_ms)


@pytest.mark.parametrize("skew_ms", [CLOCK_SKEW_MS_MAX + 1, -CLOCK_SKEW_MS_MAX - 1])
def test_an_envelope_beyond_five_minutes_is_stale(skew_ms: int) -> None:
    with pytest.raises(CallerError) as caught:
        envelope.check_freshness(sample(), now_ms=10**12 + skew_ms)
    assert caught.value.code == "envelope_stale"
