"""Columns of rows as a person reads them."""

from datetime import UTC, datetime

_MS = "_ms"


def heading(column: str) -> str:
    """What a column is called: the milliseconds of a moment are not shown as such."""
    return column.removesuffix(_MS)


def told(column: str, value: object) -> str:
    """A value: a moment to the second, of universal time; ``-`` for none."""
    if not column.endswith(_MS) or not isinstance(value, int):
        return str(value)
    return moment(value) if value else "-"


def moment(at_ms: int) -> str:
    """A moment; beyond the calendar the milliseconds."""
    try:
        return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()
    except (OverflowError, ValueError):
        return str(at_ms)
