"""The guided payments: three manners of five steps each, every step done by the program or the
device it speaks of.

Rule 1: one guide for all who look; loading the page again shows the same step.
Rule 2: steps come in the order of the table; only starting over is always possible.
Rule 3: what the sale is, the till says. A refusal is the till's or the wallet's own, and the guide
        begins again.
Rule 4: a part that has ended is being started anew: what may be asked twice waits until it answers.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from protocol.errors import CallerError, TillwayError, from_code
from tillway.demo.phone import draw_qr, read_qr
from tillway.demo.stack import BIOMETRIC_ABOVE_MINOR, HUB
from tillway.demo.story import FINGER
from tillway.demo.till import ENDED, POLL_GAP_S, Shown, wait_for
from tillway.front.limits import AMOUNT_MINOR_MAX, FINGER_AMOUNT_MINOR_MAX, PATIENCE_S
from tillway.front.shop import Shop
from tillway.revival import Phase

Answer = TypeVar("Answer")
SILENT = "server_unreachable"
_SCANNER_LOST = frozenset({"device_disconnected", "device_no_reply", "device_bad_frame"})
_OURS_TO_END = frozenset({"paid", "declined", "cancelled", "expired", "closed"})


class Manner(StrEnum):
    """How the payer pays."""

    CODE = "code"
    FINGER = "finger"
    QR = "qr"


class Step(StrEnum):
    """What is to be done next."""

    KEY = "key"
    SHOW = "show"
    SCAN = "scan"
    LAY = "lay"
    READ = "read"
    CONFIRM = "confirm"
    RECEIPT = "receipt"
    POSTINGS = "postings"


STEPS = {
    Manner.CODE: (Step.KEY, Step.SHOW, Step.SCAN, Step.RECEIPT, Step.POSTINGS),
    Manner.FINGER: (Step.KEY, Step.SCAN, Step.LAY, Step.RECEIPT, Step.POSTINGS),
    Manner.QR: (Step.KEY, Step.READ, Step.CONFIRM, Step.RECEIPT, Step.POSTINGS),
}
"""The table: each manner's steps in their order. After the last one starts over."""
CHOICES_MINOR = {
    Manner.CODE: (1_280, 666, 8_800),
    Manner.FINGER: (52_000, 68_000),
    Manner.QR: (2_350, 990, 12_000),
}
"""What may be keyed in by a press. Above ``BIOMETRIC_ABOVE_MINOR`` the till asks for a finger."""
_BOUNDS = {
    Manner.CODE: (1, AMOUNT_MINOR_MAX),
    Manner.FINGER: (BIOMETRIC_ABOVE_MINOR + 1, FINGER_AMOUNT_MINOR_MAX),
    Manner.QR: (1, AMOUNT_MINOR_MAX),
}


