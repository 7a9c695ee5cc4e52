"""Questions of the day's end: the channels' nets and items, and the reserve's test."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from backend.clearing.costs import Items
from backend.clearing.evening_tables import ChannelCarry, ClearingWindow, ReserveInterest
from backend.clearing.evening_tables import ReserveTestRow as _ReserveTestRow
from backend.clearing.netting import NetPosition
from backend.clearing.reserve_test import MOVES_RESERVE
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.ledger import chart
from backend.ledger.tables import LedgerAccount, LedgerTransfer
from backend.sagas.model import SagaKind, SagaState
from backend.sagas.tables import Saga

_ACCOUNT = LedgerAccount.__table__  # type: ignore[attr-defined]
_TRANSFER = LedgerTransfer.__table__  # type: ignore[attr-defined]
_SAGA = Saga.__table__  # type: ignore[attr-defined]
_WINDOW = ClearingWindow.__table__  # type: ignore[attr-defined]
_CARRY = ChannelCarry.__table__  # type: ignore[attr-defined]
_INTEREST = ReserveInterest.__table__  # type: ignore[attr-defined]
_TEST = _ReserveTestRow.__table__  # type: ignore[attr-defined]
_DONE = [SagaState.SUCCEEDED.value, SagaState.SETTLED.value]
_TAKEN = (SagaKind.PAY.value, SagaKind.TOP_UP.value)
_IN_TRANSIT = ("CH", "ECNY", "XSHARD", "FXPOS")
_SETTLING = ("channel_settled", "channel_settled_net")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMoney:
    """The books at one moment, as the reserve's test needs them."""

    books_minor: int
    in_transit_minor: int
    short_minor: int
    classes_minor: dict[str, int]
    """What clients have, by the chart's code."""
    strange: int


class EveningRepository:
    """Reads the books for the day's end."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def position(self, channel_id: str, day: str, currency: str) -> NetPosition:
        """A channel's day by our books, its settlement apart."""
        account = chart.channel(channel_id, day, currency)
        amount = _TRANSFER.c.amount_minor
        rows = await self._reader.fetch(
            select(
                func.coalesce(
                    func.sum(case((_TRANSFER.c.debit == account, amount), else_=0)), 0
                ).label("received"),
                func.coalesce(
                    func.sum(case((_TRANSFER.c.credit == account, amount), else_=0)), 0
                ).label("paid"),
            ).where(
                or_(_TRANSFER.c.debit == account, _TRANSFER.c.credit == account),
                _TRANSFER.c.kind.in_(["posted", "post"]),
                _TRANSFER.c.rule.not_in(_SETTLING),
            )
        )
        return NetPosition(
            channel_id=channel_id,
            settlement_date=day,
            received_minor=int(rows[0]["received"]),
            paid_minor=int(rows[0]["paid"]),
        )

    async def items(self, channel_id: str, day: str) -> list[Items]:
        """What a channel has carried out on one of its days, the alike together."""
        return await asyncio.to_thread(self._items, channel_id, day)

    def _items(self, channel_id: str, day: str) -> list[Items]:
        kind, amount = _SAGA.c.kind, _SAGA.c.amount_minor
        query = (
            select(kind, amount, func.count().label("count"))
            .where(
                _SAGA.c.channel_id == channel_id,
                _SAGA.c.settlement_date == day,
                _SAGA.c.state.in_(_DONE),
            )
            .group_by(kind, amount)
        )
        with self._reader.snapshot() as connection:
            return [
                Items(row["kind"] in _TAKEN, row["amount_minor"], int(row["count"]))
                for row in connection.execute(query).mappings()
            ]

    async def carried_micro(self) -> dict[str, int]:
        """What each channel's cost carries on."""
        rows = await self._reader.fetch(select(_CARRY))
        return {row["channel_id"]: row["carried_micro"] for row in rows}

    async def windows(self, day: str) -> list[Row]:
        """The channels' windows of a settlement date."""
        query = select(_WINDOW).where(_WINDOW.c.settlement_date == day)
        return await self._reader.fetch(query.order_by(_WINDOW.c.channel_id))

    async def interest_parts(self) -> int:
        """All the interest that was ever accrued, in parts."""
        query = select(func.coalesce(func.sum(_INTEREST.c.parts), 0).label("parts"))
        return int((await self._reader.fetch(query))[0]["parts"])

    async def reserve_tests(self, day: str) -> list[Row]:
        """The tests of a day, the last of them the newest."""
        query = select(_TEST).where(_TEST.c.business_date == day)
        return await self._reader.fetch(query.order_by(_TEST.c.number))

    async def newest_reserve_tests(self, limit: int) -> list[Row]:
        """The tests of the latest days that have one, the last first."""
        query = select(_TEST.c.business_date, _TEST.c.number, _TEST.c.passed, _TEST.c.note)
        query = query.order_by(_TEST.c.business_date.desc(), _TEST.c.number.desc())
        return await self._reader.fetch(query.limit(limit))

    async def client_money(self, currency: str, *, since: str, until: str) -> ClientMoney:
        """Clients' money now, and how many strange movements the reserve had on some days."""
        return await asyncio.to_thread(self._client_money, currency, since, until)

    def _client_money(self, currency: str, since: str, until: str) -> ClientMoney:
        with self._reader.snapshot() as connection:
            sums = connection.execute(_balances(currency)).mappings().fetchall()
            strange = connection.execute(_strange(currency, since, until)).scalar_one()
        return _client_money({row["code"]: int(row["debit"]) for row in sums}, strange=int(strange))

    async def client_money_at(self, currency: str, day: str) -> ClientMoney:
        """Clients' money at the end of a business day: now, less what later days have moved."""
        return await asyncio.to_thread(self._client_money_at, currency, day)

    def _client_money_at(self, currency: str, day: str) -> ClientMoney:
        with self._reader.snapshot() as connection:
            held = {
                row["code"]: int(row["debit"])
                for row in connection.execute(_balances(currency)).mappings()
            }
            for side, sign in ((_TRANSFER.c.debit, -1), (_TRANSFER.c.credit, 1)):
                for row in connection.execute(_later(side, currency, day)).mappings():
                    held[row["code"]] = held.get(row["code"], 0) + sign * int(row["moved"])
        return _client_money(held, strange=0)

    async def reserve_flows(self, currency: str, day: str) -> list[Row]:
        """What moved the reserve on a bank's booking day: (rule, in, out)."""
        reserve = chart.client("RESERVE", currency)
        amount = _TRANSFER.c.amount_minor
        into = func.sum(case((_TRANSFER.c.debit == reserve, amount), else_=0))
        out = func.sum(case((_TRANSFER.c.credit == reserve, amount), else_=0))
        query = (
            select(_TRANSFER.c.rule, into.label("in_minor"), out.label("out_minor"))
            .where(
                or_(_TRANSFER.c.debit == reserve, _TRANSFER.c.credit == reserve),
                _TRANSFER.c.business_date == day,
            )
            .group_by(_TRANSFER.c.rule)
        )
        return await self._reader.fetch(query.order_by(_TRANSFER.c.rule))


