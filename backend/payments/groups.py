"""Payments that are confirmed together: the payer sees one sum and confirms once.

Rule 1: all are paid or none is. So they are paid from the balance, whose money moves at once: a
        bank could say yes to one of them and no to another.
Rule 2: the first is the group's lead, whose code is the group's. No part is there by itself for a
        payer; each is a payment of its own for its merchant, who gives it back by itself.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE
from backend.merchants.tables import MERCHANT
from backend.payments.model import Answer, PaymentRules, payment_answer
from backend.payments.paying import PayerAttempt, paying_reads, take
from backend.payments.seller import seller_of, seller_reads
from backend.payments.tables import ATTEMPT, GROUP, PAYMENT
from backend.payments.waiting import check_payer, check_waiting
from backend.sharing.freezing import freeze_reads
from backend.wallet.pin_free import Small, count_pin_free, pin_reason
from protocol.errors import CallerError

GROUPED = "merchant_group"
"""The method of a payment that is a part of a group."""
_NO_WORD = "none"


def join(ws: WorkingSet, payment_ids: Sequence[str]) -> None:
    """Let new payments be confirmed together; the first leads."""
    for payment_id in payment_ids:
        ws.update(PAYMENT, payment_id, method=GROUPED)
    ws.insert(GROUP, {"lead_id": payment_ids[0], "payment_ids": json.dumps(list(payment_ids))})


def parts_of(ws: WorkingSet, lead_id: str) -> list[Row]:
    """The payments of a group, the lead first; ``payment_not_found`` if this leads none."""
    group = ws.get(GROUP, lead_id)
    if group is None:
        raise CallerError("payment_not_found", lead_id)
    found = [ws.get(PAYMENT, payment_id) for payment_id in json.loads(group["payment_ids"])]
    return [part for part in found if part is not None]


def sum_of(parts: Sequence[Row]) -> int:
    """What a payer pays at once."""
    return sum(part["amount_minor"] for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPayer:
    """The payer who looks at a group of payments, or confirms it."""

    payer_id: str
    rules: PaymentRules

    def reads(self, ws: WorkingSet, lead_id: str) -> Iterable[Read]:
        """What showing and paying read, as far as it is known by now."""
        if ws.get(GROUP, lead_id) is None:
            return []
        found: list[Read] = []
        for part in parts_of(ws, lead_id):
            found += seller_reads(part)
            if part["is_shared"]:
                found += freeze_reads(part["payment_id"], part["currency"])
            found += paying_reads(
                ws,
                payment_id=part["payment_id"],
                payer_id=self.payer_id,
                merchant_id=part["merchant_id"],
                currency=part["currency"],
                device=part["device"],
                store=part["store"],
                rules=self.rules,
                instrument_id=BALANCE,
            )
        return found

    def shown(self, ws: WorkingSet, lead_id: str, now_ms: int) -> dict[str, Any]:
        """What the payer is asked to pay: the sum, and its parts."""
        parts = self._waiting(ws, lead_id, now_ms)
        small = self._small(parts, now_ms)
        names = [_merchant(ws, part)["name"] for part in parts]
        return {
            "payment_id": lead_id,
            "merchant_id": parts[0]["merchant_id"],
            "merchant_name": names[0],
            "amount_minor": small.amount_minor,
            "currency": small.currency,
            "description": parts[0]["description"],
            "expires_at_ms": parts[0]["code_expires_at_ms"],
            "pin_required": pin_reason(ws, self.rules.wallet, small) is not None,
            "parts": [
                {
                    "merchant_name": name,
                    "amount_minor": part["amount_minor"],
                    "description": part["description"],
                }
                for name, part in zip(names, parts, strict=True)
            ],
        }

    def pay(
        self, ws: WorkingSet, lead_id: str, *, attempt_id: str, verification: str, now_ms: int
    ) -> Answer:
        """Pay all parts, or raise why not one of them can be paid. ``verification`` is the payer's
        word: *pin*, *consent* to the sum, or *none*."""
        parts = self._waiting(ws, lead_id, now_ms)
        small = self._small(parts, now_ms)
        if verification == _NO_WORD:
            reason = pin_reason(ws, self.rules.wallet, small)
            if reason is not None:
                raise CallerError("pin_required", reason)
            count_pin_free(ws, small)
        for number, part in enumerate(parts):
            self._take(ws, part, _attempt_id(attempt_id, number), now_ms, verification)
        lead = ws.get(PAYMENT, lead_id)
        assert lead is not None
        return self.told(ws, lead)

    def told(self, ws: WorkingSet, lead: Row) -> Answer:
        """How a group stands: as its lead, with the sum."""
        kind, body = payment_answer(lead)
        return kind, body | {"amount_minor": sum_of(parts_of(ws, lead["payment_id"]))}

    def _take(
        self,
        ws: WorkingSet,
        part: Row,
        attempt_id: str,
        now_ms: int,
        verification: str,
    ) -> None:
        taken = take(
            ws,
            part,
            PayerAttempt(
                attempt_id=attempt_id,
                payer_id=self.payer_id,
                actor=f"payer:{self.payer_id}",
                is_confirmed=verification != _NO_WORD,
                instrument_id=BALANCE,
            ),
            merchant=seller_of(ws, part),
            rules=self.rules,
            now_ms=now_ms,
        )
        if taken.refusal is not None:
            raise CallerError(taken.refusal)
        ws.insert(
            ATTEMPT,
            {
                "attempt_id": attempt_id,
                "payment_id": part["payment_id"],
                "payer_id": self.payer_id,
                "method": GROUPED,
                "outcome": taken.payment["state"],
                "verification_kind": verification,
                "at_ms": now_ms,
            },
        )

    def _waiting(self, ws: WorkingSet, lead_id: str, now_ms: int) -> list[Row]:
        parts = parts_of(ws, lead_id)
        for part in parts:
            check_waiting(part, now_ms)
            check_payer(part, self.payer_id)
        return parts

    def _small(self, parts: list[Row], now_ms: int) -> Small:
        return Small(
            payer_id=self.payer_id,
            currency=parts[0]["currency"],
            amount_minor=sum_of(parts),
            day=self.rules.business_date(now_ms),
        )


def _attempt_id(attempt_id: str, number: int) -> str:
    """The lead's is the wallet's; each other part's is made of it."""
    return f"{attempt_id}-{number}" if number else attempt_id


def _merchant(ws: WorkingSet, part: Row) -> Row:
    merchant = ws.get(MERCHANT, part["merchant_id"])
    assert merchant is not None, "merchants are never removed"
    return merchant
