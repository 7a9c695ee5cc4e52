"""Recalls (camt.056.001.08, answered by camt.029.001.09) and liquidity transfers
(camt.050.001.07, answered by camt.025.001.08)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from backend.channels.iso20022 import xml
from protocol.errors import CallerError
from protocol.money import Money

CAMT056, CAMT029 = "camt.056.001.08", "camt.029.001.09"
CAMT050, CAMT025 = "camt.050.001.07", "camt.025.001.08"
Confirmation = Literal["CNCL", "RJCR", "PDCR"]
"""A recalled payment comes back, does not, or nobody knows yet."""
_ITEM_STATUS: dict[Confirmation, str] = {"CNCL": "ACCR", "RJCR": "RJCR", "PDCR": "PDCR"}
ReceiptStatus = Literal["STLD", "PDNG", "REJT"]


@dataclass(frozen=True, slots=True)
class Recall:
    """A settled transfer that its debtor wants back."""

    case_id: str
    created_at_ms: int
    assigner: str
    assignee: str
    original_end_to_end_id: str
    amount: Money
    settlement_date: date
    reason: str
    """DUPL, FRAD, CUST …"""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The creditor's bank's answer to a recall."""

    message_id: str
    case_id: str
    created_at_ms: int
    assigner: str
    assignee: str
    original_end_to_end_id: str
    confirmation: Confirmation
    reason: str = ""


