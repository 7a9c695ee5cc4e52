"""What merchants' programs ask of orders, as async calls: the routes only translate HTTP."""

import hashlib
import json
from typing import Any

from backend.db.tables import Row
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    MCHID_NOT_MATCH,
    ORDER_NOT_EXIST,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import ORDER_LIFE_MS_MAX
from backend.merchant_api.orders.model import read_time, transaction
from backend.merchant_api.orders.repository import Found, OrderRepository
from backend.merchant_api.orders.schemas import NewOrder
from backend.merchant_api.orders.service import CloseOrder, CreateOrder
from backend.payments.create import CreatePayment
from backend.payments.model import DeviceRequest
from backend.payments.services import Services
from protocol import ids
from protocol.messages import PaymentCreate

NO_STORE = ""
"""A merchant's program stands in no store: nothing is pushed to a till."""
_TILL = "api"


def device_of(account: Account) -> str:
    """Who the engine knows a merchant's program as."""
    return f"api-{account.mchid}"


class OrderDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, services: Services, openid_key: bytes) -> None:
        self._services = services
        self._openid_key = openid_key
        self._orders = OrderRepository(services.reader)

    async def create(self, account: Account, wanted: NewOrder, trade_type: str) -> Row:
        """The order's row, the same for the same order again."""
        if wanted.mchid != account.mchid:
            raise ApiError(MCHID_NOT_MATCH)
        if wanted.appid != account.appid:
            raise ApiError(APPID_MCHID_NOT_MATCH)
        now_ms = self._services.clock.now_ms()
        command = CreateOrder(
            create=self._payment(account, wanted, now_ms),
            mchid=account.mchid,
            out_trade_no=wanted.out_trade_no,
            appid=wanted.appid,
            trade_type=trade_type,
            content_hash=_content_hash(wanted, trade_type),
            expires_at_ms=_expiry(wanted, now_ms),
            notify_url=wanted.notify_url,
            notify_form=FORM,
            attach=wanted.attach or "",
            payer_openid=wanted.payer.openid if wanted.payer else "",
            device_id=(wanted.scene_info.device_id or "") if wanted.scene_info else "",
        )
        row: Row = await self._services.submit(command)
        return row

    async def by_number(self, account: Account, out_trade_no: str, mchid: str) -> dict[str, Any]:
        """The transaction of a merchant's number."""
        _check_mchid(account, mchid)
        found = await self._services.run_read(
            lambda: self._orders.of_number(account.mchid, out_trade_no)
        )
        return self._shown(found)

    async def by_transaction(
        self, account: Account, transaction_id: str, mchid: str
    ) -> dict[str, Any]:
        """The transaction of the platform's number."""
        _check_mchid(account, mchid)
        found: Found | None = await self._services.run_read(
            lambda: self._orders.of_transaction(account.mchid, transaction_id)
        )
        shown = self._shown(found)
        # Who has not paid has no number of the platform's.
        if "transaction_id" not in shown:
            raise ApiError(ORDER_NOT_EXIST)
        return shown

    async def close(self, account: Account, out_trade_no: str, mchid: str) -> None:
        """Give an order up."""
        _check_mchid(account, mchid)
        await self._services.submit(CloseOrder(mchid=account.mchid, out_trade_no=out_trade_no))

    def _shown(self, found: Found | None) -> dict[str, Any]:
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        return transaction(
            *found, now_ms=self._services.clock.now_ms(), openid_key=self._openid_key
        )

    def _payment(self, account: Account, wanted: NewOrder, now_ms: int) -> CreatePayment:
        body = PaymentCreate(
            payment_id=self._mint(ids.PAYMENT, now_ms),
            attempt_id=self._mint(ids.ATTEMPT, now_ms),
            method="merchant_qr",
            amount_minor=wanted.amount.total,
            currency=wanted.amount.currency,
            merchant_id=account.merchant_id,
            description=wanted.description,
            till=_TILL,
        )
        request = DeviceRequest(
            request_id=self._mint(ids.REQUEST, now_ms),
            device=device_of(account),
            store=NO_STORE,
            merchant_id=account.merchant_id,
            message_type="payment.create",
            body=body,
            content_hash=b"",
            received_at_ms=now_ms,
            trace_id="",
        )
        return CreatePayment(request=request, body=body, rules=self._services.rules)

    def _mint(self, prefix: str, now_ms: int) -> str:
        random_bytes = self._services.entropy.token_bytes(ids.RANDOM_BYTES)
        return ids.mint(prefix, time_ms=now_ms, random_bytes=random_bytes)


def _check_mchid(account: Account, mchid: str) -> None:
    if mchid != account.mchid:
        raise ApiError(MCHID_NOT_MATCH)


def _content_hash(wanted: NewOrder, trade_type: str) -> bytes:
    plain = [trade_type, wanted.model_dump(exclude_none=True)]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).digest()


def _expiry(wanted: NewOrder, now_ms: int) -> int:
    """Until when it can be paid."""
    latest_ms = now_ms + ORDER_LIFE_MS_MAX
    if wanted.time_expire is None:
        return latest_ms
    at_ms = read_time(wanted.time_expire)
    if at_ms is None:
        raise wrong_field("/time_expire", "RFC 3339, yyyy-MM-ddTHH:mm:ss+08:00")
    if at_ms <= now_ms:
        raise wrong_field("/time_expire", "已过期")
    return min(at_ms, latest_ms)
