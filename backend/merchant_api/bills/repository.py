"""The numbers that merchants' programs know payments and refunds by. Only this file of the room
sees SQL."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, select

from backend.bills.fund_flow import Movement
from backend.bills.trade import LineState, Names, TradeLine
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import BILL_LINES_PER_LOOKUP_MAX
from backend.merchant_api.orders.model import openid_of
from backend.merchant_api.orders.tables import ApiOrder
from backend.merchant_api.refunds.repository import numbers_of
from backend.merchant_api.transfers.tables import ApiTransfer
from backend.merchant_api.v2.red_packets.tables import ApiRedPacket
from backend.merchants.tables import Merchant
from backend.payments.tables import Payment

_order = ApiOrder.__table__  # type: ignore[attr-defined]
_payment = Payment.__table__  # type: ignore[attr-defined]
_transfer = ApiTransfer.__table__  # type: ignore[attr-defined]
_red_packet = ApiRedPacket.__table__  # type: ignore[attr-defined]
_merchant = Merchant.__table__  # type: ignore[attr-defined]
_Line = TypeVar("_Line", TradeLine, Movement)
Named = Callable[[Connection, Sequence[_Line]], Iterator[_Line]]


def opened_at_ms(reader: Reader, merchant_id: str) -> int:
    """Since when a merchant is ours."""
    query = select(_merchant.c.created_at_ms).where(_merchant.c.merchant_id == merchant_id)
    found = reader.one(query)
    assert found is not None, "a merchant number is a merchant's"
    return int(found["created_at_ms"])


class ProgramNames:
    """A ``bills.repository.Naming``: the numbers of orders and refunds, looked up for a few hundred
    lines at a time. ``openid_key`` names payers to apps."""

    def __init__(self, openid_key: bytes, account: Account) -> None:
        """``account`` asks: its number stands on the lines of payments that no program made. A
        service provider sees of a merchant what it has asked for itself."""
        self._key = openid_key
        self._mchid = account.mchid
        self._is_provider = bool(account.sub_mchid)

    def trade(self, connection: Connection, lines: Iterator[TradeLine]) -> Iterator[TradeLine]:
        """A trade bill's lines, named."""
        return _by_parts(connection, lines, self._trade)

    def moves(self, connection: Connection, moves: Iterator[Movement]) -> Iterator[Movement]:
        """A fund-flow bill's movements, named."""
        return _by_parts(connection, moves, _moves)

    def _trade(self, connection: Connection, part: Sequence[TradeLine]) -> Iterator[TradeLine]:
        orders = _orders(connection, {one.payment_id for one in part})
        refunds = _refunds(connection, {one.return_id for one in part})
        for one in part:
            order, refund = orders.get(one.payment_id), refunds.get(one.return_id)
            if self._is_provider and (order is None or order["mchid"] != self._mchid):
                continue
            if order is None:
                yield replace(one, merchant_id=self._mchid)
            else:
                yield replace(one, names=self._names(one, order, refund))

    def _names(self, one: TradeLine, order: Row, refund: Row | None) -> Names:
        numbers = (one.return_id, one.return_id)
        if refund is not None:
            numbers = (refund["number"], refund["out_refund_no"])
        elif one.state is LineState.REVOKED:
            numbers = (order["transaction_id"], order["out_trade_no"])
        return Names(
            mchid=order["mchid"],
            appid=order["appid"],
            transaction_id=order["transaction_id"],
            out_trade_no=order["out_trade_no"],
            trade_type=order["trade_type"],
            payer=openid_of(self._key, order["appid"], order["payer_id"]),
            attach=order["attach"],
            sub_mchid=order["sub_mchid"],
            refund_id=numbers[0],
            out_refund_no=numbers[1],
        )


def _moves(connection: Connection, part: Sequence[Movement]) -> Iterator[Movement]:
    business_ids = {one.business_id for one in part}
    refunds, gifts = _refunds(connection, business_ids), _gifts(connection, business_ids)
    paid = business_ids | {row["payment_id"] for row in refunds.values()}
    orders = _orders(connection, paid)
    for one in part:
        refund = refunds.get(one.business_id)
        order = orders.get(refund["payment_id"] if refund else one.business_id)
        if one.business_id in gifts:
            number = gifts[one.business_id]
            yield replace(one, number=number, voucher=number)
        elif order is None:
            yield one
        else:
            number = refund["number"] if refund else order["transaction_id"]
            yield replace(one, number=number, voucher=order["transaction_id"])


def _by_parts(
    connection: Connection, lines: Iterator[_Line], named: Named[_Line]
) -> Iterator[_Line]:
    while part := list(islice(lines, BILL_LINES_PER_LOOKUP_MAX)):
        yield from named(connection, part)


def _orders(connection: Connection, payment_ids: set[str]) -> dict[str, Row]:
    query = (
        select(_order, _payment.c.payer_id)
        .join(_payment, _payment.c.payment_id == _order.c.payment_id)
        .where(_order.c.payment_id.in_(payment_ids))
    )
    rows = connection.execute(query).mappings()
    return {row["payment_id"]: dict(row) for row in rows}


def _refunds(connection: Connection, refund_ids: set[str]) -> dict[str, Row]:
    rows = connection.execute(numbers_of(refund_ids)).mappings()
    return {row["key"]: dict(row) for row in rows}


def _gifts(connection: Connection, gift_ids: set[str]) -> dict[str, str]:
    """``transfer_bill_no`` of transfers, ``send_listid`` of red packets."""
    found: dict[str, str] = {}
    for key, number in (
        (_transfer.c.transfer_id, _transfer.c.number),
        (_red_packet.c.red_packet_id, _red_packet.c.number),
    ):
        rows = connection.execute(select(key, number).where(key.in_(gift_ids)))
        found.update((row[0], row[1]) for row in rows)
    return found
