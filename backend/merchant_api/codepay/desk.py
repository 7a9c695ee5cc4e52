"""Payments by code, as async calls.

Rule 1: a code is for one try and one number; a declined try keeps its number, as documented.
Rule 2: where a bank has not answered, the answer is 202 ``USERPAYING``, never a guess.
Rule 3: nothing is told to the merchant's server of these payments: the program asks.
"""

from collections.abc import Mapping
from typing import Any

from backend.db.tables import Row
from backend.merchant_api.codepay.schemas import NewCodePayment
from backend.merchant_api.faults import (
    ACCOUNT_ERROR,
    AUTH_CODE_EXPIRE,
    AUTH_CODE_INVALID,
    BANK_ERROR,
    FREQUENCY_LIMITED,
    NOT_BY_CODE,
    NOT_ENOUGH,
    ORDER_NOT_EXIST,
    RULE_LIMIT,
    SYSTEM_ERROR,
    TRADE_ERROR,
    USER_ACCOUNT_ABNORMAL,
    ApiError,
    Fault,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.orders.model import transaction
from backend.merchant_api.orders.repository import Found, OrderRepository
from backend.merchant_api.orders.schemas import is_shared
from backend.merchant_api.orders.service import CreateOrder
from backend.merchant_api.wire.asked import Asked
from backend.payments.service import ReversePayment
from backend.payments.services import Services
from protocol.errors import advice
from protocol.payment import PAID_STATES, WAITING_STATES, PaymentState

TRADE_TYPE = "MICROPAY"
_FAULTS: Mapping[str, Fault] = {
    "pay_code_invalid": AUTH_CODE_INVALID,
    "pay_code_used": AUTH_CODE_INVALID,
    "pay_code_expired": AUTH_CODE_EXPIRE,
    "pay_code_attempts": FREQUENCY_LIMITED,
    "insufficient_balance": NOT_ENOUGH,
    "payer_frozen": USER_ACCOUNT_ABNORMAL,
    "payer_unknown": ACCOUNT_ERROR,
    "payer_limit_payment": RULE_LIMIT,
    "payer_limit_day": RULE_LIMIT,
    "payer_limit_year": RULE_LIMIT,
    "channel_unavailable": BANK_ERROR,
    "channel_stopped": BANK_ERROR,
}
"""How a declined try is refused; by anything else, as ``TRADE_ERROR`` with our sentence."""


class CodePayDesk:
    """Serves merchants' programs. One per process."""

    def __init__(
        self, services: Services, engine: Engine, openid_key: bytes, sandbox: Sandbox
    ) -> None:
        self._services = services
        self._engine = engine
        self._openid_key = openid_key
        self._sandbox = sandbox
        self._orders = OrderRepository(services.reader)

    async def pay(
        self, account: Account, wanted: NewCodePayment, *, content: Asked | None = None
    ) -> tuple[int, dict[str, Any]]:
        """The status, and the transaction or that the payer is still paying. ``content`` is what
        was asked, where it was said in other words than ``wanted``."""
        self._engine.check_names(account, mchid=wanted.mchid, appid=wanted.appid)
        command = CreateOrder(
            create=self._engine.by_code(
                account,
                amount=wanted.amount,
                description=wanted.description,
                code=wanted.payer.auth_code,
                store=wanted.scene_info.store_info.name,
                is_shared=is_shared(wanted.settle_info),
                asks_payer=self._sandbox.payer_word(wanted.amount.total) is not None,
            ),
            mchid=account.mchid,
            out_trade_no=wanted.out_trade_no,
            appid=wanted.appid,
            trade_type=TRADE_TYPE,
            content_hash=content_hash(content or wanted, TRADE_TYPE),
            attach=wanted.attach or "",
            device_id=wanted.scene_info.device_id or "",
            sub_mchid=account.sub_mchid,
            sub_appid=account.sub_appid,
        )
        async with self._sandbox.at(
            wanted.amount.total, mchid=account.mchid, number=wanted.out_trade_no
        ):
            order, payment = await self._services.submit(command)
            return self._answer(order, payment)

    async def reverse(
        self, account: Account, out_trade_no: str, *, appid: str, mchid: str
    ) -> dict[str, str]:
        """Undo a payment by code, whatever became of it. Safe to repeat."""
        self._engine.check_names(account, mchid=mchid, appid=appid)
        found: Found | None = await self._services.run_read(
            lambda: self._orders.of_number(account.mchid, out_trade_no, sub_mchid=account.sub_mchid)
        )
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        order, _ = found
        if order["trade_type"] != TRADE_TYPE:
            raise ApiError(NOT_BY_CODE)
        command = ReversePayment(
            request=self._engine.reversal(account, order["payment_id"]),
            payment_id=order["payment_id"],
            rules=self._services.rules,
        )
        _, body = await self._services.submit(command)
        if "error" in body and body["state"] != PaymentState.DECLINED:
            raise ApiError(TRADE_ERROR, body["error"]["zh"])
        return {"appid": appid, "mchid": mchid, "out_trade_no": out_trade_no}

    def _answer(self, order: Row, payment: Row) -> tuple[int, dict[str, Any]]:
        state = PaymentState(payment["state"])
        if state in PAID_STATES:
            now_ms = self._services.clock.now_ms()
            shown = transaction(order, payment, now_ms=now_ms, openid_key=self._openid_key)
            return 200, shown
        if state in WAITING_STATES or state is PaymentState.AWAITING_PAYER:
            return 202, {
                "code": "USERPAYING",
                "message": "需要用户输入支付密码或等待银行应答，请查询订单",
                "trade_state": "USERPAYING",
                "out_trade_no": order["out_trade_no"],
            }
        code = payment["error_code"]
        if code is None:
            raise ApiError(SYSTEM_ERROR)
        raise declined(code)


def declined(code: str) -> ApiError:
    """The refusal of a try that was declined with this code of ours."""
    fault = _FAULTS.get(code)
    return ApiError(fault) if fault else ApiError(TRADE_ERROR, advice(code).zh)
