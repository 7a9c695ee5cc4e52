"""The byte formats of the peripherals, shared by the drivers and by the simulated devices.

Rule 1: nothing here has seen a port, a clock or a thread; time is an argument.
Rule 2: every parser has a bounded buffer and finds its way back after any bytes.
"""
