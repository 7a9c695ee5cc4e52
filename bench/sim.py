"""The simulator: how many devices one process bears, how fast virtual time runs, what faults cost,
how many frames a second each wire is read at, and whether any bytes at all bring a device down.

Processor time of this process is measured, not the clock's, where a share or a cost is meant.
"""

import asyncio
import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.result import Result
from firmware_sim.board import Board
from firmware_sim.board_file import BoardDevice, BoardFile, board_with
from firmware_sim.clock import SteadyClock
from firmware_sim.conformance.check import NeedsPersonError
from firmware_sim.conformance.registry import CHECKS
from firmware_sim.conformance.running import bench_of
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.frames import Side
from firmware_sim.kinds.kind import Kind
from firmware_sim.kinds.registry import KINDS
from firmware_sim.link import Link
from firmware_sim.scenario.form import scenario_of
from firmware_sim.scenario.running import run_scenario
from firmware_sim.transports.memory import MemoryLine
from firmware_sim.yaml_file import parse_yaml
from protocol.framing import gm65

COUNTS = (100, 1_000, 4_000)
SECONDS = 5
READ = gm65.encode_command(gm65.read(0x0A))
ANSWER_BYTES = 7
TEN_MINUTES = b"""
name: ten minutes of one question a second
board: pos
steps:
  - repeat: 600
    steps:
      - {send: scanner, hex: 7E 00 07 01 00 0A 01 EE 8A}
      - {expect: scanner, frame: reply, within: 500ms}
      - {wait: 990ms}
"""
EXCHANGES = 4_000
SEQUENCES = 100_000
PIECE_BYTES_MAX = 60
DECODED_BYTES = 400_000


def run(scale: float = 1.0) -> list[Result]:
    """All of it; ``scale`` is of the numbers, not of the devices."""
    results = [_share(count) for count in COUNTS]
    results.append(_speed_up())
    results.append(_fault_cost(max(100, round(EXCHANGES * scale))))
    spoken = {name: list(_spoken(name)) for name in sorted(CHECKS)}
    for name, words in spoken.items():
        results.append(_frames(KINDS[name], words, round(DECODED_BYTES * scale)))
    for name, words in spoken.items():
        results += _any_bytes(KINDS[name], words, max(100, round(SEQUENCES * scale)))
    return results


def _share(count: int) -> Result:
    """The processor's share for so many devices that are each asked once a second."""
    kind = KINDS["gm65"]
    entry = kind.entry.model_validate({"kind": "gm65", "transport": "memory:"})
    file = BoardFile("many", {f"d{number}": BoardDevice(kind, entry) for number in range(count)})
    share, answered = asyncio.run(_asked(file))
    against = f"{answered:.1%} answered in {SECONDS} s; GM65 in memory, paced"
    return Result(f"sim_cpu_share_{count}", share, "of one core", against)


async def _asked(file: BoardFile) -> tuple[float, float]:
    with TemporaryDirectory() as folder:
        board = Board(file, state_dir=Path(folder), now_ms=SteadyClock().now_ms)
        await board.start()
        lines = [link.line for link in board.links.values() if isinstance(link.line, MemoryLine)]
        loop = asyncio.get_running_loop()

        timers: dict[MemoryLine, asyncio.TimerHandle] = {}

        def ask(line: MemoryLine) -> None:
            line.client_send(READ)
            timers[line] = loop.call_later(1, ask, line)

        for number, line in enumerate(lines):
            timers[line] = loop.call_later(number / len(lines), ask, line)
        await asyncio.sleep(1)
        for line in lines:
            line.client_take()
        before, asked = time.process_time(), sum(_heard(link) for link in board.links.values())
        await asyncio.sleep(SECONDS)
        spent = time.process_time() - before
        asked = sum(_heard(link) for link in board.links.values()) - asked
        answered = sum(len(line.client_take()) for line in lines) / ANSWER_BYTES
        for timer in timers.values():
            timer.cancel()
        await board.stop()
    return spent / SECONDS, answered / max(1, asked / len(READ))


def _heard(link: Link) -> int:
    return link.counts.to_device_bytes


