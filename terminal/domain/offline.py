"""Whether a till may take a token while nobody can be asked. Pure; signatures are checked before.

Rule 1: the limits are the store's hub's signed word, and that word ages.
Rule 2: what this till has accepted and not brought back counts, whatever the hub knows of it.
"""

from dataclasses import dataclass

from protocol.limits import CLOCK_SKEW_MS_MAX
from protocol.messages.offline import FloorLimits, OfflineToken
from terminal.domain.sale import Sale


@dataclass(frozen=True, slots=True)
class Floor:
    """The hub's limits, when it said them (its clock), and what was accepted since when (our clock)
    it did not know: a hub whose clock is fast has not heard of what is still to come."""

    limits: FloorLimits
    said_at_ms: int
    counts_from_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What this till has accepted and not brought back, and what of the token's voucher it has
    ever seen."""

    count: int
    amount_minor: int
    since_floor_minor: int
    """Of it, what was accepted after the hub spoke."""
    numbers: frozenset[int]
    voucher_minor: int


def floor_refusal(floor: Floor | None, *, now_ms: int) -> str | None:
    """Why nothing at all is taken offline now; None if it may be."""
    if floor is None or abs(now_ms - floor.said_at_ms) > floor.limits.age_ms_max:
        return "offline_unavailable"
    return None


def token_refusal(
    token: OfflineToken, sale: Sale, *, merchant_id: str, floor: Floor, held: Held, now_ms: int
) -> str | None:
    """Why this token does not pay this sale here and now; None if it does."""
    text, voucher, limits = token.text, token.voucher, floor.limits
    asked = (sale.payment_id, merchant_id, sale.amount_minor, sale.currency)
    if (text.payment_id, text.merchant_id, text.amount_minor, text.currency) != asked:
        return "offline_token_other"
    is_early = now_ms < voucher.valid_from_ms - CLOCK_SKEW_MS_MAX
    if is_early or now_ms > voucher.valid_until_ms or voucher.currency != sale.currency:
        return "offline_token_expired"
    of_class = limits.payment_minor_max.get(voucher.payer_class, 0)
    if sale.amount_minor > min(voucher.payment_minor_max, of_class):
        return "offline_limit_payment"
    if text.number in held.numbers or text.number >= voucher.tokens_max:
        return "offline_token_used"
    if held.voucher_minor + sale.amount_minor > voucher.amount_minor:
        return "offline_token_used"
    return _over_floor(sale.amount_minor, limits, held)


def _over_floor(amount_minor: int, limits: FloorLimits, held: Held) -> str | None:
    if held.count >= limits.device_tokens_max:
        return "offline_limit_device"
    if held.amount_minor + amount_minor > limits.device_minor_max:
        return "offline_limit_device"
    if held.since_floor_minor + amount_minor > limits.store_minor_left:
        return "offline_limit_store"
    return None
