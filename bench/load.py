"""The engine under more than it can take, and whether twice as many payments cost twice as much."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import uvloop
from sqlalchemy import Engine, text

from backend.db.group_commit import GroupCommitWriter
from backend.ledger.service import LedgerSeal
from bench.engine_kit import SystemClock, opened, payments, run_callers
from bench.payment_command import PayFromBalance
from bench.result import Result
from protocol.errors import OperatingError

ROUNDS = 3
CALLERS = 512
OVERLOAD = 3
"""How many times what the queue holds comes at once."""
BUSY_AGAIN_S = 0.05


def run(scale: float = 1.0) -> list[Result]:
    """Both figures."""
    with tempfile.TemporaryDirectory(prefix="tillway-bench-") as name:
        return [linear(Path(name), scale), *overload(Path(name), scale)]


def linear(folder: Path, scale: float) -> Result:
    """Time of 2N payments over that of N, each in a new database."""
    ratios = []
    for turn in range(ROUNDS):
        took = []
        for times in (1, 2):
            number = round(20_480 * scale) * times
            with opened(f"sqlite:///{folder / f'linear{turn}_{times}.db'}") as (_, store):
                took.append(number / run_callers(store, CALLERS, payments(number)).per_second)
        ratios.append(took[1] / took[0])
    return Result("engine_sqlite_linear", median(ratios), "ratio", "2: twice as many payments")


@dataclass(slots=True)
class _Tally:
    """What the callers were answered."""

    paid: int = 0
    busy: int = 0


def overload(folder: Path, scale: float) -> list[Result]:
    """Every payment comes at once; who hears *busy* tries again with the same id."""
    waiting_max = round(16_384 * scale)
    made = payments(waiting_max * OVERLOAD)
    with opened(f"sqlite:///{folder / 'overload.db'}") as (engine, store):
        writer = GroupCommitWriter(
            store, clock=SystemClock(), seals=[LedgerSeal()], commands_waiting_max=waiting_max
        )
        writer.start()
        stored_before = _stored(engine)
        before = _reset_peak_kib()
        tally = _Tally()
        began = perf_counter()
        uvloop.run(_all_at_once(writer, made, tally))
        took = perf_counter() - began
        grown = _peak_kib() - before
        writer.close()
        stored = _stored(engine) - stored_before
    assert stored == tally.paid == len(made), "a payment was lost or made twice"
    return [
        Result("engine_overload_per_second", len(made) / took, "payments/s", "none lost"),
        Result(
            "engine_overload_busy_share",
            tally.busy / (tally.busy + tally.paid),
            "of answers",
            f"{len(made):,} at once, room for {waiting_max:,}",
        ),
        Result("engine_overload_memory", grown / 1024, "MiB", "grown at the peak"),
    ]


def _stored(engine: Engine) -> int:
    with engine.connect() as connection:
        found: int = connection.execute(text("SELECT count(*) FROM bench_payment")).scalar_one()
    return found


async def _all_at_once(
    writer: GroupCommitWriter, made: list[PayFromBalance], tally: _Tally
) -> None:
    async def pay(command: PayFromBalance) -> None:
        while True:
            try:
                await writer.submit(command)
            except OperatingError:
                tally.busy += 1
                await asyncio.sleep(BUSY_AGAIN_S)
            else:
                tally.paid += 1
                return

    await asyncio.gather(*map(pay, made))


def _reset_peak_kib() -> int:
    """Forget this process's highest memory (proc(5), clear_refs); returns what it is now."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _peak_kib()


def _peak_kib() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
