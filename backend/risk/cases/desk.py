"""Looking at cases, without HTTP: one desk for JSON and the console."""

from dataclasses import dataclass
from typing import Any

from backend.audit.model import first_broken
from backend.db.tables import Row
from backend.payments.services import Services
from backend.risk.cases.evidence import Node, explore, shown
from backend.risk.cases.evidence_repository import EvidenceRepository
from backend.risk.cases.model import Deadlines, Standing, Subject
from backend.risk.cases.payment_repository import PaymentCaseRepository
from backend.risk.cases.repository import CaseFilter, CaseRepository
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some of the queue, and behind which due time and id the next page begins, if there is one."""

    rows: list[Row]
    after: tuple[int, str] | None


class CaseDesk:
    """One per process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._cases = CaseRepository(services.reader)
        self._evidence = EvidenceRepository(services.reader)
        self._of_payments = PaymentCaseRepository(services.reader)

    async def queue(
        self, wanted: CaseFilter, *, limit: int, after: tuple[int, str] | None
    ) -> CasePage:
        """A page of the queue."""
        now_ms = self._services.clock.now_ms()
        rows: list[Row] = await self._services.run_read(
            lambda: self._cases.queue(wanted, now_ms=now_ms, limit=limit + 1, after=after)
        )
        last = rows[limit - 1] if rows[limit:] else None
        return CasePage(rows[:limit], (last["due_at_ms"], last["case_id"]) if last else None)

    async def figures(self) -> dict[str, int]:
        """How many cases are not decided, have warned and are overdue."""
        now_ms = self._services.clock.now_ms()
        found: dict[str, int] = await self._services.run_read(lambda: self._cases.figures(now_ms))
        return found

    async def case(self, case_id: str) -> Row:
        """One case as it stands; ``case_not_found``."""
        row: Row = await self._services.run_read(lambda: self._found(case_id))
        return row

    async def events(self, case_id: str) -> tuple[list[Row], int | None]:
        """A case's steps, and the number of the first that is not what was written."""
        events: list[Row] = await self._services.run_read(lambda: self._cases.events(case_id))
        return events, first_broken(events)

    async def of_payment(self, payment_id: str) -> list[Row]:
        """The cases that a payment is in; ``payment_not_found``."""
        rows: list[Row] | None = await self._services.run_read(
            lambda: self._of_payments.cases(payment_id)
        )
        if rows is None:
            raise CallerError("payment_not_found", payment_id)
        return rows

    async def evidence(self, case_id: str, *, hops: int) -> dict[str, Any]:
        """The ``timeline`` of the subject, and the ``graph`` of what is linked to it."""
        now_ms = self._services.clock.now_ms()

        def read() -> dict[str, Any]:
            start = self._evidence.start(self._found(case_id))
            graph = explore(
                start, hops=hops, look=lambda node: self._evidence.look(node, until_ms=now_ms)
            )
            events = self._cases.events(case_id)
            return {
                "graph": shown(graph),
                "timeline": self._evidence.timeline(start, events, until_ms=now_ms),
            }

        found: dict[str, Any] = await self._services.run_read(read)
        return found

    async def payments(self, case: Row) -> list[str]:
        """The subject's own payments, the latest first: those that an outcome may label."""
        kind, subject_id = case["subject_kind"], case["subject_id"]
        if kind == Subject.PAYMENT:
            return [subject_id]
        now_ms = self._services.clock.now_ms()
        rows: list[Row] = await self._services.run_read(
            lambda: self._evidence.payments(Node(kind, subject_id), until_ms=now_ms)
        )
        return [row["payment_id"] for row in rows]

    def _found(self, case_id: str) -> Row:
        row = self._cases.case(case_id)
        if row is None:
            raise CallerError("case_not_found", case_id)
        return row


def standing(case: Row, now_ms: int) -> Standing:
    """Where a case stands on its clock."""
    limits = Deadlines(warn_at_ms=case["warn_at_ms"], due_at_ms=case["due_at_ms"])
    return limits.standing(state=case["state"], now_ms=now_ms)
