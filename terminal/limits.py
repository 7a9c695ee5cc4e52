"""Bounds of the terminal. Units stand last in the names.

The waits imitate the wallets' own rules: after an unclear answer ask from 5 s on, every 10 s up to
30 s (WeChat Pay, 付款码支付 best practice); a reversal never earlier than 15 s after creation.
"""

ANSWER_WAIT_MS = 5_000
"""How long a request that left the terminal may stay silent before its outcome is *unknown*."""
CLOCK_TOLD_MS_MAX = 2_000
"""An answer that took longer does not tell how far two clocks are apart."""
CREATE_AGE_MS_MAX = 2 * 60_000
"""How long after it was stored a create may be sent or made again. The payer has gone then."""
OFFLINE_ASK_GAP_MS = 60_000
"""Gap between questions about what was accepted offline, while somebody can be asked."""
HUB_WORD_KEPT_GAP_MS = 10 * 60_000
"""How often the hub's unchanged limits are written down anew."""
RESEND_GAPS_MS = (1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000)
"""Gaps between envelopes of one request; the last repeats."""
SENDS_UNHEARD_MIN = 3
"""So many envelopes of a close or a reversal without an answer, and the cashier is told why it
takes so long."""
QUERY_GAPS_MS = (5_000, 10_000, 10_000, 10_000, 20_000, 40_000, 60_000)
"""Gaps between queries of an unknown payment; the last repeats."""
PAYER_POLL_MS = 5_000
"""Gap between queries while the payer is confirming or looking at our code."""
REVERSE_NOT_BEFORE_MS = 15_000
PAID_SHOWN_UNATTENDED_MS = 3_000
ERROR_SHOWN_UNATTENDED_MS = 10_000
CUSTOMER_REFRESH_S = 30
"""How often the payer's display is written again: it cannot tell that it has lost its picture."""
CUSTOMER_RETRY_S = 3
COUNTER_SHOWN_S = 60
"""For so long at most the payer's side shows how cash or a card went."""
QR_LIFE_ASSUMED_MS = 5 * 60_000
"""How long a shown code counts as alive when the answer does not say."""

SCAN_WAIT_S = 60
FINGER_WAIT_S = 15
CARD_WAIT_S = 90
"""How long a payer has at the PIN pad for card, PIN and the bank's answer."""
CARD_FOLLOW_S = 20
"""How long a page's question for a card's outcome is held open."""
DISPENSE_WAIT_S = 60
"""How long a dispenser may be silent before nobody knows whether the item fell."""
PRINT_WAIT_S = 15
"""How long somebody is kept waiting for the printer's word."""
ENVELOPE_EXPIRY_S = 60
DAY_MS = 24 * 3_600_000
REQUESTS_KEPT_MS = 30 * DAY_MS
"""A hub keeps an answer for seven days at most."""
REQUESTS_FORGOTTEN_MAX = 8  # by each new request, which also ends a backlog
REQUESTS_LOOKED_AT_MAX = 512  # the oldest; those of SALES_OPEN_MAX sales may be among them
ANSWERS_KEPT_DAYS = 730
"""How long a signed answer is kept after what it is about was over, where nothing else is set."""
ANSWERS_KEPT_DAYS_MIN, ANSWERS_KEPT_DAYS_MAX = 550, 10_000
"""Never shorter: wallets refund for a year, and a card network hears a dispute for 540 days."""
ANSWERS_MAX = 1_000_000
"""About 1 GB. Above it, what is over is kept for ``ANSWERS_KEPT_DAYS_MIN`` only."""
ANSWERS_REPEATED_KEPT_MS = 7 * DAY_MS
"""Of what is still open: all answers of so long, and of older ones the first and the newest."""
ANSWERS_FORGOTTEN_MAX = 8  # by each answer of the backend
ANSWERS_LOOKED_AT_MAX = 2_048  # the oldest; those of what is not over may be among them

