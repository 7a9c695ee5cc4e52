"""A mandate's life, its limits, and the notice before a debit. Pure.

Rule 1: only ``next_edge`` and ``next_notice`` say which status follows.
Rule 2: who suspends a mandate resumes it. Either side terminates it, for good.
Rule 3: the limit of a day, and of a month, counts what was taken on the shop's business dates,
        refunds not deducted: a thing that takes and gives back all day is worth a look. A payment
        that was undone does not count.
Rule 4: a period never goes back. What comes with an earlier date than the latest use (two
        backends' clocks at midnight) counts in the latest use's day and month.
Rule 5: a debit uses up one notice: the smallest that covers it and whose time has come.
Rule 6: a thing's debit that is out of the ordinary is the payer's to allow: one above the signed
        ``ask_above_minor``, one far above what this mandate usually takes, and one for what was
        under way when the mandate was stopped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from backend.mandates.limits import (
    NOTICE_VALID_MS,
    STOPPED_DEBIT_MS_MAX,
    UNUSUAL_FACTOR,
    USUAL_AFTER_USES,
)
from protocol.clock import HOUR_MS
from protocol.errors import CallerError


class MandateStatus(StrEnum):
    """What a mandate allows."""

    ACTIVE = "active"
    SUSPENDED_BY_PAYER = "suspended_by_payer"
    SUSPENDED_BY_MERCHANT = "suspended_by_merchant"
    SUSPENDED_BY_BOTH = "suspended_by_both"
    TERMINATED = "terminated"


class Side(StrEnum):
    """Who asks."""

    PAYER = "payer"
    MERCHANT = "merchant"


class MandateCommand(StrEnum):
    """What either side may ask."""

    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"


class MandateEvent(StrEnum):
    """What has happened to a mandate."""

    SIGNED = "MandateSigned"
    SUSPENDED = "MandateSuspended"
    RESUMED = "MandateResumed"
    TERMINATED = "MandateTerminated"
    DEBIT_ANNOUNCED = "DebitAnnounced"
    NOTICE_REFUSED = "DebitNoticeRefused"
    NOTICE_WITHDRAWN = "DebitNoticeWithdrawn"


@dataclass(frozen=True, slots=True)
class Edge:
    """The status a command leads to and its event; None where it was said before."""

    status: MandateStatus
    event: MandateEvent | None


_S, _P, _M, _C, _E = MandateStatus, Side.PAYER, Side.MERCHANT, MandateCommand, MandateEvent
_BY_PAYER, _BY_MERCHANT, _BY_BOTH = (
    _S.SUSPENDED_BY_PAYER,
    _S.SUSPENDED_BY_MERCHANT,
    _S.SUSPENDED_BY_BOTH,
)
_END = Edge(_S.TERMINATED, _E.TERMINATED)

TRANSITIONS: dict[tuple[MandateStatus, Side, MandateCommand], Edge] = {
    (_S.ACTIVE, _P, _C.SUSPEND): Edge(_BY_PAYER, _E.SUSPENDED),
    (_S.ACTIVE, _M, _C.SUSPEND): Edge(_BY_MERCHANT, _E.SUSPENDED),
    (_S.ACTIVE, _P, _C.RESUME): Edge(_S.ACTIVE, None),
    (_S.ACTIVE, _M, _C.RESUME): Edge(_S.ACTIVE, None),
    (_BY_PAYER, _P, _C.SUSPEND): Edge(_BY_PAYER, None),
    (_BY_PAYER, _M, _C.SUSPEND): Edge(_BY_BOTH, _E.SUSPENDED),
    (_BY_PAYER, _P, _C.RESUME): Edge(_S.ACTIVE, _E.RESUMED),
    (_BY_MERCHANT, _P, _C.SUSPEND): Edge(_BY_BOTH, _E.SUSPENDED),
    (_BY_MERCHANT, _M, _C.SUSPEND): Edge(_BY_MERCHANT, None),
    (_BY_MERCHANT, _M, _C.RESUME): Edge(_S.ACTIVE, _E.RESUMED),
    (_BY_BOTH, _P, _C.SUSPEND): Edge(_BY_BOTH, None),
    (_BY_BOTH, _M, _C.SUSPEND): Edge(_BY_BOTH, None),
    (_BY_BOTH, _P, _C.RESUME): Edge(_BY_MERCHANT, _E.RESUMED),
    (_BY_BOTH, _M, _C.RESUME): Edge(_BY_PAYER, _E.RESUMED),
    **{
        (status, side, _C.TERMINATE): _END
        for status in (_S.ACTIVE, _BY_PAYER, _BY_MERCHANT, _BY_BOTH)
        for side in Side
    },
    (_S.TERMINATED, _P, _C.TERMINATE): Edge(_S.TERMINATED, None),
    (_S.TERMINATED, _M, _C.TERMINATE): Edge(_S.TERMINATED, None),
}


class NoticeStatus(StrEnum):
    """Where the notice of a debit is. That its time is over is seen from its window."""

    ANNOUNCED = "announced"
    USED = "used"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class NoticeCommand(StrEnum):
    """What may happen to a notice."""

    USE = "use"
    RESTORE = "restore"
    """Its debit was declined later, or undone: it stands again."""
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


_N, _NC = NoticeStatus, NoticeCommand

NOTICE_TRANSITIONS: dict[tuple[NoticeStatus, NoticeCommand], NoticeStatus] = {
    (_N.ANNOUNCED, _NC.USE): _N.USED,
    (_N.ANNOUNCED, _NC.REFUSE): _N.REFUSED,
    (_N.ANNOUNCED, _NC.WITHDRAW): _N.WITHDRAWN,
    (_N.USED, _NC.RESTORE): _N.ANNOUNCED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a device wants to take under a mandate."""

    merchant_id: str
    device: str
    amount_minor: int
    currency: str
    now_ms: int
    day: str
    """The shop's business date, ``YYYY-MM-DD``; its month is the first seven characters."""

    @property
    def month(self) -> str:
        """The calendar month of the business date."""
        return month_of(self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A mandate as it stands when it is used."""

    status: str
    merchant_id: str
    device: str
    currency: str
    limit_payment_minor: int
    limit_day_minor: int
    limit_month_minor: int | None
    """None: the payer signed no limit for a month."""
    notice_hours: int | None
    """None: the payer asks for no notice."""
    notice_above_minor: int
    valid_from_ms: int
    valid_until_ms: int
    spent_day: str
    spent_minor: int
    spent_month_minor: int
    ask_above_minor: int | None = None
    """Above it a thing's debit waits for the payer's word; None: the payer signed no such term."""
    use_count: int = 0
    use_total_minor: int = 0
    """Of all debits so far that were not undone."""

    def spent_on(self, day: str) -> int:
        """What counts against the limit of this day so far (rule 4)."""
        return self.spent_minor if day <= self.spent_day else 0

    def spent_in(self, month: str) -> int:
        """What counts against the limit of this month so far (rule 4)."""
        return self.spent_month_minor if month <= month_of(self.spent_day) else 0

    def asks_notice(self, amount_minor: int) -> bool:
        """Whether a debit of this amount must have been announced."""
        return self.notice_hours is not None and amount_minor > self.notice_above_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An announced debit that still stands."""

    notice_id: str
    amount_minor: int
    debit_from_ms: int
    debit_until_ms: int


def month_of(day: str) -> str:
    """``YYYY-MM`` of ``YYYY-MM-DD``."""
    return day[:7]


def next_edge(status: str, side: Side, command: MandateCommand) -> Edge:
    """The edge a side's command takes. ``mandate_inactive`` after the end; ``mandate_other_side``
    where only the other side may (rule 2)."""
    found = TRANSITIONS.get((MandateStatus(status), side, command))
    if found is None:
        is_over = status == MandateStatus.TERMINATED
        raise CallerError("mandate_inactive" if is_over else "mandate_other_side", command)
    return found


def next_notice(status: str, command: NoticeCommand) -> NoticeStatus:
    """The notice's status after a command; ``notice_state`` where it has no place."""
    found = NOTICE_TRANSITIONS.get((NoticeStatus(status), command))
    if found is None:
        raise CallerError("notice_state", f"{command} in {status}")
    return found


def debit_window(terms: Terms, now_ms: int) -> tuple[int, int]:
    """From when until when a debit that is announced now may come."""
    assert terms.notice_hours is not None
    from_ms = now_ms + terms.notice_hours * HOUR_MS
    return from_ms, from_ms + NOTICE_VALID_MS


def notice_for(use: Use, notices: Iterable[Notice]) -> Notice | None:
    """The notice that this debit uses up (rule 5)."""
    fitting = [
        notice
        for notice in notices
        if use.amount_minor <= notice.amount_minor
        and notice.debit_from_ms <= use.now_ms < notice.debit_until_ms
    ]
    return min(fitting, key=lambda one: (one.amount_minor, one.debit_from_ms), default=None)


def refusal(terms: Terms, use: Use, notices: Iterable[Notice] = ()) -> str | None:
    """The code of the first reason why the mandate does not cover this use; None if it does."""
    if terms.merchant_id != use.merchant_id:
        return "mandate_not_found"
    if terms.device != use.device:
        return "mandate_device"
    is_valid = terms.valid_from_ms <= use.now_ms < terms.valid_until_ms
    if terms.status != MandateStatus.ACTIVE or not is_valid:
        return "mandate_inactive"
    if terms.currency != use.currency:
        return "currency_mismatch"
    return _over_limit(terms, use) or _unannounced(terms, use, tuple(notices))


def room_minor(terms: Terms, *, now_ms: int, day: str) -> int | None:
    """The most that one debit may take now, notices left aside; None if the mandate pays nothing.

    Where debits above an amount must be announced, that amount is the most."""
    if terms.status != MandateStatus.ACTIVE:
        return None
    if not terms.valid_from_ms <= now_ms < terms.valid_until_ms:
        return None
    rooms = [terms.limit_payment_minor, terms.limit_day_minor - terms.spent_on(day)]
    if terms.limit_month_minor is not None:
        rooms.append(terms.limit_month_minor - terms.spent_in(month_of(day)))
    if terms.notice_hours is not None:
        rooms.append(terms.notice_above_minor)
    return max(min(rooms), 0)


def reason_to_ask(terms: Terms, use: Use, *, began_at_ms: int, changed_at_ms: int) -> str | None:
    """Why the payer is asked about the debit of a thing that has given already, or None.

    ``changed_at_ms`` is when the mandate's status changed last. The question is all that a thing
    gains by what it says of itself: nothing is taken without the payer's word."""
    is_theirs = (terms.merchant_id, terms.device) == (use.merchant_id, use.device)
    if not is_theirs or terms.currency != use.currency:
        return None
    if terms.status != MandateStatus.ACTIVE:
        was_stopped_meanwhile = terms.valid_from_ms <= began_at_ms < changed_at_ms
        is_recent = use.now_ms - changed_at_ms <= STOPPED_DEBIT_MS_MAX
        return "stopped" if was_stopped_meanwhile and is_recent else None
    if terms.ask_above_minor is not None and use.amount_minor > terms.ask_above_minor:
        return "ask_above"
    is_known = terms.use_count >= USUAL_AFTER_USES
    if is_known and use.amount_minor * terms.use_count > UNUSUAL_FACTOR * terms.use_total_minor:
        return "unusual"
    return None


def _over_limit(terms: Terms, use: Use) -> str | None:
    amount_minor = use.amount_minor
    if amount_minor > terms.limit_payment_minor:
        return "mandate_limit_payment"
    if terms.spent_on(use.day) + amount_minor > terms.limit_day_minor:
        return "mandate_limit_day"
    month_minor = terms.limit_month_minor
    if month_minor is not None and terms.spent_in(use.month) + amount_minor > month_minor:
        return "mandate_limit_month"
    return None


def _unannounced(terms: Terms, use: Use, notices: tuple[Notice, ...]) -> str | None:
    if not terms.asks_notice(use.amount_minor) or notice_for(use, notices) is not None:
        return None
    is_early = any(
        use.amount_minor <= notice.amount_minor and use.now_ms < notice.debit_from_ms
        for notice in notices
    )
    return "mandate_notice_too_early" if is_early else "mandate_notice_required"
