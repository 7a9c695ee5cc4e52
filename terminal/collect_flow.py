"""A sale before anything was sent: amount, method, code, finger. All of it lives in memory, because
a power cut here loses nothing but a few key presses.
"""

from dataclasses import replace
from typing import Any

from protocol import ids
from protocol.errors import CallerError
from protocol.messages.offline import OFFLINE_TOKEN
from protocol.money import positive
from protocol.scanned import OWN_WALLET
from terminal.desk import Desk, log
from terminal.domain.sale import COLLECTING_STATES, Sale, SaleEvent, SaleState, Step
from terminal.effects import ReadFinger, ScanCode, StopDevices
from terminal.inputs import StartSale
from terminal.limits import FINGER_WAIT_S, SALES_OPEN_MAX, SCAN_WAIT_S
from terminal.offline_flow import OfflineFlow
from terminal.sale_flow import SaleFlow

_S, _T = SaleState, Step


class CollectFlow:
    """The one sale that is being put together, and the devices it needs."""

    def __init__(self, desk: Desk, sales: SaleFlow, offline: OfflineFlow) -> None:
        self._desk = desk
        self._sales = sales
        self._offline = offline
        self._held_code: str | None = None
        self._debit: dict[str, Any] = {}
        self.sale: Sale | None = None

    def start(self, wish: StartSale) -> None:
        """Key an amount; with a method, go on at once."""
        money = positive(wish.amount_minor, wish.currency)
        if money.currency != self._desk.profile.currency:
            raise CallerError("currency_unsupported")
        if money.amount_minor > self._desk.profile.amount_minor_max:
            raise CallerError("amount_invalid")
        if wish.method is not None:
            self._check_method(wish.method)
        if len(self._desk.journal.open_sales()) >= SALES_OPEN_MAX:
            raise CallerError("busy")
        sale = Sale(
            payment_id=self._desk.courier.mint(ids.PAYMENT),
            attempt_id=self._desk.courier.mint(ids.ATTEMPT),
            method=wish.method or "",
            amount_minor=money.amount_minor,
            currency=money.currency,
            created_at_ms=self._desk.clock.now_ms(),
            description=wish.description,
            cashier=wish.cashier,
            item=wish.item,
        )
        said = wish.explanation.to_map() if wish.explanation else None
        facts = {"mandate_id": wish.mandate_id, "explanation": said}
        self._debit = {name: value for name, value in facts.items() if value is not None}
        if wish.draft_id is not None:
            self._desk.journal.spend_draft(wish.draft_id, sale.payment_id)
        self._desk.current = sale.payment_id
        self._move(sale, _T.KEY_AMOUNT)
        if wish.method is not None:
            self.choose(wish.method)

    def choose(self, method: str) -> None:
        """Take the payer's way to pay."""
        self._check_method(method)
        sale = self._sale_in(_S.CHOOSING)
        if method == OFFLINE_TOKEN:
            wish = self._offline.wish_of(sale)
            self._move(sale, _T.SCAN, method=method, error_code=None, code_url=wish)
        elif method == "pay_code":
            self._move(sale, _T.SCAN, method=method, error_code=None)
        else:
            self._verify_or_send(replace(sale, method=method), pay_code=None)

    def cancel(self) -> None:
        """Give the sale up; nothing was sent, nothing is kept."""
        sale = self._sale_in(*COLLECTING_STATES)
        self._held_code = None
        self._move(sale, _T.CANCEL)

    # The devices

    def code_scanned(self, payment_id: str, code: str) -> None:
        """The scanner read something; what is no pay code that is taken here is asked for
        again, with a sentence that says what it was."""
        sale = self.sale
        if sale is None or sale.payment_id != payment_id or sale.state is not _S.SCANNING:
            return
        if sale.method == OFFLINE_TOKEN:
            self._token_scanned(sale, code)
            return
        found = self._desk.profile.scan_table.find(code)
        log.info("code_scanned", payment_id=payment_id, wallet=found.wallet, error=found.error_code)
        if found.error_code is not None:
            self._move(sale, _T.MISS_SCAN, error_code=found.error_code)
        elif found.wallet != OWN_WALLET:  # whose finger it is, only that wallet could know
            self._send(sale, pay_code=found.text, verification=None)
        else:
            self._verify_or_send(sale, pay_code=found.text)

    def _token_scanned(self, sale: Sale, text: str) -> None:
        try:
            token = self._offline.read(sale, text)
        except CallerError as error:
            log.info("token_refused", payment_id=sale.payment_id, code=error.code)
            self._move(sale, _T.MISS_SCAN, error_code=error.code, code_url=None)
            return
        self.sale = None
        at_ms = self._desk.clock.now_ms()
        self._sales.returning.accept(sale, token, text, at_ms=at_ms)
        self._offline.keep(sale, token, at_ms=at_ms)

    def code_typed(self, code: str) -> None:
        """A code that came from the page; the scanner, which may still be looking, is stopped."""
        sale = self._sale_in(_S.CHOOSING, _S.SCANNING)
        if sale.state is _S.CHOOSING:
            self.choose("pay_code")
        self._desk.effects.append(StopDevices())
        self.code_scanned(sale.payment_id, code)

    def scan_failed(self, payment_id: str, code: str) -> None:
        """No code: back to the choice, with the reason."""
        sale = self.sale
        if sale is not None and sale.payment_id == payment_id and sale.may(_T.MISS_SCAN):
            self._move(sale, _T.MISS_SCAN, error_code=code)

    def finger_matched(self, payment_id: str, score: int, slot: int) -> None:
        """The payer is who the sensor knows: send, with the verdict in the signed body."""
        sale = self.sale
        if sale is None or sale.payment_id != payment_id or sale.state is not _S.VERIFYING:
            return
        verification = {"kind": "fingerprint", "score": score, "slot": slot}
        self._send(sale, pay_code=self._held_code, verification=verification)

    def finger_refused(self, payment_id: str, code: str) -> None:
        """Not matched, or no sensor: declined here; nothing was sent."""
        sale = self.sale
        if sale is not None and sale.payment_id == payment_id and sale.state is _S.VERIFYING:
            self._held_code = None
            self.sale = None
            self._sales.decline_here(sale, code)

    def _verify_or_send(self, sale: Sale, *, pay_code: str | None) -> None:
        limit = self._desk.profile.biometric_above_minor
        needs_finger = (
            limit is not None
            and sale.amount_minor > limit
            and sale.method in self._desk.profile.biometric_methods
        )
        if needs_finger:
            self._held_code = pay_code
            self._move(sale, _T.VERIFY)
        else:
            self._send(sale, pay_code=pay_code, verification=None)

    def _send(self, sale: Sale, *, pay_code: str | None, verification: Any) -> None:  # noqa: ANN401
        self._held_code = None
        self.sale = None
        facts = {"pay_code": pay_code, "verification": verification}
        if sale.method == "mandate":
            facts |= self._debit
        self._sales.submit(sale, **facts)

    def _sale_in(self, *states: SaleState) -> Sale:
        if self.sale is None or self.sale.state not in states:
            raise CallerError("payment_state")
        return self.sale

    def _check_method(self, method: str) -> None:
        if method not in self._desk.profile.methods:
            raise CallerError("field_invalid", "method")
        self._offline.check_method(method)

    def _move(self, sale: Sale, step: Step, **changes: Any) -> None:  # noqa: ANN401
        moved, event = sale.move(step, **changes)
        log.info("sale_moved", payment_id=moved.payment_id, what=event, state=moved.state)
        if event is SaleEvent.SCAN_ASKED:
            self._desk.effects.append(ScanCode(moved.payment_id, SCAN_WAIT_S))
        elif event is SaleEvent.FINGER_ASKED:
            self._desk.effects.append(ReadFinger(moved.payment_id, FINGER_WAIT_S))
        elif event is SaleEvent.CANCELLED:
            self._desk.effects.append(StopDevices())
            self._desk.journal.free_draft(moved.payment_id)
            self._desk.current = None
        self.sale = moved if moved.state in COLLECTING_STATES else None
