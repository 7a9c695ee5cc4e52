"""What banks say to each other over a clearing system: pacs.008.001.08, pacs.002.001.12,
pacs.004.001.11 and pacs.009.001.10. Settlement is always by the clearing system (CLRG)."""

from dataclasses import dataclass
from datetime import date

from lxml import etree

from backend.channels.iso20022 import xml
from backend.channels.iso20022.initiation import TransferStatus, add_status, read_statuses
from protocol.errors import CallerError
from protocol.money import Money

PACS008, PACS002 = "pacs.008.001.08", "pacs.002.001.12"
PACS004, PACS009 = "pacs.004.001.11", "pacs.009.001.10"


@dataclass(frozen=True, slots=True)
class InterbankTransfer:
    """One customer's credit transfer on its way to the creditor's bank."""

    end_to_end_id: str
    uetr: str
    """UUID, version 4: the same from end to end."""
    amount: Money
    debtor_name: str
    debtor_account: str
    creditor_name: str
    creditor_account: str
    remittance: str = ""


@dataclass(frozen=True, slots=True)
class InterbankTransfers:
    """pacs.008: customers' credit transfers from one bank to another."""

    message_id: str
    created_at_ms: int
    settlement_date: date
    debtor_agent: str
    creditor_agent: str
    transfers: tuple[InterbankTransfer, ...]


@dataclass(frozen=True, slots=True)
class InterbankStatus:
    """pacs.002: what became of another message's transfers."""

    message_id: str
    created_at_ms: int
    original_message_id: str
    original_message: str
    transfers: tuple[TransferStatus, ...]


