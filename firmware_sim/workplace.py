"""What a tester works with at one board: the board, its wire's log, scenarios, runs, traces."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from firmware_sim.board import Board
from firmware_sim.recording.traces import Traces
from firmware_sim.runs.registry import Runs
from firmware_sim.runs.shelf import Shelf
from firmware_sim.wire_log import WireLog


@dataclass(frozen=True, slots=True)
class Workplace:
    """One board's, from its start to its end."""

    board: Board
    wire: WireLog
    shelf: Shelf
    runs: Runs
    traces: Traces

    @classmethod
    def at(cls, board: Board, state_dir: Path, scenarios: Path | None = None) -> Self:
        """``scenarios`` is a folder of the tester's own; traces stand in the state directory."""
        wire = WireLog(board, board.now_ms)
        traces = Traces(state_dir / "traces", wire.recorder)
        return cls(board, wire, Shelf(scenarios), Runs(), traces)

    def close(self) -> None:
        """End what is under way."""
        self.runs.stop_all()
        if self.traces.recording is not None:
            self.traces.stop()
