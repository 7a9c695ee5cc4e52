"""The hub's own MQTT server: request and answer, QoS 1 both ways. ``make bench ARGS=hub-mqtt``

One process plays the server, this one all terminals, in a closed loop. Peers run in turn with ours,
so that a ratio compares minutes that were alike. Idle devices and a restart are measured over TLS,
as the endpoint always speaks it outside of tests; the rates over plain TCP, as the peers'.
"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import uvloop

from backend.identity.ca import Holder
from bench.cpu import read_used
from bench.mqtt_load import Codec, Dial, Mqtt5, Mqtt311, Terminal, Trips, closed_loop, connected
from bench.mqtt_servers import (
    HOST,
    Missing,
    behind_amqtt,
    behind_mosquitto,
    free_port,
    own_endpoint,
)
from bench.result import Result
from protocol.crypto.tls_keys import TlsKey, pem_chain
from protocol.identity import TlsFiles
from tests.kit.tls_ends import PASSPHRASE, Ends
from transport.contexts import ClientTls
from transport.streams import TlsLayer

TERMINALS = (1, 50, 500)
COMPARED = 50
_Peer = AbstractContextManager[tuple[int, list[int]]]
SECONDS, ROUNDS = 3.0, 3
IDLE, RESTARTED = 10_000, 500
PAGE_BYTES = 4096
RETRY_S = 0.1


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: the round trips, and what the server's side used for each."""

    trips: Trips
    cpu_us: float
    others_percent: float


def run(scale: float = 1.0) -> list[Result]:
    """All figures of the endpoint."""
    seconds = max(0.3, SECONDS * scale)
    found = [result for number in TERMINALS for result in _alone(number, seconds)]
    with tempfile.TemporaryDirectory(prefix="tillway-bench-") as name:
        found += _compared(Path(name), seconds)
        found += _idle(Path(name), round(IDLE * scale))
        found += [_restarted(Path(name), round(RESTARTED * scale))]
    return found


def measured(pids: list[int], number: int, seconds: float, codec: Codec, dial: Dial) -> Measured:
    """The round trips of so many terminals with a server that runs."""
    named = {str(pid): pid for pid in pids}
    before, began = read_used(named), time.perf_counter()
    trips = uvloop.run(closed_loop(codec, number, dial, seconds))
    used, elapsed = read_used(named).since(before), time.perf_counter() - began
    # The warm-up is used, too, and its round trips are not counted: a fifth of the time.
    each = sum(used.by_name.values()) / (trips.per_s * seconds * 1.2)
    return Measured(trips, each * 1e6, 100 * used.others_s / elapsed)


def plain(port: int) -> Dial:
    """A connection without TLS."""

    async def dial(terminal: asyncio.Protocol) -> None:
        await asyncio.get_running_loop().create_connection(lambda: terminal, HOST, port)

    return lambda terminal: asyncio.ensure_future(dial(terminal))


def by_tls(port: int, tls: Callable[[Terminal], ClientTls]) -> Dial:
    """A connection with the terminal's own certificate."""

    async def dial(terminal: asyncio.Protocol) -> None:
        assert isinstance(terminal, Terminal)
        layer = TlsLayer(tls(terminal).machine(HOST), terminal)
        await asyncio.get_running_loop().create_connection(lambda: layer, HOST, port)
        await layer.opened()

    return lambda terminal: asyncio.ensure_future(dial(terminal))


def _alone(number: int, seconds: float) -> list[Result]:
    with own_endpoint() as (port, process):
        assert process.pid is not None
        pids = [process.pid]
        runs = [measured(pids, number, seconds, Mqtt5(), plain(port)) for _ in range(ROUNDS)]
    against = f"{number} terminals, plain; others {_others(runs):.0f} % of 200"
    name = f"hub_mqtt_{number}"
    return [
        Result(f"{name}_per_s", median(run.trips.per_s for run in runs), "round trips/s", against),
        Result(f"{name}_p50_ms", median(run.trips.p50_ms for run in runs), "ms", against),
        Result(f"{name}_p99_ms", median(run.trips.p99_ms for run in runs), "ms", against),
        Result(f"{name}_cpu_us", median(run.cpu_us for run in runs), "µs/round trip", against),
    ]


def _compared(directory: Path, seconds: float) -> list[Result]:
    peers: dict[str, tuple[Callable[[], _Peer], Codec]] = {
        "mosquitto": (lambda: behind_mosquitto(directory), Mqtt5()),
        "amqtt": (behind_amqtt, Mqtt311()),
    }
    found: list[Result] = []
    for name, (start, codec) in peers.items():
        ours, theirs = [], []
        try:
            with own_endpoint() as (port, process), start() as (other, pids):
                assert process.pid is not None
                for _ in range(ROUNDS):
                    own = [process.pid]
                    dial = plain(port)
                    ours.append(measured(own, COMPARED, seconds, Mqtt5(), dial))
                    dial = plain(other)
                    theirs.append(measured(pids, COMPARED, seconds, codec, dial))
        except Missing as missing:
            print(f"hub_mqtt_{COMPARED}_vs_{name} left out: {missing}")
            continue
        found += _ratios(name, ours, theirs)
    return found


