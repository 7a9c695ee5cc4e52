"""NetsUnion's messages as values. Every field names its place below ``MsgBody``.

Rule 1: what the system answers (``SysRtnCd``) says whether the message was understood; only
        ``BizStsCd`` and ``TrxStatus`` say what became of the money.
Rule 2: account numbers, names, papers and phone numbers are sealed (`sealed.py`), never in clear.
Rule 3: an answer carries the digest of the request it answers; it fits no other.
"""

# ruff: noqa: RUF009  # ``at`` and ``each`` are dataclass fields

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from protocol.money import Money

Kind = Literal["text", "amount", "count", "day", "moment"]

SYSTEM_OK, SYSTEM_BAD_SIGNATURE, SYSTEM_FAULT = "00000000", "ES000025", "ES000098"
SYSTEM_MALFORMED, SYSTEM_UNKNOWN_ISSUER = "ES000011", "ES000017"
BUSINESS_OK, BUSINESS_UNKNOWN_TRX = "00000000", "PB005001"
BUSINESS_OPEN_DAY = "PB005010"
SUCCEEDED, FAILED, IN_PROGRESS, REVERSED = "00", "01", "02", "03"
"""``TrxStatus``. What is in progress or anything else is unknown."""
PAY_CATEGORY, PAYOUT_CATEGORY, REFUND_CATEGORY, REVERSAL_CATEGORY = "0110", "0120", "0130", "0131"
BUSINESS_TYPE = "100001"
DEBIT_CARD, RESERVE_ACCOUNT = "00", "04"
FROM_INSTITUTION, FROM_BANK, TO_INSTITUTION, TO_BANK = "11", "12", "21", "22"
"""``Drctn``, towards NetsUnion and from it."""


def at(path: str, kind: Kind = "text", *, sealed: bool = False, optional: bool = False) -> Any:  # noqa: ANN401  # a dataclass's field
    """A field's place and form. An optional one is missing where its value is empty."""
    place = {"path": path, "kind": kind, "sealed": sealed}
    return field(metadata=place, default="") if optional else field(metadata=place)


def each(path: str, row: type) -> Any:  # noqa: ANN401  # a dataclass's field
    """Rows: one element at ``path`` each."""
    return field(metadata={"path": path, "row": row}, default=())


