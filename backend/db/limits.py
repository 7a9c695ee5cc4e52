"""Every bound of the database layer, with its unit in the name."""

COMMANDS_PER_GROUP_MAX = 1024
COMMANDS_PER_HALF_MIN = 512
"""Where two groups may be on their way, one takes half of what waits, so that the other is never
empty; but not less than this, for many small groups cost more than they gain."""
COMMANDS_PER_TURN_MIN = 64
"""So many wait already: they are decided while the group before them is being made durable."""
COMMANDS_WAITING_MAX = 16_384
FOLLOW_WAVES_MAX = 3
GROUP_TRIES_MAX = 4
KEPT_ROWS_MAX = 16_384
"""So many rows stay in memory from group to group: some 15 MB. Then they are read anew."""
RETRY_DELAY_MS = 5
RETRY_DELAY_MS_MAX = 200
KEYS_PER_SELECT_MAX = 256
"""On SQLite, which has a parameter for each; PostgreSQL takes all of them as one array."""
PARAMETERS_PER_STATEMENT_MAX = 8_192
ALIKE_INSERTS_PER_TRIAL = 1_024
"""Then every column of a table is looked at again: it may have been a rare group that varied."""
SQLITE_BUSY_TIMEOUT_MS = 5_000
SQLITE_WAL_PAGES_PER_CHECKPOINT = 16_000
"""64 MiB, for a connection that copies for itself."""
WAL_PAGES_UNCOPIED_MAX = 64_000
"""256 MiB, for the writer. Nearly always the log has been copied and begun anew long before."""
WAL_ROWS_PER_COPY = 4_000
"""So many rows are worth a copy as soon as the writer rests for ``WAL_COPY_LULL_MS``."""
WAL_ROWS_PER_LARGE_GROUP = 500
"""After a group of so many, the next one may be decided for longer than a lull is."""
WAL_ROWS_UNCOPIED_MAX = 32_000
"""With so many the writer's rest is not waited for: 170 MiB if each payment is a group."""
WAL_COPY_LULL_MS = 20
WAL_COPY_LULLS_AFTER_LARGE_GROUP = 25
"""Half a second without a commit is a rest, whatever the groups were."""
WAL_COPY_PASSES_MAX = 8
POSTGRES_CONNECT_TIMEOUT_S = 10
POSTGRES_LOCK_TIMEOUT_MS = 1_000
"""How long the writer waits for one row: a rival's group takes some ten. Then it tries again."""
POSTGRES_STATEMENT_TIMEOUT_MS = 10_000
POSTGRES_IDLE_IN_GROUP_MS_MAX = 30_000
"""A writer that stops in the middle of a group loses its locks, so that its rivals go on."""
POSTGRES_KEEPALIVE_IDLE_S = 10
POSTGRES_KEEPALIVE_INTERVAL_S = 5
POSTGRES_KEEPALIVES_MAX = 3
POSTGRES_UNACKNOWLEDGED_MS_MAX = 30_000
BELL_RETRY_S = 1
"""From a lost connection of the bell to the next try."""
READ_ROWS_MAX = 100_000
"""One answer held in memory. More is an error, never a part of the rows."""
READ_PAGE_ROWS = 5_000
STREAM_ROWS_PER_FETCH = 5_000
LOG_ROOM_BYTES_MIN = 256 * 1024
"""A log that never becomes longer than this is not worth the trouble."""
LOG_ROOM_STEP_BYTES_MIN = 4 * 1024 * 1024
LOG_ROOM_STEP_BYTES_MAX = 32 * 1024 * 1024
"""So much is filled at once at most: some ten milliseconds, which one group waits."""
LOG_ROOM_DISK_SHARE = 16
"""Room is made while the disk has so many times as much free."""