def _ratios(name: str, ours: list[Measured], theirs: list[Measured]) -> list[Result]:
    ratios = [a.trips.per_s / b.trips.per_s for a, b in zip(ours, theirs, strict=True)]
    beside = ", ".join(
        f"{who} {median(run.trips.per_s for run in runs):,.0f}/s"
        f" at {median(run.cpu_us for run in runs):.0f} µs"
        for who, runs in (("ours", ours), (f"{name} and a hub", theirs))
    )
    against = f"{beside}; others {_others([*ours, *theirs]):.0f} % of 200"
    processor = [b.cpu_us / a.cpu_us for a, b in zip(ours, theirs, strict=True)]
    title = f"hub_mqtt_{COMPARED}_vs_{name}"
    return [
        Result(title, median(ratios), "ratio", against),
        # On a busy machine the generator, not the server, limits ours: this does not mind.
        Result(f"{title}_cpu", median(processor), "ratio of processor time", against),
    ]


def _idle(directory: Path, number: int) -> list[Result]:
    """What a connected device costs that says nothing: memory, and the seconds until all are in."""
    ends = Ends(directory)
    keys = _keys(ends, directory, number)
    with own_endpoint(ends.hub) as (port, process):
        assert process.pid is not None
        pid = process.pid

        async def all_in() -> tuple[float, float]:
            terminals = [Terminal(Mqtt5(), each, lambda _ms: None) for each in range(number)]
            before, began = _resident(pid), time.perf_counter()
            await connected(terminals, by_tls(port, keys))
            took = time.perf_counter() - began
            return (_resident(pid) - before) / number / 1024, took

        kib, took_s = uvloop.run(all_in())
    against = f"{number:,} devices over TLS (p256), connected in {took_s:.0f} s, both ends here"
    return [
        Result("hub_mqtt_idle_kib_per_device", kib, "KiB", against),
        Result("hub_mqtt_connects_per_s", number / took_s, "connects/s", against),
    ]


def _restarted(directory: Path, number: int) -> Result:
    """From the kill of a server to the last of its terminals that has an answer again."""
    ends, port = Ends(directory), free_port()
    keys = _keys(ends, directory, number)

    async def recovered(killed: float) -> float:
        left, done = number, asyncio.Event()

        def answered(_ms: float) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        terminals = [Terminal(Mqtt5(), each, answered) for each in range(number)]
        await connected(terminals, _until_there(by_tls(port, keys)))
        for terminal in terminals:
            terminal.ask()
        await done.wait()
        return time.perf_counter() - killed

    with own_endpoint(ends.hub, port) as (_, process):
        process.kill()
        process.join()
    killed = time.perf_counter()
    with own_endpoint(ends.hub, port):
        started_s = time.perf_counter() - killed
        took_s = uvloop.run(recovered(killed))
    against = f"{number} terminals over TLS (p256); {started_s:.1f} s of it is the server's start"
    return Result(f"hub_mqtt_{RESTARTED}_restart_s", took_s, "s", against)


def _until_there(dial: Dial) -> Dial:
    async def again(terminal: asyncio.Protocol) -> None:
        while True:
            with suppress(OSError):
                await dial(terminal)
                return
            await asyncio.sleep(RETRY_S)

    return lambda terminal: asyncio.ensure_future(again(terminal))


def _keys(ends: Ends, directory: Path, number: int) -> Callable[[Terminal], ClientTls]:
    """A certificate for each device. They share a key: making it is not what is measured."""
    key, sealed = TlsKey(), directory / "shared.key"
    sealed.write_bytes(key.seal(PASSPHRASE))
    made = {}
    for name in (f"till-{each}" for each in range(number)):
        holder = Holder("terminal", name)
        leaf = ends.ca.issue_for_key(key.public, holder, now_ms=time.time_ns() // 1_000_000)
        chain = directory / f"{name}.crt"
        chain.write_bytes(pem_chain((leaf, ends.ca.certificate_der)))
        files = TlsFiles(chain, sealed, PASSPHRASE, ends.ca.certificate_pem.decode())
        made[name] = ClientTls(files)
    return lambda terminal: made[terminal.client_id]


def _resident(pid: int) -> int:
    """Bytes in memory: the second field of proc(5)'s statm."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * PAGE_BYTES


def _others(runs: list[Measured]) -> float:
    return median(run.others_percent for run in runs)
