"""Dates of a message, which have no year."""

from datetime import date


def resolve_day(text: str, near: date) -> date | None:
    """The date that MMDD means: the nearest to another one (New Year's wrap); None for no date."""
    found = []
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            found.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:  # no such day in that year
            continue
    return min(found, key=lambda day: abs(day - near), default=None)
