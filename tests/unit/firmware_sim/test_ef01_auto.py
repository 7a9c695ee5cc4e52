"""Goal: AutoEnroll and AutoIdentify wait for fingers as the R503 manual has it.

Method: virtual time; the clock jumps to whatever the sensor says is due.
"""

from firmware_sim.devices.ef01 import Ef01
from firmware_sim.devices.ef01.profiles import R503
from protocol.framing import ef01
from protocol.framing.ef01 import Confirmation, Instruction, Packet

AUTOMATIC = 0xC8


class Bench:
    """A sensor, a hand and a clock."""

    def __init__(self) -> None:
        self.sensor = Ef01(R503)
        self.now_ms = 0
        self.heard: list[bytes] = []
        self._parser = ef01.PacketParser()

    def ask(self, instruction: Instruction, *arguments: int) -> None:
        self._hear(self.sensor.feed(ef01.command(instruction, *arguments), self.now_ms))

    def place(self, finger: str, *, quality: int = 100) -> None:
        self.sensor.place(finger, quality=quality)
        self._hear(self.sensor.poll(self.now_ms))

    def lift(self) -> None:
        self.sensor.lift()
        self._hear(self.sensor.poll(self.now_ms))

    def wait(self, span_ms: int) -> None:
        end_ms = self.now_ms + span_ms
        while (due := self.sensor.next_deadline_ms()) is not None and due <= end_ms:
            self.now_ms = max(self.now_ms, due)
            self._hear(self.sensor.poll(self.now_ms))
        self.now_ms = end_ms

    def touch(self, finger: str, *, quality: int = 100) -> None:
        self.place(finger, quality=quality)
        self.wait(500)
        self.lift()
        self.wait(100)

    def _hear(self, outputs: list) -> None:  # type: ignore[type-arg]
        for output in outputs:
            [packet] = self._parser.feed(output.payload)
            assert isinstance(packet, Packet)
            self.heard.append(packet.payload)


def test_six_touches_enrol_a_finger_and_each_step_is_told() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_ENROL, 7, 0, 0, 1, 1)
    for _ in range(6):
        bench.touch("alice", quality=90)
    assert [(said[0], said[1]) for said in bench.heard] == [(0, step) for step in range(1, 16)]
    assert bench.heard[-1][2] == 7
    assert bench.sensor.slots == [7]
    assert not bench.sensor.is_waiting


def test_without_steps_only_the_last_acknowledgement_comes() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_ENROL, AUTOMATIC, 0, 0, 0, 0)
    bench.place("alice")
    bench.wait(5000)
    assert bench.heard == [bytes([0, 15, 0])]
    assert bench.sensor.slots == [0]


def test_a_finger_that_must_be_lifted_counts_once_until_it_is() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_ENROL, 0, 0, 0, 1, 1)
    bench.place("alice")
    bench.wait(5000)
    assert [said[1] for said in bench.heard] == [1, 2]
    assert bench.sensor.state.now.light.colour == "white"


def test_no_finger_for_ten_seconds_ends_it() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_ENROL, 0, 0, 0, 1, 1)
    bench.touch("alice")
    bench.wait(9000)
    assert len(bench.heard) == 2
    bench.wait(2000)
    assert bench.heard[-1][:2] == bytes([Confirmation.TIMED_OUT, 3])
    assert not bench.sensor.is_waiting
    assert bench.sensor.state.now.light.colour == "red"


def test_a_finger_that_is_known_or_a_second_finger_is_not_enrolled() -> None:
    bench = Bench()
    bench.sensor.enrol("alice", 3)
    bench.ask(Instruction.AUTO_ENROL, 4, 0, 0, 0, 0)
    bench.place("alice")
    bench.wait(5000)
    assert bench.heard.pop()[0] == Confirmation.ALREADY_ENROLLED
    bench.ask(Instruction.AUTO_ENROL, 4, 0, 1, 0, 1)
    for finger in ("bob", "bob", "bob", "carol", "bob", "bob"):
        bench.touch(finger)
    assert bench.heard.pop()[0] == Confirmation.MERGE_MISMATCH
    assert bench.sensor.slots == [3]


def test_a_used_slot_needs_leave_and_a_full_library_has_none() -> None:
    bench = Bench()
    bench.sensor.enrol("alice", 0)
    bench.ask(Instruction.AUTO_ENROL, 0, 0, 1, 1, 0)
    assert bench.heard.pop()[0] == Confirmation.RECEIVE_ERROR
    for slot in range(200):
        bench.sensor.enrol("alice", slot)
    bench.ask(Instruction.AUTO_ENROL, AUTOMATIC, 0, 1, 1, 0)
    assert bench.heard.pop()[0] == Confirmation.LIBRARY_FULL
    bench.ask(Instruction.AUTO_ENROL, 5, 1, 1, 0, 0)
    bench.place("bob")
    bench.wait(5000)
    assert bench.heard == [bytes([0, 15, 5])]


def test_cancel_ends_the_wait_and_only_the_status_can_be_asked_meanwhile() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_ENROL, 0, 0, 0, 1, 1)
    bench.ask(Instruction.READ_SYS_PARA)
    assert bench.heard.pop()[2] & 1
    bench.ask(Instruction.EMPTY)
    assert bench.heard.pop()[0] == Confirmation.NOT_DONE
    bench.ask(Instruction.CANCEL)
    assert bench.heard == [b"\x00"]
    bench.place("alice")
    bench.wait(20_000)
    assert bench.heard == [b"\x00"]


def test_identify_says_picture_features_and_slot_with_score() -> None:
    bench = Bench()
    bench.sensor.enrol("alice", 9)
    bench.ask(Instruction.AUTO_IDENTIFY, 3, 0, 199, 1, 1)
    bench.wait(3000)
    bench.touch("alice")
    assert [said[:2] for said in bench.heard] == [b"\x00\x01", b"\x00\x02", b"\x00\x03"]
    assert bench.heard[-1][2:4] == b"\x00\x09"
    assert int.from_bytes(bench.heard[-1][4:6], "big") > 0


def test_identify_tries_as_often_as_told_each_with_a_new_touch() -> None:
    bench = Bench()
    bench.sensor.enrol("alice", 9)
    bench.ask(Instruction.AUTO_IDENTIFY, 3, 0, 199, 0, 2)
    bench.touch("mallory")
    assert bench.heard == []
    bench.touch("mallory")
    assert bench.heard.pop()[0] == Confirmation.NOT_FOUND
    bench.ask(Instruction.AUTO_IDENTIFY, 3, 0, 199, 0, 2)
    bench.touch("mallory")
    bench.touch("alice")
    assert bench.heard.pop()[:4] == b"\x00\x03\x00\x09"


def test_identify_looks_only_at_the_slots_told_and_not_into_an_empty_library() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_IDENTIFY, 3, 0, 199, 0, 1)
    assert bench.heard.pop()[0] == Confirmation.LIBRARY_EMPTY
    bench.sensor.enrol("alice", 9)
    bench.ask(Instruction.AUTO_IDENTIFY, 3, 0, 8, 0, 1)
    bench.touch("alice")
    assert bench.heard.pop()[0] == Confirmation.NOT_FOUND


def test_power_off_ends_the_wait() -> None:
    bench = Bench()
    bench.ask(Instruction.AUTO_ENROL, 0, 0, 0, 1, 1)
    bench.sensor.boot(bench.now_ms)
    assert not bench.sensor.is_waiting
    assert bench.sensor.next_deadline_ms() is None
