"""The fault table, and what to say of a driver's run under a fault.

Rule 1: a driver that ends well under a fault must have found out the same as on a sound line, and
the device must have done the same. Rule 2: it may always say an error, in its time. Rule 3: it
must not find out anything from a device that said nothing. Rule 4: a fault that has met no byte has
shown nothing, and its row is passed over.
"""

from dataclasses import dataclass

from faces.words import Words
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.reports.report import Verdict

_TITLES_ZH = {
    "sound": "线路正常",
    "silent": "器件不回答",
    "deaf": "器件什么也听不到",
    "drop_first": "一次回答丢第一个字节",
    "drop_third": "一次回答丢第三个字节",
    "drop_every": "每次回答都丢一个字节",
    "double": "一个字节来两次",
    "double_every": "每次回答都有一个字节来两次",
    "flip_first": "第一个字节错一位，一次",
    "flip_last": "第五个字节错一位，一次",
    "noise": "一次回答前有噪声",
    "noise_every": "每次回答前都有噪声",
    "slow": "字节之间停 50 毫秒",
    "late": "一次回答晚 0.3 秒",
    "too_late": "一次回答晚 20 秒",
    "short": "一次回答只来一个字节就断",
    "short_every": "每次回答都只来一个字节就断",
    "stuck": "从第一个字节起都读成 00",
    "unplugged": "回答途中插头被拔",
    "power_cut": "回答途中器件断电",
    "brown_out": "回答途中器件重启",
    "host_drop": "发给器件的丢一个字节",
    "host_flip": "发给器件的错一位",
    "host_noise": "一条命令前有噪声",
}
_LATE_MS, _VERY_LATE_MS, _SLOW_MS = 300, 20_000, 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a name, what is wrong in words, the faults."""

    name: str
    title: Words
    faults: tuple[Fault, ...]

    @property
    def is_silence(self) -> bool:
        """Whether the device cannot be heard at all."""
        return any(
            fault.kind is FaultKind.SILENT and fault.side is Side.DEVICE for fault in self.faults
        )


def _row(name: str, title: str, *faults: Fault) -> Row:
    return Row(name, Words(_TITLES_ZH[name], title), faults)


def _at(kind: FaultKind, at: int, *, side: Side = Side.DEVICE) -> Fault:
    return Fault(kind, at=at, side=side)


def _every(kind: FaultKind, at: int = 0) -> Fault:
    return Fault(kind, at=at, repeat=True)


SOUND = _row("sound", "a sound line")
TABLE: tuple[Row, ...] = (
    _row("silent", "the device does not answer", Fault(FaultKind.SILENT)),
    _row("deaf", "the device hears nothing", Fault(FaultKind.SILENT, side=Side.HOST)),
    _row("drop_first", "the first byte of one answer is lost", _at(FaultKind.DROP, 0)),
    _row("drop_third", "the third byte of one answer is lost", _at(FaultKind.DROP, 2)),
    _row("drop_every", "a byte of every answer is lost", _every(FaultKind.DROP)),
    _row("double", "one byte comes twice", _at(FaultKind.DUPLICATE, 0)),
    _row("double_every", "a byte of every answer comes twice", _every(FaultKind.DUPLICATE)),
    _row("flip_first", "a bit of the first byte is wrong once", _at(FaultKind.FLIP, 0)),
    _row("flip_last", "a bit of the fifth byte is wrong once", _at(FaultKind.FLIP, 4)),
    _row("noise", "noise stands before one answer", _at(FaultKind.NOISE, 0)),
    _row("noise_every", "noise stands before every answer", _every(FaultKind.NOISE)),
    _row("slow", "50 ms between bytes", Fault(FaultKind.SLOW, slow_byte_ms=_SLOW_MS)),
    _row("late", "an answer comes 0.3 s late", Fault(FaultKind.DELAY, delay_ms=_LATE_MS)),
    _row("too_late", "an answer comes 20 s late", Fault(FaultKind.DELAY, delay_ms=_VERY_LATE_MS)),
    _row("short", "an answer breaks off after one byte", _at(FaultKind.TRUNCATE, 1)),
    _row("short_every", "every answer breaks off after one byte", _every(FaultKind.TRUNCATE, 1)),
    _row("stuck", "the line reads 00 from the first byte on", _at(FaultKind.STUCK, 0)),
    _row("unplugged", "the plug is pulled in an answer", _at(FaultKind.CUT, 1)),
    _row("power_cut", "the device loses its power in an answer", _at(FaultKind.POWER_CUT, 1)),
    _row("brown_out", "the device restarts in an answer", _at(FaultKind.BROWN_OUT, 1)),
    _row("host_drop", "a byte to the device is lost", _at(FaultKind.DROP, 1, side=Side.HOST)),
    _row("host_flip", "a bit to the device is wrong", _at(FaultKind.FLIP, 1, side=Side.HOST)),
    _row("host_noise", "noise stands before a command", _at(FaultKind.NOISE, 0, side=Side.HOST)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of a driver. ``exit_code`` is ``None`` where it had to be ended; ``found`` is what
    it printed; ``deeds`` are what the device has done (its kind's counters). ``has_struck`` is
    whether the row's fault has met anything."""

    exit_code: int | None
    found: str
    said: str
    seconds: float
    heard_bytes: int
    deeds: tuple[tuple[str, int], ...]
    has_struck: bool = True


def judge(row: Row, ran: Ran, sound: Ran) -> tuple[Verdict, Words]:
    """What a run under a fault shows of the driver."""
    took, found = f"{ran.seconds:.1f}", ran.found.strip()
    if ran.exit_code is None:
        words = Words(f"挂住了：{took} 秒还没有结束", f"hangs: not ended after {took} s")
        return Verdict.FAILED, words
    if ran.exit_code < 0:
        signal = -ran.exit_code
        words = Words(f"崩溃：被信号 {signal} 结束", f"crashes: ended by signal {signal}")
        return Verdict.FAILED, words
    if ran.exit_code != 0:
        last = _last_line(ran)
        words = Words(f"{took} 秒后报错：{last}", f"says an error after {took} s: {last}")
        return Verdict.PASSED, words
    if row.is_silence and sound.heard_bytes:
        words = Words(
            f"相信了不说话的器件：{found or '成功'}",
            f"believes a silent device: {found or 'success'}",
        )
        return Verdict.FAILED, words
    if ran.found != sound.found:
        words = Words(
            f"把损坏的数据当真：{found or '什么也没有'}",
            f"takes damaged data for good: {found or 'nothing'}",
        )
        return Verdict.FAILED, words
    missing = ", ".join(
        name for (name, done), (_, wanted) in zip(ran.deeds, sound.deeds, strict=True)
        if done < wanted
    )  # fmt: skip
    if missing:
        words = Words(
            f"说做完了，器件却没有做：{missing}",
            f"says it is done, but the device has not: {missing}",
        )
        return Verdict.FAILED, words
    if not ran.has_struck:
        words = Words("故障没有碰上：线路上说得太少", "the fault met nothing: too little was said")
        return Verdict.SKIPPED, words
    return Verdict.PASSED, Words(f"能用，{took} 秒", f"works, in {took} s")


def _last_line(ran: Ran) -> str:
    """What it found comes before what it logged."""
    for output in (ran.found, ran.said):
        if lines := [line.strip() for line in output.splitlines() if line.strip()]:
            return lines[-1]
    return f"exit code {ran.exit_code}"
