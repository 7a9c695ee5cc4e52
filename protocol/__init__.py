"""What the four programs agree on. Pure: no socket, clock, thread, randomness or database here."""
