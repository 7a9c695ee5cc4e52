"""The payment engine on PostgreSQL, beside ``pgbench`` TPC-B on the same server in the same run.

Rounds are interleaved: TPC-B at each count of clients, the engine at each count of callers, the
engine with one merchant who takes all payments. The best of the medians are compared.
"""

import re
import subprocess
from statistics import median

from bench.engine_kit import MERCHANTS, opened, payments, run_callers
from bench.result import Result
from tests.support.postgres import Cluster, start_cluster

CLIENTS = (1, 8, 16, 32, 64)
CALLERS = (512, 1024, 2048, 4096)
ROUNDS = 3
TPCB_SCALE, TPCB_SECONDS = 10, 4
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def run(scale: float = 1.0) -> list[Result]:
    """Everything on a private server with fsync on."""
    number = round(10_240 * scale)
    tpcb: dict[int, list[float]] = {clients: [] for clients in CLIENTS}
    spread: dict[int, list[float]] = {callers: [] for callers in CALLERS}
    hot: list[float] = []
    cluster = start_cluster("max_connections=100")
    try:
        cluster.create_database("tpcb")
        _pgbench(cluster, "-i", "-q", "-s", str(TPCB_SCALE))
        for turn in range(ROUNDS):
            for clients in CLIENTS:
                tpcb[clients].append(_tpcb(cluster, clients))
            for callers in CALLERS:
                spread[callers].append(_engine(cluster, f"s{turn}_{callers}", callers, number))
            hot.append(_engine(cluster, f"hot{turn}", CALLERS[0], number, merchants=1))
    finally:
        cluster.stop()
    return _results(tpcb, spread, hot)


def _engine(
    cluster: Cluster, name: str, callers: int, number: int, merchants: int = MERCHANTS
) -> float:
    """Payments a second in a new database, which is dropped at the end."""
    with opened(cluster.create_database(name)) as (_, store):
        made = payments(max(number, callers * 10), merchants=merchants)
        per_second = run_callers(store, callers, made).per_second
    cluster.drop_database(name)
    return per_second


def _tpcb(cluster: Cluster, clients: int) -> float:
    """Transactions a second, without the time to connect."""
    found = _TPS.search(
        _pgbench(cluster, "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(TPCB_SECONDS))
    )
    assert found is not None
    return float(found[1])


def _pgbench(cluster: Cluster, *arguments: str) -> str:
    program = cluster.binaries / "pgbench"
    line = ("-h", "127.0.0.1", "-p", str(cluster.port), "-U", "tester")
    return subprocess.run(
        [str(program), *line, *arguments, "tpcb"], check=True, capture_output=True, text=True
    ).stdout


def _results(
    tpcb: dict[int, list[float]], spread: dict[int, list[float]], hot: list[float]
) -> list[Result]:
    peers = {clients: median(runs) for clients, runs in tpcb.items()}
    rates = {callers: median(runs) for callers, runs in spread.items()}
    best_peer, best = max(peers, key=peers.__getitem__), max(rates, key=rates.__getitem__)
    beside = " ".join(f"{clients}: {rate:,.0f}" for clients, rate in peers.items())
    shares = [one / other for one, other in zip(hot, spread[CALLERS[0]], strict=True)]
    return [
        *(
            Result(f"engine_postgres_{callers}", rate, "payments/s", "one text a column, fsync on")
            for callers, rate in rates.items()
        ),
        Result("pgbench_tpcb_best", peers[best_peer], "transactions/s", f"clients {beside}"),
        Result(
            "engine_postgres_vs_tpcb",
            rates[best] / peers[best_peer],
            "ratio",
            f"at least 8; {best} callers against {best_peer} clients",
        ),
        Result("engine_postgres_hot_vs_spread", median(shares), "ratio", "at least 0.9"),
    ]
