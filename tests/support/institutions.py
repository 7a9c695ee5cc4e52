"""The bank in the test's own process: real messages, no socket, a movable clock."""

from datetime import date

from backend.channels import iso20022
from backend.channels.iso20022 import Instruction, Statement, StatusReport
from backend.sandbox.institution import accounts
from protocol.clock import Clock
from protocol.errors import OperatingError
from protocol.money import Money
from tests.support.near_bank import NearBank, NearWorld

RESERVE, OWN = "RESERVE-TILLWAY", "OWN-TILLWAY"


class NearInstitutions:
    """``BankPort`` beside us; what is asked travels as the real message does.

    ``silent`` counts the coming calls that are carried out and not answered, ``deaf`` the coming
    instructions that never arrive.
    """

    def __init__(self, clock: Clock) -> None:
        self.bank = NearBank(":memory:")
        self.world = NearWorld(self.bank, clock)
        self.silent = 0
        self.deaf = 0
        self.deaf_to_recalls = 0
        self.open(RESERVE)
        self.open(OWN)

    def open(self, account: str, amount_minor: int = 0) -> None:
        day = self.world.today()
        self.bank.open_account(account, account, Money(amount_minor, "CNY"), day=day)

    def close(self) -> None:
        self.bank.close()

    async def instruct(self, instruction: Instruction) -> StatusReport:
        if self.deaf:
            self.deaf -= 1
            raise OperatingError("timeout", "the instruction was lost")
        asked = iso20022.read_instruction(iso20022.write_instruction(instruction))
        rejects = self.world.faults.strikes("reject_payout")
        report = self.bank.execute(
            asked, day=self.world.today(), at_ms=self.world.now_ms(), rejects=rejects
        )
        self._perhaps_lose()
        return iso20022.read_status_report(iso20022.write_status_report(report))

    async def status(self, message_id: str) -> StatusReport | None:
        return self.bank.status(message_id)

    async def statement(self, account: str, day: date) -> Statement:
        page = self.bank.statement(account, day=day, at_ms=self.world.now_ms())
        return iso20022.read_statement(iso20022.write_statement(page))

    async def bookings(self, account: str, cursor: int) -> iso20022.Notification:
        at_ms = self.world.now_ms()
        page = accounts.notification(self.bank, account, cursor, at_ms=at_ms)
        return iso20022.read_notification(page)

    async def recall(self, recall: iso20022.Recall) -> iso20022.Resolution:
        """The payee's bank gives back what its customer still has."""
        if self.deaf_to_recalls:
            self.deaf_to_recalls -= 1
            raise OperatingError("timeout", "the recall was lost")
        asked = iso20022.read_recall(iso20022.write_recall(recall))
        name = asked.original_end_to_end_id
        (account,) = self.bank.db.execute(
            "SELECT credit FROM movement WHERE reference = ?", (name,)
        ).fetchone()
        reason = self.bank.refusal(account, asked.amount)
        if not reason:
            self.give_back(name)
        self._perhaps_lose()
        said = iso20022.Resolution(
            "RS1", asked.case_id, asked.created_at_ms, asked.assignee, asked.assigner, name,
            "RJCR" if reason else "CNCL", reason,
        )  # fmt: skip
        return iso20022.read_resolution(iso20022.write_resolution(said))

    def give_back(self, payout_id: str) -> None:
        """The payee's bank sends a payout back."""
        account, minor = self.bank.db.execute(
            "SELECT credit, amount_minor FROM movement WHERE reference = ?", (payout_id,)
        ).fetchone()
        day, amount = self.world.today(), Money(minor, "CNY")
        self.bank.move(f"RTN-{payout_id}", account, RESERVE, amount, day, "return AC04")

    def _perhaps_lose(self) -> None:
        if self.silent:
            self.silent -= 1
            raise OperatingError("timeout", "the answer was lost")
