"""The whole way: terminals, hub, backend, each signature, commit and proof. ``make bench ARGS=way``

Sandbox, backend and hub run as processes of their own, as in the demo; this process is all the
terminals. Payments are made by pay code. Every one must be captured, beyond the limit captured or
refused with *busy*, and the ledger must verify at the end, or there are no figures.

There is no way without TLS: the hub and the backend know who speaks by their certificates. What TLS
itself costs is measured on the MQTT endpoint (``bench.tls``).

Settings that differ from the defaults: a payer may try 64 times a minute (the risk rule stays and
reads its row), 600 machines a minute may join from one address, no merchant callback address.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import uvloop

from backend.config import load
from bench.result import Result
from bench.way_fleet import found_terminals
from bench.way_load import Fleet, Run
from bench.way_payers import Wallet, found_payers
from bench.way_till import GroupKeys, Till
from protocol.crypto.keys import generate
from protocol.identity import Identity, TlsProfileName
from tillway.demo.ports import HOST, Ports
from tillway.demo.stack import HUB, MERCHANT, Stack

DIRECTORY = Path("var/bench/way")
FEW, MANY = 50, 500
"""Terminals: of a store, and of a chain's hall."""
ROUNDS = 3
PAYERS = 4_000
CLOSED_PAYMENTS = 2_000
"""Payments of all terminals in one round of the closed loop."""
WARM_EACH, CLOSED_EACH_MIN = 5, 5
OFFERED = {300: 900, 1_000: 3_000}
"""Payments a second, and how many of them are sent in one round."""
OVERLOAD_PER_S, OVERLOAD_PAYMENTS = 6_000, 12_000
"""More than there is room for: who cannot be served is to hear *busy*."""
PROGRAMS = ("backend", HUB)
BACKEND_EXTRA = {
    "risk_velocity_count_max": 64,
    "joins_per_minute_max": 600,
    "wallet": {"pin_free_day_count": 1_000, "pin_free_day_minor": 10**9},
}
VERIFY_TIMEOUT_S = 120
SIGNATURES_TIMED, ENVELOPE_BYTES = 200, 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one stack signs with and talks by, and which loads it is put under."""

    name: str
    suite: str
    tls_profile: TlsProfileName = "p256"
    terminals: tuple[int, ...] = (FEW,)
    offered: Mapping[int, int] = field(default_factory=dict)
    is_overloaded: bool = False

    @property
    def what(self) -> str:
        """For people."""
        return f"all {self.suite}, TLS {self.tls_profile}"


WAYS = (
    Way(name="es256", suite="ES256", terminals=(FEW, MANY), offered=OFFERED, is_overloaded=True),
    Way(name="sm2", suite="SM2-SM3", terminals=(FEW, MANY)),
    Way(name="es256_sm_tls", suite="ES256", tls_profile="sm"),
    Way(name="sm2_sm_tls", suite="SM2-SM3", tls_profile="sm"),
)


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
    """All figures of the whole way: a stack of its own for each way."""
    found: list[Result] = []
    for way in WAYS:
        measured = paid(scale, way)
        found += [result for one in measured[1:] for result in _results(one)]
        found.append(_against_verifying(way, measured[1]))
    return found


def paid(scale: float, way: Way) -> list[Measured]:
    """What terminals paid in a stack of its own, warming up first; the books are whole."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    stack = Stack(DIRECTORY.absolute() / "state", Ports(), lambda _words: None)
    stack.backend_extra, stack.tls_profile, stack.suite = BACKEND_EXTRA, way.tls_profile, way.suite
    try:
        stack.found_backend()
        wallets = found_payers(stack.backend_file, PAYERS)
        stack.start_core()
        fleet = uvloop.run(
            _measure(stack, way, _terminals(stack, max(way.terminals)), wallets, scale)
        )
    finally:
        stack.stop()
    _check_books(stack, sum(run.payments for one in fleet for run in one.runs))
    return fleet


def _terminals(stack: Stack, number: int) -> list[Identity]:
    """The first by the real enrolment; the hub has heard of the others by the time they come."""
    names = [f"till-{place}" for place in range(number)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda name: stack.enrol(name, "terminal"), names[:FEW]))
    directory = DIRECTORY.absolute() / "certificates"
    directory.mkdir()
    return [*found, *found_terminals(stack.backend_file, directory, names[FEW:], found[0])]


async def _measure(
    stack: Stack, way: Way, identities: list[Identity], wallets: list[Wallet], scale: float
) -> list[Measured]:
    pids = {program: stack.programs[program].process.pid for program in PROGRAMS}
    groups = GroupKeys(identities[0])
    tills: list[Till] = []
    found: list[Measured] = []
    for number in way.terminals:
        tills += await _connected(stack, identities[len(tills) : number], groups)
        for place, till in enumerate(tills):
            till.serve(wallets[place::number])
        fleet = Fleet(tills, pids)
        if not found:
            found.append(Measured("warm", "", [await fleet.closed_loop(WARM_EACH)]))
        each = max(CLOSED_EACH_MIN, round(CLOSED_PAYMENTS * scale) // number)
        runs = [await fleet.closed_loop(each) for _ in range(ROUNDS)]
        what = f"{number} terminals, {way.what}"
        found.append(Measured(f"way_{way.name}_{number}", f"{what}, closed loop", runs))
        for rate, payments in way.offered.items() if number == FEW else ():
            runs = [await fleet.offered(rate, round(payments * scale)) for _ in range(ROUNDS)]
            found.append(Measured(f"way_{rate}", f"{what}, {rate}/s offered", runs))
    if way.is_overloaded:
        run = await fleet.offered(OVERLOAD_PER_S, round(OVERLOAD_PAYMENTS * scale), may_refuse=True)
        what = f"{what}, {OVERLOAD_PER_S}/s offered, {run.busy} busy"
        found.append(Measured("way_overload", what, [run]))
    for till in tills:
        till.close()
    return found


async def _connected(stack: Stack, identities: list[Identity], groups: GroupKeys) -> list[Till]:
    """Terminals on the hub's lines."""
    port = stack.programs[HUB].port("mqtt")
    tills = [Till(identity, MERCHANT) for identity in identities]
    for till in tills:
        await till.connect(HOST, port, groups, tls_profile=stack.tls_profile)
    return tills


def _against_verifying(way: Way, closed: Measured) -> Result:
    """The closed loop beside what all processors could do if they only verified terminals'
    signatures, each of which the hub and the backend check."""
    key, message = generate(way.suite), bytes(ENVELOPE_BYTES)
    signature = key.sign(message)
    began = time.thread_time()
    for _ in range(SIGNATURES_TIMED):
        assert key.public.verify(signature, message)
    verify_s = (time.thread_time() - began) / SIGNATURES_TIMED
    limit_per_s = (os.cpu_count() or 1) / (verify_s * len(PROGRAMS))
    ratio = closed.middle(lambda run: run.per_s) / limit_per_s
    against = (
        f"{limit_per_s:,.0f}/s, if hub and backend did nothing but verify {way.suite}:"
        f" {1e6 * verify_s:.0f} µs each"
    )
    return Result(f"{closed.name}_vs_verify_limit", ratio, "ratio", against)


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
    late = sum(run.late for run in one.runs)
    told = f", {late} told to wait" if late else ""
    against = f"{one.what}{told}; load {load:.1f}, others {others:.0f} % of 200"
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
