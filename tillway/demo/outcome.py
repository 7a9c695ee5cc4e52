"""What the day was expected to bring and what it brought: pure values, no process, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation. It holds when expected and actual are the same text."""

    name: str
    expected: str
    actual: str
    amount: str = ""
    latency_ms: int | None = None

    @property
    def ok(self) -> bool:
        """Whether what happened is what was expected."""
        return self.expected == self.actual


@dataclass(frozen=True, slots=True)
class LedgerProof:
    """What ``tillway ledger verify`` said at the end of the day."""

    balanced: bool
    reserve_equation: bool
    transfers: int


@dataclass(slots=True)
class Day:
    """All that is told at the end."""

    cases: list[Case] = field(default_factory=list)
    latencies_ms: list[int] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    ledger: LedgerProof | None = None
    """None until the books were proved."""
    is_interrupted: bool = False

    @property
    def ok(self) -> bool:
        """Whether every expectation held and the books are proved."""
        proof = self.ledger
        is_proved = proof is not None and proof.balanced and proof.reserve_equation
        is_whole = is_proved and not self.is_interrupted
        return bool(self.cases) and all(case.ok for case in self.cases) and is_whole

    def summary(self) -> dict[str, Any]:
        """The content of ``summary.json``."""
        ledger = self.ledger or LedgerProof(balanced=False, reserve_equation=False, transfers=0)
        return {
            "ok": self.ok,
            "cases": [
                {"name": c.name, "expected": c.expected, "actual": c.actual, "ok": c.ok}
                for c in self.cases
            ],
            "ledger": {
                "balanced": ledger.balanced,
                "reserve_equation": ledger.reserve_equation,
                "transfers": ledger.transfers,
            },
            "latency_ms": {
                "p50": percentile(self.latencies_ms, 50),
                "p99": percentile(self.latencies_ms, 99),
            },
            "receipts": list(self.receipts),
        }


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least ``percent`` of the values do not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def said(answer: Mapping[str, Any]) -> str:
    """A payment's outcome in one word or two: its state and, if it was refused, the code."""
    error = answer.get("error") or {}
    state = str(answer.get("state", "nothing"))
    return f"{state} ({error['code']})" if error.get("code") else state