@dataclass(frozen=True, slots=True)
class Header:
    """Who says what, when, in which direction."""

    sent_at_ms: int
    message_type: str
    issuer: str
    direction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyAccount:
    """101: is this the payer's account? Its bank sends the payer a code."""

    payer_bank: str = at("PyerInf/PyerAcctIssrId")
    payer_account_type: str = at("PyerInf/PyerAcctTp")
    payer_account: str = at("PyerInf/PyerAcctId", sealed=True)
    payer_name: str = at("PyerInf/PyerNm", sealed=True)
    paper_number: str = at("PyerInf/IDNo", sealed=True, optional=True)
    """Where the payer's papers are known."""
    phone: str = at("PyerInf/MobNo", sealed=True)
    trx_id: str = at("TrxInf/TrxId")
    at_ms: int = at("TrxInf/TrxDtTm", "moment")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignAgreement:
    """103: the code of a 101, which makes the agreement."""

    payer_bank: str = at("PyerInf/PyerAcctIssrId")
    trx_id: str = at("TrxInf/TrxId")
    at_ms: int = at("TrxInf/TrxDtTm", "moment")
    verification_trx_id: str = at("OriTrxInf/OriTrxId")
    code: str = at("AuthInf/AuthMsg", sealed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementAnswer:
    """102 and 104: the word on a verification or a signing; the latter names the agreement."""

    system_code: str = at("SysRtnInf/SysRtnCd")
    system_text: str = at("SysRtnInf/SysRtnDesc", optional=True)
    request_digest: str = at("SysRtnInf/ReqDgst")
    business_code: str = at("BizInf/BizStsCd")
    trx_id: str = at("BizInf/TrxId")
    agreement: str = at("BizInf/SgnNo", sealed=True, optional=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementPay:
    """201: take money under an agreement."""

    payer_bank: str = at("PyerInf/PyerAcctIssrId")
    payer_account_type: str = at("PyerInf/PyerAcctTp")
    agreement: str = at("PyerInf/SgnNo", sealed=True)
    payee_issuer: str = at("PyeeInf/PyeeAcctIssrId")
    payee_account: str = at("PyeeInf/PyeeAcctId", sealed=True)
    payee_name: str = at("PyeeInf/PyeeNm", sealed=True)
    payee_account_type: str = at("PyeeInf/PyeeAcctTp")
    reserve_bank: str = at("ResfdInf/ResfdAcctIssrId")
    reserve_account: str = at("ResfdInf/InstgAcctId", sealed=True)
    reserve_name: str = at("ResfdInf/InstgAcctNm", sealed=True)
    trx_id: str = at("TrxInf/TrxId")
    at_ms: int = at("TrxInf/TrxDtTm", "moment")
    amount: Money = at("TrxInf/TrxAmt", "amount")
    category: str = at("TrxInf/TrxCtgy")
    business_type: str = at("TrxInf/BizTp")
    order_id: str = at("OrdrInf/OrdrId")
    batch: str = at("BatchInf/BatchId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """205: give back a part of a payment, or all."""

    trx_id: str = at("TrxInf/TrxId")
    at_ms: int = at("TrxInf/TrxDtTm", "moment")
    amount: Money = at("TrxInf/TrxAmt", "amount")
    category: str = at("TrxInf/TrxCtgy")
    original_trx_id: str = at("OriTrxInf/OriTrxId")
    original_order_id: str = at("OriTrxInf/OriOrdrId")
    order_id: str = at("OrdrInf/OrdrId")
    batch: str = at("BatchInf/BatchId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """207: undo a payment, whatever became of it, even one that has not arrived."""

    trx_id: str = at("TrxInf/TrxId")
    at_ms: int = at("TrxInf/TrxDtTm", "moment")
    category: str = at("TrxInf/TrxCtgy")
    original_trx_id: str = at("OriTrxInf/OriTrxId")
    original_order_id: str = at("OriTrxInf/OriOrdrId")
    batch: str = at("BatchInf/BatchId")


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOut:
    """211: pay from our reserve to a bank account."""

    reserve_bank: str = at("PyerAcctInf/ResfdAcctIssrId")
    reserve_account: str = at("PyerAcctInf/InstgAcctId", sealed=True)
    payer_issuer: str = at("PyerInf/PyerAcctIssrId")
    payee_account_type: str = at("PyeeAcctInf/PyeeAcctTp")
    payee_bank: str = at("PyeeAcctInf/PyeeBkId")
    payee_account: str = at("PyeeAcctInf/PyeeBkNo", sealed=True)
    payee_name: str = at("PyeeAcctInf/PyeeBkNm", sealed=True)
    trx_id: str = at("TrxInf/TrxId")
    at_ms: int = at("TrxInf/TrxDtTm", "moment")
    amount: Money = at("TrxInf/TrxAmt", "amount")
    category: str = at("TrxInf/TrxCtgy")
    order_id: str = at("OrdrInf/OrdrId")
    batch: str = at("BatchInf/BatchId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """303: what became of a transaction?"""

    original_trx_id: str = at("OriTrxInf/OriTrxId")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrxAnswer:
    """202, 206, 208, 212 and 304: the word on a transaction."""

    system_code: str = at("SysRtnInf/SysRtnCd")
    system_text: str = at("SysRtnInf/SysRtnDesc", optional=True)
    request_digest: str = at("SysRtnInf/ReqDgst")
    business_code: str = at("BizInf/BizStsCd")
    business_text: str = at("BizInf/BizStsDesc", optional=True)
    trx_id: str = at("BizInf/TrxId")
    order_id: str = at("BizInf/OrdrId", optional=True)
    finished_at_ms: int = at("BizInf/TrxFinishTm", "moment")
    status: str = at("BizInf/TrxStatus", optional=True)
    settlement_day: date = at("BizInf/SttlmDt", "day")
    batch: str = at("BizInf/BatchId")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemAnswer:
    """900: the message was not taken; nothing happened, but only a query proves it."""

    system_code: str = at("SysRtnInf/SysRtnCd")
    system_text: str = at("SysRtnInf/SysRtnDesc", optional=True)
    request_digest: str = at("SysRtnInf/ReqDgst")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskBatch:
    """321: the totals of a batch."""

    batch: str = at("BatchInf/BatchId")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchTotals:
    """322: what stands in a batch, seen from the asking member."""

    system_code: str = at("SysRtnInf/SysRtnCd")
    request_digest: str = at("SysRtnInf/ReqDgst")
    batch: str = at("BatchInf/BatchId")
    received_count: int = at("BatchInf/RcvCnt", "count")
    received: Money = at("BatchInf/RcvAmt", "amount")
    paid_count: int = at("BatchInf/PayCnt", "count")
    paid: Money = at("BatchInf/PayAmt", "amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskDay:
    """323 (disputes), 331 (net position), 333 (settle), 341 (the day's list): of a day."""

    day: date = at("SttlmInf/SttlmDt", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberNet:
    """One member's line of the net position: positive if it receives."""

    issuer: str = at("IssrId")
    net: Money = at("NetAmt", "amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class NetPosition:
    """332: what every member pays or receives for a closed day. The sum is zero."""

    system_code: str = at("SysRtnInf/SysRtnCd")
    request_digest: str = at("SysRtnInf/ReqDgst")
    business_code: str = at("SttlmInf/BizStsCd")
    day: date = at("SttlmInf/SttlmDt", "day")
    members: tuple[MemberNet, ...] = each("SttlmInf/MmbInf", MemberNet)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeRow:
    """A payer's bank takes a payment back, or a part of it."""

    case_id: str = at("DsptId")
    original_trx_id: str = at("OriTrxId")
    original_order_id: str = at("OriOrdrId")
    amount: Money = at("DsptAmt", "amount")
    reason: str = at("DsptRsn")


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeBatch:
    """324: a day's disputes against the asking member."""

    system_code: str = at("SysRtnInf/SysRtnCd")
    request_digest: str = at("SysRtnInf/ReqDgst")
    batch: str = at("BatchInf/BatchId")
    count: int = at("BatchInf/DsptCnt", "count")
    total: Money = at("BatchInf/DsptAmt", "amount")
    rows: tuple[DisputeRow, ...] = each("BatchInf/DsptInf", DisputeRow)


MESSAGES: dict[str, type] = {
    "101": VerifyAccount, "102": AgreementAnswer, "103": SignAgreement, "104": AgreementAnswer,
    "201": AgreementPay, "202": TrxAnswer, "205": Refund, "206": TrxAnswer,
    "207": Reverse, "208": TrxAnswer, "211": PayOut, "212": TrxAnswer,
    "303": Query, "304": TrxAnswer, "321": AskBatch, "322": BatchTotals,
    "323": AskDay, "324": DisputeBatch, "331": AskDay, "332": NetPosition,
    "333": AskDay, "334": NetPosition, "341": AskDay, "900": SystemAnswer,
}  # fmt: skip
"""By the number in ``MsgTp``: ``epcc.201.001.01`` is 201."""
Message = (
    VerifyAccount | SignAgreement | AgreementAnswer | AgreementPay | Refund | Reverse | PayOut
    | Query | TrxAnswer | SystemAnswer | AskBatch | BatchTotals | AskDay | NetPosition
    | DisputeBatch
)  # fmt: skip


def type_name(number: str) -> str:
    """``MsgTp`` of a message's number."""
    return f"epcc.{number}.001.01"
