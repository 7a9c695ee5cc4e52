"""The whole way: terminals, hub, backend, each signature, commit and proof. ``make bench ARGS=way``

Sandbox, backend and hub run as processes of their own, as in the demo; this process is all the
terminals. Payments are made by pay code. Every one must be captured, and the ledger must verify at
the end, or there are no figures.

Settings that differ from the defaults: a payer may try 64 times a minute (the risk rule stays and
reads its row), 600 machines a minute may join from one address, no merchant callback address.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from backend.config import load
from bench.result import Result
from bench.way_load import Fleet, Run
from bench.way_payers import Wallet, found_payers
from bench.way_till import GroupKeys, Till
from protocol.identity import Identity, TlsProfileName
from tillway.demo.stack import HOST, HUB, MERCHANT, Ports, Stack

DIRECTORY = Path("var/bench/way")
TERMINALS = 50
ROUNDS = 3
PAYERS = 4_000
CLOSED_EACH = 40
"""Payments of one terminal in one round of the closed loop."""
WARM_EACH = 5
SUITES = {"es256": "ES256", "sm2": "SM2-SM3"}
OFFERED = {300: 900, 1_000: 3_000}
"""Payments a second, and how many of them are sent in one round."""
OFFERED_SUITE = "es256"
PROGRAMS = ("backend", HUB)
BACKEND_EXTRA = {
    "risk_velocity_count_max": 64,
    "joins_per_minute_max": 600,
    "wallet": {"pin_free_day_count": 1_000, "pin_free_day_minor": 10**9},
}
VERIFY_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Measured:
    """The rounds of one kind of load."""

    name: str
    what: str
    runs: list[Run]

    def middle(self, of: Callable[[Run], float]) -> float:
        """The median of the rounds."""
        return median(of(run) for run in self.runs)


def run(scale: float = 1.0) -> list[Result]:
    """All figures of the whole way: a stack of its own for each suite."""
    measured = [
        one
        for name in SUITES
        for one in paid(scale, name, OFFERED if name == OFFERED_SUITE else {})
    ]
    return [result for one in measured for result in _results(one) if one.name != "warm"]


def paid(
    scale: float,
    name: str,
    offered: Mapping[int, int],
    *,
    tls_profile: TlsProfileName = "p256",
) -> list[Measured]:
    """What terminals paid, by a stack of its own whose keys are all of one suite; the books are
    whole."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    stack = Stack(DIRECTORY.absolute() / "state", Ports(), lambda _words: None)
    stack.backend_extra, stack.tls_profile, stack.suite = BACKEND_EXTRA, tls_profile, SUITES[name]
    try:
        stack.found_backend()
        wallets = found_payers(stack.backend_file, PAYERS)
        stack.start_core()
        fleet = uvloop.run(_measure(stack, name, _enrol(stack), wallets, scale, offered))
    finally:
        stack.stop()
    _check_books(stack, sum(run.payments for one in fleet for run in one.runs))
    return fleet


def _enrol(stack: Stack) -> list[Identity]:
    """Terminals, by the real enrolment."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        names = [f"till-{number}" for number in range(TERMINALS)]
        return list(pool.map(lambda name: stack.enrol(name, "terminal"), names))


async def _measure(
    stack: Stack,
    name: str,
    identities: list[Identity],
    wallets: list[Wallet],
    scale: float,
    offered: Mapping[int, int],
) -> list[Measured]:
    pids = {program: stack.programs[program].process.pid for program in PROGRAMS}
    tills = await _connected(stack, identities, wallets)
    fleet = Fleet(tills, pids)
    found = [Measured("warm", "", [await fleet.closed_loop(WARM_EACH)])]
    each = max(WARM_EACH, round(CLOSED_EACH * scale))
    runs = [await fleet.closed_loop(each) for _ in range(ROUNDS)]
    what = f"{TERMINALS} terminals, all {SUITES[name]}"
    found.append(Measured(f"way_{name}_{TERMINALS}", f"{what}, closed loop", runs))
    for rate, number in offered.items():
        runs = [await fleet.offered(rate, round(number * scale)) for _ in range(ROUNDS)]
        found.append(Measured(f"way_{rate}", f"{what}, {rate}/s offered", runs))
    for till in tills:
        till.close()
    return found


async def _connected(stack: Stack, identities: list[Identity], wallets: list[Wallet]) -> list[Till]:
    """The terminals of a fleet, each with customers of its own."""
    groups = GroupKeys(identities[0])
    port = stack.programs[HUB].port("mqtt")
    tills = []
    for number, identity in enumerate(identities):
        till = Till(identity, MERCHANT, wallets[number :: len(identities)])
        await till.connect(HOST, port, groups, tls_profile=stack.tls_profile)
        tills.append(till)
    return tills


def _check_books(stack: Stack, payments: int) -> None:
    """Every payment is in the database as captured, and the ledger is whole."""
    url = load(stack.backend_file).url
    with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
        rows = dict(connection.execute("SELECT state, count(*) FROM payment GROUP BY state"))
    connection.close()
    if rows != {"captured": payments}:
        raise RuntimeError(f"{payments} payments were made, the database has {rows}")
    words = [sys.executable, "-m", "tillway", "ledger", "verify", "--database", url]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=VERIFY_TIMEOUT_S
    )
    if done.returncode:
        raise RuntimeError(f"ledger verify: {done.stdout}{done.stderr}")


def _results(one: Measured) -> list[Result]:
    load = one.middle(lambda run: run.load_average)
    others = one.middle(lambda run: run.others_percent)
    against = f"{one.what}; load {load:.1f}, others {others:.0f} % of 200"
    found = [
        Result(one.name, one.middle(lambda run: run.per_s), "payments/s", against),
        Result(f"{one.name}_p50_ms", one.middle(lambda run: run.percentile_ms(50)), "ms", against),
        Result(f"{one.name}_p99_ms", one.middle(lambda run: run.percentile_ms(99)), "ms", against),
    ]
    for name in (*PROGRAMS, "generator"):
        figure = one.middle(lambda run, name=name: run.cpu_us(name))  # type: ignore[misc]
        label = "hub" if name == HUB else name
        found.append(Result(f"{one.name}_cpu_{label}", figure, "µs/payment", against))
    return found
