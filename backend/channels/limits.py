"""Bounds on what we wait for and accept from other institutions."""

CALL_TIMEOUT_S = 10
ANSWER_BYTES_MAX = 64 * 1024 * 1024
CONNECTIONS_MAX = 8
