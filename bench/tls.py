"""What TLS costs: handshakes, round trips, and the whole way. ``make bench ARGS=tls``

Three kinds: none, the profile ``p256`` (X25519MLKEM768), the profile ``sm`` (TLS_SM4_GCM_SM3, SM2,
curveSM2MLKEM768). Without TLS there is no whole way, so there the two profiles stand beside each
other.
"""

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import get_args

from backend.identity.ca import Holder
from bench import way
from bench.hub_mqtt import Measured, by_tls, measured, plain
from bench.mqtt_load import Mqtt5
from bench.mqtt_servers import own_endpoint
from bench.result import Result
from protocol.identity import TlsProfileName
from tests.kit.tls_ends import HOST, Ends
from transport.contexts import ClientTls

PROFILES: tuple[TlsProfileName, ...] = get_args(TlsProfileName)
HANDSHAKES, TERMINALS, ROUNDS = 400, 50, 3
SECONDS = 2.0
SUITE = "ES256"


def run(scale: float = 1.0) -> list[Result]:
    """All figures of TLS."""
    with tempfile.TemporaryDirectory(prefix="tillway-bench-") as name:
        ends = {profile: Ends(Path(name), profile) for profile in PROFILES}
        found = [_handshakes(one, max(20, round(HANDSHAKES * scale))) for one in ends.values()]
        found += _round_trips(ends, max(0.3, SECONDS * scale))
    return [*found, _whole_way(scale)]


def _handshakes(ends: Ends, number: int) -> Result:
    """Mutual, whole handshakes in memory: what one processor does of the server's half."""
    server_s = 0.0
    wire = 0
    for _ in range(number):
        far, near = ends.server.machine(), ends.client.machine(HOST)
        near.start()
        for _ in range(2):
            said = near.outgoing()
            began = time.process_time()
            far.receive(said)
            answer = far.outgoing()
            server_s += time.process_time() - began
            wire += len(said) + len(answer)
            near.receive(answer)
        assert far.is_open
    suite, group = far.agreed
    against = f"{suite}, {group}; server's half of a mutual one; {wire // number:,} bytes both ways"
    name = f"tls_{ends.profile}_handshakes_per_cpu_s"
    return Result(name, number / server_s, "handshakes/CPU s", against)


def _round_trips(ends: Mapping[TlsProfileName, Ends], seconds: float) -> list[Result]:
    """The endpoint with and without, in turn."""
    runs: dict[str, list[Measured]] = {name: [] for name in ("plain", *ends)}
    with ExitStack() as stack:
        servers = {name: stack.enter_context(own_endpoint(one.hub)) for name, one in ends.items()}
        port, process = stack.enter_context(own_endpoint())
        assert process.pid is not None
        dials = {"plain": (process.pid, plain(port))}
        for profile, one in ends.items():
            keys = {
                f"till-{each}": ClientTls(one.issue(Holder("terminal", f"till-{each}")))
                for each in range(TERMINALS)
            }
            port, process = servers[profile]
            assert process.pid is not None
            dial = by_tls(port, lambda terminal, keys=keys: keys[terminal.client_id])  # type: ignore[misc]
            dials[profile] = (process.pid, dial)
        for _ in range(ROUNDS):
            for name, (pid, dial) in dials.items():
                runs[name].append(measured([pid], TERMINALS, seconds, Mqtt5(), dial))
    return [_beside(name, runs["plain"], runs[name]) for name in ends]


def _beside(name: str, bare: list[Measured], covered: list[Measured]) -> Result:
    ratios = [b.trips.per_s / a.trips.per_s for a, b in zip(bare, covered, strict=True)]
    said = ", ".join(
        f"{who} {median(run.trips.per_s for run in runs):,.0f}/s"
        f" at {median(run.cpu_us for run in runs):.0f} µs"
        for who, runs in ((name, covered), ("plain", bare))
    )
    others = median(run.others_percent for run in [*bare, *covered])
    against = f"{said}; others {others:.0f} % of 200"
    return Result(f"hub_mqtt_{TERMINALS}_tls_{name}_vs_plain", median(ratios), "ratio", against)


def _whole_way(scale: float) -> Result:
    """Payments over the one and over the other, each in a stack of its own: their rates are of two
    different minutes, so hub and backend are compared by their processor time."""
    paid = {
        name: way.paid(scale, way.Way(name=name, suite=SUITE, tls_profile=name))[1]
        for name in PROFILES
    }
    used = {name: _used_us(one) for name, one in paid.items()}
    said = ", ".join(
        f"{name} {used[name]:.0f} µs, {one.middle(lambda run: run.per_s):,.0f}/s"
        for name, one in paid.items()
    )
    others = median(one.middle(lambda run: run.others_percent) for one in paid.values())
    against = f"{way.FEW} terminals, {SUITE}: {said}; others {others:.0f} % of 200"
    ratio = used["sm"] / used["p256"]
    return Result("way_sm_tls_vs_p256_tls_cpu", ratio, "ratio of processor time", against)


def _used_us(one: way.Measured) -> float:
    """Processor time of hub and backend for each payment."""
    return sum(one.middle(lambda run, name=name: run.cpu_us(name)) for name in way.PROGRAMS)  # type: ignore[misc]
