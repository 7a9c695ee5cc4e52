"""Bounds of the hub's core. Units stand last in the names."""

UPLINK_ROWS_MAX = 20_000
UPLINK_BYTES_MAX = 32 * 1024 * 1024
UPLINK_ROWS_PER_DEVICE_MAX = 64
CHECKS_WAITING_MAX = 2_000
"""Envelopes between arrival and commit, of all devices together."""
CHECKS_WAITING_PER_DEVICE_MAX = 16

BATCHES_IN_FLIGHT_MAX = 4
BATCH_FILL_ITEMS = 16
"""While batches are on the way, another goes at once only with so many devices for each of them."""
BATCH_LINGER_MS = 10
"""How long fewer wait to travel together, unless a batch comes back before."""
LINE_RETRY_MS_MIN = 200
LINE_RETRY_MS_MAX = 15_000

UNKNOWN_AFTER_MS = 3_000
BACKLOG_WAIT_MS_MAX = 2_000
"""New business that would wait longer for the backend is told *busy*: sooner than *unknown*."""
BACKLOG_WINDOW_MS_MIN = 500
"""How long answers are counted for one measure of the backend's speed."""
BACKLOG_WINDOW_MS_MAX = 15_000
"""How long it may take at most, and how long a measure counts."""
BACKLOG_UNMEASURED_MAX = 1_000
"""How much may lie ahead while nothing is known of the speed: a few of every till at once, and no
more than a backend that is far slower than ours answers before *unknown* is told."""
BUSY_PAUSE_MS_MIN = 200
BUSY_PAUSE_MS_MAX = 2_000
"""How long nothing goes to a backend that said *busy*; doubled while it goes on saying so."""

PARCELS_MAX = 20_000
"""Answers and pushes that wait for a device."""
PARCELS_PER_DEVICE_MAX = 500
PARCELS_OFFERED_PER_DEVICE_MAX = 16
PARCEL_AGE_MS_MAX = 7 * 24 * 3600 * 1000
PARCEL_RETRY_MS = 5_000
"""When a parcel that a link did not take is offered again, though nobody connected."""
ANSWER_RECORD_AFTER_MS = 1_000
"""An answer that its device acknowledges sooner is never written: a crash would fetch it again."""
FORGET_GROUP_MAX = 500
TICK_MS = 100

PASSAGES_KEPT_MAX = 1_000
"""Of how many requests the times of their way through the hub are remembered."""
DEVICES_MAX = 2_000
HUB_STATE_EVERY_MS = 30_000
DEGRADED_AFTER_MS = 3_000
"""How long the line is away before the hub says that it is offline."""
DEVICE_ROW_BYTES_MAX = 8 * 1024
"""Of one device as the backend tells it."""
