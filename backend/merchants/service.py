"""Merchants' commands, and what other rooms ask about a merchant inside a transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchants.limits import (
    ACCOUNT_CHARS_MAX,
    FEE_PLANS_PER_MERCHANT_MAX,
    NAME_CHARS_MAX,
)
from backend.merchants.model import (
    SETTLEMENT_CYCLES,
    FeePlan,
    MerchantStatus,
    check_notify_url,
)
from backend.merchants.tables import FEE_PLAN, MERCHANT
from protocol.errors import CallerError
from protocol.money import MINOR_DIGITS
from protocol.topics import is_name


def merchant_reads(ws: WorkingSet, merchant_id: str) -> list[Read]:
    """What ``plan_in_force`` reads: the merchant, then its latest fee plan."""
    merchant = ws.get(MERCHANT, merchant_id)
    if merchant is None:
        return []
    return [(FEE_PLAN, (merchant_id, merchant["fee_plan_version"]))]


def plan_in_force(ws: WorkingSet, merchant: Row, now_ms: int) -> FeePlan:
    """The latest plan whose time has come. A merchant is never without: version 1 begins at 0."""
    for version in range(merchant["fee_plan_version"], 0, -1):
        plan = plan_of(ws, merchant["merchant_id"], version)
        if plan.valid_from_ms <= now_ms:
            return plan
    raise AssertionError("the first fee plan has no beginning")


def plan_of(ws: WorkingSet, merchant_id: str, version: int) -> FeePlan:
    """The plan that a payment was charged by."""
    row = ws.get(FEE_PLAN, (merchant_id, version))
    assert row is not None, "fee plans are never removed"
    return FeePlan(
        version=version,
        rate_bps=row["rate_bps"],
        min_minor=row["min_minor"],
        cap_minor=row["cap_minor"],
        valid_from_ms=row["valid_from_ms"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateMerchant:
    """A new merchant with its first fee plan. The same content again changes nothing."""

    merchant_id: str
    name: str
    currency: str
    rate_bps: int
    min_minor: int
    cap_minor: int
    payout_bank: str
    payout_account_name: str
    payout_account_no: str
    biometric_above_minor: int
    notify_url: str | None = None
    settlement_cycle: str = "D+1"

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT, self.merchant_id), (FEE_PLAN, (self.merchant_id, 1))]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        self._check()
        row = {
            "merchant_id": self.merchant_id,
            "name": self.name,
            "status": "active",
            "currency": self.currency,
            "notify_url": self.notify_url,
            "settlement_cycle": self.settlement_cycle,
            "biometric_above_minor": self.biometric_above_minor,
            "payout_bank": self.payout_bank,
            "payout_account_name": self.payout_account_name,
            "payout_account_no": self.payout_account_no,
            "fee_plan_version": 1,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        plan = FeePlan(
            version=1, rate_bps=self.rate_bps, min_minor=self.min_minor, cap_minor=self.cap_minor
        )
        known = ws.get(MERCHANT, self.merchant_id)
        if known is not None:
            return self._same(ws, known, row, plan)
        ws.insert(MERCHANT, row)
        _insert_plan(ws, self.merchant_id, plan, now_ms)
        return row

    def _check(self) -> None:
        texts = (self.name, self.payout_bank, self.payout_account_name)
        is_good = (
            is_name(self.merchant_id)
            and all(0 < len(text) <= NAME_CHARS_MAX for text in texts)
            and 0 < len(self.payout_account_no) <= ACCOUNT_CHARS_MAX
            and self.biometric_above_minor >= 0
        )
        if not is_good:
            raise CallerError("field_invalid", "merchant")
        if self.settlement_cycle not in SETTLEMENT_CYCLES:
            raise CallerError("settlement_cycle_unsupported", self.settlement_cycle)
        if self.currency not in MINOR_DIGITS:
            raise CallerError("currency_unsupported")
        if self.notify_url is not None:
            check_notify_url(self.notify_url)

    def _same(self, ws: WorkingSet, known: Row, row: Row, plan: FeePlan) -> Row:
        changing = {"created_at_ms", "updated_at_ms", "fee_plan_version", "status"}
        is_same = all(known[name] == row[name] for name in row.keys() - changing)
        if not is_same or plan_of(ws, self.merchant_id, 1) != plan:
            raise CallerError("idempotency_conflict", self.merchant_id)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFeePlan:
    """The next version of a merchant's fee plan, from a time that lies after the one before."""

    merchant_id: str
    rate_bps: int
    min_minor: int
    cap_minor: int
    valid_from_ms: int

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> FeePlan:
        merchant = _existing(ws, self.merchant_id)
        version = merchant["fee_plan_version"] + 1
        before = plan_of(ws, self.merchant_id, version - 1)
        is_late = self.valid_from_ms < now_ms or self.valid_from_ms <= before.valid_from_ms
        if is_late or version > FEE_PLANS_PER_MERCHANT_MAX:
            raise CallerError("field_invalid", "valid_from_ms")
        plan = FeePlan(
            version=version,
            rate_bps=self.rate_bps,
            min_minor=self.min_minor,
            cap_minor=self.cap_minor,
            valid_from_ms=self.valid_from_ms,
        )
        _insert_plan(ws, self.merchant_id, plan, now_ms)
        ws.update(MERCHANT, self.merchant_id, fee_plan_version=version, updated_at_ms=now_ms)
        return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMerchant:
    """Change what may change: status, callback address, biometric limit. None leaves it."""

    merchant_id: str
    status: MerchantStatus | None = None
    notify_url: str | None = None
    biometric_above_minor: int | None = None

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        _existing(ws, self.merchant_id)
        changes: Row = {"updated_at_ms": now_ms}
        if self.status is not None:
            changes["status"] = self.status
        if self.notify_url is not None:
            changes["notify_url"] = check_notify_url(self.notify_url)
        if self.biometric_above_minor is not None:
            if self.biometric_above_minor < 0:
                raise CallerError("field_invalid", "biometric_above_minor")
            changes["biometric_above_minor"] = self.biometric_above_minor
        return ws.update(MERCHANT, self.merchant_id, **changes)


def _existing(ws: WorkingSet, merchant_id: str) -> Row:
    merchant = ws.get(MERCHANT, merchant_id)
    if merchant is None:
        raise CallerError("merchant_unknown", merchant_id)
    return merchant


def _insert_plan(ws: WorkingSet, merchant_id: str, plan: FeePlan, now_ms: int) -> None:
    ws.insert(
        FEE_PLAN,
        {
            "merchant_id": merchant_id,
            "version": plan.version,
            "rate_bps": plan.rate_bps,
            "min_minor": plan.min_minor,
            "cap_minor": plan.cap_minor,
            "valid_from_ms": plan.valid_from_ms,
            "created_at_ms": now_ms,
        },
    )
