"""A report: a run, its cases, and what each shows."""

from dataclasses import dataclass, field
from enum import StrEnum

from firmware_sim.reports.seen import Seen


class Verdict(StrEnum):
    """How a case ended. ``error`` is a case that could not be judged."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One case. ``lines`` are what was said last; ``pictures`` are PNGs by title; ``seen`` is what
    was said and done, step by step; what ends in ``_zh`` is for a Chinese page, where it is not
    the same."""

    name: str
    title: str
    verdict: Verdict
    reason: str = ""
    where: str = ""
    seconds: float = 0.0
    lines: tuple[str, ...] = ()
    pictures: tuple[tuple[str, bytes], ...] = ()
    reason_zh: str = ""
    lines_zh: tuple[str, ...] = ()
    title_zh: str = ""
    where_zh: str = ""
    seen: tuple[Seen, ...] = ()

    @property
    def is_timed(self) -> bool:
        """Whether it is known when what was seen was said."""
        return any(row.at_ms is not None for step in self.seen for row in step.rows)


@dataclass(frozen=True, slots=True)
class Report:
    """One run. ``facts`` are words about it: the device, the seed, the command; what ends in
    ``_zh`` is for a Chinese page, where it is not the same."""

    title: str
    cases: tuple[Case, ...]
    facts: dict[str, str] = field(default_factory=dict)
    title_zh: str = ""
    facts_zh: dict[str, str] = field(default_factory=dict)

    def count(self, verdict: Verdict) -> int:
        """How many cases ended so."""
        return sum(case.verdict is verdict for case in self.cases)

    @property
    def has_held(self) -> bool:
        """Whether nothing failed and nothing was without a verdict."""
        return not self.count(Verdict.FAILED) and not self.count(Verdict.ERROR)

    @property
    def seconds(self) -> float:
        """How long the cases took together."""
        return sum(case.seconds for case in self.cases)

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many held, how many did not, how many were passed over."""
        bad = self.count(Verdict.FAILED) + self.count(Verdict.ERROR)
        return self.count(Verdict.PASSED), bad, self.count(Verdict.SKIPPED)
