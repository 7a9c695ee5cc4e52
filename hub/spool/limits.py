"""Bounds of the spool. Units stand last in the names."""

COMMIT_JOBS_MAX = 512
"""Jobs that share one commit."""
JOBS_WAITING_MAX = 10_000
CACHED_STATEMENTS_MAX = 256
WAL_AUTOCHECKPOINT_PAGES = 2_000
STOP_TIMEOUT_S = 10
ROOM_AGAIN_S = 2
"""How often a writer that failed looks whether the disk takes something again."""
ROOM_BYTES = 64 * 1024
"""What the disk must take before the hub calls itself ready again."""
