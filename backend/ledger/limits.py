"""Every bound of the ledger, with its unit in the name."""

LEGS_PER_POST_MAX = 80
"""A refund of a hot merchant's payment may draw on all of its sub-accounts, and give a coupon's
part back to each."""
VERIFY_BREAKS_MAX = 100
VERIFY_KEYS_PER_SELECT_MAX = 500
TRANSFERS_LISTED_MAX = 10_000
"""What one `ledger transfers` or `ledger accounts` prints at most."""
LEGS_READ_BACK_FIRST = 12
"""Of an event that a command undoes: most have fewer. The others are read in a second step."""
FOLLOW_TRANSFERS_PER_STEP_MAX = 2_000
"""One command of the follower, which delays the group it is written in. One group at least."""
FOLLOW_GROUPS_PER_STEP_MAX = 200
FOLLOW_PAUSE_MS = 500
FOLLOW_REST_FACTOR = 3
"""The follower rests so many times as long as a step took: payments have the rest."""
TAIL_TRANSFERS_MAX = 200_000
"""What a statement reads of groups that the follower has not reached. Then: busy."""
STATEMENT_ENTRIES_MAX = 1_000
CHECKPOINT_GROUPS = 10_000
CHECKPOINTS_LISTED_MAX = 1_000
PROOF_BYTES_MAX = 1_000_000
