"""Which of a payer's sources pays: the balance, or an instrument through its channel."""

from dataclasses import dataclass

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.model import BALANCE, CHANNEL_OF, InstrumentKind, funding_of
from backend.instruments.tables import INSTRUMENT
from backend.wallet.tables import PAYER


@dataclass(frozen=True, slots=True)
class Funding:
    """Where the money comes from. ``channel_id`` and ``token`` are empty for the balance."""

    kind: str = BALANCE
    instrument_id: str | None = None
    channel_id: str = ""
    token: str = ""

    @property
    def is_balance(self) -> bool:
        """Whether the money is with us already, so that it moves at once."""
        return self.kind == BALANCE


def funding_reads(ws: WorkingSet, payer_id: str, wanted: str | None) -> list[Read]:
    """What ``choose`` reads, as far as it is known by now."""
    payer = ws.loaded(PAYER, payer_id)
    instrument_id = wanted or (payer["default_instrument_id"] if payer else None)
    return [] if instrument_id in {None, BALANCE} else [(INSTRUMENT, instrument_id)]


def choose(
    ws: WorkingSet, payer: Row, wanted: str | None, *, has_own_advance: bool
) -> Funding | None:
    """The wanted source, or the payer's default; None where the payer has no such instrument."""
    instrument_id = wanted or payer["default_instrument_id"]
    if instrument_id is None or instrument_id == BALANCE:
        return Funding()
    row = ws.get(INSTRUMENT, instrument_id)
    if row is None or row["payer_id"] != payer["payer_id"] or row["status"] != "active":
        return None
    kind = funding_of(InstrumentKind(row["kind"]), has_own_advance=has_own_advance)
    return Funding(kind, instrument_id, CHANNEL_OF[kind], row["token"])
