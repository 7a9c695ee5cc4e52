"""A payer's phone: shows pay codes as pictures, scans merchants' codes, confirms, signs mandates.

It holds the payer's private key and token, and speaks to the backend's wallet API as any wallet
would; what it shows and scans are real pictures.
"""

import hashlib
import io
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import qrcode
import zxingcpp
from PIL import Image

from backend.instruments.issuers import luhn_digit
from protocol.crypto.keys import SigningKey
from protocol.errors import CallerError, OperatingError
from protocol.ids import ATTEMPT, INSTRUMENT, MANDATE, OFFLINE_VOUCHER, RANDOM_BYTES, mint
from protocol.messages.mandate import MandateText, sign_mandate
from protocol.messages.offline import OfflineWish, TokenText, sign_token
from protocol.paycode import make_code
from tillway.json_api import JsonApi

MANDATE_VALID_MS = 90 * 86_400_000
CODE_WAIT_S = 40


@dataclass(frozen=True, slots=True)
class Phone:
    """One payer's wallet."""

    payer_id: str
    name: str
    api: JsonApi
    key: SigningKey = field(repr=False)
    pin: str = field(repr=False)
    code_secret: bytes = field(repr=False)
    code_route: int
    vouchers: list[dict[str, Any]] = field(default_factory=list)
    """What it took along for payments without a line."""
    signed_offline: list[TokenText] = field(default_factory=list)

    def balance_minor(self) -> int:
        """What the wallet shows."""
        return int(self.api.get("/wallet/v1/balance")["balance_minor"])

    def pay_code_picture(self) -> bytes:
        """A fresh pay code on the screen, as PNG."""
        return draw_qr(self.pay_code())

    def pay_code(self) -> str:
        """The digits of a fresh pay code: four in each half minute, and then it waits."""
        waits_until = time.monotonic() + CODE_WAIT_S
        while True:
            try:
                return str(self.api.post("/wallet/v1/pay-code")["pay_code"])
            except OperatingError as refusal:
                if refusal.code != "busy" or time.monotonic() > waits_until:
                    raise
            time.sleep(1)

    def own_code_picture(self, *, now_ms: int) -> bytes:
        """A pay code that the phone makes without asking anybody, by its own clock."""
        return draw_qr(make_code(self.code_secret, route=self.code_route, at_ms=now_ms))

    def old_screenshot(self, *, made_at_ms: int) -> bytes:
        """The pay code that this wallet showed at an earlier time, kept as a picture."""
        return self.own_code_picture(now_ms=made_at_ms)

    def pay_merchant_code(self, picture: bytes, *, now_ms: int) -> dict[str, Any]:
        """Scan the picture on a till, look at merchant and amount, confirm with the PIN."""
        return self.pay_content(read_qr(picture), now_ms=now_ms)

    def pay_content(self, content: str, *, now_ms: int) -> dict[str, Any]:
        """Do so with what the picture says, or with what a page or an app hands over."""
        return self.confirm(self.scan(content)["payment_id"], now_ms=now_ms)

    def scan(self, content: str) -> dict[str, Any]:
        """Whom a merchant's code would have paid, and how much; nothing is paid yet."""
        shown: dict[str, Any] = self.api.post("/wallet/v1/scan", {"content": content})
        return shown

    def asked(self) -> list[dict[str, Any]]:
        """The payments by code that wait for this payer."""
        found: list[dict[str, Any]] = self.api.get("/wallet/v1/asked")["asked"]
        return found

    def confirm_asked(self, payment_id: str, *, now_ms: int) -> dict[str, Any]:
        """Give the PIN for a payment by code that waits for it."""
        if payment_id not in [one["payment_id"] for one in self.asked()]:
            raise CallerError("payment_not_found", payment_id)
        return self.confirm(payment_id, now_ms=now_ms)

    def take_along(self, amount_minor: int, *, now_ms: int) -> str:
        """Set money aside for payments without a line; returns the voucher's id."""
        voucher_id = _mint(OFFLINE_VOUCHER, now_ms)
        wanted = {"voucher_id": voucher_id, "amount_minor": amount_minor, "pin": self.pin}
        self.vouchers.append(self.api.post("/wallet/v1/offline-vouchers", wanted))
        return voucher_id

    def sign_offline(self, wish: str, *, now_ms: int) -> str:
        """What the phone shows for a till's wish, without asking anybody: the next token of the
        voucher that it took along last."""
        text = _token_text(self.vouchers[-1], len(self.signed_offline), wish, now_ms)
        self.signed_offline.append(text)
        return self._signed_token(text, self.vouchers[-1])

    def sign_token(self, voucher: dict[str, Any], wish: str, *, number: int, now_ms: int) -> str:
        """The same of a voucher that was kept elsewhere, with the number that is due there."""
        return self._signed_token(_token_text(voucher, number, wish, now_ms), voucher)

    def _signed_token(self, text: TokenText, voucher: dict[str, Any]) -> str:
        return sign_token(text, self.key, voucher=bytes.fromhex(voucher["signed"]))

    def spent_offline_minor(self, voucher_id: str) -> int:
        """What has come back of a voucher."""
        return int(self.api.get(f"/wallet/v1/offline-vouchers/{voucher_id}")["spent_minor"])

    def confirm(self, payment_id: str, *, now_ms: int) -> dict[str, Any]:
        """Give the PIN for what was scanned."""
        confirmation = {
            "payment_id": payment_id,
            "attempt_id": _mint(ATTEMPT, now_ms),
            "pin": self.pin,
        }
        paid: dict[str, Any] = self.api.post("/wallet/v1/confirm", confirmation)
        return paid

    def agree(self, path: str) -> dict[str, Any]:
        """Sign the text that is shown above this path, and send it there."""
        text = MandateText.from_map(self.api.get(path.rpartition("/")[0])["text"])
        agreed: dict[str, Any] = self.api.post(path, {"signed": sign_mandate(text, self.key).hex()})
        return agreed

    def add_instrument(
        self, kind: str, token: str, *, tokens: dict[str, str] | None = None, now_ms: int
    ) -> str:
        """Add an account that a bank or a channel has given the wallet tokens for; its number."""
        instrument = {
            "instrument_id": _mint(INSTRUMENT, now_ms),
            "kind": kind,
            "bank": "招商银行",
            "last4": "8888",
            "token": token,
            "tokens": tokens or {},
        }
        self.api.post("/wallet/v1/instruments", instrument)
        return str(instrument["instrument_id"])

    def pay_with(self, instrument_id: str) -> None:
        """Pay with it from now on."""
        self.api.post("/wallet/v1/instruments/default", {"instrument_id": instrument_id})

    def choose_coupon(self, coupon_id: str) -> None:
        """Use a coupon with the next pay code."""
        self.api.post("/wallet/v1/coupons/chosen", {"coupon_id": coupon_id})

    def mandate_of(self, device: str) -> str:
        """The mandate that lets this device debit; empty where none stands."""
        found = self.api.get("/wallet/v1/mandates")["mandates"]
        standing = [one for one in found if one["device"] == device and one["status"] == "active"]
        return str(standing[0]["mandate_id"]) if standing else ""

    def bill(self, payment_id: str) -> dict[str, Any]:
        """What the wallet says of a payment; ``payment_not_found`` where it is none of its own."""
        found = self.api.get("/wallet/v1/bills")["bills"]
        bills: list[dict[str, Any]] = [one for one in found if one["payment_id"] == payment_id]
        if not bills:
            raise CallerError("payment_not_found", payment_id)
        return bills[0]

    def card_number(self) -> str:
        """The number of the bank card in this phone's case; its bank is a simulated one."""
        digits = str(int.from_bytes(hashlib.sha256(self.payer_id.encode()).digest(), "big"))[-9:]
        return f"622202{digits}" + luhn_digit(f"622202{digits}")

    def allow_device(
        self, *, merchant_id: str, device: str, payment_minor: int, day_minor: int, now_ms: int
    ) -> str:
        """Sign a mandate: this device of this merchant may take so much; returns its id."""
        text = MandateText(
            mandate_id=_mint(MANDATE, now_ms),
            payer_id=self.payer_id,
            merchant_id=merchant_id,
            device=device,
            currency="CNY",
            limit_payment_minor=payment_minor,
            limit_day_minor=day_minor,
            valid_from_ms=now_ms,
            valid_until_ms=now_ms + MANDATE_VALID_MS,
        )
        self.api.post("/wallet/v1/mandates", {"signed": sign_mandate(text, self.key).hex()})
        return text.mandate_id


def _token_text(voucher: dict[str, Any], number: int, wish: str, now_ms: int) -> TokenText:
    asked = OfflineWish.from_text(wish)
    return TokenText(
        voucher_id=voucher["voucher_id"], number=number, signed_at_ms=now_ms, **asked.to_map()
    )


def draw_qr(text: str) -> bytes:
    """A QR code of the text, as PNG."""
    picture = io.BytesIO()
    qrcode.make(text, box_size=8, border=4).save(picture)
    return picture.getvalue()


def read_qr(picture: bytes) -> str:
    """The text of the QR code on a picture; ``pay_code_invalid`` where there is none."""
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))
    if not found:
        raise CallerError("pay_code_invalid", "no code on the picture")
    return str(found[0].text)


def _mint(prefix: str, now_ms: int) -> str:
    return mint(prefix, time_ms=now_ms, random_bytes=secrets.token_bytes(RANDOM_BYTES))
