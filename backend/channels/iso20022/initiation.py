"""What a customer and its bank say to each other: pain.001.001.09 and pain.002.001.12."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from lxml import etree

from backend.channels.iso20022 import xml
from protocol.errors import CallerError
from protocol.money import Money

PAIN001, PAIN002 = "pain.001.001.09", "pain.002.001.12"
Status = Literal["ACTC", "ACCP", "ACSP", "ACSC", "RJCT", "PDNG"]
"""External payment transaction status codes: technically and otherwise accepted, settling,
settled (final), rejected, pending."""
STATUSES: tuple[Status, ...] = ("ACTC", "ACCP", "ACSP", "ACSC", "RJCT", "PDNG")


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


def write_instruction(instruction: Instruction) -> bytes:
    """pain.001.001.09."""
    root, body = xml.document(PAIN001, "CstmrCdtTrfInitn")
    count = str(len(instruction.transfers))
    control_sum = xml.total(transfer.amount for transfer in instruction.transfers).decimal()
    header = xml.add(body, "GrpHdr")
    xml.add(header, "MsgId", instruction.message_id)
    xml.add(header, "CreDtTm", xml.stamp(instruction.created_at_ms))
    xml.add(header, "NbOfTxs", count)
    xml.add(header, "CtrlSum", control_sum)
    xml.add(header, "InitgPty/Nm", instruction.debtor_name)
    group = xml.add(body, "PmtInf")
    xml.add(group, "PmtInfId", instruction.message_id)
    xml.add(group, "PmtMtd", "TRF")
    xml.add(group, "NbOfTxs", count)
    xml.add(group, "CtrlSum", control_sum)
    xml.add(group, "ReqdExctnDt/Dt", instruction.execution_date.isoformat())
    xml.add(group, "Dbtr/Nm", instruction.debtor_name)
    xml.add_account(group, "DbtrAcct", instruction.debtor_account)
    xml.add(group, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    xml.add(group, "ChrgBr", "SLEV")
    for transfer in instruction.transfers:
        item = xml.add(group, "CdtTrfTxInf")
        xml.add(item, "PmtId/EndToEndId", transfer.end_to_end_id)
        xml.add_amount(xml.add(item, "Amt"), "InstdAmt", transfer.amount)
        xml.add(item, "Cdtr/Nm", transfer.creditor_name)
        xml.add_account(item, "CdtrAcct", transfer.creditor_account)
        if transfer.remittance:
            xml.add(item, "RmtInf/Ustrd", transfer.remittance)
    return xml.to_bytes(root)


def read_instruction(data: bytes) -> Instruction:
    """An instruction, its counts and control sums checked."""
    body = xml.read_body(data, PAIN001, "CstmrCdtTrfInitn")
    header, group = xml.find(body, "GrpHdr"), xml.find(body, "PmtInf")
    transfers = tuple(
        CreditTransfer(
            end_to_end_id=xml.text(item, "PmtId/EndToEndId"),
            amount=xml.read_amount(item, "Amt/InstdAmt"),
            creditor_name=xml.text(item, "Cdtr/Nm"),
            creditor_account=xml.text(item, "CdtrAcct/Id/Othr/Id"),
            remittance=xml.text(item, "RmtInf/Ustrd", default=""),
        )
        for item in xml.read_all(group, "CdtTrfTxInf")
    )
    ids = [transfer.end_to_end_id for transfer in transfers]
    amounts = [transfer.amount for transfer in transfers]
    for place in (header, group):
        xml.check_items(place, ids, amounts, sum_path="CtrlSum")
    return Instruction(
        message_id=xml.text(header, "MsgId"),
        created_at_ms=xml.read_stamp(header, "CreDtTm"),
        execution_date=xml.read_date(group, "ReqdExctnDt/Dt"),
        debtor_name=xml.text(group, "Dbtr/Nm"),
        debtor_account=xml.text(group, "DbtrAcct/Id/Othr/Id"),
        transfers=transfers,
    )


def write_status_report(report: StatusReport) -> bytes:
    """pain.002.001.12."""
    root, body = xml.document(PAIN002, "CstmrPmtStsRpt")
    header = xml.add(body, "GrpHdr")
    xml.add(header, "MsgId", report.message_id)
    xml.add(header, "CreDtTm", xml.stamp(report.created_at_ms))
    original = xml.add(body, "OrgnlGrpInfAndSts")
    xml.add(original, "OrgnlMsgId", report.original_message_id)
    xml.add(original, "OrgnlMsgNmId", PAIN001)
    group = xml.add(body, "OrgnlPmtInfAndSts")
    xml.add(group, "OrgnlPmtInfId", report.original_message_id)
    for transfer in report.transfers:
        add_status(group, "TxInfAndSts", transfer)
    return xml.to_bytes(root)


def read_status_report(data: bytes) -> StatusReport:
    """A bank's answer; a status we do not know is refused, never guessed."""
    body = xml.read_body(data, PAIN002, "CstmrPmtStsRpt")
    return StatusReport(
        message_id=xml.text(body, "GrpHdr/MsgId"),
        created_at_ms=xml.read_stamp(body, "GrpHdr/CreDtTm"),
        original_message_id=xml.text(body, "OrgnlGrpInfAndSts/OrgnlMsgId"),
        transfers=read_statuses(body, "OrgnlPmtInfAndSts/TxInfAndSts"),
    )


def add_status(parent: etree._Element, name: str, transfer: TransferStatus) -> None:
    """What became of one transfer, as pain.002 and pacs.002 write it."""
    item = xml.add(parent, name)
    xml.add(item, "OrgnlEndToEndId", transfer.end_to_end_id)
    xml.add(item, "TxSts", transfer.status)
    if transfer.reason:
        xml.add(item, "StsRsnInf/Rsn/Cd", transfer.reason)


def read_statuses(body: etree._Element, path: str) -> tuple[TransferStatus, ...]:
    """Every transfer's status, each transfer once."""
    items = xml.read_all(body, path)
    statuses = tuple(
        TransferStatus(
            end_to_end_id=xml.text(item, "OrgnlEndToEndId"),
            status=_read_status(item),
            reason=xml.text(item, "StsRsnInf/Rsn/Cd", default=""),
        )
        for item in items
    )
    xml.check_once(body, [status.end_to_end_id for status in statuses])
    return statuses


def _read_status(item: etree._Element) -> Status:
    said = xml.text(item, "TxSts")
    for status in STATUSES:
        if said == status:
            return status
    raise CallerError("file_rejected", f"line {item.sourceline}: TxSts")
