"""Bounds of the launcher. Units stand last in the names."""

READY_TIMEOUT_S = 600
"""How long a program may take to say that it is ready."""
IDLE_TIMEOUT_S = 60
"""How long a program that starts may neither compute nor write."""
REMIND_S = 20
"""How often a start that takes long is told to whoever waits."""
LOOK_S = 2.0
"""Between two looks at all processes: each takes some milliseconds from those that start."""
STOP_TIMEOUT_S = 20
"""How long a program may take to end before it is killed."""
COMMAND_TIMEOUT_S = 600
LOG_TAIL_LINES = 12
LOG_TAIL_BYTES_MAX = 64 * 1024
LOG_LINE_CHARS_MAX = 400
LINE_BYTES_MAX = 64 * 1024
READ_BYTES_MAX = 4096

LOOK_EVERY_S = 0.25
"""How often the supervisor looks at its parts."""
STARTS_AT_ONCE_MAX = 4

ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""The longest answer that is read from a program's HTTP interface."""
ANSWER_TIMEOUT_S = 60
JOIN_TIMEOUT_S = 20
"""How long the enrolment service may take for an answer."""
SECRET_FILE_BYTES_MAX = 4096

CLEARING_RUN_S_MAX = 6 * 3600
"""How long a run may take: a large day reads and pays for hours."""
CLEARING_LOOK_S = 0.5
"""How often a run is asked how far it is."""
