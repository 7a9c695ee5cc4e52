"""The contracts' commands.

Rule 1: a proposal binds nobody; a contract begins with the payer's signature under the plan's very
        terms, in the transaction that makes the mandate.
Rule 2: a debit that the contract does not cover is refused and leaves nothing behind, so its number
        may be tried again; one that the payer cannot pay is accepted, and its failure is told.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.mandates.model import MandateCommand, Side
from backend.mandates.service import ChangeMandate, CreateMandate
from backend.mandates.signing import Signed, text_of
from backend.merchant_api.faults import (
    INVALID_REQUEST,
    OPENID_MISMATCH,
    RE_ENTRY,
    RESOURCE_NOT_EXISTS,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.tables import ACCOUNT
from backend.merchant_api.limits import CONTRACT_PROPOSAL_LIFE_MS
from backend.merchant_api.orders.service import CreateOrder
from backend.merchant_api.papay.model import PERMISSION_FORM, contract_text
from backend.merchant_api.papay.tables import CONTRACT, OUT_CONTRACT_CODE, PLAN
from backend.merchant_api.payers.tables import OPENID
from protocol import cbor
from protocol.clock import DAY_MS
from protocol.errors import CallerError

_UNCOVERED = "mandate_"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPlan:
    """An operator allows a merchant number contracts on these terms. The same plan again changes
    nothing."""

    row: Mapping[str, Any]

    def reads(self) -> Iterable[Read]:
        return [(PLAN, self.row["plan_id"]), (ACCOUNT, self.row["mchid"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(PLAN, self.row["plan_id"])
        if known is not None:
            if any(known[name] != value for name, value in self.row.items()):
                raise CallerError("idempotency_conflict", "plan_id")
            return known
        if ws.get(ACCOUNT, self.row["mchid"]) is None:
            raise CallerError("merchant_unknown", self.row["mchid"])
        ws.insert(PLAN, {**self.row, "created_at_ms": now_ms})
        found = ws.get(PLAN, self.row["plan_id"])
        assert found is not None
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeContract:
    """A merchant's program asks for a payer's signature. Asking again before there is one lets the
    proposal live longer. Answers its row."""

    row: Mapping[str, Any]
    """With a fresh contract id, which goes unused if the code is known."""
    openid: str

    def reads(self) -> Iterable[Read]:
        payer = [(OPENID, self.openid)] if self.openid else []
        return [(OUT_CONTRACT_CODE, self._key), (PLAN, self.row["plan_id"]), *payer]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        known = ws.get(OUT_CONTRACT_CODE, self._key)
        return [(CONTRACT, known["contract_id"])] if known else []

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        known = ws.get(OUT_CONTRACT_CODE, self._key)
        if known is not None:
            return self._again(ws, known["contract_id"], now_ms)
        plan = ws.get(PLAN, self.row["plan_id"])
        if plan is None or plan["mchid"] != self.row["mchid"]:
            raise wrong_field("/plan_id", "模板不存在")
        mchid, code = self._key
        contract_id = self.row["contract_id"]
        ws.insert(
            OUT_CONTRACT_CODE,
            {"mchid": mchid, "out_contract_code": code, "contract_id": contract_id},
        )
        ws.insert(
            CONTRACT,
            {
                **self.row,
                "wanted_payer_id": self._wanted_payer(ws),
                "expires_at_ms": now_ms + CONTRACT_PROPOSAL_LIFE_MS,
                "valid_from_ms": now_ms,
                "valid_until_ms": now_ms + plan["valid_days"] * DAY_MS,
                "created_at_ms": now_ms,
            },
        )
        return _contract(ws, contract_id)

    @property
    def _key(self) -> tuple[str, str]:
        return self.row["mchid"], self.row["out_contract_code"]

    def _again(self, ws: WorkingSet, contract_id: str, now_ms: int) -> Row:
        contract = _contract(ws, contract_id)
        if contract["content_hash"] != self.row["content_hash"]:
            raise ApiError(RE_ENTRY, "签约协议号重复，且参数与原请求不一致")
        if contract["payer_id"] is not None:
            raise ApiError(INVALID_REQUEST, "该签约协议号已签约，请更换")
        return ws.update(CONTRACT, contract_id, expires_at_ms=now_ms + CONTRACT_PROPOSAL_LIFE_MS)

    def _wanted_payer(self, ws: WorkingSet) -> str | None:
        if not self.openid:
            return None
        known = ws.get(OPENID, self.openid)
        if known is not None and known["appid"] != self.row["appid"]:
            raise ApiError(OPENID_MISMATCH)
        if known is None:
            raise wrong_field("/openid", "无效的 openid")
        payer_id: str = known["payer_id"]
        return payer_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SignContract:
    """The payer signs a proposal's text. The same again changes nothing. Answers the mandate."""

    contract_id: str
    payer_id: str
    signed: Signed

    def reads(self) -> Iterable[Read]:
        return [(CONTRACT, self.contract_id)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        contract = ws.get(CONTRACT, self.contract_id)
        if contract is None:
            return []
        plan, account = (PLAN, contract["plan_id"]), (ACCOUNT, contract["mchid"])
        return [plan, account, *self._mandate(contract).reads()]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        contract = ws.get(CONTRACT, self.contract_id)
        if contract is None:
            raise CallerError("mandate_not_found", self.contract_id)
        check_payer(contract, self.payer_id)
        if contract["payer_id"] is None:
            if now_ms >= contract["expires_at_ms"]:
                raise CallerError("contract_expired", self.contract_id)
            ws.update(CONTRACT, self.contract_id, payer_id=self.payer_id)
        plan, account = ws.get(PLAN, contract["plan_id"]), ws.get(ACCOUNT, contract["mchid"])
        assert plan is not None
        assert account is not None
        text = contract_text(
            contract, plan, payer_id=self.payer_id, merchant_id=account["merchant_id"]
        )
        if text_of(self.signed) != cbor.encode(text.to_map()):
            raise CallerError("mandate_signature", "other terms")
        return self._mandate(contract).decide(ws, now_ms)

    def _mandate(self, contract: Row) -> CreateMandate:
        return CreateMandate(
            payer_id=self.payer_id,
            signed=self.signed,
            notify_url=contract["notify_url"],
            notify_form=contract["notify_form"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminateContract:
    """The merchant's program ends a contract. Safe to repeat: the first remark stays."""

    contract_id: str
    merchant_id: str
    remark: str

    def reads(self) -> Iterable[Read]:
        return [(CONTRACT, self.contract_id), *self._change.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return self._change.follow(ws)

    def decide(self, ws: WorkingSet, now_ms: int) -> None:
        self._change.decide(ws, now_ms)
        if not _contract(ws, self.contract_id)["termination_remark"]:
            ws.update(CONTRACT, self.contract_id, termination_remark=self.remark)

    @property
    def _change(self) -> ChangeMandate:
        return ChangeMandate(
            side=Side.MERCHANT,
            party_id=self.merchant_id,
            mandate_id=self.contract_id,
            command=MandateCommand.TERMINATE,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DebitContract:
    """Take a payment under a contract. Answers its order's row and its payment's."""

    order: CreateOrder
    contract_id: str

    def reads(self) -> Iterable[Read]:
        return [(CONTRACT, self.contract_id), *self.order.reads()]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        return self.order.follow(ws)

    def decide(self, ws: WorkingSet, now_ms: int) -> tuple[Row, Row]:
        contract = ws.get(CONTRACT, self.contract_id)
        is_theirs = contract is not None and contract["mchid"] == self.order.mchid
        is_signed = contract is not None and contract["payer_id"] is not None
        if contract is None or not is_theirs or not is_signed:
            raise ApiError(RESOURCE_NOT_EXISTS, "协议不存在")
        if contract["notify_form"] == PERMISSION_FORM:
            raise ApiError(INVALID_REQUEST, "服务授权下须先创建服务订单，不能直接扣款")
        order, payment = self.order.decide(ws, now_ms)
        code = payment["error_code"] or ""
        if code.startswith(_UNCOVERED):
            raise CallerError(code, self.contract_id)
        return order, payment


def check_payer(contract: Mapping[str, Any], payer_id: str) -> None:
    """``mandate_not_found`` unless this payer may see the contract."""
    parties = {contract["payer_id"], contract["wanted_payer_id"]}
    if not parties <= {None, payer_id}:
        raise CallerError("mandate_not_found", "contract")


def _contract(ws: WorkingSet, contract_id: str) -> Row:
    found = ws.get(CONTRACT, contract_id)
    assert found is not None
    return found
