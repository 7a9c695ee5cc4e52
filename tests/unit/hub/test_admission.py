"""Every check of an envelope, each with its own code."""

from collections.abc import Iterator
from typing import Any

import pytest

from hub.domain.admission import Accept, Arrival, Refuse, examine
from protocol.crypto.keys import generate
from protocol.limits import CLOCK_SKEW_MS_MAX, ENVELOPE_BYTES_MAX
from tests.kit.hub_shop import NOW_MS, Bench


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    made.enrol("till-1", "till-2")
    yield made
    made.close()


def test_a_good_envelope_is_accepted_settled_and_forwarded(bench: Bench) -> None:
    ticket = bench.hub.receive("till-1", bench.shop.envelope("till-1", 1))
    assert bench.link.settled == [ticket]
    assert [one.device for one in bench.line.requests(1)] == ["till-1"]
    assert not bench.link.told


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("identity_mismatch", {"store": "store-2"}),
        ("reply_address_invalid", {"reply_to": "tw1/store-1/t/till-2/res"}),
        ("reply_address_invalid", {"reply_to": "coap:till-1"}),
        ("envelope_stale", {"sent_at_ms": NOW_MS - CLOCK_SKEW_MS_MAX - 1}),
        ("envelope_stale", {"sent_at_ms": NOW_MS + CLOCK_SKEW_MS_MAX + 1}),
        ("signature_invalid", {"key": generate("ES256")}),
    ],
)
def test_a_wrong_field_is_refused_with_its_code(
    bench: Bench, code: str, change: dict[str, Any]
) -> None:
    ticket = bench.hub.receive("till-1", bench.shop.envelope("till-1", 1, **change))
    assert bench.link.words() == [("till-1", code)]
    assert bench.link.settled == [ticket]
    assert not bench.line.batches
    assert bench.hub.core.uplink.refused == {code: 1}


def test_a_forged_signature_under_the_right_key_id_is_refused(bench: Bench) -> None:
    good = bench.shop.envelope("till-1", 1)
    forged = good[:-1] + bytes((good[-1] ^ 1,))
    bench.hub.receive("till-1", forged)
    assert bench.link.words() == [("till-1", "signature_invalid")]
    bench.hub.receive("till-1", good)
    assert len(bench.line.batches) == 1, "a forgery does not use up the true envelope's position"


def test_bytes_that_are_no_envelope_are_malformed(bench: Bench) -> None:
    bench.hub.receive("till-1", b"\x00garbage")
    assert bench.link.words() == [("till-1", "envelope_malformed")]


def test_an_envelope_of_another_version_is_named_so(bench: Bench) -> None:
    from protocol import cbor, cose

    payload = cbor.encode({1: 9, 4: "till-1"})
    bench.hub.receive("till-1", cose.sign1(bench.shop.key_of("till-1"), payload))
    assert bench.link.words() == [("till-1", "envelope_version")]


def test_too_many_bytes_are_refused_unread(bench: Bench) -> None:
    bench.hub.receive("till-1", bytes(ENVELOPE_BYTES_MAX + 1))
    assert bench.link.words() == [("till-1", "envelope_too_large")]


def test_a_device_nobody_enrolled_is_unknown(bench: Bench) -> None:
    bench.hub.receive("till-9", bench.shop.envelope("till-9", 1))
    assert bench.link.words() == [("till-9", "device_unknown")]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("revoked", "device_revoked"),
        ("suspended", "device_suspended"),
        ("enrolled", "device_suspended"),
        ("a status of the future", "device_suspended"),
    ],
)
def test_only_an_active_device_is_heard(bench: Bench, status: str, code: str) -> None:
    bench.enrol("till-1", status=status, revision=2)
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 1))
    assert bench.link.words() == [("till-1", code)]
    assert not bench.line.batches


def test_a_device_cannot_speak_on_another_ones_connection(bench: Bench) -> None:
    bench.hub.receive("till-2", bench.shop.envelope("till-1", 1))
    assert bench.link.words() == [("till-2", "identity_mismatch")]


def test_a_copy_is_refused_as_replayed(bench: Bench) -> None:
    wire = bench.shop.envelope("till-1", 5)
    bench.hub.receive("till-1", wire)
    bench.hub.receive("till-1", wire)
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 4))
    assert bench.link.words() == [("till-1", "envelope_replayed")] * 2
    bench.hub.receive("till-1", bench.shop.envelope("till-1", 1, epoch=2))
    assert bench.hub.core.forwarding.rows == 2, "a new boot epoch begins again"


def test_a_replay_is_still_known_after_a_crash(bench: Bench) -> None:
    wire = bench.shop.envelope("till-1", 5)
    bench.hub.receive("till-1", wire)
    bench.answer(1)
    bench.start()
    bench.hub.receive("till-1", wire)
    assert bench.link.words() == [("till-1", "envelope_replayed")]


def test_over_coap_the_signature_alone_is_the_identity(bench: Bench) -> None:
    wire = bench.shop.envelope("till-1", 1, transport="coap")
    bench.hub.receive(None, wire, transport="coap")
    assert len(bench.line.batches) == 1
    bench.hub.receive(None, b"noise", transport="coap")
    assert bench.link.words() == [("", "envelope_malformed")]


def test_a_foreign_mqtt_response_topic_is_refused(bench: Bench) -> None:
    wire = bench.shop.envelope("till-1", 1)
    bench.hub.receive("till-1", wire, response_topic="tw1/store-1/t/till-2/res")
    assert bench.link.words() == [("till-1", "reply_address_invalid")]
    bench.hub.receive("till-1", wire, response_topic="tw1/store-1/t/till-1/res")
    assert len(bench.line.batches) == 1


def test_examine_is_a_pure_verdict(bench: Bench) -> None:
    registry = bench.hub.core.registry

    def judge(payload: bytes, identity: str) -> Accept | Refuse:
        arrival = Arrival(
            transport="mqtt", payload=payload, received_at_ms=NOW_MS, identity=identity
        )
        return examine(arrival, store="store-1", registry=registry, now_ms=NOW_MS)

    assert isinstance(judge(bench.shop.envelope("till-1", 1), "till-1"), Accept)
    assert judge(b"", "till-1") == Refuse("envelope_malformed", "till-1", detail="not a COSE_Sign1")
