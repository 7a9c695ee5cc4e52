"""A refusal speaks to whoever reads it: to the payer on the wallet's pages."""

import pytest

from backend.wallet_page.payer_words import to_payer
from protocol.errors import CATALOGUE


@pytest.mark.parametrize(
    "code",
    [
        "insufficient_balance", "payment_expired", "channel_declined", "channel_stopped",
        "payer_frozen", "payer_not_confirmed", "risk_declined",
    ],
)  # fmt: skip
def test_the_payer_is_not_told_what_a_cashier_should_do(code: str) -> None:
    told = to_payer(code)
    assert told != CATALOGUE[code]
    assert "顾客" not in told.zh
    assert "the payer" not in told.en.lower()


def test_any_other_code_has_the_catalogue_s_sentence() -> None:
    assert to_payer("pin_wrong") == CATALOGUE["pin_wrong"]
