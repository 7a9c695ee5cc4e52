"""Bounds of cases."""

SLA_BUSINESS_DAYS = 5
"""A case is decided by the end of the fifth business day after the one it was opened on: no later
than a large-value report of the same day would be due."""
WARNING_BUSINESS_DAY = 3
"""From the beginning of this one of them on, a case that is not decided warns."""
REASONS_PER_CASE_MAX = 50
"""Raised again so often; what comes after that is counted, and not kept one by one."""
EVENTS_PER_CASE_MAX = 500
PAYMENTS_PER_DECISION_MAX = 200
WORDS_CHARS_MAX = 2_000
REASON_CHARS_MAX = 120
PERSON_CHARS_MAX = 64
SUBJECT_CHARS_MAX = 128
ROWS_PER_LIST_MAX = 200
CASES_PER_PAYMENT_MAX = 50
HOPS_MAX = 4
NODES_PER_GRAPH_MAX = 200
NEIGHBOURS_PER_NODE_MAX = 25
"""The nearest in time. A node with more says so: a shop's till knows everybody."""
PAYMENTS_PER_LOOKUP_MAX = 500
EVENTS_PER_TIMELINE_MAX = 500
EVIDENCE_DAYS_MAX = 90
