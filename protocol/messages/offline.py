"""Paying while nobody can be asked: the backend's voucher, and the payer's token under it.

    voucher   signed by the backend, in advance: this payer's key may spend so much until then
    token     signed by the payer's key, at the till: so much of it for this one payment

A token travels with its voucher as one text, shown as a QR code: ``TWO1.`` and Base64url of both.

Rule 1: a token names its payment, merchant and amount, so that it is good for nothing else, however
        often it is shown. What a phone can do wrong is to spend a voucher twice: its tokens are
        numbered, and the backend sees a number, or money, that was spent before.
Rule 2: who verifies needs the backend's public key alone, and no line.
Rule 3: what is signed is an array in the order of the fields, to keep the code small. Another
        length is refused: a term that is not known may be one that somebody relies on.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Self
from urllib.parse import parse_qsl, urlencode

from pydantic import Field

from protocol import cbor, cose
from protocol.crypto.keys import SigningKey, VerifyKey
from protocol.errors import CallerError
from protocol.limits import (
    ENVELOPE_BYTES_MAX,
    OFFLINE_CLASSES_MAX,
    OFFLINE_TOKEN_CHARS_MAX,
    OFFLINE_TOKENS_MAX,
)
from protocol.messages.base import (
    Body,
    CurrencyText,
    Minor,
    Name,
    OfflineVoucherIdText,
    PaymentIdText,
    PositiveMinor,
)

OFFLINE_TOKEN = "offline_token"  # noqa: S105  # the name of a way to pay
_VOUCHER_CONTEXT = b"tillway-offline-voucher-v1"
_TOKEN_CONTEXT = b"tillway-offline-token-v1"
_HEAD = "TWO1."
WISH_HEAD = "tillway://offline?"
_WISH_FIELDS_MAX = 8
_AMOUNT = re.compile(r"[1-9][0-9]{0,15}").fullmatch

_Time = Annotated[int, Field(ge=0)]


class _Signed(Body):
    """A text whose signed form is the array of its fields (rule 3)."""

    def to_bytes(self) -> bytes:
        """The bytes to sign."""
        return cbor.encode([getattr(self, name) for name in type(self).model_fields])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read them; ``CallerError("offline_token_invalid")`` for anything else."""
        values = cbor.decode(data, bytes_max=ENVELOPE_BYTES_MAX)
        names = tuple(cls.model_fields)
        if not isinstance(values, list) or len(values) != len(names):
            raise CallerError("offline_token_invalid", "fields")
        return cls.from_map(dict(zip(names, values, strict=True)))


class VoucherText(_Signed):
    """What a payer's key may spend, and who bears what goes wrong. Times are ms since the epoch.

    ``amount_minor`` is set aside for it, in all; ``guarantee_minor``: how much more than that the
    house bears if the voucher is spent twice. ``return_until_ms``: later than that nothing is paid.
    """

    voucher_id: OfflineVoucherIdText
    payer_masked: Name
    payer_class: Name
    suite: Name
    public: bytes
    currency: CurrencyText
    amount_minor: PositiveMinor
    payment_minor_max: PositiveMinor
    tokens_max: Annotated[int, Field(ge=1, le=OFFLINE_TOKENS_MAX)]
    guarantee_minor: Minor
    valid_from_ms: _Time
    valid_until_ms: _Time
    return_until_ms: _Time

    @property
    def key(self) -> VerifyKey:
        """The payer's key; ``CallerError("field_invalid")`` if it is none."""
        return VerifyKey.from_wire({"suite": self.suite, "public": self.public})


class TokenText(_Signed):
    """One payment under a voucher. ``number`` counts the voucher's tokens from 0."""

    voucher_id: OfflineVoucherIdText
    number: Annotated[int, Field(ge=0, lt=OFFLINE_TOKENS_MAX)]
    payment_id: PaymentIdText
    merchant_id: Name
    amount_minor: PositiveMinor
    currency: CurrencyText
    signed_at_ms: _Time


class FloorLimits(Body):
    """How much a store's tills may accept offline, as its hub says it in its signed state.

    A device holds no more than ``device_minor_max`` in ``device_tokens_max`` sales that have not
    come back. ``store_minor_left`` is what all of them together may still accept, as the hub knows
    it. Who has heard nothing newer for ``age_ms_max`` accepts nothing.
    """

    payment_minor_max: Annotated[dict[Name, Minor], Field(max_length=OFFLINE_CLASSES_MAX)]
    """Of one payment, by the payer's class; of a class that is not named: nothing."""
    device_minor_max: Minor
    device_tokens_max: Annotated[int, Field(ge=0, le=OFFLINE_TOKENS_MAX)]
    store_minor_left: Minor
    age_ms_max: _Time


