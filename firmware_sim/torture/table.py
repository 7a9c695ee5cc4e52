"""The fault table, and what to say of a driver's run under a fault.

Rule 1: a driver that ends well under a fault must have found out the same as on a sound line, and
the device must have done the same. Rule 2: it may always say an error, in its time. Rule 3: it
must not find out anything from a device that said nothing.
"""

from dataclasses import dataclass

from firmware_sim.faults import Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.reports.report import Verdict

_LATE_MS, _VERY_LATE_MS, _SLOW_MS = 300, 20_000, 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: a name, what is wrong in words, the faults."""

    name: str
    title: str
    faults: tuple[Fault, ...]

    @property
    def is_silence(self) -> bool:
        """Whether the device cannot be heard at all."""
        return any(
            fault.kind is FaultKind.SILENT and fault.side is Side.DEVICE for fault in self.faults
        )


def _row(name: str, title: str, *faults: Fault) -> Row:
    return Row(name, title, faults)


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
    it printed; ``deeds`` are what the device has done (its kind's counters)."""

    exit_code: int | None
    found: str
    said: str
    seconds: float
    heard_bytes: int
    deeds: tuple[tuple[str, int], ...]


def judge(row: Row, ran: Ran, sound: Ran) -> tuple[Verdict, str]:
    """What a run under a fault shows of the driver."""
    if ran.exit_code is None:
        return Verdict.FAILED, f"hangs: not ended after {ran.seconds:.1f} s"
    if ran.exit_code < 0:
        return Verdict.FAILED, f"crashes: ended by signal {-ran.exit_code}"
    if ran.exit_code != 0:
        return Verdict.PASSED, f"says an error after {ran.seconds:.1f} s: {_last_line(ran)}"
    if row.is_silence and sound.heard_bytes:
        return Verdict.FAILED, f"believes a silent device: {ran.found.strip() or 'success'}"
    if ran.found != sound.found:
        return Verdict.FAILED, f"takes damaged data for good: {ran.found.strip() or 'nothing'}"
    missing = [
        name for (name, done), (_, wanted) in zip(ran.deeds, sound.deeds, strict=True)
        if done < wanted
    ]  # fmt: skip
    if missing:
        return Verdict.FAILED, f"says it is done, but the device has not: {', '.join(missing)}"
    return Verdict.PASSED, f"works, in {ran.seconds:.1f} s"


def _last_line(ran: Ran) -> str:
    """What it found comes before what it logged."""
    for output in (ran.found, ran.said):
        if lines := [line.strip() for line in output.splitlines() if line.strip()]:
            return lines[-1]
    return f"exit code {ran.exit_code}"