def _client_money(held: dict[str, int], *, strange: int) -> ClientMoney:
    """From the debit balances of clients' book, by code."""
    return ClientMoney(
        books_minor=held.get("RESERVE", 0),
        in_transit_minor=sum(held.get(code, 0) for code in _IN_TRANSIT),
        short_minor=held.get("SHORT", 0),
        classes_minor={
            code: -held[code]
            for code in chart.CLIENT_LIABILITIES
            if code != "UNSWEPT" and code in held
        },
        strange=strange,
    )


def _later(side: ColumnElement[str], currency: str, day: str) -> Select[Any]:
    """What business dates after a day have moved on one side of clients' accounts, by code."""
    codes = (*chart.CLIENT_ASSETS, *chart.CLIENT_LIABILITIES)
    code: ColumnElement[str] = case(*((side.like(f"C:{code}:%"), code) for code in codes), else_="")
    return (
        select(code.label("code"), func.sum(_TRANSFER.c.amount_minor).label("moved"))
        .where(
            _TRANSFER.c.business_date > day,
            _TRANSFER.c.currency == currency,
            _TRANSFER.c.kind.in_(["posted", "post"]),
        )
        .group_by(code)
    )


def _balances(currency: str) -> Select[Any]:
    """The debit balance of each code of clients' book."""
    debit = func.sum(_ACCOUNT.c.debits_posted - _ACCOUNT.c.credits_posted).label("debit")
    where = and_(_ACCOUNT.c.book == "C", _ACCOUNT.c.currency == currency)
    return select(_ACCOUNT.c.code, debit).where(where).group_by(_ACCOUNT.c.code)


def _strange(currency: str, since: str, until: str) -> Select[Any]:
    reserve = chart.client("RESERVE", currency)
    return select(func.count()).where(
        or_(_TRANSFER.c.debit == reserve, _TRANSFER.c.credit == reserve),
        _TRANSFER.c.business_date >= since,
        _TRANSFER.c.business_date <= until,
        _TRANSFER.c.rule.not_in(MOVES_RESERVE),
    )
