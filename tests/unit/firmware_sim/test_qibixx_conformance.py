"""Goal: each of the adapter's checks finds the adapter it is made for.

Method: virtual time; one adapter with one defect for each check.
"""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.conformance.check import Check, CheckFailedError
from firmware_sim.conformance.qibixx import CHECKS
from firmware_sim.conformance.running import DEVICE, SimulatedPerson
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.devices.device import Output
from firmware_sim.devices.mdb.card_box import CardBox
from firmware_sim.devices.mdb.cashless import CashlessReader
from firmware_sim.devices.mdb.changer import CoinChanger
from firmware_sim.devices.mdb.machine import VendingMachine
from firmware_sim.devices.mdb.master import ReaderMaster
from firmware_sim.devices.qibixx import adapter, slave
from firmware_sim.devices.qibixx.adapter import QibixxAdapter
from firmware_sim.devices.qibixx.master import CashlessMaster
from firmware_sim.devices.qibixx.slave import CashlessSlave
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.qibixx import KIND

Break = Callable[[pytest.MonkeyPatch], None]


def nothing(*_: object, **__: object) -> list[Output]:
    """Does nothing."""
    return []


def put(of: object, name: str, value: Any) -> Break:
    """One thing of the adapter's that is another."""
    return lambda patch: patch.setattr(of, name, value)


def _only_lf(patch: pytest.MonkeyPatch) -> None:
    hear = QibixxAdapter.feed
    patch.setattr(
        QibixxAdapter,
        "feed",
        lambda self, data, now_ms: hear(self, data.replace(b"\r", b"?"), now_ms),
    )


def _chokes_on_junk(patch: pytest.MonkeyPatch) -> None:
    hear = QibixxAdapter.feed

    def feed(self: QibixxAdapter, data: bytes, now_ms: int) -> list[Output]:
        if b"?" in data:
            patch.setattr(QibixxAdapter, "_obey", nothing)
        return hear(self, data, now_ms)

    patch.setattr(QibixxAdapter, "feed", feed)


DEFECTS: dict[str, Break] = {
    "qibixx.version": put(adapter, "VERSION", "4.0.2.0"),
    "qibixx.line_ends": _only_lf,
    "qibixx.after_junk": _chokes_on_junk,
    "qibixx.settings": put(CashlessSlave, "_set", lambda *_: "ERR"),
    "qibixx.slave_off": put(slave, "_OFF", "c,ACK"),
    "qibixx.slave_on_once": put(slave, "_ON", "c,1"),
    "qibixx.slave_enabled": put(ReaderMaster, "enable", nothing),
    "qibixx.slave_no_request": put(CashlessReader, "approve", nothing),
    "qibixx.sniffer": put(adapter, "_sniffed", lambda _: "x,1"),
    "qibixx.raw_master": put(CoinChanger, "hear", lambda *_: None),
    "qibixx.master_once": put(CashlessMaster, "is_on", property(lambda _: False)),
    "qibixx.master_cancels": put(ReaderMaster, "cancel", nothing),
    "qibixx.denied": put(CashlessReader, "deny", nothing),
    "qibixx.approved": put(ReaderMaster, "succeed", nothing),
    "qibixx.failed": put(VendingMachine, "jam", nothing),
    "qibixx.given_up": put(VendingMachine, "pull_lever", nothing),
    "qibixx.tapped": put(CardBox, "tap", nothing),
}


def _run(check: Check) -> None:
    with VirtualBoard(board_with("qibixx", device=DEVICE)) as board:
        check.run(VirtualWire(board, DEVICE, KIND.decoder()), SimulatedPerson(board))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_fails_on_the_adapter_with_its_defect(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(check)
    DEFECTS[check.id](monkeypatch)
    with pytest.raises(CheckFailedError):
        _run(check)