def _speed_up() -> Result:
    scenario = scenario_of(parse_yaml(TEN_MINUTES, "bench"), Path())
    began = time.perf_counter()
    result = run_scenario(scenario)
    took = time.perf_counter() - began
    assert result.has_held, result.explain()
    against = f"{result.took_ms / 1000:.0f} s of virtual time in {took:.2f} s; 600 exchanges"
    return Result("sim_virtual_speed_up", result.took_ms / 1000 / took, "times", against)


def _fault_cost(exchanges: int) -> Result:
    """The same exchanges on a sound line and with three faults that never strike."""
    idle = [
        Fault(FaultKind.DROP, at=10**6), Fault(FaultKind.FLIP, rate_ppm=1),
        Fault(FaultKind.NOISE, at=10**6, side=Side.HOST),
    ]  # fmt: skip
    sound, faulty = (_exchange_time(exchanges, faults) for faults in ([], idle))
    against = f"{sound * 1e6:.0f} us an exchange without, {faulty * 1e6:.0f} with three faults"
    return Result("sim_fault_overhead", faulty / sound, "times", against)


def _exchange_time(exchanges: int, faults: list[Fault]) -> float:
    from firmware_sim.hosting import VirtualBoard

    with VirtualBoard(board_with("gm65")) as board:
        board.set_fault("device", *faults)
        before = time.process_time()
        for _ in range(exchanges):
            board.send("device", READ)
            board.receive("device", ANSWER_BYTES)
        return (time.process_time() - before) / exchanges


def _spoken(name: str) -> Iterator[bytes]:
    """What a host says to a device of this kind: the words of its conformance checks."""
    said: list[bytes] = []
    with bench_of(name, "memory") as bench:
        send = bench.wire.send

        def remember(data: bytes) -> None:
            said.append(data)
            send(data)

        bench.wire.send = remember  # type: ignore[method-assign]
        for check in CHECKS[name]:
            try:
                check.run(bench.wire, bench.person)
            except NeedsPersonError:
                continue
    yield from said


def _frames(kind: Kind, words: list[bytes], number: int) -> Result:
    decoder, stream = kind.decoder(), b"".join(words)
    rounds = max(1, number // max(1, len(stream)))
    before, frames = time.process_time(), 0
    for _ in range(rounds):
        frames += sum(len(decoder.feed(Side.HOST, word)) for word in words)
    spent = time.process_time() - before
    against = f"{rounds * len(stream) / spent / 1e6:.1f} MB/s; a host's words, decoded for people"
    return Result(f"sim_frames_{kind.name}", frames / spent, "frames/s", against)


def _any_bytes(kind: Kind, words: list[bytes], sequences: int) -> list[Result]:
    """Random bytes woven into sound words, in random pieces, each sequence to a fresh device."""
    chance = random.Random(20_261_128)
    entry = kind.entry.model_validate({"kind": kind.name})
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    device, decoder = kind.build(entry, b""), kind.decoder()
    device.boot(0)
    slowest, began = 0.0, time.perf_counter()
    for number in range(sequences):
        at_ms = 20_000 + number * 1000
        stream = _woven(chance, words)
        started = time.process_time()
        for piece in _pieces(chance, stream):
            device.feed(piece, at_ms)
            at_ms += 20
            device.poll(at_ms)
        decoder.feed(Side.HOST, stream)
        slowest = max(slowest, time.process_time() - started)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    took = time.perf_counter() - began
    against = (
        f"no crash in {took:.0f} s; slowest {slowest * 1000:.0f} ms; memory {grown_mib:+.1f} MiB"
    )
    return [Result(f"sim_any_bytes_{kind.name}", float(sequences), "sequences", against)]


def _woven(chance: random.Random, words: list[bytes]) -> bytes:
    parts = []
    for _ in range(chance.randint(1, 6)):
        word = chance.choice(words)
        if chance.random() < 0.4:
            word = chance.randbytes(chance.randint(1, PIECE_BYTES_MAX))
        elif chance.random() < 0.3:
            at = chance.randrange(len(word))
            word = word[:at] + chance.randbytes(1) + word[at + chance.randint(0, 2) :]
        parts.append(word)
    return b"".join(parts)


def _pieces(chance: random.Random, stream: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(stream):
        size = chance.randint(1, PIECE_BYTES_MAX)
        yield stream[at : at + size]
        at += size
