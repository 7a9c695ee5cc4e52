"""What merchants' programs ask of profit sharing, as async calls."""

from typing import Any

from backend.db.tables import Row
from backend.ledger import chart
from backend.merchant_api.callbacks.form import FORM
from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    INVALID_REQUEST,
    ORDER_NOT_EXIST,
    RESOURCE_NOT_EXISTS,
    ApiError,
    wrong_field,
)
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.keys.fields import opened
from backend.merchant_api.keys.ring import KeyRing
from backend.merchant_api.orders.engine import content_hash
from backend.merchant_api.orders.model import transaction_number
from backend.merchant_api.orders.repository import Found, OrderRepository
from backend.merchant_api.sharing.model import return_shown, round_shown
from backend.merchant_api.sharing.repository import ReceiverRepository
from backend.merchant_api.sharing.schemas import (
    NewReceiver,
    NewReturn,
    NewRound,
    OldReceiver,
    Unfreeze,
)
from backend.payments.services import Services
from backend.sharing.receivers import KeepReceiver
from backend.sharing.repository import SharingRepository
from backend.sharing.service import MERCHANT_KIND, ReturnShare, SharePayment, Wanted

_ROUND, _RETURN = "30000", "31000"


class SharingDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, services: Services, ring: KeyRing, *, bps_max: int, after_ms: int) -> None:
        self._services = services
        self._ring = ring
        self._bps_max = bps_max
        self._after_ms = after_ms
        self._orders = OrderRepository(services.reader)
        self._shares = SharingRepository(services.reader)
        self._receivers = ReceiverRepository(services.reader)

    async def share(self, account: Account, wanted: NewRound, serial: str) -> dict[str, Any]:
        """A round, the same for the same round again."""
        _check_appid(account, wanted.appid)
        await self._check_names(account, wanted, serial)
        order = await self._order(account, wanted.transaction_id)
        receivers = tuple(
            Wanted(
                kind=one.type,
                account=one.account,
                amount_minor=one.amount,
                description=one.description,
            )
            for one in wanted.receivers
        )
        # A name is encrypted anew at every call: it is no part of what the number means.
        said = wanted.model_copy(
            update={
                "receivers": [one.model_copy(update={"name": None}) for one in wanted.receivers]
            }
        )
        await self._services.submit(
            self._round(
                account,
                order,
                wanted.out_order_no,
                receivers,
                is_last=wanted.unfreeze_unsplit,
                description="解冻给分账方",
                content=content_hash(said, "SHARE"),
            )
        )
        return await self.round(account, wanted.out_order_no, wanted.transaction_id)

    async def unfreeze(self, account: Account, wanted: Unfreeze) -> dict[str, Any]:
        """A round that releases what is left."""
        order = await self._order(account, wanted.transaction_id)
        await self._services.submit(
            self._round(
                account,
                order,
                wanted.out_order_no,
                (),
                is_last=True,
                description=wanted.description,
                content=content_hash(wanted, "UNFREEZE"),
            )
        )
        return await self.round(account, wanted.out_order_no, wanted.transaction_id)

    async def round(
        self, account: Account, out_order_no: str, transaction_id: str
    ) -> dict[str, Any]:
        """How a round stands."""
        order = await self._order(account, transaction_id)
        found = await self._read(lambda: self._shares.round(account.mchid, out_order_no))
        if found is None or found["payment_id"] != order["payment_id"]:
            raise ApiError(RESOURCE_NOT_EXISTS, "分账单不存在")
        shares = await self._services.run_read(lambda: self._shares.shares(found["round_id"]))
        return round_shown(found, shares, transaction_id=transaction_id)

    async def give_back(self, account: Account, wanted: NewReturn) -> dict[str, Any]:
        """A share comes back, the same for the same return again."""
        out_order_no, round_id = wanted.out_order_no, wanted.order_id
        if round_id is not None:
            found = await self._own(
                account, lambda: self._shares.round_of_id(account.mchid, round_id)
            )
            if out_order_no not in {None, found["out_order_no"]}:
                raise ApiError(RESOURCE_NOT_EXISTS, "分账单不存在")
        else:
            assert out_order_no is not None, "the schema wants one of the two"
            found = await self._own(
                account, lambda: self._shares.round(account.mchid, out_order_no)
            )
        command = ReturnShare(
            owner=account.mchid,
            out_return_no=wanted.out_return_no,
            return_id=self._number(_RETURN, account, f"return/{wanted.out_return_no}"),
            out_order_no=found["out_order_no"],
            account=wanted.return_mchid,
            amount_minor=wanted.amount,
            description=wanted.description,
            content_hash=content_hash(wanted, "RETURN"),
            rules=self._services.rules,
        )
        return return_shown(await self._services.submit(command))

    async def returned(
        self, account: Account, out_return_no: str, out_order_no: str
    ) -> dict[str, Any]:
        """What came back."""
        found = await self._read(lambda: self._shares.returned(account.mchid, out_return_no))
        if found is None or found["out_order_no"] != out_order_no:
            raise ApiError(RESOURCE_NOT_EXISTS, "分账回退单不存在")
        round_id = found["round_id"]
        await self._own(account, lambda: self._shares.round_of_id(account.mchid, round_id))
        return return_shown(found)

    async def sold_for(self, account: Account, transaction_id: str) -> str | None:
        """The merchant number that the caller has made an order for, where the call does not name
        it; None: its own."""
        found: Found | None = await self._services.run_read(
            lambda: self._orders.of_caller(account.mchid, transaction_id)
        )
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        return found[0]["sub_mchid"] or None

    async def left(self, account: Account, transaction_id: str) -> dict[str, Any]:
        """What of an order can still be shared."""
        payment_id = (await self._order(account, transaction_id))["payment_id"]
        shared = await self._read(lambda: self._shares.shared(payment_id))
        if shared is None:
            raise ApiError(INVALID_REQUEST, "该订单未标记分账或尚未支付")
        account_id = chart.shared(payment_id, shared["currency"])
        left = await self._services.run_read(lambda: self._shares.left_minor(account_id))
        return {"transaction_id": transaction_id, "unsplit_amount": left}

    async def add(self, account: Account, wanted: NewReceiver, serial: str) -> dict[str, Any]:
        """A receiver, who must be known here by that name."""
        _check_appid(account, wanted.appid)
        if wanted.type == MERCHANT_KIND and wanted.account == _giver(account):
            raise wrong_field("/account", "不能添加分账方自己")
        receiver_id = await self._known(
            account, wanted.type, wanted.account, wanted.name, serial, pointer=""
        )
        await self._services.submit(
            KeepReceiver(
                owner=_giver(account),
                kind=wanted.type,
                account=wanted.account,
                receiver_id=receiver_id,
                relation_type=wanted.relation_type,
                custom_relation=wanted.custom_relation or "",
            )
        )
        shown = {
            "type": wanted.type,
            "account": wanted.account,
            "name": wanted.name,
            "relation_type": wanted.relation_type,
            "custom_relation": wanted.custom_relation,
        }
        return {name: value for name, value in shown.items() if value is not None}

    async def remove(self, account: Account, wanted: OldReceiver) -> dict[str, Any]:
        """A receiver gets nothing any more. Safe to repeat."""
        _check_appid(account, wanted.appid)
        await self._services.submit(
            KeepReceiver(owner=_giver(account), kind=wanted.type, account=wanted.account)
        )
        return {"type": wanted.type, "account": wanted.account}

    def most(self, mchid: str) -> dict[str, Any]:
        """How much receivers get at most, in ten-thousandths."""
        return {"sub_mchid": mchid, "max_ratio": self._bps_max}

    async def _check_names(self, account: Account, wanted: NewRound, serial: str) -> None:
        for number, one in enumerate(wanted.receivers):
            if one.name is not None:
                pointer = f"/receivers/{number}"
                await self._known(account, one.type, one.account, one.name, serial, pointer=pointer)

    async def _known(
        self,
        account: Account,
        kind: str,
        name: str,
        secret: str | None,
        serial: str,
        *,
        pointer: str,
    ) -> str:
        """The merchant's or the payer's id; a name that is given must be theirs."""
        if kind == MERCHANT_KIND:
            find = lambda: self._receivers.merchant(name)  # noqa: E731
        else:
            find = lambda: self._receivers.payer(account.appid, name)  # noqa: E731
        found: tuple[str, str] | None = await self._services.run_read(find)
        if found is None:
            raise wrong_field(f"{pointer}/account", "分账接收方不存在")
        receiver_id, true_name = found
        if secret is not None:
            plain = await opened(self._ring, account.suite, serial, secret, f"{pointer}/name")
            if plain != true_name:
                raise wrong_field(f"{pointer}/name", "分账接收方名称不符")
        return receiver_id

    def _round(
        self,
        account: Account,
        order: Row,
        out_order_no: str,
        receivers: tuple[Wanted, ...],
        *,
        is_last: bool,
        description: str,
        content: bytes,
    ) -> SharePayment:
        return SharePayment(
            owner=account.mchid,
            giver=_giver(account),
            out_order_no=out_order_no,
            round_id=self._number(_ROUND, account, f"round/{out_order_no}"),
            payment_id=order["payment_id"],
            wanted=receivers,
            is_last=is_last,
            release_description=description,
            content_hash=content,
            after_ms=self._after_ms,
            bps_max=self._bps_max,
            news_form=FORM,
            rules=self._services.rules,
        )

    def _number(self, head: str, account: Account, subject: str) -> str:
        now_ms = self._services.clock.now_ms()
        return transaction_number(head, f"{account.mchid}/{subject}", now_ms)

    async def _order(self, account: Account, transaction_id: str) -> Row:
        found: Found | None = await self._services.run_read(
            lambda: self._orders.of_transaction(
                account.mchid, transaction_id, sub_mchid=account.sub_mchid
            )
        )
        if found is None:
            raise ApiError(ORDER_NOT_EXIST)
        return found[0]

    async def _own(self, account: Account, read: Any) -> Row:  # noqa: ANN401  # as ``_read``
        """A round of the caller's, of an order that it made for whom it acts now."""
        found = await self._read(read)
        payment_id = found["payment_id"] if found is not None else ""
        order: Found | None = await self._services.run_read(
            lambda: self._orders.of_payment(payment_id)
        )
        if found is None or order is None or order[0]["sub_mchid"] != account.sub_mchid:
            raise ApiError(RESOURCE_NOT_EXISTS, "分账单不存在")
        return found

    async def _read(self, read: Any) -> Row | None:  # noqa: ANN401  # a question of the repository
        found: Row | None = await self._services.run_read(read)
        return found


def _giver(account: Account) -> str:
    """Whose money is shared: the merchant's that the caller acts for, or the caller's."""
    return account.sub_mchid or account.mchid


def _check_appid(account: Account, appid: str) -> None:
    if appid != account.appid:
        raise ApiError(APPID_MCHID_NOT_MATCH)
