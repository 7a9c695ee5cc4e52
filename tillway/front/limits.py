"""Bounds of the front page. Units stand last in the names."""

LOOK_EVERY_MS = 1_500
"""How often the programs are asked while somebody looks; nobody looks, nobody is asked."""
PROBE_S = 2
"""How long a program may take to say how it is."""
ANSWER_S = 3
"""How long the page waits for what a program tells: a little longer than for how it is."""
PATIENCE_S = 60
"""How long a press waits for a part that is being started anew."""
PROBES_AT_ONCE_MAX = 8
FOLLOWERS_MAX = 8
"""Pages that may follow at once."""
BODY_BYTES_MAX = 1_024
AMOUNT_MINOR_MAX = 20_000
"""Of a guided payment: well below what asks for a fingerprint."""
FINGER_AMOUNT_MINOR_MAX = 100_000
"""Of one that shall ask for it."""
EVENTS_MAX = 24
"""Hops that are drawn of one payment."""
CLOCK_SLACK_MS = 2_000
"""How far a program's time may lie outside of a sale's before its clock counts as another one."""
LISTEN_BACKLOG = 32
START_S = 10
STOP_S = 5
TOKEN_BYTES = 24
"""Of a page's own token, without which nothing is done."""
