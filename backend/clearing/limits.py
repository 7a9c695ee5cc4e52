"""Bounds of the clearing."""

ISO_ID_CHARS_MAX = 35
"""Max35Text of ISO 20022: message and end-to-end ids."""
BANK_DAYS_PER_RUN_MAX = 400
"""How many statements one run reads at the most."""
BOOKING_PAGES_PER_RUN_MAX = 10_000
"""How many pages of bookings (camt.054) a run within the day reads at the most."""
CORRECTIONS_PER_ENTRY_MAX = 9
"""How often a statement's entry may come with another amount and still be followed; what differs
after that is a break, and a person's."""
CALENDAR_FILE_BYTES_MAX = 65_536
CALENDAR_YEARS_MAX = 50
LIBRARY_YEARS_CACHED = 64
DAY_MINUTES = 1_440
CAP_DAYS = 10
"""For so many days back a channel's unsettled money counts against its cap; what is older is a
break of the reconciliation, and a person's."""
SCHEDULE_DAYS_MAX = 400
"""How far back a business date may still wait for its settlement date."""
PENDING_ROWS_MAX = 1_000_000
"""Merchants (and business dates that wait) of one run, held at once."""
FURTHER_SETTLEMENTS_PER_DAY_MAX = 999
"""Three digits in the event's id."""
INTEREST_PARTS_PER_MINOR = 360 * 10_000
"""Of a yearly rate in basis points, by days of a 360-day year."""
INTEREST_BPS_MAX = 2_000
