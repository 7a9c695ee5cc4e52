"""Goal: every name and value of a state, and every word of an act, is told in both languages. The
lists are compared both ways: nothing is left out, and nothing stays that no device says.
"""

from contextlib import AbstractAsyncContextManager
from enum import Enum
from pathlib import Path
from typing import get_args

import pytest
from pydantic import JsonValue

from faces.words import Words
from firmware_sim.act_form import fields_of
from firmware_sim.bench.view import part_of, state_rows
from firmware_sim.devices.displays.glass import Mode
from firmware_sim.devices.displays.led8 import LAMPS
from firmware_sim.devices.ef01 import settings
from firmware_sim.devices.escpos.status import Condition, Paper
from firmware_sim.devices.gate.barrier import Arm
from firmware_sim.devices.gm65.machine import Power
from firmware_sim.devices.mdb.cashless import ReaderState
from firmware_sim.devices.mdb.machine import MachineState
from firmware_sim.devices.mdb.master import Phase as MasterPhase
from firmware_sim.devices.ocpp.connector_states import State as OutletState
from firmware_sim.devices.ocpp.firmware import Stage
from firmware_sim.devices.ocpp.station import ACCEPTED, PENDING, REJECTED
from firmware_sim.devices.ssi.machine import Power as EnginePower
from firmware_sim.devices.telium import Entry, Phase
from firmware_sim.devices.telium_bank import BankLine
from firmware_sim.faults import FaultKind
from firmware_sim.kinds.registry import KINDS
from firmware_sim.recording.trace import Done
from firmware_sim.words.deeds import DEEDS
from firmware_sim.words.faults import SHORT_FAULTS
from firmware_sim.words.states import FIELDS, VALUES, field_words, value_words
from firmware_sim.words.telling import deed_rows
from protocol.framing.mcuboot import Flaw
from protocol.framing.mcuboot_trailer import SwapType
from protocol.framing.paymeter import RESULTS
from protocol.framing.telium import Result
from tests.support.sim_bench import Desk, desk

_BY_DATA = {"texts", "stock"}
"""Values whose own names are a card's or a column's."""
_RECEIPT = b"Coffee 12.80\n\x1bp\x00\x32\x32\x1dV\x42\x00"


def _of(*kinds: type[Enum]) -> set[str]:
    return {str(one.value) for kind in kinds for one in kind}


def _lower(kind: type[Enum]) -> set[str]:
    return {one.name.lower() for one in kind}


_BROKEN = Condition("end", *[True] * 6)
_READER = _of(ReaderState) | {"off"}
_SAID: dict[str, set[str]] = {
    "mode": _of(Mode), "lamp": set(LAMPS), "light": set(settings.LIGHT_MODES) - {""},
    "colour": set(settings.LIGHT_COLOURS) - {""}, "paper": set(get_args(Paper)),
    "errors": set(_BROKEN.errors), "receipts.cut": {"full", "partial", "torn"},
    "power": _of(Power, EnginePower), "phase": _of(Phase), "last_result": _lower(Result),
    "bank": _of(BankLine), "line": _of(BankLine), "by": _of(Entry), "arm": _of(Arm),
    "result": set(RESULTS) - {""}, "registration": {ACCEPTED, PENDING, REJECTED},
    "firmware": _of(Stage), "outlets.state": _of(OutletState), "machine": _of(MachineState),
    "master": _of(MasterPhase), "slave": _READER, "reader": _READER,
    "next_swap": _lower(SwapType), "refused": _of(Flaw),
}  # fmt: skip


def _names(value: JsonValue, name: str = "") -> set[str]:
    match value:
        case list():
            return {each for one in value for each in _names(one, name)}
        case dict() if name not in _BY_DATA:
            named = {f"{name}.{key}" if name else key: one for key, one in value.items()}
            return named.keys() | {each for key, one in named.items() for each in _names(one, key)}
    return set()


@pytest.mark.asyncio
async def test_every_name_of_a_state_and_of_an_act_is_told_in_both_languages(
    tmp_path: Path,
) -> None:
    names = {field.name for kind in KINDS.values() for act in kind.acts for field in fields_of(act)}
    for kind in KINDS.values():
        async with _one(tmp_path, kind.name) as here:
            if kind.name == "escpos":
                here.say("it", _RECEIPT)
                while not here.board.state("it")["receipts"]:
                    await here.wire.wait(here.wire.last, 0.05)
            names |= _names(here.board.state("it"))
    assert names == set(FIELDS)


