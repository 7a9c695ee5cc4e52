"""A refusal speaks to whoever reads it: to the payer on the wallet's pages."""

import pytest

from backend.wallet_page.payer_words import to_payer
from protocol.errors import CATALOGUE


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_balance", "payment_expired", "payment_closed", "channel_declined",
        "channel_stopped", "payer_frozen", "payer_not_confirmed", "risk_declined", "busy",
        "internal", "timeout", "backend_unreachable", "field_invalid", "idempotency_conflict",
        "merchant_stopped", "wallet_not_taken", "payer_limit_payment", "payer_limit_day",
        "payer_limit_year",
    ],
)  # fmt: skip
def test_the_payer_is_not_told_what_a_cashier_should_do(code: str) -> None:
    told = to_payer(code)
    assert told != CATALOGUE[code]
    assert not any(word in told.zh for word in ("顾客", "单号", "本机", "字段", "重复收款"))
    assert not any(
        word in told.en.lower()
        for word in ("the payer", "number", "till", "a field", "charge again")
    )


def test_any_other_code_has_the_catalogue_s_sentence() -> None:
    assert to_payer("pin_wrong") == CATALOGUE["pin_wrong"]
