"""How long a test waits for what must come.

A machine that runs the suite may stand still for seconds. The wait only ends a test that hangs,
before its whole time is over, so that it says what never came; it states nothing about speed.
"""

PATIENCE_S = 60
