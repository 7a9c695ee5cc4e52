"""Bounds of the backend's listeners and of its settings."""

CLOCK_ADVANCE_MS_MAX = 40 * 24 * 3600 * 1000
JSON_BYTES_MAX = 64 * 1024
CONNECTIONS_MAX = 1_000
CONNECTIONS_PER_ADDRESS_MAX = 256
"""Of one listener: a shopping street of wallets behind one address, or some twenty-five hubs at ten
connections each, and still a quarter of all."""
REQUEST_S_MAX = 20
"""From a connection's first moment, or the first byte after an answer, to a complete request."""
KEEP_ALIVE_S = 75
DRAIN_S_MAX = 15
LISTEN_BACKLOG = 512
READ_THREADS = 2
VERIFY_THREADS = 2
START_S_MAX = 10
OPERATOR_TOKEN_BYTES = 32
PASSPHRASE_BYTES = 32
TASK_RESTART_S = 5
GATEWAY_KEY_FILE_BYTES_MAX = 16 * 1024
GATEWAY_RSA_BITS_MIN = 2048
