"""Bounds of the simulated switch."""

CONNECTIONS_MAX = 64
READ_BYTES_MAX = 4096
IDLE_TIMEOUT_S = 300
FEE_PPM = 3_825
FEE_MINOR_MAX = 1_625
"""What the switch charges for a payment: a rate, up to a cap."""
COMPLETION_PERCENT_MAX = 115
"""Of the pre-authorised amount (UnionPay's rule for pre-authorisation)."""
