"""Bounds on what we wait for and accept from other institutions."""

CALL_TIMEOUT_S = 10
ANSWER_BYTES_MAX = 64 * 1024 * 1024
CONNECTIONS_PER_LINE_MAX = 32
"""No fewer than conversations at once with a channel: none waits for a connection."""
ANSWER_TEXT_CHARS_MAX = 80
"""Of a channel's reference or reason. One that says more has not answered what was asked."""
ADDRESS_FILE_BYTES_MAX = 64 * 1024
TIMESTAMP_BYTES_MAX = 64 * 1024
"""An RFC 3161 answer with its certificates is about 2 KiB."""
TIMESTAMP_TIMEOUT_S = 10
LINE_READ_BYTES = 4096
QUESTIONS_AT_ONCE_MAX = 64
"""On one line of messages: above what the runner of conversations has open with a channel."""
