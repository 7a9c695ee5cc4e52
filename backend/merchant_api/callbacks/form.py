"""Callbacks as API v3 sends them: sealed for the merchant, signed by the platform, dressed anew at
every try.

Rule: what is told is how things stand in the books when it is sent; which event it is was decided
when it happened.
"""

import json
from collections.abc import Mapping
from typing import Any

import structlog

from backend.coupons.using import COUPON_USED
from backend.db.tables import Row
from backend.merchant_api.combine.model import combined_shown
from backend.merchant_api.combine.repository import CombineRepository
from backend.merchant_api.favor.model import coupon_shown
from backend.merchant_api.favor.repository import FavorRepository
from backend.merchant_api.keys import crypto
from backend.merchant_api.keys.desk import AccountDesk
from backend.merchant_api.orders.model import time_text, transaction
from backend.merchant_api.orders.repository import OrderRepository
from backend.merchant_api.papay.model import PERMISSION_FORM, contract_shown
from backend.merchant_api.papay.repository import ContractRepository
from backend.merchant_api.payscore.model import permission_shown, service_shown
from backend.merchant_api.payscore.repository import ServiceRepository
from backend.merchant_api.payscore.service import FORM as PAYSCORE_FORM
from backend.merchant_api.refunds.model import refund_news
from backend.merchant_api.refunds.repository import RefundRepository
from backend.merchant_api.sharing.model import share_news
from backend.merchant_api.transfers.model import transfer_shown
from backend.merchant_api.transfers.repository import ApiTransferRepository
from backend.merchant_api.wire.gate import signed_headers
from backend.merchant_api.wire.probes import is_chosen
from backend.merchant_transfers.service import FINISHED
from backend.payments.groups import GROUPED
from backend.payments.services import Services
from backend.sharing.paying import RECEIVED
from protocol.clock import Clock
from protocol.errors import CallerError

_log = structlog.get_logger()
FORM = "v3"
ECHO = "security.echo"
_NONCE_BYTES = 16
_CALLERS = ("combine_mchid", "sp_mchid", "mchid")
"""Who asked, by the names of each mode."""
_EVENTS: Mapping[str, tuple[str, str, str]] = {
    "payment.captured": ("TRANSACTION.SUCCESS", "transaction", "支付成功"),
    "refund.succeeded": ("REFUND.SUCCESS", "refund", "退款成功"),
    "refund.failed": ("REFUND.ABNORMAL", "refund", "退款异常"),
    "payment.declined": ("TRANSACTION.FAIL", "transaction", "扣款失败"),
    "mandate.signed": ("PAPAY.SIGN", "contract", "签约成功"),
    "mandate.terminated": ("PAPAY.TERMINATE", "contract", "解约成功"),
    FINISHED: ("MCHTRANSFER.BILL.FINISHED", "mch_payment", "商家转账单已结束"),
    COUPON_USED: ("COUPON.USE", "coupon", "代金券核销"),
    RECEIVED: ("PROFITSHARING", "profitsharing", "分账"),
    ECHO: ("SECURITY_ECHO.SUCCESS", "security", "安全探测成功"),
}

_PAYSCORE_EVENTS: Mapping[str, tuple[str, str, str]] = {
    "mandate.signed": ("PAYSCORE.USER_CONFIRM", "payscore", "用户确认订单"),
    "payment.captured": ("PAYSCORE.USER_PAID", "payscore", "用户支付成功"),
    "mandate.terminated": ("PAYSCORE.USER_CLOSE_SERVICE", "payscore", "用户关闭服务"),
}
_PERMISSION_EVENTS: Mapping[str, tuple[str, str, str]] = {
    "mandate.signed": ("PAYSCORE.USER_OPEN_SERVICE", "permission", "用户开启服务"),
    "mandate.terminated": ("PAYSCORE.USER_CLOSE_SERVICE", "permission", "服务授权解除"),
}
_WORDS = {
    FORM: _EVENTS,
    PAYSCORE_FORM: _PAYSCORE_EVENTS,
    PERMISSION_FORM: _PERMISSION_EVENTS,
}


