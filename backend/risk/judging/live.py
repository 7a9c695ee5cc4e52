"""Which shipped rules decide. A configuration names them, and needs no judge for it."""

LIVE_BY_DEFAULT = (
    "blocked_payer", "blocked_card", "blocked_device", "blocked_merchant", "blocked_store",
    "blocked_address",
    "device_clone", "device_emulator", "device_tampered", "payer_known_fraud", "card_known_fraud",
)  # fmt: skip
"""The shipped rules that decide from the first day; the rest are noted. A set of an operator's own
that is live takes the place of all of them."""
