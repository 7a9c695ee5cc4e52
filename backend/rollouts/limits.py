"""Bounds of rollouts."""

DEVICES_MAX = 2_000
WAVES_MAX = 20
STEP_DEVICES_MAX = 50
"""Devices that one commit offers a change to, looks at, or takes it back from."""
STEPS_PER_TURN_MAX = 200
SWEEP_S = 5
"""How often the runner looks at what no news announced: a device that stays silent."""
DEVICE_WAIT_MS_MIN, DEVICE_WAIT_MS_MAX = 60_000, 30 * 86_400_000
DEVICE_WAIT_MS = 86_400_000
NAME_CHARS_MAX = 80
PERSON_CHARS_MAX = 64
REASON_CHARS_MAX = 200
CONTENT_CHARS_MAX = 16_000
ROLLOUTS_SHOWN_MAX = 100
HISTORY_ROWS_MAX = 200
