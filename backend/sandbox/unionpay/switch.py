"""The switch without its sockets: a message's bytes in, the answer's bytes out.

Rule 1: nothing but a sign-on happens without a true MAC under the session's keys (A0 otherwise).
Rule 2: session keys stand in the books under the terminal's master key only.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from backend.channels.iso8583 import management
from backend.channels.iso8583.codec import Message, decode, encode
from backend.channels.iso8583.crypto import WorkingKeys, unwrap_keys, wrap_keys
from backend.channels.iso8583.messages import (
    REVERSAL,
    Answer,
    Trace,
    answer_message,
    need,
    network_code,
    read_trace,
    read_transaction,
    rejected,
)
from backend.channels.iso8583.sealing import check_seal, seal
from backend.sandbox.institution.house import House
from backend.sandbox.institution.orders import OVERCHARGES, OrderBook
from backend.sandbox.institution.own_clock import china_day, china_time
from backend.sandbox.institution.settling import SettlementOrder, SettlementOutbox
from backend.sandbox.unionpay.holds import Holds
from backend.sandbox.unionpay.issuers import CHANNEL, CardTill, business_day
from backend.sandbox.unionpay.traces import Told, Traces
from backend.sandbox.unionpay.transactions import APPROVED, Desk
from protocol.errors import CallerError
from protocol.money import Money

OWN_FAULTS = ("refuse_order", "refuse_refund", *OVERCHARGES)
_BAD_MAC, _BAD_FORMAT, _UNKNOWN_TERMINAL, _FAULT = "A0", "30", "97", "96"
_UPLOADS = {management.UPLOAD_ROWS, management.UPLOAD_END, management.UPLOAD_END_UNBALANCED}


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that the switch knows."""

    tid: str
    mid: str
    master_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where a day's net moves, at the reserve bank."""

    settlement: str = "SETTLE-CUP"
    reserve: str = "RESERVE-TILLWAY"


