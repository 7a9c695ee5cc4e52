"""Bounds of profit sharing."""

SHARE_AFTER_S = 60
"""A payment is shared no sooner after it was paid, where configuration says nothing else."""
FROZEN_MS_MAX = 30 * 24 * 3600 * 1000
"""Then what is left is released."""
RETURN_WITHIN_MS_MAX = 180 * 24 * 3600 * 1000
ROUNDS_MAX = 50
"""Of one payment; its release is one."""
RECEIVERS_PER_ROUND_MAX = 50
RETURNS_PER_SHARE_MAX = 50
SHARE_BPS_MAX = 3_000
"""Of the payment's amount, where configuration says nothing else."""
LOOK_AGAIN_MS = 10 * 60 * 1000
"""How often the clock looks at shares whose channel has not paid."""
SWEPT_ROWS_MAX = 200