@dataclass(frozen=True, slots=True)
class LiquidityTransfer:
    """Money between two accounts of one member at the reserve bank."""

    message_id: str
    created_at_ms: int
    end_to_end_id: str
    debtor_account: str
    creditor_account: str
    amount: Money
    settlement_date: date


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a liquidity transfer."""

    message_id: str
    created_at_ms: int
    original_message_id: str
    status: ReceiptStatus
    reason: str = ""


def write_recall(recall: Recall) -> bytes:
    """camt.056.001.08."""
    root, body = xml.document(CAMT056, "FIToFIPmtCxlReq")
    assignment = xml.add(body, "Assgnmt")
    xml.add(assignment, "Id", recall.case_id)
    xml.add_member(xml.add(assignment, "Assgnr"), "Agt", recall.assigner)
    xml.add_member(xml.add(assignment, "Assgne"), "Agt", recall.assignee)
    xml.add(assignment, "CreDtTm", xml.stamp(recall.created_at_ms))
    case = xml.add(body, "Case")
    xml.add(case, "Id", recall.case_id)
    xml.add_member(xml.add(case, "Cretr"), "Agt", recall.assigner)
    item = xml.add(body, "Undrlyg/TxInf")
    xml.add(item, "OrgnlEndToEndId", recall.original_end_to_end_id)
    xml.add_amount(item, "OrgnlIntrBkSttlmAmt", recall.amount)
    xml.add(item, "OrgnlIntrBkSttlmDt", recall.settlement_date.isoformat())
    xml.add(item, "CxlRsnInf/Rsn/Cd", recall.reason)
    return xml.to_bytes(root)


def read_recall(data: bytes) -> Recall:
    """A recall of one transfer."""
    body = xml.read_body(data, CAMT056, "FIToFIPmtCxlReq")
    item = xml.find(body, "Undrlyg/TxInf")
    return Recall(
        case_id=xml.text(body, "Case/Id"),
        created_at_ms=xml.read_stamp(body, "Assgnmt/CreDtTm"),
        assigner=xml.read_member(body, "Assgnmt/Assgnr/Agt"),
        assignee=xml.read_member(body, "Assgnmt/Assgne/Agt"),
        original_end_to_end_id=xml.text(item, "OrgnlEndToEndId"),
        amount=xml.read_amount(item, "OrgnlIntrBkSttlmAmt"),
        settlement_date=xml.read_date(item, "OrgnlIntrBkSttlmDt"),
        reason=xml.text(item, "CxlRsnInf/Rsn/Cd"),
    )


def write_resolution(resolution: Resolution) -> bytes:
    """camt.029.001.09."""
    root, body = xml.document(CAMT029, "RsltnOfInvstgtn")
    assignment = xml.add(body, "Assgnmt")
    xml.add(assignment, "Id", resolution.message_id)
    xml.add_member(xml.add(assignment, "Assgnr"), "Agt", resolution.assigner)
    xml.add_member(xml.add(assignment, "Assgne"), "Agt", resolution.assignee)
    xml.add(assignment, "CreDtTm", xml.stamp(resolution.created_at_ms))
    case = xml.add(body, "RslvdCase")
    xml.add(case, "Id", resolution.case_id)
    xml.add_member(xml.add(case, "Cretr"), "Agt", resolution.assignee)
    xml.add(body, "Sts/Conf", resolution.confirmation)
    item = xml.add(body, "CxlDtls/TxInfAndSts")
    xml.add(item, "OrgnlEndToEndId", resolution.original_end_to_end_id)
    xml.add(item, "TxCxlSts", _ITEM_STATUS[resolution.confirmation])
    if resolution.reason:
        xml.add(item, "CxlStsRsnInf/Rsn/Cd", resolution.reason)
    return xml.to_bytes(root)


def read_resolution(data: bytes) -> Resolution:
    """The answer to a recall; what contradicts itself or is unknown is refused."""
    body = xml.read_body(data, CAMT029, "RsltnOfInvstgtn")
    item = xml.find(body, "CxlDtls/TxInfAndSts")
    said = xml.text(body, "Sts/Conf")
    for confirmation, status in _ITEM_STATUS.items():
        if said == confirmation and xml.text(item, "TxCxlSts") == status:
            break
    else:
        raise CallerError("file_rejected", f"line {item.sourceline}: Conf or TxCxlSts")
    return Resolution(
        message_id=xml.text(body, "Assgnmt/Id"),
        case_id=xml.text(body, "RslvdCase/Id"),
        created_at_ms=xml.read_stamp(body, "Assgnmt/CreDtTm"),
        assigner=xml.read_member(body, "Assgnmt/Assgnr/Agt"),
        assignee=xml.read_member(body, "Assgnmt/Assgne/Agt"),
        original_end_to_end_id=xml.text(item, "OrgnlEndToEndId"),
        confirmation=confirmation,
        reason=xml.text(item, "CxlStsRsnInf/Rsn/Cd", default=""),
    )


def write_liquidity(transfer: LiquidityTransfer) -> bytes:
    """camt.050.001.07."""
    root, body = xml.document(CAMT050, "LqdtyCdtTrf")
    header = xml.add(body, "MsgHdr")
    xml.add(header, "MsgId", transfer.message_id)
    xml.add(header, "CreDtTm", xml.stamp(transfer.created_at_ms))
    item = xml.add(body, "LqdtyCdtTrf")
    xml.add(item, "LqdtyTrfId/EndToEndId", transfer.end_to_end_id)
    xml.add_account(item, "CdtrAcct", transfer.creditor_account)
    xml.add_amount(xml.add(item, "TrfdAmt"), "AmtWthCcy", transfer.amount)
    xml.add_account(item, "DbtrAcct", transfer.debtor_account)
    xml.add(item, "SttlmDt", transfer.settlement_date.isoformat())
    return xml.to_bytes(root)


def read_liquidity(data: bytes) -> LiquidityTransfer:
    """A liquidity transfer."""
    body = xml.read_body(data, CAMT050, "LqdtyCdtTrf")
    item = xml.find(body, "LqdtyCdtTrf")
    return LiquidityTransfer(
        message_id=xml.text(body, "MsgHdr/MsgId"),
        created_at_ms=xml.read_stamp(body, "MsgHdr/CreDtTm"),
        end_to_end_id=xml.text(item, "LqdtyTrfId/EndToEndId"),
        debtor_account=xml.text(item, "DbtrAcct/Id/Othr/Id"),
        creditor_account=xml.text(item, "CdtrAcct/Id/Othr/Id"),
        amount=xml.read_amount(item, "TrfdAmt/AmtWthCcy"),
        settlement_date=xml.read_date(item, "SttlmDt"),
    )


def write_receipt(receipt: Receipt) -> bytes:
    """camt.025.001.08; the reason is the status' description."""
    root, body = xml.document(CAMT025, "Rct")
    header = xml.add(body, "MsgHdr")
    xml.add(header, "MsgId", receipt.message_id)
    xml.add(header, "CreDtTm", xml.stamp(receipt.created_at_ms))
    item = xml.add(body, "RctDtls")
    xml.add(item, "OrgnlMsgId/MsgId", receipt.original_message_id)
    handling = xml.add(item, "ReqHdlg")
    xml.add(handling, "Sts/Prtry", receipt.status)
    if receipt.reason:
        xml.add(handling, "StsRsn/Rsn/Cd", receipt.reason)
    return xml.to_bytes(root)


def read_receipt(data: bytes) -> Receipt:
    """A receipt; a status we do not know is refused."""
    body = xml.read_body(data, CAMT025, "Rct")
    item = xml.find(body, "RctDtls")
    match xml.text(item, "ReqHdlg/Sts/Prtry"):
        case "STLD" | "PDNG" | "REJT" as status:
            return Receipt(
                message_id=xml.text(body, "MsgHdr/MsgId"),
                created_at_ms=xml.read_stamp(body, "MsgHdr/CreDtTm"),
                original_message_id=xml.text(item, "OrgnlMsgId/MsgId"),
                status=status,
                reason=xml.text(item, "ReqHdlg/StsRsn/Rsn/Cd", default=""),
            )
    raise CallerError("file_rejected", f"line {item.sourceline}: Sts")
