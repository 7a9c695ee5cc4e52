"""How a merchant's program asks the payment engine: as a device of that merchant, of no store."""

import hashlib
import json

from backend.merchant_api.faults import APPID_MCHID_NOT_MATCH, MCHID_NOT_MATCH, ApiError
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import CODE_GUARDS
from backend.merchant_api.orders.schemas import Amount
from backend.merchant_api.wire.asked import Asked
from backend.payments.create import CreatePayment
from backend.payments.model import DeviceRequest
from backend.payments.services import Services
from protocol import ids
from protocol.messages import Body, PaymentCreate, PaymentReverse, RefundCreate
from protocol.messages.requests import Method
from protocol.paycode import Found, find_code

NO_STORE = ""
"""A merchant's program stands in no store: nothing is pushed to a till."""
_TILL = "api"


class Engine:
    """Makes the engine's requests. One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def check_names(self, account: Account, *, mchid: str, appid: str) -> None:
        """Whether a body speaks of the merchant number that has signed, and of its app."""
        if mchid != account.mchid:
            raise ApiError(MCHID_NOT_MATCH)
        if appid != account.appid:
            raise ApiError(APPID_MCHID_NOT_MATCH)

    def by_qr(
        self, account: Account, *, amount: Amount, description: str, is_shared: bool = False
    ) -> CreatePayment:
        """A payment whose payer will scan, or open it."""
        body = self._payment(account, amount, description, "merchant_qr")
        request = self._request(account, "payment.create", body)
        return CreatePayment(
            request=request, body=body, rules=self._services.rules, is_shared=is_shared
        )

    def by_code(
        self,
        account: Account,
        *,
        amount: Amount,
        description: str,
        code: str,
        store: str = "",
        is_shared: bool = False,
        asks_payer: bool = False,
    ) -> CreatePayment:
        """A payment whose payer has shown a code. Too many wrong ones stop that store for a while,
        and those few of the merchant's that share its place: who names ever new stores guesses in
        a bounded number of places all the same."""
        body = self._payment(account, amount, description, "pay_code", pay_code=code)
        request = self._request(account, "payment.create", body)
        return CreatePayment(
            request=request,
            body=body,
            rules=self._services.rules,
            found=self.find(code),
            guard=guard_of(account, store),
            is_shared=is_shared,
            asks_payer=asks_payer,
        )

    def find(self, code: str) -> Found:
        """What a code is by its arithmetic, now."""
        now_ms = self._services.clock.now_ms()
        return find_code(self._services.rules.code_master_key, code, at_ms=now_ms)

    def by_mandate(
        self,
        account: Account,
        *,
        amount: Amount,
        description: str,
        mandate_id: str,
        notify_url: str,
        notify_form: str,
        is_decline_told: bool,
    ) -> CreatePayment:
        """A payment that the program takes by itself, under what the payer has signed."""
        body = self._payment(account, amount, description, "mandate", mandate_id=mandate_id)
        return CreatePayment(
            request=self._request(account, "payment.create", body),
            body=body,
            rules=self._services.rules,
            notify_url=notify_url,
            notify_form=notify_form,
            is_decline_told=is_decline_told,
        )

    def reversal(self, account: Account, payment_id: str) -> DeviceRequest:
        """The request to undo a payment."""
        return self._request(account, "payment.reverse", PaymentReverse(payment_id=payment_id))

    def refund(
        self, account: Account, *, payment_id: str, amount_minor: int, currency: str, reason: str
    ) -> tuple[DeviceRequest, RefundCreate]:
        """The request to give money back, and its body."""
        body = RefundCreate(
            refund_id=self.mint(ids.REFUND),
            payment_id=payment_id,
            amount_minor=amount_minor,
            currency=currency,
            reason=reason,
            till=_TILL,
        )
        return self._request(account, "refund.create", body), body

    def _payment(
        self,
        account: Account,
        amount: Amount,
        description: str,
        method: Method,
        pay_code: str | None = None,
        mandate_id: str | None = None,
    ) -> PaymentCreate:
        return PaymentCreate(
            payment_id=self.mint(ids.PAYMENT),
            attempt_id=self.mint(ids.ATTEMPT),
            method=method,
            amount_minor=amount.total,
            currency=amount.currency,
            merchant_id=account.merchant_id,
            description=description,
            pay_code=pay_code,
            mandate_id=mandate_id,
            till=_TILL,
        )

    def _request(self, account: Account, message_type: str, body: Body) -> DeviceRequest:
        return DeviceRequest(
            request_id=self.mint(ids.REQUEST),
            device=_device(account),
            store=NO_STORE,
            merchant_id=account.merchant_id,
            message_type=message_type,
            body=body,
            content_hash=b"",
            received_at_ms=self._services.clock.now_ms(),
            trace_id="",
        )

    def mint(self, prefix: str) -> str:
        """A new id."""
        random_bytes = self._services.entropy.token_bytes(ids.RANDOM_BYTES)
        now_ms = self._services.clock.now_ms()
        return ids.mint(prefix, time_ms=now_ms, random_bytes=random_bytes)


def guard_of(account: Account, store: str = "") -> str:
    """The guard that counts wrong codes."""
    return f"{_device(account)}#{_place(store)}"


def _device(account: Account) -> str:
    return f"api-{account.mchid}"


def _place(store: str) -> int:
    return int.from_bytes(hashlib.sha256(store.encode()).digest()[:4], "big") % CODE_GUARDS


def content_hash(wanted: Asked, kind: str) -> bytes:
    """What a number is bound to: all that was asked under it."""
    plain = json.dumps([kind, wanted.model_dump(exclude_none=True)], sort_keys=True)
    return hashlib.sha256(plain.encode()).digest()
