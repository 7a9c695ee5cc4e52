"""The maxima of judging."""

REBUILT_DAYS_MAX = 31
"""How far back decisions are told again at the start: as far as the widest window looks."""

CLOCKS_APART_MS_MAX = 5_000
"""How far the clocks of several backends may be apart: a label that seems so much older than its
attempt is of that attempt."""

DECISIONS_PER_PAGE_MAX = 2_000
"""Decisions that are read at once."""

DECISIONS_COUNTED_TOGETHER = 500_000
"""Older decisions that the database looks through at once for who was seen when."""

PAYMENTS_REMEMBERED_MAX = 500_000
"""Judged payments that a label may still name; the oldest are forgotten first."""

ATTEMPTS_PER_PAYMENT_MAX = 32
"""Attempts of one payment, the latest, that are known when they are told twice: what is stored and
what others tell overlap by seconds."""

EARLY_LABELED_MAX = 20_000
"""Payments whose labels wait for them: as many as wait in a backend for the log to come back."""

EARLY_WORDS_MAX = 4
"""Labels of one such payment that wait, the latest."""

VECTORS_READ_MAX = 2_000_000
"""Kept vectors that training reads: some 600 bytes each."""

DECISIONS_PER_PAYMENT_MAX = 100
"""Decisions of one payment that are shown."""

PAYMENTS_PER_LOOKUP_MAX = 500
"""Payments whose decisions are looked up at once."""

DECISIONS_PER_LOOKUP_MAX = 20_000
"""Decisions of these that one answer brings, the latest: 40 attempts of each."""

ATTEMPTS_NAMED_MAX = 2_000
"""Judged attempts of the payments that one case labels, the latest."""

SCORING_NS_MAX = 5_000_000
"""A score takes a hundredth of a millisecond; one that takes longer than this is late."""

SCORING_WAIT_S_MAX = 0.02
"""After this the payment is judged without the score. Longer than what is late, because the answer
of a thread beside the writer's may wait for its turn of the interpreter."""

FEATURES_NS_MAX = 20_000_000
"""After this no further entity is looked at, and its features are unknown."""

RULES_NS_MAX = 20_000_000
"""After this the rules that decide nothing are not asked any more."""

STUCK_CALLERS_MAX = 3
"""Models of one role that may hang, each on a thread of its own; after them none is asked."""

TROUBLE_MAX = 3
"""Late or failed scores, one after another, after which the model is left out for a while."""

PAUSE_NS = 10_000_000_000
"""For how long."""

MODEL_POLL_S = 5.0
"""How often the registry is asked which model is the champion."""

SHARED_ENTRIES_MAX = 1_000_000
"""Attempts and labels that the shared log keeps, about 250 bytes each; the oldest go first."""

SHARED_PAGE_ENTRIES = 500
"""Entries that one answer of the shared log brings."""

SHARED_BEHIND_MAX = 5_000
"""Entries that a backend reads at once, a third of a second's work; one further behind begins
anew."""

SHARED_TIMEOUT_S = 0.01
"""How long the shared log may take for one answer before it counts as gone: half of what features
may take."""

SHARED_PATIENCE_S = 1.0
"""The same where no payment waits for the answer: a machine that is busy for a moment is no reason
to make the memory anew."""

SHARED_CONNECT_S = 0.1
"""The same for a new connection."""

SHARED_FRESH_NS = 1_000_000
"""Before an attempt the shared log is read, if it was not within so long."""

SHARED_FOLLOW_S = 0.05
"""How often it is read while nobody pays here, so that the next payment has little to read."""

SHARED_RETRY_S = 2.0
"""How often a backend that has lost the log looks for it again."""

SHARED_WAITING_MAX = 20_000
"""Entries that wait for the log to come back; then the oldest go."""
