"""Bounds of enrolment. Units stand last in the names."""

CODE_VALID_MS = 15 * 60 * 1000
CODE_VALID_MS_MAX = 7 * 24 * 3600 * 1000
CODE_ATTEMPTS_MAX = 5
NAMES_MAX = 8
NAME_CHARS_MAX = 253

ROOT_VALID_DAYS = 3650
LEAF_VALID_DAYS = 397
# A machine whose clock is a little behind must not see a certificate of the future.
BACKDATE_MINUTES = 10
ROTATION_AGE_MS_MAX = 5 * 60 * 1000
