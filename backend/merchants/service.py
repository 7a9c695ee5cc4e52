"""Merchants' commands, and what other rooms ask about a merchant inside a transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from zlib import crc32

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import DestinationKind
from backend.destinations.service import destination_read, file_destination
from backend.merchants.limits import (
    ACCOUNT_CHARS_MAX,
    CYCLE_CHANGES_PER_MERCHANT_MAX,
    FEE_PLANS_PER_MERCHANT_MAX,
    NAME_CHARS_MAX,
    PENDING_SHARDS_MAX,
)
from backend.merchants.model import (
    MERCHANT_STATUSES,
    Cycle,
    FeeBounds,
    FeePlan,
    MerchantStatus,
    check_category_code,
    check_notify_url,
)
from backend.merchants.tables import CYCLE, FEE_PLAN, MERCHANT
from protocol.errors import CallerError
from protocol.limits import IDENTIFIER_CHARS_MAX
from protocol.money import MINOR_DIGITS
from protocol.topics import is_name

_CHANGING = frozenset(
    {
        "created_at_ms", "updated_at_ms", "status", "fee_plan_version", "fee_plan_first",
        "settlement_cycle", "cycle_version", "pending_shards", "pending_shards_max",
        "payout_bank", "payout_account_name", "payout_account_no", "category_code",
    }
)  # fmt: skip
"""What a repeated creation does not compare: it may have changed since, or has its own history."""


def merchant_reads(ws: WorkingSet, merchant_id: str) -> list[Read]:
    """All that ``plan_in_force`` may read, so that it reads nothing alone: the merchant, then the
    plans that can still come into force (one, unless another is about to begin or to end)."""
    merchant = ws.get(MERCHANT, merchant_id)
    if merchant is None:
        return []
    return [(FEE_PLAN, (merchant_id, version)) for version in _versions(merchant)]


def plan_in_force(ws: WorkingSet, merchant: Row, now_ms: int) -> FeePlan:
    """The latest plan whose time has come and not passed. A merchant is never without one: before
    the first that can still come into force (the clock was put back), that one is."""
    plans = [plan_of(ws, merchant["merchant_id"], version) for version in _versions(merchant)]
    return next((plan for plan in plans if plan.is_in_force(now_ms)), plans[-1])


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
        valid_until_ms=row["valid_until_ms"],
    )


def pending_owner(merchant: Row, payment_id: str) -> str:
    """Whose pending account a payment's money goes to: the merchant's, or one of a hot merchant's
    sub-accounts ``<merchant>#<n>``, always the same for a payment while their number stays."""
    merchant_id: str = merchant["merchant_id"]
    shards: int = merchant["pending_shards"]
    return merchant_id if shards == 1 else f"{merchant_id}#{crc32(payment_id.encode()) % shards}"