class Switch:
    """One switch in its house."""

    def __init__(
        self,
        house: House,
        *,
        terminals: Mapping[str, Terminal],
        new_key: Callable[[], bytes],
        accounts: Accounts | None = None,
    ) -> None:
        house.books.add_tables("backend.sandbox.unionpay", "schema.sql")
        self.house = house
        self.terminals = dict(terminals)
        self.book = OrderBook(house.books, CardTill(house.books))
        self.traces = Traces(house.books)
        self.outbox = SettlementOutbox(house.books)
        self._new_key = new_key
        self._accounts = accounts or Accounts()
        holds = Holds(house.books, self.book, self.traces)
        self._desk = Desk(self.book, self.traces, holds, house.faults)

    def day(self) -> date:
        """The present business day."""
        return business_day(self.house.clock.now_ms())

    def answer(self, body: bytes) -> bytes:
        """The answer to a message. A message that cannot be read raises ``frame_rejected``: then
        there is nobody to answer, and the line ends."""
        self.close_days()
        message = decode(body)
        trace = read_trace(message)
        terminal = self.terminals.get(trace.tid)
        if terminal is None or terminal.mid != trace.mid:
            return encode(self._said(message, trace, _UNKNOWN_TERMINAL))
        if message.mti == management.SIGN_ON:
            return encode(self._sign_on(message, terminal))
        keys = self._keys(terminal)
        try:
            if keys is None:
                raise CallerError("mac_invalid", "no session")
            check_seal(message, body, keys.mac)
        except CallerError:
            return encode(self._said(message, trace, _BAD_MAC))
        key = bytes(len(keys.mac)) if self.house.faults.strikes("bad_signature") else keys.mac
        return seal(self._act(message), key)

    def close_days(self) -> None:
        """Close each day whose cut-off has passed; each day's net becomes due once."""
        for day in self.book.open_days(self.day()):
            self.settle(day)

    def settle(self, day: date) -> int:
        """Close a day that is over, once; its net is told to the reserve bank."""
        if day >= self.day():
            raise CallerError("day_not_closed", day.isoformat())
        at = china_day(self.house.clock.now_ms())

        def tell(net: int) -> None:
            sides = (self._accounts.settlement, self._accounts.reserve)
            debtor, creditor = sides if net > 0 else sides[::-1]
            reference, amount = f"STL-{CHANNEL}-{day:%Y%m%d}", Money(abs(net), "CNY")
            self.outbox.add(SettlementOrder(reference, debtor, creditor, amount, at))

        return self.book.close_day(day, tell)

    def _act(self, message: Message) -> Message:
        trace = read_trace(message)
        try:
            if message.mti == management.SETTLEMENT:
                return self._settlement(message, trace)
            if message.mti == management.UPLOAD:
                return self._upload(message, trace)
            if message.mti == management.ECHO:
                return self._managed(message, trace)
            return self._transaction(message)
        except CallerError as error:
            if error.code != "frame_rejected":
                raise
            return self._said(message, trace, _BAD_FORMAT)

    def _transaction(self, message: Message) -> Message:
        said = read_transaction(message)
        now_ms = self.house.booking_ms()
        act = self._desk.reverse if message.mti == REVERSAL else self._desk.carry_out
        told = act(said, today=china_day(self.house.clock.now_ms()), day=business_day(now_ms))
        code = told.code if isinstance(told, Told) else told
        if message.mti == REVERSAL and isinstance(told, Told):
            code = APPROVED  # undone, or never done: there is nothing left of it
        row = told if isinstance(told, Told) else self.traces.by_own_id(said.own_id)
        if self.house.faults.strikes("unknown_status"):
            code = _FAULT
        return self._said(message, said.trace, code, row)

    def _managed(self, message: Message, trace: Trace) -> Message:
        if management.is_sign_off(network_code(message)):
            self.house.books.db.execute("DELETE FROM cup_session WHERE tid = ?", (trace.tid,))
        return self._said(message, trace, APPROVED)

    def _sign_on(self, message: Message, terminal: Terminal) -> Message:
        if network_code(message) != management.DOUBLE_LENGTH:
            return self._said(message, read_trace(message), _BAD_FORMAT)
        wrapped = wrap_keys(terminal.master_key, WorkingKeys(self._new_key(), self._new_key()))
        self.house.books.db.execute(
            "INSERT INTO cup_session VALUES (?, ?) ON CONFLICT DO UPDATE SET"
            " wrapped = excluded.wrapped",
            (terminal.tid, wrapped),
        )
        return self._said(message, read_trace(message), APPROVED, keys=wrapped)

    def _settlement(self, message: Message, trace: Trace) -> Message:
        balance = "1" if management.read_totals(message) == self.traces.totals(trace) else "2"
        self.traces.close_batch(trace, balance)
        return self._said(message, trace, APPROVED, balance=balance)

    def _upload(self, message: Message, trace: Trace) -> Message:
        network = network_code(message)
        if network not in _UPLOADS:
            raise rejected(60, "no such upload")
        if network == management.UPLOAD_ROWS:
            self.traces.take_upload(trace, management.read_upload(message))
            return self._said(message, trace, APPROVED)
        is_whole = self.traces.end_upload(trace, int(need(message, 48)))
        return self._said(message, trace, APPROVED if is_whole else _FAULT)

    def _keys(self, terminal: Terminal) -> WorkingKeys | None:
        row = self.house.books.db.execute(
            "SELECT wrapped FROM cup_session WHERE tid = ?", (terminal.tid,)
        ).fetchone()
        return None if row is None else unwrap_keys(terminal.master_key, row[0])

    def _said(
        self,
        message: Message,
        trace: Trace,
        code: str,
        row: Told | None = None,
        *,
        keys: bytes = b"",
        balance: str = "",
    ) -> Message:
        at = china_time(self.house.clock.now_ms())
        if not trace.date:
            trace = Trace(
                trace.tid, trace.mid, trace.batch, trace.stan, f"{at:%m%d}", f"{at:%H%M%S}"
            )
        day = self.day() if row is None else date.fromisoformat(row.day)
        answer = Answer(
            mti="",
            trace=trace,
            code=code,
            rrn="" if row is None else row.reference,
            settlement_date=f"{day:%m%d}",
            keys=keys,
            balance=balance,
        )
        return answer_message(message, answer)
