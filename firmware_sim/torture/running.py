"""Runs a driver, as a command of its own, against a simulated device under each fault."""

import json
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from faces.words import Words
from firmware_sim.board_file import board_with
from firmware_sim.driver_program import run_driver, words_of
from firmware_sim.frames import masked_numbers
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.registry import KINDS, kind_named
from firmware_sim.recording.recorder import Recorder
from firmware_sim.reports.report import Case, Verdict
from firmware_sim.torture.table import SOUND, Ran, Row, judge
from protocol.errors import CallerError

DEVICE = "device"
OWN_PROBE = ("-m", "tillway", "terminal", "probe", "{kind}", "{port}", "--limit", "3")
Deed = tuple[str, dict[str, JsonValue]]
# What has to be done to a device so that a driver can have success with it.
TRIALS: dict[str, tuple[Deed, ...]] = {
    "gm65": (("present", {"text": "TILLWAY-TORTURE", "keep": True}),),
    "ssi": (("present", {"text": "TILLWAY-TORTURE", "keep": True}),),
    "pn532": (("present", {"card": "visa"}),),
    "ef01": (("enroll", {"finger": "alice", "slot": 1}), ("place", {"finger": "alice"})),
    "telium": (("hold", {"card": "visa"}),),
}


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver: the kind of device it is for, and its command, in which ``{port}`` is the port.

    What of its output changes from run to run, such as times, is matched by ``ignore``.
    """

    kind: str
    words: tuple[str, ...]
    deeds: tuple[Deed, ...]
    limit_s: float
    ignore: re.Pattern[str] | None = None


def driver_of(
    named: str, kind: str | None, deeds: Sequence[str], *, limit_s: float, ignore: str = ""
) -> Driver:
    """Our own driver of a kind, by the kind's name, or a command; raises ``CallerError``."""
    done = tuple(_deed(text) for text in deeds)
    pattern = _pattern(ignore)
    if named in KINDS and kind is None:
        own = tuple(word.replace("{kind}", named) for word in OWN_PROBE)
        trial = done or TRIALS.get(named, ())
        return Driver(named, (sys.executable, *own), trial, limit_s, pattern)
    words = tuple(words_of(named))
    if kind is None or not any("{port}" in word for word in words):
        raise CallerError(
            "field_invalid",
            "a driver of yours is a command with {port} in it, and --kind says what it drives; "
            f"ours are named by their kinds: {', '.join(sorted(KINDS))}",
        )
    return Driver(kind_named(kind).name, words, done or TRIALS.get(kind, ()), limit_s, pattern)


def torture(driver: Driver, rows: Sequence[Row]) -> Iterator[Case]:
    """A case for the sound line, then one for each row; only the first where that one fails."""
    sound, lines = _run(driver, SOUND)
    if sound.exit_code != 0:
        said = f"{sound.found}{sound.said}".strip()
        words = Words(
            f"线路正常时驱动也不成功：{said}", f"the driver has no success on a sound line: {said}"
        )
        yield _case(SOUND, Verdict.ERROR, words, sound, lines)
        return
    found = sound.found.strip()
    yield _case(SOUND, Verdict.PASSED, Words(f"能用：{found}", f"works: {found}"), sound)
    for row in rows:
        ran, lines = _run(driver, row)
        verdict, reason = judge(row, ran, sound)
        yield _case(row, verdict, reason, ran, () if verdict is Verdict.PASSED else lines)


def _case(row: Row, verdict: Verdict, reason: Words, ran: Ran, lines: tuple[str, ...] = ()) -> Case:
    return Case(
        row.name, row.title.en, verdict, masked_numbers(reason.en), "", ran.seconds, lines,
        reason_zh=masked_numbers(reason.zh), title_zh=row.title.zh,
    )  # fmt: skip


def _run(driver: Driver, row: Row) -> tuple[Ran, tuple[str, ...]]:
    with HostedBoard(board_with(driver.kind, device=DEVICE)) as board:
        recorder = board.call(lambda running: Recorder(running, running.now_ms))
        for act, words in driver.deeds:
            board.do(DEVICE, act, **words)
        board.call(lambda running: running.set_faults(DEVICE, row.faults))
        port = board.paths[DEVICE]
        began = time.monotonic()
        code, found, said = _ended([word.replace("{port}", port) for word in driver.words], driver)
        seconds = time.monotonic() - began
        state = board.state(DEVICE)
        heard = board.call(lambda running: running.link(DEVICE).counts.to_client_bytes)
        plans = board.call(lambda running: running.link(DEVICE).fault_plans)
        has_struck = any(plan.struck for plan in plans)
        board.call(lambda _: recorder.end())
        lines = tuple(event.describe() for event in recorder.recent)
    counters = KINDS[driver.kind].counters
    deeds = tuple((name, int(str(state[name]))) for name in counters)
    return Ran(code, found, said, seconds, heard, deeds, has_struck), lines


def _ended(words: list[str], driver: Driver) -> tuple[int | None, str, str]:
    """Exit code and output; the code is ``None`` where the driver had to be killed."""
    ended = run_driver(words, driver.limit_s, keep=True)
    return ended.exit_code, _without(ended.found, driver), _without(ended.said, driver)


def _without(text: str, driver: Driver) -> str:
    return driver.ignore.sub("", text) if driver.ignore else text


def _deed(text: str) -> Deed:
    """``present text=ABC keep=true``: an act and its words; values as in JSON, or plain."""
    act, *pairs = words_of(text) or [""]
    words: dict[str, JsonValue] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CallerError("field_invalid", f"{pair!r} is not NAME=VALUE")
        try:
            words[name] = json.loads(value)
        except ValueError:
            words[name] = value
    return act, words


def _pattern(ignore: str) -> re.Pattern[str] | None:
    try:
        return re.compile(ignore) if ignore else None
    except re.error as error:
        raise CallerError("field_invalid", f"--ignore: {error}") from error
