"""Questions of the clearing, outside commands. A list is always the whole of it, read in pages or
at one moment."""

import asyncio
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, or_, select, union_all

from backend.channels.model import ECNY
from backend.clearing.due import Pending
from backend.clearing.ecny_repository import unchanged_days
from backend.clearing.limits import PENDING_ROWS_MAX
from backend.clearing.model import OPEN_STATES, settlement_transfer, stated_transfers
from backend.clearing.payouts_repository import PayoutsRepository, hold_returned, returned_payouts
from backend.clearing.tables import ClearingDay, OwnMove, Payout, Settlement
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.disputes.model import DisputeState
from backend.disputes.tables import Dispute
from backend.ledger import chart, model
from backend.ledger.tables import LedgerAccount, LedgerTransfer
from backend.merchants.tables import Merchant, SettlementCycle
from backend.payments.tables import Payment
from backend.refunds.tables import Refund
from backend.sagas.model import SagaState
from backend.sagas.tables import Saga
from backend.topups.tables import TopUp
from protocol.errors import OperatingError
from protocol.payment import PAID_STATES

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_PAYMENT = Payment.__table__  # type: ignore[attr-defined]
_REFUND = Refund.__table__  # type: ignore[attr-defined]
_SAGA = Saga.__table__  # type: ignore[attr-defined]
_TOPUP = TopUp.__table__  # type: ignore[attr-defined]
_DISPUTE = Dispute.__table__  # type: ignore[attr-defined]
_PAYOUT = Payout.__table__  # type: ignore[attr-defined]
_SETTLEMENT = Settlement.__table__  # type: ignore[attr-defined]
_MOVE = OwnMove.__table__  # type: ignore[attr-defined]
_MERCHANT = Merchant.__table__  # type: ignore[attr-defined]
_CYCLE = SettlementCycle.__table__  # type: ignore[attr-defined]
_DAY = ClearingDay.__table__  # type: ignore[attr-defined]


