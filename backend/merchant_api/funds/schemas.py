"""What merchants' programs ask of their money. Wrong fields are named, never echoed."""

from typing import Annotated, Literal

from pydantic import Field

from backend.merchant_api.limits import (
    BANK_MEMO_CHARS_MAX,
    OUT_REQUEST_NO_CHARS_MAX,
    REMARK_CHARS_MAX,
)
from backend.merchant_api.wire.asked import Asked, Fen

AccountType = Literal["BASIC", "OPERATION", "FEES"]


class NewWithdrawal(Asked):
    """``POST /v3/merchant/fund/withdraw``."""

    out_request_no: Annotated[
        str, Field(pattern=r"^[0-9A-Za-z]+$", min_length=1, max_length=OUT_REQUEST_NO_CHARS_MAX)
    ]
    amount: Fen
    account_type: AccountType
    remark: Annotated[str, Field(max_length=REMARK_CHARS_MAX)] | None = None
    bank_memo: (
        Annotated[str, Field(pattern=r"^[0-9A-Za-z]*$", max_length=BANK_MEMO_CHARS_MAX)] | None
    ) = None
