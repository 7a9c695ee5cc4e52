"""Every act of staff and operators, in a log that only grows."""
