"""What a signed result tells about a sale, and what a receipt tells about it."""

from typing import Any

from protocol.errors import CallerError
from protocol.messages import PaymentResult
from protocol.messages.offline import OfflineToken
from protocol.payment import PaymentState
from terminal.desk import error_facts
from terminal.domain.delivery import Delivery
from terminal.domain.sale import Sale
from terminal.profile import Profile


def create_body(sale: Sale, profile: Profile, **facts: Any) -> dict[str, Any]:  # noqa: ANN401
    """The body of a sale's ``payment.create``; ``facts`` are what its way to pay adds."""
    body = {
        "payment_id": sale.payment_id,
        "attempt_id": sale.attempt_id,
        "method": sale.method,
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "merchant_id": profile.merchant_id,
        "description": sale.description,
        "mandate_id": profile.mandate_id if sale.method == "mandate" else None,
        "till": profile.till,
        "cashier": sale.cashier,
        **facts,
    }
    return {name: value for name, value in body.items() if value is not None}


def bearer_facts(token: OfflineToken) -> dict[str, Any]:
    """Who bears what goes wrong with a token, for its receipt."""
    voucher = token.voucher
    return {
        "guarantee_minor": voucher.guarantee_minor,
        "return_until_ms": voucher.return_until_ms,
        "offline_number": token.text.number,
        "voucher_id": voucher.voucher_id,
    }


def check_money(sale: Sale, result: PaymentResult) -> None:
    """A result speaks of our amount; of none if the payment was reversed before it arrived."""
    never_arrived = result.payment_state is PaymentState.REVERSED and result.amount_minor == 0
    if result.currency != sale.currency or (
        result.amount_minor != sale.amount_minor and not never_arrived
    ):
        raise CallerError("idempotency_conflict", "a result with other money")


def changes_of(sale: Sale, result: PaymentResult) -> dict[str, Any]:
    """What a result tells beyond its state. What it leaves out is kept."""
    state = result.payment_state
    ended = {
        PaymentState.CLOSED: "closed",
        PaymentState.EXPIRED: "expired",
        PaymentState.REVERSED: "reversed",
    }.get(state)
    code = result.error.code if result.error is not None else None
    if code is None and state is PaymentState.EXPIRED:
        code = "payment_expired"
    if code is None and sale.delivery is Delivery.NOT_GIVEN:
        code = "item_not_given"
    return {
        "error_code": code,
        "ended_as": ended,
        "code_url": result.code_url or sale.code_url,
        "code_expires_at_ms": result.code_expires_at_ms or sale.code_expires_at_ms,
        "payer_masked": result.payer_masked or sale.payer_masked,
        "paid_at_ms": result.paid_at_ms or sale.paid_at_ms,
        "coupon_minor": result.coupon_minor or sale.coupon_minor,
        "refunded_minor": max(result.refunded_minor, sale.refunded_minor),
    }


def receipt_facts(sale: Sale) -> dict[str, Any]:
    """What stands on the receipts of a sale."""
    return {
        "payment_id": sale.payment_id,
        "method": sale.method,
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "payer": sale.payer_masked,
        "coupon_minor": sale.coupon_minor or None,
        "paid_at_ms": sale.paid_at_ms,
        "cashier": sale.cashier,
        "description": sale.description or None,
        "is_recovered": sale.is_recovered or None,
        **error_facts(sale.error_code),
    }


def trial_facts(profile: Profile) -> dict[str, Any]:
    """A receipt that nobody gets: what must be printable with this profile."""
    return {
        "kind": "paid",
        "merchant_zh": profile.merchant_zh,
        "merchant_en": profile.merchant_en,
        "till": profile.till,
        "payment_id": "pay_" + "0" * 26,
        "method": profile.methods[0],
        "amount_minor": profile.amount_minor_max,
        "currency": profile.currency,
        "at_ms": 0,
        "footer_zh": profile.receipt_footer_zh or None,
        "footer_en": profile.receipt_footer_en or None,
    }
