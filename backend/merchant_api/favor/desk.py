"""What merchants' programs ask of coupons, as async calls."""

from typing import Any

from backend.coupons.stocks.model import StockState, StockStep
from backend.coupons.stocks.service import KeepStockNews, MakeStock, SendCoupon, StepStock
from backend.db.tables import Row
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    MCHID_NOT_MATCH,
    RESOURCE_NOT_EXISTS,
    ApiError,
    wrong_field,
)
from backend.merchant_api.favor.model import STATUSES, coupon_shown, stock_number, stock_shown
from backend.merchant_api.favor.repository import FavorRepository
from backend.merchant_api.favor.schemas import NewCoupon, NewsAddress, NewStock
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.orders.engine import content_hash
from backend.merchant_api.orders.model import read_time, time_text
from backend.payments.services import Services
from protocol import ids

_STATES = {status: state for state, status in STATUSES.items()}
_IS_USED = {"SENDED": False, "USED": True}
_TIMES = {
    StockStep.START: "start_time",
    StockStep.PAUSE: "pause_time",
    StockStep.RESTART: "restart_time",
}


class FavorDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._coupons = FavorRepository(services.reader)

    async def make(self, account: Account, wanted: NewStock) -> dict[str, str]:
        """A stock, the same for the same again."""
        _check_own(account, wanted.belong_merchant, *wanted.coupon_use_rule.available_merchants)
        worth, rule = wanted.coupon_use_rule.fixed_normal_coupon, wanted.stock_use_rule
        if worth.coupon_amount > rule.max_amount:
            raise wrong_field("/stock_use_rule/max_amount", "不足一张代金券")
        command = MakeStock(
            stock_id=stock_number(account.mchid, wanted.out_request_no),
            owner=account.mchid,
            merchant_id=account.merchant_id,
            content_hash=content_hash(wanted, "STOCK"),
            name=wanted.stock_name,
            comment=wanted.comment,
            description=wanted.pattern_info.description if wanted.pattern_info else "",
            amount_minor=worth.coupon_amount,
            minimum_minor=worth.transaction_minimum,
            max_coupons=rule.max_coupons,
            max_amount_minor=rule.max_amount,
            max_per_payer=rule.max_coupons_per_user,
            begin_ms=_moment(wanted.available_begin_time, "/available_begin_time"),
            end_ms=_moment(wanted.available_end_time, "/available_end_time"),
        )
        stock: Row = await self._services.submit(command)
        created = time_text(stock["created_at_ms"])
        return {"stock_id": stock["stock_id"], "create_time": created}

    async def step(
        self, account: Account, creator: str, stock_id: str, step: StockStep
    ) -> dict[str, str]:
        """Start, pause, restart."""
        _check_own(account, creator)
        command = StepStock(
            stock_id=stock_id, owner=account.mchid, step=step, rules=self._services.rules
        )
        stock: Row = await self._services.submit(command)
        return {"stock_id": stock_id, _TIMES[step]: time_text(stock["stepped_at_ms"])}

    async def send(self, account: Account, openid: str, wanted: NewCoupon) -> dict[str, str]:
        """A coupon for a payer, the same for the same again."""
        _check_own(account, wanted.stock_creator_mchid)
        payer_id = await self._payer(account, wanted.appid, openid)
        command = SendCoupon(
            coupon_id=ids.mint(
                ids.COUPON,
                time_ms=self._services.clock.now_ms(),
                random_bytes=self._services.entropy.token_bytes(ids.RANDOM_BYTES),
            ),
            stock_id=wanted.stock_id,
            owner=account.mchid,
            payer_id=payer_id,
            out_request_no=wanted.out_request_no,
            content_hash=content_hash(wanted, openid),
        )
        coupon: Row = await self._services.submit(command)
        return {"coupon_id": coupon["coupon_id"]}

    async def stock(self, account: Account, creator: str, stock_id: str) -> dict[str, Any]:
        """One stock."""
        _check_own(account, creator)
        found = await self._services.run_read(lambda: self._coupons.stock(account.mchid, stock_id))
        if found is None:
            raise ApiError(RESOURCE_NOT_EXISTS, "批次不存在")
        return stock_shown(found)

    async def stocks(
        self,
        account: Account,
        creator: str,
        *,
        status: str | None,
        begin: str | None,
        end: str | None,
        offset: int,
        limit: int,
    ) -> dict[str, Any]:
        """A page of stocks; ``offset`` counts pages."""
        _check_own(account, creator)
        if status not in {None, "audit", *_STATES}:
            raise wrong_field("/status", "不支持的批次状态", location="query")
        page = {"offset": offset, "limit": limit}
        if status == "audit":  # nothing is audited here
            return {"total_count": 0, "data": [], **page}
        state: StockState | None = None if status is None else _STATES[status]
        from_ms = None if begin is None else _moment(begin, "/create_start_time", "query")
        to_ms = None if end is None else _moment(end, "/create_end_time", "query")
        count, rows = await self._services.run_read(
            lambda: self._coupons.stocks(
                account.mchid, state=state, from_ms=from_ms, to_ms=to_ms, page=offset, size=limit
            )
        )
        return {"total_count": count, "data": [stock_shown(row) for row in rows], **page}

    async def merchants(self, account: Account, creator: str, stock_id: str) -> list[str]:
        """Where a stock's coupons can be used."""
        await self.stock(account, creator, stock_id)
        return [account.mchid]

    async def coupon(
        self, account: Account, appid: str, openid: str, coupon_id: str
    ) -> dict[str, Any]:
        """One coupon of a payer."""
        payer_id = await self._payer(account, appid, openid)
        found = await self._services.run_read(lambda: self._coupons.of_id(coupon_id))
        is_theirs = found is not None and found.coupon["payer_id"] == payer_id
        if found is None or not is_theirs or found.stock["owner"] != account.mchid:
            raise ApiError(RESOURCE_NOT_EXISTS, "代金券不存在")
        return coupon_shown(found)

    async def coupons(
        self,
        account: Account,
        appid: str,
        openid: str,
        *,
        stock_id: str | None,
        status: str | None,
        offset: int,
        limit: int,
    ) -> dict[str, Any]:
        """A page of a payer's coupons of the caller's stocks; ``offset`` counts pages."""
        payer_id = await self._payer(account, appid, openid)
        if status not in {None, *_IS_USED}:
            raise wrong_field("/status", "不支持的代金券状态", location="query")
        is_used = None if status is None else _IS_USED[status]
        count, rows = await self._services.run_read(
            lambda: self._coupons.of_payer(
                account.mchid, payer_id, stock_id=stock_id, is_used=is_used, page=offset, size=limit
            )
        )
        shown = [coupon_shown(one) for one in rows]
        return {"data": shown, "total_count": count, "limit": limit, "offset": offset}

    async def hear(self, account: Account, wanted: NewsAddress) -> dict[str, str]:
        """Where the use of coupons is told."""
        _check_own(account, wanted.mchid)
        row: Row = await self._services.submit(
            KeepStockNews(
                merchant_id=account.merchant_id,
                notify_url=wanted.notify_url if wanted.switch else None,
                notify_form=FORM,
            )
        )
        updated = time_text(row["updated_at_ms"])
        return {"update_time": updated, "notify_url": wanted.notify_url}

    async def _payer(self, account: Account, appid: str, openid: str) -> str:
        if appid != account.appid:
            raise ApiError(APPID_MCHID_NOT_MATCH)
        found: str | None = await self._services.run_read(
            lambda: self._coupons.payer(appid, openid)
        )
        if found is None:
            raise wrong_field("/openid", "无效的 openid", location="path")
        return found


def _check_own(account: Account, *mchids: str) -> None:
    if any(mchid != account.mchid for mchid in mchids):
        raise ApiError(MCHID_NOT_MATCH)


def _moment(text: str, pointer: str, location: str = "body") -> int:
    found = read_time(text)
    if found is None:
        raise wrong_field(pointer, "时间格式错误", location=location)
    return found
