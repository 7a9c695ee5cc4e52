"""Bounds of the outbox and of callbacks."""

CALLBACKS_AT_ONCE_MAX = 32
CALLBACKS_PER_MERCHANT_MAX = 2
"""Of those at once: sixteen merchants must hang before the others wait."""
CALLBACKS_PER_CLAIM_MAX = 64
CALLBACK_TIMEOUT_S = 5
CALLBACK_LEASE_MS = 60_000
CALLBACK_QUEUED_MS_MAX = 5 * 60_000
"""How long a broker's promise is believed beyond the time of the try. Then it is queued again."""
CALLBACK_ASIDE_MS = 5_000
CALLBACK_ANSWER_BYTES_MAX = 4_096
CALLBACK_POLL_MS = 1_000
CALLBACK_NONCE_BYTES = 16
CALLBACK_SKEW_MS_MAX = 5 * 60 * 1000
ERROR_CHARS_MAX = 200
DEAD_LETTERS_PER_LIST_MAX = 200
DEAD_LETTERS_PER_REPLAY_MAX = 200
"""Of one call that names a filter; the answer says whether there are more."""
PLACE_DIGITS_MAX = 15
TRIES_SHOWN_MAX = 200
"""The newest of a callback's history: those of eleven lives."""
CALLBACK_FIGURES_EVERY_S = 10

_S, _M, _H = 1_000, 60_000, 3_600_000
CALLBACK_GAPS_MS = (
    15 * _S, 15 * _S, 30 * _S, 3 * _M, 10 * _M, 20 * _M, 30 * _M, 30 * _M, 30 * _M, 60 * _M,
    3 * _H, 3 * _H, 3 * _H, 6 * _H, 6 * _H,
)  # fmt: skip
"""How long after each failed try the next one comes: 15 retries, 24 h 4 m in all."""

QUEUE_WAITING_PER_MERCHANT_MAX = 8
"""Messages of one merchant that wait here for a slot; more go back to the outbox."""
QUEUE_PREFETCH_MESSAGES = 160
"""Those being tried, and those of sixteen merchants whose servers hang."""
QUEUE_MESSAGES_MAX = 100_000
"""Of each queue in the broker. A full one refuses, and the outbox keeps the rest; of the dead, the
oldest copies go."""
QUEUE_MESSAGE_BYTES_MAX = 1_024
QUEUE_CONNECT_TIMEOUT_S = 10
QUEUE_CONFIRM_TIMEOUT_S = 10
QUEUE_AGAIN_S = 2
