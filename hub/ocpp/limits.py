"""Bounds of the chargers' central system. Units stand last in the names."""

CHARGERS_MAX = 200
TAG_CHARS_MAX = 36
"""Of OCPP 2.0.1; 1.6 has 20."""
MESSAGE_BYTES_MAX = 1024 * 1024
"""A StopTransaction with all its meter values is the largest; a longer one cannot be read."""
MESSAGE_BYTES_TAKEN_MAX = 8 * MESSAGE_BYTES_MAX
"""What is longer yet ends the line, as WebSocket wants it, and its charger may say it again for
ever: a person is told."""
METER_VALUES_MAX = 20_000
"""Moments of a meter in one message."""
CALL_TIMEOUT_S = 10
"""How long a charger may take to answer us."""
PING_EVERY_S = 30
HEARTBEAT_S = 60
SAMPLE_EVERY_S = 10
"""How often a charger that serves is told to read its meter."""
SAY_AGAIN_TIMES = 30
SAY_AGAIN_STEP_S = 10
"""What a charger says of a transaction and we cannot keep (a full disk), it is told to say this
often, each time this much later than before: for over an hour. By itself it gives up after three
times."""
UNREAD_TRIES = 3
"""What is said of a transaction and can never be read is acknowledged when it is said this often,
which is how often a charger says it by itself; so what waits behind it comes."""
UNREAD_REMEMBERED_MAX = 16
"""Different ones of one charger whose tries are counted."""
UNREAD_KEPT_MAX = 100
UNREAD_CHARS_MAX = 16 * 1024
"""Of each that is kept."""
EARLY_ENDS_MAX = 1_000
"""Ends of all chargers that wait for their beginning; the newest stay."""
TOKENLESS_MAX = 1_000
"""Transactions of all chargers of which the meter was said before their token; the newest stay."""
UNHEARD_MS = 24 * 3_600_000
"""A charge of which nothing was heard for so long no longer keeps the time from the wall's."""
CALLS_OPEN_MAX = 8
"""Calls of one charger that may be worked at, in their order; above, its socket is not read."""
STANDING_WAIT_S = 5.0
"""How long a tapped card may wait for the backend's word on its mandate."""
PASSWORD_BYTES_MIN = 16
"""Of OCPP's security profiles 1 and 2."""
TRIES_MAX = 10
"""Wrong passwords from one address in ``TRIES_WINDOW_MS``; it is not heard until that is over."""
TRIES_WINDOW_MS = 10 * 60 * 1000
ADDRESSES_REMEMBERED_MAX = 1_000

TICK_S = 1.0
WATCH_EVERY_MS = 3_000
"""How often a running charge asks whether its mandate still stands, though nobody said that it has
changed: what a stop takes at most."""
STOP_AGAIN_MS = 10_000
"""A charger that was told to stop and goes on is told again."""
LOOK_AHEAD_MS = 4_000
"""A charge is stopped when its cost will reach the limit within this: what a stop takes to work."""
BESIDE_AHEAD_MS_MAX = 2 * SAMPLE_EVERY_S * 1_000
"""How long after its latest reading a charge is thought to go on, where another shares its room."""
POWER_GAP_MS_MIN = 1_000
"""Readings closer together say nothing of the power."""
START_WAIT_MS = 120_000
"""From the paid code until the charger has begun; then the money goes back."""
SAID_LATE_MS_MAX = 7 * 24 * 3_600_000
"""How long ago a charger that was off line may say that something happened."""
RETRY_GAPS_MS = (1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
QUERY_EVERY_MS = 5_000
ASKED_QUERY_EVERY_MS = 30_000
SHOWN_CHARGES_MAX = 100
NUMBERS_SINCE_S = 1_735_689_600
"""The year 2025: at each start the numbers of charges go on above the seconds since then."""
NUMBERS_BEGIN_MAX = 2_000_000_000
"""A clock that is far ahead begins no higher: a charger of 1.6 may keep a number in 32 bits."""
WH_MAX = 10**12
LISTENER_STOP_S = 2
"""How long open lines may take to end when the listener stops."""