@dataclass(frozen=True, slots=True)
class Return:
    """A transfer's money sent back after it was settled."""

    return_id: str
    original_end_to_end_id: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class Returns:
    """pacs.004: settled transfers that come back."""

    message_id: str
    created_at_ms: int
    settlement_date: date
    returns: tuple[Return, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """Money between two members' settlement accounts."""

    reference: str
    debtor: str
    creditor: str
    amount: Money


@dataclass(frozen=True, slots=True)
class FinancialTransfers:
    """pacs.009: institutions' own money. Several legs are settled together or not at all."""

    message_id: str
    created_at_ms: int
    settlement_date: date
    legs: tuple[Leg, ...]


def write_transfers(message: InterbankTransfers) -> bytes:
    """pacs.008.001.08."""
    root, body = xml.document(PACS008, "FIToFICstmrCdtTrf")
    amounts = [transfer.amount for transfer in message.transfers]
    header = _header(body, message.message_id, message.created_at_ms, len(amounts))
    xml.add_amount(header, "TtlIntrBkSttlmAmt", xml.total(amounts))
    xml.add(header, "IntrBkSttlmDt", message.settlement_date.isoformat())
    xml.add(header, "SttlmInf/SttlmMtd", "CLRG")
    for transfer in message.transfers:
        item = xml.add(body, "CdtTrfTxInf")
        identity = xml.add(item, "PmtId")
        xml.add(identity, "EndToEndId", transfer.end_to_end_id)
        xml.add(identity, "UETR", transfer.uetr)
        xml.add_amount(item, "IntrBkSttlmAmt", transfer.amount)
        xml.add(item, "ChrgBr", "SLEV")
        xml.add(item, "Dbtr/Nm", transfer.debtor_name)
        xml.add_account(item, "DbtrAcct", transfer.debtor_account)
        xml.add_member(item, "DbtrAgt", message.debtor_agent)
        xml.add_member(item, "CdtrAgt", message.creditor_agent)
        xml.add(item, "Cdtr/Nm", transfer.creditor_name)
        xml.add_account(item, "CdtrAcct", transfer.creditor_account)
        if transfer.remittance:
            xml.add(item, "RmtInf/Ustrd", transfer.remittance)
    return xml.to_bytes(root)


def read_transfers(data: bytes) -> InterbankTransfers:
    """A pacs.008 of one debtor's bank and one creditor's."""
    body = xml.read_body(data, PACS008, "FIToFICstmrCdtTrf")
    header, items = xml.find(body, "GrpHdr"), xml.read_all(body, "CdtTrfTxInf")
    agents = {(xml.read_member(one, "DbtrAgt"), xml.read_member(one, "CdtrAgt")) for one in items}
    if len(agents) != 1:
        raise CallerError("file_rejected", f"line {body.sourceline}: more than one pair of agents")
    transfers = tuple(
        InterbankTransfer(
            end_to_end_id=xml.text(item, "PmtId/EndToEndId"),
            uetr=xml.text(item, "PmtId/UETR"),
            amount=xml.read_amount(item, "IntrBkSttlmAmt"),
            debtor_name=xml.text(item, "Dbtr/Nm"),
            debtor_account=xml.text(item, "DbtrAcct/Id/Othr/Id"),
            creditor_name=xml.text(item, "Cdtr/Nm"),
            creditor_account=xml.text(item, "CdtrAcct/Id/Othr/Id"),
            remittance=xml.text(item, "RmtInf/Ustrd", default=""),
        )
        for item in items
    )
    ids = [transfer.end_to_end_id for transfer in transfers]
    _check(header, ids, [transfer.amount for transfer in transfers], "TtlIntrBkSttlmAmt")
    debtor_agent, creditor_agent = agents.pop()
    return InterbankTransfers(
        message_id=xml.text(header, "MsgId"),
        created_at_ms=xml.read_stamp(header, "CreDtTm"),
        settlement_date=xml.read_date(header, "IntrBkSttlmDt"),
        debtor_agent=debtor_agent,
        creditor_agent=creditor_agent,
        transfers=transfers,
    )


def write_status(status: InterbankStatus) -> bytes:
    """pacs.002.001.12."""
    root, body = xml.document(PACS002, "FIToFIPmtStsRpt")
    header = xml.add(body, "GrpHdr")
    xml.add(header, "MsgId", status.message_id)
    xml.add(header, "CreDtTm", xml.stamp(status.created_at_ms))
    original = xml.add(body, "OrgnlGrpInfAndSts")
    xml.add(original, "OrgnlMsgId", status.original_message_id)
    xml.add(original, "OrgnlMsgNmId", status.original_message)
    for transfer in status.transfers:
        add_status(body, "TxInfAndSts", transfer)
    return xml.to_bytes(root)


def read_status(data: bytes) -> InterbankStatus:
    """A pacs.002; a status we do not know is refused, never guessed."""
    body = xml.read_body(data, PACS002, "FIToFIPmtStsRpt")
    return InterbankStatus(
        message_id=xml.text(body, "GrpHdr/MsgId"),
        created_at_ms=xml.read_stamp(body, "GrpHdr/CreDtTm"),
        original_message_id=xml.text(body, "OrgnlGrpInfAndSts/OrgnlMsgId"),
        original_message=xml.text(body, "OrgnlGrpInfAndSts/OrgnlMsgNmId"),
        transfers=read_statuses(body, "TxInfAndSts"),
    )


def write_returns(message: Returns) -> bytes:
    """pacs.004.001.11."""
    root, body = xml.document(PACS004, "PmtRtr")
    amounts = [one.amount for one in message.returns]
    header = _header(body, message.message_id, message.created_at_ms, len(amounts))
    xml.add_amount(header, "TtlRtrdIntrBkSttlmAmt", xml.total(amounts))
    xml.add(header, "IntrBkSttlmDt", message.settlement_date.isoformat())
    xml.add(header, "SttlmInf/SttlmMtd", "CLRG")
    for one in message.returns:
        item = xml.add(body, "TxInf")
        xml.add(item, "RtrId", one.return_id)
        xml.add(item, "OrgnlEndToEndId", one.original_end_to_end_id)
        xml.add_amount(item, "RtrdIntrBkSttlmAmt", one.amount)
        xml.add(item, "RtrRsnInf/Rsn/Cd", one.reason)
    return xml.to_bytes(root)


def read_returns(data: bytes) -> Returns:
    """A pacs.004, its count and sum checked."""
    body = xml.read_body(data, PACS004, "PmtRtr")
    header = xml.find(body, "GrpHdr")
    returns = tuple(
        Return(
            return_id=xml.text(item, "RtrId"),
            original_end_to_end_id=xml.text(item, "OrgnlEndToEndId"),
            amount=xml.read_amount(item, "RtrdIntrBkSttlmAmt"),
            reason=xml.text(item, "RtrRsnInf/Rsn/Cd"),
        )
        for item in xml.read_all(body, "TxInf")
    )
    ids = [one.original_end_to_end_id for one in returns]
    _check(header, ids, [one.amount for one in returns], "TtlRtrdIntrBkSttlmAmt")
    return Returns(
        message_id=xml.text(header, "MsgId"),
        created_at_ms=xml.read_stamp(header, "CreDtTm"),
        settlement_date=xml.read_date(header, "IntrBkSttlmDt"),
        returns=returns,
    )


def write_financial(message: FinancialTransfers) -> bytes:
    """pacs.009.001.10."""
    root, body = xml.document(PACS009, "FICdtTrf")
    amounts = [leg.amount for leg in message.legs]
    header = _header(body, message.message_id, message.created_at_ms, len(amounts))
    xml.add_amount(header, "TtlIntrBkSttlmAmt", xml.total(amounts))
    xml.add(header, "IntrBkSttlmDt", message.settlement_date.isoformat())
    xml.add(header, "SttlmInf/SttlmMtd", "CLRG")
    for leg in message.legs:
        item = xml.add(body, "CdtTrfTxInf")
        xml.add(item, "PmtId/EndToEndId", leg.reference)
        xml.add_amount(item, "IntrBkSttlmAmt", leg.amount)
        xml.add_member(item, "Dbtr", leg.debtor)
        xml.add_member(item, "Cdtr", leg.creditor)
    return xml.to_bytes(root)


def read_financial(data: bytes) -> FinancialTransfers:
    """A pacs.009, its count and sum checked."""
    body = xml.read_body(data, PACS009, "FICdtTrf")
    header = xml.find(body, "GrpHdr")
    legs = tuple(
        Leg(
            reference=xml.text(item, "PmtId/EndToEndId"),
            debtor=xml.read_member(item, "Dbtr"),
            creditor=xml.read_member(item, "Cdtr"),
            amount=xml.read_amount(item, "IntrBkSttlmAmt"),
        )
        for item in xml.read_all(body, "CdtTrfTxInf")
    )
    ids = [leg.reference for leg in legs]
    _check(header, ids, [leg.amount for leg in legs], "TtlIntrBkSttlmAmt")
    return FinancialTransfers(
        message_id=xml.text(header, "MsgId"),
        created_at_ms=xml.read_stamp(header, "CreDtTm"),
        settlement_date=xml.read_date(header, "IntrBkSttlmDt"),
        legs=legs,
    )


def _header(body: etree._Element, message_id: str, at_ms: int, count: int) -> etree._Element:
    header = xml.add(body, "GrpHdr")
    xml.add(header, "MsgId", message_id)
    xml.add(header, "CreDtTm", xml.stamp(at_ms))
    xml.add(header, "NbOfTxs", str(count))
    return header


def _check(header: etree._Element, ids: list[str], amounts: list[Money], path: str) -> None:
    xml.check_items(header, ids, amounts, sum_path=path)
    if xml.read_amount(header, path).currency != amounts[0].currency:
        raise CallerError("file_rejected", f"line {header.sourceline}: currency of {path}")
    if xml.text(header, "SttlmInf/SttlmMtd") != "CLRG":
        raise CallerError("file_rejected", f"line {header.sourceline}: SttlmMtd")
