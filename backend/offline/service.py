"""Vouchers' commands: giving one, and ending it. Each is safe to repeat.

Rule 1: a payer has one living voucher, and none after an overspent one.
Rule 2: what stands in a voucher's account goes back when it ends, whatever the sums here say: a
        payment that was undone has given its part back there.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.ledger import rules as posting
from backend.ledger import service as ledger
from backend.ledger.chart import escrow
from backend.ledger.model import Transfer
from backend.offline.model import (
    LIVE_STATES,
    OVERSPENT_STATES,
    OfflineRules,
    VoucherState,
    VoucherStep,
    class_of,
    next_state,
)
from backend.offline.tables import OFFLINE_WALLET, VOUCHER
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.ids import OFFLINE_VOUCHER, is_id
from protocol.money import positive


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveVoucher:
    """Set money aside for offline payments. The wallet mints the id: the same content again changes
    nothing. Answers the voucher's row."""

    voucher_id: str
    payer_id: str
    amount_minor: int
    currency: str
    rules: OfflineRules
    business_date: str

    def reads(self) -> Iterable[Read]:
        return [
            (VOUCHER, self.voucher_id),
            (OFFLINE_WALLET, self.payer_id),
            (PAYER, self.payer_id),
            *ledger.reads(self._transfers(), is_new=True),
        ]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        wallet = ws.get(OFFLINE_WALLET, self.payer_id)
        return [(VOUCHER, wallet["voucher_id"])] if wallet and wallet["voucher_id"] else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(VOUCHER, self.voucher_id)
        if known is not None:
            names = ("payer_id", "amount_minor", "currency")
            if any(known[name] != getattr(self, name) for name in names):
                raise CallerError("idempotency_conflict", "voucher_id")
            return known
        payer = self._payer(ws)
        payer_class = class_of(created_at_ms=payer["created_at_ms"], now_ms=now_ms)
        limits = self.rules.classes[payer_class]
        if self.amount_minor > limits.voucher_minor_max:
            raise CallerError("amount_invalid", f"above {limits.voucher_minor_max}")
        ledger.post(ws, self._transfers(), now_ms, is_new=True)
        valid_until_ms = now_ms + self.rules.life_ms
        ws.insert(
            VOUCHER,
            {
                "voucher_id": self.voucher_id,
                "payer_id": self.payer_id,
                "payer_class": payer_class,
                "state": VoucherState.OPEN.value,
                "currency": self.currency,
                "amount_minor": self.amount_minor,
                "payment_minor_max": limits.payment_minor_max,
                "tokens_max": self.rules.tokens_max,
                "guarantee_minor": self.rules.guarantee_minor,
                "valid_from_ms": now_ms,
                "valid_until_ms": valid_until_ms,
                "return_until_ms": valid_until_ms + self.rules.return_ms,
            },
        )
        self._hold(ws)
        row = ws.get(VOUCHER, self.voucher_id)
        assert row is not None
        return row

    def _payer(self, ws: WorkingSet) -> Row:
        if not is_id(self.voucher_id, prefix=OFFLINE_VOUCHER):
            raise CallerError("id_invalid", "voucher_id")
        positive(self.amount_minor, self.currency)
        payer = payer_row(ws, self.payer_id)
        if payer["status"] != "active":
            raise CallerError("payer_frozen")
        wallet = ws.get(OFFLINE_WALLET, self.payer_id)
        if wallet is not None and wallet["has_overspent"]:
            raise CallerError("offline_voucher_refused")
        if wallet is not None and wallet["voucher_id"]:
            raise CallerError("offline_voucher_open")
        return payer

    def _hold(self, ws: WorkingSet) -> None:
        if ws.get(OFFLINE_WALLET, self.payer_id) is None:
            ws.insert(OFFLINE_WALLET, {"payer_id": self.payer_id, "voucher_id": self.voucher_id})
        else:
            ws.update(OFFLINE_WALLET, self.payer_id, voucher_id=self.voucher_id)

    def _transfers(self) -> list[Transfer]:
        event = posting.Event(self.voucher_id, self.currency, self.business_date)
        return posting.escrow_funded(
            event,
            user_id=self.payer_id,
            contract_id=self.voucher_id,
            amount_minor=self.amount_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseVoucher:
    """The clock's command: nothing of a voucher can come back any more, so its rest goes back to
    the payer. Answers how much that was."""

    voucher_id: str
    business_date: str

    def reads(self) -> Iterable[Read]:
        return [(VOUCHER, self.voucher_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        voucher = ws.get(VOUCHER, self.voucher_id)
        if voucher is None:
            return []
        wallet: Read = (OFFLINE_WALLET, voucher["payer_id"])
        return [wallet, *ledger.reads(self._transfers(voucher, 1), is_new=True)]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        voucher = ws.get(VOUCHER, self.voucher_id)
        if voucher is None:
            raise CallerError("offline_voucher_not_found", self.voucher_id)
        is_due = now_ms > voucher["return_until_ms"]
        if VoucherState(voucher["state"]) not in LIVE_STATES or not is_due:
            return 0
        state = next_state(voucher["state"], VoucherStep.CLOSE)
        ws.update(VOUCHER, self.voucher_id, state=state.value)
        overspent = int(state in OVERSPENT_STATES)
        ws.update(OFFLINE_WALLET, voucher["payer_id"], voucher_id="", has_overspent=overspent)
        rest_minor = ledger.available(ws, escrow(self.voucher_id, voucher["currency"]))
        if rest_minor:
            ledger.post(ws, self._transfers(voucher, rest_minor), now_ms, is_new=True)
        return rest_minor

    def _transfers(self, voucher: Row, amount_minor: int) -> list[Transfer]:
        event_id = f"{self.voucher_id}.closed"
        event = posting.Event(event_id, voucher["currency"], self.business_date)
        return posting.escrow_returned(
            event,
            contract_id=self.voucher_id,
            user_id=voucher["payer_id"],
            amount_minor=amount_minor,
        )
