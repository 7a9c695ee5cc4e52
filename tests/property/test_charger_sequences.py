"""Properties of the EV charger: whatever people, the network and the central system do.

Each run is a list of steps that hypothesis makes shorter where one fails. The central system in
memory holds every message against the published schemas.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.devices.ocpp.charging import ChargingStation, Make
from firmware_sim.devices.ocpp.connector_states import TRANSITIONS, State, steps
from firmware_sim.devices.ocpp.limits import CALLS_WAITING_MAX, LETTERS_KEPT_MAX
from firmware_sim.devices.ocpp.outlet import Outlet
from firmware_sim.devices.ocpp.station import NamePlate
from firmware_sim.devices.ocpp.v16.requests import REQUESTS as REQUESTS_16
from firmware_sim.devices.ocpp.v16.station import Ocpp16
from firmware_sim.devices.ocpp.v201.requests import REQUESTS as REQUESTS_201
from firmware_sim.devices.ocpp.v201.station import Ocpp201
from firmware_sim.devices.ocpp.wall_clock import WallClock
from protocol.errors import CallerError
from protocol.framing import ocppj
from protocol.framing.limits import OCPP_LINE_BYTES_MAX
from tests.support.ocpp_central import TIME, Central

MAKERS: dict[str, Callable[[Make], ChargingStation]] = {"1.6": Ocpp16, "2.0.1": Ocpp201}
VERSIONS = st.sampled_from(sorted(MAKERS))
TOKENS = st.sampled_from(["ALICE", "BOB", "THIEF"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["plug", "unplug", "pause", "go", "break", "repair"]),
                  st.integers(1, 2)),
        st.tuples(st.just("tap"), TOKENS),
        st.tuples(st.just("wait"), st.integers(1, 400)),
        st.tuples(st.sampled_from(["cut", "reach", "lose", "power", "emergency", "network"]),
                  st.booleans()),
        st.tuples(st.sampled_from(["inoperative", "operative"]), st.integers(0, 2)),
        st.tuples(st.sampled_from(["reset", "start", "stop"]), TOKENS),
    ),
    max_size=25,
)  # fmt: skip


def station_of(version: str) -> ChargingStation:
    clock = WallClock(datetime(2026, 1, 1, tzinfo=UTC))
    return MAKERS[version](Make(NamePlate("T", "M", "S", "1"), clock, b"seed", 2))


def standing(said: dict[str, Any]) -> dict[str, str]:
    return {"status": "Blocked" if "THIEF" in json.dumps(said) else "Accepted"}


def central_of(version: str) -> Central:
    numbers = iter(range(1, 10_000))
    return Central(station_of(version), version, {
        "BootNotification": lambda _: {"status": "Accepted", "currentTime": TIME, "interval": 300},
        "Heartbeat": lambda _: {"currentTime": TIME},
        "Authorize": lambda said: {
            "idTagInfo" if version == "1.6" else "idTokenInfo": standing(said),
        },
        "StartTransaction": lambda said: {
            "idTagInfo": standing(said), "transactionId": next(numbers),
        },
        "TransactionEvent": lambda said: (
            {"idTokenInfo": standing(said)} if "idToken" in said else {}
        ),
    })  # fmt: skip


def do(told: Central, step: str, what: Any) -> None:
    station, at = told.station, told.now_ms
    people: dict[str, Callable[[], Any]] = {
        "plug": lambda: station.plug(what, 11_000, at),
        "unplug": lambda: station.unplug(what, at),
        "pause": lambda: station.want(what, 0, at),
        "go": lambda: station.want(what, 7_000, at),
        "break": lambda: station.break_down(what, "GroundFailure", at),
        "repair": lambda: station.break_down(what, "", at),
        "tap": lambda: station.tap(what, None, at),
        "emergency": lambda: station.press_emergency_stop(at),
        "network": lambda: station.pull_network(at, is_there=what),
    }
    if step in people:
        try:
            told.hear(people[step]())
        except CallerError:
            return
    elif step == "wait":
        told.pass_s(what)
    elif step == "cut":
        told.cut()
    elif step == "reach":
        told.is_reachable = what
    elif step == "lose":
        told.is_deaf = what
    elif step == "power":
        told.boot()
    elif station.uplink.is_up and not told.is_deaf and station.registration == "Accepted":
        ask(told, step, what)


def ask(told: Central, step: str, what: Any) -> None:
    if told.version == "1.6":
        token: Any = {"idTag": what}
        changes = {"connectorId": what, "type": step.capitalize()}
        running: Any = {"transactionId": 1}
        start, stop, reset = "RemoteStartTransaction", "RemoteStopTransaction", {"type": "Soft"}
    else:
        token = {"idToken": {"idToken": what, "type": "Central"}, "remoteStartId": 1}
        changes = {"operationalStatus": step.capitalize()}
        changes |= {"evse": {"id": what}} if what else {}
        running = {"transactionId": "none"}
        start, stop, reset = "RequestStartTransaction", "RequestStopTransaction", {
            "type": "OnIdle",
        }  # fmt: skip
    match step:
        case "start":
            told.ask(start, **token)
        case "stop":
            told.ask(stop, **running)
        case "reset":
            told.ask("Reset", **reset)
        case _:
            told.ask("ChangeAvailability", **changes)


@settings(max_examples=60)
@given(VERSIONS, STEPS)
def test_whatever_is_done_the_books_of_the_charger_are_in_order(
    version: str, todo: list[tuple[str, Any]]
) -> None:
    told = central_of(version)
    passed = watch_states(told.station)
    told.boot()
    registers = [0, 0]
    for step, what in todo:
        do(told, step, what)
        told.pass_s(1)
        fresh = [one.meter.read(told.now_ms) for one in told.station.outlets.values()]
        assert all(after >= before for before, after in zip(registers, fresh, strict=True))
        registers = fresh
        for outlet in told.station.outlets.values():
            in_charge = outlet.transaction and outlet.transaction.may_flow
            assert not outlet.meter.power_w or (in_charge and outlet.is_plugged)
    for states in passed.values():
        assert all(pair in TRANSITIONS for pair in pairwise(states) if pair[0] is not pair[1])
    settle(told)
    assert not told.station.outbox.letters
    check_messages(told)


def watch_states(station: ChargingStation) -> dict[int, list[State]]:
    """The states each outlet passes through; a start of the program begins anew."""
    passed: dict[int, list[State]] = {number: [] for number in station.outlets}
    tell, start = station.state_passed, station.started

    def told(outlet: Outlet, now_ms: int) -> None:
        passed[outlet.number].append(outlet.state)
        tell(outlet, now_ms)

    def started(cause: str, now_ms: int) -> None:
        for states in passed.values():
            states.clear()
        start(cause, now_ms)

    station.state_passed = told  # type: ignore[method-assign]
    station.started = started  # type: ignore[method-assign]
    return passed


def settle(told: Central) -> None:
    """Everything is well again, for long enough."""
    told.is_reachable, told.is_deaf = True, False
    told.hear(told.station.pull_network(told.now_ms, is_there=True))
    told.pass_s(2000)


def check_messages(told: Central) -> None:
    assert len(told.message_ids) == len(set(told.message_ids))
    if told.version == "2.0.1":
        check_events(told.all("TransactionEvent"))
        return
    known: set[int] = set()
    for action, payload in told.said:
        if action == "StopTransaction" and not told.station.outbox.lost:
            known.add(payload["transactionId"])
    starts = len(told.all("StartTransaction"))
    assert len(known) <= starts


def check_events(events: list[dict[str, Any]]) -> None:
    """Of each transaction: numbered without a gap, one beginning, nothing after the end."""
    by_key: dict[str, dict[int, dict[str, Any]]] = {}
    for event in events:  # one that was not answered in time is sent again, and is the same
        of_this = by_key.setdefault(event["transactionInfo"]["transactionId"], {})
        same = of_this.setdefault(event["seqNo"], event)
        assert same == event
    for of_this in by_key.values():
        numbers = list(of_this)
        kinds = [of_this[number]["eventType"] for number in numbers]
        assert numbers == sorted(numbers)
        if len(numbers) == numbers[-1] + 1:
            assert kinds[0] == "Started"
        assert "Ended" not in kinds[:-1]


@settings(max_examples=80)
@given(VERSIONS, st.lists(st.binary(max_size=200), max_size=20), st.booleans())
def test_a_charger_takes_any_bytes_and_stays_small(
    version: str, stream: list[bytes], is_up: bool
) -> None:
    station = station_of(version)
    station.boot(0)
    if is_up:
        station.feed(b"CONNECT\n", 200)
    for number, data in enumerate(stream):
        for output in station.feed(data, 1000 + number):
            assert output.payload.endswith(b"\n")
            assert len(output.payload) <= OCPP_LINE_BYTES_MAX
    assert len(station.outbox.letters) <= LETTERS_KEPT_MAX


WORDS = st.sampled_from([
    "Accepted", "Full", "Operative", "Hard", "OnIdle", "2026-05-04T12:00:00Z", "x", "", "1",
])  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        WORDS,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
FIELDS = st.sampled_from(sorted({
    name
    for requests in (REQUESTS_16, REQUESTS_201)
    for request in requests.values()
    for name in (*request.shape.required, *request.shape.optional)
}))  # fmt: skip
ACTIONS = st.sampled_from(sorted({*REQUESTS_16, *REQUESTS_201}))


@settings(max_examples=60)
@given(VERSIONS, st.lists(st.tuples(ACTIONS, st.dictionaries(FIELDS, VALUES, max_size=4)),
                          max_size=12))  # fmt: skip
def test_every_call_gets_one_answer_whatever_is_in_it(
    version: str, asked: list[tuple[str, dict[str, Any]]]
) -> None:
    told = central_of(version).boot()
    for number, (action, payload) in enumerate(asked):
        line = ocppj.encode(ocppj.Call(f"q{number}", action, payload))
        outputs = told.station.feed(line, told.now_ms)
        answers = [json.loads(one.payload) for one in outputs if one.payload.startswith(b"[")]
        mine = [answer for answer in answers if answer[0] in (3, 4) and answer[1] == f"q{number}"]
        if told.station.is_on:
            assert len(mine) == 1
    assert told.station.rpc.waiting_count <= CALLS_WAITING_MAX


def test_every_state_can_become_every_other_by_allowed_steps() -> None:
    for before in State:
        for after in State:
            way = [before, *steps(before, after)]
            assert way[-1] is after
            assert all(pair in TRANSITIONS for pair in pairwise(way))
