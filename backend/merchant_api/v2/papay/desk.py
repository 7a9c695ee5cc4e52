"""Contracts and debits by XML: the newer interface's desk does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from backend.merchant_api.faults import RESOURCE_NOT_EXISTS, ApiError
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.orders.schemas import Amount
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.papay.model import sign_page
from backend.merchant_api.papay.schemas import NewContract, NewDebit
from backend.merchant_api.v2.faults import CONTRACT_NOT_EXIST, V2Error
from backend.merchant_api.v2.gate import Page, Said
from backend.merchant_api.v2.notices import form_of
from backend.merchant_api.v2.papay.model import contract_fields, contract_names
from backend.merchant_api.v2.papay.schemas import EndedContract, Entrust, OneContract, PapPayApply


class V2ContractDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, contracts: ContractDesk, engine: Engine) -> None:
        self._contracts = contracts
        self._engine = engine

    async def open(self, account: Account, wanted: Entrust) -> Page:
        """The page that opens a proposal in the payer's wallet."""
        return Page(sign_page(await self._proposed(account, wanted)))

    async def propose(self, account: Account, wanted: Entrust) -> Said:
        """What opens a proposal in the payer's wallet."""
        return {"pre_entrustweb_id": await self._proposed(account, wanted)}

    async def debit(self, account: Account, wanted: PapPayApply) -> Said:
        """Take a payment; that it was taken is told, or asked for."""
        newer = NewDebit(
            appid=wanted.appid,
            out_trade_no=wanted.out_trade_no,
            description=wanted.body,
            transaction_notify_url=wanted.notify_url,
            contract_id=wanted.contract_id,
            amount=Amount(total=wanted.total_fee),
            goods_tag=wanted.goods_tag,
            attach=wanted.attach,
        )
        with _in_older_words():
            await self._contracts.debit(account, newer, form_of(account, wanted.sign_type))
        return {}

    async def query(self, account: Account, wanted: OneContract) -> Said:
        """How a contract stands."""
        return contract_fields(await self._shown(account, wanted))

    async def end(self, account: Account, wanted: EndedContract) -> Said:
        """End a contract. Safe to repeat."""
        shown = await self._shown(account, wanted)
        await self._contracts.terminate(
            account,
            shown["plan_id"],
            shown["out_contract_code"],
            wanted.contract_termination_remark,
        )
        return contract_names(shown)

    async def _proposed(self, account: Account, wanted: Entrust) -> str:
        newer = NewContract(
            sign_scene="SIGN_SCENE_APP",
            appid=wanted.appid,
            openid=wanted.openid,
            plan_id=wanted.plan_id,
            out_contract_code=wanted.contract_code,
            contract_display_account=wanted.contract_display_account,
            contract_notify_url=wanted.notify_url,
            out_user_code=wanted.outerid,
        )
        form = form_of(account, wanted.sign_type)
        contract_id: str = (await self._contracts.propose(account, newer, form))["contract_id"]
        return contract_id

    async def _shown(self, account: Account, wanted: OneContract) -> dict[str, Any]:
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        with _in_older_words():
            if wanted.contract_id is not None:
                return await self._contracts.by_id(account, wanted.contract_id)
            assert wanted.plan_id is not None, "the schema wants it or the contract's id"
            assert wanted.contract_code is not None, "as the plan"
            return await self._contracts.by_code(account, wanted.plan_id, wanted.contract_code)


@contextmanager
def _in_older_words() -> Iterator[None]:
    """What is not there, here, is a contract."""
    try:
        yield
    except ApiError as error:
        if error.fault is RESOURCE_NOT_EXISTS:
            raise V2Error(CONTRACT_NOT_EXIST) from error
        raise
