"""How a code leaves the scanner: cut, dressed and, if wanted, framed (manual, chapter 7).

Order: decode prompt, prefix, CodeID or AIM ID, payload, suffix, tail.
"""

from firmware_sim.devices.gm65.profile import ScannerProfile, letter_register
from firmware_sim.devices.gm65.registers import Registers
from firmware_sim.devices.sight import Sighting
from protocol.framing import gm65

PROMPT_SUCCESS, PROMPT_FAILURE = b"S", b"F"
TEXT_LENGTH_MAX = 15
_TAILS = {0: b"\r", 1: b"\r\n", 2: b"\t", 3: b""}
_FRAMED, _WITH_FAILURE, _WITH_PREFIX, _WITH_LETTER, _WITH_SUFFIX, _WITH_TAIL = (
    0x80, 0x10, 0x08, 0x04, 0x02, 0x01,
)  # fmt: skip
_PROMPT = 0x40
_HEADS = {0: 0x03, 1: 0x04}
_AIM_IDS = {
    "QRCode": b"]Q1", "DataMatrix": b"]d1", "PDF417": b"]L0", "Code128": b"]C0", "Code39": b"]A1",
    "Code93": b"]G0", "Codabar": b"]F0", "EAN13": b"]E0", "EAN8": b"]E4", "UPCA": b"]E0",
    "UPCE": b"]E0", "ITF": b"]I0",
}  # fmt: skip


def is_for_uart(registers: Registers) -> bool:
    """Whether codes go out of the serial port (bits 1-0 of 000D); else they are typed by USB."""
    return not registers[gm65.REG_OUTPUT] & 3


def dress(sighting: Sighting, registers: Registers, profile: ScannerProfile) -> bytes:
    """What the port says of a code."""
    rule, lengths = registers[gm65.REG_TAIL], registers[gm65.REG_LENGTHS]
    parts = [PROMPT_SUCCESS if registers[gm65.REG_TRIGGER] & _PROMPT else b""]
    if rule & _WITH_PREFIX:
        parts.append(registers.span(gm65.REG_PREFIX, min(lengths >> 4, TEXT_LENGTH_MAX)))
    parts.append(_mark(sighting.symbology, rule, registers, profile))
    parts.append(cut(_encoded(sighting.text, registers, profile), registers))
    if rule & _WITH_SUFFIX:
        parts.append(registers.span(gm65.REG_SUFFIX, min(lengths & 0x0F, TEXT_LENGTH_MAX)))
    if rule & _WITH_TAIL:
        parts.append(_TAILS[rule >> 5 & 3])
    return _framed(b"".join(parts), registers, profile)


def failure(registers: Registers) -> bytes:
    """What the port says of a reading that found nothing; empty where nothing is wanted."""
    prompt = PROMPT_FAILURE if registers[gm65.REG_TRIGGER] & _PROMPT else b""
    if not registers[gm65.REG_TAIL] & _WITH_FAILURE:
        return prompt
    count = min(registers[gm65.REG_FAIL_LENGTH] & 0x0F, TEXT_LENGTH_MAX)
    return prompt + registers.span(gm65.REG_FAIL_LENGTH + 1, count)


def cut(payload: bytes, registers: Registers) -> bytes:
    """The wanted part: all, the first M, the last N, or what is between (00B0 to 00B2)."""
    first, last = registers[gm65.REG_CUT_START], registers[gm65.REG_CUT_END]
    match registers[gm65.REG_CUT] & 3:
        case 1:
            return payload[:first]
        case 2:
            return payload[-last:] if last else b""
        case 3:
            return payload[first : max(first, len(payload) - last)]
    return payload


def _mark(symbology: str, rule: int, registers: Registers, profile: ScannerProfile) -> bytes:
    if profile.has_aim_id and registers[gm65.REG_AIM_ID] & 0x80:
        return _AIM_IDS.get(symbology, b"]X0")
    return registers.span(letter_register(symbology), 1) if rule & _WITH_LETTER else b""


def _encoded(text: str, registers: Registers, profile: ScannerProfile) -> bytes:
    wanted = registers[gm65.REG_OUTPUT] >> 2 & 3
    if wanted == profile.unicode_value:
        return text.encode("utf-8", errors="replace")
    return text.encode("big5" if wanted == 2 else "gb18030", errors="replace")


def _framed(text: bytes, registers: Registers, profile: ScannerProfile) -> bytes:
    """Head and length in front, where the model can do it and bit 7 of 0060 asks for it."""
    if not (profile.has_frames and registers[gm65.REG_TAIL] & _FRAMED):
        return text
    wanted = registers[gm65.REG_HEAD] >> 6 if profile.has_chosen_head else 0
    if wanted not in _HEADS:
        return text
    return bytes([_HEADS[wanted]]) + len(text).to_bytes(2, "big") + text
