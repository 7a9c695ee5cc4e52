"""The three ISO 20022 messages of a payout: pain.001.001.09, pain.002.001.12, camt.053.001.08.

Rule 1: values in, bytes out, and back; no socket and no clock.
Rule 2: what a schema cannot check is checked here: the number of decimals of a currency, that
        sums and counts equal their items, that the sign is in the credit/debit mark.
Rule 3: a file that is wrong anywhere is refused whole (``file_rejected``), with the place.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal

from lxml import etree

from protocol.errors import CallerError
from protocol.money import MINOR_DIGITS, Money

PAIN001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
PAIN002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.12"
CAMT053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
MESSAGE_BYTES_MAX = 64 * 1024 * 1024

Status = Literal["ACSC", "ACSP", "RJCT", "PDNG"]
"""Settled, in progress, rejected, pending (external payment transaction status codes)."""


@dataclass(frozen=True, slots=True)
class CreditTransfer:
    """One movement asked of a bank. ``end_to_end_id`` stays the same through the whole chain."""

    end_to_end_id: str
    amount: Money
    creditor_name: str
    creditor_account: str
    remittance: str = ""


@dataclass(frozen=True, slots=True)
class Instruction:
    """A payment initiation: one debtor account, one day, many credit transfers."""

    message_id: str
    created_at_ms: int
    execution_date: date
    debtor_name: str
    debtor_account: str
    transfers: tuple[CreditTransfer, ...]


@dataclass(frozen=True, slots=True)
class TransferStatus:
    """What became of one transfer. ``reason`` is an external code such as AC01, AM04."""

    end_to_end_id: str
    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A bank's answer to an instruction, transfer by transfer."""

    message_id: str
    created_at_ms: int
    original_message_id: str
    transfers: tuple[TransferStatus, ...]


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


def write_instruction(instruction: Instruction) -> bytes:
    """pain.001.001.09."""
    root, body = _document(PAIN001, "CstmrCdtTrfInitn")
    count = str(len(instruction.transfers))
    control_sum = _sum(transfer.amount for transfer in instruction.transfers).decimal()
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", instruction.message_id)
    _add(header, "CreDtTm", _stamp(instruction.created_at_ms))
    _add(header, "NbOfTxs", count)
    _add(header, "CtrlSum", control_sum)
    _add(_add(header, "InitgPty"), "Nm", instruction.debtor_name)
    group = _add(body, "PmtInf")
    _add(group, "PmtInfId", instruction.message_id)
    _add(group, "PmtMtd", "TRF")
    _add(group, "NbOfTxs", count)
    _add(group, "CtrlSum", control_sum)
    _add(_add(group, "ReqdExctnDt"), "Dt", instruction.execution_date.isoformat())
    _add(_add(group, "Dbtr"), "Nm", instruction.debtor_name)
    _account(_add(group, "DbtrAcct"), instruction.debtor_account)
    _add(_add(_add(_add(group, "DbtrAgt"), "FinInstnId"), "Othr"), "Id", "SANDBOX")
    _add(group, "ChrgBr", "SLEV")
    for transfer in instruction.transfers:
        item = _add(group, "CdtTrfTxInf")
        _add(_add(item, "PmtId"), "EndToEndId", transfer.end_to_end_id)
        _amount(_add(item, "Amt"), "InstdAmt", transfer.amount)
        _add(_add(item, "Cdtr"), "Nm", transfer.creditor_name)
        _account(_add(item, "CdtrAcct"), transfer.creditor_account)
        if transfer.remittance:
            _add(_add(item, "RmtInf"), "Ustrd", transfer.remittance)
    return _bytes(root)


def read_instruction(data: bytes) -> Instruction:
    """An instruction, its count and control sum checked."""
    body = _body(data, PAIN001, "CstmrCdtTrfInitn")
    transfers = tuple(
        CreditTransfer(
            end_to_end_id=_text(item, "PmtId/EndToEndId"),
            amount=_read_amount(item, "Amt/InstdAmt"),
            creditor_name=_text(item, "Cdtr/Nm"),
            creditor_account=_text(item, "CdtrAcct/Id/Othr/Id"),
            remittance=_text(item, "RmtInf/Ustrd", default=""),
        )
        for item in _all(body, "PmtInf/CdtTrfTxInf")
    )
    _check_totals(body, transfers)
    return Instruction(
        message_id=_text(body, "GrpHdr/MsgId"),
        created_at_ms=_read_stamp(_text(body, "GrpHdr/CreDtTm")),
        execution_date=_read_date(_text(body, "PmtInf/ReqdExctnDt/Dt")),
        debtor_name=_text(body, "PmtInf/Dbtr/Nm"),
        debtor_account=_text(body, "PmtInf/DbtrAcct/Id/Othr/Id"),
        transfers=transfers,
    )


