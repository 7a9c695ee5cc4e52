"""Orders by XML: the newer interface's desk does it, its words are exchanged here."""

from typing import Any

from backend.merchant_api.keys.desk import Account
from backend.merchant_api.orders.desk import OrderDesk
from backend.merchant_api.orders.engine import Engine
from backend.merchant_api.orders.model import h5_url, prepay_id
from backend.merchant_api.orders.schemas import (
    Amount,
    NewJsapiOrder,
    NewOrder,
    Payer,
    SceneInfo,
    SettleInfo,
)
from backend.merchant_api.v2.faults import LACK_PARAMS, ORDERCLOSED, V2Error
from backend.merchant_api.v2.gate import Said
from backend.merchant_api.v2.notices import form_of
from backend.merchant_api.v2.orders.model import expanded_time, order_fields
from backend.merchant_api.v2.orders.schemas import ClosedOrder, OneOrder, UnifiedOrder
from backend.wallet.model import compatible_code_url


class V2OrderDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, orders: OrderDesk, engine: Engine) -> None:
        self._orders = orders
        self._engine = engine

    async def create(self, account: Account, wanted: UnifiedOrder) -> Said:
        """What opens the order in the payer's wallet."""
        order = await self._orders.create(
            account,
            _newer(account, wanted),
            wanted.trade_type,
            form=form_of(account, wanted.sign_type),
            content=wanted,
            payer_appid=account.sub_appid if wanted.sub_openid else "",
        )
        payment_id = order["payment_id"]
        prepay = prepay_id(payment_id, order["created_at_ms"])
        is_native, is_page = wanted.trade_type == "NATIVE", wanted.trade_type == "MWEB"
        return {
            "trade_type": wanted.trade_type,
            "device_info": wanted.device_info,
            "prepay_id": prepay,
            "code_url": compatible_code_url(payment_id) if is_native else None,
            "mweb_url": h5_url(prepay, payment_id) if is_page else None,
        }

    async def query(self, account: Account, wanted: OneOrder) -> Said:
        """How an order stands."""
        return order_fields(await self._shown(account, wanted))

    async def close(self, account: Account, wanted: ClosedOrder) -> Said:
        """Give an order up, once."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        shown = await self._orders.by_number(account, wanted.out_trade_no, account.mchid)
        if shown["trade_state"] == "CLOSED":
            raise V2Error(ORDERCLOSED)
        await self._orders.close(account, wanted.out_trade_no, account.mchid)
        return {}

    async def number_of(self, account: Account, wanted: OneOrder) -> str:
        """The merchant's number of the order that is meant."""
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        if wanted.transaction_id is None:
            assert wanted.out_trade_no is not None, "the schema wants one of the two"
            return wanted.out_trade_no
        return str((await self._shown(account, wanted))["out_trade_no"])

    async def _shown(self, account: Account, wanted: OneOrder) -> dict[str, Any]:
        self._engine.check_names(account, mchid=account.mchid, appid=wanted.appid)
        if wanted.transaction_id is not None:
            return await self._orders.by_transaction(account, wanted.transaction_id, account.mchid)
        assert wanted.out_trade_no is not None, "the schema wants one of the two"
        return await self._orders.by_number(account, wanted.out_trade_no, account.mchid)


def _newer(account: Account, wanted: UnifiedOrder) -> NewOrder:
    """The same order in the newer interface's words."""
    openid = wanted.sub_openid or wanted.openid
    if wanted.trade_type == "JSAPI" and openid is None:
        raise V2Error(LACK_PARAMS, "openid")
    if wanted.sub_openid is not None and not account.sub_appid:
        raise V2Error(LACK_PARAMS, "sub_appid")
    if wanted.trade_type == "MWEB" and wanted.scene_info is None:
        raise V2Error(LACK_PARAMS, "scene_info")
    common: dict[str, Any] = {
        "appid": wanted.appid,
        "mchid": account.mchid,
        "description": wanted.body,
        "out_trade_no": wanted.out_trade_no,
        "time_expire": None if wanted.time_expire is None else expanded_time(wanted.time_expire),
        "attach": wanted.attach,
        "notify_url": wanted.notify_url,
        "goods_tag": wanted.goods_tag,
        "amount": Amount(total=wanted.total_fee),
        "scene_info": SceneInfo(
            payer_client_ip=wanted.spbill_create_ip, device_id=wanted.device_info
        ),
        "settle_info": SettleInfo(profit_sharing=wanted.profit_sharing == "Y"),
    }
    if wanted.trade_type != "JSAPI":
        return NewOrder(**common)
    assert openid is not None
    return NewJsapiOrder(**common, payer=Payer(openid=openid))
