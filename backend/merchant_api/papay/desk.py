"""What merchants' programs and wallets ask of contracts, as async calls."""

import hashlib
from typing import Any

from backend.db.tables import Row
from backend.mandates.desk import MandateDesk
from backend.mandates.model import NoticeStatus
from backend.mandates.notices import AnnounceDebit
from backend.mandates.schemas import Signature
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    INVALID_REQUEST,
    RESOURCE_NOT_EXISTS,
    ApiError,
)
from backend.merchant_api.keys.desk import Account, AccountDesk
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.orders.service import CreateOrder
from backend.merchant_api.papay.model import ContractRows, contract_shown, payers_view
from backend.merchant_api.papay.repository import ContractRepository
from backend.merchant_api.papay.schemas import NewContract, NewDebit, NewDebitNotice, NewPlan
from backend.merchant_api.papay.service import (
    AddPlan,
    DebitContract,
    ProposeContract,
    SignContract,
    TerminateContract,
    check_payer,
)
from backend.payments.services import Services
from protocol import ids
from protocol.clock import DAY_MS
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText

TRADE_TYPE = "AUTH"
_CURRENCY = "CNY"


class ContractDesk:
    """Serves merchants' programs and payers. One per process."""

    def __init__(
        self,
        services: Services,
        engine: Engine,
        *,
        accounts: AccountDesk,
        openid_key: bytes,
        sandbox: Sandbox,
    ) -> None:
        self._services = services
        self._engine = engine
        self._accounts = accounts
        self._openid_key = openid_key
        self._sandbox = sandbox
        self._contracts = ContractRepository(services.reader)
        self._mandates = MandateDesk(services)

    async def add_plan(self, wanted: NewPlan) -> Row:
        """A plan, the same for the same plan again."""
        row = wanted.model_dump() | {"currency": _CURRENCY}
        added: Row = await self._services.submit(AddPlan(row=row))
        return added

    async def propose(self, account: Account, wanted: NewContract, form: str = FORM) -> Row:
        """The proposal's row."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        row = {
            "contract_id": self._engine.mint(ids.MANDATE),
            "mchid": account.mchid,
            "appid": account.appid,
            "plan_id": wanted.plan_id,
            "out_contract_code": wanted.out_contract_code,
            "display_account": wanted.contract_display_account,
            "out_user_code": wanted.out_user_code or "",
            "notify_url": wanted.contract_notify_url,
            "notify_form": form,
            "content_hash": content_hash(wanted, "CONTRACT"),
        }
        command = ProposeContract(row=row, openid=wanted.openid or "")
        proposed: Row = await self._services.submit(command)
        return proposed

    async def by_code(self, account: Account, plan_id: int, code: str) -> dict[str, Any]:
        """The contract of a merchant's code."""
        rows = await self._signed(account, plan_id, code)
        now_ms = self._services.clock.now_ms()
        return contract_shown(rows, openid_key=self._openid_key, now_ms=now_ms)

    async def by_id(self, account: Account, contract_id: str) -> dict[str, Any]:
        """The contract of its id, if it is of this merchant number and signed."""
        rows = await self._read(contract_id)
        if rows is None or rows.contract["mchid"] != account.mchid or rows.mandate is None:
            raise ApiError(RESOURCE_NOT_EXISTS, "协议不存在")
        now_ms = self._services.clock.now_ms()
        return contract_shown(rows, openid_key=self._openid_key, now_ms=now_ms)

    async def of_openid(
        self, account: Account, openid: str, plan_id: int, form: str
    ) -> dict[str, Any] | None:
        """The latest contract of a plan that a payer has signed, or None."""
        rows: ContractRows | None = await self._services.run_read(
            lambda: self._contracts.of_openid(account, openid, plan_id, form)
        )
        if rows is None or rows.mandate is None:
            return None
        now_ms = self._services.clock.now_ms()
        return contract_shown(rows, openid_key=self._openid_key, now_ms=now_ms)

    async def terminate(self, account: Account, plan_id: int, code: str, remark: str) -> None:
        """End the contract of a merchant's code. Safe to repeat."""
        rows = await self._signed(account, plan_id, code)
        command = TerminateContract(
            contract_id=rows.contract["contract_id"],
            merchant_id=account.merchant_id,
            remark=remark,
        )
        await self._services.submit(command)

    async def announce(self, account: Account, contract_id: str, wanted: NewDebitNotice) -> None:
        """Tell the payer of a debit to come. The same amount on the same day is one notice."""
        self._engine.check_names(account, mchid=wanted.mchid, appid=wanted.appid)
        rows = await self._read(contract_id)
        if rows is None or rows.contract["mchid"] != account.mchid or rows.mandate is None:
            raise ApiError(RESOURCE_NOT_EXISTS, "协议不存在")
        amount_minor = wanted.estimated_amount.amount
        command = AnnounceDebit(
            notice_id=self._notice_id(contract_id, amount_minor),
            mandate_id=contract_id,
            merchant_id=account.merchant_id,
            amount_minor=amount_minor,
            currency=wanted.estimated_amount.currency,
            description=rows.plan["name"],
        )
        notice: Row = await self._services.submit(command)
        if notice["status"] != NoticeStatus.ANNOUNCED:
            raise ApiError(INVALID_REQUEST, "今日同金额的预扣费通知已被用户拒绝或已用于扣款")

    async def debit(self, account: Account, wanted: NewDebit, form: str = FORM) -> Row:
        """Take a payment under a contract; its result is told. Answers the order's row."""
        if wanted.appid != account.appid:
            raise ApiError(APPID_MCHID_NOT_MATCH)
        if not ids.is_id(wanted.contract_id, prefix=ids.MANDATE):
            raise ApiError(RESOURCE_NOT_EXISTS, "协议不存在")
        create = self._engine.by_mandate(
            account,
            amount=wanted.amount,
            description=wanted.description,
            mandate_id=wanted.contract_id,
            notify_url=wanted.transaction_notify_url,
            notify_form=form,
            is_decline_told=True,
        )
        command = CreateOrder(
            create=create,
            mchid=account.mchid,
            out_trade_no=wanted.out_trade_no,
            appid=account.appid,
            trade_type=TRADE_TYPE,
            content_hash=content_hash(wanted, TRADE_TYPE),
            attach=wanted.attach or "",
        )
        order: Row
        async with self._sandbox.at(
            wanted.amount.total, mchid=account.mchid, number=wanted.out_trade_no
        ):
            order, _ = await self._services.submit(
                DebitContract(order=command, contract_id=wanted.contract_id)
            )
        return order

    async def shown_to(self, payer_id: str, contract_id: str) -> dict[str, Any]:
        """A contract as its payer sees it, with the text to sign."""
        rows = await self._read(contract_id)
        if rows is None:
            raise CallerError("mandate_not_found", contract_id)
        check_payer(rows.contract, payer_id)
        return await self._shown(rows, payer_id)

    async def of_payer(self, payer_id: str) -> list[dict[str, Any]]:
        """What a payer has signed."""
        found: list[ContractRows] = await self._services.run_read(
            lambda: self._contracts.of_payer(payer_id)
        )
        return [await self._shown(rows, payer_id) for rows in found]

    async def sign(self, payer_id: str, contract_id: str, wanted: Signature) -> dict[str, Any]:
        """The payer signs a proposal, by the phone's key or a passkey. Safe to repeat."""
        shown = await self.shown_to(payer_id, contract_id)
        signed = await self._mandates.signed(wanted, MandateText.from_map(shown["text"]))
        command = SignContract(contract_id=contract_id, payer_id=payer_id, signed=signed)
        await self._services.submit(command)
        return await self.shown_to(payer_id, contract_id)

    async def _shown(self, rows: ContractRows, payer_id: str) -> dict[str, Any]:
        account = await self._accounts.account(rows.contract["mchid"])
        assert account is not None, "merchant numbers are never removed"
        merchant = await self._services.run_read(
            lambda: self._contracts.merchant(account.merchant_id)
        )
        now_ms = self._services.clock.now_ms()
        return payers_view(rows, payer_id=payer_id, merchant=merchant, now_ms=now_ms)

    async def _signed(self, account: Account, plan_id: int, code: str) -> ContractRows:
        rows: ContractRows | None = await self._services.run_read(
            lambda: self._contracts.of_code(account.mchid, code)
        )
        if rows is None or rows.mandate is None or rows.contract["plan_id"] != plan_id:
            raise ApiError(RESOURCE_NOT_EXISTS, "协议不存在")
        return rows

    async def _read(self, contract_id: str) -> ContractRows | None:
        found: ContractRows | None = await self._services.run_read(
            lambda: self._contracts.of_id(contract_id)
        )
        return found

    def _notice_id(self, contract_id: str, amount_minor: int) -> str:
        """The same all of a day of the shop's."""
        rules, now_ms = self._services.rules, self._services.clock.now_ms()
        day = rules.business_date(now_ms)
        said = f"{contract_id}\n{amount_minor}\n{day}".encode()
        return ids.mint(
            ids.NOTICE,
            time_ms=now_ms - (now_ms + rules.day_offset_ms) % DAY_MS,
            random_bytes=hashlib.sha256(said).digest()[: ids.RANDOM_BYTES],
        )
