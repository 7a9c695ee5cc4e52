"""What a bank says of an account: camt.053.001.08 for a day, camt.054.001.08 for each booking."""

from dataclasses import dataclass
from datetime import date

from lxml import etree

from backend.channels.iso20022 import xml
from protocol.errors import CallerError
from protocol.money import Money

CAMT053, CAMT054 = "camt.053.001.08", "camt.054.001.08"


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """One booked movement. The amount is signed: positive when it came in."""

    reference: str
    amount: Money
    booking_date: date
    info: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """An account's day: opening balance plus entries equals closing balance, or it is refused."""

    message_id: str
    created_at_ms: int
    account: str
    day: date
    opening: Money
    closing: Money
    entries: tuple[StatementEntry, ...]


@dataclass(frozen=True, slots=True)
class Notification:
    """What was booked on an account since a cursor, and the cursor to ask from next."""

    message_id: str
    created_at_ms: int
    account: str
    cursor: int
    entries: tuple[StatementEntry, ...]


def write_statement(statement: Statement) -> bytes:
    """camt.053.001.08."""
    root, body = xml.document(CAMT053, "BkToCstmrStmt")
    page = _page(body, "Stmt", statement.message_id, statement.created_at_ms)
    account = xml.add_account(page, "Acct", statement.account)
    xml.add(account, "Ccy", statement.opening.currency)
    for code, balance in (("OPBD", statement.opening), ("CLBD", statement.closing)):
        row = xml.add(page, "Bal")
        xml.add(row, "Tp/CdOrPrtry/Cd", code)
        xml.add_signed(row, balance)
        xml.add(row, "Dt/Dt", statement.day.isoformat())
    _add_entries(page, statement.entries)
    return xml.to_bytes(root)


def read_statement(data: bytes) -> Statement:
    """A statement whose balances and entries agree; else it is refused whole."""
    body = xml.read_body(data, CAMT053, "BkToCstmrStmt")
    page = xml.find(body, "Stmt")
    balances = {
        xml.text(row, "Tp/CdOrPrtry/Cd"): (xml.read_signed(row), xml.read_date(row, "Dt/Dt"))
        for row in xml.read_all(page, "Bal")
    }
    if set(balances) != {"OPBD", "CLBD"}:
        raise CallerError("file_rejected", "camt.053: opening and closing balance")
    (opening, _), (closing, day) = balances["OPBD"], balances["CLBD"]
    entries = _read_entries(page)
    currencies = {one.amount.currency for one in entries} | {opening.currency, closing.currency}
    if len(currencies) > 1:
        raise CallerError("file_rejected", "camt.053: more than one currency")
    if sum((entry.amount for entry in entries), opening) != closing:
        raise CallerError("file_rejected", "camt.053: the entries do not explain the balances")
    return Statement(
        message_id=xml.text(page, "Id"),
        created_at_ms=xml.read_stamp(page, "CreDtTm"),
        account=xml.text(page, "Acct/Id/Othr/Id"),
        day=day,
        opening=opening,
        closing=closing,
        entries=entries,
    )


def write_notification(notification: Notification) -> bytes:
    """camt.054.001.08; the cursor is its electronic sequence number."""
    root, body = xml.document(CAMT054, "BkToCstmrDbtCdtNtfctn")
    said = (notification.message_id, notification.created_at_ms)
    page = _page(body, "Ntfctn", *said, cursor=notification.cursor)
    xml.add_account(page, "Acct", notification.account)
    _add_entries(page, notification.entries)
    return xml.to_bytes(root)


def read_notification(data: bytes) -> Notification:
    """A notification, which may be of nothing."""
    body = xml.read_body(data, CAMT054, "BkToCstmrDbtCdtNtfctn")
    page = xml.find(body, "Ntfctn")
    cursor = xml.text(page, "ElctrncSeqNb")
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise CallerError("file_rejected", f"line {page.sourceline}: ElctrncSeqNb")
    return Notification(
        message_id=xml.text(page, "Id"),
        created_at_ms=xml.read_stamp(page, "CreDtTm"),
        account=xml.text(page, "Acct/Id/Othr/Id"),
        cursor=int(cursor),
        entries=_read_entries(page),
    )


def _page(
    body: etree._Element, name: str, message_id: str, at_ms: int, *, cursor: int | None = None
) -> etree._Element:
    header = xml.add(body, "GrpHdr")
    xml.add(header, "MsgId", message_id)
    xml.add(header, "CreDtTm", xml.stamp(at_ms))
    page = xml.add(body, name)
    xml.add(page, "Id", message_id)
    if cursor is not None:
        xml.add(page, "ElctrncSeqNb", str(cursor))
    xml.add(page, "CreDtTm", xml.stamp(at_ms))
    return page


def _add_entries(page: etree._Element, entries: tuple[StatementEntry, ...]) -> None:
    for entry in entries:
        row = xml.add(page, "Ntry")
        xml.add(row, "NtryRef", entry.reference)
        xml.add_signed(row, entry.amount)
        xml.add(row, "Sts/Cd", "BOOK")
        xml.add(row, "BookgDt/Dt", entry.booking_date.isoformat())
        xml.add(row, "BkTxCd/Prtry/Cd", "TRF")
        if entry.info:
            xml.add(row, "AddtlNtryInf", entry.info)


def _read_entries(page: etree._Element) -> tuple[StatementEntry, ...]:
    return tuple(
        StatementEntry(
            reference=xml.text(row, "NtryRef"),
            amount=xml.read_signed(row),
            booking_date=xml.read_date(row, "BookgDt/Dt"),
            info=xml.text(row, "AddtlNtryInf", default=""),
        )
        for row in xml.read_all(page, "Ntry", is_optional=True)
    )
