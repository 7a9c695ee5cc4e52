"""A card PIN pad on Ingenico's Protocol E (``protocol/framing/telium.py`` has the messages).

Rule 1: an error is raised only while it is certain that nothing can have been paid: before the
whole ask has gone out, or when the pin pad itself has refused it. After that every trouble is
*unknown*.
Rule 2: an answer counts only if it repeats what was asked: the line's checksum is one byte.
"""

import threading
import time
from collections.abc import Callable
from functools import partial

import structlog

from protocol.errors import CallerError, OperatingError
from protocol.framing import telium
from protocol.framing.telium import Ask, Control, Item, Message
from terminal.adapters.limits import (
    PINPAD_ATTEMPTS_MAX,
    PINPAD_BURST_S,
    PINPAD_GOODBYE_S,
    PINPAD_MESSAGE_GAP_S,
    PINPAD_OVERTIME_S,
    PINPAD_QUIET_S,
    PINPAD_REPLY_S,
    PINPAD_STATUS_LIMIT_S,
)
from terminal.adapters.serial_worker import (
    AbandonedError,
    Dialogue,
    Port,
    SerialWorker,
    open_serial,
)
from terminal.ports import CardOutcome, CardResult

log = structlog.get_logger()
_OUTCOMES: dict[telium.Result, CardResult] = {
    telium.Result.APPROVED: "approved",
    telium.Result.REFUSED: "declined",
    telium.Result.UNVERIFIED: "unknown",
}
_WHY: dict[CardResult, str] = {"declined": "card_not_approved"}
"""An answer holds no reason: the pin pad shows it on its own display, and prints it."""


