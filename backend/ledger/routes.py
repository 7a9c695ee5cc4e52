"""The ledger over HTTP, for operators: balances, statements, checkpoints and proofs."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from backend.db.ports import RunRead
from backend.db.reading import Reader
from backend.db.tables import Row
from backend.guard import Guard
from backend.ledger.checkpoints import CheckpointMaker
from backend.ledger.derived_repository import DerivedRepository
from backend.ledger.follower import Follower
from backend.ledger.limits import STATEMENT_ENTRIES_MAX
from backend.ledger.proofs import prove, prove_consistency
from backend.ledger.repository import LedgerRepository
from backend.ledger.schemas import ConsistencyProof, InclusionProof
from backend.ledger.statements import Balance, Place, Statement, Statements
from protocol.errors import CallerError

CREATED = 201
_TIME_MS_MAX = 2**53
_Ms = Annotated[int, Query(ge=0, le=_TIME_MS_MAX)]
_Limit = Annotated[int, Query(ge=1, le=STATEMENT_ENTRIES_MAX)]
_Size = Annotated[int, Query(ge=1, le=_TIME_MS_MAX)]


class LedgerDesk:
    """What the routes ask, without HTTP."""

    def __init__(
        self, *, reader: Reader, run_read: RunRead, follower: Follower, maker: CheckpointMaker
    ) -> None:
        self._reader = reader
        self._run_read = run_read
        self.follower = follower
        self.maker = maker

    async def ask(self, question: Callable[[LedgerRepository, DerivedRepository], Any]) -> Any:  # noqa: ANN401
        """A question to one snapshot, on a reading thread."""

        def read() -> Any:  # noqa: ANN401
            with self._reader.snapshot() as connection:
                return question(LedgerRepository(connection), DerivedRepository(connection))

        return await self._run_read(read)


def operator_router(desk: LedgerDesk, operator_only: Guard) -> APIRouter:
    """``/operator/v1/ledger``."""
    routes = APIRouter(
        prefix="/operator/v1/ledger", tags=["operator"], dependencies=[Depends(operator_only)]
    )
    _accounts(routes, desk)
    _checkpoints(routes, desk)

    @routes.get("/transfers/{transfer_id}/proof")
    async def get_proof(transfer_id: str) -> InclusionProof:
        proof: InclusionProof = await desk.ask(
            lambda ledger, derived: prove(ledger, derived, transfer_id)
        )
        return proof

    return routes


def _accounts(routes: APIRouter, desk: LedgerDesk) -> None:
    @routes.get("/accounts/{account_id}/balance")
    async def get_balance(account_id: str, at_ms: _Ms) -> dict[str, Any]:
        found: Balance = await desk.ask(
            lambda ledger, derived: Statements(ledger, derived).balance(account_id, at_ms)
        )
        return {"account_id": account_id, "at_ms": at_ms, **found._asdict()}

    @routes.get("/accounts/{account_id}/statement")
    async def get_statement(
        account_id: str, from_ms: _Ms, to_ms: _Ms, after: str = "", limit: _Limit = 100
    ) -> dict[str, Any]:
        place = Place.from_text(after) if after else None
        found: Statement = await desk.ask(
            lambda ledger, derived: Statements(ledger, derived).statement(
                account_id, from_ms, to_ms, after=place, limit=limit
            )
        )
        opening, closing = found.opening._asdict(), found.closing._asdict()
        return asdict(found) | {"opening": opening, "closing": closing}


def _checkpoints(routes: APIRouter, desk: LedgerDesk) -> None:
    @routes.get("/key")
    async def get_key(chain: str = "main") -> dict[str, str]:
        return {"key": desk.maker.note_key(chain).to_text()}

    @routes.get("/checkpoints")
    async def get_checkpoints(chain: str = "main") -> list[dict[str, Any]]:
        rows: list[Row] = await desk.ask(lambda _ledger, derived: derived.checkpoints(chain))
        return rows

    @routes.post("/checkpoints", status_code=CREATED)
    async def post_checkpoint(chain: str = "main") -> dict[str, Any]:
        return await desk.follower.checkpoint(chain)

    @routes.get("/consistency")
    async def get_consistency(old: _Size, new: _Size, chain: str = "main") -> ConsistencyProof:
        proof: ConsistencyProof = await desk.ask(
            lambda _ledger, derived: prove_consistency(
                derived, _kept(derived, chain, old), _kept(derived, chain, new)
            )
        )
        return proof


def _kept(derived: DerivedRepository, chain: str, size: int) -> Row:
    row = derived.checkpoint(chain, size)
    if row is None:
        raise CallerError("checkpoint_unknown", f"{chain} at {size}")
    return row