def test_every_value_that_is_one_of_a_few_is_told_in_both_languages() -> None:
    assert {name: set(words) for name, words in VALUES.items()} == _SAID
    choices = {
        field.name: set(field.choices)
        for kind in KINDS.values()
        for act in kind.acts
        for field in fields_of(act)
        if field.choices
    }
    assert choices.items() <= _SAID.items()


def test_what_nobody_has_named_is_told_as_the_device_says_it() -> None:
    assert field_words("new_thing").zh == "new_thing"
    assert value_words("paper", "of_gold").en == "of_gold"


def _one(folder: Path, kind: str) -> AbstractAsyncContextManager[Desk]:
    where = "ws://127.0.0.1:9/x" if kind.startswith("ocpp") else "pty"
    file = folder / "one.yaml"
    file.write_text(f"name: one\ndevices:\n  it: {{kind: {kind}, transport: '{where}'}}\n")
    return desk(folder / kind, str(file))


def _told(here: Desk) -> dict[str, tuple[Words, Words]]:
    rows = state_rows(part_of(here.board, "it"))
    return {name: (words, value) for name, words, value in rows}


@pytest.mark.asyncio
async def test_a_state_is_told_in_words_down_to_an_outlet(tmp_path: Path) -> None:
    async with _one(tmp_path, "ocpp16") as here:
        told = {
            name: (words, value) for name, words, value in state_rows(part_of(here.board, "it"))
        }
        assert told["online"][1].zh == "否"
        assert told["outlets"][0].zh == "充电口"
        assert "状态 空闲" in told["outlets"][1].zh
        assert "state available" in told["outlets"][1].en
    async with _one(tmp_path, "gm65") as here:
        told = {
            name: (words, value) for name, words, value in state_rows(part_of(here.board, "it"))
        }
        assert told["mode"][1].en == "by button"
    async with _one(tmp_path, "telium") as here:
        await here.http.post("/devices/it/acts/bank", json={"line": "silent"})
        assert "银行 沉默" in (await here.http.get("/bench?lang=zh")).text
        piece = (await here.http.get("/bench/pieces/device/it?lang=zh")).text
        assert '<option value="silent">沉默</option>' in piece


_OF_THE_BOARD = {"put_plug", "pull_plug", "power_on", "power_off", "faults"}
"""What a board does to a device of any kind; with its acts, all that a trace keeps as done."""


def test_every_deed_has_its_words_and_no_other_has() -> None:
    acts = {act.name for kind in KINDS.values() for act in kind.acts}
    assert set(DEEDS) == acts | _OF_THE_BOARD
    assert not acts & _OF_THE_BOARD, "a replay would take one for the other"
    for name, words in DEEDS.items():
        assert name not in {words.zh, words.en}


def test_the_words_of_a_deed_are_told_in_both_languages() -> None:
    placed = Done(t_ms=0, device="it", deed="place", words={"finger": "1", "smudged": True})
    assert [(name.zh, value.en) for name, value in deed_rows(placed)] == [
        ("手指", "1"), ("模糊", "yes"),
    ]  # fmt: skip
    hurt = Done(t_ms=0, device="it", deed="faults", words={"faults": [str(FaultKind.FLIP)]})
    assert deed_rows(hurt)[0][1] == SHORT_FAULTS["flip"]
    healed = Done(t_ms=0, device="it", deed="faults", words={"faults": []})
    assert deed_rows(healed)[0][1].en == "The line is sound"


@pytest.mark.asyncio
async def test_the_wire_tells_a_deed_in_words_and_opens_it_with_its_name(tmp_path: Path) -> None:
    async with _one(tmp_path, "ef01") as here:
        await here.http.post("/devices/it/acts/place", json={"finger": "anna"})
        rows = (await here.http.get("/bench/pieces/wire?lang=zh")).text
        assert "<b>放上手指</b>" in rows
        assert "手指 <em>anna</em>" in rows
        number = here.place.wire.last
        opened = (await here.http.get(f"/bench/pieces/wire/{number}?lang=en")).text
        assert "finger laid on <code" in opened
        assert "place</code>" in opened
