"""China's time, by which shops and their people count days (it has known no summer time since
1991)."""

from datetime import date, datetime, timedelta, timezone

SHOP_TIME = timezone(timedelta(hours=8))


def day_bounds(on: date) -> tuple[int, int]:
    """Where a shop's date begins and ends, in epoch milliseconds."""
    begins = datetime(on.year, on.month, on.day, tzinfo=SHOP_TIME)
    from_ms = int(begins.timestamp()) * 1000
    return from_ms, from_ms + timedelta(days=1) // timedelta(milliseconds=1)


def shown_time(at_ms: int, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A moment, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, SHOP_TIME).strftime(form)
