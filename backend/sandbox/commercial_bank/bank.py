"""A commercial bank's rules over its house: messages in, messages out. No HTTP.

Rule 1: the same message again gets the first answer, with other content a refusal.
Rule 2: ``AT-RESERVE-BANK`` is what the bank has at the reserve bank, seen from here: money comes in
        from there and goes out to there.
Rule 3: what goes back is written with the posting that takes it from the customer, and told until
        the reserve bank has said what became of it.
"""

from datetime import date
from typing import Protocol

import structlog

from backend.channels import iso20022
from backend.channels.iso20022 import InterbankTransfer, TransferStatus
from backend.sandbox.commercial_bank.limits import RETURNS_PER_TURN_MAX
from backend.sandbox.commercial_bank.outgoing import AT_RESERVE_BANK, Outgoing
from backend.sandbox.institution import accounts
from backend.sandbox.institution.house import House
from backend.sandbox.institution.own_clock import china_day
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

OWN_FAULTS = ("reject_payout", "return_later", "refuse_recall")

_log = structlog.get_logger()


class ReserveBankLine(Protocol):
    """What a commercial bank tells the reserve bank."""

    async def transfer(self, message: bytes) -> bytes:
        """pacs.008 there, pacs.002 back."""
        ...

    async def give_back(self, message: bytes) -> bytes:
        """pacs.004 there, pacs.002 back."""
        ...


