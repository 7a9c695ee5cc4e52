"""A payer's phone with a voucher, and the hub's word of what a till may accept, for tills."""

from typing import Any

from hub.domain.effects import Mode
from hub.words import seal_state
from protocol.crypto.keys import SigningKey, generate
from protocol.messages.offline import (
    FloorLimits,
    OfflineWish,
    TokenText,
    VoucherText,
    sign_token,
    sign_voucher,
)
from tests.unit.terminal.fakes import BACKEND_KEY, HUB_KEY, STORE

HOUR_MS = 3_600_000
PHONE_KEY = generate("Ed25519")
FLOOR: dict[str, Any] = {
    "payment_minor_max": {"new": 5_000}, "device_minor_max": 9_000, "device_tokens_max": 3,
    "store_minor_left": 100_000, "age_ms_max": 24 * HOUR_MS,
}  # fmt: skip
VOUCHER_ID = "ofv_01ARZ3NDEKTSV4RRFFQ69G5FAV"


def hub_word(mode: Mode, at_ms: int, **changes: Any) -> bytes:
    """The hub's signed state."""
    floor = FloorLimits(**(FLOOR | changes))
    return seal_state(mode, at_ms, store=STORE, epoch=1, key=HUB_KEY, floor=floor)


class Phone:
    """A payer's phone with a voucher of 100 yuan."""

    def __init__(self, now_ms: int, **changes: Any) -> None:
        usual: dict[str, Any] = {
            "voucher_id": VOUCHER_ID, "payer_masked": "李*", "payer_class": "new",
            "suite": PHONE_KEY.suite.name, "public": PHONE_KEY.public.public, "currency": "CNY",
            "amount_minor": 10_000, "payment_minor_max": 6_000, "tokens_max": 20,
            "guarantee_minor": 5_000, "valid_from_ms": now_ms, "valid_until_ms": now_ms + HOUR_MS,
            "return_until_ms": now_ms + 72 * HOUR_MS,
        }  # fmt: skip
        self.text = VoucherText(**(usual | changes))
        self.number = 0

    def sign(
        self, wish: str, *, key: SigningKey = PHONE_KEY, by: SigningKey = BACKEND_KEY,
        **changes: Any,
    ) -> str:  # fmt: skip
        """Scan the till's code and sign it."""
        asked = OfflineWish.from_text(wish)
        fields: dict[str, Any] = {
            "voucher_id": self.text.voucher_id, "number": self.number, "signed_at_ms": 1,
            **asked.to_map(),
        }  # fmt: skip
        self.number += 1
        text = TokenText(**(fields | changes))
        return sign_token(text, key, voucher=sign_voucher(self.text, by))