def pending_owners(merchant: Row) -> tuple[str, ...]:
    """Every owner under which money of this merchant may ever have become pending: a sub-account
    that was used stays in every sum, also when there are fewer now."""
    merchant_id: str = merchant["merchant_id"]
    most: int = merchant["pending_shards_max"]
    shards = range(most) if most > 1 else range(0)
    return (merchant_id, *(f"{merchant_id}#{number}" for number in shards))


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
    category_code: str = ""
    settlement_cycle: str = "D+1"
    fee_bounds: FeeBounds = field(default_factory=FeeBounds)

    def reads(self) -> Iterable[Read]:
        return [
            (MERCHANT, self.merchant_id),
            (FEE_PLAN, (self.merchant_id, 1)),
            (CYCLE, (self.merchant_id, 1)),
            destination_read(DestinationKind.MERCHANT, self.merchant_id),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        self._check()
        row = {
            "merchant_id": self.merchant_id,
            "name": self.name,
            "status": "active",
            "currency": self.currency,
            "category_code": self.category_code,
            "notify_url": self.notify_url,
            "settlement_cycle": self.settlement_cycle,
            "cycle_version": 1,
            "pending_shards": 1,
            "pending_shards_max": 1,
            "biometric_above_minor": self.biometric_above_minor,
            "payout_bank": self.payout_bank,
            "payout_account_name": self.payout_account_name,
            "payout_account_no": self.payout_account_no,
            "fee_plan_version": 1,
            "fee_plan_first": 1,
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
        _insert_cycle(ws, self.merchant_id, 1, self.settlement_cycle, "", now_ms)
        _file_account(ws, row, now_ms)
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
        check_category_code(self.category_code)
        self.fee_bounds.check(self.rate_bps)
        Cycle.from_text(self.settlement_cycle)
        if self.currency not in MINOR_DIGITS:
            raise CallerError("currency_unsupported")
        if self.notify_url is not None:
            check_notify_url(self.notify_url)

    def _same(self, ws: WorkingSet, known: Row, row: Row, plan: FeePlan) -> Row:
        is_same = all(known[name] == row[name] for name in row.keys() - _CHANGING)
        first = ws.get(CYCLE, (self.merchant_id, 1))
        assert first is not None, "a merchant is born with a cycle"
        is_same = is_same and first["cycle"] == self.settlement_cycle
        if not is_same or plan_of(ws, self.merchant_id, 1) != plan:
            raise CallerError("idempotency_conflict", self.merchant_id)
        return known


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePayoutAccount:
    """Pay a merchant out to another account: an operator files it in the same moment."""

    merchant_id: str
    payout_bank: str
    payout_account_name: str
    payout_account_no: str

    def reads(self) -> Iterable[Read]:
        return [
            (MERCHANT, self.merchant_id),
            destination_read(DestinationKind.MERCHANT, self.merchant_id),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        _existing(ws, self.merchant_id)
        if not 0 < len(self.payout_bank) <= NAME_CHARS_MAX:
            raise CallerError("field_invalid", "payout_bank")
        row = ws.update(
            MERCHANT,
            self.merchant_id,
            payout_bank=self.payout_bank,
            payout_account_name=self.payout_account_name,
            payout_account_no=self.payout_account_no,
            updated_at_ms=now_ms,
        )
        _file_account(ws, row, now_ms)
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class AddFeePlan:
    """The next version of a merchant's fee plan, from a time that lies after the one before, for
    ever or until a time."""

    merchant_id: str
    rate_bps: int
    min_minor: int
    cap_minor: int
    valid_from_ms: int
    valid_until_ms: int | None = None
    fee_bounds: FeeBounds = field(default_factory=FeeBounds)

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT, self.merchant_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return merchant_reads(ws, self.merchant_id)

    def decide(self, ws: WorkingSet, now_ms: int) -> FeePlan:
        merchant = _existing(ws, self.merchant_id)
        self.fee_bounds.check(self.rate_bps)
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
            valid_until_ms=self.valid_until_ms,
        )
        _insert_plan(ws, self.merchant_id, plan, now_ms)
        ws.update(
            MERCHANT,
            self.merchant_id,
            fee_plan_version=version,
            fee_plan_first=_first_version(ws, merchant, now_ms),
            updated_at_ms=now_ms,
        )
        return plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMerchant:
    """Change what may change: status, callback address, category, biometric limit, settlement
    cycle, number of sub-accounts. None leaves it.

    Another cycle begins with the next business date, so that a date never changes its own.
    """

    merchant_id: str
    status: MerchantStatus | None = None
    notify_url: str | None = None
    category_code: str | None = None
    biometric_above_minor: int | None = None
    settlement_cycle: str | None = None
    pending_shards: int | None = None
    business_date: Callable[[int], str] | None = None
    """The shop's date of a time; needed with another cycle."""

    def reads(self) -> Iterable[Read]:
        return [(MERCHANT, self.merchant_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        merchant = _existing(ws, self.merchant_id)
        changes: Row = {"updated_at_ms": now_ms}
        if self.status is not None:
            if self.status not in MERCHANT_STATUSES:
                raise CallerError("field_invalid", f"status: {' or '.join(MERCHANT_STATUSES)}")
            changes["status"] = self.status
        if self.notify_url is not None:
            changes["notify_url"] = check_notify_url(self.notify_url)
        if self.category_code is not None:
            changes["category_code"] = check_category_code(self.category_code)
        if self.biometric_above_minor is not None:
            if self.biometric_above_minor < 0:
                raise CallerError("field_invalid", "biometric_above_minor")
            changes["biometric_above_minor"] = self.biometric_above_minor
        if self.pending_shards is not None:
            changes |= _spread(merchant, self.pending_shards)
        if self.settlement_cycle not in {None, merchant["settlement_cycle"]}:
            changes |= self._change_cycle(ws, merchant, now_ms)
        return ws.update(MERCHANT, self.merchant_id, **changes)

    def _change_cycle(self, ws: WorkingSet, merchant: Row, now_ms: int) -> Row:
        assert self.settlement_cycle is not None
        assert self.business_date is not None
        Cycle.from_text(self.settlement_cycle)
        version = merchant["cycle_version"] + 1
        if version > CYCLE_CHANGES_PER_MERCHANT_MAX:
            raise CallerError("field_invalid", "settlement_cycle: changed too often")
        today = date.fromisoformat(self.business_date(now_ms))
        first_date = (today + timedelta(days=1)).isoformat()
        _insert_cycle(ws, self.merchant_id, version, self.settlement_cycle, first_date, now_ms)
        return {"settlement_cycle": self.settlement_cycle, "cycle_version": version}


def _file_account(ws: WorkingSet, merchant: Row, now_ms: int) -> None:
    file_destination(
        ws,
        DestinationKind.MERCHANT,
        merchant["merchant_id"],
        account_no=merchant["payout_account_no"],
        account_name=merchant["payout_account_name"],
        actor="operator",
        now_ms=now_ms,
    )


def _spread(merchant: Row, shards: int) -> Row:
    """Spread the merchant over so many sub-accounts; the earlier ones still count in every sum."""
    most = max(merchant["pending_shards_max"], shards)
    after = {**merchant, "pending_shards": shards, "pending_shards_max": most}
    is_good = 1 <= shards <= PENDING_SHARDS_MAX
    if not is_good or any(len(owner) > IDENTIFIER_CHARS_MAX for owner in pending_owners(after)):
        raise CallerError("field_invalid", "pending_shards")
    return {"pending_shards": shards, "pending_shards_max": most}


def _versions(merchant: Row) -> range:
    """The plans that can still come into force, the latest first."""
    return range(merchant["fee_plan_version"], merchant["fee_plan_first"] - 1, -1)


def _first_version(ws: WorkingSet, merchant: Row, now_ms: int) -> int:
    """The latest plan that is in force without an end: it hides all before it for ever. Never one
    before the present first, even if the clock was put back."""
    for version in _versions(merchant):
        plan = plan_of(ws, merchant["merchant_id"], version)
        if plan.is_in_force(now_ms) and plan.valid_until_ms is None:
            return version
    first: int = merchant["fee_plan_first"]
    return first


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
            "valid_until_ms": plan.valid_until_ms,
            "created_at_ms": now_ms,
        },
    )


def _insert_cycle(
    ws: WorkingSet, merchant_id: str, version: int, cycle: str, first_date: str, now_ms: int
) -> None:
    ws.insert(
        CYCLE,
        {
            "merchant_id": merchant_id,
            "version": version,
            "cycle": cycle,
            "first_date": first_date,
            "created_at_ms": now_ms,
        },
    )
