"""What a model says of a payment, in time or not at all. The clock may be passed in.

Rule 1: a model that fails, or gives no number, says nothing: its probability is unknown to the
        rules, which decide, and the decision is marked with ``model_failed``. The challenger's
        marks, ``challenger_failed`` and the like, are counted; the decision needs nothing of it.
Rule 2: an answer that is late is used, since it is there; one late or failed answer after another
        (``TROUBLE_MAX``) leaves the model out for ``PAUSE_NS``, marked ``model_paused``.
Rule 3: a score that does not come within ``SCORING_WAIT_S_MAX`` is given up on (``model_cut_off``):
        it runs on a thread of its own, so that a call that hangs holds up one payment for that long
        and none after it; until it returns the model is left out.
Rule 4: what was said is kept as doubles: probability, raw, base, and each feature's contribution.
"""

import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Protocol

import structlog

from backend.risk.judging.bounded import BoundedCaller, GivenUpError
from backend.risk.judging.limits import (
    PAUSE_NS,
    SCORING_NS_MAX,
    SCORING_WAIT_S_MAX,
    STUCK_CALLERS_MAX,
    TROUBLE_MAX,
)
from backend.risk.models.scorer import Score

_log = structlog.get_logger()


class Scorer(Protocol):
    """A loaded model."""

    @property
    def model_id(self) -> str:
        """The hash of its file."""
        ...

    def score(self, vector: Sequence[float]) -> Score:
        """The score of one vector; NaN is unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """``model_id`` is empty and ``probability`` None where no model spoke; ``trouble`` says why, if
    one should have."""

    model_id: str = ""
    probability: float | None = None
    doubles: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPayment:
    """What two models said of one attempt, as probabilities."""

    payment_id: str
    at_ms: int
    champion_id: str
    challenger_id: str
    champion: float
    challenger: float


def doubles_of(score: Score) -> bytes:
    """A score as it is kept, bit for bit."""
    parts = (score.probability, score.raw, score.base, *score.contributions)
    return struct.pack(f"<{len(parts)}d", *parts)


def doubles_from(kept: bytes) -> tuple[float, ...]:
    """Probability, raw, base and the contributions, as they were kept."""
    return struct.unpack(f"<{len(kept) // 8}d", kept)


class Watch(Protocol):
    """Who is told how judging goes."""

    def risk_took(self, stage: str, nanoseconds: int) -> None:
        """How long ``features``, ``model``, ``challenger`` or ``rules`` took."""
        ...

    def risk_trouble(self, trouble: str) -> None:
        """A part was late, failed or was left out, and the payment was judged without it."""
        ...


class Unwatched:
    """A watch that tells nobody."""

    def risk_took(self, stage: str, nanoseconds: int) -> None:
        """Nothing."""

    def risk_trouble(self, trouble: str) -> None:
        """Nothing."""


class Scoring:
    """Owns the model that one role uses; ``name`` begins its marks. One task at a time scores;
    ``use`` may come from any thread."""

    def __init__(
        self,
        monotonic_ns: Callable[[], int] = time.perf_counter_ns,
        watch: Watch | None = None,
        *,
        name: str = "model",
    ) -> None:
        self._name = name
        self.monotonic_ns = monotonic_ns
        self.watch: Watch = watch or Unwatched()
        self._scorer: Scorer | None = None
        self._is_lacking = False
        self._in_trouble = 0
        self._paused_until_ns = 0
        self._caller = BoundedCaller()
        self._stuck = 0
        self._is_new = False

    def use(self, scorer: Scorer | None) -> None:
        """Score by this model from the next payment on; None: by none."""
        self._scorer, self._is_lacking = scorer, False
        self._in_trouble = self._paused_until_ns = 0
        self._is_new = True

    def lack(self) -> None:
        """There should be a model and is none: say so with each payment."""
        self._scorer, self._is_lacking = None, True

    def score(self, vector: Sequence[float]) -> Scored:
        """What the model says of these features; never raises."""
        scorer, begin_ns = self._scorer, self.monotonic_ns()
        if scorer is None:
            return self._told("missing") if self._is_lacking else Scored()
        if begin_ns < self._paused_until_ns:
            return self._told("paused")
        self._leave_what_hangs()
        try:
            work = partial(self._timed, scorer, vector)
            score, took_ns = self._caller.call(work, seconds_max=SCORING_WAIT_S_MAX)
        except GivenUpError as error:
            if not error.is_waiting:
                return self._told("paused")
            self._paused_until_ns = self.monotonic_ns() + PAUSE_NS
            return self._told("cut_off")
        except Exception:  # noqa: BLE001  # whatever a runtime throws, the payment is judged
            _log.exception("score_failed", role=self._name, model=scorer.model_id)
            return self._troubled("failed")
        if not (isfinite(score.raw) and isfinite(score.probability)):
            return self._troubled("failed")
        trouble = ""
        self.watch.risk_took(self._name, took_ns)
        if took_ns > SCORING_NS_MAX:
            trouble = self._troubled("late").trouble
        else:
            self._in_trouble = 0
        return Scored(
            model_id=scorer.model_id,
            probability=score.probability,
            doubles=doubles_of(score),
            trouble=trouble,
        )

    def _leave_what_hangs(self) -> None:
        """A new model gets a thread of its own where the one before it hangs."""
        if self._is_new and self._caller.is_stuck and self._stuck < STUCK_CALLERS_MAX:
            self._stuck += 1
            self._caller = BoundedCaller()
        self._is_new = False

    def _timed(self, scorer: Scorer, vector: Sequence[float]) -> tuple[Score, int]:
        begin_ns = self.monotonic_ns()
        return scorer.score(vector), self.monotonic_ns() - begin_ns

    def _troubled(self, what: str) -> Scored:
        self._in_trouble += 1
        if self._in_trouble >= TROUBLE_MAX:
            self._in_trouble = 0
            self._paused_until_ns = self.monotonic_ns() + PAUSE_NS
        return self._told(what)

    def _told(self, what: str) -> Scored:
        trouble = f"{self._name}_{what}"
        self.watch.risk_trouble(trouble)
        return Scored(trouble=trouble)