class V3Form:
    """A ``notify.ports.CallbackForm``. ``clock`` is the machine's: its time is on the wire."""

    def __init__(
        self,
        services: Services,
        *,
        accounts: AccountDesk,
        clock: Clock,
        openid_key: bytes,
        probes_every: int,
    ) -> None:
        self._services = services
        self._accounts = accounts
        self._clock = clock
        self._openid_key = openid_key
        self._probes_every = probes_every
        self._orders = OrderRepository(services.reader)
        self._combines = CombineRepository(services.reader)
        self._refunds = RefundRepository(services.reader)
        self._contracts = ContractRepository(services.reader)
        self._transfers = ApiTransferRepository(services.reader)
        self._coupons = FavorRepository(services.reader)
        self._service_orders = ServiceRepository(services.reader)

    async def dress(self, row: Row) -> tuple[bytes, dict[str, str]]:
        """``callback_unknown`` for news that this form has no words for."""
        words = _WORDS[row["form"]]
        if row["event_type"] not in words:
            raise CallerError("callback_unknown", row["event_type"])
        event, original, summary = words[row["event_type"]]
        told = json.loads(row["body"])["resource"]
        mchid, resource = await self._resource(original, told)
        account = await self._accounts.account(mchid)
        assert account is not None, "an order is of a merchant number"
        nonce = self._services.entropy.token_bytes(crypto.NONCE_CHARS // 2).hex()
        body = _text(
            {
                "id": row["callback_id"],
                "create_time": time_text(row["created_at_ms"]),
                "resource_type": "encrypt-resource",
                "event_type": event,
                "summary": summary,
                "resource": {
                    "original_type": original,
                    "algorithm": account.suite.aead,
                    "ciphertext": account.suite.seal_resource(
                        account.api_v3_key, nonce=nonce, associated=original, plain=_text(resource)
                    ),
                    "associated_data": original,
                    "nonce": nonce,
                },
            }
        )
        headers = signed_headers(
            body,
            pair=await self._accounts.callback_pair(account),
            now_ms=self._clock.now_ms(),
            nonce=self._services.entropy.token_bytes(_NONCE_BYTES).hex(),
            is_probe=self._is_probe(row),
        )
        request_id = f"{self._services.entropy.token_bytes(_NONCE_BYTES).hex()}-0"
        return body, {"Content-Type": "application/json", "Request-ID": request_id, **headers}

    def is_taken(self, row: Row, answer: bytes) -> bool:  # noqa: ARG002  # the status says it
        """What the body says does not matter; but who takes a probe has not checked it, and is
        told again."""
        if self._is_probe(row):
            _log.warning("callback_probe_taken", callback_id=row["callback_id"])
            return False
        return True

    def _is_probe(self, row: Row) -> bool:
        """Never but at the first try, so that the news comes."""
        return not row["failed_tries"] and is_chosen(row["callback_id"], self._probes_every)

    async def _resource(self, original: str, told: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Whose news it is, and what is sealed for them."""
        if original == "security":
            return told["mchid"], {name: told[name] for name in told if name != "mchid"}
        if original == "mch_payment":
            return await self._transfer(told["transfer_id"])
        if original == "coupon":
            return await self._coupon(told["coupon_id"])
        if original == "profitsharing":
            return told["account"], await self._share(told)
        if original == "transaction":
            resource = await self._transaction(told["payment_id"])
        elif original == "payscore":
            resource = await self._service(told)
        elif original == "contract":
            resource = await self._contract(told["mandate_id"])
        elif original == "permission":
            resource = permission_shown(await self._contract(told["mandate_id"]))
        else:
            resource = await self._refund(told["refund_id"])
        mchid = next(resource[name] for name in _CALLERS if name in resource)
        return mchid, resource

    async def _transaction(self, payment_id: str) -> dict[str, Any]:
        found = await self._services.run_read(lambda: self._orders.of_payment(payment_id))
        assert found is not None, "only an order's payment is told in this form"
        shown = transaction(
            *found, now_ms=self._services.clock.now_ms(), openid_key=self._openid_key
        )
        if found[1]["paid_at_ms"] is None:
            return shown
        if found[1]["method"] == GROUPED:
            return await self._combined(payment_id)
        # The event is that it was paid, also when it has been refunded since.
        return shown | {"trade_state": "SUCCESS", "trade_state_desc": "支付成功"}

    async def _service(self, told: Mapping[str, Any]) -> dict[str, Any]:
        found, run = self._service_orders, self._services.run_read
        if "payment_id" in told:
            rows = await run(lambda: found.of_payment(told["payment_id"]))
        else:
            rows = await run(lambda: found.of_id(told["mandate_id"]))
        assert rows is not None, "only a service order's news are told in this form"
        now_ms = self._services.clock.now_ms()
        return service_shown(rows, openid_key=self._openid_key, now_ms=now_ms)

    async def _contract(self, contract_id: str) -> dict[str, Any]:
        rows = await self._services.run_read(lambda: self._contracts.of_id(contract_id))
        assert rows is not None, "only a merchant program's contract is told in this form"
        now_ms = self._services.clock.now_ms()
        return contract_shown(rows, openid_key=self._openid_key, now_ms=now_ms)

    async def _transfer(self, transfer_id: str) -> tuple[str, dict[str, Any]]:
        found = await self._services.run_read(lambda: self._transfers.of_transfer(transfer_id))
        assert found is not None, "only a merchant program's transfer is told in this form"
        return found[0]["mchid"], transfer_shown(*found)

    async def _coupon(self, coupon_id: str) -> tuple[str, dict[str, Any]]:
        found = await self._services.run_read(lambda: self._coupons.of_id(coupon_id))
        assert found is not None, "only a stock's coupon is told in this form"
        return found.stock["owner"], coupon_shown(found)

    async def _share(self, told: Mapping[str, Any]) -> dict[str, Any]:
        found = await self._services.run_read(lambda: self._orders.of_payment(told["payment_id"]))
        assert found is not None, "only an order's payment is shared in this form"
        return share_news(found[0], told)

    async def _combined(self, lead_id: str) -> dict[str, Any]:
        found = await self._services.run_read(lambda: self._combines.of_lead(lead_id))
        assert found is not None, "only the first of such orders is told in this form"
        now_ms = self._services.clock.now_ms()
        shown = combined_shown(found, now_ms=now_ms, openid_key=self._openid_key)
        paid = {"trade_state": "SUCCESS"}
        return shown | {"sub_orders": [one | paid for one in shown["sub_orders"]]}

    async def _refund(self, refund_id: str) -> dict[str, Any]:
        found = await self._services.run_read(lambda: self._refunds.of_refund(refund_id))
        assert found is not None, "only a merchant program's refund is told in this form"
        return refund_news(found)


def _text(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
