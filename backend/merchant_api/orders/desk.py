"""What merchants' programs ask of orders, as async calls: the routes only translate HTTP."""

from typing import Any

from backend.db.tables import Row
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    INVALID_TRANSACTIONID,
    MCHID_NOT_MATCH,
    ORDER_NOT_EXIST,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import H5_LIFE_MS, ORDER_LIFE_MS_MAX
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.orders.model import read_time, transaction
from backend.merchant_api.orders.repository import Found, OrderRepository
from backend.merchant_api.orders.sandbox_payer import SandboxPayer
from backend.merchant_api.orders.schemas import NewJsapiOrder, NewOrder, is_shared
from backend.merchant_api.orders.service import CloseOrder, CreateOrder, Shown
from backend.merchant_api.wire.asked import Asked
from backend.payments.services import Services


class OrderDesk:
    """Serves merchants' programs. One per process."""

    def __init__(
        self, services: Services, engine: Engine, openid_key: bytes, sandbox: Sandbox
    ) -> None:
        self._services = services
        self._engine = engine
        self._openid_key = openid_key
        self._sandbox = sandbox
        self._payer = SandboxPayer(services, engine, sandbox)
        self._orders = OrderRepository(services.reader)

    async def create(
        self,
        account: Account,
        wanted: NewOrder,
        trade_type: str,
        *,
        form: str = FORM,
        content: Asked | None = None,
        payer_appid: str = "",
    ) -> Row:
        """The order's row, the same for the same order again. ``content`` is what was asked, where
        it was said in other words than ``wanted``; ``form`` dresses the news of it;
        ``payer_appid`` is the app that knows the payer by that name, where it is another."""
        self._engine.check_names(account, mchid=wanted.mchid, appid=wanted.appid)
        now_ms = self._services.clock.now_ms()
        command = CreateOrder(
            create=self._engine.by_qr(
                account,
                amount=wanted.amount,
                description=wanted.description,
                is_shared=is_shared(wanted.settle_info),
            ),
            mchid=account.mchid,
            out_trade_no=wanted.out_trade_no,
            appid=wanted.appid,
            trade_type=trade_type,
            content_hash=content_hash(content or wanted, trade_type),
            shown=Shown(expiry(wanted.time_expire, trade_type, now_ms), wanted.notify_url, form),
            attach=wanted.attach or "",
            payer_openid=wanted.payer.openid if isinstance(wanted, NewJsapiOrder) else "",
            payer_appid=payer_appid or wanted.appid,
            device_id=(wanted.scene_info.device_id or "") if wanted.scene_info else "",
            sub_mchid=account.sub_mchid,
            sub_appid=account.sub_appid,
        )
        order: Row
        async with self._sandbox.at(
            wanted.amount.total, mchid=account.mchid, number=wanted.out_trade_no
        ):
            order, _ = await self._services.submit(command)
        return order

    async def by_number(self, account: Account, out_trade_no: str, mchid: str) -> dict[str, Any]:
        """The transaction of a merchant's number."""
        _check_mchid(account, mchid)
        read = lambda: self._orders.of_number(  # noqa: E731
            account.mchid, out_trade_no, sub_mchid=account.sub_mchid
        )
        found: Found | None = await self._services.run_read(read)
        if found is not None and await self._payer.answer(found):
            found = await self._services.run_read(read)
        return self._shown(found)

    async def by_transaction(
        self, account: Account, transaction_id: str, mchid: str
    ) -> dict[str, Any]:
        """The transaction of the platform's number."""
        _check_mchid(account, mchid)
        found: Found | None = await self._services.run_read(
            lambda: self._orders.of_transaction(
                account.mchid, transaction_id, sub_mchid=account.sub_mchid
            )
        )
        if found is None:
            raise await missing(self._services, self._orders, transaction_id)
        shown = self._shown(found)
        # Who has not paid has no number of the platform's.
        if "transaction_id" not in shown:
            raise ApiError(ORDER_NOT_EXIST)
        return shown

    async def close(self, account: Account, out_trade_no: str, mchid: str) -> None:
        """Give an order up."""
        _check_mchid(account, mchid)
        await self._services.submit(
            CloseOrder(mchid=account.mchid, out_trade_no=out_trade_no, sub_mchid=account.sub_mchid)
        )

    def _shown(self, found: Found | None) -> dict[str, Any]:
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        return transaction(
            *found, now_ms=self._services.clock.now_ms(), openid_key=self._openid_key
        )


async def missing(services: Services, orders: OrderRepository, transaction_id: str) -> ApiError:
    """Why no order of this merchant's has this number of the platform's."""
    is_anothers = await services.run_read(lambda: orders.is_anothers(transaction_id))
    return ApiError(INVALID_TRANSACTIONID if is_anothers else ORDER_NOT_EXIST)


def _check_mchid(account: Account, mchid: str) -> None:
    if mchid != account.mchid:
        raise ApiError(MCHID_NOT_MATCH)


def expiry(time_expire: str | None, trade_type: str, now_ms: int) -> int:
    """Until when an order can be paid; ``PARAM_ERROR`` for a time that is none. One that is over
    is only wrong where the number is new, which the writer knows."""
    latest_ms = now_ms + (H5_LIFE_MS if trade_type == "MWEB" else ORDER_LIFE_MS_MAX)
    if time_expire is None:
        return latest_ms
    at_ms = read_time(time_expire)
    if at_ms is None:
        raise wrong_field("/time_expire", "RFC 3339, yyyy-MM-ddTHH:mm:ss+08:00")
    return min(at_ms, latest_ms)
