"""The payer's side, pure: PINs, bearer tokens, masks and the words on a merchant's code.

Rule 1: a token or a PIN is never stored; a hash of it is. A pay code is never stored at all.
Rule 2: a wrong PIN is counted before it is compared, so that guessing in parallel gains nothing.
"""

import hashlib
import hmac
import itertools
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from backend.passkeys.model import NOWHERE, Site
from backend.wallet.limits import (
    PIN_DIGITS,
    PIN_FREE_MINOR_MAX,
    PIN_FREE_PER_DAY_MAX,
    PIN_SCRYPT_LOG2_N,
    PIN_SCRYPT_P,
    PIN_SCRYPT_R,
    QR_TEXT_CHARS_MAX,
)
from protocol.errors import CallerError
from protocol.ids import is_id
from protocol.paycode import ROUTES_MAX

PIN_SALT_BYTES = 16
_PIN_HASH_BYTES = 32
_PIN_SHAPE = re.compile(rf"\d{{{PIN_DIGITS}}}\Z", re.ASCII)
_TOKEN_CONTEXT = b"tillway-wallet-token-v1"
_QR_HEAD = "tillway://pay?id="
_QR_HEADS = (_QR_HEAD, "weixin://wxpay/bizpayurl?pr=")
"""Ours, and the one that merchants' programs for the compatible interface know."""
PAGE_PATH = "/q/p/"
_PAGED = re.compile(rf"https?://[^/?#]+{PAGE_PATH}(pay_[0-9A-Z]{{26}})", re.ASCII).fullmatch
"""The page that every wallet opens. Whatever its host says, only the payment's id counts here."""
_PREPAY = re.compile(r"weixin://wap/pay\?prepayid=wx\d{8}([0-9A-Z]{26})", re.ASCII).fullmatch
"""What a page or an app opens the wallet with: ``wx``, a date, and the payment's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFreeDay:
    """What a payer has confirmed without a PIN on one business date, and the limit that the payer
    has chosen (None: none but ours)."""

    chosen_minor: int | None = None
    spent_minor: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletRules:
    """What a wallet may do without asking. Safe defaults; configuration may tighten or widen."""

    pin_free_minor: int = 20_000
    """Confirming a scanned code up to this amount needs no PIN (single-factor payments stay
    small); for a code that the payer shows, the merchant's limit stands in its place."""
    pin_free_day_minor: int = 100_000
    """How much a payer may pay without a PIN on one business date, in each currency."""
    pin_free_day_count: int = 10
    """How many payments that may be."""

    consent_minor: int = 500_000
    """Up to this amount the phone's signature, or a passkey's, stands for the PIN (two factors)."""
    failure_switches: bool = False
    """Whether payers may make their own payments fail, to try how that looks."""
    site: Site = NOWHERE
    """At which addresses a fingerprint or a face is taken; by default at none."""

    def __post_init__(self) -> None:
        if self.consent_minor < 0:
            raise ValueError("consent_minor is out of range")
        if not 0 <= self.pin_free_minor <= PIN_FREE_MINOR_MAX or self.pin_free_day_minor < 0:
            raise ValueError("the limits without a PIN are out of range")
        if not 0 <= self.pin_free_day_count <= PIN_FREE_PER_DAY_MAX:
            raise ValueError("pin_free_day_count is out of range")

    def limit_minor(self, day: PinFreeDay) -> int:
        """The limit of one payment: ours, or the payer's own if that is less."""
        chosen = day.chosen_minor
        return self.pin_free_minor if chosen is None else min(self.pin_free_minor, chosen)

    def pin_reason(self, amount_minor: int, day: PinFreeDay) -> str | None:
        """Why confirming this payment needs the PIN; None if it does not."""
        if amount_minor > self.limit_minor(day):
            return "above the limit of one payment"
        return self._day_reason(amount_minor, day)

    def code_reason(
        self, amount_minor: int, day: PinFreeDay, *, merchant_limit_minor: int
    ) -> str | None:
        """Why a payment by the payer's code needs more than the code; None if it does not."""
        chosen = day.chosen_minor
        limit = merchant_limit_minor if chosen is None else min(merchant_limit_minor, chosen)
        if amount_minor > limit:
            return "above the limit of one payment"
        return self._day_reason(amount_minor, day)

    def _day_reason(self, amount_minor: int, day: PinFreeDay) -> str | None:
        if day.spent_minor + amount_minor > self.pin_free_day_minor:
            return "above the limit of the day"
        return "too many payments of the day" if day.count >= self.pin_free_day_count else None


def is_weak_pin(pin: str) -> bool:
    """Whether it is what a thief tries first: one digit six times, or a run up or down."""
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(pin)}
    return steps in ({0}, {1}, {-1})


def hash_pin(pin: str, salt: bytes) -> bytes:
    """The stored form of a PIN (scrypt, RFC 7914); ``CallerError("field_invalid")`` unless six
    digits. Slow on purpose: call it outside the event loop and the writer."""
    if _PIN_SHAPE.match(pin) is None:
        raise CallerError("field_invalid", "pin")
    kdf = Scrypt(
        salt=salt, length=_PIN_HASH_BYTES, n=1 << PIN_SCRYPT_LOG2_N, r=PIN_SCRYPT_R, p=PIN_SCRYPT_P
    )
    return kdf.derive(pin.encode("ascii"))


def is_same_hash(left: bytes, right: bytes) -> bool:
    """Compare hashes in constant time."""
    return hmac.compare_digest(left, right)


def hash_token(token: str) -> bytes:
    """The stored form of a bearer token. Tokens carry 256 random bits, so a fast hash is right."""
    return hashlib.sha256(_TOKEN_CONTEXT + token.encode("utf-8", "surrogatepass")).digest()


def route_of(payer_id: str, attempt: int) -> int:
    """A pay-code route for a payer: spread over all routes; another attempt, another route."""
    digest = hashlib.sha256(f"route|{payer_id}|{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % ROUTES_MAX


def masked_name(name: str) -> str:
    """A payer's name as a merchant may see it: the first character stays."""
    return f"{name[:1]}{'*' * min(2, max(1, len(name) - 1))}"


def code_url(payment_id: str) -> str:
    """What a merchant-presented code says. The id has 80 random bits: nobody guesses a code."""
    return f"{_QR_HEAD}{payment_id}"


def page_code_url(page_url: str, payment_id: str) -> str:
    """The same code for every wallet: the address of a page. Empty where there is no page."""
    return f"{page_url}{PAGE_PATH}{payment_id}" if page_url else ""


def compatible_code_url(payment_id: str) -> str:
    """The same code as merchants' programs for the compatible interface know it."""
    return f"{_QR_HEADS[1]}{payment_id}"


def scanned_payment_id(content: str) -> str:
    """The payment a scanned code is for; ``CallerError("field_invalid")`` for any other text."""
    if len(content) <= QR_TEXT_CHARS_MAX:
        for head in _QR_HEADS:
            payment_id = content.removeprefix(head)
            if payment_id != content and is_id(payment_id, prefix="pay"):
                return payment_id
        paged = _PAGED(content)
        if paged is not None and is_id(paged[1], prefix="pay"):
            return paged[1]
        prepay = _PREPAY(content)
        if prepay is not None and is_id(f"pay_{prepay[1]}", prefix="pay"):
            return f"pay_{prepay[1]}"
    raise CallerError("field_invalid", "not a payment code of ours")