def write_status_report(report: StatusReport) -> bytes:
    """pain.002.001.12."""
    root, body = _document(PAIN002, "CstmrPmtStsRpt")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", report.message_id)
    _add(header, "CreDtTm", _stamp(report.created_at_ms))
    original = _add(body, "OrgnlGrpInfAndSts")
    _add(original, "OrgnlMsgId", report.original_message_id)
    _add(original, "OrgnlMsgNmId", "pain.001.001.09")
    group = _add(body, "OrgnlPmtInfAndSts")
    _add(group, "OrgnlPmtInfId", report.original_message_id)
    for transfer in report.transfers:
        item = _add(group, "TxInfAndSts")
        _add(item, "OrgnlEndToEndId", transfer.end_to_end_id)
        _add(item, "TxSts", transfer.status)
        if transfer.reason:
            _add(_add(_add(item, "StsRsnInf"), "Rsn"), "Cd", transfer.reason)
    return _bytes(root)


def read_status_report(data: bytes) -> StatusReport:
    """A bank's answer; a status we do not know is refused, never guessed."""
    body = _body(data, PAIN002, "CstmrPmtStsRpt")
    return StatusReport(
        message_id=_text(body, "GrpHdr/MsgId"),
        created_at_ms=_read_stamp(_text(body, "GrpHdr/CreDtTm")),
        original_message_id=_text(body, "OrgnlGrpInfAndSts/OrgnlMsgId"),
        transfers=tuple(
            TransferStatus(
                end_to_end_id=_text(item, "OrgnlEndToEndId"),
                status=_read_status(_text(item, "TxSts")),
                reason=_text(item, "StsRsnInf/Rsn/Cd", default=""),
            )
            for item in _all(body, "OrgnlPmtInfAndSts/TxInfAndSts")
        ),
    )


def write_statement(statement: Statement) -> bytes:
    """camt.053.001.08."""
    root, body = _document(CAMT053, "BkToCstmrStmt")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", statement.message_id)
    _add(header, "CreDtTm", _stamp(statement.created_at_ms))
    page = _add(body, "Stmt")
    _add(page, "Id", statement.message_id)
    _add(page, "CreDtTm", _stamp(statement.created_at_ms))
    account = _add(page, "Acct")
    _account(account, statement.account)
    _add(account, "Ccy", statement.opening.currency)
    for code, balance in (("OPBD", statement.opening), ("CLBD", statement.closing)):
        row = _add(page, "Bal")
        _add(_add(_add(row, "Tp"), "CdOrPrtry"), "Cd", code)
        _signed(row, balance)
        _add(_add(row, "Dt"), "Dt", statement.day.isoformat())
    for entry in statement.entries:
        row = _add(page, "Ntry")
        _add(row, "NtryRef", entry.reference)
        _signed(row, entry.amount)
        _add(_add(row, "Sts"), "Cd", "BOOK")
        _add(_add(row, "BookgDt"), "Dt", entry.booking_date.isoformat())
        _add(_add(_add(row, "BkTxCd"), "Prtry"), "Cd", "TRF")
        if entry.info:
            _add(row, "AddtlNtryInf", entry.info)
    return _bytes(root)


def read_statement(data: bytes) -> Statement:
    """A statement whose balances and entries agree; else it is refused whole."""
    body = _body(data, CAMT053, "BkToCstmrStmt")
    page = _all(body, "Stmt")[0]
    balances = {
        _text(row, "Tp/CdOrPrtry/Cd"): (_read_signed(row), _read_date(_text(row, "Dt/Dt")))
        for row in _all(page, "Bal")
    }
    if set(balances) != {"OPBD", "CLBD"}:
        raise CallerError("file_rejected", "camt.053: opening and closing balance")
    (opening, _), (closing, day) = balances["OPBD"], balances["CLBD"]
    entries = tuple(
        StatementEntry(
            reference=_text(row, "NtryRef"),
            amount=_read_signed(row),
            booking_date=_read_date(_text(row, "BookgDt/Dt")),
            info=_text(row, "AddtlNtryInf", default=""),
        )
        for row in page.iterfind(_path("Ntry", CAMT053))
    )
    if sum((entry.amount for entry in entries), opening) != closing:
        raise CallerError("file_rejected", "camt.053: the entries do not explain the balances")
    return Statement(
        message_id=_text(page, "Id"),
        created_at_ms=_read_stamp(_text(page, "CreDtTm")),
        account=_text(page, "Acct/Id/Othr/Id"),
        day=day,
        opening=opening,
        closing=closing,
        entries=entries,
    )


