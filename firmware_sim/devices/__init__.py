"""One pure state machine per device: bytes and time in, timed bytes out. No I/O in this room."""
