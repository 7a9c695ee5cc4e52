"""The guided first payment: five steps, each done by the program or the device it speaks of.

Rule 1: one guide for all who look; loading the page again shows the same step.
Rule 2: steps come in the order of the table; only starting over is always possible.
Rule 3: what the sale is, the till says. A refusal is the till's own, and the guide begins again.
"""

import threading
from dataclasses import dataclass, field
from enum import StrEnum

from protocol.errors import CallerError, TillwayError, from_code
from tillway.demo.phone import draw_qr
from tillway.demo.till import Shown, wait_for
from tillway.front.limits import AMOUNT_MINOR_MAX
from tillway.front.shop import Shop

_ENDED = ("paid", "declined", "unknown", "cancelled")
_OURS_TO_END = frozenset({"paid", "declined", "cancelled", "expired", "closed"})


class Step(StrEnum):
    """What is to be done next."""

    KEY = "key"
    SHOW = "show"
    SCAN = "scan"
    RECEIPT = "receipt"
    POSTINGS = "postings"


STEPS = tuple(Step)
NEXT = {Step.KEY: Step.SHOW, Step.SHOW: Step.SCAN, Step.SCAN: Step.RECEIPT,
        Step.RECEIPT: Step.POSTINGS}  # fmt: skip
"""The table: the step that follows when one is done. After the last one starts over."""


@dataclass(slots=True)
class Guide:
    """Where the guide stands. Any thread may act; one acts at a time."""

    shop: Shop
    step: Step = Step.KEY
    revision: int = 0
    payment_id: str = ""
    amount: str = ""
    code: bytes = field(default=b"", repr=False)
    """The pay code as a picture, while it is to be scanned."""
    receipt: bytes = b""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key_in(self, amount_minor: int) -> None:
        """Key an amount into the till, which then waits for a scan."""
        with self._lock:
            self._need(Step.KEY)
            if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
                raise CallerError("amount_invalid")
            till = self.shop.till
            if till.screen()["kind"] in _OURS_TO_END:
                till.dismiss()
            self.payment_id = till.sell(amount_minor, "pay_code")
            self.amount = str(till.sale(self.payment_id)["amount"])
            self._go_on()

    def show(self) -> None:
        """Let the wallet ask for a pay code."""
        with self._lock:
            self._need(Step.SHOW)
            self.code = draw_qr(self.shop.phone.pay_code())
            self._go_on()

    def scan(self) -> None:
        """Hold the code before the scanner; wait for the outcome and for the paper."""
        with self._lock:
            self._need(Step.SCAN)
            till = self.shop.till
            if till.sale(self.payment_id)["state"] == "scanning":
                till.present(self.code)
            sale = till.wait_sale(self.payment_id, *_ENDED)
            if sale["state"] != "paid":
                self._begin()
                raise from_code(sale["error_code"] or "payment_state", str(sale["state"]))
            self.receipt = till.picture(self._paper())
            self.code = b""
            self._go_on()

    def look(self) -> None:
        """The receipt has been seen; the ledger is next."""
        with self._lock:
            self._need(Step.RECEIPT)
            self._go_on()

    def start_over(self) -> None:
        """From the beginning; a sale that still waits for a scan is given up."""
        with self._lock:
            till = self.shop.till
            screen = till.screen()
            if self.payment_id and screen["subject"] == self.payment_id:
                try:
                    is_over = screen["kind"] in _OURS_TO_END
                    till.dismiss() if is_over else till.api.post("/api/sales/current/cancel")
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
        self.step = NEXT[self.step]
        self.revision += 1

    def _begin(self) -> None:
        self.step, self.payment_id, self.amount = Step.KEY, "", ""
        self.code = self.receipt = b""
        self.revision += 1
