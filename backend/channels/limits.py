"""Bounds on what we wait for and accept from other institutions."""

CALL_TIMEOUT_S = 10
ANSWER_BYTES_MAX = 64 * 1024 * 1024
CONNECTIONS_PER_LINE_MAX = 32
"""No fewer than conversations at once with a channel: none waits for a connection."""
ANSWER_TEXT_BYTES_MAX = 4096
"""Of an unsigned refusal."""
ANSWER_TEXT_CHARS_MAX = 80
"""Of a channel's reference or reason. One that says more has not answered what was asked."""
ADDRESS_CHARS_MAX = 512
"""Of the address that a shown code of another wallet says."""
DAY_FILE_BYTES_MAX = 4 * 1024 * 1024 * 1024
DAY_FILE_ROWS_MAX = 5_000_000
DAY_FILE_LINE_BYTES_MAX = 4096
SPOOLED_IN_MEMORY_BYTES_MAX = 1024 * 1024
"""Of a file on its way in; what is longer stands on disk."""
DAY_FILE_TIMEOUT_S = 600
"""For all of a file; the waiting between two pieces of it is ``CALL_TIMEOUT_S``."""
ADDRESS_FILE_BYTES_MAX = 64 * 1024
TIMESTAMP_BYTES_MAX = 64 * 1024
"""An RFC 3161 answer with its certificates is about 2 KiB."""
TIMESTAMP_TIMEOUT_S = 10
EXCHANGE_TIMEOUT_S = 2 * CALL_TIMEOUT_S
"""For a question with the sign-ons that it may need: within a conversation's lease."""
LINE_READ_BYTES = 4096
QUESTIONS_AT_ONCE_MAX = 64
"""On one line of messages: above what the runner of conversations has open with a channel."""
