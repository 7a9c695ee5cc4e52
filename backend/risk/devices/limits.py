"""The maxima of device fingerprints."""

ATTRIBUTES_MAX = 128
"""Attributes of one reading, the parts of nested ones counted."""

DEPTH_MAX = 3
"""How deep an attribute may be nested."""

ITEMS_MAX = 512
"""Members of one attribute that is a set or a curve."""

TEXT_CHARS_MAX = 1024
"""Characters of one value."""

READINGS_KEPT_MAX = 48
"""Noisy readings of one device that a new one is compared with, to know a replay."""

VALUES_KEPT_MAX = 8
"""Earlier values of one attribute of one device."""

LINE_BYTES_MAX = 262_144
"""One observation as a line of a file."""

DAY_MAX = 1 << 31
"""The day of an observation, by any count."""

READINGS_PER_DEVICE_PER_DAY_MAX = 200
"""What a device says of itself beyond this is answered and not kept."""

READINGS_PER_PAGE = 500
REBUILD_DAYS = 90
"""Of accepted readings that a start learns the fleet from; a device that was silent for longer is
looked up when it speaks."""

JUDGE_POLL_S = 5
"""How long a reading waits if nobody wakes the judge: another backend took it in."""

ACCEPTED_LOOK_BACK_MS = 60_000
"""Two backends' clocks differ, so what the other accepted is looked for a little earlier, too."""

HISTORY_ROWS_MAX = 100
WORDS_CHARS_MAX = 2_000
