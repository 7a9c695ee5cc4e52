"""What a judgement's codes mean to people, in Chinese and in English. Pure."""

from backend.risk.devices.evidence import Sign
from backend.risk.devices.judging import NOT_ENROLLED, Verdict

VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.SAME: ("就是这台设备。", "It is the device."),
    Verdict.DRIFTED: ("是这台设备，有正常变化。", "It is the device, with honest changes."),
    Verdict.CLONE: (
        "身份被复制到了其他硬件，或重放了旧读数。",
        "Its identity was copied to other hardware, or an old reading was replayed.",
    ),
    Verdict.EMULATOR: ("读数来自模拟器。", "The reading comes from an emulator."),
    Verdict.TAMPERED: (
        "设备的软件或外设被改动。",
        "The device's software or peripherals were tampered with.",
    ),
}
SIGNS: dict[str, tuple[str, str]] = {
    Sign.HARDWARE: ("芯片或主板自称是另一块", "a chip or board says that it is another"),
    Sign.SILENT: ("以前能读到的，现在读不到", "what it could read before, it cannot read now"),
    Sign.FOREIGN: ("属于另一台设备的值", "a value that belongs to another device"),
    Sign.MEASURED: ("测量值不像这台设备", "a measure that is not like the device's"),
    Sign.REPLAY: ("与旧读数的噪声完全相同", "noise that is exactly an older reading's"),
    Sign.COUNTER: ("计数器倒退", "a counter fell"),
    Sign.STOOD: ("计数器没有前进", "a counter that usually rises stood still"),
    Sign.SOFTWARE: ("没有升级记录而软件变了", "software changed without an update"),
    Sign.UPDATE: ("软件升级", "software was updated"),
    Sign.STORAGE: ("存储卡或文件系统变了", "the storage changed"),
    Sign.PERIPHERAL: ("更换了外设", "a peripheral changed"),
    Sign.PERIPHERALS: ("同时更换了多个外设", "several peripherals changed at once"),
    Sign.EVIDENCE: ("有模拟或拆动的迹象", "evidence of an emulator or of an opened case"),
    Sign.OTHER: ("其他变化", "another change"),
    NOT_ENROLLED: ("没有登记读数", "there is no enrolment"),
}


def reason_words(reason: str) -> dict[str, str]:
    """A reason (``sign:attribute``) as people read it: its code, its attribute, zh and en."""
    sign, _, attribute = reason.partition(":")
    zh, en = SIGNS[sign]
    return {"code": sign, "attribute": attribute, "zh": zh, "en": en}


def verdict_words(verdict: str) -> dict[str, str]:
    """A verdict's sentence in both languages; empty before there is one."""
    zh, en = VERDICTS[Verdict(verdict)] if verdict else ("", "")
    return {"zh": zh, "en": en}
