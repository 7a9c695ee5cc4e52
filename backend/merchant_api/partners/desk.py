"""For whom a proven caller acts, and orders in the words of service providers.

Rule 1: who calls and whose money it is are two things: the caller's key proves the call and its
        numbers name the order; the merchant it acts for is paid, bears the fee and is cleared.
Rule 2: it acts only for whom an operator has appointed it; when that ends, all of it ends.
"""

from dataclasses import replace
from typing import Any

from backend.db.tables import Row
from backend.merchant_api.codepay.desk import CodePayDesk
from backend.merchant_api.codepay.schemas import CodeContent, NewCodePayment
from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    MCHID_NOT_MATCH,
    NO_AUTH,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.orders.desk import OrderDesk
from backend.merchant_api.orders.schemas import NewJsapiOrder, NewOrder, OrderContent, Payer
from backend.merchant_api.partners.repository import PartnerRepository
from backend.merchant_api.partners.schemas import (
    NewPartnerCodePayment,
    NewPartnerJsapiOrder,
    NewPartnerOrder,
    PartnerNames,
    PartnerReverse,
)
from backend.merchant_api.wire.asked import Asked
from backend.payments.services import Services


class Appointments:
    """Whom callers may act for. One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._repository = PartnerRepository(services.reader)

    async def acting(
        self, account: Account, sub_mchid: str | None, sub_appid: str | None = None
    ) -> Account:
        """The caller as it acts for a merchant number; None: for itself. ``NO_AUTH`` without an
        appointment, ``APPID_MCHID_NOT_MATCH`` for an app that is not that merchant's."""
        if sub_mchid is None:
            return account
        found: Row | None = await self._services.run_read(
            lambda: self._repository.merchant_of(account.mchid, sub_mchid)
        )
        if found is None:
            raise ApiError(NO_AUTH, "服务商与该特约商户没有受理关系")
        if sub_appid not in {None, found["appid"]}:
            raise ApiError(APPID_MCHID_NOT_MATCH, "sub_appid和sub_mchid不匹配")
        return replace(
            account,
            merchant_id=found["merchant_id"],
            sub_mchid=sub_mchid,
            sub_appid=sub_appid or "",
        )


class PartnerDesk:
    """Serves service providers' programs. One per process."""

    def __init__(self, appointments: Appointments, orders: OrderDesk, codes: CodePayDesk) -> None:
        self._appointments = appointments
        self._orders = orders
        self._codes = codes

    async def create(self, account: Account, wanted: NewPartnerOrder, trade_type: str) -> Row:
        """The order's row, the same for the same order again."""
        actor = await self._actor(account, wanted)
        common = _common(wanted, OrderContent) | _names(wanted)
        payer = wanted.payer if isinstance(wanted, NewPartnerJsapiOrder) else None
        if payer is None:
            return await self._orders.create(actor, NewOrder(**common), trade_type, content=wanted)
        if payer.sub_openid is not None and not actor.sub_appid:
            raise wrong_field("/sub_appid", "sub_openid 需要 sub_appid")
        openid = payer.sub_openid or payer.sp_openid
        assert openid is not None, "the schema wants one of the two"
        order = NewJsapiOrder(**common, payer=Payer(openid=openid))
        payer_appid = actor.sub_appid if payer.sub_openid else actor.appid
        return await self._orders.create(
            actor, order, trade_type, content=wanted, payer_appid=payer_appid
        )

    async def by_number(
        self, account: Account, out_trade_no: str, *, sp_mchid: str, sub_mchid: str
    ) -> dict[str, Any]:
        """The transaction of a service provider's number."""
        actor = await self._named(account, sp_mchid, sub_mchid)
        return await self._orders.by_number(actor, out_trade_no, sp_mchid)

    async def by_transaction(
        self, account: Account, transaction_id: str, *, sp_mchid: str, sub_mchid: str
    ) -> dict[str, Any]:
        """The transaction of the platform's number."""
        actor = await self._named(account, sp_mchid, sub_mchid)
        return await self._orders.by_transaction(actor, transaction_id, sp_mchid)

    async def close(
        self, account: Account, out_trade_no: str, *, sp_mchid: str, sub_mchid: str
    ) -> None:
        """Give an order up."""
        actor = await self._named(account, sp_mchid, sub_mchid)
        await self._orders.close(actor, out_trade_no, sp_mchid)

    async def pay_by_code(
        self, account: Account, wanted: NewPartnerCodePayment
    ) -> tuple[int, dict[str, Any]]:
        """The status, and the transaction or that the payer is still paying."""
        actor = await self._actor(account, wanted)
        common = _common(wanted, CodeContent) | _names(wanted)
        return await self._codes.pay(actor, NewCodePayment(**common), content=wanted)

    async def reverse(
        self, account: Account, out_trade_no: str, wanted: PartnerReverse
    ) -> dict[str, Any]:
        """Undo a payment by code, whatever became of it. Safe to repeat."""
        actor = await self._actor(account, wanted)
        await self._codes.reverse(actor, out_trade_no, appid=wanted.sp_appid, mchid=wanted.sp_mchid)
        return wanted.model_dump(exclude_none=True) | {"out_trade_no": out_trade_no}

    async def _actor(self, account: Account, wanted: PartnerNames) -> Account:
        if wanted.sp_mchid != account.mchid:
            raise ApiError(MCHID_NOT_MATCH)
        return await self._appointments.acting(account, wanted.sub_mchid, wanted.sub_appid)

    async def _named(self, account: Account, sp_mchid: str, sub_mchid: str) -> Account:
        if sp_mchid != account.mchid:
            raise ApiError(MCHID_NOT_MATCH)
        return await self._appointments.acting(account, sub_mchid)


def _common(wanted: Asked, shared: type[Asked]) -> dict[str, Any]:
    """What both kinds of callers say in the same words."""
    return {name: getattr(wanted, name) for name in shared.model_fields}


def _names(wanted: PartnerNames) -> dict[str, str]:
    return {"appid": wanted.sp_appid, "mchid": wanted.sp_mchid}
