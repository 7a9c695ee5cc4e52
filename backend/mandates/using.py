"""Using a mandate inside the payment's transaction: its limits hold however many devices race.

A payment that another institution decides later records its use when it is submitted (what is
under way counts) and takes it back when it is declined. ``undo_use`` may be repeated.
"""

import json

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.limits import NOTICES_OPEN_MAX
from backend.mandates.model import (
    Notice,
    NoticeCommand,
    NoticeStatus,
    Terms,
    Use,
    month_of,
    next_notice,
    notice_for,
    reason_to_ask,
    refusal,
)
from backend.mandates.tables import MANDATE, NOTICE, USE

_TERMS = tuple(Terms.__dataclass_fields__)
_NOTICE = tuple(Notice.__dataclass_fields__)


def use_reads(ws: WorkingSet, mandate_id: str) -> list[Read]:
    """What ``check_use`` and ``record_use`` read beside the mandate, once that is loaded."""
    row = ws.get(MANDATE, mandate_id)
    return [] if row is None else [(NOTICE, notice_id) for notice_id in open_notices(row)]


def check_use(ws: WorkingSet, mandate_id: str, use: Use) -> str | None:
    """The code of the reason why the mandate does not cover this use; None if it does."""
    row = ws.get(MANDATE, mandate_id)
    if row is None:
        return "mandate_not_found"
    return refusal(terms_of(row), use, _standing(ws, row))


def record_use(ws: WorkingSet, mandate_id: str, use: Use, *, payment_id: str) -> None:
    """Count what is taken against the limits, and use up its notice. ``check_use`` allowed it."""
    row = ws.get(MANDATE, mandate_id)
    assert row is not None
    terms = terms_of(row)
    notice = None
    if terms.asks_notice(use.amount_minor):
        notice = notice_for(use, _standing(ws, row))
        assert notice is not None
        move_notice(ws, notice.notice_id, NoticeCommand.USE, use.now_ms, payment_id)
    day = max(use.day, terms.spent_day)
    ws.update(
        MANDATE,
        mandate_id,
        spent_day=day,
        spent_minor=terms.spent_on(use.day) + use.amount_minor,
        spent_month_minor=terms.spent_in(use.month) + use.amount_minor,
        use_count=terms.use_count + 1,
        use_total_minor=terms.use_total_minor + use.amount_minor,
    )
    ws.insert(
        USE,
        {
            "payment_id": payment_id,
            "mandate_id": mandate_id,
            "notice_id": notice.notice_id if notice else None,
            "day": day,
            "amount_minor": use.amount_minor,
        },
    )


def check_question(ws: WorkingSet, mandate_id: str, use: Use, *, began_at_ms: int) -> str | None:
    """Why the payer is asked about a thing's debit (``model.reason_to_ask``); None: not at all."""
    row = ws.get(MANDATE, mandate_id)
    if row is None:
        return None
    return reason_to_ask(
        terms_of(row), use, began_at_ms=began_at_ms, changed_at_ms=row["updated_at_ms"]
    )


def undo_reads(ws: WorkingSet, mandate_id: str, payment_id: str) -> list[Read]:
    """What ``undo_use`` reads; in a further wave, the notice."""
    found: list[Read] = [(MANDATE, mandate_id), (USE, payment_id)]
    used = ws.get(USE, payment_id)
    if used is not None and used["notice_id"] is not None:
        found.append((NOTICE, used["notice_id"]))
    return found


def undo_use(ws: WorkingSet, payment_id: str, now_ms: int) -> None:
    """A payment was declined after its submission, or undone: it no longer counts in its day and
    month, and its notice stands again (unless too many others do). Nothing happens for one that
    counts nowhere."""
    used = ws.get(USE, payment_id)
    if used is None or used["is_undone"]:
        return
    ws.update(USE, payment_id, is_undone=1)
    mandate_id, amount_minor = used["mandate_id"], used["amount_minor"]
    row = ws.get(MANDATE, mandate_id)
    assert row is not None
    row = ws.update(
        MANDATE,
        mandate_id,
        use_count=row["use_count"] - 1,
        use_total_minor=row["use_total_minor"] - amount_minor,
    )
    if row["spent_day"] == used["day"]:
        row = ws.update(MANDATE, mandate_id, spent_minor=row["spent_minor"] - amount_minor)
    if month_of(row["spent_day"]) == month_of(used["day"]):
        rest = row["spent_month_minor"] - amount_minor
        row = ws.update(MANDATE, mandate_id, spent_month_minor=rest)
    if used["notice_id"] is not None and len(open_notices(row)) < NOTICES_OPEN_MAX:
        move_notice(ws, used["notice_id"], NoticeCommand.RESTORE, now_ms)


def terms_of(row: Row) -> Terms:
    """A mandate's row as the rules see it."""
    return Terms(**{name: row[name] for name in _TERMS})


def open_notices(row: Row) -> list[str]:
    """The ids of a mandate's notices that may still be used, oldest first."""
    found: list[str] = json.loads(row["open_notices"])
    return found


def keep_notices(ws: WorkingSet, mandate_id: str, notice_ids: list[str]) -> None:
    """Write down which notices of a mandate may still be used."""
    text = json.dumps(notice_ids, separators=(",", ":"))
    ws.update(MANDATE, mandate_id, open_notices=text)


def move_notice(
    ws: WorkingSet,
    notice_id: str,
    command: NoticeCommand,
    now_ms: int,
    payment_id: str | None = None,
) -> Row:
    """Take an edge of the notices' table, and keep the mandate's list of open ones."""
    notice = ws.get(NOTICE, notice_id)
    assert notice is not None
    status = next_notice(notice["status"], command)
    mandate = ws.get(MANDATE, notice["mandate_id"])
    assert mandate is not None
    others = [one for one in open_notices(mandate) if one != notice_id]
    is_open = status is NoticeStatus.ANNOUNCED
    keep_notices(ws, notice["mandate_id"], [*others, notice_id] if is_open else others)
    return ws.update(
        NOTICE, notice_id, status=status.value, payment_id=payment_id, updated_at_ms=now_ms
    )


def _standing(ws: WorkingSet, row: Row) -> list[Notice]:
    found = []
    for notice_id in open_notices(row):
        notice = ws.get(NOTICE, notice_id)
        assert notice is not None
        found.append(Notice(**{name: notice[name] for name in _NOTICE}))
    return found