def _sum(amounts: Iterable[Money]) -> Money:
    first, *rest = amounts
    return sum(rest, first)


def _document(namespace: str, name: str) -> tuple[etree._Element, etree._Element]:
    root = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]  # lxml's default namespace
    return root, _add(root, name)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{etree.QName(parent).namespace}}}{name}")
    child.text = text
    return child


def _account(parent: etree._Element, number: str) -> None:
    _add(_add(_add(parent, "Id"), "Othr"), "Id", number)


def _amount(parent: etree._Element, name: str, amount: Money) -> None:
    _add(parent, name, amount.decimal()).set("Ccy", amount.currency)


def _signed(parent: etree._Element, amount: Money) -> None:
    _amount(parent, "Amt", Money(abs(amount.amount_minor), amount.currency))
    _add(parent, "CdtDbtInd", "DBIT" if amount.amount_minor < 0 else "CRDT")


def _bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _stamp(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _body(data: bytes, namespace: str, name: str) -> etree._Element:
    if len(data) > MESSAGE_BYTES_MAX:
        raise CallerError("file_rejected", "too large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise CallerError("file_rejected", f"not XML, line {error.lineno}") from None
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None or root.tag != f"{{{namespace}}}Document":
        raise CallerError("file_rejected", f"not a {namespace.rpartition(':')[2]} document")
    body = root.find(f"{{{namespace}}}{name}")
    if body is None:
        raise CallerError("file_rejected", name)
    return body


def _path(path: str, namespace: str) -> str:
    return "/".join(f"{{{namespace}}}{step}" for step in path.split("/"))


def _namespace(node: etree._Element) -> str:
    return etree.QName(node).namespace or ""


def _all(node: etree._Element, path: str) -> Sequence[etree._Element]:
    found = node.findall(_path(path, _namespace(node)))
    if not found:
        raise CallerError("file_rejected", f"line {node.sourceline}: {path} is missing")
    return found


def _text(node: etree._Element, path: str, *, default: str | None = None) -> str:
    found = node.findtext(_path(path, _namespace(node)))
    if found:
        return found
    if default is None:
        raise CallerError("file_rejected", f"line {node.sourceline}: {path} is missing")
    return default


def _read_amount(node: etree._Element, path: str) -> Money:
    found = node.find(_path(path, _namespace(node)))
    if found is None:
        raise CallerError("file_rejected", f"line {node.sourceline}: {path} is missing")
    return parse_amount(found.text or "", found.get("Ccy", ""), place=f"line {found.sourceline}")


def parse_amount(text: str, currency: str, *, place: str) -> Money:
    """Decimal text with exactly its currency's number of decimals, as integer minor units."""
    digits = MINOR_DIGITS.get(currency)
    whole, dot, part = text.partition(".")
    sound = whole.isascii() and whole.isdigit() and (not dot or (part.isascii() and part.isdigit()))
    if digits is None or not sound or len(part) != digits or len(whole) > 13:
        raise CallerError("file_rejected", f"{place}: amount")
    return Money(int(whole + part), currency)


def _read_signed(node: etree._Element) -> Money:
    amount = _read_amount(node, "Amt")
    match _text(node, "CdtDbtInd"):
        case "CRDT":
            return amount
        case "DBIT":
            return Money(-amount.amount_minor, amount.currency)
    raise CallerError("file_rejected", f"line {node.sourceline}: CdtDbtInd")


def _read_status(text: str) -> Status:
    match text:
        case "ACSC" | "ACSP" | "RJCT" | "PDNG":
            return text
    raise CallerError("file_rejected", "TxSts")


def _read_stamp(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CallerError("file_rejected", "CreDtTm") from None
    if moment.tzinfo is None:
        raise CallerError("file_rejected", "CreDtTm without a zone")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CallerError("file_rejected", "date") from None


def _check_totals(body: etree._Element, transfers: tuple[CreditTransfer, ...]) -> None:
    currency = transfers[0].amount.currency
    if any(transfer.amount.currency != currency for transfer in transfers):
        raise CallerError("file_rejected", "pain.001: more than one currency")
    said = parse_amount(_text(body, "GrpHdr/CtrlSum"), currency, place="CtrlSum")
    counted = _sum(transfer.amount for transfer in transfers)
    if _text(body, "GrpHdr/NbOfTxs") != str(len(transfers)) or said != counted:
        raise CallerError("file_rejected", "pain.001: count or control sum")
    ids = {transfer.end_to_end_id for transfer in transfers}
    if len(ids) != len(transfers):
        raise CallerError("file_rejected", "pain.001: an EndToEndId stands twice")
