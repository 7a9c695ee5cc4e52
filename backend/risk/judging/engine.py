"""What judging needs of the program: the desk, and the clock of the cases that rules open."""

from dataclasses import dataclass

from backend.risk.cases.model import CaseClock
from backend.risk.judging.desk import RiskDesk


@dataclass(frozen=True, slots=True)
class Engine:
    """The desk and the clock."""

    desk: RiskDesk
    clock: CaseClock
