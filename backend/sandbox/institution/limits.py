"""The limits of a simulated institution, with their units."""

BODY_BYTES_MAX = 8 * 1024 * 1024
FAULTS_PER_SWITCH_MAX = 1000
CLOCK_ADVANCE_MS_MAX = 400 * 86_400_000
LATE_REQUESTS_MAX = 1000
LISTEN_BACKLOG = 128
SLOW_ANSWER_S = 1
SETTLE_EVERY_S = 2
"""How often what is not settled yet is told again."""
LINES_CLOSE_TIMEOUT_S = 2
READY_TIMEOUT_S = 600
"""Ten start at once, on a small board for minutes; who started them sees whether they get on."""
STOP_TIMEOUT_S = 10
CONTROL_TIMEOUT_S = 30
CONTROL_ANSWER_BYTES_MAX = 1024 * 1024
