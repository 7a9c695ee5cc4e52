"""Goal: each of the PIN pad's checks finds the pin pad it is made for.

Method: virtual time; one pin pad with one defect for each check.
"""

from collections.abc import Callable
from typing import Any

import pytest

from firmware_sim.board_file import board_with
from firmware_sim.conformance.check import Check, CheckFailedError
from firmware_sim.conformance.running import DEVICE, SimulatedPerson
from firmware_sim.conformance.telium import CHECKS
from firmware_sim.conformance.virtual import VirtualWire
from firmware_sim.devices import telium as device
from firmware_sim.devices.device import Output
from firmware_sim.devices.telium import TRANSITIONS, Phase, Step, TeliumPinPad
from firmware_sim.devices.telium_bank import Bank
from firmware_sim.hosting import VirtualBoard
from firmware_sim.kinds.telium import KIND
from protocol.framing import telium
from protocol.framing.telium import Ask, Control, Result

Break = Callable[[pytest.MonkeyPatch], None]
ASK = Ask(amount_minor=100, currency_number="978")


def without(*edges: tuple[Phase, Step]) -> Break:
    """Steps that the pin pad no longer takes."""

    def broken(patch: pytest.MonkeyPatch) -> None:
        for edge in edges:
            patch.delitem(TRANSITIONS, edge)

    return broken


def with_edge(phase: Phase, step: Step, to: Phase) -> Break:
    """A step that it should not take."""
    return lambda patch: patch.setitem(TRANSITIONS, (phase, step), to)


def method(name: str, body: Any) -> Break:
    """A method of the pin pad that does something else."""
    return lambda patch: patch.setattr(TeliumPinPad, name, body)


def _deaf_behind_noise(patch: pytest.MonkeyPatch) -> None:
    hear = TeliumPinPad.feed
    patch.setattr(
        TeliumPinPad,
        "feed",
        lambda self, data, now_ms: [] if b"\xff" in data else hear(self, data, now_ms),
    )


def _keeps_the_line(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TeliumPinPad, "_hang_up", lambda self: None)
    patch.delitem(TRANSITIONS, (Phase.LINKED, Step.ENQUIRED))


def _says_ack(self: TeliumPinPad, now_ms: int) -> list[Output]:
    return self._say(bytes([Control.ACK]), now_ms)


def _approves_at_once(patch: pytest.MonkeyPatch) -> None:
    decide = TeliumPinPad._decide
    patch.setattr(
        TeliumPinPad, "_decide", lambda self, _, now_ms: decide(self, Result.APPROVED, now_ms)
    )


def _answers(is_full: bool) -> Break:
    encode = telium.encode_answer

    def broken(patch: pytest.MonkeyPatch) -> None:
        def other(answer: telium.Answer) -> bytes:
            report = "4" * 55 if is_full else None
            return encode(
                telium.Answer(
                    pos=answer.pos, result=answer.result, amount_minor=answer.amount_minor,
                    mode=answer.mode, report=report, currency_number=answer.currency_number,
                    private=answer.private,
                )
            )  # fmt: skip

        patch.setattr(telium, "encode_answer", other)

    return broken


DEFECTS: dict[str, Break] = {
    "telium.enquiry": without((Phase.IDLE, Step.ENQUIRED)),
    "telium.freed": _keeps_the_line,
    "telium.enquiry_twice": without((Phase.LINKED, Step.ENQUIRED)),
    "telium.noise": _deaf_behind_noise,
    "telium.broken_ask": method("_refuse_message", _says_ack),
    "telium.no_ask": lambda patch: patch.setattr(telium, "parse_ask", lambda _: ASK),
    "telium.unannounced": with_edge(Phase.IDLE, Step.ASKED, Phase.LOADED),
    "telium.at_once": _approves_at_once,
    "telium.mended_ask": lambda patch: patch.setattr(device, "TELIUM_TRIES_MAX", 1),
    "telium.full_answer": _answers(is_full=False),
    "telium.short_answer": _answers(is_full=True),
    "telium.answer_again": method("_answer_again", lambda self, now_ms: []),
    "telium.call_again": lambda patch: patch.setattr(device, "CALL_MS", 100_000),
    "telium.busy": with_edge(Phase.CARD, Step.ENQUIRED, Phase.CARD),
    "telium.card_is_approved": lambda patch: patch.setattr(Bank, "funds_minor", lambda *_: 0),
}


def _run(check: Check) -> None:
    with VirtualBoard(board_with("telium", device=DEVICE)) as board:
        check.run(VirtualWire(board, DEVICE, KIND.decoder()), SimulatedPerson(board))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_check_fails_on_the_pin_pad_with_its_defect(
    check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(check)
    DEFECTS[check.id](monkeypatch)
    with pytest.raises(CheckFailedError):
        _run(check)