class CommercialBank:
    """Customers' accounts, what comes in for them, what goes back, what they pay."""

    def __init__(self, house: House, line: ReserveBankLine) -> None:
        self.house = house
        self.books = house.books
        self._db = house.books.db
        self._line = line
        self.member = house.name.upper()
        house.books.add_tables("backend.sandbox.commercial_bank", "schema.sql")
        house.books.open_own_account(AT_RESERVE_BANK)
        self.outgoing = Outgoing(house.books, member=self.member, send=line.transfer)
        house.time_passes = self.time_passes

    def open(self, number: str, name: str, opening: Money) -> None:
        """Open a customer's account with a first deposit."""
        self.books.open_account(number, name, opening, day=self.house.clock.today())

    def mark(self, number: str, reason: str) -> None:
        """Close (AC04) or block (AC06) an account; an empty reason opens it again."""
        if self.books.account(number) is None:
            raise CallerError("account_unknown")
        self._db.execute("DELETE FROM account_state WHERE number = ?", (number,))
        if reason:
            self._db.execute("INSERT INTO account_state VALUES (?, ?)", (number, reason))

    def receive(self, data: bytes) -> bytes:
        """pacs.008 in, pacs.002 out: credited or refused, transfer by transfer."""
        message, digest = iso20022.read_transfers(data), sha256(data)
        day = china_day(self.house.booking_ms())
        with self.books.transaction():
            known = self._db.execute(
                "SELECT digest, answer FROM incoming WHERE message_id = ?", (message.message_id,)
            ).fetchone()
            if known is not None:
                if known[0] != digest:
                    raise CallerError("idempotency_conflict", "message id")
                return bytes(known[1])
            statuses = tuple(self._credit(one, day) for one in message.transfers)
            said, now_ms = f"ST-{message.message_id}"[:35], self.house.clock.now_ms()
            answer = iso20022.write_status(
                iso20022.InterbankStatus(
                    said, now_ms, message.message_id, iso20022.PACS008, statuses
                )
            )
            self._db.execute(
                "INSERT INTO incoming VALUES (?, ?, ?)", (message.message_id, digest, answer)
            )
        if self.house.faults.strikes("unknown_status"):
            answer = answer.replace(b"<TxSts>ACSC", b"<TxSts>WHAT")
        return answer

    def recall(self, data: bytes) -> bytes:
        """camt.056 in, camt.029 out: given back if the customer still has it."""
        recall = iso20022.read_recall(data)
        with self.books.transaction():
            known = self._db.execute(
                "SELECT answer FROM answered_recall WHERE case_id = ?", (recall.case_id,)
            ).fetchone()
            if known is not None:
                return bytes(known[0])
            e2e = recall.original_end_to_end_id
            reason = self._why_kept(e2e, recall.amount)
            if not reason:
                self._give_back(e2e, "FOCR")
            said, now_ms = f"RS-{recall.case_id}"[:35], self.house.clock.now_ms()
            answer = iso20022.write_resolution(
                iso20022.Resolution(
                    said,
                    recall.case_id,
                    now_ms,
                    self.member,
                    recall.assigner,
                    e2e,
                    "RJCR" if reason else "CNCL",
                    reason,
                )
            )
            self._db.execute("INSERT INTO answered_recall VALUES (?, ?)", (recall.case_id, answer))
        return answer

    def return_now(self, end_to_end_id: str, reason: str) -> None:
        """Send a credited transfer back; repeating it changes nothing."""
        with self.books.transaction():
            if self._credited(end_to_end_id) is None:
                raise CallerError("payment_not_found", end_to_end_id[:40])
            if not self._is_going_back(end_to_end_id):
                self._give_back(end_to_end_id, reason)

    async def instruct(self, data: bytes) -> bytes:
        """pain.001 of a customer in, pain.002 out."""
        day = china_day(self.house.booking_ms())
        answer = await self.outgoing.instruct(data, day=day, at_ms=self.house.clock.now_ms())
        if self.house.faults.strikes("unknown_status"):
            answer = answer.replace(b"<TxSts>ACSC", b"<TxSts>WHAT")
        return answer

    def status(self, message_id: str) -> bytes | None:
        """The pain.002 of a message; None if it never arrived."""
        return self.outgoing.status(message_id)

    def statement(self, number: str, day: date) -> bytes:
        """camt.053."""
        at_ms = self.house.clock.now_ms()
        return accounts.statement(self.books, self.house.faults, number, day, at_ms=at_ms)

    def notification(self, number: str, cursor: int) -> bytes:
        """camt.054."""
        return accounts.notification(self.books, number, cursor, at_ms=self.house.clock.now_ms())

    async def time_passes(self) -> None:
        """Tell what goes back and what customers pay until it is answered."""
        await self.outgoing.tell(self.house.clock.today())
        rows = self._db.execute(
            "SELECT end_to_end_id, message FROM giving_back WHERE state = 'waiting'"
            " ORDER BY rowid LIMIT ?",
            (RETURNS_PER_TURN_MAX,),
        ).fetchall()
        for end_to_end_id, message in rows:
            try:
                answer = iso20022.read_status(await self._line.give_back(message))
            except (OperatingError, CallerError) as error:
                _log.warning("return_untold", end_to_end_id=end_to_end_id, code=error.code)
                break
            self._note_returned(end_to_end_id, answer.transfers[0])

    def _note_returned(self, end_to_end_id: str, status: TransferStatus) -> None:
        """A return that the reserve bank refused is the customer's money again."""
        if status.status not in {"ACSC", "RJCT"}:
            return
        state = "settled" if status.status == "ACSC" else "refused"
        with self.books.transaction():
            changed = self._db.execute(
                "UPDATE giving_back SET state = ? WHERE end_to_end_id = ? AND state = 'waiting'",
                (state, end_to_end_id),
            )
            credited = self._credited(end_to_end_id)
            assert credited is not None
            if changed.rowcount and state == "refused":
                account, amount = credited
                day = self.house.clock.today()
                self.books.move(
                    f"RTN-{end_to_end_id}-R", AT_RESERVE_BANK, account, amount, day, status.reason
                )

    def _credit(self, transfer: InterbankTransfer, day: date) -> TransferStatus:
        e2e, account = transfer.end_to_end_id, transfer.creditor_account
        reason = self._refusal(transfer)
        if self.house.faults.strikes("reject_payout"):
            reason = "AC04"
        if reason:
            return TransferStatus(e2e, "RJCT", reason)
        self.books.move(e2e, AT_RESERVE_BANK, account, transfer.amount, day, transfer.remittance)
        self._db.execute(
            "INSERT INTO credit VALUES (?, ?, ?, ?)",
            (e2e, account, transfer.amount.amount_minor, transfer.amount.currency),
        )
        if self.house.faults.strikes("return_later"):
            self._give_back(e2e, "AC04")
        return TransferStatus(e2e, "ACSC")

    def _refusal(self, transfer: InterbankTransfer) -> str:
        number = transfer.creditor_account
        account = self.books.account(number)
        if account is None:
            return "AC01"
        state = self._db.execute(
            "SELECT reason FROM account_state WHERE number = ?", (number,)
        ).fetchone()
        if state is not None:
            return str(state[0])
        if account[1] != transfer.amount.currency:
            return "AM03"
        return "DUPL" if self.books.has_moved(transfer.end_to_end_id) else ""

    def _why_kept(self, end_to_end_id: str, wanted: Money) -> str:
        """Why a recalled transfer does not come back; empty if it does."""
        credited = self._credited(end_to_end_id)
        if credited is None:
            return "NOOR"
        account, amount = credited
        if self._is_going_back(end_to_end_id):
            return "ARDT"
        if amount != wanted:
            return "NOOR"
        if self.house.faults.strikes("refuse_recall"):
            return "CUST"
        return self.books.refusal(account, amount)

    def _give_back(self, end_to_end_id: str, reason: str) -> None:
        credited = self._credited(end_to_end_id)
        assert credited is not None
        account, amount = credited
        day, reference = self.house.clock.today(), f"RTN-{end_to_end_id}"
        self.books.move(reference, account, AT_RESERVE_BANK, amount, day, f"return {reason}")
        one = iso20022.Return(reference[:35], end_to_end_id, amount, reason)
        message = iso20022.write_returns(
            iso20022.Returns(reference[:35], self.house.clock.now_ms(), day, (one,))
        )
        self._db.execute(
            "INSERT INTO giving_back VALUES (?, ?, 'waiting')", (end_to_end_id, message)
        )

    def _credited(self, end_to_end_id: str) -> tuple[str, Money] | None:
        row = self._db.execute(
            "SELECT account, amount_minor, currency FROM credit WHERE end_to_end_id = ?",
            (end_to_end_id,),
        ).fetchone()
        return None if row is None else (row[0], Money(row[1], row[2]))

    def _is_going_back(self, end_to_end_id: str) -> bool:
        row = self._db.execute(
            "SELECT 1 FROM giving_back WHERE end_to_end_id = ?", (end_to_end_id,)
        ).fetchone()
        return row is not None
