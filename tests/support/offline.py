"""Payers with vouchers, and tills that accept their tokens while nobody can be asked."""

from dataclasses import dataclass, field
from typing import Any

from backend.offline.service import CloseVoucher, GiveVoucher
from protocol.crypto.keys import SigningKey, generate
from protocol.messages.offline import (
    TokenText,
    VoucherText,
    sign_token,
    sign_voucher,
)
from tests.support.shop import MERCHANT, Shop

BACKEND_KEY = generate("Ed25519")
HOUR_MS = 3_600_000


@dataclass
class OfflinePhone:
    """A payer's phone: a voucher, and the number of its next token. A cheat is told which."""

    shop: Shop
    payer_id: str
    row: dict[str, Any] = field(default_factory=dict)
    next_number: int = 0

    def fetch(self, amount_minor: int, **changes: Any) -> dict[str, Any]:
        """Set money aside while the line is there."""
        command = GiveVoucher(
            voucher_id=changes.get("voucher_id") or self.shop.id("ofv"), payer_id=self.payer_id,
            amount_minor=amount_minor, currency="CNY", rules=self.shop.rules.offline,
            business_date=self.shop.rules.business_date(self.shop.clock.at_ms),
        )  # fmt: skip
        self.row = self.shop.do(command)
        return self.row

    @property
    def key(self) -> SigningKey:
        return self.shop.keys[self.payer_id]

    def voucher(self, *, by: SigningKey = BACKEND_KEY, **changes: Any) -> bytes:
        """The signed voucher, as the backend gives it."""
        names = [name for name in VoucherText.model_fields if name in self.row]
        fields: dict[str, Any] = {name: self.row[name] for name in names}
        fields |= {"payer_masked": "李*", "suite": self.key.suite.name,
                   "public": self.key.public.public}  # fmt: skip
        return sign_voucher(VoucherText(**(fields | changes)), by)

    def token(self, body: dict[str, Any], *, number: int | None = None, **changes: Any) -> str:
        """A token for a till's payment."""
        if number is None:
            number, self.next_number = self.next_number, self.next_number + 1
        key = changes.pop("key", self.key)
        fields: dict[str, Any] = {
            "voucher_id": self.row["voucher_id"], "number": number,
            "payment_id": body["payment_id"], "merchant_id": body["merchant_id"],
            "amount_minor": changes.pop("signed_minor", body["amount_minor"]), "currency": "CNY",
            "signed_at_ms": self.shop.clock.at_ms,
        }  # fmt: skip
        return sign_token(TokenText(**(fields | changes)), key, voucher=self.voucher())

    def accepted(self, amount_minor: int, **token: Any) -> dict[str, Any]:
        """What a till has accepted now, to be sent at any time later."""
        body = self.shop.create_body("offline_token", amount_minor)
        return body | {
            "offline_token": self.token(body, **token),
            "accepted_at_ms": self.shop.clock.at_ms,
        }

    def close(self) -> int:
        """The clock's command; how much went back."""
        date = self.shop.rules.business_date(self.shop.clock.at_ms)
        voucher_id = self.row["voucher_id"]
        rest: int = self.shop.do(CloseVoucher(voucher_id=voucher_id, business_date=date))
        return rest


def set_aside(shop: Shop, phone: OfflinePhone) -> int:
    """What stands in a voucher's account."""
    return shop.balance(f"C:ESCROW:{phone.row['voucher_id']}:CNY")


def earned(shop: Shop, merchant_id: str = MERCHANT) -> int:
    """What a merchant has earned, the fee off."""
    return shop.balance(f"C:MPEND:{merchant_id}:CNY")
