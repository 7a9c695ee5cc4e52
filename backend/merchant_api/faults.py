"""What API v3 refuses with: the documented codes with their HTTP statuses.

Rule 1: an answer's ``code`` and status are the documented ones; ``Request-ID`` ends with the
        platform's number of the fault, where it is known, else with the status.
Rule 2: what the engine refuses with a code of its own is said here in the interface's words.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import CallerError, OperatingError, TillwayError


@dataclass(frozen=True, slots=True)
class Fault:
    """A documented refusal."""

    code: str
    status: int
    message: str
    number: int = 0
    """The last part of ``Request-ID``."""


SIGN_ERROR = Fault("SIGN_ERROR", 401, "签名错误", 268443699)
PARAM_ERROR = Fault("PARAM_ERROR", 400, "参数错误", 268435461)
INVALID_REQUEST = Fault("INVALID_REQUEST", 400, "无效请求", 400)
RE_ENTRY = Fault("INVALID_REQUEST", 400, "商户订单号重复，且参数与原请求不一致", 268498688)
APPID_MCHID_NOT_MATCH = Fault(
    "APPID_MCHID_NOT_MATCH", 400, "appid和mch_id不匹配，请检查后再试", 268435527
)
MCH_NOT_EXISTS = Fault("MCH_NOT_EXISTS", 400, "商户号不存在", 400)
MCHID_NOT_MATCH = Fault("PARAM_ERROR", 400, "商户号与签名的商户号不一致", 268447843)
ORDER_CLOSED = Fault("ORDER_CLOSED", 400, "订单已关闭", 268447914)
ORDER_PAID = Fault("ORDER_PAID", 400, "订单已支付", 268449538)
MUST_CLOSE_ALL = Fault("INVALID_REQUEST", 400, "合单的子单请使用合单关闭订单接口", 400)
MUST_REVERSE = Fault("INVALID_REQUEST", 400, "付款码订单请使用撤销接口", 268449641)
NOT_BY_CODE = Fault("INVALID_REQUEST", 400, "仅付款码订单可以撤销，请使用关闭订单或退款接口", 400)
AUTH_CODE_INVALID = Fault("AUTH_CODE_INVALID", 400, "付款码无效，请顾客刷新后重试", 400)
AUTH_CODE_EXPIRE = Fault("AUTH_CODE_EXPIRE", 400, "付款码已过期，请顾客刷新后重试", 400)
NO_STATEMENT_EXIST = Fault("NO_STATEMENT_EXIST", 400, "账单文件不存在：当日没有交易或资金变动", 400)
STATEMENT_CREATING = Fault("STATEMENT_CREATING", 400, "账单生成中，请在当日清分完成后重试", 400)
NO_AUTH = Fault("NO_AUTH", 403, "商户无权限或已停用", 268443715)
TRADE_ERROR = Fault("TRADE_ERROR", 403, "交易错误", 403)
NOT_ENOUGH = Fault("NOT_ENOUGH", 403, "余额不足", 403)
RULE_LIMIT = Fault("RULE_LIMIT", 403, "金额超过支付限额，请更换支付方式", 403)
OUT_TRADE_NO_USED = Fault("OUT_TRADE_NO_USED", 403, "商户订单号已用于其他支付方式的订单", 403)
ACCOUNT_ERROR = Fault("ACCOUNT_ERROR", 403, "付款账户不存在或已注销", 403)
USER_ACCOUNT_ABNORMAL = Fault("USER_ACCOUNT_ABNORMAL", 403, "付款账户异常", 403)
ORDER_NOT_EXIST = Fault("ORDER_NOT_EXIST", 404, "订单不存在", 268512771)
RESOURCE_NOT_EXISTS = Fault("RESOURCE_NOT_EXISTS", 404, "查询的资源不存在", 404)
METHOD_NOT_ALLOWED = Fault("INVALID_REQUEST", 405, "请求方法不被允许", 405)
BODY_TOO_LARGE = Fault("PARAM_ERROR", 413, "请求体过大", 413)
FREQUENCY_LIMITED = Fault("FREQUENCY_LIMITED", 429, "频率超限", 268447840)
RATELIMIT_EXCEEDED = Fault("RATELIMIT_EXCEEDED", 429, "退款频率超限，请稍后用相同参数重试", 429)
SYSTEM_ERROR = Fault("SYSTEM_ERROR", 500, "系统错误，请用相同参数重新调用", 500)
BANK_ERROR = Fault("BANK_ERROR", 500, "银行系统异常，没有资金变动", 500)
OPENID_MISMATCH = Fault("OPENID_MISMATCH", 500, "openid和appid不匹配", 268501013)
INVALID_TRANSACTIONID = Fault("INVALID_TRANSACTIONID", 500, "微信支付订单号不属于该商户", 500)
SERVICE_UNAVAILABLE = Fault("SERVICE_UNAVAILABLE", 503, "服务繁忙，请稍后用相同参数重试", 503)


class ApiError(CallerError):
    """A refusal in the interface's words. ``where`` is the answer's ``detail``; it holds no secret
    and no signature."""

    def __init__(
        self, fault: Fault, message: str = "", *, where: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__("merchant_api_refused", fault.code)
        self.fault = fault
        self.message = message or fault.message
        self.where = where

    def body(self) -> dict[str, Any]:
        """The answer's body."""
        found: dict[str, Any] = {"code": self.fault.code, "message": self.message}
        if self.where is not None:
            found["detail"] = dict(self.where)
        return found


