"""Which instruction takes how many bytes, what it does and how long that takes."""

from collections.abc import Callable
from dataclasses import dataclass

from firmware_sim.devices.ef01 import imaging, library, settings
from firmware_sim.devices.ef01.profiles import NOT_EVERYWHERE, Profile
from firmware_sim.devices.ef01.state import NOTEPAD_PAGE_BYTES, Answer, State
from protocol.framing.ef01 import Instruction

REPLY_MS = 5


def _at_once(_: Profile) -> int:
    return 0


def _capture(profile: Profile) -> int:
    return profile.capture_ms


def _extract(profile: Profile) -> int:
    return profile.extract_ms


def _search(profile: Profile) -> int:
    return profile.search_ms


@dataclass(frozen=True, slots=True)
class Command:
    """An instruction: its argument bytes, its doing, its cost in ms beyond the reply."""

    length: int
    run: Callable[[State, bytes], Answer]
    cost_ms: Callable[[Profile], int] = _at_once


COMMANDS: dict[int, Command] = {
    Instruction.GET_IMAGE: Command(0, imaging.get_image, _capture),
    Instruction.GET_IMAGE_EX: Command(0, imaging.get_image_ex, _capture),
    Instruction.IMG2TZ: Command(1, imaging.img2tz, _extract),
    Instruction.MATCH: Command(0, imaging.match),
    Instruction.SEARCH: Command(5, library.search, _search),
    Instruction.FAST_SEARCH: Command(5, library.search, _search),
    Instruction.REG_MODEL: Command(0, imaging.reg_model),
    Instruction.STORE: Command(3, library.store),
    Instruction.LOAD: Command(3, library.load),
    Instruction.UP_CHAR: Command(1, imaging.up_char),
    Instruction.DOWN_CHAR: Command(1, imaging.down_char),
    Instruction.UP_IMAGE: Command(0, imaging.up_image),
    Instruction.DOWN_IMAGE: Command(0, imaging.down_image),
    Instruction.DELETE: Command(4, library.delete),
    Instruction.EMPTY: Command(0, library.empty),
    Instruction.SET_SYS_PARA: Command(2, settings.set_sys_para),
    Instruction.READ_SYS_PARA: Command(0, settings.read_sys_para),
    Instruction.SET_PASSWORD: Command(4, settings.set_password),
    Instruction.VERIFY_PASSWORD: Command(4, settings.verify_password),
    Instruction.RANDOM: Command(0, settings.random_word),
    Instruction.SET_ADDRESS: Command(4, settings.set_address),
    Instruction.READ_INF_PAGE: Command(0, settings.read_inf_page),
    Instruction.WRITE_NOTEPAD: Command(1 + NOTEPAD_PAGE_BYTES, settings.write_notepad),
    Instruction.READ_NOTEPAD: Command(1, settings.read_notepad),
    Instruction.TEMPLATE_NUM: Command(0, library.template_num),
    Instruction.INDEX_TABLE: Command(1, library.index_table),
    Instruction.CANCEL: Command(0, settings.acknowledge),
    Instruction.AURA_LED: Command(4, settings.aura_led),
    Instruction.CHECK_SENSOR: Command(0, settings.check_sensor),
    Instruction.ALGORITHM_VERSION: Command(0, settings.algorithm_version),
    Instruction.FIRMWARE_VERSION: Command(0, settings.firmware_version),
    Instruction.PRODUCT_INFO: Command(0, settings.product_info),
    Instruction.SOFT_RESET: Command(0, settings.acknowledge),
    Instruction.HANDSHAKE: Command(0, settings.acknowledge),
    Instruction.LIGHT_ON: Command(0, settings.light_on),
    Instruction.LIGHT_OFF: Command(0, settings.light_off),
    Instruction.ECHO: Command(0, settings.echo),
}
AUTO_BYTES = 5


def command_of(profile: Profile, code: int) -> Command | None:
    """The instruction as this kind of sensor knows it."""
    if code in NOT_EVERYWHERE and code not in profile.extra:
        return None
    return COMMANDS.get(code)
