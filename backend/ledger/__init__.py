"""The double-entry ledger: two books, one immutable row per transfer, sealed group by group."""
