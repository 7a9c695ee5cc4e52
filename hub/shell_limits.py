"""Bounds of the asyncio shell. Units stand last in the names."""

WORKERS_MAX = 4
SIGNATURES_IN_LOOP_MAX = 4
"""Envelopes or answers that are checked or signed in the loop itself: a worker, asked and answered,
costs more processor than they do. With SM2 they hold the loop up for about a millisecond."""
VERIFY_CHUNK_MAX = 16
"""Signatures that one worker checks between two reports to the loop."""
SPEAK_GROUP_MAX = 50
"""The hub's own words that share one signature."""
STOP_TIMEOUT_S = 10
POLL_WAIT_S = 25
POLLS_FAILED_MAX = 3
"""Polls in a row that find nobody, until the hub says that it has lost the backend."""
POLL_RETRY_MS_MIN = 250
POLL_RETRY_MS_MAX = 10_000
DEVICES_EVERY_S = 600
REPORT_EVERY_S = 10
REPORT_DEVICES_MAX = 500
STATUS_BODY_BYTES_MAX = 1024
"""What the hub's own page may be sent: the switches of its faults."""
HTTP_STOP_S = 5
HTTP_CONNECTIONS_MAX = 64
