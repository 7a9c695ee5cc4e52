"""The settlement statement of a merchant and business date: what was sold, what became available,
what was paid out, what came back, what still waits and until when. Pure.

Rule 1: sales and what came back are of that day; of a payout the state is the present one, and what
        waits is what waits now, because both are questions about today.
Rule 2: as a file it has one line for each fact, in the bills' layout (``paper``).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from backend.bills.paper import BOM, header, line, typed, yuan
from backend.bills.trade import TradeTotals

COLUMNS = ("项目 item", "编号 reference", "日期 date", "金额 amount", "状态 state", "说明 note")
NO_DATE = "unknown"
"""Until when something waits, where the calendar does not reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledPart:
    """A run made so much available."""

    business_date: str
    number: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOut:
    """A payout that a day's runs made. The account as people may see it."""

    payout_id: str
    business_date: str
    amount_minor: int
    execution_date: str
    state: str
    reason: str
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A payout that the bank refused, or sent back, on the day."""

    payout_id: str
    amount_minor: int
    why: str
    """``rejected`` or ``returned``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementStatement:
    """The whole of it. ``standing`` is the merchant's account as it is now."""

    merchant_id: str
    business_date: str
    currency: str
    sales: TradeTotals
    settled: tuple[SettledPart, ...]
    payouts: tuple[PaidOut, ...]
    came_back: tuple[CameBack, ...]
    standing: dict[str, Any]

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "net_minor": self.sales.net_minor}


class DayState(StrEnum):
    """How a merchant's business date stands."""

    RUNNING = "running"
    """Its clearing is not done."""
    WAITING = "waiting"
    """Its earnings wait for their day."""
    DUE = "due"
    """The next run makes them available."""
    SETTLED = "settled"
    """What it earned is available, or was paid out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementDay:
    """A business date in a merchant's list."""

    business_date: str
    sales: TradeTotals
    state: DayState
    settles_on: str | None
    """When its earnings become available, while they wait; None where the calendar cannot tell."""
    settled_minor: int
    """What its runs made available, of this date and of earlier ones that were due with it."""
    payouts: tuple[PaidOut, ...]

    def to_map(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "net_minor": self.sales.net_minor}


def settlement_days(
    totals: Mapping[str, TradeTotals],
    *,
    closed: Collection[str],
    settled_through: str,
    settles_on: Mapping[str, str | None],
    settled: Iterable[SettledPart],
    payouts: Iterable[PaidOut],
) -> list[SettlementDay]:
    """The dates that anything happened on, the latest first. ``settles_on``: those that wait;
    ``settled_through``: the last that a run has settled."""
    parts, paid = list(settled), list(payouts)
    dates = totals.keys() | {one.business_date for one in parts}
    dates |= {one.business_date for one in paid}
    return [
        SettlementDay(
            business_date=day,
            sales=totals.get(day, TradeTotals()),
            state=_state(day, closed, settles_on, settled_through),
            settles_on=settles_on.get(day),
            settled_minor=sum(one.amount_minor for one in parts if one.business_date == day),
            payouts=tuple(one for one in paid if one.business_date == day),
        )
        for day in sorted(dates, reverse=True)
    ]


def _state(
    day: str, closed: Collection[str], waits: Collection[str], settled_through: str
) -> DayState:
    if day not in closed:
        return DayState.RUNNING
    if day in waits:
        return DayState.WAITING
    return DayState.SETTLED if day <= settled_through else DayState.DUE


def write_statement(found: SettlementStatement) -> Iterator[str]:
    """The statement as a file."""
    yield BOM + header(COLUMNS)
    for item, reference, day, amount_minor, state, note in _facts(found):
        yield line((item, reference, day, yuan(amount_minor, found.currency), state, note))


def _facts(found: SettlementStatement) -> Iterable[tuple[str, str, str, int, str, str]]:
    sales, day, standing = found.sales, found.business_date, found.standing
    yield ("交易 payments", "", day, sales.paid_minor, "", "")
    yield ("代金券 coupons", "", day, sales.coupon_minor, "", "")
    yield ("手续费 fees", "", day, -sales.fee_minor, "", "")
    yield ("退款 refunds", "", day, -sales.returned_minor, "", "")
    yield ("退还手续费 fees returned", "", day, sales.fee_returned_minor, "", "")
    yield ("净额 net", "", day, found.sales.net_minor, "", "")
    for part in found.settled:
        number = f"{part.number}"
        yield ("结算 settled", number, part.business_date, part.amount_minor, "available", "")
    for payout in found.payouts:
        note = " ".join(one for one in (payout.account, typed(payout.reason)) if one)
        yield ("出款 payout", payout.payout_id, payout.execution_date, payout.amount_minor,
               payout.state, note)  # fmt: skip
    for back in found.came_back:
        yield ("退回 came back", back.payout_id, day, back.amount_minor, back.why, "")
    for one in standing["waiting"]:
        until = one["settles_on"] or NO_DATE
        yield ("待结算 waits", one["business_date"], until, one["earned_minor"], "pending",
               one["cycle"])  # fmt: skip
    today = standing["business_date"]
    for item, name in (
        ("待结算合计 pending", "pending_minor"),
        ("待渠道到账 unpaid by channels", "unpaid_minor"),
        ("可用 available", "available_minor"),
        ("出款中 in payout", "in_payout_minor"),
    ):
        yield (item, "", today, standing[name], "now", "")
