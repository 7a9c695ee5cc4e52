"""Every bound of the ledger, with its unit in the name."""

LEGS_PER_POST_MAX = 64
GROUP_TRANSFERS_MAX = 65_536
VERIFY_BREAKS_MAX = 100
VERIFY_KEYS_PER_SELECT_MAX = 500
TRANSFERS_LISTED_MAX = 10_000
"""What one `ledger transfers` or `ledger accounts` prints at most."""
LEGS_READ_BACK_MAX = 12
"""Of one event, where a command undoes what was posted. No rule that is undone makes more."""