def wrong_field(pointer: str, issue: str, *, location: str = "body") -> ApiError:
    """``PARAM_ERROR`` that names a field by its JSON pointer."""
    where = {"field": pointer, "issue": issue, "location": location}
    return ApiError(PARAM_ERROR, where=where)


_OURS: Mapping[str, tuple[Fault, str]] = {
    "payment_not_found": (ORDER_NOT_EXIST, ""),
    "refund_not_found": (RESOURCE_NOT_EXISTS, "退款单不存在"),
    "idempotency_conflict": (RE_ENTRY, ""),
    "payment_state": (TRADE_ERROR, "订单状态不允许此操作"),
    "payment_disputed": (TRADE_ERROR, "订单有争议金额，不能退款"),
    "merchant_balance_short": (NOT_ENOUGH, "商户可用余额不足，请充值后重新发起"),
    "refund_exceeds": (INVALID_REQUEST, "申请退款金额大于订单剩余可退金额"),
    "refund_count_exceeded": (INVALID_REQUEST, "订单部分退款次数已达上限"),
    "refund_too_late": (INVALID_REQUEST, "订单已超过退款期限"),
    "currency_mismatch": (PARAM_ERROR, "币种与商户不符"),
    "currency_unsupported": (PARAM_ERROR, "不支持的币种"),
    "amount_invalid": (PARAM_ERROR, "金额错误"),
    "field_invalid": (PARAM_ERROR, ""),
    "envelope_too_large": (BODY_TOO_LARGE, ""),
    "merchant_unknown": (NO_AUTH, ""),
    "merchant_stopped": (NO_AUTH, "商户已被暂停收款"),
    "mandate_not_found": (RESOURCE_NOT_EXISTS, "协议不存在"),
    "mandate_inactive": (INVALID_REQUEST, "协议已解约、已到期或已被暂停"),
    "mandate_limit_payment": (RULE_LIMIT, "超过协议的单笔限额"),
    "mandate_limit_day": (RULE_LIMIT, "超过协议的单日限额"),
    "mandate_limit_month": (RULE_LIMIT, "超过协议的单月限额"),
    "share_short": (NOT_ENOUGH, "剩余待分金额不足"),
    "share_above_part": (RULE_LIMIT, "分账金额超过最大分账比例"),
    "share_rounds_exceeded": (RULE_LIMIT, "分账次数已达上限"),
    "share_receiver_unknown": (NO_AUTH, "分账接收方未添加或已删除"),
    "stock_not_found": (RESOURCE_NOT_EXISTS, "批次不存在"),
    "stock_state": (INVALID_REQUEST, "批次状态不允许此操作"),
    "stock_not_running": (RULE_LIMIT, "批次未激活、已暂停或不在有效期内"),
    "stock_exhausted": (NOT_ENOUGH, "批次预算不足"),
    "stock_payer_limit": (RULE_LIMIT, "用户领券数已达上限"),
    "share_not_found": (RESOURCE_NOT_EXISTS, "分账单不存在"),
}


def in_their_words(error: TillwayError) -> ApiError:
    """The refusal that says what one of ours says."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, OperatingError):
        if error.code != "busy":
            return ApiError(SYSTEM_ERROR)
        return ApiError(FREQUENCY_LIMITED if error.detail == "rate" else SERVICE_UNAVAILABLE)
    fault, message = _OURS.get(error.code, (INVALID_REQUEST, error.advice.zh))
    return ApiError(fault, message)
