"""From a device's checked request to the command that carries it out."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from backend.db.command import Command
from backend.mandates.standing import QueryMandate
from backend.payments.create import CreatePayment
from backend.payments.foreign import ForeignCode
from backend.payments.model import DeviceRequest, PaymentRules
from backend.payments.offline import Presented
from backend.payments.sealed_codes import seal_code
from backend.payments.service import ClosePayment, QueryPayment, ReversePayment
from backend.refunds.service import CreateRefund, QueryRefund
from protocol.errors import CallerError
from protocol.messages import (
    REQUESTS,
    Body,
    MandateQuery,
    PaymentClose,
    PaymentCreate,
    PaymentQuery,
    PaymentReverse,
    RefundCreate,
    RefundQuery,
    parse_body,
)
from protocol.messages.offline import OFFLINE_TOKEN, read_token
from protocol.paycode import find_code
from protocol.scanned import OWN_WALLET

CommandOf = Callable[[DeviceRequest, PaymentRules], Command]
_Body = TypeVar("_Body", bound=Body)


def command_of(request: DeviceRequest, rules: PaymentRules) -> Command:
    """The command for a request; ``CallerError("message_type_unknown")`` if it is not ours."""
    make = REQUEST_COMMANDS.get(request.message_type)
    if make is None:
        raise CallerError("message_type_unknown", request.message_type)
    return make(request, rules)


def parse_request(message_type: str, body: Mapping[str, Any]) -> Body:
    """The checked body of a request; ``CallerError`` names the wrong type or the wrong field."""
    model = REQUESTS.get(message_type)
    if model is None:
        raise CallerError("message_type_unknown", message_type)
    return parse_body(model, body)


def _create(request: DeviceRequest, rules: PaymentRules) -> Command:
    body = _body(request, PaymentCreate)
    found = foreign = None
    if body.method == "pay_code":
        if body.pay_code is None or body.mandate_id is not None:
            raise CallerError("field_invalid", "pay_code")
        foreign = _foreign(body, rules)
        if foreign is None:
            # Judged by the time the hub received it: the request ages in the spool, the code does
            # not.
            found = find_code(rules.code_master_key, body.pay_code, at_ms=request.received_at_ms)
    elif body.pay_code is not None or (body.method == "mandate") != (body.mandate_id is not None):
        raise CallerError("field_invalid", "method")
    return CreatePayment(
        request=request,
        body=body,
        rules=rules,
        found=found,
        foreign=foreign,
        presented=_presented(body),
    )


def _presented(body: PaymentCreate) -> Presented | None:
    """The token that a till accepted offline, if that is the method."""
    text, at_ms = body.offline_token, body.accepted_at_ms
    if {body.method == OFFLINE_TOKEN, text is not None, at_ms is not None} == {False}:
        return None
    if body.method != OFFLINE_TOKEN or text is None or at_ms is None:
        raise CallerError("field_invalid", "offline_token")
    return Presented(token=read_token(text), accepted_at_ms=at_ms)


def _foreign(body: PaymentCreate, rules: PaymentRules) -> ForeignCode | None:
    """The code, where its form is another wallet's."""
    assert body.pay_code is not None
    wallet = rules.routing.scan.find(body.pay_code).wallet
    if wallet in {"", OWN_WALLET}:
        return None
    sealed = seal_code(rules.code_master_key, body.payment_id, body.pay_code)
    return ForeignCode(wallet=wallet, sealed=sealed)


def _query(request: DeviceRequest, _: PaymentRules) -> Command:
    return QueryPayment(request=request, payment_id=_body(request, PaymentQuery).payment_id)


def _close(request: DeviceRequest, _: PaymentRules) -> Command:
    return ClosePayment(request=request, payment_id=_body(request, PaymentClose).payment_id)


def _reverse(request: DeviceRequest, rules: PaymentRules) -> Command:
    payment_id = _body(request, PaymentReverse).payment_id
    return ReversePayment(request=request, payment_id=payment_id, rules=rules)


def _refund(request: DeviceRequest, rules: PaymentRules) -> Command:
    return CreateRefund(request=request, body=_body(request, RefundCreate), rules=rules)


def _query_refund(request: DeviceRequest, _: PaymentRules) -> Command:
    return QueryRefund(request=request, refund_id=_body(request, RefundQuery).refund_id)


def _query_mandate(request: DeviceRequest, rules: PaymentRules) -> Command:
    mandate_id = _body(request, MandateQuery).mandate_id
    return QueryMandate(
        mandate_id=mandate_id,
        merchant_id=request.merchant_id,
        device=request.device,
        business_date=rules.business_date,
    )


def _body(request: DeviceRequest, model: type[_Body]) -> _Body:
    if not isinstance(request.body, model):
        raise CallerError("field_invalid", "body")
    return request.body


REQUEST_COMMANDS: dict[str, CommandOf] = {
    "payment.create": _create,
    "payment.query": _query,
    "payment.close": _close,
    "payment.reverse": _reverse,
    "refund.create": _refund,
    "refund.query": _query_refund,
    "mandate.query": _query_mandate,
}
"""What this room answers; ``device.hello`` is the devices' room's."""
