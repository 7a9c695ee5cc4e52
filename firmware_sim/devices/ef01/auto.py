"""The instructions in which the sensor waits for fingers by itself: AutoEnroll and AutoIdentify.

R503 manual 1.2.2, sections 0x31 and 0x32: up to ten seconds for each finger, an acknowledgement
after each step where the host asked for them and always after the last one.

Rule 1: a course is sent the time. It yields when to look again, or what to say now; it returns
what it says last. It may be woken early, and looks again.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from firmware_sim.devices.ef01 import imaging
from firmware_sim.devices.ef01.library import best_match
from firmware_sim.devices.ef01.state import Answer, Light, State
from protocol.framing.ef01 import Confirmation

ENROL_TOUCHES = 6
FINGER_WAIT_MS = 10_000
STEP_MS = 20
SLOT_AUTOMATIC = 0xC8
_REPEAT_STEP, _MERGE_STEP, _STORE_STEP = 13, 14, 15
_PICTURE_STEP, _FEATURES_STEP, _SEARCH_STEP = 1, 2, 3
Course = Generator[int | Answer, int, Answer]


@dataclass(slots=True)
class Auto:
    """A course under way."""

    course: Course
    tells_steps: bool
    due_ms: int
    is_over: bool = False
    _is_begun: bool = field(default=False)

    def advance(self, now_ms: int) -> list[Answer]:
        """What is said by now; a course that has ended says its last word whoever listens."""
        said: list[Answer] = []
        while not self.is_over:
            try:
                got = self.course.send(now_ms) if self._is_begun else next(self.course)
            except StopIteration as end:
                self.is_over = True
                said.append(end.value)
                break
            self._is_begun = True
            if isinstance(got, int):
                self.due_ms = got
                if got > now_ms:
                    break
            elif self.tells_steps:
                said.append(got)
        return said


def enrol(state: State, arguments: bytes, now_ms: int) -> Auto:
    """31h: slot, may cover, may repeat, tells steps, needs lift; answers step and slot."""
    slot, may_cover, may_repeat, tells_steps, needs_lift = arguments
    course = _enrol(
        state, slot, now_ms,
        may_cover=bool(may_cover), may_repeat=bool(may_repeat), needs_lift=bool(needs_lift),
    )  # fmt: skip
    return Auto(course, bool(tells_steps), now_ms)


def _enrol(
    state: State, wanted: int, now_ms: int, *, may_cover: bool, may_repeat: bool, needs_lift: bool
) -> Course:
    slot, code = _free_slot(state, wanted, may_cover=may_cover)
    if code is not Confirmation.OK:
        return _failed(state, code, _enrol_tail(1, slot))
    lifted = None
    for number in range(1, ENROL_TOUCHES + 1):
        code, now_ms = yield from _picture(state, now_ms, lifted, "blue")
        if code is not Confirmation.OK:
            return _failed(state, code, _enrol_tail(2 * number - 1))
        yield Confirmation.OK, _enrol_tail(2 * number - 1)
        lifted = state.touch.number if state.touch and needs_lift else None
        now_ms = yield from _pause(now_ms + state.profile.extract_ms)
        code = imaging.extract(state, number)
        if code is not Confirmation.OK:
            return _failed(state, Confirmation.FEW_FEATURES, _enrol_tail(2 * number))
        state.now.light = Light("flashing", "green")
        yield Confirmation.OK, _enrol_tail(2 * number)
    now_ms = yield from _pause(now_ms + state.profile.search_ms)
    if not may_repeat and _is_known(state, slot):
        return _failed(state, Confirmation.ALREADY_ENROLLED, _enrol_tail(_REPEAT_STEP))
    yield Confirmation.OK, _enrol_tail(_REPEAT_STEP)
    now_ms = yield from _pause(now_ms + STEP_MS)
    code = imaging.merge(state)
    if code is not Confirmation.OK:
        return _failed(state, code, _enrol_tail(_MERGE_STEP))
    yield Confirmation.OK, _enrol_tail(_MERGE_STEP)
    yield from _pause(now_ms + STEP_MS)
    if state.is_flash_broken:
        return _failed(state, Confirmation.RECEIVE_ERROR, _enrol_tail(_STORE_STEP))
    state.flash.library[slot] = state.now.buffers[1]
    state.now.light = Light("on", "green")
    return Confirmation.OK, _enrol_tail(_STORE_STEP, slot)


def _enrol_tail(step: int, slot: int = 0) -> bytes:
    return bytes([step, slot & 0xFF])


def _free_slot(state: State, wanted: int, *, may_cover: bool) -> tuple[int, Confirmation]:
    capacity, library = state.profile.capacity, state.flash.library
    if wanted >= SLOT_AUTOMATIC:
        free = (slot for slot in range(min(capacity, SLOT_AUTOMATIC)) if slot not in library)
        slot = next(free, None)
        return (0, Confirmation.LIBRARY_FULL) if slot is None else (slot, Confirmation.OK)
    if wanted >= capacity:
        return wanted, Confirmation.PAGE_RANGE
    is_taken = wanted in library and not may_cover
    return wanted, Confirmation.RECEIVE_ERROR if is_taken else Confirmation.OK


def _is_known(state: State, slot: int) -> bool:
    everywhere = range(state.profile.capacity)
    found = best_match(state, state.now.buffers.get(1), everywhere, state.flash.security)
    return found is not None and found[0] != slot


def identify(state: State, arguments: bytes, now_ms: int) -> Auto:
    """32h: security, first slot, last slot, tells steps, tries; answers step, slot, score."""
    security, first, last, tells_steps, tries = arguments
    course = _identify(state, range(first, last + 1), now_ms, security=security, tries=tries)
    return Auto(course, bool(tells_steps), now_ms)


def _identify(state: State, slots: range, now_ms: int, *, security: int, tries: int) -> Course:
    if not 1 <= security <= 5:
        return _failed(state, Confirmation.RECEIVE_ERROR, _identify_tail(_PICTURE_STEP))
    if not state.flash.library:
        return _failed(state, Confirmation.LIBRARY_EMPTY, _identify_tail(_PICTURE_STEP))
    lifted, failure = None, _failed(state, Confirmation.NOT_FOUND, _identify_tail(_SEARCH_STEP))
    for _ in range(max(1, tries)):
        code, now_ms = yield from _picture(state, now_ms, lifted, "white")
        lifted = state.touch.number if state.touch else None
        if code is Confirmation.TIMED_OUT:
            return _failed(state, code, _identify_tail(_PICTURE_STEP))
        if code is not Confirmation.OK:
            failure = _failed(state, code, _identify_tail(_PICTURE_STEP))
            continue
        yield Confirmation.OK, _identify_tail(_PICTURE_STEP)
        now_ms = yield from _pause(now_ms + state.profile.extract_ms)
        code = imaging.extract(state, 1)
        if code is not Confirmation.OK:
            failure = _failed(state, code, _identify_tail(_FEATURES_STEP))
            continue
        yield Confirmation.OK, _identify_tail(_FEATURES_STEP)
        now_ms = yield from _pause(now_ms + state.profile.search_ms)
        state.searches += 1
        found = best_match(state, state.now.buffers[1], slots, security)
        if found is not None:
            state.now.light, state.now.has_passed = Light("on", "green"), True
            return Confirmation.OK, _identify_tail(_SEARCH_STEP, *found)
        failure = _failed(state, Confirmation.NOT_FOUND, _identify_tail(_SEARCH_STEP))
    return failure


def _identify_tail(step: int, slot: int = 0, points: int = 0) -> bytes:
    return bytes([step]) + slot.to_bytes(2, "big") + points.to_bytes(2, "big")


def _failed(state: State, code: Confirmation, tail: bytes) -> Answer:
    state.now.light, state.now.has_passed = Light("on", "red"), False
    return code, tail


def _pause(until_ms: int) -> Generator[int, int, int]:
    now_ms = yield until_ms
    while now_ms < until_ms:
        now_ms = yield until_ms
    return now_ms


def _picture(
    state: State, now_ms: int, other_than: int | None, colour: str
) -> Generator[int, int, tuple[Confirmation, int]]:
    """Wait for a finger other than the last touch and take its picture; code and time."""
    until_ms = now_ms + FINGER_WAIT_MS
    while True:
        touch = state.touch
        must_lift = touch is not None and touch.number == other_than
        state.now.light = Light("flashing", "white" if must_lift else colour)
        if touch is None or must_lift:
            if now_ms >= until_ms:
                return Confirmation.TIMED_OUT, now_ms
            now_ms = yield until_ms
            continue
        now_ms = yield from _pause(now_ms + state.profile.capture_ms)
        if state.touch is touch:
            state.now.light = Light("on", "yellow")
            return imaging.capture(state), now_ms
