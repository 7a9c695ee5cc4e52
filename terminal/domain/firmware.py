"""Firmware of the controller board, as the terminal brings it there: a table, asked by everybody.

Rule 1: a wish ends once: *confirmed*, *refused* or *failed*. Only a newer one begins again.
Rule 2: a restart goes on where it was: the board is asked, and nothing is done twice.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from protocol.errors import CallerError


class FirmwareState(StrEnum):
    """How far the wish is."""

    IDLE = "waiting"
    """Nothing is wanted, or nothing was begun."""
    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    TRYING = "trying"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    FAILED = "failed"


class FirmwareStep(StrEnum):
    """What can happen."""

    WANT = "want"
    RECEIVE = "receive"
    TRY_OUT = "try_out"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    FAIL = "fail"
    LET_GO = "let_go"
    """Nothing that is wanted no more waits at the board."""
    LINGER = "linger"
    """The board keeps what is wanted no more, and tries it at its next start."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One legal step: the state it leads to and the event it emits."""

    state: FirmwareState
    event: str


_S, _T = FirmwareState, FirmwareStep
_WANTED = Edge(_S.DOWNLOADING, "FirmwareWanted")
_UNDERWAY = (_S.DOWNLOADING, _S.INSTALLING, _S.TRYING)

TRANSITIONS: dict[tuple[FirmwareState, FirmwareStep], Edge] = {
    **{(state, _T.WANT): _WANTED for state in FirmwareState},
    (_S.IDLE, _T.LET_GO): Edge(_S.IDLE, "FirmwareLetGo"),
    (_S.IDLE, _T.LINGER): Edge(_S.IDLE, "FirmwareLingers"),
    (_S.DOWNLOADING, _T.RECEIVE): Edge(_S.INSTALLING, "FirmwareReceived"),
    (_S.INSTALLING, _T.TRY_OUT): Edge(_S.TRYING, "FirmwareTried"),
    **{(state, _T.CONFIRM): Edge(_S.CONFIRMED, "FirmwareConfirmed") for state in _UNDERWAY},
    **{(state, _T.REFUSE): Edge(_S.REFUSED, "FirmwareRefused") for state in _UNDERWAY},
    **{(state, _T.FAIL): Edge(_S.FAILED, "FirmwareFailed") for state in _UNDERWAY},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is wanted of the board, and how far it is; all that is kept of it."""

    state: FirmwareState = FirmwareState.IDLE
    version: int = 0
    digest: str = ""
    """SHA-256 of the file."""
    size: int = 0
    code: str = ""
    detail: str = ""
    running_version: str = ""
    running_hash: str = ""
    is_taken_back: bool = False
    """Whether the board may still have what was wanted before, and is to be asked."""

    @property
    def is_underway(self) -> bool:
        """Whether something is still to be done."""
        return self.state in _UNDERWAY

    def wanted(self, version: int, digest: str, size: int) -> "Wish":
        """A new wish; an empty digest wants nothing more."""
        step = self.stepped(FirmwareStep.WANT)
        state = step.state if digest else FirmwareState.IDLE
        is_taken_back = not digest and (self.is_underway or self.is_taken_back)
        return replace(
            step,
            state=state,
            version=version,
            digest=digest,
            size=size,
            is_taken_back=is_taken_back,
        )

    def running(self, version: str, image_hash: str) -> "Wish":
        """The board has said what it runs."""
        return replace(self, running_version=version, running_hash=image_hash)

    def stepped(self, step: FirmwareStep, *, code: str = "", detail: str = "") -> "Wish":
        """One step on; ``field_invalid`` where the table has none."""
        edge = TRANSITIONS.get((self.state, step))
        if edge is None:
            raise CallerError("field_invalid", f"{step} in {self.state}")
        is_taken_back = self.is_taken_back and step is not FirmwareStep.LET_GO
        return replace(
            self, state=edge.state, code=code, detail=detail, is_taken_back=is_taken_back
        )