class ClearingRepository:
    """Reads the ledger for a day's run, and what earlier runs left."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.payouts = PayoutsRepository(reader)

    async def pending(self, since: str, merchant_id: str | None = None) -> list[Pending]:
        """Every merchant's pending money (or one's), all at one moment, with what each business
        date from ``since`` on earned."""
        return await asyncio.to_thread(self._pending, since, merchant_id)

    async def settlements_since(self, since: str) -> set[tuple[str, str, int]]:
        """(merchant, business date, number) of every settlement from a business date on."""
        return await asyncio.to_thread(self._settlements, since)

    async def open_payouts(self) -> list[Row]:
        """Payouts whose end we do not know."""
        states = [state.value for state in OPEN_STATES]
        query = select(_PAYOUT).where(_PAYOUT.c.state.in_(states))
        return await self._whole(query, _PAYOUT.c.payout_id)

    async def payouts_of(self, day: str) -> list[Row]:
        """The payouts that one day's runs made."""
        query = select(_PAYOUT).where(_PAYOUT.c.business_date == day)
        return await self._whole(query, _PAYOUT.c.payout_id)

    async def merchant(self, merchant_id: str) -> Row | None:
        """A merchant's row."""
        rows = await self._reader.fetch(
            select(_MERCHANT).where(_MERCHANT.c.merchant_id == merchant_id)
        )
        return rows[0] if rows else None

    async def in_payout(self, merchant_id: str) -> int:
        """What is on its way to a merchant's bank account."""
        states = [state.value for state in OPEN_STATES]
        query = select(func.coalesce(func.sum(_PAYOUT.c.amount_minor), 0).label("sum")).where(
            _PAYOUT.c.merchant_id == merchant_id, _PAYOUT.c.state.in_(states)
        )
        return int((await self._reader.fetch(query))[0]["sum"])

    async def balance(self, account_id: str) -> int:
        """The posted balance of an account; 0 for one that no money has touched."""
        rows = await self._reader.fetch(select(_ACCOUNT).where(_ACCOUNT.c.id == account_id))
        return model.balance(rows[0]) if rows else 0

    async def open_moves(self) -> list[Row]:
        """Movements to and from our own account whose end we do not know."""
        states = [state.value for state in OPEN_STATES]
        query = select(_MOVE).where(_MOVE.c.state.in_(states))
        return await self._whole(query, _MOVE.c.move_id)

    async def moves_of(self, day: str) -> list[Row]:
        """The movements to and from our own account of one day, in the order of their tries."""
        query = select(_MOVE).where(_MOVE.c.business_date == day)
        return await self._reader.fetch(query.order_by(_MOVE.c.kind, _MOVE.c.number))

    async def sweepable(self, day: str, currency: str) -> int:
        """The fees that may leave the reserve after a day: earned up to it, less all that was
        given back or swept until now. Fees of later days stay, because refunds may want them.
        Negative when the account itself is: then own money must come back."""
        unswept = chart.client("UNSWEPT", currency)
        credit, debit = _TRANSFER.c.credit == unswept, _TRANSFER.c.debit == unswept
        amount = _TRANSFER.c.amount_minor
        earned = case((and_(credit, _TRANSFER.c.business_date <= day), amount), else_=0)
        rows = await self._reader.fetch(
            select(
                func.coalesce(func.sum(earned), 0).label("earned"),
                func.coalesce(func.sum(case((debit, amount), else_=0)), 0).label("gone"),
                func.coalesce(func.sum(case((credit, amount), else_=-amount)), 0).label("left"),
            ).where(or_(credit, debit))
        )
        sums = {name: int(value) for name, value in rows[0].items()}
        return max(sums["earned"] - sums["gone"], 0) if sums["left"] >= 0 else sums["left"]

    async def promised(self, day: str, currency: str) -> tuple[int, int]:
        """Own money that the reserve still waits for: of what was promised up to a day, and in
        all. Negative: it has too much. What later days promise is not of the day, but what they
        give back is (so the first is never more than the second)."""
        due = chart.client("OWN_DUE", currency)
        effect = case((_TRANSFER.c.debit == due, _TRANSFER.c.amount_minor),
                      else_=-_TRANSFER.c.amount_minor)  # fmt: skip
        is_later = and_(_TRANSFER.c.business_date > day, _TRANSFER.c.rule != "own_funds_injected")
        rows = await self._reader.fetch(
            select(
                func.coalesce(func.sum(effect), 0).label("left"),
                func.coalesce(func.sum(case((is_later, 0), else_=effect)), 0).label("until"),
            ).where(or_(_TRANSFER.c.debit == due, _TRANSFER.c.credit == due))
        )
        left = int(rows[0]["left"])
        return min(int(rows[0]["until"]), left), left

    async def fund_debts(self, currency: str) -> list[Row]:
        """The memo accounts of funds that still owe their bank."""
        query = select(_ACCOUNT).where(
            _ACCOUNT.c.book == "M",
            _ACCOUNT.c.code == "FUND_OWED",
            _ACCOUNT.c.currency == currency,
            _ACCOUNT.c.credits_posted > _ACCOUNT.c.debits_posted,
        )
        return await self._whole(query, _ACCOUNT.c.id)

    async def channel_settled(self, reference: str) -> int:
        """What a channel's settlement has brought into the reserve, negative where it took out; 0
        while it has done neither."""
        query = select(_TRANSFER.c.debit, _TRANSFER.c.amount_minor)
        rows = await self._reader.fetch(
            query.where(_TRANSFER.c.id.in_(stated_transfers(reference)))
        )
        return sum(
            row["amount_minor"]
            if chart.account(row["debit"]).code == "RESERVE"
            else -row["amount_minor"]
            for row in rows
        )

    async def earliest_open_day(self, before: str) -> str | None:
        """The first business day, earlier than ``before``, on which anything moved and that no run
        has closed."""
        is_closed = select(_DAY.c.business_date).where(_DAY.c.state == "closed")
        days = [
            select(func.min(column).label("day")).where(
                column != "", column < before, where, column.not_in(is_closed)
            )
            for column, where in _MOVED
        ]
        found = union_all(*days).subquery()
        rows = await self._reader.fetch(select(func.min(found.c.day).label("day")))
        first: str | None = rows[0]["day"]
        return first

    async def day(self, day: str) -> Row | None:
        """The last run's report of a day."""
        rows = await self._reader.fetch(select(_DAY).where(_DAY.c.business_date == day))
        return rows[0] if rows else None

    async def open_days(self, limit: int) -> list[Row]:
        """Days that a run has left open, the earliest first."""
        query = select(_DAY).where(_DAY.c.state == "open").order_by(_DAY.c.business_date)
        return await self._reader.fetch(query.limit(limit))

    async def _whole(self, query: Select[Any], key: ColumnElement[Any]) -> list[Row]:
        return [row async for page in self._reader.pages(query, key) for row in page]

    def _pending(self, since: str, merchant_id: str | None) -> list[Pending]:
        accounts = select(_ACCOUNT).where(_ACCOUNT.c.book == "C", _ACCOUNT.c.code == "MPEND")
        cycles = select(_CYCLE).order_by(_CYCLE.c.merchant_id, _CYCLE.c.version)
        if merchant_id is not None:
            is_whole = _ACCOUNT.c.owner == merchant_id
            is_part = _ACCOUNT.c.owner.startswith(f"{merchant_id}#", autoescape=True)
            accounts = accounts.where(or_(is_whole, is_part))
            cycles = cycles.where(_CYCLE.c.merchant_id == merchant_id)
        with self._reader.snapshot() as connection:
            rows = _all(connection, accounts.order_by(_ACCOUNT.c.id))
            effects = _all(connection, _effects(since))
            chosen = _all(connection, cycles)
            unpaid = _unpaid(connection)
            available = _all(connection, _AVAILABLE)
            returned = _all(connection, returned_payouts())
        return hold_returned(_gathered(rows, effects, chosen, unpaid, available), returned)

    def _settlements(self, since: str) -> set[tuple[str, str, int]]:
        columns = (_SETTLEMENT.c.merchant_id, _SETTLEMENT.c.business_date, _SETTLEMENT.c.number)
        with self._reader.snapshot() as connection:
            rows = _all(connection, select(*columns).where(_SETTLEMENT.c.business_date >= since))
        return {(row["merchant_id"], row["business_date"], int(row["number"])) for row in rows}


