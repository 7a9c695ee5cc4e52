"""Bounds of the console."""

NAME_CHARS_MAX = 40
PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 128
SCRYPT_LOG2_N = 14
SCRYPT_R = 8
SCRYPT_P = 1
HASHES_AT_ONCE_MAX = 2
SIGN_IN_TRIES_MAX = 5
SIGN_IN_LOCK_MS = 15 * 60 * 1000
SIGN_INS_PER_MINUTE_MAX = 20
SIGN_INS_ALL_PER_MINUTE_MAX = 120
"""Tries to sign in: per address and for all together."""
SESSION_IDLE_MS = 15 * 60 * 1000
SESSION_LIFE_MS = 10 * 60 * 60 * 1000
SESSION_TOUCH_GAP_MS = 60 * 1000
"""How often a session that is used is noted as used."""
TOKEN_BYTES = 32
FORM_BYTES_MAX = 24 * 1024
"""A merchant's answer to a dispute, in Chinese, as forms are encoded."""
SETUP_LIFE_MS = 48 * 60 * 60 * 1000
"""How long a new person has to set up password and second factor."""
SESSIONS_SHOWN_MAX = 50
BROWSER_CHARS_MAX = 160
RESERVE_TESTS_SHOWN = 14
PEOPLE_SHOWN_MAX = 1_000
PEOPLE_WITHOUT_SEARCH = 8
"""So few are seen at once: their list has no field to find somebody."""
FORM_FIELDS_MAX = 48
"""A case's outcome names its payments in a field each, and a page of them is shown."""
ROWS_PER_PAGE = 30
FEW_ROWS = 4
"""Of a payment's refunds and callbacks: more are folded away."""
FEW_POSTINGS = 6
"""A payment that was given back once has as many."""
FEW_STEPS = 5
"""Of a payment's timeline at its beginning and at its end: what lies between is folded away."""
DAYS_PER_PAGE = 31
TRANSFERS_PER_EVENT_MAX = 32
OPEN_DAYS_SHOWN = 5
"""Days are closed in their order: what keeps the first of them open comes first."""
RISK_VERSIONS_SHOWN = 20
"""Sets of rules, and models, that are in no use, the latest ones."""
RISK_STEPS_SHOWN = 20
"""Of one of them, the latest ones."""
EVIDENCE_HOPS = 2
EVIDENCE_NODES_SHOWN = 40
"""Of what is linked to a case's subject, the nearest: a phone has place for as many."""
FEW_CHANGES = 2
"""Of what an act has changed."""
FEW_NODES = 12
FEW_HAPPENINGS = 10
HAPPENINGS_SHOWN = 100
"""Of the timeline of a case's subject, the latest ones; a program gets more."""
