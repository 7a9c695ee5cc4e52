"""What merchants' programs ask of orders that are paid at once, as async calls."""

from typing import Any

from backend.db.tables import Row
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.combine.model import Combined, combined_shown
from backend.merchant_api.combine.repository import CombineRepository
from backend.merchant_api.combine.schemas import CloseCombined, NewCombine, PartOrder
from backend.merchant_api.combine.service import CloseCombine, CreateCombine
from backend.merchant_api.faults import MCHID_NOT_MATCH, ORDER_NOT_EXIST, ApiError
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.magic import Sandbox
from backend.merchant_api.orders.desk import expiry
from backend.merchant_api.orders.engine import Engine, content_hash
from backend.merchant_api.orders.schemas import Amount, is_shared
from backend.merchant_api.orders.service import CreateOrder, Shown
from backend.merchant_api.partners.desk import Appointments
from backend.payments.services import Services


class CombineDesk:
    """Serves merchants' programs. One per process."""

    def __init__(
        self,
        services: Services,
        engine: Engine,
        appointments: Appointments,
        openid_key: bytes,
        sandbox: Sandbox,
    ) -> None:
        self._services = services
        self._engine = engine
        self._appointments = appointments
        self._openid_key = openid_key
        self._sandbox = sandbox
        self._combines = CombineRepository(services.reader)

    async def create(self, account: Account, wanted: NewCombine, trade_type: str) -> Row:
        """The row of the number, the same for the same content again."""
        self._engine.check_names(account, mchid=wanted.combine_mchid, appid=wanted.combine_appid)
        now_ms = self._services.clock.now_ms()
        until_ms = expiry(wanted.time_expire, trade_type, now_ms)
        # The news goes out once, with the first order.
        shown = [Shown(until_ms, wanted.notify_url, FORM)]
        shown += [Shown(until_ms, "", "")] * (len(wanted.sub_orders) - 1)
        orders = [
            await self._order(account, wanted, part, one, trade_type)
            for part, one in zip(wanted.sub_orders, shown, strict=True)
        ]
        command = CreateCombine(
            mchid=account.mchid,
            out_trade_no=wanted.combine_out_trade_no,
            appid=wanted.combine_appid,
            trade_type=trade_type,
            device_id=(wanted.scene_info.device_id or "") if wanted.scene_info else "",
            content_hash=content_hash(wanted, trade_type),
            orders=tuple(orders),
        )
        total = sum(part.amount.total_amount for part in wanted.sub_orders)
        async with self._sandbox.at(total, mchid=account.mchid, number=wanted.combine_out_trade_no):
            row: Row = await self._services.submit(command)
        return row

    async def by_number(self, account: Account, out_trade_no: str) -> dict[str, Any]:
        """How the orders stand."""
        found = await self._found(account, out_trade_no)
        now_ms = self._services.clock.now_ms()
        return combined_shown(found, now_ms=now_ms, openid_key=self._openid_key)

    async def close(self, account: Account, out_trade_no: str, wanted: CloseCombined) -> None:
        """Give all of them up."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.combine_appid)
        await self._found(account, out_trade_no)
        orders = {(one.mchid, one.sub_mchid or "", one.out_trade_no) for one in wanted.sub_orders}
        command = CloseCombine(
            mchid=account.mchid, out_trade_no=out_trade_no, orders=frozenset(orders)
        )
        await self._services.submit(command)

    async def _found(self, account: Account, out_trade_no: str) -> Combined:
        """Of a caller that still acts for the merchant of each part: it says and ends nothing of
        a part alone."""
        found: Combined | None = await self._services.run_read(
            lambda: self._combines.of_number(account.mchid, out_trade_no)
        )
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        for order, _ in found.parts:
            await self._acting(account, order["mchid"], order["sub_mchid"] or None)
        return found

    async def _acting(self, account: Account, mchid: str, sub_mchid: str | None) -> Account:
        return await self._appointments.acting(
            account, sub_mchid if mchid == account.mchid else mchid
        )

    async def _order(
        self, account: Account, wanted: NewCombine, part: PartOrder, shown: Shown, trade_type: str
    ) -> CreateOrder:
        if part.sub_mchid is not None and part.mchid != account.mchid:
            raise ApiError(MCHID_NOT_MATCH)
        actor = await self._acting(account, part.mchid, part.sub_mchid)
        amount = Amount(total=part.amount.total_amount, currency=part.amount.currency)
        payer = wanted.combine_payer_info
        return CreateOrder(
            create=self._engine.by_qr(
                actor,
                amount=amount,
                description=part.description,
                is_shared=is_shared(part.settle_info),
            ),
            mchid=part.mchid,
            out_trade_no=part.out_trade_no,
            appid=wanted.combine_appid,
            trade_type=trade_type,
            content_hash=content_hash(part, trade_type),
            shown=shown,
            attach=part.attach,
            payer_openid=payer.openid if payer and trade_type == "JSAPI" else "",
            payer_appid=wanted.combine_appid,
            sub_mchid=part.sub_mchid or "",
        )
