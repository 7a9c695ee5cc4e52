"""Scenarios and replays that run beside a board, each in a thread of its own, and are looked at."""
