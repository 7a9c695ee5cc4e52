"""What merchants' programs ask of red packets."""

from typing import Annotated, Literal

from pydantic import Field

from backend.merchant_api.limits import MCH_BILLNO_CHARS_MAX, OPENID_CHARS_MAX, TEXT_CHARS_MAX
from backend.merchant_api.v2.asked import FenText, Ip, V2Asked, Word
from backend.merchant_api.wire.asked import AppId
from backend.red_packets.limits import GIFT_WISH_CHARS_MAX, SENDER_NAME_CHARS_MAX

MchBillNo = Annotated[
    str, Field(pattern=r"^[0-9A-Za-z_\-|*]+$", min_length=1, max_length=MCH_BILLNO_CHARS_MAX)
]


class SendRedPack(V2Asked):
    """``POST /mmpaymkttransfers/sendredpack``: to one payer, of the merchant's settled money."""

    mch_billno: MchBillNo
    wxappid: AppId
    send_name: Annotated[str, Field(min_length=1, max_length=SENDER_NAME_CHARS_MAX)]
    re_openid: Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)]
    total_amount: FenText
    total_num: Literal["1"]
    wishing: Annotated[str, Field(min_length=1, max_length=GIFT_WISH_CHARS_MAX)]
    client_ip: Ip
    act_name: Word
    remark: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]
    scene_id: Word | None = None


class RedPackQuery(V2Asked):
    """``POST /mmpaymkttransfers/gethbinfo``."""

    mch_billno: MchBillNo
    appid: AppId
    bill_type: Literal["MCHT"]