SALES_OPEN_MAX = 50
"""Open sales (the one on the screen and unknown ones behind it); one more is refused."""
RECENT_MAX = 100
RECENT_DEFAULT = 20
FINGERPRINT_LOOK_GAP_MS = 10 * 60_000
"""How often the terminal looks whether something about itself has changed."""
FINGERPRINT_SEND_GAP_MS = 6 * 3_600_000
"""How often it says so when nothing has."""
INBOX_MAX = 1_000
OUTBOX_MAX = 200
EVENT_STREAMS_MAX = 8
"""Browser pages that may follow the screen at once."""
REQUEST_BODY_BYTES_MAX = 4 * 1024
DESCRIPTION_CHARS_MAX = 64
REASON_CHARS_MAX = 80
ITEMS_MAX = 99

MQTT_IN_FLIGHT_MAX = 8
"""Unacknowledged publishes. paho does not honour the Receive Maximum of a server's CONNACK (MQTT 5
§3.2.2.3.3), and one that allows less than this is not used."""
HUBS_MAX = 4
"""Of one store, that a terminal knows."""
HUB_USELESS_S = 10
"""For so long a link that has a hub does not try one that had lost the backend, or was away."""
RECONNECT_GAPS_MS = (250, 500, 1_000, 2_000, 5_000, 10_000)
RECONNECT_JITTER_PERCENT = 50
CONNECT_WAIT_S = 5
KEEPALIVE_S = 20
WILL_DELAY_S = 5
STOP_WAIT_S = 5
COAP_ANSWER_WAIT_S = 30
COAP_OBSERVE_RENEW_S = 60
TOKEN_BYTES = 32
HTTP_CONNECTIONS_MAX = 64
ROOM_BYTES = 256 * 1024
"""A terminal whose disk was full begins anew when a file of this size can be written."""
ROOM_AGAIN_S = 2
SQLITE_BUSY_MS = 5_000

SELECTION_RETRY_S = 1.0
METER_ASK_AGAIN_S = 600.0
"""After a no, how long a meter buys nothing."""
METER_SALE_S = 25 * 3_600.0
"""A meter's payer who is asked has a day; nobody stands there meanwhile."""
METER_SAY_AGAIN_S = 30.0
"""After a token of which the meter said nothing, until it is entered again."""
GATE_ASK_AGAIN_S = 30.0
"""After a no, how long the car at the exit is left alone."""
SELECTION_SALE_S = 40
"""How long a selection at a machine may wait for its payment; the machine itself waits 30 s."""

FIRMWARE_RETRY_GAPS_MS = (1_000, 5_000, 30_000, 120_000)
"""Gaps between tries to fetch firmware from the hub; the last repeats."""
BOARD_PIECE_BYTES = 384
"""Of firmware in one message: with its head below the smallest usual buffer of 512 bytes."""
BOARD_BOOT_WAIT_S = 1.0
BOARD_BOOTS_WAITED_MAX = 60
"""Swapping two slots of a slow flash takes a minute at most."""
BOARD_FAILURES_MAX = 8
BOARD_TRIALS_MAX = 3
BOARD_STEPS_MAX = 200

SETTINGS_TRIAL_MS = 20_000
"""So long must the terminal run with new settings before they are kept."""
SETTINGS_REPORT_GAP_MS = 60_000
"""How long a report about settings may stay unanswered before a new one is made."""

PIN_DIGITS_MIN, PIN_DIGITS_MAX = 4, 8
PIN_FAILURES_MAX = 5
PIN_LOCK_MS = 5 * 60_000
IDLE_LOCK_MS = 2 * 60_000
"""Without a touch for so long the till asks who is there."""
TOUCH_GAP_MS = 5_000
"""Touches closer together than this are written down once."""
STAFF_MAX = 50
STAFF_ACTS_SHOWN = 20
STAFF_NAME_CHARS_MAX = 24
DRAFT_DIGITS_MAX = 9
CASH_REASON_CHARS_MAX = 80
SEARCH_CHARS_MAX = 64
TRAINING_PAYER_MS = 6_000
"""How long a practice payer takes to confirm."""
LOG_LINES_SHOWN = 100
"""Of those that are kept, on the page."""
LOG_LINES_KEPT = 2_000
GOODS_MAX = 2_000
CART_LINES_MAX, CART_QUANTITY_MAX = 50, 99
GOODS_CODE_CHARS_MAX = 32
RECEIPT_ITEM_LINES_MAX = 200
SCAN_TEST_S = 10.0
"""How long a test of the scanner, from the page, waits for a code."""
TRAINING_PAYMENTS_MAX = 500
"""Of payments that the training's backend remembers."""
