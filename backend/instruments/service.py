"""The payers' commands about their instruments."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.instruments.limits import INSTRUMENTS_PER_PAYER_MAX
from backend.instruments.model import BALANCE, InstrumentKind, check_facts
from backend.instruments.tables import INSTRUMENT, INSTRUMENT_TOKEN
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.ids import is_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AddInstrument:
    """A card or a fund account that its channel has given a token for. The same content again
    changes nothing."""

    instrument_id: str
    payer_id: str
    kind: InstrumentKind
    bank: str
    last4: str
    token: str = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return [
            (PAYER, self.payer_id),
            (INSTRUMENT, self.instrument_id),
            (INSTRUMENT_TOKEN, (self.kind.value, self.token)),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payer = payer_row(ws, self.payer_id)
        if not is_id(self.instrument_id, prefix="ins"):
            raise CallerError("id_invalid", "instrument_id")
        check_facts(bank=self.bank, last4=self.last4, token=self.token)
        content = {
            "payer_id": self.payer_id,
            "kind": self.kind.value,
            "bank": self.bank,
            "last4": self.last4,
            "token": self.token,
        }
        known = ws.get(INSTRUMENT, self.instrument_id)
        if known is not None:
            if any(known[name] != value for name, value in content.items()):
                raise CallerError("idempotency_conflict", "instrument_id")
            return known
        if payer["instrument_count"] >= INSTRUMENTS_PER_PAYER_MAX:
            raise CallerError("instrument_count_exceeded")
        self._claim_token(ws)
        ws.update(PAYER, self.payer_id, instrument_count=payer["instrument_count"] + 1)
        row = {
            **content,
            "instrument_id": self.instrument_id,
            "status": "active",
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(INSTRUMENT, row)
        return row

    def _claim_token(self, ws: WorkingSet) -> None:
        known = ws.get(INSTRUMENT_TOKEN, (self.kind.value, self.token))
        if known is None:
            owner = {"kind": self.kind.value, "token": self.token, "payer_id": self.payer_id}
            ws.insert(INSTRUMENT_TOKEN, owner)
        elif known["payer_id"] != self.payer_id:
            raise CallerError("instrument_taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveInstrument:
    """It pays nothing more. If it was the default, the balance is."""

    instrument_id: str
    payer_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id), (INSTRUMENT, self.instrument_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payer = payer_row(ws, self.payer_id)
        row = _theirs(ws, self.instrument_id, self.payer_id)
        if row["status"] == "removed":
            return row
        ws.update(PAYER, self.payer_id, instrument_count=payer["instrument_count"] - 1)
        if payer["default_instrument_id"] == self.instrument_id:
            ws.update(PAYER, self.payer_id, default_instrument_id=None)
        return ws.update(INSTRUMENT, self.instrument_id, status="removed", updated_at_ms=now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseDefault:
    """What a pay code is paid with from now on: an instrument, or the balance."""

    instrument_id: str
    payer_id: str

    def reads(self) -> Iterable[Read]:
        return [(PAYER, self.payer_id), (INSTRUMENT, self.instrument_id)]

    def decide(self, ws: WorkingSet, now_ms: int) -> str:  # noqa: ARG002  # no time is kept
        payer_row(ws, self.payer_id)
        chosen = None
        if self.instrument_id != BALANCE:
            if _theirs(ws, self.instrument_id, self.payer_id)["status"] != "active":
                raise CallerError("instrument_unknown")
            chosen = self.instrument_id
        ws.update(PAYER, self.payer_id, default_instrument_id=chosen)
        return self.instrument_id


def _theirs(ws: WorkingSet, instrument_id: str, payer_id: str) -> Row:
    row = ws.get(INSTRUMENT, instrument_id)
    if row is None or row["payer_id"] != payer_id:
        raise CallerError("instrument_unknown")
    return row
