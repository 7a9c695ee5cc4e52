"""The reserve bank's rules over its house: messages in, messages out. No HTTP.

Rule 1: the same message again gets the first answer, with other content a refusal.
Rule 2: every booking is of the day on which the house's clock says it is booked.
"""

from datetime import date, timedelta

from backend.channels import iso20022
from backend.channels.iso20022 import Leg, TransferStatus
from backend.sandbox.institution import accounts
from backend.sandbox.institution.books import VAULT_ACCOUNT
from backend.sandbox.institution.house import House
from backend.sandbox.institution.own_clock import china_day
from backend.sandbox.institution.reserve_line import (
    NETTING_PREFIX,
    read_word,
    settlement_message,
)
from backend.sandbox.institution.settling import SettlementOrder, SettlementWord
from backend.sandbox.reserve_bank import interest
from backend.sandbox.reserve_bank.rtgs import Kind, Rtgs
from backend.sandbox.reserve_bank.transfers import Banks, Transfers, settlement_account
from backend.sandbox.reserve_bank.window import Window
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError
from protocol.money import Money

OWN_FAULTS = ("reject_payout", "refuse_recall")
RETURN_PREFIX = "RTN-"
_DAY = timedelta(days=1)
_SMALL = (iso20022.PACS008, iso20022.PACS004)
"""Customers' payments and their returns go through the small-value system, at any time."""
_RECEIPT: dict[str, iso20022.ReceiptStatus] = {
    "settled": "STLD", "waiting": "PDNG", "refused": "REJT"
}  # fmt: skip
_STATUS: dict[str, iso20022.Status] = {"settled": "ACSC", "waiting": "PDNG", "refused": "RJCT"}


