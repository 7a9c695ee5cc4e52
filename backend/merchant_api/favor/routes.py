"""``/v3/marketing/favor``: coupons that merchants pay for."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from backend.coupons.stocks.model import StockStep
from backend.merchant_api.favor.desk import FavorDesk
from backend.merchant_api.favor.schemas import Creator, NewCoupon, NewsAddress, NewStock
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.limits import (
    APPID_CHARS_MAX,
    COUPONS_PER_LIST_MAX,
    LIST_OFFSET_MAX,
    OPENID_CHARS_MAX,
    STOCK_NUMBER_CHARS_MAX,
    STOCKS_PER_LIST_MAX,
    TIME_CHARS_MAX,
)
from backend.merchant_api.wire.gate import caller_of

_Caller = Annotated[Account, Depends(caller_of)]
_StockId = Annotated[str, Path(min_length=1, max_length=STOCK_NUMBER_CHARS_MAX)]
_OpenId = Annotated[str, Path(min_length=1, max_length=OPENID_CHARS_MAX)]
_CouponId = Annotated[str, Path(min_length=1, max_length=64)]
_Creator = Annotated[str, Query(alias="stock_creator_mchid", min_length=1, max_length=32)]
_AppId = Annotated[str, Query(min_length=1, max_length=APPID_CHARS_MAX)]
_MchId = Annotated[str | None, Query(min_length=1, max_length=32)]
_Stock = Annotated[str | None, Query(min_length=1, max_length=STOCK_NUMBER_CHARS_MAX)]
_Status = Annotated[str | None, Query(min_length=1, max_length=16)]
_Time = Annotated[str | None, Query(max_length=TIME_CHARS_MAX)]
_Offset = Annotated[int, Query(ge=0, le=LIST_OFFSET_MAX)]
_Limit = Annotated[int, Query(ge=1, le=COUPONS_PER_LIST_MAX)]
_StockLimit = Annotated[int, Query(ge=1, le=STOCKS_PER_LIST_MAX)]
_STOCKS, _COUPONS = "/marketing/favor/stocks", "/marketing/favor/users/{openid}/coupons"


def add_routes(routes: APIRouter, desk: FavorDesk) -> None:
    """Stocks, what is given out of them, and who is told of its use."""
    _add_stocks(routes, desk)

    @routes.post(_COUPONS)
    async def send(caller: _Caller, openid: _OpenId, body: NewCoupon) -> dict[str, str]:
        return await desk.send(caller, openid, body)

    @routes.get(_COUPONS + "/{coupon_id}")
    async def coupon(
        caller: _Caller, openid: _OpenId, coupon_id: _CouponId, appid: _AppId
    ) -> dict[str, Any]:
        return await desk.coupon(caller, appid, openid, coupon_id)

    @routes.get(_COUPONS)
    async def coupons(
        caller: _Caller,
        openid: _OpenId,
        appid: _AppId,
        stock_id: _Stock = None,
        status: _Status = None,
        creator_mchid: _MchId = None,
        sender_mchid: _MchId = None,
        available_mchid: _MchId = None,
        offset: _Offset = 0,
        limit: _Limit = 20,
    ) -> dict[str, Any]:
        # Whoever makes a stock gives its coupons out and takes them, so that each names the caller.
        named = (creator_mchid, sender_mchid, available_mchid)
        if any(mchid not in {None, caller.mchid} for mchid in named):
            return {"data": [], "total_count": 0, "limit": limit, "offset": offset}
        return await desk.coupons(
            caller, appid, openid, stock_id=stock_id, status=status, offset=offset, limit=limit
        )

    @routes.post("/marketing/favor/callbacks")
    async def hear(caller: _Caller, body: NewsAddress) -> dict[str, str]:
        return await desk.hear(caller, body)


def _add_stocks(routes: APIRouter, desk: FavorDesk) -> None:
    @routes.post("/marketing/favor/coupon-stocks")
    async def make(caller: _Caller, body: NewStock) -> dict[str, str]:
        return await desk.make(caller, body)

    @routes.post(_STOCKS + "/{stock_id}/start")
    async def start(caller: _Caller, stock_id: _StockId, body: Creator) -> dict[str, str]:
        return await desk.step(caller, body.stock_creator_mchid, stock_id, StockStep.START)

    @routes.post(_STOCKS + "/{stock_id}/pause")
    async def pause(caller: _Caller, stock_id: _StockId, body: Creator) -> dict[str, str]:
        return await desk.step(caller, body.stock_creator_mchid, stock_id, StockStep.PAUSE)

    @routes.post(_STOCKS + "/{stock_id}/restart")
    async def restart(caller: _Caller, stock_id: _StockId, body: Creator) -> dict[str, str]:
        return await desk.step(caller, body.stock_creator_mchid, stock_id, StockStep.RESTART)

    @routes.get(_STOCKS)
    async def stocks(
        caller: _Caller,
        creator: _Creator,
        offset: _Offset = 0,
        limit: _StockLimit = 10,
        create_start_time: _Time = None,
        create_end_time: _Time = None,
        status: _Status = None,
    ) -> dict[str, Any]:
        return await desk.stocks(
            caller,
            creator,
            status=status,
            begin=create_start_time,
            end=create_end_time,
            offset=offset,
            limit=limit,
        )

    @routes.get(_STOCKS + "/{stock_id}")
    async def stock(caller: _Caller, stock_id: _StockId, creator: _Creator) -> dict[str, Any]:
        return await desk.stock(caller, creator, stock_id)

    @routes.get(_STOCKS + "/{stock_id}/merchants")
    async def merchants(
        caller: _Caller,
        stock_id: _StockId,
        creator: _Creator,
        offset: _Offset = 0,
        limit: _Limit = COUPONS_PER_LIST_MAX,
    ) -> dict[str, Any]:
        found = await desk.merchants(caller, creator, stock_id)
        part = found[offset * limit : (offset + 1) * limit]
        return {"total_count": len(found), "data": part, "offset": offset, "limit": limit,
                "stock_id": stock_id}  # fmt: skip
