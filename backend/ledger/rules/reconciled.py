"""Rules 21 and 22: what reconciliation finds: more money than records (长款), or less (短款)."""

from backend.ledger import chart
from backend.ledger.chart import channel, client, own
from backend.ledger.model import Transfer
from backend.ledger.rules.legs import Event, own_money_legs, posted, signed


def long_found(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """21. A channel has money that we have no record of: Dr CH / Cr LONG."""
    source = channel(channel_id, settlement_date, event.currency)
    return posted(event, "long_found", [(source, client("LONG", event.currency), amount_minor)])


def long_assigned(event: Event, *, to_account: str, amount_minor: int) -> list[Transfer]:
    """21. Its payment was found and completed (补单): Dr LONG / Cr MPEND or CUST."""
    assert chart.account(to_account).code in {"MPEND", "CUST"}
    leg = (client("LONG", event.currency), to_account, amount_minor)
    return posted(event, "long_assigned", [leg])


def long_given_back(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """21. Nobody's here, so it goes back through the channel: Dr LONG / Cr CH."""
    owed = channel(channel_id, settlement_date, event.currency)
    return posted(event, "long_given_back", [(client("LONG", event.currency), owed, amount_minor)])


def short_found(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """22. A channel lacks money that we have a record of: Dr SHORT / Cr CH."""
    owed = channel(channel_id, settlement_date, event.currency)
    return posted(event, "short_found", [(client("SHORT", event.currency), owed, amount_minor)])


def short_recovered(
    event: Event, *, channel_id: str, settlement_date: str, amount_minor: int
) -> list[Transfer]:
    """22. The channel has it after all: Dr CH / Cr SHORT."""
    source = channel(channel_id, settlement_date, event.currency)
    return posted(
        event, "short_recovered", [(source, client("SHORT", event.currency), amount_minor)]
    )


def short_written_off(event: Event, *, amount_minor: int) -> list[Transfer]:
    """22. It is lost, and our loss: Dr OWN_DUE / Cr SHORT; Dr LOSS / Cr OWN_PAYABLE. SHORT must be
    zero at day end, so own money covers it (``own_funds_injected``)."""
    short = client("SHORT", event.currency)
    legs = own_money_legs(short, own("LOSS", event.currency), amount_minor, event.currency)
    return posted(event, "short_written_off", legs)


def fee_rounded(event: Event, *, amount_minor: int) -> list[Transfer]:
    """A channel charges a fen less or more than we counted: Dr COST_PAYABLE / Cr ROUNDING, or the
    other way for a negative amount."""
    currency = event.currency
    leg = signed(own("COST_PAYABLE", currency), own("ROUNDING", currency), amount_minor)
    return posted(event, "fee_rounded", [leg])
