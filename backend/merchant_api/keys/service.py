"""The keys' commands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.db.command import Read
from backend.db.tables import Row
from backend.db.working_set import WorkingSet
from backend.merchant_api.keys.tables import ACCOUNT, PLATFORM_KEY
from backend.merchants.tables import MERCHANT
from protocol.errors import CallerError


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPlatformKeys:
    """Keep new pairs of the platform, each unless its generation is there already."""

    rows: tuple[Mapping[str, Any], ...] = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return [(PLATFORM_KEY, (row["kind"], row["generation"])) for row in self.rows]

    def decide(self, ws: WorkingSet, now_ms: int) -> int:
        added = 0
        for row in self.rows:
            if ws.get(PLATFORM_KEY, (row["kind"], row["generation"])) is None:
                ws.insert(PLATFORM_KEY, {**row, "created_at_ms": now_ms})
                added += 1
        return added


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Give a merchant a number for the interface. Answers its row."""

    row: Mapping[str, Any] = field(repr=False)

    def reads(self) -> Iterable[Read]:
        return [(ACCOUNT, self.row["mchid"]), (MERCHANT, self.row["merchant_id"])]

    def decide(self, ws: WorkingSet, now_ms: int) -> Row:
        if ws.get(MERCHANT, self.row["merchant_id"]) is None:
            raise CallerError("merchant_unknown", self.row["merchant_id"])
        if ws.get(ACCOUNT, self.row["mchid"]) is not None:
            raise CallerError("idempotency_conflict", "mchid")
        ws.insert(ACCOUNT, {**self.row, "created_at_ms": now_ms})
        found = ws.get(ACCOUNT, self.row["mchid"])
        assert found is not None
        return found
