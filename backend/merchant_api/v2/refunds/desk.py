"""Refunds by XML: the newer interface's desk grants them."""

from typing import Any

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import V2_REFUNDS_PER_PAGE
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.refunds.desk import RefundDesk
from backend.merchant_api.refunds.schemas import NewRefund, RefundAmount
from backend.merchant_api.v2.faults import REFUNDNOTEXIST, V2Error
from backend.merchant_api.v2.gate import Said
from backend.merchant_api.v2.notices import form_of
from backend.merchant_api.v2.orders.desk import V2OrderDesk
from backend.merchant_api.v2.orders.schemas import OneOrder
from backend.merchant_api.v2.refunds.model import granted, listed
from backend.merchant_api.v2.refunds.schemas import UNSETTLED, Refund, RefundQuery


class V2RefundDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, refunds: RefundDesk, orders: V2OrderDesk, engine: Engine) -> None:
        self._refunds = refunds
        self._orders = orders
        self._engine = engine

    async def create(self, account: Account, wanted: Refund) -> Said:
        """Give back all or a part of an order."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        form = form_of(account, wanted.sign_type)
        shown = await self._refunds.create(account, _newer(wanted), form=form, content=wanted)
        return granted(shown)

    async def query(self, account: Account, wanted: RefundQuery) -> Said:
        """One refund, or a page of those of an order, the first ones first."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        if wanted.refund_id is not None:
            return listed([await self._refunds.by_id(account, wanted.refund_id)], 1)
        if wanted.out_refund_no is not None:
            return listed([await self._refunds.by_number(account, wanted.out_refund_no)], 1)
        found = await self._of_order(account, wanted)
        page = found[wanted.offset : wanted.offset + V2_REFUNDS_PER_PAGE]
        if not page:
            raise V2Error(REFUNDNOTEXIST)
        return listed(page, len(found))

    async def _of_order(self, account: Account, wanted: RefundQuery) -> list[dict[str, Any]]:
        order = OneOrder(
            appid=wanted.appid,
            transaction_id=wanted.transaction_id,
            out_trade_no=wanted.out_trade_no,
        )
        number = await self._orders.number_of(account, order)
        return await self._refunds.of_order(account, number)


def _newer(wanted: Refund) -> NewRefund:
    """The same refund in the newer interface's words."""
    by_id = wanted.transaction_id is not None
    return NewRefund(
        transaction_id=wanted.transaction_id,
        out_trade_no=None if by_id else wanted.out_trade_no,
        out_refund_no=wanted.out_refund_no,
        reason=wanted.refund_desc,
        notify_url=wanted.notify_url,
        funds_account="UNSETTLED" if wanted.refund_account == UNSETTLED else "AVAILABLE",
        amount=RefundAmount(
            refund=wanted.refund_fee, total=wanted.total_fee, currency=wanted.refund_fee_type
        ),
    )
