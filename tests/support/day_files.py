"""A channel's day file in a test: bytes in, rows out."""

from backend.channels.day_file import DayRow, Spool, open_day_file


def read_rows(data: bytes) -> list[DayRow]:
    """All rows of a file that must be sound."""
    with open_day_file(Spool.of([data])) as file:
        rows = list(file.rows())
    assert len(rows) == file.count
    return rows
