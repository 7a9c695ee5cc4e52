"""Whatever the bytes, and whatever the order in which the world answers the hub."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.domain.forwarding import ForwardingLimits
from protocol import answers
from tests.kit.hub_shop import Bench, Shop

TILLS = ("till-1", "till-2", "till-3")
SHOP = Shop()
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "say",
                "answer",
                "lose",
                "refuse",
                "put off",
                "time",
                "deliver",
                "miss",
                "connect",
                "crash",
                "copy",
            )
        ),
        st.integers(0, 9),
    ),
    max_size=60,
)


@given(st.lists(st.binary(max_size=400), max_size=8))
@settings(max_examples=200)
def test_arbitrary_bytes_are_refused_settled_and_never_forwarded(blobs: list[bytes]) -> None:
    bench = Bench(shop=SHOP)
    bench.enrol(*TILLS)
    tickets = [bench.hub.receive("till-1", blob) for blob in blobs]
    tickets += [bench.hub.receive(None, blob, transport="coap") for blob in blobs]
    assert bench.link.settled == tickets
    assert len(bench.link.words()) == len(tickets)
    assert not bench.line.batches
    bench.close()


@given(st.integers(0, 10_000), st.integers(1, 255))
@settings(max_examples=200)
def test_an_envelope_with_one_changed_byte_is_never_forwarded(at: int, flip: int) -> None:
    bench = Bench(shop=SHOP)
    bench.enrol(*TILLS)
    wire = bytearray(SHOP.envelope("till-1", 1))
    wire[at % len(wire)] ^= flip
    bench.hub.receive("till-1", bytes(wire))
    assert not bench.line.batches
    bench.close()


@given(STEPS)
@example([("say", 0), ("answer", 0), ("time", 3), ("deliver", 0), ("crash", 0)])
@example([("say", 0), ("answer", 0), ("time", 3), ("deliver", 1), ("crash", 0)])
@settings(max_examples=150)
def test_any_interleaving_delivers_exactly_the_true_answers(steps: list[tuple[str, int]]) -> None:
    world = World()
    for name, number in steps:
        world.step(name, number)
    world.come_to_rest()
    assert world.answered == world.said, "every accepted request, and nothing else, is answered"
    assert world.forwarded_in_order
    assert world.bench.hub.core.forwarding.rows == 0
    assert world.bench.hub.core.delivery.parcels == 0
    world.bench.close()


class World:
    """A backend that remembers, terminals that acknowledge or not, a line that breaks."""

    def __init__(self) -> None:
        self.bench = Bench(shop=SHOP, limits=ForwardingLimits(batches_in_flight_max=2))
        self.bench.enrol(*TILLS)
        self.counters = dict.fromkeys(TILLS, 0)
        self.said: set[tuple[str, str]] = set()
        self.answered: set[tuple[str, str]] = set()
        self.seen: dict[str, list[int]] = {tid: [] for tid in TILLS}
        self.forwarded_in_order = True
        self.last = b""

    def step(self, name: str, number: int) -> None:
        bench, tid = self.bench, TILLS[number % len(TILLS)]
        open_batches = sorted(bench.line.batches)
        batch = open_batches[number % len(open_batches)] if open_batches else None
        match name:
            case "say":
                self._say(tid)
            case "copy" if self.last:
                bench.hub.receive(None, self.last, transport="coap")
            case "answer" if batch is not None:
                self._answer(batch)
            case "lose" if batch is not None:
                # Half of the lost batches were carried out before the line broke.
                if number % 2:
                    self._note(batch)
                del bench.line.batches[batch]
                bench.hub.batch_lost(batch)
            case "refuse" if batch is not None:
                del bench.line.batches[batch]
                bench.hub.batch_refused(batch)
            case "put off" if batch is not None:
                del bench.line.batches[batch]
                bench.hub.batch_put_off(batch)
            case "time":
                bench.clock.ms += 10 ** (number % 5)
                bench.hub.tick()
            case "deliver" | "miss":
                self._settle_parcels(number, is_over=name == "deliver")
            case "connect":
                bench.hub.connected(tid)
            case "crash":
                bench.line.batches.clear()
                bench.start()

    def come_to_rest(self) -> None:
        """Everybody is back: after a crash of the hub a device is told what waits for it once it
        is heard again."""
        for tid in TILLS:
            self.bench.hub.connected(tid)
        for _ in range(400):
            for number in sorted(self.bench.line.batches):
                self._answer(number)
            self._settle_parcels(3, is_over=True)
            core = self.bench.hub.core
            if not core.forwarding.rows and not core.delivery.parcels:
                return
            self.bench.clock.ms += 1_000
            self.bench.hub.tick()

    def _say(self, tid: str) -> None:
        self.counters[tid] += 1
        wire = SHOP.envelope(
            tid, self.counters[tid], sent_at_ms=self.bench.clock.ms, transport="coap"
        )
        before = self.bench.hub.core.uplink.refused.total()
        self.bench.hub.receive(None, wire, transport="coap")
        if self.bench.hub.core.uplink.refused.total() == before:
            self.said.add((tid, answers_key(wire)))
            self.last = wire

    def _note(self, number: int) -> None:
        """The backend carries a batch out: the first sight of each request must be in order."""
        for one in self.bench.line.requests(number):
            seen = self.seen[one.device]
            if one.counter in seen:
                continue
            if seen and one.counter < seen[-1]:
                self.forwarded_in_order = False
            seen.append(one.counter)

    def _answer(self, number: int) -> None:
        if number in self.bench.line.batches:
            self._note(number)
            self.bench.answer(number)

    def _settle_parcels(self, number: int, *, is_over: bool) -> None:
        told, self.bench.link.told = self.bench.link.told, []
        for index, (device, wire, parcel) in enumerate(told):
            if parcel is None:
                continue
            if is_over and index % 3 != number % 4:
                answer = answers.unseal(wire).verify(SHOP.backend_key.public)
                assert answer.device == device
                self.answered.add((device, answer.request_id))
                self.bench.hub.delivered(device, parcel)
            else:
                self.bench.hub.undelivered(device, parcel)


def answers_key(wire: bytes) -> str:
    """The request id of an envelope."""
    from protocol import envelope

    return envelope.unseal(wire).envelope.request_id
