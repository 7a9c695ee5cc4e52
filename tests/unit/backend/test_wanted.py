"""JSON for the backend: no control character comes in, by whatever field."""

from typing import Any

import pytest
from pydantic import ValidationError

from backend.clearing.routes import TopUpOrderBody
from backend.merchants.schemas import MerchantChange
from backend.operator.schemas import NewCode, NewMerchant, NewStore, StatusChange
from backend.wallet.schemas import Block, NewPayer, Scanned

MERCHANT = {"merchant_id": "m1", "name": "面馆", "payout_bank": "b", "payout_account_name": "n",
            "payout_account_no": "6222"}  # fmt: skip
CODE = {"tid": "till-1", "kind": "terminal", "store": "s1", "names": ["a", "b"]}
PAYER = {"payer_id": "usr_1", "name": "安", "pin": "123456", "key_suite": "ES256",
         "key_public": "0" * 64}  # fmt: skip
TOPUP = {"topup_id": "top_1", "bank_account": "1", "amount_minor": 1}
STORE = {"store": "s1", "merchant_id": "m1", "name": "一号店"}
WHOLE: list[tuple[Any, dict[str, Any], tuple[str, ...]]] = [
    (NewMerchant, MERCHANT, tuple(MERCHANT)),
    (NewStore, STORE, tuple(STORE)),
    (NewCode, CODE, ("tid", "store", "names")),
    (StatusChange, {"reason": "lost"}, ("reason",)),
    (NewPayer, PAYER, ("payer_id", "name")),
    (Block, {"is_on": True, "reason": "r"}, ("reason",)),
    (Scanned, {"content": "c"}, ("content",)),
    (MerchantChange, {"notify_url": "https://x"}, ("notify_url",)),
    (TopUpOrderBody, TOPUP, ("topup_id", "bank_account")),
]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\n", "\ud800"])
@pytest.mark.parametrize(("model", "whole", "texts"), WHOLE)
def test_no_text_holds_a_control_character(
    model: Any, whole: dict[str, Any], texts: tuple[str, ...], character: str
) -> None:
    model.model_validate(whole)
    for field in texts:
        old = whole[field]
        bad = [*old, f"x{character}"] if isinstance(old, list) else f"{old}{character}"
        with pytest.raises(ValidationError) as refused:
            model.model_validate({**whole, field: bad})
        assert refused.value.errors()[0]["loc"][0] == field
