"""The payment that the engine's benchmarks measure: everything a balance payment writes.

Idempotency key with the hash of the content, payment row, three linked transfers (six postings: the
payment, and the merchant's fee in both books), five balances with their floors, the group's hash
chain, an outbox row. The tables are the benchmark's own, so that it measures the engine and not
another room; their columns are those a payment needs.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from backend.db.command import Read
from backend.db.tables import INTEGER, STORAGE, TEXT, BackendTable, table_ref
from backend.db.working_set import WorkingSet
from backend.ledger.chart import customer, merchant_pending
from backend.ledger.rules import Event, balance_paid, top_up
from backend.ledger.service import post, reads
from backend.ledger.tables import ACCOUNT
from backend.payments.tables import IS_WAITING
from protocol.errors import CallerError
from protocol.money import fee_half_up

CURRENCY, DATE, FEE_BPS = "CNY", "2026-09-30", 60


class BenchKey(BackendTable, table=True):
    """A request seen: its id and the hash of its content."""

    __tablename__ = "bench_key"
    request_id: str = Field(primary_key=True, sa_type=TEXT)
    content_hash: str = Field(sa_type=TEXT)
    payment_id: str = Field(sa_type=TEXT)
    at_ms: int = Field(sa_type=INTEGER)


class BenchPayment(BackendTable, table=True):
    """A payment, found by the same indexes as the product's."""

    __tablename__ = "bench_payment"
    __table_args__: Any = (
        Index("ix_bench_payment_merchant", "merchant_id", "created_at_ms"),
        Index("ix_bench_payment_payer", "user_id", "created_at_ms"),
        Index(
            "ix_bench_payment_due",
            "code_expires_at_ms",
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
        ),
        STORAGE,
    )
    id: str = Field(primary_key=True, sa_type=TEXT)
    state: str = Field(sa_type=TEXT)
    method: str = Field(sa_type=TEXT)
    merchant_id: str = Field(sa_type=TEXT)
    user_id: str = Field(sa_type=TEXT)
    amount_minor: int = Field(sa_type=INTEGER)
    fee_minor: int = Field(sa_type=INTEGER)
    refunded_minor: int = Field(default=0, sa_type=INTEGER)
    currency: str = Field(sa_type=TEXT)
    device: str = Field(sa_type=TEXT)
    till: str = Field(sa_type=TEXT)
    description: str = Field(sa_type=TEXT)
    code_expires_at_ms: int | None = Field(default=None, sa_type=INTEGER)
    created_at_ms: int = Field(sa_type=INTEGER)
    paid_at_ms: int | None = Field(default=None, sa_type=INTEGER)


class BenchOutbox(BackendTable, table=True):
    """A notification to send, found by when it is due, as the product's."""

    __tablename__ = "bench_outbox"
    __table_args__: Any = (Index("ix_bench_outbox_due", "state", "due_at_ms"), STORAGE)
    id: str = Field(primary_key=True, sa_type=TEXT)
    kind: str = Field(sa_type=TEXT)
    receiver: str = Field(sa_type=TEXT)
    body: str = Field(sa_type=TEXT)
    state: str = Field(default="pending", sa_type=TEXT)
    due_at_ms: int = Field(sa_type=INTEGER)
    tries: int = Field(default=0, sa_type=INTEGER)


KEY = table_ref(BenchKey, append_only=True)
PAYMENT, OUTBOX = table_ref(BenchPayment), table_ref(BenchOutbox)
MODELS = (BenchKey, BenchPayment, BenchOutbox)
_FEE_ACCOUNTS: list[Read] = [
    (ACCOUNT, name) for name in ("C:UNSWEPT:CNY", "O:DUE_CLIENT:CNY", "O:MDR:CNY")
]


@dataclass(frozen=True, slots=True)
class PayFromBalance:
    """Pay a merchant from a payer's balance."""

    request_id: str
    payment_id: str
    user_id: str
    merchant_id: str
    amount_minor: int

    def reads(self) -> list[Read]:
        """Key, payment and the five accounts."""
        return [
            (KEY, self.request_id),
            (PAYMENT, self.payment_id),
            (ACCOUNT, customer(self.user_id, CURRENCY)),
            (ACCOUNT, merchant_pending(self.merchant_id, CURRENCY)),
            *_FEE_ACCOUNTS,
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> dict[str, Any]:
        """The payment's result; the first answer again for a repeated request."""
        content = f"{self.payment_id}|{self.user_id}|{self.merchant_id}|{self.amount_minor}"
        content_hash = hashlib.sha256(content.encode()).hexdigest()
        seen = ws.find(KEY, self.request_id)
        if seen is not None:
            if seen[1] != content_hash:
                raise CallerError("idempotency_conflict")
            payment = ws.get(PAYMENT, self.payment_id)
            assert payment is not None
            return _result(payment)
        if ws.get(PAYMENT, self.payment_id) is not None:
            raise CallerError("idempotency_conflict")
        payment = self._pay(ws, now_ms)
        ws.append(KEY, [(self.request_id, content_hash, self.payment_id, now_ms)])
        return _result(payment)

    def _pay(self, ws: WorkingSet, now_ms: int) -> dict[str, Any]:
        fee_minor = fee_half_up(self.amount_minor, FEE_BPS)
        event = Event(self.payment_id, CURRENCY, DATE)
        transfers = balance_paid(
            event,
            user_id=self.user_id,
            merchant_id=self.merchant_id,
            amount_minor=self.amount_minor,
            fee_minor=fee_minor,
        )
        post(ws, transfers, now_ms, is_new=True)
        payment = {
            "id": self.payment_id,
            "state": "captured",
            "method": "pay_code",
            "merchant_id": self.merchant_id,
            "user_id": self.user_id,
            "amount_minor": self.amount_minor,
            "fee_minor": fee_minor,
            "refunded_minor": 0,
            "currency": CURRENCY,
            "device": "T0001",
            "till": "1",
            "description": "coffee",
            "code_expires_at_ms": None,
            "created_at_ms": now_ms,
            "paid_at_ms": now_ms,
        }
        ws.insert(PAYMENT, payment)
        body = f'{{"payment_id":"{self.payment_id}","amount_minor":{self.amount_minor}}}'
        ws.insert(
            OUTBOX,
            {
                "id": self.payment_id,
                "kind": "payment.captured",
                "receiver": self.merchant_id,
                "body": body,
                "state": "pending",
                "due_at_ms": now_ms,
                "tries": 0,
            },
        )
        return payment


@dataclass(frozen=True, slots=True)
class FillUp:
    """Give a payer money to spend."""

    user_id: str
    amount_minor: int

    def reads(self) -> Iterable[Read]:
        """What posting reads."""
        return reads(self._transfers())

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        """Post it."""
        return post(ws, self._transfers(), now_ms)

    def _transfers(self) -> list[Any]:
        event = Event(f"fill_{self.user_id}", CURRENCY, DATE)
        return top_up(
            event,
            user_id=self.user_id,
            channel_id="NUCC",
            settlement_date=DATE,
            amount_minor=self.amount_minor,
        )


def _result(payment: dict[str, Any]) -> dict[str, Any]:
    return {
        "payment_id": payment["id"],
        "state": payment["state"],
        "amount_minor": payment["amount_minor"],
        "currency": payment["currency"],
        "paid_at_ms": payment["paid_at_ms"],
    }
