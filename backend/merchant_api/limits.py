"""Bounds of the merchant interface."""

CLOCK_SKEW_S_MAX = 300
NONCE_PLACES = 8_192
NONCES_AT_A_PLACE_MAX = 256
"""Of a merchant number: two million in ten minutes. A call that finds no room is refused as too
frequent, never let through."""
AUTHORIZATION_CHARS_MAX = 2_048
NONCE_CHARS_MAX = 64
SERIAL_CHARS_MAX = 64
CALLS_PER_S_MAX = 600
"""Of one merchant."""
CALLS_ALL_PER_S_MAX = 3_000
CALLERS_REMEMBERED_MAX = 10_000
RATE_WINDOW_MS = 1_000
KEYS_READ_EVERY_MS = 10_000
"""How soon a platform key that another process has made is known here."""
KEY_BITS = 2_048
CERTIFICATE_DAYS = 1_827
CSR_CHARS_MAX = 8_192
PARSED_KEYS_MAX = 1_024

OUT_TRADE_NO_CHARS_MIN = 6
OUT_TRADE_NO_CHARS_MAX = 32
OUT_REFUND_NO_CHARS_MAX = 64
DESCRIPTION_CHARS_MAX = 127
ATTACH_CHARS_MAX = 128
GOODS_TAG_CHARS_MAX = 32
REASON_CHARS_MAX = 80
CODE_GUARDS = 64
"""Of one merchant number, over its stores."""
REFUND_GAP_S = 60
REFUND_GAP_S_MAX = 3_600
REFUNDS_PER_S_MAX = 150
"""Of one merchant."""
MAGIC_DELAY_MS = 10_000
MAGIC_LOST_REMEMBERED_MAX = 1_000
GOODS_LINES_MAX = 100
TEXT_CHARS_MAX = 256
APPID_CHARS_MAX = 32
OPENID_CHARS_MAX = 128
URL_CHARS_MAX = 255
TIME_CHARS_MAX = 32
H5_LIFE_MS = 5 * 60 * 1000
ORDER_LIFE_MS_MAX = 7 * 24 * 3600 * 1000
"""How long an order without ``time_expire`` can be paid."""
CALL_UP_CHARS_MAX = 512
"""Of a signature or package that a page or an app hands to the wallet."""
ECHO_CHARS_MAX = 1_024
ENCRYPTED_CHARS_MAX = 1_024
CERTIFICATE_NOTICE_MS = 24 * 3600 * 1000
"""How long a new platform certificate is shown before it signs, and the old one after."""
CERTIFICATE_GENERATIONS_MAX = 100

CONTRACT_CODE_CHARS_MAX = 32
CONTRACT_PROPOSAL_LIFE_MS = 2 * 3600 * 1000
"""How long a proposed contract can be signed, from the last time it was asked for."""
CONTRACTS_PER_LIST_MAX = 100
DISPLAY_ACCOUNT_CHARS_MAX = 32
MANDATE_ID_CHARS_MAX = 32
PLAN_DAYS_MAX = 3 * 365
REMARK_CHARS_MAX = 256
DAY_MS = 24 * 3600 * 1000

V2_FIELDS_MAX = 100
"""Of one document."""
V2_AMOUNT_DIGITS_MAX = 15
V2_DETAIL_CHARS_MAX = 6_000
V2_TRANSACTION_CHARS_MAX = 32
V2_REFUNDS_PER_PAGE = 10
MCH_BILLNO_CHARS_MAX = 28

BILL_AGE_DAYS_MAX = 92
"""Three months."""
BILL_TICKET_LIFE_MS = 5 * 60 * 1000
BILL_TOKEN_CHARS_MAX = 512
BILL_LINES_PER_LOOKUP_MAX = 500
"""Whose numbers are looked up at once."""
OUT_REQUEST_NO_CHARS_MAX = 64
REMARK_CHARS_MAX = 56
BANK_MEMO_CHARS_MAX = 32