def _all(connection: Connection, query: Select[Any]) -> list[Row]:
    """Every row of a query inside a snapshot; never a part for the whole."""
    found = connection.execute(query).mappings().fetchmany(PENDING_ROWS_MAX + 1)
    if len(found) > PENDING_ROWS_MAX:
        raise OperatingError("answer_too_large", f"more than {PENDING_ROWS_MAX} rows")
    return [dict(row) for row in found]


def _effects(since: str) -> Select[Any]:
    """What the postings of each business date from a date on did to each pending account. A
    settlement is not of the date on which it is posted, and what a merchant's sub-accounts lend
    each other earns nothing: both are left out."""
    amount = _TRANSFER.c.amount_minor
    touched: ColumnElement[str] = case(
        (_TRANSFER.c.credit.like("C:MPEND:%"), _TRANSFER.c.credit), else_=_TRANSFER.c.debit
    )
    effect = case((touched == _TRANSFER.c.credit, amount), else_=-amount)
    return (
        select(
            touched.label("account"),
            _TRANSFER.c.business_date,
            func.sum(effect).label("earned_minor"),
        )
        .where(
            _TRANSFER.c.business_date >= since,
            _TRANSFER.c.kind.in_(["posted", "post"]),
            _TRANSFER.c.rule.not_in(["merchant_settled", "pending_gathered"]),
            or_(_TRANSFER.c.credit.like("C:MPEND:%"), _TRANSFER.c.debit.like("C:MPEND:%")),
        )
        .group_by(touched, _TRANSFER.c.business_date)
    )


_ON_ITS_WAY = [state.value for state in OPEN_STATES]
_MOVED: tuple[tuple[ColumnElement[str], ColumnElement[bool]], ...] = (
    (_PAYMENT.c.business_date, _PAYMENT.c.state.in_([state.value for state in PAID_STATES])),
    (_REFUND.c.business_date, _REFUND.c.state != "failed"),
    (_TOPUP.c.settlement_date, _TOPUP.c.state == "succeeded"),
    (
        _SAGA.c.settlement_date,
        _SAGA.c.state.in_([SagaState.SUCCEEDED.value, SagaState.SETTLED.value]),
    ),
    (_DISPUTE.c.settlement_date, _DISPUTE.c.state == DisputeState.LOST.value),
    (_PAYOUT.c.business_date, _PAYOUT.c.state.in_(_ON_ITS_WAY)),
    (_MOVE.c.business_date, _MOVE.c.state.in_(_ON_ITS_WAY)),
    (_DAY.c.business_date, _DAY.c.state == "open"),
)
"""(the day of a thing that moved money, and whether it did)."""
_AVAILABLE = select(_ACCOUNT).where(
    _ACCOUNT.c.book == "C",
    _ACCOUNT.c.code == "MAVAIL",
    _ACCOUNT.c.credits_posted > _ACCOUNT.c.debits_posted,
)