@dataclass(slots=True)
class Guide:
    """Where the guide stands. Any thread may act; one acts at a time."""

    shop: Shop
    manner: Manner = Manner.CODE
    step: Step = Step.KEY
    revision: int = 0
    payment_id: str = ""
    amount: str = ""
    code: bytes = field(default=b"", repr=False)
    """A code as a picture, while it is to be scanned: the wallet's, or the till's."""
    merchant: str = ""
    """Whom the wallet says it would pay."""
    receipt: bytes = b""
    is_code_lost: bool = False
    """Whether the scanner was lost with the code before it, and a fresh one is to be shown."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def needs(self) -> tuple[str, ...]:
        """The programs that every step goes through, by their names."""
        till = self.shop.till.name
        return till, f"{till}-board", HUB, "backend"

    def choose(self, manner: Manner) -> None:
        """Take the steps of another manner."""
        with self._lock:
            self._need(Step.KEY)
            self.manner = manner
            self.revision += 1

    def key_in(self, amount_minor: int) -> None:
        """Key an amount into the till, which then waits for a scan, or shows its own code."""
        with self._lock:
            self._need(Step.KEY)
            least, most = _BOUNDS[self.manner]
            if not least <= amount_minor <= most:
                raise CallerError("amount_invalid")
            till = self.shop.till
            if self._patiently(till.screen)["kind"] in _OURS_TO_END:
                till.dismiss()
            method = "merchant_qr" if self.manner is Manner.QR else "pay_code"
            self.payment_id = till.sell(amount_minor, method)
            try:
                self._show_amount()
            except TillwayError:
                self._give_up()
                raise
            self._go_on()

    def show(self) -> None:
        """Let the wallet ask for a pay code."""
        with self._lock:
            self._need(Step.SHOW)
            self.code = draw_qr(self._patiently(self.shop.phone.pay_code))
            self._go_on()

    def scan(self) -> None:
        """Hold the code before the scanner; wait for the outcome, or until a finger is asked. A
        till that has given up waiting for a code has sent nothing: the guide begins anew. Nor has
        one that has lost its scanner meanwhile: it waits once more, for a fresh code."""
        with self._lock:
            self._need(Step.SCAN)
            self._patiently(self._hold)

    def lay(self) -> None:
        """Lay the payer's finger on the sensor, and lift it when the sale has ended."""
        with self._lock:
            self._need(Step.LAY)
            till = self.shop.till
            self._patiently(lambda: till.lay_finger(FINGER))
            try:
                self._finish()
            finally:
                till.lift_finger()

    def read(self) -> None:
        """Let the wallet scan the picture on the till, and say whom it would pay."""
        with self._lock:
            self._need(Step.READ)
            shown = self._patiently(lambda: self.shop.phone.scan(read_qr(self.code)))
            self.merchant = str(shown["merchant_name"])
            self._go_on()

    def confirm(self) -> None:
        """Let the payer give the PIN; the till learns the outcome from the backend."""
        with self._lock:
            self._need(Step.CONFIRM)
            if self._patiently(self._sale)["state"] in ENDED:  # an answer was lost on its way
                self._finish()
                return
            answer = self.shop.phone.confirm(self.payment_id, now_ms=self.shop.now_ms())
            if error := answer.get("error"):
                self._give_up()
                raise from_code(str(error["code"]), str(answer["state"]))
            self._finish()

    def look(self) -> None:
        """The receipt has been seen; the ledger is next."""
        with self._lock:
            self._need(Step.RECEIPT)
            self._go_on()

    def start_over(self) -> None:
        """From the beginning; a sale that has not ended is given up."""
        with self._lock:
            self._give_up()

    def _show_amount(self) -> None:
        till = self.shop.till
        if self.manner is Manner.QR:
            self._until("showing_qr")
            self.code = till.qr_picture()
        elif self.manner is Manner.FINGER:
            self.code = draw_qr(self.shop.phone.pay_code())
        self.amount = str(till.sale(self.payment_id)["amount"])

    def _sale(self) -> Shown:
        return self.shop.till.sale(self.payment_id)

    def _hold(self) -> None:
        till = self.shop.till
        if self._sale()["state"] == "scanning":
            till.present(self.code)
        wanted = ("verifying",) if self.manner is Manner.FINGER else ()
        sale = till.wait_sale(self.payment_id, "choosing", *wanted, *ENDED)
        if sale["state"] == "choosing":
            self._ask_anew(sale)
        elif sale["state"] in wanted:
            self.code = b""
            self._go_on()
        else:
            self._finish()

    def _ask_anew(self, sale: Shown) -> None:
        if sale["error_code"] not in _SCANNER_LOST:
            self._give_up()
            raise CallerError("scan_timeout")
        self._patiently(self.shop.till.reach_scanner)
        self.shop.till.choose("pay_code")
        self.code = draw_qr(self._patiently(self.shop.phone.pay_code))
        self.is_code_lost = True
        self.revision += 1

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        """Ask until a part that is being started anew answers; raises its silence where nobody
        starts it any more, or after ``PATIENCE_S``."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return ask()
            except TillwayError as error:
                told = self.shop.keeper.told()
                is_given_up = any(
                    told[name].phase is Phase.FAILED for name in self.needs if name in told
                )
                if error.code != SILENT or is_given_up or time.monotonic() > deadline:
                    raise
            time.sleep(POLL_GAP_S)

    def _until(self, state: str) -> None:
        """Wait for a state of the sale on its way; one that ends before that is refused."""
        sale = self.shop.till.wait_sale(self.payment_id, state, *ENDED)
        if sale["state"] != state:
            self._refuse(sale)

    def _finish(self) -> None:
        """Wait for the outcome and for the paper."""
        till = self.shop.till
        sale = till.wait_sale(self.payment_id, *ENDED)
        if sale["state"] != "paid":
            self._refuse(sale)
        self.receipt = till.picture(self._paper())
        self.code = b""
        self._go_on()

    def _refuse(self, sale: Shown) -> None:
        self._begin()
        raise from_code(sale["error_code"] or "payment_state", str(sale["state"]))

    def _give_up(self) -> None:
        till = self.shop.till
        screen = self._patiently(till.screen)
        if self.payment_id and screen["subject"] == self.payment_id:
            try:
                is_over = screen["kind"] in _OURS_TO_END
                till.dismiss() if is_over else till.cancel()
            except TillwayError as error:
                if error.code != "payment_state":  # it has just ended by itself
                    raise
        self._begin()

    def _paper(self) -> Shown:
        """The receipt that carries this payment's number."""
        till = self.shop.till
        found = wait_for(
            lambda: {"papers": till.receipts()},
            lambda seen: any(self.payment_id in paper["codes"] for paper in seen["papers"]),
            "the receipt",
        )
        papers = [paper for paper in found["papers"] if self.payment_id in paper["codes"]]
        paper: Shown = papers[-1]
        return paper

    def _need(self, step: Step) -> None:
        if self.step is not step:
            raise CallerError("payment_state", f"the guide is at {self.step}")

    def _go_on(self) -> None:
        steps = STEPS[self.manner]
        self.step = steps[steps.index(self.step) + 1]
        self.is_code_lost = False
        self.revision += 1

    def _begin(self) -> None:
        self.step, self.payment_id, self.amount, self.merchant = Step.KEY, "", "", ""
        self.code = self.receipt = b""
        self.is_code_lost = False
        self.revision += 1
