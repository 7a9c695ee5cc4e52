"""What merchants' programs ask of bills in XML. A day is ``yyyyMMdd``."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator

from backend.bills.trade import BillType
from backend.merchant_api.v2.asked import V2Asked
from backend.merchant_api.wire.asked import AppId

_DAY_DIGITS = 8


def _day(text: object) -> date:
    if not isinstance(text, str) or len(text) != _DAY_DIGITS or not text.isdecimal():
        raise ValueError("yyyyMMdd")
    return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:]}")


def _bill_type(text: object) -> BillType:
    return BillType(str(text))


Day = Annotated[date, BeforeValidator(_day)]


class DownloadBill(V2Asked):
    """``POST /pay/downloadbill``."""

    appid: AppId
    bill_date: Day
    bill_type: Annotated[BillType, BeforeValidator(_bill_type)] = BillType.ALL
    tar_type: Literal["GZIP"] | None = None


class DownloadFundFlow(V2Asked):
    """``POST /pay/downloadfundflow``: signed with HMAC-SHA256."""

    appid: AppId
    bill_date: Day
    account_type: Literal["Basic", "Operation", "Fees"]
    tar_type: Literal["GZIP"] | None = None
