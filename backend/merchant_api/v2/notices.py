"""Notices as API v2 sends them: XML, signed with the merchant's key, dressed anew at every try.

Rule 1: the merchant's server has it when it answers with XML whose ``return_code`` is SUCCESS; any
        other answer, whatever its status, is a failed try.
Rule 2: a notice is signed the way its order's call was.
"""

import json
from collections.abc import Mapping
from typing import Any

from backend.db.tables import Row
from backend.merchant_api.codepay.desk import declined
from backend.merchant_api.keys.desk import Account, AccountDesk
from backend.merchant_api.orders.model import transaction
from backend.merchant_api.orders.repository import OrderRepository
from backend.merchant_api.papay.model import contract_shown
from backend.merchant_api.papay.repository import ContractRepository
from backend.merchant_api.refunds.model import refund_news
from backend.merchant_api.refunds.repository import RefundRepository
from backend.merchant_api.v2.codec import read_fields, write_fields
from backend.merchant_api.v2.faults import V2Error, in_older_words
from backend.merchant_api.v2.orders.model import paid_fields
from backend.merchant_api.v2.papay.model import contract_news
from backend.merchant_api.v2.refunds.model import news
from backend.merchant_api.v2.signing import SignType, seal_notice, signature
from backend.payments.services import Services
from protocol.errors import CallerError

FORMS: Mapping[tuple[SignType, bool], str] = {
    (SignType.MD5, False): "v2",
    (SignType.HMAC_SHA256, False): "v2-hmac",
    (SignType.MD5, True): "v2-sandbox",
    (SignType.HMAC_SHA256, True): "v2-sandbox-hmac",
}
"""How the outbox names these forms: how they are signed, and whether with the sandbox's key."""
_PAID, _DECLINED = "payment.captured", "payment.declined"
_SIGNED, _ENDED = "mandate.signed", "mandate.terminated"
_REFUNDED = frozenset({"refund.succeeded", "refund.failed"})
_NONCE_BYTES = 16
_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}


def form_of(account: Account, sign_type: SignType) -> str:
    """How news of what this caller asks for now will be dressed."""
    return FORMS[sign_type, account.in_sandbox]


class V2Form:
    """A ``notify.ports.CallbackForm``."""

    def __init__(
        self,
        services: Services,
        *,
        accounts: AccountDesk,
        openid_key: bytes,
        sign_type: SignType,
        in_sandbox: bool,
    ) -> None:
        self._services = services
        self._accounts = accounts
        self._openid_key = openid_key
        self._sign_type = sign_type
        self._in_sandbox = in_sandbox
        self._orders = OrderRepository(services.reader)
        self._refunds = RefundRepository(services.reader)
        self._contracts = ContractRepository(services.reader)

    async def dress(self, row: Row) -> tuple[bytes, dict[str, str]]:
        """``callback_unknown`` for news that this form has no words for."""
        told = json.loads(row["body"])["resource"]
        if row["event_type"] == _PAID:
            return await self._payment(told["payment_id"]), dict(_HEADERS)
        if row["event_type"] == _DECLINED:
            return await self._debit_declined(told["payment_id"]), dict(_HEADERS)
        if row["event_type"] in _REFUNDED:
            return await self._refund(told["refund_id"]), dict(_HEADERS)
        if row["event_type"] in {_SIGNED, _ENDED}:
            is_end = row["event_type"] == _ENDED
            return await self._contract(told["mandate_id"], is_end=is_end), dict(_HEADERS)
        raise CallerError("callback_unknown", row["event_type"])

    def is_taken(self, row: Row, answer: bytes) -> bool:  # noqa: ARG002  # the answer says it
        """Whether the merchant's server says that it has it."""
        try:
            return read_fields(answer).get("return_code") == "SUCCESS"
        except V2Error:
            return False

    async def _payment(self, payment_id: str) -> bytes:
        shown, account, head, _ = await self._about(payment_id)
        return self._signed(head | {"result_code": "SUCCESS"} | _texts(paid_fields(shown)), account)

    async def _debit_declined(self, payment_id: str) -> bytes:
        """The notice of a declined debit under a contract: other declined payments are answered at
        once."""
        shown, account, head, payment = await self._about(payment_id)
        why = in_older_words(declined(payment["error_code"]))
        fields = {
            "result_code": "FAIL",
            "err_code": why.fault.code,
            "err_code_des": why.message,
            "out_trade_no": shown["out_trade_no"],
            "total_fee": str(shown["amount"]["total"]),
        }
        return self._signed(head | fields, account)

    async def _contract(self, contract_id: str, *, is_end: bool) -> bytes:
        rows = await self._services.run_read(lambda: self._contracts.of_id(contract_id))
        assert rows is not None, "only a merchant program's contract is told in this form"
        now_ms = self._services.clock.now_ms()
        shown = contract_shown(rows, openid_key=self._openid_key, now_ms=now_ms)
        account = await self._account(shown["mchid"])
        told = {"result_code": "SUCCESS"} | _texts(contract_news(shown, is_end=is_end))
        return self._signed(self._head(account) | told, account)

    async def _about(self, payment_id: str) -> tuple[dict[str, Any], Account, dict[str, str], Row]:
        """The transaction, whose program asked for it, what every notice of it says, and its
        payment."""
        found = await self._services.run_read(lambda: self._orders.of_payment(payment_id))
        assert found is not None, "only an order's payment is told in this form"
        order, payment = found
        now_ms = self._services.clock.now_ms()
        shown = transaction(order, payment, now_ms=now_ms, openid_key=self._openid_key)
        account = await self._account(order["mchid"])
        names = {
            "sub_mch_id": order["sub_mchid"],
            "sub_appid": order["sub_appid"],
            "contract_id": payment["mandate_id"] or "",
        }
        return shown, account, self._head(account) | _texts(names), payment

    def _signed(self, fields: dict[str, str], account: Account) -> bytes:
        if self._sign_type is not SignType.MD5:
            fields["sign_type"] = self._sign_type.value
        fields["sign"] = signature(fields, account.api_v2_key, self._sign_type)
        return write_fields(fields)

    async def _refund(self, refund_id: str) -> bytes:
        """Not signed: who can open it knows that it comes from who has the key."""
        found = await self._services.run_read(lambda: self._refunds.of_refund(refund_id))
        assert found is not None, "only a merchant program's refund is told in this form"
        account = await self._account(found.said["mchid"])
        told = _texts(news(refund_news(found), found.said["funds_account"]))
        sealed = seal_notice(write_fields(told, root="root"), account.api_v2_key)
        names = {"sub_mch_id": found.order["sub_mchid"], "sub_appid": found.order["sub_appid"]}
        return write_fields(self._head(account) | _texts(names) | {"req_info": sealed})

    async def _account(self, mchid: str) -> Account:
        account = await self._accounts.account(mchid)
        assert account is not None, "an order is of a merchant number"
        return account.sandboxed() if self._in_sandbox else account

    def _head(self, account: Account) -> dict[str, str]:
        return {
            "return_code": "SUCCESS",
            "appid": account.appid,
            "mch_id": account.mchid,
            "nonce_str": self._services.entropy.token_bytes(_NONCE_BYTES).hex(),
        }


def _texts(fields: Mapping[str, str | int]) -> dict[str, str]:
    return {name: str(value) for name, value in fields.items() if value != ""}