def _unpaid(connection: Connection) -> list[Row]:
    """What merchants keep of payments whose channel has not paid their day into the reserve, by
    merchant and business date."""
    owing = _all(
        connection,
        select(_ACCOUNT.c.owner).where(
            _ACCOUNT.c.book == "C",
            _ACCOUNT.c.code == "CH",
            _ACCOUNT.c.debits_posted > _ACCOUNT.c.credits_posted,
        ),
    )
    days = {settlement_transfer(*row["owner"].rpartition(".")[::2]): row["owner"] for row in owing}
    paid = _all(connection, select(_TRANSFER.c.id).where(_TRANSFER.c.id.in_(days)))
    for row in paid:
        del days[row["id"]]
    unpaid = [owner.rpartition(".")[::2] for owner in days.values()]
    unpaid += [(ECNY, day) for day in unchanged_days(connection)]
    if not unpaid:
        return []
    kept = (
        _PAYMENT.c.amount_minor - _PAYMENT.c.coupon_minor - _PAYMENT.c.fee_minor
        - _PAYMENT.c.refunded_minor - _PAYMENT.c.refunding_minor
        + _PAYMENT.c.coupon_returned_minor + _PAYMENT.c.fee_returned_minor
    )  # fmt: skip
    frozen = select(_ACCOUNT.c.credits_posted - _ACCOUNT.c.debits_posted).where(
        _ACCOUNT.c.id == "C:SHARE:" + _PAYMENT.c.payment_id + ":" + _PAYMENT.c.currency
    )
    # What is frozen to be shared is not pending.
    kept -= case((_PAYMENT.c.is_shared == 1, func.coalesce(frozen.scalar_subquery(), 0)), else_=0)
    by = (_PAYMENT.c.merchant_id, _PAYMENT.c.currency, _PAYMENT.c.business_date)
    query = (
        select(*by, func.sum(case((kept > 0, kept), else_=0)).label("unpaid_minor"))
        .join(_SAGA, _SAGA.c.saga_id == _PAYMENT.c.payment_id)
        .where(
            or_(
                *(
                    and_(_SAGA.c.channel_id == channel, _SAGA.c.settlement_date == day)
                    for channel, day in unpaid
                )
            ),
            _PAYMENT.c.state.in_([state.value for state in PAID_STATES]),
        )
        .group_by(*by)
    )
    return _all(connection, query)


def _gathered(
    accounts: list[Row],
    effects: list[Row],
    cycles: list[Row],
    unpaid: list[Row],
    available: list[Row],
) -> list[Pending]:
    """The accounts of each merchant together, its sub-accounts summed."""
    steps: dict[str, list[tuple[str, str]]] = {}
    for row in cycles:
        steps.setdefault(row["merchant_id"], []).append((row["first_date"], row["cycle"]))
    merchant_of = {
        row["id"]: (chart.merchant_of(row["owner"]), row["currency"]) for row in accounts
    }
    balances: dict[tuple[str, str], int] = {}
    for row in accounts:
        key = merchant_of[row["id"]]
        balances[key] = balances.get(key, 0) + model.balance(row)
    earned: dict[tuple[str, str], dict[str, int]] = {key: {} for key in balances}
    for row in effects:
        found = merchant_of.get(row["account"])
        if found is not None:
            days = earned[found]
            days[row["business_date"]] = days.get(row["business_date"], 0) + int(
                row["earned_minor"]
            )
    owed: dict[tuple[str, str], dict[str, int]] = {}
    for row in unpaid:
        days = owed.setdefault((row["merchant_id"], row["currency"]), {})
        days[row["business_date"]] = int(row["unpaid_minor"])
    ready = {(row["owner"], row["currency"]): model.balance(row) for row in available}
    return [
        Pending(
            merchant_id=merchant_id,
            currency=currency,
            balance_minor=balance_minor,
            earned_minor=earned[merchant_id, currency],
            unpaid_minor=owed.get((merchant_id, currency), {}),
            available_minor=ready.get((merchant_id, currency), 0),
            cycles=tuple(steps[merchant_id]),
        )
        for (merchant_id, currency), balance_minor in balances.items()
    ]
