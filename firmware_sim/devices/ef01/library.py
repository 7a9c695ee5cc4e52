"""The template library (R503 manual, fingerprint processing instructions)."""

from firmware_sim.devices.ef01.finger import score
from firmware_sim.devices.ef01.imaging import has_buffer
from firmware_sim.devices.ef01.state import Answer, State
from protocol.framing.ef01 import Confirmation

INDEX_PAGE_SLOTS = 256


def _word(data: bytes) -> int:
    return int.from_bytes(data, "big")


def search(state: State, arguments: bytes) -> Answer:
    """04h, 1Bh: look for a buffer's finger. The answer always carries page and score."""
    state.searches += 1
    wanted = state.now.buffers.get(arguments[0])
    start, count = _word(arguments[1:3]), _word(arguments[3:5])
    found = best_match(state, wanted, range(start, start + count), state.flash.security)
    state.now.has_passed = found is not None
    if found is None:
        return Confirmation.NOT_FOUND, bytes(4)
    slot, points = found
    return Confirmation.OK, slot.to_bytes(2, "big") + points.to_bytes(2, "big")


def best_match(
    state: State, wanted: bytes | None, slots: range, security: int
) -> tuple[int, int] | None:
    """Slot and score of the template that agrees best; the lower slot where two agree alike."""
    if wanted is None:
        return None
    library = state.flash.library
    scored = [(score(wanted, library[slot], security), -slot) for slot in library if slot in slots]
    points, negated = max(scored, default=(0, 0))
    return (-negated, points) if points else None


def store(state: State, arguments: bytes) -> Answer:
    """06h: put a character buffer into a slot."""
    slot = _word(arguments[1:3])
    content = state.now.buffers.get(arguments[0])
    if slot >= state.profile.capacity:
        return Confirmation.PAGE_RANGE, b""
    if content is None:
        return Confirmation.NO_IMAGE, b""
    if state.is_flash_broken:
        return Confirmation.FLASH_FAILED, b""
    state.flash.library[slot] = content
    return Confirmation.OK, b""


def load(state: State, arguments: bytes) -> Answer:
    """07h: fetch a slot into a character buffer."""
    slot = _word(arguments[1:3])
    if slot >= state.profile.capacity:
        return Confirmation.PAGE_RANGE, b""
    if slot not in state.flash.library or not has_buffer(state, arguments[0]):
        return Confirmation.TEMPLATE_READ, b""
    state.now.buffers[arguments[0]] = state.flash.library[slot]
    return Confirmation.OK, b""


def delete(state: State, arguments: bytes) -> Answer:
    """0Ch: free slots from a first one on; an empty slot is no failure."""
    start, count = _word(arguments[:2]), _word(arguments[2:])
    if start + count > state.profile.capacity or state.is_flash_broken:
        return Confirmation.DELETE_FAILED, b""
    for slot in range(start, start + count):
        state.flash.library.pop(slot, None)
    return Confirmation.OK, b""


def empty(state: State, _: bytes) -> Answer:
    """0Dh: free every slot."""
    if state.is_flash_broken:
        return Confirmation.EMPTY_FAILED, b""
    state.flash.library.clear()
    return Confirmation.OK, b""


def template_num(state: State, _: bytes) -> Answer:
    """1Dh: how many slots are used."""
    return Confirmation.OK, len(state.flash.library).to_bytes(2, "big")


def index_table(state: State, arguments: bytes) -> Answer:
    """1Fh: which of 256 slots are used, the lowest bit first; 32 bytes even past the end."""
    first = arguments[0] * INDEX_PAGE_SLOTS
    bits = bytearray(INDEX_PAGE_SLOTS // 8)
    for slot in state.flash.library:
        if first <= slot < first + INDEX_PAGE_SLOTS:
            bits[(slot - first) // 8] |= 1 << (slot - first) % 8
    return Confirmation.OK, bytes(bits)