class ReserveBank:
    """Accounts, queue and transfers of one reserve bank; a ``SettlementAgent``, too."""

    def __init__(
        self, house: House, *, banks: Banks, window: Window | None = None, rate_bps: int = 0
    ) -> None:
        self.house = house
        self.books = house.books
        self.rtgs = Rtgs(house.books)
        self.transfers = Transfers(house.books, self.rtgs, banks)
        self._banks = banks
        self._window = window or Window()
        self._rate_bps = rate_bps
        self._interest_until: date | None = None
        """The quarter's end that this program has looked at last."""
        house.time_passes = self.time_passes

    def open(
        self, number: str, opening: Money, *, name: str = "", kind: Kind, line_minor: int = 0
    ) -> None:
        """Open a member's account with what it brings; again: only the line may change."""
        day = self.house.clock.today()
        self.books.open_account(number, name or number, opening, day=day)
        self.rtgs.add_member(number, kind=kind, line_minor=line_minor)
        self._settle_waiting()

    async def instruct(self, data: bytes) -> bytes:
        """pain.001 in, pain.002 out; *pending* while a creditor's bank has not answered."""
        instruction, digest = iso20022.read_instruction(data), sha256(data)
        day = self._booking_day()
        with self.books.transaction():
            if not self.transfers.is_known(instruction.message_id, digest):
                refusal = "AC04" if self.house.faults.strikes("reject_payout") else ""
                at_ms = self.house.clock.now_ms()
                self.transfers.take(instruction, digest, day=day, at_ms=at_ms, refusal=refusal)
        await self.transfers.ask(day, instruction.message_id)
        answer = self.status(instruction.message_id)
        assert answer is not None
        return self._perhaps_unknown(answer)

    def status(self, message_id: str) -> bytes | None:
        """The pain.002 of a message; None if it never arrived."""
        found = self.transfers.statuses(message_id)
        if found is None:
            return None
        at_ms, statuses = found
        said = f"ST-{message_id}"[:35]
        return iso20022.write_status_report(
            iso20022.StatusReport(said, at_ms, message_id, statuses)
        )

    def transfer(self, data: bytes) -> bytes:
        """pacs.008 from a commercial bank, pacs.002 back: its settlement account pays."""
        message = iso20022.read_transfers(data)
        day, debtor = self._booking_day(), settlement_account(message.debtor_agent)
        legs = [
            Leg(one.end_to_end_id, debtor, one.creditor_account, one.amount)
            for one in message.transfers
        ]
        info = message.transfers[0].remittance
        return self._settle(message.message_id, data, legs, day, iso20022.PACS008, info)

    def financial(self, data: bytes) -> bytes:
        """pacs.009 in, pacs.002 out: settled, waiting in the queue, or refused."""
        message = iso20022.read_financial(data)
        day = self._booking_day()
        return self._settle(
            message.message_id, data, list(message.legs), day, iso20022.PACS009, "settlement"
        )

    def give_back(self, data: bytes) -> bytes:
        """pacs.004 in, pacs.002 out: a settled transfer's whole amount comes back to its debtor as
        ``RTN-<end-to-end id>``, once."""
        message = iso20022.read_returns(data)
        legs: list[Leg] = []
        refused: list[TransferStatus] = []
        for one in message.returns:
            e2e = one.original_end_to_end_id
            found = self.transfers.settled(e2e)
            if found is None or found[2] != one.amount or not found[1]:
                refused.append(TransferStatus(e2e, "RJCT", "NOOR" if found is None else "AM09"))
                continue
            debtor, bank, amount = found
            legs.append(Leg(f"{RETURN_PREFIX}{e2e}", settlement_account(bank), debtor, amount))
        if refused:
            return self._said(message.message_id, iso20022.PACS004, refused)
        day, info = self._booking_day(), f"return {message.returns[0].reason}"
        return self._settle(message.message_id, data, legs, day, iso20022.PACS004, info)

    async def recall(self, data: bytes) -> bytes:
        """camt.056 in, camt.029 out: the creditor's bank decides. Nothing is kept of a question
        that it has not answered."""
        recall, digest = iso20022.read_recall(data), sha256(data)
        row = self.books.db.execute(
            "SELECT digest, answer FROM recall WHERE case_id = ?", (recall.case_id,)
        ).fetchone()
        if row is not None:
            if row[0] != digest:
                raise CallerError("idempotency_conflict", "case")
            return bytes(row[1])
        found = self.transfers.settled(recall.original_end_to_end_id)
        if self.house.faults.strikes("refuse_recall"):
            answer = self._no(recall, "LEGL")
        elif found is None or not found[1]:
            answer = self._no(recall, "NOOR")
        else:
            answer = await self._banks.recall(found[1], data)
            iso20022.read_resolution(answer)
        self.books.db.execute(
            "INSERT INTO recall VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (recall.case_id, digest, answer),
        )
        return answer

    def liquidity(self, data: bytes) -> bytes:
        """camt.050 in, camt.025 out."""
        message = iso20022.read_liquidity(data)
        leg = Leg(
            message.end_to_end_id, message.debtor_account, message.creditor_account, message.amount
        )
        day = self._booking_day()
        word = self._submit(message.message_id, data, [leg], day, iso20022.CAMT050, "liquidity")
        said, now_ms = f"RC-{message.message_id}"[:35], self.house.clock.now_ms()
        return iso20022.write_receipt(
            iso20022.Receipt(said, now_ms, message.message_id, _RECEIPT[word.state], word.reason)
        )

    def statement(self, number: str, day: date) -> bytes:
        """camt.053."""
        at_ms = self.house.clock.now_ms()
        return accounts.statement(self.books, self.house.faults, number, day, at_ms=at_ms)

    def notification(self, number: str, cursor: int) -> bytes:
        """camt.054."""
        return accounts.notification(self.books, number, cursor, at_ms=self.house.clock.now_ms())

    async def settle(self, order: SettlementOrder) -> SettlementWord:
        """``SettlementAgent.settle``, by the same messages as over the network."""
        return read_word(self.financial(settlement_message(order)), order)

    def cancel(self, message_id: str) -> SettlementWord:
        """Take what still waits out of the queue; what it held up may go."""
        with self.books.transaction():
            word = self.rtgs.cancel(message_id)
            self.rtgs.settle_waiting(self.house.clock.today())
        return word

    def pay_interest(self, due: date | None = None) -> list[str]:
        """Pay what is due (or up to a given day) on every reserve account, once. Returns the
        references."""
        due = due or interest.last_due(self.house.clock.today())
        since = interest.last_due(due - _DAY)
        days = [since + number * _DAY for number in range((due - since).days)]
        paid = []
        with self.books.transaction():
            rows = self.books.db.execute("SELECT number FROM member WHERE kind = 'reserve'")
            for position, (number,) in enumerate(rows.fetchall()):
                name = interest.reference(due) + (f"-{number}" if position else "")
                balances = [self.books.balance(number, until=day) for day in days]
                currency = self.books.balance(number).currency
                amount = interest.interest(balances, rate_bps=self._rate_bps, currency=currency)
                if amount.amount_minor and not self.books.has_moved(name):
                    today = self.house.clock.today()
                    self.books.move(name, VAULT_ACCOUNT, number, amount, today, "interest")
                    paid.append(name)
        return paid

    async def time_passes(self) -> None:
        """Ask banks again, try the queue, close the window, pay interest."""
        await self.transfers.ask(self.house.clock.today())
        with self.books.transaction():
            if not self._window.is_open(self.house.clock.now_ms()):
                self.rtgs.close_window()
            self.rtgs.settle_waiting(self.house.clock.today())
        due = interest.last_due(self.house.clock.today())
        if self._rate_bps and due != self._interest_until:
            self.pay_interest(due)
            self._interest_until = due

    def _settle(
        self, message_id: str, data: bytes, legs: list[Leg], day: date, message: str, info: str
    ) -> bytes:
        word = self._submit(message_id, data, legs, day, message, info)
        prefix = RETURN_PREFIX if message == iso20022.PACS004 else ""
        statuses = [
            TransferStatus(leg.reference.removeprefix(prefix), _STATUS[word.state], word.reason)
            for leg in legs
        ]
        return self._perhaps_unknown(self._said(message_id, message, statuses))

    def _submit(
        self, message_id: str, data: bytes, legs: list[Leg], day: date, message: str, info: str
    ) -> SettlementWord:
        is_netting = all(leg.reference.startswith(NETTING_PREFIX) for leg in legs)
        any_time = is_netting or message in _SMALL
        is_late = not any_time and not self._window.is_open(self.house.clock.now_ms())
        with self.books.transaction():
            self.rtgs.submit(
                message_id,
                sha256(data),
                legs,
                any_time=any_time,
                info=info,
                refusal="TM01" if is_late else "",
            )
            self.rtgs.settle_waiting(day)
            return self.rtgs.word(message_id)

    def _settle_waiting(self) -> None:
        with self.books.transaction():
            self.rtgs.settle_waiting(self.house.clock.today())

    def _said(self, message_id: str, message: str, statuses: list[TransferStatus]) -> bytes:
        said, now_ms = f"ST-{message_id}"[:35], self.house.clock.now_ms()
        return iso20022.write_status(
            iso20022.InterbankStatus(said, now_ms, message_id, message, tuple(statuses))
        )

    def _no(self, recall: iso20022.Recall, reason: str) -> bytes:
        said, now_ms = f"RS-{recall.case_id}"[:35], self.house.clock.now_ms()
        return iso20022.write_resolution(
            iso20022.Resolution(
                said,
                recall.case_id,
                now_ms,
                recall.assignee,
                recall.assigner,
                recall.original_end_to_end_id,
                "RJCR",
                reason,
            )
        )

    def _booking_day(self) -> date:
        return china_day(self.house.booking_ms())

    def _perhaps_unknown(self, answer: bytes) -> bytes:
        """With a status that nobody defined, if that fault is due."""
        if self.house.faults.strikes("unknown_status"):
            for known in (b"ACSC", b"RJCT", b"PDNG"):
                answer = answer.replace(b"<TxSts>" + known, b"<TxSts>WHAT")
        return answer
