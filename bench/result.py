"""One measured figure."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A figure, its unit, and what it is to be read against."""

    name: str
    value: float
    unit: str
    against: str

    def as_row(self) -> dict[str, object]:
        """The form of ``var/bench/results.json``."""
        return asdict(self)
