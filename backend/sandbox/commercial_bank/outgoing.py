"""What a commercial bank's customers pay: pain.001 in, pacs.008 to the reserve bank, pain.002 out.

The customer is debited in the transaction that takes the message; what the reserve bank refuses is
the customer's again (``<end-to-end id>-R``).
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import date

import structlog

from backend.channels import iso20022
from backend.channels.iso20022 import CreditTransfer, Instruction, TransferStatus
from backend.sandbox.institution.books import Books
from protocol.crypto.hashes import sha256
from protocol.errors import CallerError, OperatingError
from protocol.money import Money

AT_RESERVE_BANK, RESERVE_BANK_MEMBER = "AT-RESERVE-BANK", "RESERVE-BANK"
_log = structlog.get_logger()


class Outgoing:
    """Customers' payments of one bank, in its books."""

    def __init__(
        self, books: Books, *, member: str, send: Callable[[bytes], Awaitable[bytes]]
    ) -> None:
        self._books = books
        self._db = books.db
        self._member = member
        self._send = send

    async def instruct(self, data: bytes, *, day: date, at_ms: int) -> bytes:
        """Take a message once; its pain.002, *pending* while the reserve bank has not answered."""
        instruction, digest = iso20022.read_instruction(data), sha256(data)
        with self._books.transaction():
            known = self._db.execute(
                "SELECT digest FROM outgoing WHERE message_id = ?", (instruction.message_id,)
            ).fetchone()
            if known is None:
                for position, transfer in enumerate(instruction.transfers):
                    self._take(instruction, position, transfer, digest, day, at_ms)
            elif known[0] != digest:
                raise CallerError("idempotency_conflict", "message id")
        await self.tell(day, instruction.message_id)
        answer = self.status(instruction.message_id)
        assert answer is not None
        return answer

    def status(self, message_id: str) -> bytes | None:
        """The pain.002 of a message; None if it never arrived."""
        rows = self._db.execute(
            "SELECT at_ms, end_to_end_id, state, reason FROM outgoing WHERE message_id = ?"
            " ORDER BY position",
            (message_id,),
        ).fetchall()
        if not rows:
            return None
        said: dict[str, iso20022.Status] = {"settled": "ACSC", "refused": "RJCT", "asked": "PDNG"}
        statuses = tuple(TransferStatus(e2e, said[state], why) for _, e2e, state, why in rows)
        return iso20022.write_status_report(
            iso20022.StatusReport(f"ST-{message_id}"[:35], rows[0][0], message_id, statuses)
        )

    async def tell(self, day: date, message_id: str | None = None) -> None:
        """Tell the reserve bank what it has not answered."""
        rows = self._db.execute(
            "SELECT message_id, position, message FROM outgoing WHERE state = 'asked'"
            " AND message_id = coalesce(?, message_id) ORDER BY rowid",
            (message_id,),
        ).fetchall()
        for known, position, message in rows:
            try:
                status = iso20022.read_status(await self._send(message)).transfers[0]
            except (OperatingError, CallerError) as error:
                _log.warning("payment_untold", message_id=known, code=error.code)
                return
            with self._books.transaction():
                self._resolve((known, position), status, day)

    def _take(
        self,
        instruction: Instruction,
        position: int,
        transfer: CreditTransfer,
        digest: bytes,
        day: date,
        at_ms: int,
    ) -> None:
        e2e, amount, debtor = transfer.end_to_end_id, transfer.amount, instruction.debtor_account
        is_near = self._books.account(transfer.creditor_account) is not None
        reason = self._books.refusal(debtor, amount)
        if not reason and self._books.has_moved(e2e):
            reason = "DUPL"
        state = "refused" if reason else "settled" if is_near else "asked"
        self._db.execute(
            "INSERT INTO outgoing VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (instruction.message_id, position, digest, at_ms, e2e, debtor, amount.amount_minor,
             amount.currency, transfer.remittance,
             b"" if is_near else self._message(instruction, transfer), state, reason),
        )  # fmt: skip
        if not reason:
            creditor = transfer.creditor_account if is_near else AT_RESERVE_BANK
            self._books.move(e2e, debtor, creditor, amount, day, transfer.remittance)

    def _resolve(self, key: tuple[str, int], status: TransferStatus, day: date) -> None:
        states = {"ACSC": "settled", "RJCT": "refused"}
        if status.status not in states:
            return
        changed = self._db.execute(
            "UPDATE outgoing SET state = ?, reason = ?"
            " WHERE message_id = ? AND position = ? AND state = 'asked'",
            (states[status.status], status.reason, *key),
        )
        if changed.rowcount and status.status == "RJCT":
            e2e, debtor, minor, currency = self._db.execute(
                "SELECT end_to_end_id, debtor, amount_minor, currency FROM outgoing"
                " WHERE message_id = ? AND position = ?",
                key,
            ).fetchone()
            amount = Money(minor, currency)
            self._books.move(f"{e2e}-R", AT_RESERVE_BANK, debtor, amount, day, status.reason)

    def _message(self, instruction: Instruction, transfer: CreditTransfer) -> bytes:
        return iso20022.write_transfers(
            iso20022.InterbankTransfers(
                message_id=transfer.end_to_end_id,
                created_at_ms=instruction.created_at_ms,
                settlement_date=instruction.execution_date,
                debtor_agent=self._member,
                creditor_agent=RESERVE_BANK_MEMBER,
                transfers=(
                    iso20022.InterbankTransfer(
                        end_to_end_id=transfer.end_to_end_id,
                        uetr=str(uuid.uuid4()),
                        amount=transfer.amount,
                        debtor_name=instruction.debtor_name,
                        debtor_account=instruction.debtor_account,
                        creditor_name=transfer.creditor_name,
                        creditor_account=transfer.creditor_account,
                        remittance=transfer.remittance,
                    ),
                ),
            )
        )
