"""One ledger on 1, 2 and 4 PostgreSQL databases of one server, with 0, 10 and 50 % of the payments
crossing from one to another. One process a shard; 512 callers in all.

On one machine the shards share its processors, so the rate cannot grow with them: what is measured
is what a payment and a crossing cost in processor time, in Python and in PostgreSQL. There are no
figures unless all shards are proved whole afterwards, with nothing under way.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from statistics import median, quantiles
from time import monotonic, sleep

from backend.db.engine import open_engine
from backend.db.reading import Reader
from backend.db.tables import BackendTable
from backend.shards.founding import found
from backend.shards.verify import verify_shards
from bench.cpu import family_s, read_used
from bench.engine_kit import SystemClock
from bench.payment_command import MODELS
from bench.result import Result
from bench.shard_costs import bare_costs
from bench.shard_worker import Done, Task, work
from tests.support.postgres import Cluster, start_cluster

CALLERS = 512
ROUNDS = 3
WARM_UP_PAYMENTS = 1_024
SHARES = {1: (0,), 2: (0, 10, 50), 4: (0, 10, 50)}
CROWD = 2_048
"""Callers of one more round on four shards: 512 over four fill no group."""
QUIET_S_MAX = 10


@dataclass(frozen=True, slots=True)
class _Load:
    shards: int
    cross_percent: int
    callers: int

    @property
    def name(self) -> str:
        crowd = "" if self.callers == CALLERS else f"_callers_{self.callers}"
        return f"shards_{self.shards}_cross_{self.cross_percent}{crowd}"


@dataclass(frozen=True, slots=True)
class Measured:
    """One round."""

    per_second: float
    home_ms: list[float]
    charged_ms: list[float]
    paid_ms: list[float]
    python_us: float
    postgres_us: float
    payments_per_commit: float
    others_cores: float


def run(scale: float = 1.0) -> list[Result]:
    """All figures."""
    cluster = start_cluster()
    try:
        found_rounds: dict[_Load, list[Measured]] = {}
        for shards, shares in SHARES.items():
            urls = [cluster.create_database(f"bench_{shards}_{n}") for n in range(shards)]
            _make(urls)
            with _workers(urls) as lines:
                rounds = _Rounds(cluster, lines, round(8_192 * scale))
                loads = [_Load(shards, share, CALLERS) for share in shares]
                if shards == max(SHARES):
                    loads.append(_Load(shards, shares[-1], CROWD))
                rounds.one(WARM_UP_PAYMENTS, loads[-1])
                for _ in range(ROUNDS):
                    for load in loads:
                        measured = rounds.one(rounds.payments, load)
                        found_rounds.setdefault(load, []).append(measured)
                _prove(urls)
        urls = [cluster.create_database(f"bench_bare_{n}") for n in range(2)]
        _make(urls)
        bare = bare_costs(urls, _postmaster(cluster), round(8_192 * scale))
    finally:
        cluster.stop()
    return _results(found_rounds) + bare


class _Rounds:
    """Running one round after the other on the same processes."""

    def __init__(
        self, cluster: Cluster, lines: Sequence[tuple[BaseProcess, Connection]], payments: int
    ) -> None:
        self._postmaster = _postmaster(cluster)
        self._lines = lines
        self._pids = {str(process.pid): process.pid or 0 for process, _ in lines}
        self._seed = 0
        self.payments = payments

    def one(self, payments: int, load: _Load) -> Measured:
        """Let all shards pay at the same time."""
        count, self._seed = len(self._lines), self._seed + 1
        task = Task(payments // count, load.cross_percent, load.callers // count, self._seed)
        used, postgres_s, began = read_used(self._pids), family_s(self._postmaster), monotonic()
        for _, line in self._lines:
            line.send(task)
        done: list[Done] = [line.recv() for _, line in self._lines]
        took = monotonic() - began
        spent, postgres_s = (
            read_used(self._pids).since(used),
            family_s(self._postmaster) - postgres_s,
        )
        python_s = sum(spent.by_name.values())
        paid = task.payments * count
        return Measured(
            per_second=paid / (max(one.ended for one in done) - min(one.began for one in done)),
            home_ms=[ms for one in done for ms in one.home_ms],
            charged_ms=[ms for one in done for ms in one.charged_ms],
            paid_ms=[ms for one in done for ms in one.paid_ms],
            python_us=python_s / paid * 1e6,
            postgres_us=postgres_s / paid * 1e6,
            payments_per_commit=paid / sum(one.groups for one in done),
            others_cores=max(0.0, spent.others_s - postgres_s) / took,
        )


def _postmaster(cluster: Cluster) -> int:
    pid_file = cluster.folder / "data" / "postmaster.pid"
    return int(pid_file.read_text("ascii").split("\n", 1)[0])


def _make(urls: Sequence[str]) -> None:
    found(urls, founding="bench", clock=SystemClock())
    for url in urls:
        engine = open_engine(url)
        for model in MODELS:
            BackendTable.metadata.tables[str(model.__tablename__)].create(engine)
        engine.dispose()


@contextmanager
def _workers(urls: Sequence[str]) -> Iterator[list[tuple[BaseProcess, Connection]]]:
    """A process a shard, ready to pay."""
    spawn = get_context("spawn")
    lines: list[tuple[BaseProcess, Connection]] = []
    for number in range(len(urls)):
        ours, theirs = spawn.Pipe()
        process: BaseProcess = spawn.Process(target=work, args=(theirs, urls, number), daemon=True)
        process.start()
        theirs.close()
        lines.append((process, ours))
    try:
        for _, line in lines:
            line.recv()
        yield lines
        for _, line in lines:
            line.send(None)
        for process, _ in lines:
            process.join()
    finally:
        for process, _ in lines:
            process.kill()


def _prove(urls: Sequence[str]) -> None:
    """Every caller has been answered; the last settling may take another moment."""
    readers = [Reader.open(url) for url in urls]
    try:
        until = monotonic() + QUIET_S_MAX
        report = verify_shards(readers)
        while report.is_whole and report.under_way_minor and monotonic() < until:
            sleep(0.1)
            report = verify_shards(readers)
    finally:
        for reader in readers:
            reader.close()
    if not report.is_whole or report.under_way_minor:
        raise RuntimeError(f"no figures: {report.breaks}, under way {report.under_way_minor}")


def _results(rounds: dict[_Load, list[Measured]]) -> list[Result]:
    results, cores = [], {}
    for load, runs in rounds.items():
        name = load.name
        python = median(one.python_us for one in runs)
        postgres = median(one.postgres_us for one in runs)
        cores[load] = python + postgres
        results.append(
            Result(name, median(one.per_second for one in runs), "payments/s", _waits(runs))
        )
        against = (
            f"Python {python:.0f}, PostgreSQL {postgres:.0f}; "
            f"{median(one.payments_per_commit for one in runs):.0f} payments a commit; "
            f"others used {median(one.others_cores for one in runs):.2f} cores"
        )
        results.append(Result(f"{name}_core_us", python + postgres, "core-µs/payment", against))
    for shards in (2, 4):
        most, none = _Load(shards, 50, CALLERS), _Load(shards, 0, CALLERS)
        crossing = (cores[most] - cores[none]) / 0.5
        against = "what a payment that crosses costs more, smaller groups included"
        results.append(Result(f"shards_{shards}_crossing_core_us", crossing, "core-µs", against))
    return results


def _waits(runs: Sequence[Measured]) -> str:
    words = [f"at home {_p50_p99([one.home_ms for one in runs])}"]
    if any(one.paid_ms for one in runs):
        words.append(f"across: charged {_p50_p99([one.charged_ms for one in runs])}")
        words.append(f"paid {_p50_p99([one.paid_ms for one in runs])}")
    return "; ".join(words)


def _p50_p99(rounds: Sequence[Sequence[float]]) -> str:
    cuts = [quantiles(waits, n=100, method="inclusive") for waits in rounds]
    p50, p99 = (median(cut[percent - 1] for cut in cuts) for percent in (50, 99))
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms"