class OfflineWish(Body):
    """What a till that is offline asks a phone to sign, as its QR code says it."""

    payment_id: PaymentIdText
    merchant_id: Name
    amount_minor: PositiveMinor
    currency: CurrencyText

    def to_text(self) -> str:
        """The text of the code."""
        return WISH_HEAD + urlencode(self.to_map())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read it; ``CallerError("field_invalid")`` for any other text: also one that says a field
        twice, or an amount as nobody writes it, which another reader might take for another."""
        try:
            said = parse_qsl(text.removeprefix(WISH_HEAD), max_num_fields=_WISH_FIELDS_MAX)
        except ValueError:
            said = []
        fields: dict[str, Any] = dict(said)
        amount = _AMOUNT(fields.get("amount_minor", ""))
        if not text.startswith(WISH_HEAD) or len(fields) != len(said) or amount is None:
            raise CallerError("field_invalid", "no offline payment's code")
        return cls.from_map({**fields, "amount_minor": int(amount[0])})


@dataclass(frozen=True, slots=True)
class OfflineToken:
    """A token and its voucher, taken apart; nothing is believed before ``verify``."""

    voucher: VoucherText
    text: TokenText
    signed_voucher: cose.Sign1 = field(repr=False)
    signed_text: cose.Sign1 = field(repr=False)

    def verify(self, backend: VerifyKey) -> None:
        """``CallerError("offline_token_invalid")`` unless the backend signed the voucher, and its
        payer the token under it."""
        if not cose.verify1(self.signed_voucher, backend, _VOUCHER_CONTEXT):
            raise CallerError("offline_token_invalid", "voucher's signature")
        if not token_holds(self, self.voucher.key):
            raise CallerError("offline_token_invalid", "token's signature")
        if self.text.voucher_id != self.voucher.voucher_id:
            raise CallerError("offline_token_invalid", "another voucher's token")


def sign_voucher(text: VoucherText, key: SigningKey) -> bytes:
    """The voucher as one COSE_Sign1."""
    return cose.sign1(key, text.to_bytes(), _VOUCHER_CONTEXT)


def open_voucher(signed: bytes, key: VerifyKey) -> VoucherText:
    """A voucher that this key signed; else ``CallerError("offline_token_invalid")``."""
    sign1 = cose.parse1(signed)
    if not cose.verify1(sign1, key, _VOUCHER_CONTEXT):
        raise CallerError("offline_token_invalid", "voucher's signature")
    return VoucherText.from_bytes(sign1.payload)


def sign_token(text: TokenText, key: SigningKey, *, voucher: bytes) -> str:
    """What the phone shows: the token under its signed voucher, as text."""
    pair = cbor.encode([voucher, cose.sign1(key, text.to_bytes(), _TOKEN_CONTEXT)])
    return _HEAD + base64.urlsafe_b64encode(pair).decode("ascii").rstrip("=")


def token_holds(token: OfflineToken, key: VerifyKey) -> bool:
    """Whether this payer's key signed the token."""
    return cose.verify1(token.signed_text, key, _TOKEN_CONTEXT)


def is_offline_token(text: str) -> bool:
    """Whether a scanned text claims to be one."""
    return text.startswith(_HEAD)


def read_token(text: str) -> OfflineToken:
    """Take a text apart; ``CallerError("offline_token_invalid")`` for whatever is none."""
    if not is_offline_token(text) or len(text) > OFFLINE_TOKEN_CHARS_MAX:
        raise CallerError("offline_token_invalid", "form")
    try:
        body = text.removeprefix(_HEAD)
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        match cbor.decode(raw, bytes_max=OFFLINE_TOKEN_CHARS_MAX):
            case [bytes(voucher), bytes(token)]:
                signed_voucher, signed_text = cose.parse1(voucher), cose.parse1(token)
            case _:
                raise CallerError("offline_token_invalid", "form")
        return OfflineToken(
            VoucherText.from_bytes(signed_voucher.payload),
            TokenText.from_bytes(signed_text.payload),
            signed_voucher,
            signed_text,
        )
    except (binascii.Error, ValueError):
        raise CallerError("offline_token_invalid", "form") from None
    except CallerError as error:
        raise CallerError("offline_token_invalid", error.detail) from None
