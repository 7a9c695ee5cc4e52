"""What a bank says of an account, from its books: camt.053 of a day, camt.054 since a cursor."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from backend.channels import iso20022
from backend.channels.iso20022 import StatementEntry
from backend.sandbox.institution.books import Books
from backend.sandbox.institution.faults import Faults
from protocol.money import Money

ENTRIES_PER_NOTIFICATION_MAX = 1000


def statement(books: Books, faults: Faults, number: str, day: date, *, at_ms: int) -> bytes:
    """An account's day. Faults spoil the entries; the closing balance follows them, so that only
    a comparison with other books finds them."""
    page = books.account_day(number, day)
    entries = _spoilt(
        faults, [StatementEntry(one.reference, one.amount, day, one.info) for one in page.movements]
    )
    closing = sum((entry.amount for entry in entries), page.opening)
    message_id = f"STM-{day:%Y%m%d}-{number}"[:35]
    return iso20022.write_statement(
        iso20022.Statement(message_id, at_ms, number, day, page.opening, closing, tuple(entries))
    )


def notification(books: Books, number: str, cursor: int, *, at_ms: int) -> bytes:
    """What was booked on an account after a cursor, a page at a time."""
    currency = books.balance(number).currency
    rows = books.db.execute(
        "SELECT rowid, reference, day, credit, amount_minor, info FROM movement"
        " WHERE (credit = ?1 OR debit = ?1) AND rowid > ?2 ORDER BY rowid LIMIT ?3",
        (number, cursor, ENTRIES_PER_NOTIFICATION_MAX),
    ).fetchall()
    entries = tuple(
        StatementEntry(
            reference,
            Money(minor if credit == number else -minor, currency),
            date.fromisoformat(day),
            info,
        )
        for _, reference, day, credit, minor, info in rows
    )
    reached = rows[-1][0] if rows else cursor
    message_id = f"NTF-{reached}-{number}"[:35]
    return iso20022.write_notification(
        iso20022.Notification(message_id, at_ms, number, reached, entries)
    )


def _spoilt(faults: Faults, entries: Sequence[StatementEntry]) -> list[StatementEntry]:
    spoilt = list(entries)
    if spoilt and faults.strikes("amount_off_by_one"):
        amount = spoilt[0].amount
        off = Money(amount.amount_minor + 1, amount.currency)
        spoilt[0] = replace(spoilt[0], amount=off)
    if spoilt and faults.strikes("row_missing"):
        del spoilt[-1]
    if spoilt and faults.strikes("row_twice"):
        spoilt.append(spoilt[0])
    return spoilt
