"""What merchants' programs and wallets ask of service orders, as async calls."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from backend.db.command import Command
from backend.mandates.desk import MandateDesk
from backend.mandates.schemas import Signature
from backend.merchant_api.faults import NO_AUTH, ORDER_NOT_EXIST, ApiError, wrong_field
from backend.merchant_api.keys.desk import Account, AccountDesk
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.orders.schemas import Amount
from backend.merchant_api.orders.service import CreateOrder
from backend.merchant_api.papay.desk import ContractDesk
from backend.merchant_api.payscore.model import (
    ServiceCommand,
    ServiceRows,
    payers_service,
    service_shown,
)
from backend.merchant_api.payscore.permissions import PermissionDesk
from backend.merchant_api.payscore.repository import ServiceRepository
from backend.merchant_api.payscore.schemas import (
    Cancel,
    Complete,
    Modify,
    NewService,
    OfService,
    Sync,
)
from backend.merchant_api.payscore.service import (
    FORM,
    CancelService,
    CollectService,
    CompleteService,
    ConfirmService,
    CreateService,
    SettleService,
)
from backend.payments.services import Services
from protocol import ids
from protocol.errors import CallerError
from protocol.messages.mandate import MandateText

TRADE_TYPE = "AUTH"


class ServiceDesk:
    """Serves merchants' programs and payers. One per process."""

    def __init__(
        self,
        services: Services,
        engine: Engine,
        contracts: ContractDesk,
        accounts: AccountDesk,
        openid_key: bytes,
        sandbox: Sandbox,
    ) -> None:
        self._services = services
        self._engine = engine
        self._accounts = accounts
        self._openid_key = openid_key
        self._sandbox = sandbox
        self.permissions = PermissionDesk(contracts)
        self._orders = ServiceRepository(services.reader)
        self._mandates = MandateDesk(services)

    async def create(self, account: Account, wanted: NewService) -> dict[str, Any]:
        """A service order, the same for the same again."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        permission_id = None
        if not wanted.need_user_confirm:
            permission_id = await self._permission(account, wanted)
        row = {
            "order_id": self._engine.mint(ids.MANDATE),
            "mchid": account.mchid,
            "appid": account.appid,
            "out_order_no": wanted.out_order_no,
            "service_id": int(wanted.service_id),
            "said": _json(wanted.said()),
            "risk_minor": wanted.risk_fund.amount,
            "notify_url": wanted.notify_url,
            "content_hash": content_hash(wanted, "SERVICE"),
        }
        await self._services.submit(CreateService(row=row, permission_id=permission_id))
        return self._shown(await self._rows(account, wanted.out_order_no, wanted.service_id))

    async def query(
        self, account: Account, out_order_no: str, *, service_id: str, appid: str
    ) -> dict[str, Any]:
        """The service order of a merchant's number."""
        self._engine.check_names(account, mchid=account.mchid, appid=appid)
        return self._shown(await self._rows(account, out_order_no, service_id))

    async def cancel(self, account: Account, out_order_no: str, wanted: Cancel) -> dict[str, Any]:
        """Give it up."""
        rows = await self._of(account, out_order_no, wanted)
        order_id = rows.order["order_id"]
        return await self._done(
            rows, CancelService(order_id=order_id, merchant_id=account.merchant_id)
        )

    async def complete(
        self, account: Account, out_order_no: str, wanted: Complete
    ) -> dict[str, Any]:
        """The service is done: debit its cost."""
        rows = await self._of(account, out_order_no, wanted)
        said, total = wanted.said(), wanted.total_amount
        command = CompleteService(
            order_id=rows.order["order_id"],
            merchant_id=account.merchant_id,
            said=_changed(rows, said),
            total_minor=total,
            content_hash=content_hash(wanted, "COMPLETE"),
            debit=self._debit(account, rows, total, said) if total else None,
        )
        async with self._sandbox.at(total, mchid=account.mchid, number=out_order_no):
            return await self._done(rows, command)

    async def modify(self, account: Account, out_order_no: str, wanted: Modify) -> dict[str, Any]:
        """Ask for less than was not collected, and try to collect that."""
        rows = await self._of(account, out_order_no, wanted)
        said = wanted.said()
        command = CollectService(
            order_id=rows.order["order_id"],
            merchant_id=account.merchant_id,
            debit=self._debit(account, rows, wanted.total_amount, said),
            command=ServiceCommand.MODIFY,
            said=_changed(rows, said),
        )
        return await self._done(rows, command)

    async def pay(self, account: Account, out_order_no: str, wanted: OfService) -> dict[str, Any]:
        """Try once more to collect."""
        rows = await self._of(account, out_order_no, wanted)
        total = max(1, rows.order["total_minor"])
        command = CollectService(
            order_id=rows.order["order_id"],
            merchant_id=account.merchant_id,
            debit=self._debit(account, rows, total, json.loads(rows.order["said"])),
        )
        return await self._done(rows, command)

    async def sync(self, account: Account, out_order_no: str, wanted: Sync) -> dict[str, Any]:
        """The merchant was paid by other means."""
        rows = await self._of(account, out_order_no, wanted)
        command = SettleService(
            order_id=rows.order["order_id"],
            merchant_id=account.merchant_id,
            paid_at=wanted.detail.paid_time,
        )
        return await self._done(rows, command)

    async def shown_to(self, payer_id: str, order_id: str) -> dict[str, Any]:
        """A service order as its payer sees it, with the text to sign."""
        rows: ServiceRows | None = await self._services.run_read(
            lambda: self._orders.of_id(order_id)
        )
        if rows is None or rows.order["payer_id"] not in {None, payer_id}:
            raise CallerError("mandate_not_found", order_id)
        return await self._view(rows, payer_id)

    async def of_payer(self, payer_id: str) -> list[dict[str, Any]]:
        """What a payer has agreed to."""
        found: list[ServiceRows] = await self._services.run_read(
            lambda: self._orders.of_payer(payer_id)
        )
        return [await self._view(rows, payer_id) for rows in found]

    async def confirm(self, payer_id: str, order_id: str, wanted: Signature) -> dict[str, Any]:
        """The payer agrees, by the phone's key or a passkey. Safe to repeat."""
        shown = await self.shown_to(payer_id, order_id)
        signed = await self._mandates.signed(wanted, MandateText.from_map(shown["text"]))
        command = ConfirmService(order_id=order_id, payer_id=payer_id, signed=signed)
        await self._services.submit(command)
        return await self.shown_to(payer_id, order_id)

    def _debit(
        self, account: Account, rows: ServiceRows, total: int, said: Mapping[str, Any]
    ) -> CreateOrder:
        """The next try. Two calls at once make the same one, by its number."""
        order = rows.order
        number = f"PS{order['order_id'].partition('_')[2]}-{order['try_count'] + 1}"
        create = self._engine.by_mandate(
            account,
            amount=Amount(total=total),
            description=json.loads(order["said"])["service_introduction"],
            mandate_id=order["mandate_id"],
            notify_url=order["notify_url"],
            notify_form=FORM,
            is_decline_told=False,
        )
        return CreateOrder(
            create=create,
            mchid=account.mchid,
            out_trade_no=number,
            appid=account.appid,
            trade_type=TRADE_TYPE,
            content_hash=hashlib.sha256(f"{number}\n{total}\n{_json(said)}".encode()).digest(),
        )

    async def _permission(self, account: Account, wanted: NewService) -> str:
        """The id of the payer's permission; ``NO_AUTH`` where none stands."""
        if wanted.openid is None:
            raise wrong_field("/openid", "免确认订单须填写 openid")
        service_id = int(wanted.service_id)
        found = await self.permissions.standing(account, wanted.openid, service_id)
        if found is None:
            raise ApiError(NO_AUTH, "用户未授权该服务")
        return found

    async def _done(self, rows: ServiceRows, command: Command) -> dict[str, Any]:
        await self._services.submit(command)
        order_id = rows.order["order_id"]
        return self._shown(await self._services.run_read(lambda: self._orders.of_id(order_id)))

    async def _of(self, account: Account, out_order_no: str, wanted: OfService) -> ServiceRows:
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        return await self._rows(account, out_order_no, wanted.service_id)

    async def _rows(self, account: Account, out_order_no: str, service_id: str) -> ServiceRows:
        rows: ServiceRows | None = await self._services.run_read(
            lambda: self._orders.of_number(account.mchid, out_order_no)
        )
        if rows is None or str(rows.order["service_id"]) != service_id:
            raise ApiError(ORDER_NOT_EXIST)
        return rows

    def _shown(self, rows: ServiceRows) -> dict[str, Any]:
        now_ms = self._services.clock.now_ms()
        return service_shown(rows, openid_key=self._openid_key, now_ms=now_ms)

    async def _view(self, rows: ServiceRows, payer_id: str) -> dict[str, Any]:
        account = await self._accounts.account(rows.order["mchid"])
        assert account is not None, "merchant numbers are never removed"
        merchant = await self._services.run_read(lambda: self._orders.merchant(account.merchant_id))
        now_ms = self._services.clock.now_ms()
        return payers_service(rows, payer_id=payer_id, merchant=merchant, now_ms=now_ms)


def _json(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _changed(rows: ServiceRows, said: Mapping[str, Any]) -> str:
    """What stands of the order, with what is said of it now."""
    before = json.loads(rows.order["said"])
    merged = {
        name: before.get(name, {}) | value if isinstance(value, dict) else value
        for name, value in said.items()
    }
    return _json(before | merged)
