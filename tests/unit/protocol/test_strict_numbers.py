"""A truth value, which Python takes for 0 or 1, is no key, version, count or time on the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from protocol import answers, batch, cbor, cose, envelope, merkle
from protocol.answers import Answer
from protocol.crypto.hashes import sm3
from protocol.crypto.keys import generate
from protocol.errors import CallerError
from protocol.ids import mint
from protocol.limits import COUNTER_MAX
from protocol.messages.enrolment import RotateRequest

KEY = generate("ES256")
REQUEST = mint("req", time_ms=1, random_bytes=bytes(10))


def batch_of(**changes: Any) -> dict[object, Any]:
    fields = {"version": 1, "hub": "hub-1", "id": "b", "at": 1, "rows": [[1, b"x"]]} | changes
    return {1: fields["version"], 2: fields["hub"], 3: fields["id"], 4: fields["at"],
            5: fields["rows"]}  # fmt: skip


def envelope_of() -> dict[object, Any]:
    return {
        1: 1, 2: "payment.query", 3: REQUEST, 4: "till-1", 5: "s1", 6: 1, 7: 1, 8: 1, 9: bytes(12),
        10: "tw1/s1/t/till-1/res", 11: {}, 12: "t",
    }  # fmt: skip


def refused(unseal: Callable[[bytes], object], data: bytes) -> str:
    with pytest.raises(CallerError) as caught:
        unseal(data)
    return caught.value.code


@pytest.mark.parametrize("wrong", [-1, True, COUNTER_MAX + 1, "1", None])
def test_a_batch_with_a_wrong_time_is_refused(wrong: object) -> None:
    for fields in (batch_of(at=wrong), batch_of(rows=[[wrong, b"x"]])):
        assert refused(batch.unseal, cose.sign1(KEY, cbor.encode(fields))) == "envelope_malformed"


def test_a_batch_needs_its_version() -> None:
    fields = batch_of()
    del fields[1]
    assert refused(batch.unseal, cose.sign1(KEY, cbor.encode(fields))) == "envelope_malformed"


@pytest.mark.parametrize("version", [True, 0, 2, "1", None])
def test_a_version_is_exactly_that_number(version: object) -> None:
    sealed = cose.sign1(KEY, cbor.encode(batch_of(version=version)))
    assert refused(batch.unseal, sealed) == "envelope_version"
    sealed = cose.sign1(KEY, cbor.encode(envelope_of() | {1: version}))
    assert refused(envelope.unseal, sealed) == "envelope_version"
    payload = cbor.encode({1: version, 2: "t", 3: "", 4: "d", 5: 1, 6: {}, 7: "t", 8: "s"})
    assert refused(answers.unseal, answer_around(payload)) == "envelope_version"
    assert refused(RotateRequest.from_bytes, cbor.encode({1: version})) == "envelope_version"


def test_a_truth_value_is_no_key() -> None:
    fields = envelope_of()
    del fields[1]
    data = cbor.encode({True: 1, **fields})
    assert refused(envelope.unseal, cose.sign1(KEY, data)) == "envelope_malformed"
    for data in (b"\xa1\xf5\x01", b"\xa1\xf4\x01", b"\x81\xa1\xf5\x01", b"\xa1\xf6\x01"):
        assert refused(lambda data: cbor.decode(data, bytes_max=99), data) == "envelope_malformed"
    assert cbor.decode(b"\xa1\x01\xf5", bytes_max=99) == {1: True}


@pytest.mark.parametrize(("index", "size"), [(False, 1), (0, True), (-1, 1)])
def test_a_truth_value_is_no_place_in_a_tree(index: object, size: object) -> None:
    said = Answer(message_type="t", request_id="", device="d", store="s", answered_at_ms=1,
                  body={}, trace_id="t")  # fmt: skip
    wire = cbor.decode(answers.seal_group([said], KEY)[0], bytes_max=9999)
    wire[1:3] = index, size
    assert refused(answers.unseal, cbor.encode(wire)) == "envelope_malformed"


def answer_around(payload: bytes) -> bytes:
    root = merkle.Tree([payload], sm3).root
    return cbor.encode([payload, 0, 1, [], cose.sign1(KEY, b"tillway-answers-v1" + root)])
