"""What payments take and give, pure: requests, rules, answers, dates."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from backend.db.tables import Row
from backend.offline.model import OfflineRules
from backend.payments.limits import CODE_LIFE_MS_MAX
from backend.risk.judging.engine import Engine
from backend.risk.model import RiskRules
from backend.routing.model import Routing
from backend.routing.ports import NoCaps, Room
from backend.wallet.model import WalletRules, code_url
from backend.withdrawals.model import WithdrawalRules
from protocol import cbor
from protocol.errors import CallerError
from protocol.messages import Body
from protocol.paycode import SECRET_BYTES
from protocol.payment import PAID_STATES, PaymentState

PAYMENT_RESULT, REFUND_RESULT = "payment.result", "refund.result"
UNKNOWN_METHOD = "unknown"

Answer = tuple[str, dict[str, Any]]
"""A message type and its body: what every command of a device answers."""


DAY_OFFSET_MS = 8 * 3600 * 1000
_DAY_MS, _EPOCH = 86_400_000, date(1970, 1, 1)
_DATES_CACHED_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRequest:
    """A request whose signature, freshness and device were checked, and whose body fits its type.

    ``content_hash`` binds the request id to its content (``protocol.envelope.content_hash``).
    """

    request_id: str
    device: str
    store: str
    merchant_id: str
    message_type: str
    body: Body
    content_hash: bytes
    received_at_ms: int
    trace_id: str
    fingerprint: bytes = b""
    """The digest of what the device last said of itself; empty if its envelope has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRules:
    """What configuration decides about payments. Only the code key has no default: it is a secret
    made on the machine that keeps it."""

    code_master_key: bytes = field(repr=False)
    risk: RiskRules = field(default_factory=RiskRules)
    engine: Engine | None = field(default=None, repr=False)
    """The risk engine; without it the fixed limits alone judge."""
    wallet: WalletRules = field(default_factory=WalletRules)
    page_url: str = ""
    """Where every wallet opens what a shown code says (``backend.pay_page``), without a slash at
    its end. Empty: shown codes are for our own wallet alone."""
    code_life_ms: int = 5 * 60 * 1000
    """How long a merchant-presented code can be paid."""
    routing: Routing = field(default_factory=Routing)
    """The channels that are configured, and which is preferred for what."""
    room: Room = field(default_factory=NoCaps)
    """How much the channels' net debit caps still allow."""
    settlement_date: Callable[[str, int], str] | None = None
    """A channel's cut-off and calendar, as a function; None: its days are the shop's."""
    withdrawals: WithdrawalRules = field(default_factory=WithdrawalRules)
    offline: OfflineRules = field(default_factory=OfflineRules)
    has_own_advance: bool = False
    """Whether we advance what a fund redeems, from our own money (rule 6b), instead of a bank."""
    day_offset_ms: int = DAY_OFFSET_MS
    """The shop's days begin at midnight of this offset from UTC (China: eight hours)."""

    def __post_init__(self) -> None:
        if len(self.code_master_key) != SECRET_BYTES:
            raise ValueError(f"the code key has {SECRET_BYTES} bytes")
        if not 0 < self.code_life_ms <= CODE_LIFE_MS_MAX:
            raise ValueError("code_life_ms is out of range")

    @property
    def channels(self) -> frozenset[str]:
        """The channels that are configured; an instrument of another pays nothing."""
        return frozenset(self.routing.facts)

    def planned_date(self, channel_id: str, at_ms: int) -> str:
        """The settlement date that a channel should give to what it accepts at a moment; the date
        that it gives goes."""
        if self.settlement_date is not None:
            return self.settlement_date(channel_id, at_ms)
        return self.business_date(at_ms)

    def business_date(self, at_ms: int) -> str:
        """The shop's date, ``YYYY-MM-DD``."""
        return _date((at_ms + self.day_offset_ms) // _DAY_MS)


@lru_cache(_DATES_CACHED_MAX)
def _date(day: int) -> str:
    """The date so many days after 1970-01-01: each payment asks for it several times."""
    return (_EPOCH + timedelta(days=day)).isoformat()


def body_hash(device: str, body: Body) -> bytes:
    """What a payment or refund id is bound to, whatever request carries it."""
    return hashlib.sha256(cbor.encode([device, body.to_map()])).digest()


def payment_answer(row: Mapping[str, Any], *, error_code: str | None = None) -> Answer:
    """How a payment stands. ``error_code`` says why the request changed nothing."""
    body: dict[str, Any] = {
        "payment_id": row["payment_id"],
        "state": row["state"],
        "amount_minor": row["amount_minor"],
        "currency": row["currency"],
        "method": row["method"],
        "refunded_minor": row["refunded_minor"],
    }
    if row["coupon_minor"] and row["state"] in PAID_STATES:
        body["coupon_minor"] = row["coupon_minor"]
    for name in ("payer_masked", "paid_at_ms"):
        if row[name] is not None:
            body[name] = row[name]
    if row["state"] == PaymentState.AWAITING_PAYER:
        if row["method"] == "merchant_qr":
            body["code_url"] = row["code_url"] or code_url(row["payment_id"])
        body["code_expires_at_ms"] = row["code_expires_at_ms"]
    code = error_code or row["error_code"]
    if code is not None:
        body["error"] = error_body(code)
    return PAYMENT_RESULT, body


def error_body(code: str) -> dict[str, str]:
    """The wire form of an error code."""
    return CallerError(code).to_wire()


def state_of(row: Row) -> PaymentState:
    """The row's state as the table of states knows it."""
    return PaymentState(row["state"])
