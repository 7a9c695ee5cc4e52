"""Turning a scanned pay code into its payer, once, inside the payment's transaction.

The arithmetic of a code (``protocol.paycode.find_code``) is done before the command is submitted,
outside the writer: it needs no row. Here: is the route somebody's, is the code fresh, and has this
device sent too many wrong ones?
"""

from dataclasses import dataclass

from backend.db.command import Read
from backend.db.working_set import WorkingSet
from backend.wallet.tables import GUARD, ROUTE
from protocol.paycode import WRONG_CODES_MAX, WRONG_CODES_WINDOW_MS, Found


@dataclass(frozen=True, slots=True)
class Resolved:
    """The payer of a code, or the code of the refusal."""

    payer_id: str | None
    refusal: str | None = None


def code_reads(found: Found, device: str) -> list[Read]:
    """What ``use_code`` reads."""
    reads: list[Read] = [(GUARD, device)]
    if found.status == "live":
        reads.append((ROUTE, found.route))
    return reads


def payer_of(ws: WorkingSet, found: Found) -> str | None:
    """Whose code it is, before it is used. For reads that follow."""
    row = ws.get(ROUTE, found.route) if found.status == "live" else None
    return row["payer_id"] if row else None


def use_code(
    ws: WorkingSet, found: Found, *, device: str, merchant_id: str, now_ms: int
) -> Resolved:
    """Use a code up. It is used even if the payment is then declined: a code is for one try."""
    resolved = _resolve(ws, found, device=device, merchant_id=merchant_id, now_ms=now_ms)
    if resolved.payer_id is not None and found.position is not None:
        ws.update(ROUTE, found.route, used_position=found.position.number)
    return resolved


def note_declined(ws: WorkingSet, found: Found, payment_id: str) -> None:
    """Keep what a used code was declined for: nobody has paid that, but who showed it is told."""
    ws.update(ROUTE, found.route, declined_payment_id=payment_id)


def tell_code(
    ws: WorkingSet, found: Found, *, device: str, merchant_id: str, now_ms: int
) -> Resolved:
    """Whose code it is, without using it up: from now on it pays this merchant and nobody else. A
    wrong one counts as it does for a payment."""
    resolved = _resolve(ws, found, device=device, merchant_id=merchant_id, now_ms=now_ms)
    if resolved.payer_id is not None and found.position is not None:
        ws.update(ROUTE, found.route, told_position=found.position.number, told_to=merchant_id)
    return resolved


def _resolve(
    ws: WorkingSet, found: Found, *, device: str, merchant_id: str, now_ms: int
) -> Resolved:
    if _wrong_count(ws, device, now_ms) >= WRONG_CODES_MAX:
        return Resolved(None, "pay_code_attempts")
    if found.status == "expired":
        return Resolved(None, "pay_code_expired")
    row = ws.get(ROUTE, found.route) if found.status == "live" else None
    if row is None or found.position is None:
        _count_wrong(ws, device, now_ms)
        return Resolved(None, "pay_code_invalid")
    number = found.position.number
    is_anothers = number == row["told_position"] and row["told_to"] != merchant_id
    if number <= row["used_position"] or is_anothers:
        return Resolved(None, "pay_code_used")
    return Resolved(row["payer_id"])


def _wrong_count(ws: WorkingSet, device: str, now_ms: int) -> int:
    row = ws.get(GUARD, device)
    if row is None or now_ms - row["window_from_ms"] >= WRONG_CODES_WINDOW_MS:
        return 0
    count: int = row["wrong_count"]
    return count


def _count_wrong(ws: WorkingSet, device: str, now_ms: int) -> None:
    row = ws.get(GUARD, device)
    if row is None:
        ws.insert(GUARD, {"device": device, "window_from_ms": now_ms, "wrong_count": 1})
    elif now_ms - row["window_from_ms"] >= WRONG_CODES_WINDOW_MS:
        ws.update(GUARD, device, window_from_ms=now_ms, wrong_count=1)
    else:
        ws.update(GUARD, device, wrong_count=row["wrong_count"] + 1)
