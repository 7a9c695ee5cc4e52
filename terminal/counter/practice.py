"""The backend of the training: answers as the real one would, by the last digit of the amount.

Rule 1: it signs with a key that was made for this start and that nobody else trusts.

| last digit | what happens |
|---|---|
| 1 | declined: the balance is not enough |
| 2 | the payer must confirm, and does after a few seconds |
| 3 | the outcome stays unknown until it is asked for again |
| 4 | declined: the pay code has expired |
| else | paid; a shown QR code after a few seconds |

A practice PIN pad declines amounts that end in 1, is silent for those in 3, approves the others.
"""

from collections.abc import Mapping
from typing import Any

from protocol import answers, envelope
from protocol.answers import Answer
from protocol.crypto.keys import SigningKey
from protocol.envelope import Envelope
from protocol.errors import advice
from terminal.limits import TRAINING_PAYER_MS, TRAINING_PAYMENTS_MAX
from terminal.ports import CardOutcome
from terminal.timing import TerminalClock

_DECLINES = {1: "insufficient_balance", 4: "pay_code_expired"}
_WAITS, _LOST = 2, 3
_PRACTICE_CARD = "****0000"
_CARD_OUTCOMES = {
    1: CardOutcome("declined", why="insufficient_balance"),
    _LOST: CardOutcome("unknown", why="device_no_reply"),
}


class Practice:
    """A hub and a backend in one function: an envelope in, signed answers out."""

    def __init__(self, key: SigningKey, clock: TerminalClock) -> None:
        self._key = key
        self._clock = clock
        self._payments: dict[str, dict[str, Any]] = {}

    def __call__(self, sealed: bytes) -> list[bytes]:
        """The answers to one envelope."""
        asked = envelope.unseal(sealed).envelope
        match asked.message_type:
            case "payment.create":
                return self._create(asked)
            case "payment.query" | "payment.close" | "payment.reverse":
                return self._ask(asked)
            case "refund.create" | "refund.query":
                return self._refund(asked)
        return []

    def _create(self, asked: Envelope) -> list[bytes]:
        body = asked.body
        while len(self._payments) >= TRAINING_PAYMENTS_MAX:
            del self._payments[next(iter(self._payments))]
        kept = {name: body[name] for name in ("payment_id", "amount_minor", "currency", "method")}
        digit = body["amount_minor"] % 10
        kept["asked"] = 0
        kept["ready_ms"] = self._clock.ticks_ms()
        self._payments[body["payment_id"]] = kept
        if body["method"] == "merchant_qr" or digit == _WAITS:
            kept["ready_ms"] += TRAINING_PAYER_MS
        if digit == _LOST:
            return [self._sealed(asked, "refusal", {"error": _refusal("backend_unreachable")})]
        return [self._result(asked, kept)]

    def _ask(self, asked: Envelope) -> list[bytes]:
        kept = self._payments.get(asked.body["payment_id"])
        if kept is None:
            return [self._sealed(asked, "refusal", {"error": _refusal("payment_not_found")})]
        kept["asked"] += 1
        if asked.message_type == "payment.close" and kept.get("ended") is None:
            kept["ended"] = "closed"
        elif asked.message_type == "payment.reverse":
            kept["ended"] = "reversed"
        elif kept["amount_minor"] % 10 == _LOST and kept["asked"] < 2:
            return [self._sealed(asked, "refusal", {"error": _refusal("backend_unreachable")})]
        return [self._result(asked, kept)]

    def _refund(self, asked: Envelope) -> list[bytes]:
        if asked.message_type == "refund.query":
            return [self._sealed(asked, "refusal", {"error": _refusal("refund_not_found")})]
        names = ("refund_id", "payment_id", "amount_minor", "currency")
        body = {name: asked.body[name] for name in names} | {"state": "succeeded"}
        return [self._sealed(asked, "refund.result", body)]

    def _result(self, asked: Envelope, kept: Mapping[str, Any]) -> bytes:
        names = ("payment_id", "amount_minor", "currency", "method")
        body: dict[str, Any] = {name: kept[name] for name in names}
        declined = _DECLINES.get(kept["amount_minor"] % 10)
        if kept.get("ended") is not None:
            body["state"] = kept["ended"]
        elif self._clock.ticks_ms() < kept["ready_ms"]:
            body["state"] = "awaiting_payer"
            if kept["method"] == "merchant_qr":
                body["code_url"] = f"tillway-training:{kept['payment_id']}"
                body["code_expires_at_ms"] = self._clock.now_ms() + 120_000
        elif declined is not None:
            body |= {"state": "declined", "error": _refusal(declined)}
        else:
            body |= {"state": "captured", "payer_masked": "培*", "paid_at_ms": self._clock.now_ms()}
        return self._sealed(asked, "payment.result", body)

    def _sealed(self, asked: Envelope, message_type: str, body: Mapping[str, Any]) -> bytes:
        answer = Answer(
            message_type=message_type,
            request_id=asked.request_id,
            device=asked.device,
            store=asked.store,
            answered_at_ms=self._clock.now_ms(),
            body=body,
            trace_id=asked.trace_id,
        )
        return answers.seal_group([answer], self._key)[0]


class PracticePinPad:
    """``CardPinPad`` without a card, a line or a bank."""

    async def check(self) -> None:
        """As ``CardPinPad.check``."""

    async def pay(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """As ``CardPinPad.pay``."""
        del currency, timeout_s
        return _CARD_OUTCOMES.get(amount_minor % 10, CardOutcome("approved", card=_PRACTICE_CARD))

    async def refund(self, amount_minor: int, currency: str, *, timeout_s: float) -> CardOutcome:
        """As ``CardPinPad.refund``."""
        return await self.pay(amount_minor, currency, timeout_s=timeout_s)

    async def aclose(self) -> None:
        """As ``CardPinPad.aclose``."""


def _refusal(code: str) -> dict[str, str]:
    found = advice(code)
    return {"code": code, "retry": found.retry, "zh": found.zh, "en": found.en}
