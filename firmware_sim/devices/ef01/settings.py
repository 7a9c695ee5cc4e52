"""Parameters, password, notepad, lights and what a sensor says of itself (R503 manual, system)."""

import hashlib

from firmware_sim.devices.ef01.state import (
    NOTEPAD_PAGE_BYTES,
    NOTEPAD_PAGES,
    Answer,
    Light,
    State,
)
from protocol.framing.ef01 import Confirmation

INF_PAGE_BYTES = 512
VERSION_BYTES = 32
_RATE, _SECURITY, _PACKET = 4, 5, 6
LIGHT_MODES = ("", "breathing", "flashing", "on", "off", "rising", "falling")
LIGHT_COLOURS = ("", "red", "blue", "purple", "green", "yellow", "cyan", "white")


def _words(*words: int) -> bytes:
    return b"".join(word.to_bytes(2, "big") for word in words)


def set_sys_para(state: State, arguments: bytes) -> Answer:
    """0Eh: line rate, security level or packet size; kept in flash."""
    number, value = arguments
    allowed = {_RATE: state.profile.rate_codes, _SECURITY: range(1, 6), _PACKET: range(4)}
    if number not in allowed:
        return Confirmation.BAD_REGISTER, b""
    if value not in allowed[number]:
        return Confirmation.BAD_VALUE, b""
    if state.is_flash_broken:
        return Confirmation.FLASH_FAILED, b""
    if number == _RATE:
        state.flash.rate_code = value
    elif number == _SECURITY:
        state.flash.security = value
    else:
        state.flash.packet_code = value
    return Confirmation.OK, b""


def read_sys_para(state: State, _: bytes) -> Answer:
    """0Fh: 16 bytes; what the sensor is doing now is in the status word."""
    return Confirmation.OK, parameters(state, is_busy=False)


def parameters(state: State, *, is_busy: bool) -> bytes:
    """Status, system id, capacity, security, address, packet code, rate code."""
    status = is_busy | (state.now.has_passed << 1) | (state.now.is_unlocked << 2)
    status |= (state.now.picture is not None) << 3
    flash = state.flash
    head = _words(status, state.profile.system_id, state.profile.capacity, flash.security)
    return head + flash.address.to_bytes(4, "big") + _words(flash.packet_code, flash.rate_code)


def verify_password(state: State, arguments: bytes) -> Answer:
    """13h: unlocks the sensor until its power goes."""
    state.now.is_unlocked = int.from_bytes(arguments, "big") == state.flash.password
    is_right = state.now.is_unlocked
    return (Confirmation.OK if is_right else Confirmation.WRONG_PASSWORD), b""


def set_password(state: State, arguments: bytes) -> Answer:
    """12h: a new password; 0 means none."""
    if state.is_flash_broken:
        return Confirmation.FLASH_FAILED, b""
    state.flash.password, state.now.is_unlocked = int.from_bytes(arguments, "big"), True
    return Confirmation.OK, b""


def set_address(state: State, arguments: bytes) -> Answer:
    """15h: a new address, which the acknowledgement already bears."""
    if state.is_flash_broken:
        return Confirmation.FLASH_FAILED, b""
    state.flash.address = int.from_bytes(arguments, "big")
    return Confirmation.OK, b""


def random_word(state: State, _: bytes) -> Answer:
    """14h: four random bytes, drawn from the sensor's seed."""
    state.draws += 1
    drawn = hashlib.shake_256(state.serial + f":random:{state.draws}".encode())
    return Confirmation.OK, drawn.digest(4)


def read_inf_page(state: State, _: bytes) -> Answer:
    """16h: the information page follows in data packets: parameters, then names; no password."""
    names = b"".join(
        word.ljust(8, b"\x00") for word in (_serial(state), b"1.0", b"TILLWAY", b"SIM")
    )
    page = parameters(state, is_busy=False) + names
    state.now.upload = page.ljust(INF_PAGE_BYTES, b"\xff")
    return Confirmation.OK, b""


def write_notepad(state: State, arguments: bytes) -> Answer:
    """18h: 32 bytes of the user's on one of 16 pages."""
    if arguments[0] >= NOTEPAD_PAGES:
        return Confirmation.BAD_NOTEPAD_PAGE, b""
    if state.is_flash_broken:
        return Confirmation.FLASH_FAILED, b""
    state.flash.notepad[arguments[0]] = arguments[1:]
    return Confirmation.OK, b""


def read_notepad(state: State, arguments: bytes) -> Answer:
    """19h: a page of the notepad; what was never written is zeros."""
    if arguments[0] >= NOTEPAD_PAGES:
        return Confirmation.BAD_NOTEPAD_PAGE, b""
    return Confirmation.OK, state.flash.notepad.get(arguments[0], bytes(NOTEPAD_PAGE_BYTES))


def aura_led(state: State, arguments: bytes) -> Answer:
    """35h: the ring's light; speed and number of cycles change nothing that can be told here."""
    mode, _, colour, _ = arguments
    if not (0 < mode < len(LIGHT_MODES) and 0 < colour < len(LIGHT_COLOURS)):
        return Confirmation.RECEIVE_ERROR, b""
    is_off = LIGHT_MODES[mode] == "off"
    state.now.light = Light(LIGHT_MODES[mode], "" if is_off else LIGHT_COLOURS[colour])
    return Confirmation.OK, b""


def light_on(state: State, _: bytes) -> Answer:
    """50h: the backlight of the older sensors."""
    state.now.light = Light("on")
    return Confirmation.OK, b""


def light_off(state: State, _: bytes) -> Answer:
    """51h."""
    state.now.light = Light("off")
    return Confirmation.OK, b""


def check_sensor(state: State, _: bytes) -> Answer:
    """36h: whether the glass works."""
    is_broken = state.is_glass_broken
    return (Confirmation.SENSOR_FAILED if is_broken else Confirmation.OK), b""


def algorithm_version(_: State, __: bytes) -> Answer:
    """39h."""
    return Confirmation.OK, b"TILLWAY SIM MARKS 1".ljust(VERSION_BYTES, b"\x00")


def firmware_version(state: State, _: bytes) -> Answer:
    """3Ah."""
    name = f"TILLWAY SIM {state.profile.name.upper()} 1.0"
    return Confirmation.OK, name.encode().ljust(VERSION_BYTES, b"\x00")


def product_info(state: State, _: bytes) -> Answer:
    """3Ch: type 16, batch 4, serial 8, hardware 2, sensor 8, width, height, template, capacity."""
    profile = state.profile
    words = profile.name.upper().encode().ljust(16, b"\x00") + b"0001" + _serial(state)
    sizes = _words(profile.width_px, profile.height_px, profile.template_bytes, profile.capacity)
    return Confirmation.OK, words + b"\x01\x00" + b"SIMGLASS" + sizes


def _serial(state: State) -> bytes:
    return hashlib.sha256(state.serial).hexdigest()[:8].upper().encode()


def acknowledge(_: State, __: bytes) -> Answer:
    """30h with nothing to cancel, 40h, 3Dh: heard and understood."""
    return Confirmation.OK, b""


def echo(_: State, __: bytes) -> Answer:
    """53h: answered with 55h in the place of the code."""
    return Confirmation.ECHOED, b""
