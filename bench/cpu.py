"""Who used the processors: read from ``/proc``, all threads of a process together."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_BUSY_FIELDS = (0, 1, 2, 5, 6)
"""user, nice, system, irq and softirq of ``/proc/stat``: what is neither idle nor waiting."""


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of processor time: of each process by name, and of the whole machine."""

    by_name: Mapping[str, float]
    machine_s: float

    def since(self, before: "Used") -> "Used":
        """What was used between two readings."""
        each = {name: spent - before.by_name[name] for name, spent in self.by_name.items()}
        return Used(each, self.machine_s - before.machine_s)

    @property
    def others_s(self) -> float:
        """What processes that are not ours used."""
        return max(0.0, self.machine_s - sum(self.by_name.values()))


def read_used(pids: Mapping[str, int]) -> Used:
    """One reading."""
    first = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:]
    busy = sum(int(first[field]) for field in _BUSY_FIELDS)
    return Used({name: _process_s(pid) for name, pid in pids.items()}, busy / _TICKS_PER_S)


def _process_s(pid: int) -> float:
    """utime and stime: fields 14 and 15 of proc(5)'s stat, counted behind the name's bracket."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def family_s(pid: int) -> float:
    """Processor seconds of a process, of its children that have ended, and of those that live."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = stat.parent.name, stat.read_text("ascii").rpartition(")")[2].split()
        except (OSError, UnicodeError):
            continue  # it has just ended, or it is none of ours
        if int(name) == pid:
            ticks += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == pid:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS_PER_S
