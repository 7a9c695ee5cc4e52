"""From the spool to the backend and back: batches, order, retries, what the terminal is told."""

from collections.abc import Iterator

import pytest

from hub.domain.forwarding import ForwardingLimits
from hub.domain.limits import (
    ANSWER_RECORD_AFTER_MS,
    DEGRADED_AFTER_MS,
    LINE_RETRY_MS_MAX,
    LINE_RETRY_MS_MIN,
    PARCEL_RETRY_MS,
    UNKNOWN_AFTER_MS,
    UPLINK_ROWS_PER_DEVICE_MAX,
)
from protocol import answers
from protocol.crypto.keys import generate
from tests.kit.hub_shop import Bench, say

TILLS = [f"till-{number}" for number in range(1, 101)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(limits=ForwardingLimits(batches_in_flight_max=2, batch_linger_ms=0))
    made.enrol(*TILLS[:60])
    yield made
    made.close()


def test_the_answer_goes_to_the_device_unchanged(bench: Bench) -> None:
    say(bench, "till-1", 1)
    wires = bench.shop.answer_batch(bench.line.batches[1])
    bench.hub.batch_answered(1, wires)
    device, wire, parcel = bench.link.told[-1]
    assert (device, wire) == ("till-1", wires[0])
    assert parcel is not None
    bench.hub.delivered("till-1", parcel)
    assert bench.hub.core.delivery.parcels == 0
    assert bench.hub.core.forwarding.rows == 0


def test_a_device_is_never_in_two_batches_at_once(bench: Bench) -> None:
    say(bench, "till-1", 1)
    say(bench, "till-1", 2)
    say(bench, "till-2", 1)
    say(bench, "till-1", 3)
    assert [one.device for one in bench.line.requests(2)] == ["till-2"]
    assert 3 not in bench.line.batches
    bench.answer(1)
    assert [one.counter for one in bench.line.requests(3)] == [2, 3], "in their order, together"


def test_a_lost_batch_goes_again_with_the_same_items(bench: Bench) -> None:
    say(bench, "till-1", 1)
    (before,) = bench.line.requests(1)
    bench.hub.batch_lost(1)
    say(bench, "till-2", 1)
    bench.hub.tick()
    assert 2 not in bench.line.batches, "the line is down: nothing goes before its time"
    bench.clock.ms += LINE_RETRY_MS_MIN
    bench.hub.tick()
    (again,) = bench.line.requests(2)
    assert again == before
    assert 3 not in bench.line.batches, "one batch probes"
    bench.answer(2)
    assert [one.device for one in bench.line.requests(3)] == ["till-2"]


def test_the_pauses_grow_up_to_their_maximum_and_a_break_counts_once(bench: Bench) -> None:
    say(bench, "till-1", 1)
    say(bench, "till-2", 1)
    bench.hub.batch_lost(1)
    bench.hub.batch_lost(2)
    line = bench.hub.core.line
    assert line.retry_at_ms <= bench.clock.ms + LINE_RETRY_MS_MIN
    pauses = []
    for number in range(3, 15):
        bench.clock.ms = line.retry_at_ms
        bench.hub.tick()
        bench.hub.batch_lost(number)
        pauses.append(line.retry_at_ms - bench.clock.ms)
    assert pauses[-1] >= LINE_RETRY_MS_MAX // 2
    assert max(pauses) <= LINE_RETRY_MS_MAX


def test_the_terminal_hears_unknown_once_and_then_the_truth(bench: Bench) -> None:
    say(bench, "till-1", 1)
    (asked,) = bench.line.requests(1)
    bench.clock.ms += UNKNOWN_AFTER_MS - 1
    bench.hub.tick()
    assert not bench.link.told
    bench.clock.ms += 1
    for _ in range(3):
        bench.hub.tick()
    assert bench.link.words() == [("till-1", "backend_unreachable")]
    told = answers.unseal(bench.link.told[0][1])
    assert told.verify(bench.shop.hub_key.public).request_id == asked.request_id
    assert told.answer.body["error"]["retry"] == "same_id"
    bench.answer(1)
    assert bench.link.answered() == [("till-1", asked.request_id)]


def test_answers_that_cannot_be_believed_count_as_lost(bench: Bench) -> None:
    shop = bench.shop
    say(bench, "till-1", 1)
    body = bench.line.batches[1]
    (good,) = shop.answer_batch(body)
    foreign = shop.answer_batch(body, key=generate("ES256"))
    by_hub = shop.answer_batch(body, key=shop.hub_key)
    other = shop.seal([shop.pong(bench.line.requests(1)[0]), shop.pong(bench.line.requests(1)[0])])
    number = 1
    for wires in ([], [good, good], foreign, by_hub, [b"garbage"], other):
        bench.hub.batch_answered(number, wires)
        assert not bench.link.answered()
        number += 1
        bench.clock.ms = bench.hub.core.line.retry_at_ms
        bench.hub.tick()
    bench.hub.batch_answered(number, [good])
    assert len(bench.link.answered()) == 1


def test_an_answer_that_does_not_fit_is_not_passed_on_and_its_item_goes_again_alone(
    bench: Bench,
) -> None:
    say(bench, "till-50", 1)
    say(bench, "till-51", 1)
    for tid in TILLS[:3]:
        say(bench, tid, 1)
        say(bench, tid, 2)
    bench.answer(1)
    number = max(bench.line.batches)
    asked = bench.line.requests(number)
    assert {one.device for one in asked} == set(TILLS[:3])
    wires = bench.shop.answer_batch(bench.line.batches.pop(number))
    stranger = bench.shop.seal([bench.shop.pong(asked[0])], key=generate("ES256"))
    wires[0], wires[2], wires[3] = stranger[0], wires[4], b"garbage"
    bench.hub.batch_answered(number, wires)
    assert bench.hub.core.line.is_up, "the backend has answered"
    told = [(asked[at].device, asked[at].request_id) for at in (1, 4, 5)]
    assert bench.link.answered()[1:] == told
    say(bench, asked[0].device, 3)
    say(bench, asked[4].device, 3)
    bench.answer(2)
    after = max(bench.line.batches)
    assert [one.device for one in bench.line.requests(after)] == [asked[4].device]
    bench.answer(after)
    bench.clock.ms += LINE_RETRY_MS_MIN
    bench.hub.tick()
    again = [[one.request_id for one in bench.line.requests(at)] for at in bench.line.batches]
    assert again == [[asked[0].request_id], [asked[2].request_id]]
    for _ in range(4):
        for at in list(bench.line.batches):
            bench.answer(at)
    assert bench.hub.core.forwarding.rows == 0
    of_one = [one for device, one in bench.link.answered() if device == asked[2].device]
    assert of_one == [asked[2].request_id, asked[3].request_id]


def test_an_item_whose_answer_never_fits_rests_long_and_holds_up_no_other(bench: Bench) -> None:
    say(bench, "till-1", 1)
    misfit = bench.shop.answer_batch(bench.line.batches.pop(1))
    say(bench, "till-2", 1)
    wrong = bench.shop.answer_batch(bench.line.batches[2])
    bench.hub.batch_answered(1, wrong)
    assert bench.hub.core.line.is_up
    bench.answer(2)
    assert [device for device, _ in bench.link.answered()] == ["till-2"]
    bench.clock.ms += LINE_RETRY_MS_MAX - 1
    bench.hub.tick()
    assert not bench.line.batches
    bench.clock.ms += 1
    bench.hub.tick()
    (number,) = bench.line.batches
    bench.hub.batch_answered(number, misfit)
    assert [device for device, _ in bench.link.answered()] == ["till-2", "till-1"]


def test_answers_that_nobody_believable_signed_are_none(bench: Bench) -> None:
    say(bench, "till-1", 1)
    body = bench.line.batches[1]
    bench.hub.batch_answered(1, bench.shop.answer_batch(body, key=generate("ES256")))
    assert not bench.link.told
    assert not bench.hub.core.line.is_up


def test_a_batch_that_the_backend_refuses_is_halved_until_the_bad_item_is_alone(
    bench: Bench,
) -> None:
    say(bench, "till-50", 1)
    say(bench, "till-51", 1)
    for tid in TILLS[:8]:
        say(bench, tid, 1)
        say(bench, tid, 2)
    bench.answer(1)
    bench.answer(2)
    bad = "till-3"
    for _ in range(40):
        for number in list(bench.line.batches):
            devices = {one.device for one in bench.line.requests(number)}
            if bad in devices:
                del bench.line.batches[number]
                bench.hub.batch_refused(number)
            else:
                bench.answer(number)
        bench.clock.ms += LINE_RETRY_MS_MIN
        bench.hub.tick()
    assert bench.hub.core.line.is_up
    answered = {device for device, _ in bench.link.answered()}
    assert answered == {"till-50", "till-51", *TILLS[:8]} - {bad}
    assert bench.hub.core.forwarding.rows == 2, "the bad one stays, and what came after it"


def test_everything_comes_back_after_a_crash(bench: Bench) -> None:
    for tid in TILLS[:5]:
        say(bench, tid, 1)
    before = [one for number in bench.line.batches for one in bench.line.requests(number)]
    bench.line.batches.clear()
    hub = bench.start()
    assert hub.core.epoch == 2
    assert hub.core.forwarding.rows == 5
    for _ in range(3):
        for number in list(bench.line.batches):
            bench.answer(number)
    assert {one for _, one in bench.link.answered()} >= {one.request_id for one in before}
    assert hub.core.forwarding.rows == 0


def test_an_answer_that_waits_for_its_device_survives_a_crash(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.answer(1)
    parcel = bench.link.told[-1][2]
    assert parcel is not None
    bench.hub.undelivered("till-1", parcel)
    bench.clock.ms += ANSWER_RECORD_AFTER_MS
    bench.hub.tick()
    bench.link.told.clear()
    hub = bench.start()
    assert hub.core.forwarding.rows == 0, "it is not asked again"
    hub.connected("till-1")
    assert len(bench.link.answered()) == 1
    hub.delivered("till-1", parcel)
    hub.tick()
    assert bench.start().core.delivery.parcels == 0


def test_a_parcel_is_offered_again_after_a_pause(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.answer(1)
    parcel = bench.link.told[-1][2]
    assert parcel is not None
    bench.hub.undelivered("till-1", parcel)
    bench.clock.ms += PARCEL_RETRY_MS
    bench.hub.tick()
    assert len(bench.link.answered()) == 2


def test_a_full_spool_says_busy_and_loses_nothing() -> None:
    bench = Bench(limits=ForwardingLimits(rows_max=3, batch_linger_ms=0))
    bench.enrol(*TILLS[:5])
    for tid in TILLS[:5]:
        say(bench, tid, 1)
    assert bench.link.words() == [("till-4", "busy"), ("till-5", "busy")]
    assert len(bench.link.settled) == 5
    for number in list(bench.line.batches):
        bench.answer(number)
    say(bench, "till-4", 1)
    assert bench.hub.core.forwarding.rows == 1, "a refused envelope has used up nothing"
    bench.close()


def test_one_device_cannot_fill_the_spool(bench: Bench) -> None:
    for counter in range(UPLINK_ROWS_PER_DEVICE_MAX + 2):
        say(bench, "till-1", counter)
    assert bench.link.words() == [("till-1", "busy")] * 2


def test_the_hub_says_how_it_is(bench: Bench) -> None:
    bench.hub.tick()
    say(bench, "till-1", 1)
    bench.hub.batch_lost(1)
    bench.hub.tick()
    bench.clock.ms += UNKNOWN_AFTER_MS
    bench.hub.tick()
    number = max(bench.line.batches)
    bench.answer(number)
    bench.hub.tick()
    states = [answers.unseal(state) for state in bench.link.states]
    for state in states:
        state.verify(bench.shop.hub_key.public)
    assert [state.answer.body["mode"] for state in states] == [
        "online",
        "degraded",
        "offline",
        "online",
    ]
    assert states[0].answer.body["epoch"] == 1


def test_in_a_quiet_store_silent_polls_tell_that_the_line_is_down(bench: Bench) -> None:
    core = bench.hub.core
    core.poll_failed()
    assert core.mode() == "degraded"
    bench.clock.ms += DEGRADED_AFTER_MS
    core.poll_failed()
    assert core.mode() == "offline"
    core.poll_answered()
    assert core.mode() == "online"


def test_a_poll_that_is_answered_does_not_hide_that_batches_are_not(bench: Bench) -> None:
    core = bench.hub.core
    core.poll_failed()
    say(bench, "till-1", 1)
    bench.clock.ms += LINE_RETRY_MS_MIN
    bench.hub.tick()
    (number,) = bench.line.batches
    bench.hub.batch_lost(number)
    core.poll_answered()
    assert not core.line.is_up


def test_polls_tell_nothing_while_an_envelope_is_on_its_way(bench: Bench) -> None:
    say(bench, "till-1", 1)
    bench.hub.core.poll_failed()
    assert bench.hub.core.line.is_up
