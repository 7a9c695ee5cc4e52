"""The switches that make an institution misbehave, each for a number of times."""

from dataclasses import dataclass, fields

from pydantic import BaseModel, ConfigDict, Field


class FaultSettings(BaseModel):
    """How many of the coming requests each fault shall strike."""

    model_config = ConfigDict(extra="forbid")

    drop_answer_after_commit: int = Field(default=0, ge=0, le=1000)
    reject_payout: int = Field(default=0, ge=0, le=1000)
    file_amount_off_by_one: int = Field(default=0, ge=0, le=1000)
    file_row_missing: int = Field(default=0, ge=0, le=1000)
    file_row_twice: int = Field(default=0, ge=0, le=1000)
    bad_signature: int = Field(default=0, ge=0, le=1000)
    be_down: int = Field(default=0, ge=0, le=1000)
    arrive_late: int = Field(default=0, ge=0, le=1000)
    run_twice: int = Field(default=0, ge=0, le=1000)
    answer_slowly: int = Field(default=0, ge=0, le=1000)
    refuse_order: int = Field(default=0, ge=0, le=1000)
    refuse_refund: int = Field(default=0, ge=0, le=1000)


@dataclass(slots=True)
class Faults:
    """How often each fault is still due."""

    drop_answer_after_commit: int = 0
    reject_payout: int = 0
    file_amount_off_by_one: int = 0
    file_row_missing: int = 0
    file_row_twice: int = 0
    bad_signature: int = 0
    be_down: int = 0
    arrive_late: int = 0
    run_twice: int = 0
    answer_slowly: int = 0
    refuse_order: int = 0
    refuse_refund: int = 0

    def set(self, wanted: FaultSettings) -> None:
        """Arm the switches anew."""
        for name, count in wanted.model_dump().items():
            setattr(self, name, count)

    def strikes(self, name: str) -> bool:
        """Whether the fault is due now; counts down if so."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0

    def as_dict(self) -> dict[str, int]:
        """The counts, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
