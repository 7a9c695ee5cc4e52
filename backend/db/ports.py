"""What rooms are given of the database: a writer to submit to, and threads to read in."""

from collections.abc import Awaitable, Callable
from typing import Any

from backend.db.command import Command

Submit = Callable[[Command], Awaitable[Any]]
"""Has a command decided in a group, and answers what it decided once that is committed."""
RunRead = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a blocking read where it does not hold the event loop up, and answers what it found."""
