"""To which of its days a channel's acceptance belongs. Pure; clearing adds rule and calendar."""

from datetime import UTC, date, datetime, timedelta

from protocol.clock import CHINA

_DAY = timedelta(days=1)


def channel_day(accepted_at_ms: int, cut_off_minute: int) -> date:
    """The day in China on which a channel accepted, or the next from its cut-off's own minute on
    (1440: at midnight). A function of these two and of nothing else."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=accepted_at_ms)
    local = at.astimezone(CHINA)
    return local.date() + _DAY * (local.hour * 60 + local.minute >= cut_off_minute)