class TeliumPinPad:
    """``CardPinPad`` over Protocol E. ``pos`` is this register's number, 1..99."""

    def __init__(
        self,
        path: str,
        *,
        baud: int = 9_600,
        pos: int = 1,
        open_port: Callable[[], Port] | None = None,
    ) -> None:
        self._pos = pos
        self._worker = SerialWorker("pinpad", open_port or partial(open_serial, path, baud))

    async def check(self) -> None:
        """As ``CardPinPad.check``."""
        await self._worker.run(_check, limit_s=PINPAD_STATUS_LIMIT_S)

    async def pay(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """As ``CardPinPad.pay``."""
        return await self._settle(self._ask(amount_minor, currency, telium.Kind.DEBIT), timeout_s)

    async def refund(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """As ``CardPinPad.refund``."""
        return await self._settle(self._ask(amount_minor, currency, telium.Kind.REFUND), timeout_s)

    async def aclose(self) -> None:
        """As ``CardPinPad.aclose``."""
        await self._worker.aclose()

    def _ask(self, amount_minor: int, currency: str, kind: telium.Kind) -> Ask:
        number = telium.CURRENCY_NUMBERS.get(currency)
        if number is None:
            raise CallerError("currency_unsupported", currency)
        ask = Ask(amount_minor=amount_minor, currency_number=number, pos=self._pos, kind=kind)
        telium.encode_ask(ask)  # an amount that cannot be said is refused here
        return ask

    async def _settle(self, ask: Ask, timeout_s: float) -> CardOutcome:
        attempt = _Attempt(ask)
        try:
            limit_s = timeout_s + PINPAD_OVERTIME_S
            return await self._worker.run(partial(attempt.run, timeout_s), limit_s=limit_s)
        except OperatingError as error:
            if attempt.give_up():
                raise
            log.warning("pinpad_outcome_unknown", code=error.code, detail=error.detail)
            return CardOutcome("unknown", why=error.code)
        finally:
            attempt.give_up()


class _Attempt:
    """One ask, shared by the port's thread, which sends it, and the loop, which may give it up."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._may_be_paid = False
        self._is_given_up = False

    def give_up(self) -> bool:
        """Send nothing from now on; whether it is certain that nothing was paid."""
        with self._lock:
            self._is_given_up = True
            return not self._may_be_paid

    def run(self, timeout_s: float, dialogue: Dialogue) -> CardOutcome:
        """Ask, wait for the payer, take the answer."""
        deadline = time.monotonic() + timeout_s
        line = _Line(dialogue)
        line.enquire()
        self._hand_over(line)
        line.say(Control.EOT)
        while (left_s := deadline - time.monotonic()) > 0:
            if line.hear(left_s) is Control.ENQ and (text := line.take_message()) is not None:
                return self._outcome(text)
        raise OperatingError("device_no_reply", "pinpad: no answer to the payment")

    def _hand_over(self, line: "_Line") -> None:
        """Send the ask until it is acknowledged.

        To send it again is safe: the pin pad acts once, on EOT. Only NAK says for certain that an
        ask was not taken: EOT is one flipped bit away from ACK.
        """
        is_unclear = False
        for _ in range(PINPAD_ATTEMPTS_MAX):
            self._commit()
            line.send(telium.encode_ask(self._ask))
            word = line.hear_control(PINPAD_REPLY_S)
            if word is Control.ACK:
                return
            is_unclear = is_unclear or word is not Control.NAK
        self._may_be_paid = is_unclear
        raise OperatingError("device_no_reply" if is_unclear else "device_bad_frame", "pinpad: ask")

    def _commit(self) -> None:
        with self._lock:
            if self._is_given_up:
                raise AbandonedError
            self._may_be_paid = True

    def _outcome(self, text: bytes) -> CardOutcome:
        answer, ask = telium.parse_answer(text), self._ask
        said = (answer.pos, answer.amount_minor, answer.currency_number, answer.mode)
        if said != (ask.pos, ask.amount_minor, ask.currency_number, ask.mode):
            raise OperatingError("device_bad_frame", "pinpad: answer to another ask")
        outcome = _OUTCOMES[answer.result]
        return CardOutcome(
            result=outcome,
            card=telium.masked_report(answer.report or ""),
            reference=answer.private.strip() if outcome == "approved" else "",
            why=_WHY.get(outcome, ""),
        )


class _Line:
    """The port of one job, read item by item."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue
        self._parser = telium.LineParser()
        self._items: list[Item] = []
        dialogue.discard_input()

    def send(self, frame: bytes) -> None:
        """Send something, and forget what came before it: that cannot be the answer."""
        self._items.clear()
        self._parser.clear()
        self._dialogue.send(frame)

    def say(self, control: Control) -> None:
        """Send a control character."""
        self.send(bytes([control]))

    def hear(self, wait_s: float) -> Item | None:
        """The next item, or None after ``wait_s``; a message that has begun may end."""
        until = time.monotonic() + wait_s
        while not self._items:
            data = self._dialogue.receive(until)
            if not data:
                return None
            self._items = self._parser.feed(data)
            if self._parser.is_mid_message:
                until = time.monotonic() + PINPAD_MESSAGE_GAP_S
        return self._items.pop(0)

    def hear_control(self, wait_s: float) -> Control | None:
        """ACK, NAK or EOT: an answer to what we sent."""
        until = time.monotonic() + wait_s
        while (left_s := until - time.monotonic()) > 0:
            item = self.hear(left_s)
            if isinstance(item, Control) and item is not Control.ENQ:
                return item
        return None

    def enquire(self) -> None:
        """ENQ until the pin pad is ready; ``busy`` where it says that it is not."""
        for _ in range(PINPAD_ATTEMPTS_MAX):
            self.say(Control.ENQ)
            word = self.hear_control(PINPAD_REPLY_S)
            if word is Control.ACK:
                return
            if word is Control.NAK:
                raise OperatingError("busy", "pinpad: in use")
        raise OperatingError("device_no_reply", "pinpad")

    def take_message(self) -> bytes | None:
        """Let the pin pad speak; ask again for what is damaged. None: it did not speak."""
        self.say(Control.ACK)
        for _ in range(PINPAD_ATTEMPTS_MAX):
            heard = self._burst()
            texts = [item.text for item in heard if isinstance(item, Message)]
            if texts:
                self._acknowledge()
                return texts[0]
            is_only_calling = bool(heard) and set(heard) == {Control.ENQ}
            self.say(Control.ACK if is_only_calling else Control.NAK)
        return None

    def _burst(self) -> list[Item]:
        """All bytes until the line is quiet: a damaged message can hold any control character."""
        heard: list[Item] = []
        until = time.monotonic() + PINPAD_BURST_S
        wait_s = PINPAD_MESSAGE_GAP_S
        while time.monotonic() < until and (item := self.hear(wait_s)) is not None:
            heard.append(item)
            wait_s = PINPAD_QUIET_S
        return heard

    def _acknowledge(self) -> None:
        """ACK until EOT. The answer stands without it, but the pin pad would say it again."""
        for _ in range(PINPAD_ATTEMPTS_MAX):
            self.say(Control.ACK)
            if self.hear(PINPAD_GOODBYE_S) is Control.EOT:
                return


def _check(dialogue: Dialogue) -> None:
    line = _Line(dialogue)
    line.enquire()
    line.say(Control.EOT)
