"""What Alipay's ``sub_code`` means for an order. What stands in no list has told us nothing."""

NO_TRADE, NO_BILL = "ACQ.TRADE_NOT_EXIST", "isp.bill_not_exist"
CANCEL_TOO_LATE = "ACQ.REASON_ILLEGAL_STATUS"
OVER = frozenset({"ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_CLOSE"})
"""The number was asked for before: a query says what became of it."""
CODE_REFUSED, SHORT = "ACQ.PAYMENT_AUTH_CODE_INVALID", "ACQ.BUYER_BALANCE_NOT_ENOUGH"
REFUSALS = frozenset(
    {
        CODE_REFUSED,
        SHORT,
        "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
        "ACQ.ERROR_BALANCE_PAYMENT_DISABLE",
        "ACQ.BUYER_SELLER_EQUAL",
        "ACQ.TRADE_BUYER_NOT_MATCH",
        "ACQ.BUYER_ENABLE_STATUS_FORBID",
        "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
        "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
        "ACQ.BEYOND_PAY_RESTRICTION",
        "ACQ.BEYOND_PER_RECEIPT_RESTRICTION",
        "ACQ.TOTAL_FEE_EXCEED",
        "ACQ.EXIST_FORBIDDEN_WORD",
        "ACQ.PARTNER_ERROR",
        "ACQ.ACCESS_FORBIDDEN",
        "ACQ.MOBILE_PAYMENT_SWITCH_OFF",
        "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE",
        "ACQ.PAYMENT_FAIL",
        "ACQ.PAYMENT_REQUEST_HAS_RISK",
        "ACQ.PRODUCT_AMOUNT_LIMIT_ERROR",
    }
)
"""Of ``alipay.trade.pay``: no trade is left that could still be paid."""
REFUND_REFUSALS = frozenset(
    {
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.TRADE_NOT_ALLOW_REFUND",
        "ACQ.TRADE_STATUS_ERROR",
        "ACQ.TRADE_HAS_FINISHED",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        "ACQ.REASON_TRADE_BEEN_FREEZEN",
        "ACQ.REFUND_FEE_ERROR",
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND",
        "ACQ.BUYER_NOT_EXIST",
        "ACQ.BUYER_ENABLE_STATUS_FORBID",
    }
)
"""Of ``alipay.trade.refund``. That the seller's account there is short for the moment
(``ACQ.SELLER_BALANCE_NOT_ENOUGH``) is no refusal: the refund is asked for again."""
