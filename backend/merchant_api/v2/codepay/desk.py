"""Payments by code, by XML: the newer interface's desk takes and undoes them."""

import re
from typing import Any

from backend.merchant_api.codepay.desk import CodePayDesk
from backend.merchant_api.codepay.schemas import CodePayer, CodeScene, CodeStore, NewCodePayment
from backend.merchant_api.keys.desk import Account
from backend.merchant_api.orders.schemas import Amount, SettleInfo
from backend.merchant_api.v2.codepay.schemas import MicroPay
from backend.merchant_api.v2.faults import (
    AUTH_CODE_ERROR,
    AUTH_CODE_INVALID,
    USERPAYING,
    V2Error,
    in_older_words,
)
from backend.merchant_api.v2.gate import Said
from backend.merchant_api.v2.orders.desk import V2OrderDesk
from backend.merchant_api.v2.orders.model import paid_fields
from backend.merchant_api.v2.orders.schemas import OneOrder
from protocol.errors import TillwayError
from protocol.paycode import CODE_DIGITS

_ACCEPTED = 202
_AGAIN = "SYSTEMERROR"
_PAY_CODE = re.compile(r"1[0-5][0-9]{16}", re.ASCII).fullmatch


class V2CodePayDesk:
    """Serves merchants' programs. One per process."""

    def __init__(self, codes: CodePayDesk, orders: V2OrderDesk) -> None:
        self._codes = codes
        self._orders = orders

    async def pay(self, account: Account, wanted: MicroPay) -> Said:
        """The payment; ``USERPAYING`` while it is not known how it ends."""
        status, shown = await self._codes.pay(account, _newer(account, wanted), content=wanted)
        if status == _ACCEPTED:
            raise V2Error(USERPAYING)
        return paid_fields(shown)

    async def reverse(self, account: Account, wanted: OneOrder) -> Said:
        """Undo a payment by code. ``recall`` says whether the same call may yet succeed."""
        try:
            number = await self._orders.number_of(account, wanted)
            await self._codes.reverse(account, number, appid=wanted.appid, mchid=account.mchid)
        except TillwayError as error:
            refusal = in_older_words(error)
            recall = "Y" if refusal.fault.code == _AGAIN else "N"
            raise V2Error(refusal.fault, refusal.where, more={"recall": recall}) from error
        return {"recall": "N"}


def _newer(account: Account, wanted: MicroPay) -> NewCodePayment:
    """The same payment in the newer interface's words. The older one names no store: the till
    stands for it, or else the merchant number."""
    common: dict[str, Any] = {
        "appid": wanted.appid,
        "mchid": account.mchid,
        "description": wanted.body,
        "out_trade_no": wanted.out_trade_no,
        "attach": wanted.attach,
        "goods_tag": wanted.goods_tag,
        "payer": CodePayer(auth_code=checked_code(wanted.auth_code)),
        "amount": Amount(total=wanted.total_fee),
    }
    till = wanted.device_info
    return NewCodePayment(
        **common,
        scene_info=CodeScene(
            store_info=CodeStore(out_id=till or account.mchid),
            device_id=till,
            device_ip=wanted.spbill_create_ip,
        ),
        settle_info=SettleInfo(profit_sharing=wanted.profit_sharing == "Y"),
    )


def checked_code(text: str) -> str:
    """A payer's code; what else a scanner may have read is told apart from a mistake."""
    if _PAY_CODE(text):
        return text
    is_whole = len(text) == CODE_DIGITS and text.isdecimal()
    raise V2Error(AUTH_CODE_INVALID if is_whole else AUTH_CODE_ERROR)
