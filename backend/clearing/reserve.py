"""What moves the reserve besides payouts: the channel's settlement (rule 2), the fee sweep (10),
and own money that we promised to it (6b, 16, 17, 22)."""

from collections.abc import Iterable
from dataclasses import dataclass

from backend.clearing.model import MoveKind, MoveState, Outcome, next_state
from backend.clearing.stated import FollowEntry
from backend.clearing.tables import CLEARING_DAY, OWN_MOVE
from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.destinations.model import OWN_HOLDER, DestinationKind, key_of
from backend.destinations.service import check_destination, destination_read, file_destination
from backend.destinations.tables import DESTINATION
from backend.ledger import chart, model, rules
from backend.ledger import service as ledger
from backend.ledger.model import Transfer
from backend.ledger.tables import ACCOUNT
from protocol.errors import CallerError

MoveKey = tuple[str, str, str, int]
"""(business date, currency, kind, number)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmChannelSettlement(FollowEntry):
    """The bank's statement shows that a channel has paid a day into the reserve (rule 2).

    A correction of the statement is followed while the channel's day is open, for its file is
    compared with it; of a closed day only if that evens the day's account. Else the two stay apart,
    as a break.
    """

    channel_id: str
    settlement_date: str

    def reads(self) -> Iterable[Read]:
        return [(CLEARING_DAY, self.settlement_date), *FollowEntry.reads(self)]

    def decide(self, ws: WorkingSet, now_ms: int) -> bool:
        differs_minor = self._differs_minor(ws)
        if differs_minor and self._is_closed(ws) and not self._is_evened(ws, differs_minor):
            return False
        return FollowEntry.decide(self, ws, now_ms)

    def _is_closed(self, ws: WorkingSet) -> bool:
        day = ws.get(CLEARING_DAY, self.settlement_date)
        return day is not None and day["state"] == "closed"

    def _is_evened(self, ws: WorkingSet, more_minor: int) -> bool:
        account = chart.channel(self.channel_id, self.settlement_date, self.currency)
        row = ws.get(ACCOUNT, account)
        return row is not None and row["debits_posted"] - row["credits_posted"] == more_minor

    def _transfers(self, event: rules.Event, amount_minor: int) -> list[Transfer]:
        return rules.channel_settled(
            event,
            channel_id=self.channel_id,
            settlement_date=self.settlement_date,
            amount_minor=amount_minor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmAdvanceRepaid(FollowEntry):
    """Our own account's statement shows that a fund has repaid a day's advances (rule 6b)."""

    @property
    def _account(self) -> str:
        return chart.own("OWN", self.currency)

    def _transfers(self, event: rules.Event, amount_minor: int) -> list[Transfer]:
        return rules.own_advance_repaid(event, amount_minor=amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFundRepaid:
    """A fund has repaid its bank what that advanced on one day (rule 6a at T+1, memo only).

    The event is named after all that was repaid of that day so far: what is captured after a note
    is another note's."""

    channel_id: str
    settlement_date: str
    currency: str
    business_date: str

    def reads(self) -> Iterable[Read]:
        return [(ACCOUNT, self._debt)]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        row = ws.get(ACCOUNT, self._debt)
        owed = model.balance(row) if row is not None else 0
        if owed > 0:
            assert row is not None
            ledger.post(ws, self._transfers(owed, row["debits_posted"] + owed), now_ms)
        return owed

    @property
    def _debt(self) -> str:
        return chart.memo("FUND_OWED", f"{self.channel_id}.{self.settlement_date}", self.currency)

    def _transfers(self, owed: int, repaid: int) -> list[Transfer]:
        event_id = f"repaid.{self.channel_id}.{self.settlement_date}.{repaid}"
        return rules.fund_repaid_bank(
            rules.Event(event_id, self.currency, self.business_date),
            channel_id=self.channel_id,
            settlement_date=self.settlement_date,
            amount_minor=owed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstructMove:
    """Store what is to go between the reserve and our own account, once per day and kind, and
    again only after the bank has rejected the last try; None if nothing is to go.

    ``amount_minor`` is what leaves the reserve. Negative: own money comes into it, because more
    fees were given back than earned, or because we promised it (rules 6b, 16, 17 and 22).

    The first own account that money moves to or from is filed by that; another is filed by an
    operator, and until then ``destination_not_allowed``.
    """

    business_date: str
    currency: str
    kind: MoveKind
    number: int
    move_id: str
    execution_date: str
    amount_minor: int
    own_account: str
    holder: str

    def reads(self) -> Iterable[Read]:
        return [(OWN_MOVE, self._key), destination_read(DestinationKind.OWN, OWN_HOLDER)]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row | None:
        known = ws.get(OWN_MOVE, self._key)
        if known is not None:
            return known
        if not self.amount_minor:
            return None
        self._check_own_account(ws, now_ms)
        ws.insert(
            OWN_MOVE,
            {
                "business_date": self.business_date,
                "currency": self.currency,
                "kind": self.kind.value,
                "number": self.number,
                "move_id": self.move_id,
                "amount_minor": self.amount_minor,
                "state": MoveState.INSTRUCTED.value,
                "execution_date": self.execution_date,
                "instructed_at_ms": now_ms,
                "updated_at_ms": now_ms,
            },
        )
        return ws.get(OWN_MOVE, self._key)

    def _check_own_account(self, ws: WorkingSet, now_ms: int) -> None:
        kind, account = DestinationKind.OWN, self.own_account
        if ws.get(DESTINATION, key_of(kind, OWN_HOLDER)) is None:
            file_destination(
                ws, kind, OWN_HOLDER, account_no=account, account_name=self.holder,
                actor="configuration", now_ms=now_ms,
            )  # fmt: skip
        check_destination(ws, kind, OWN_HOLDER, account)

    @property
    def _key(self) -> tuple[str, str, str, int]:
        return (self.business_date, self.currency, self.kind.value, self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveMove:
    """Record what the bank said of a movement. Confirmed fees leave both books together (rule 10);
    confirmed own funds keep their promise in both (``own_funds_injected``)."""

    key: MoveKey
    outcome: Outcome
    reason: str
    booked_on: str

    def reads(self) -> Iterable[Read]:
        return [(OWN_MOVE, self.key)]

    def follow(self, ws: WorkingSet) -> Iterable[Read]:
        row = ws.get(OWN_MOVE, self.key)
        return [] if row is None else ledger.reads(self._transfers(row))

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        row = ws.get(OWN_MOVE, self.key)
        if row is None:
            raise CallerError("payment_not_found", "own move")
        state = next_state(MoveState(row["state"]), self.outcome)
        if state is MoveState.CONFIRMED:
            ledger.post(ws, self._transfers(row), now_ms)
        return ws.update(
            OWN_MOVE, self.key, state=state.value, reason=self.reason, updated_at_ms=now_ms
        )

    def _transfers(self, row: Row) -> list[Transfer]:
        event = rules.Event(f"{row['move_id']}.confirmed", row["currency"], self.booked_on)
        amount_minor = row["amount_minor"]
        match MoveKind(row["kind"]):
            case MoveKind.FEES:
                return rules.fees_swept(event, amount_minor=amount_minor)
            case MoveKind.OWN_FUNDS:
                return rules.own_funds_injected(event, amount_minor=-amount_minor)


def move_key(row: Row) -> MoveKey:
    """The key of a movement's row."""
    return (row["business_date"], row["currency"], row["kind"], row["number"])
