"""The payers' commands about their instruments."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import DestinationKind
from backend.destinations.service import destination_read, file_destination
from backend.instruments.limits import INSTRUMENTS_PER_PAYER_MAX
from backend.instruments.model import BALANCE, InstrumentKind, check_facts, check_token
from backend.instruments.tables import CHANNEL_TOKEN, INSTRUMENT, INSTRUMENT_CHANNEL
from backend.wallet.service import payer_row
from backend.wallet.tables import PAYER
from protocol.errors import CallerError
from protocol.ids import is_id


@dataclass(frozen=True, slots=True, kw_only=True)
class AddInstrument:
    """A card or a fund account, and what its channels call it (channel → token). The same content
    again changes nothing."""

    instrument_id: str
    payer_id: str
    kind: InstrumentKind
    bank: str
    last4: str
    tokens: Mapping[str, str] = field(repr=False)
    number_mark: str = field(default="", repr=False)

    def reads(self) -> Iterable[Read]:
        return [
            (PAYER, self.payer_id),
            (INSTRUMENT, self.instrument_id),
            destination_read(DestinationKind.CUSTOMER, self.instrument_id),
            *_token_reads(self.instrument_id, self.tokens),
        ]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        payer = payer_row(ws, self.payer_id)
        if not is_id(self.instrument_id, prefix="ins"):
            raise CallerError("id_invalid", "instrument_id")
        check_facts(self.kind, bank=self.bank, last4=self.last4, tokens=self.tokens)
        content = {
            "payer_id": self.payer_id,
            "kind": self.kind.value,
            "bank": self.bank,
            "last4": self.last4,
        }
        known = ws.get(INSTRUMENT, self.instrument_id)
        if known is not None:
            is_same = all(known[name] == value for name, value in content.items())
            if not is_same or not self._has_tokens(ws):
                raise CallerError("idempotency_conflict", "instrument_id")
            return known
        if payer["instrument_count"] >= INSTRUMENTS_PER_PAYER_MAX:
            raise CallerError("instrument_count_exceeded")
        for channel_id, token in self.tokens.items():
            _give_token(ws, self.instrument_id, self.payer_id, channel_id, token)
        ws.update(PAYER, self.payer_id, instrument_count=payer["instrument_count"] + 1)
        row = {
            **content,
            "instrument_id": self.instrument_id,
            "status": "active",
            "number_mark": self.number_mark,
            "created_at_ms": now_ms,
            "updated_at_ms": now_ms,
        }
        ws.insert(INSTRUMENT, row)
        if self.kind is InstrumentKind.CARD:
            self._file(ws, payer["name"], now_ms)
        return row

    def _file(self, ws: WorkingSet, name: str, now_ms: int) -> None:
        """A payer's own card is where withdrawals may go. Its number is the channels' to know: it
        is filed by the instrument's id."""
        file_destination(
            ws,
            DestinationKind.CUSTOMER,
            self.instrument_id,
            account_no=self.instrument_id,
            account_name=name,
            actor="payer",
            now_ms=now_ms,
        )

    def _has_tokens(self, ws: WorkingSet) -> bool:
        found = {
            channel_id: ws.get(INSTRUMENT_CHANNEL, (self.instrument_id, channel_id))
            for channel_id in self.tokens
        }
        return all(
            row is not None and row["token"] == self.tokens[channel_id]
            for channel_id, row in found.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AddToken:
    """Add another channel's token for the instrument. The same token again changes nothing."""

    instrument_id: str
    payer_id: str
    channel_id: str
    token: str = field(repr=False)

    def reads(self) -> Iterable[Read]:
        tokens = {self.channel_id: self.token}
        return [(INSTRUMENT, self.instrument_id), *_token_reads(self.instrument_id, tokens)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:  # noqa: ARG002  # no time is kept
        row = _theirs(ws, self.instrument_id, self.payer_id)
        check_token(InstrumentKind(row["kind"]), self.channel_id, self.token)
        known = ws.get(INSTRUMENT_CHANNEL, (self.instrument_id, self.channel_id))
        if known is None:
            _give_token(ws, self.instrument_id, self.payer_id, self.channel_id, self.token)
        elif known["token"] != self.token:
            raise CallerError("idempotency_conflict", "token")
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveInstrument:
    """Remove an instrument, so that it pays nothing more. If it was the default, the balance
    becomes it."""

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


def _token_reads(instrument_id: str, tokens: Mapping[str, str]) -> list[Read]:
    return [
        *((INSTRUMENT_CHANNEL, (instrument_id, channel_id)) for channel_id in tokens),
        *((CHANNEL_TOKEN, (channel_id, token)) for channel_id, token in tokens.items()),
    ]


def _give_token(
    ws: WorkingSet, instrument_id: str, payer_id: str, channel_id: str, token: str
) -> None:
    owner = ws.get(CHANNEL_TOKEN, (channel_id, token))
    if owner is None:
        row = {"channel_id": channel_id, "token": token, "payer_id": payer_id}
        ws.insert(CHANNEL_TOKEN, row)
    elif owner["payer_id"] != payer_id:
        raise CallerError("instrument_taken")
    known_as = {"instrument_id": instrument_id, "channel_id": channel_id, "token": token}
    ws.insert(INSTRUMENT_CHANNEL, known_as)


def _theirs(ws: WorkingSet, instrument_id: str, payer_id: str) -> Row:
    row = ws.get(INSTRUMENT, instrument_id)
    if row is None or row["payer_id"] != payer_id:
        raise CallerError("instrument_unknown")
    return row
