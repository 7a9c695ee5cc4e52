"""What merchants' programs ask of transfers. Wrong fields are named, never echoed."""

from typing import Annotated

from pydantic import Field

from backend.merchant_api.limits import (
    ENCRYPTED_CHARS_MAX,
    OPENID_CHARS_MAX,
    OUT_BILL_NO_CHARS_MAX,
    PERCEPTION_CHARS_MAX,
    REPORT_INFOS_MAX,
    TEXT_CHARS_MAX,
    TRANSFER_REMARK_CHARS_MAX,
)
from backend.merchant_api.wire.asked import AppId, Asked, NotifyUrl
from backend.merchant_transfers.limits import TRANSFER_MINOR_MAX

_Word = Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX)]


class ReportInfo(Asked):
    """Why money is given, as the scene asks for it."""

    info_type: _Word
    info_content: _Word


class NewTransfer(Asked):
    """``POST /v3/fund-app/mch-transfer/transfer-bills``."""

    appid: AppId
    out_bill_no: Annotated[
        str, Field(pattern=r"^[0-9A-Za-z]+$", min_length=1, max_length=OUT_BILL_NO_CHARS_MAX)
    ]
    transfer_scene_id: Annotated[str, Field(pattern=r"^1[0-9]{3}$")]
    openid: Annotated[str, Field(min_length=1, max_length=OPENID_CHARS_MAX)]
    user_name: Annotated[str, Field(min_length=1, max_length=ENCRYPTED_CHARS_MAX)] | None = Field(
        default=None, repr=False
    )
    """Encrypted for the key that ``Wechatpay-Serial`` names."""
    transfer_amount: Annotated[int, Field(gt=0, le=TRANSFER_MINOR_MAX)]
    transfer_remark: Annotated[str, Field(min_length=1, max_length=TRANSFER_REMARK_CHARS_MAX)]
    notify_url: NotifyUrl | None = None
    user_recv_perception: Annotated[str, Field(max_length=PERCEPTION_CHARS_MAX)] | None = None
    transfer_scene_report_infos: (
        Annotated[list[ReportInfo], Field(max_length=REPORT_INFOS_MAX)] | None
    ) = None
