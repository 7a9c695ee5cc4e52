"""What API v2 refuses with.

Rule 1: an answer has the HTTP status 200 always. ``return_code`` says whether the call was
        understood and proven, ``result_code`` whether it was done; ``err_code`` says why not.
Rule 2: a desk's refusal is said in API v3's words first, and has its older word here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.merchant_api.faults import (
    APPID_MCHID_NOT_MATCH,
    MCH_NOT_EXISTS,
    MCHID_NOT_MATCH,
    RE_ENTRY,
    Fault,
    in_their_words,
)
from protocol.errors import CallerError, TillwayError


@dataclass(frozen=True, slots=True)
class V2Fault:
    """A documented refusal."""

    code: str
    message: str
    is_transport: bool = False
    """The call was not understood or not proven: ``return_code`` is FAIL."""


XML_FORMAT_ERROR = V2Fault("XML_FORMAT_ERROR", "XML格式错误", is_transport=True)
NOT_UTF8 = V2Fault("NOT_UTF8", "编码格式错误，请使用UTF-8", is_transport=True)
POST_DATA_EMPTY = V2Fault("POST_DATA_EMPTY", "post数据为空", is_transport=True)
REQUIRE_POST_METHOD = V2Fault("REQUIRE_POST_METHOD", "请使用post方法", is_transport=True)
SIGNERROR = V2Fault("SIGNERROR", "签名错误", is_transport=True)
MCHID_NOT_EXIST = V2Fault("MCHID_NOT_EXIST", "MCHID不存在", is_transport=True)
NO_SANDBOX = V2Fault("NOAUTH", "沙箱未开启", is_transport=True)
NO_BILL_EXIST = V2Fault("NO_BILL_EXIST", "No Bill Exist", is_transport=True)
BILL_CREATING = V2Fault("BILL_CREATING", "Bill Creating", is_transport=True)
LACK_PARAMS = V2Fault("LACK_PARAMS", "缺少参数")
PARAM_ERROR = V2Fault("PARAM_ERROR", "参数错误")
ORDERCLOSED = V2Fault("ORDERCLOSED", "订单已关闭")
REFUNDNOTEXIST = V2Fault("REFUNDNOTEXIST", "退款单不存在")
AUTH_CODE_ERROR = V2Fault("AUTH_CODE_ERROR", "付款码参数错误")
AUTH_CODE_INVALID = V2Fault("AUTH_CODE_INVALID", "请扫描微信支付被扫条码或二维码")
CA_ERROR = V2Fault("CA_ERROR", "请求未携带商户API证书，或证书与商户号不符")
MONEY_LIMIT = V2Fault("MONEY_LIMIT", "每个红包金额必须大于等于1元，小于等于200元")
OPENID_ERROR = V2Fault("OPENID_ERROR", "openid和appid不匹配")
FATAL_ERROR = V2Fault("FATAL_ERROR", "重复请求，参数与原单不一致")
NOT_FOUND = V2Fault("NOT_FOUND", "指定单号数据不存在")
CONTRACT_NOT_EXIST = V2Fault("CONTRACT_NOT_EXIST", "签约关系不存在")
USERPAYING = V2Fault("USERPAYING", "需要用户输入支付密码")

_BY_FAULT: Mapping[Fault, str] = {
    APPID_MCHID_NOT_MATCH: "APPID_MCHID_NOT_MATCH",
    MCH_NOT_EXISTS: "MCHID_NOT_EXIST",
    MCHID_NOT_MATCH: "APPID_MCHID_NOT_MATCH",
    RE_ENTRY: "OUT_TRADE_NO_USED",
}
_BY_CODE: Mapping[str, str] = {
    "ORDER_CLOSED": "ORDERCLOSED",
    "ORDER_PAID": "ORDERPAID",
    "ORDER_NOT_EXIST": "ORDERNOTEXIST",
    "NOT_ENOUGH": "NOTENOUGH",
    "NO_AUTH": "NOAUTH",
    "SYSTEM_ERROR": "SYSTEMERROR",
    "BANK_ERROR": "BANKERROR",
    "RULE_LIMIT": "RULELIMIT",
    "AUTH_CODE_EXPIRE": "AUTHCODEEXPIRE",
    "RESOURCE_NOT_EXISTS": "REFUNDNOTEXIST",
}
"""The older spelling; the others are spelt alike."""
_OURS: Mapping[str, str] = {
    "refund_too_late": "TRADE_OVERDUE",
    "payer_frozen": "USER_ACCOUNT_ABNORMAL",
}
"""What the older interface tells apart and the newer does not."""


class V2Error(CallerError):
    """A refusal in the interface's words. ``where`` names a field; ``more`` are
    fields of the answer."""

    def __init__(
        self, fault: V2Fault, where: str = "", *, more: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("merchant_api_refused", fault.code)
        self.fault = fault
        self.where = where
        self.more = more or {}

    @property
    def message(self) -> str:
        """The sentence."""
        return f"{self.fault.message}: {self.where}" if self.where else self.fault.message


def in_older_words(error: TillwayError) -> V2Error:
    """The refusal that says what one of ours, or one of API v3, says."""
    if isinstance(error, V2Error):
        return error
    said = in_their_words(error)
    ours = _OURS.get(error.code) or _BY_FAULT.get(said.fault)
    code = ours or _BY_CODE.get(said.fault.code, said.fault.code)
    field = (said.where or {}).get("field", "")
    return V2Error(V2Fault(code, said.message), str(field).lstrip("/"))
