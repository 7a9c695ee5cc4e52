"""Which shipped risk rules decide in the demo."""

WATCHED = "watched_payer"
"""Beside those that decide by default: a payer on the grey list must confirm."""


def live_rules() -> list[str]:
    """For the backend's configuration."""
    from backend.risk.judging.live import LIVE_BY_DEFAULT

    return [*LIVE_BY_DEFAULT, WATCHED]
