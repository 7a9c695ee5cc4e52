"""What merchants' programs ask of refunds, as async calls."""

from typing import Any

from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    ORDER_NOT_EXIST,
    RATELIMIT_EXCEEDED,
    RESOURCE_NOT_EXISTS,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.desk import missing
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.orders.repository import Found, OrderRepository
from backend.merchant_api.refunds.abnormal import SettleAbnormal
from backend.merchant_api.refunds.model import TO_MERCHANT, RefundRows, refund_shown
from backend.merchant_api.refunds.repository import RefundRepository
from backend.merchant_api.refunds.schemas import NewRefund, Settle
from backend.merchant_api.refunds.service import RefundOrder
from backend.merchant_api.wire.asked import Asked
from backend.payments.services import Services
from backend.rate_limit import RateLimit
from backend.refunds.service import CreateRefund
from protocol.errors import OperatingError

_UNSETTLED = "UNSETTLED"


class RefundDesk:
    """Serves merchants' programs. One per process."""

    def __init__(
        self,
        services: Services,
        engine: Engine,
        *,
        sandbox: Sandbox,
        rate: RateLimit,
        gap_ms: int,
    ) -> None:
        self._services = services
        self._engine = engine
        self._sandbox = sandbox
        self._rate = rate
        self._gap_ms = gap_ms
        self._orders = OrderRepository(services.reader)
        self._refunds = RefundRepository(services.reader)

    async def create(
        self,
        account: Account,
        wanted: NewRefund,
        *,
        form: str = FORM,
        content: Asked | None = None,
    ) -> dict[str, Any]:
        """The refund, the same for the same refund again. ``content`` is what was asked, where it
        was said in other words than ``wanted``; ``form`` dresses the news of it."""
        async with self._sandbox.at(
            wanted.amount.refund, mchid=account.mchid, number=wanted.out_refund_no
        ):
            return await self._create(account, wanted, form, content or wanted)

    async def _create(
        self, account: Account, wanted: NewRefund, form: str, content: Asked
    ) -> dict[str, Any]:
        try:
            self._rate.take(account.mchid)
        except OperatingError:
            raise ApiError(RATELIMIT_EXCEEDED) from None
        order, payment = await self._order(account, wanted)
        if wanted.amount.total != payment["amount_minor"]:
            raise wrong_field("/amount/total", "订单金额与原订单不一致")
        command = RefundOrder(
            create=self._refund(account, wanted, order["payment_id"], form),
            mchid=account.mchid,
            out_refund_no=wanted.out_refund_no,
            funds_account=wanted.funds_account or _UNSETTLED,
            content_hash=content_hash(content, "REFUND"),
            gap_ms=self._gap_ms,
        )
        await self._services.submit(command)
        return await self.by_number(account, wanted.out_refund_no)

    async def settle(
        self, account: Account, number: str, wanted: Settle, *, real_name: str = ""
    ) -> dict[str, Any]:
        """The refund after it was settled another way; ``number`` is the platform's."""
        found: RefundRows | None = await self._services.run_read(
            lambda: self._refunds.of_id(account.mchid, number)
        )
        shown = _shown(found, account)
        assert found is not None
        if shown["out_refund_no"] != wanted.out_refund_no:
            raise ApiError(RESOURCE_NOT_EXISTS, "退款单不存在")
        command = SettleAbnormal(
            refund_id=found.said["refund_id"],
            payment_id=found.said["payment_id"],
            create=None if wanted.type == TO_MERCHANT else self._replacement(account, found),
            real_name=real_name,
        )
        await self._services.submit(command)
        return await self.by_id(account, number)

    def _replacement(self, account: Account, rows: RefundRows) -> CreateRefund:
        refund = rows.refund
        request, body = self._engine.refund(
            account,
            payment_id=refund["payment_id"],
            amount_minor=refund["amount_minor"],
            currency=refund["currency"],
            reason=refund["reason"],
        )
        return CreateRefund(
            request=request,
            body=body,
            rules=self._services.rules,
            notify_url=refund["notify_url"],
            notify_form=refund["notify_form"],
            to_balance=True,
        )

    async def by_number(self, account: Account, out_refund_no: str) -> dict[str, Any]:
        """How a refund stands."""
        found: RefundRows | None = await self._services.run_read(
            lambda: self._refunds.of_number(account.mchid, out_refund_no)
        )
        return _shown(found, account)

    async def by_id(self, account: Account, refund_id: str) -> dict[str, Any]:
        """How the refund of the platform's number stands."""
        found: RefundRows | None = await self._services.run_read(
            lambda: self._refunds.of_id(account.mchid, refund_id)
        )
        return _shown(found, account)

    async def of_order(self, account: Account, out_trade_no: str) -> list[dict[str, Any]]:
        """An order's refunds, the first ones first."""
        found: list[RefundRows] | None = await self._services.run_read(
            lambda: self._refunds.of_order(account.mchid, out_trade_no, sub_mchid=account.sub_mchid)
        )
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        return [refund_shown(one) for one in found]

    async def _order(self, account: Account, wanted: NewRefund) -> Found:
        number, transaction_id = wanted.out_trade_no, wanted.transaction_id
        find, mchid, sub_mchid = self._orders, account.mchid, account.sub_mchid
        if number is not None:
            by_number = lambda: find.of_number(mchid, number, sub_mchid=sub_mchid)  # noqa: E731
            found = await self._services.run_read(by_number)
        else:
            assert transaction_id is not None, "the schema wants one of the two"
            by_id = lambda: find.of_transaction(  # noqa: E731
                mchid, transaction_id, sub_mchid=sub_mchid
            )
            found = await self._services.run_read(by_id)
            if found is None:
                raise await missing(self._services, self._orders, transaction_id)
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        order, payment = found
        return order, payment

    def _refund(
        self, account: Account, wanted: NewRefund, payment_id: str, form: str
    ) -> CreateRefund:
        request, body = self._engine.refund(
            account,
            payment_id=payment_id,
            amount_minor=wanted.amount.refund,
            currency=wanted.amount.currency,
            reason=wanted.reason or "",
        )
        return CreateRefund(
            request=request,
            body=body,
            rules=self._services.rules,
            notify_url=wanted.notify_url,
            notify_form=form if wanted.notify_url else "",
        )


def _shown(found: RefundRows | None, account: Account) -> dict[str, Any]:
    if found is None or found.order["sub_mchid"] != account.sub_mchid:
        raise ApiError(RESOURCE_NOT_EXISTS, "退款单不存在")
    return refund_shown(found)
