"""Bounds of our conversation with the gateway. Units stand last in the names."""

ANSWER_BYTES_MAX = 256 * 1024
BILL_FILES_MAX = 16
"""In one archive: the day's list, its summary, and what may be added to them."""
TRADE_LIFE_MINUTES = 5
"""How long a trade waits for its buyer before Alipay closes it: above our own patience."""
