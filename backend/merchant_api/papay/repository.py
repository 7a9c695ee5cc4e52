"""Reading contracts with their mandates. Only this file of the room sees SQL."""

from sqlalchemy import select

from backend.db.reading import Reader
from backend.db.tables import Row
from backend.mandates.model import MandateEvent
from backend.mandates.tables import Mandate, MandateEventRow
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import CONTRACTS_PER_LIST_MAX
from backend.merchant_api.papay.model import ContractRows
from backend.merchant_api.papay.tables import ApiContract, ContractPlan, OutContractCode
from backend.merchant_api.payers.tables import OpenId
from backend.merchants.tables import Merchant

_contract = ApiContract.__table__  # type: ignore[attr-defined]
_code = OutContractCode.__table__  # type: ignore[attr-defined]
_plan = ContractPlan.__table__  # type: ignore[attr-defined]
_mandate = Mandate.__table__  # type: ignore[attr-defined]
_event = MandateEventRow.__table__  # type: ignore[attr-defined]
_openid = OpenId.__table__  # type: ignore[attr-defined]
_merchant = Merchant.__table__  # type: ignore[attr-defined]


class ContractRepository:
    """Committed contracts. Blocking: call it on a reading thread."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of_id(self, contract_id: str) -> ContractRows | None:
        """By the platform's id."""
        contract = self._reader.one(select(_contract).where(_contract.c.contract_id == contract_id))
        return self._rows(contract) if contract else None

    def of_code(self, mchid: str, out_contract_code: str) -> ContractRows | None:
        """By the merchant's code."""
        code = self._reader.one(
            select(_code.c.contract_id).where(
                _code.c.mchid == mchid, _code.c.out_contract_code == out_contract_code
            )
        )
        return self.of_id(code["contract_id"]) if code else None

    def of_openid(
        self, account: Account, openid: str, plan_id: int, notify_form: str
    ) -> ContractRows | None:
        """The latest that a payer, by the name that the number's app knows, has signed of a plan,
        to be told in that form."""
        payer = self._reader.one(
            select(_openid.c.payer_id).where(
                _openid.c.openid == openid, _openid.c.appid == account.appid
            )
        )
        if payer is None:
            return None
        query = (
            select(_contract)
            .where(
                _contract.c.payer_id == payer["payer_id"],
                _contract.c.mchid == account.mchid,
                _contract.c.plan_id == plan_id,
                _contract.c.notify_form == notify_form,
            )
            .order_by(_contract.c.created_at_ms.desc(), _contract.c.contract_id.desc())
            .limit(1)
        )
        found = self._reader.one(query)
        return self._rows(found) if found else None

    def of_payer(self, payer_id: str) -> list[ContractRows]:
        """What a payer has signed, newest first."""
        query = (
            select(_contract)
            .where(_contract.c.payer_id == payer_id)
            .order_by(_contract.c.created_at_ms.desc(), _contract.c.contract_id)
            .limit(CONTRACTS_PER_LIST_MAX)
        )
        return [self._rows(row) for row in self._reader.rows(query)]

    def merchant(self, merchant_id: str) -> Row | None:
        """The merchant that proposes the contract."""
        return self._reader.one(select(_merchant).where(_merchant.c.merchant_id == merchant_id))

    def _rows(self, contract: Row) -> ContractRows:
        contract_id = contract["contract_id"]
        plan = self._reader.one(select(_plan).where(_plan.c.plan_id == contract["plan_id"]))
        assert plan is not None, "plans are never removed"
        if contract["payer_id"] is None:
            return ContractRows(contract, plan, None, None)
        return ContractRows(
            contract,
            plan,
            self._reader.one(select(_mandate).where(_mandate.c.mandate_id == contract_id)),
            self._reader.one(
                select(_event).where(
                    _event.c.mandate_id == contract_id,
                    _event.c.event == MandateEvent.TERMINATED.value,
                )
            ),
        )
