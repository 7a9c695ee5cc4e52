"""A replay as a case of a report: the device's side to a driver, or the host's to a device."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import JsonValue

from firmware_sim.conformance.running import SimulatedPerson, bench_of
from firmware_sim.devices.replayed import ReplayedDevice
from firmware_sim.driver_program import run_driver
from firmware_sim.hosting import HostedBoard
from firmware_sim.recording.recorder import Recorder
from firmware_sim.recording.replaying import board_of_trace, kind_of, play_host
from firmware_sim.recording.trace import Trace, done
from firmware_sim.reports.report import Case, Verdict
from firmware_sim.reports.seen import row_at, row_of
from firmware_sim.reports.steps import TurnsSeen
from protocol.errors import CallerError

POLL_S = 0.05
Say = Callable[[str, str], None]
"""Tells those who look on, in English and in Chinese."""


def only_device(trace: Trace, device: str | None) -> str:
    """The device that is meant; raises ``CallerError`` where that is not clear."""
    if device is not None:
        kind_of(trace, device)
        return device
    names = list(trace.head.devices)
    talking = [name for name in names if trace.said(name)] or names
    if len(talking) != 1:
        raise CallerError(
            "field_invalid",
            f"say which device: {', '.join(talking)}",
            detail_zh=f"请选择器件：{'、'.join(talking)}",
        )
    return talking[0]


def play_device(
    trace: Trace,
    device: str | None,
    driver: Sequence[str],
    limit_s: float,
    say: Say,
    *,
    should_end: Callable[[], bool] = lambda: False,
) -> Case:
    """Be the device, for a driver that is run, or for one that somebody starts; who no longer
    waits for that one says so by ``should_end``."""
    name = only_device(trace, device)
    began, turns = time.monotonic(), TurnsSeen()
    with HostedBoard(board_of_trace(trace, name)) as board:
        recorder = board.call(
            lambda one: Recorder(one, one.now_ms, lambda event: turns.hear(row_at(event)))
        )
        port = board.paths[name]
        say(f"{name} is played on {port}", f"正在 {port} 上扮演 {name}")
        words = [word.replace("{port}", port) for word in driver]
        reason, reason_zh = _drive(board, name, words, limit_s, should_end)
        played = board.call(lambda running: running.device(name, ReplayedDevice))
        board.call(lambda _: recorder.end())
    found, lines, lines_zh = played.difference, tuple[str, ...](), tuple[str, ...]()
    if found is not None:
        reason, reason_zh = "the driver says something else", "驱动说的和记录不一样"
        lines, lines_zh = found.lines(), found.lines_zh()
    elif played.turns_left:
        reason = f"{played.turns_left} turns of the trace never came. {reason}".strip()
        reason_zh = f"记录里还有 {played.turns_left} 轮没有来。{reason_zh}"
    verdict = Verdict.FAILED if reason else Verdict.PASSED
    return Case(name, "the driver says what was recorded", verdict, reason, "",
                time.monotonic() - began, lines, reason_zh=reason_zh,
                lines_zh=lines_zh, title_zh="驱动说的和记录一样", seen=turns.told())  # fmt: skip


def _drive(
    board: HostedBoard,
    name: str,
    words: list[str],
    limit_s: float,
    should_end: Callable[[], bool],
) -> tuple[str, str]:
    """Until the driver has ended or said all; what is wrong then, in English and in Chinese."""
    until = time.monotonic() + limit_s
    if words:
        code = run_driver(words, limit_s, keep=False).exit_code
        if code is None:
            return (
                f"the driver has not ended within {limit_s:g} s",
                f"驱动 {limit_s:g} 秒内没有结束",
            )
        return (f"the driver ended with {code}", f"驱动以 {code} 结束") if code else ("", "")
    while time.monotonic() < until and not should_end():
        state = board.state(name)
        is_said = not state["turns_left"] and board.call(lambda running: running.is_idle(name))
        if is_said or state["expected"]:
            return "", ""
        time.sleep(POLL_S)
    return f"nothing more came within {limit_s:g} s", f"{limit_s:g} 秒内没有再来消息"


def play_to(trace: Trace, device: str | None, target: str) -> Case:
    """Be the host, to a simulated or a real device. On a simulated one the recorded deeds of
    people are done, too."""
    name = only_device(trace, device)
    began, turns = time.monotonic(), TurnsSeen()
    with bench_of(trace.head.devices[name], target) as bench:
        person = bench.person

        def act(deed: str, /, **words: JsonValue) -> None:
            turns.hear(replace(row_at(done(name, deed, words, 0)), at_ms=None))
            person.do(deed, **words)

        bench.wire.also(lambda frame: turns.hear(row_of(frame)))
        do = act if isinstance(person, SimulatedPerson) else None
        played = play_host(trace, name, bench.wire, do)
        bench.wire.settle()
    reason, reason_zh = "", ""
    lines = [f"{played.done} of {played.turns} turns"]
    lines_zh = [f"{played.done} 轮，共 {played.turns} 轮"]
    if played.difference is not None:
        reason = f"turn {played.done + 1} of {played.turns}: the device answers otherwise"
        reason_zh = f"第 {played.done + 1} 轮（共 {played.turns} 轮）：器件答得不一样"
        lines += played.difference.lines()
        lines_zh += played.difference.lines_zh()
    verdict = Verdict.FAILED if reason else Verdict.PASSED
    return Case(name, "the device answers as recorded", verdict, reason, target,
                time.monotonic() - began, tuple(lines), reason_zh=reason_zh,
                lines_zh=tuple(lines_zh), title_zh="器件答的和记录一样",
                seen=turns.told())  # fmt: skip
