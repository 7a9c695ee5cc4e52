"""Firmware of the board, as the agent keeps it: heard, worked on, told, gone on with."""

from pathlib import Path

import pytest

from protocol.errors import CallerError
from protocol.messages import DeviceFirmware
from terminal.domain.firmware import TRANSITIONS, FirmwareState, FirmwareStep, Wish
from terminal.effects import RenewBoard
from terminal.inputs import BoardStep
from terminal.upkeep import SOFTWARE
from tests.unit.terminal.fakes import HUB_KEY, Bench, opened, sign

REPORT = "device.firmware"
DIGEST = "ab" * 32


def want(bench: Bench, version: int, digest: str = DIGEST) -> None:
    body = {"version": version, "digest": digest, "size": 9 if digest else 0}
    bench.answer(sign("firmware.wanted", body))


def work(bench: Bench) -> list[tuple[int, str]]:
    return [(one.version, one.digest) for one in bench.others if isinstance(one, RenewBoard)]


def said(bench: Bench) -> DeviceFirmware:
    return DeviceFirmware.from_map(opened(bench.sent_of(REPORT)[-1]).body)


def test_every_step_that_is_not_in_the_table_is_refused() -> None:
    for state in FirmwareState:
        for step in FirmwareStep:
            if (state, step) in TRANSITIONS:
                assert Wish(state=state).stepped(step).state is TRANSITIONS[state, step].state
            else:
                with pytest.raises(CallerError):
                    Wish(state=state).stepped(step)


def test_a_wish_is_worked_on_and_each_step_is_told() -> None:
    bench = Bench()
    assert (said(bench).running_version, said(bench).wanted_version) == (SOFTWARE, 0)  # no board
    want(bench, 1)
    want(bench, 1)
    assert work(bench) == [(1, DIGEST)]
    assert said(bench).state == "downloading"
    for step, state in (("receive", "installing"), ("try_out", "trying")):
        bench.feed(BoardStep(version=1, step=step))
        assert said(bench).state == state
    bench.feed(BoardStep(version=1, step="confirm", running_version="2.0", running_hash="cd" * 32))
    assert (said(bench).state, said(bench).running_version) == ("confirmed", "2.0")
    bench.feed(BoardStep(version=1, step="fail", code="firmware_refused"))
    assert said(bench).state == "confirmed"


def test_a_start_goes_on_with_what_was_begun_and_with_nothing_else(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db")
    want(bench, 1)
    bench.feed(BoardStep(version=1, step="receive"))
    bench.power_cut()
    bench.boot()
    assert work(bench) == [(1, DIGEST)] * 2
    for step in ("receive", "try_out", "fail"):
        bench.feed(BoardStep(version=1, step=step, code="firmware_refused"))
    assert (said(bench).state, said(bench).code) == ("failed", "firmware_refused")
    bench.power_cut()
    bench.boot()
    assert len(work(bench)) == 2


def test_a_newer_wish_ends_the_work_on_an_older_one() -> None:
    bench = Bench()
    want(bench, 1)
    want(bench, 2, "")
    assert work(bench) == [(1, DIGEST), (2, "")]
    bench.feed(BoardStep(version=1, step="confirm"))
    assert (said(bench).wanted_version, said(bench).state) == (2, "waiting")


def test_what_is_taken_back_half_way_is_looked_for_at_the_board_until_it_is_gone(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path / "journal.db")
    want(bench, 1, "")
    assert work(bench) == [], "nothing was begun"
    want(bench, 2)
    bench.feed(BoardStep(version=2, step="receive"))
    want(bench, 3, "")
    bench.feed(BoardStep(version=2, step="linger", code="firmware_lingers"))
    assert said(bench).code == ""
    bench.feed(BoardStep(version=3, step="linger", code="firmware_lingers", detail="1.1.0"))
    told = said(bench)
    assert (told.wanted_version, told.state) == (3, "waiting")
    assert (told.code, told.detail) == ("firmware_lingers", "1.1.0")
    bench.power_cut()
    bench.boot()
    assert work(bench) == [(2, DIGEST), (3, ""), (3, "")]
    bench.feed(BoardStep(version=3, step="let_go"))
    assert (said(bench).state, said(bench).code) == ("waiting", "")
    bench.power_cut()
    bench.boot()
    assert len(work(bench)) == 3


def test_nobody_but_the_backend_wants_firmware() -> None:
    bench = Bench()
    body = {"version": 1, "digest": DIGEST, "size": 9}
    bench.answer(sign("firmware.wanted", body, key=HUB_KEY))
    assert work(bench) == []
    assert bench.agent.refused_answers["signature_invalid"] == 1
