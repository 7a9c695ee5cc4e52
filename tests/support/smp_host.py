"""A host that talks SMP to a simulated board directly, in virtual time."""

from dataclasses import dataclass, field
from typing import Any

from firmware_sim.devices.device import Output
from firmware_sim.devices.smp_board.board import SmpBoard
from protocol.crypto.hashes import sha256
from protocol.framing import smp
from protocol.framing.smp import Group, Op

PIECE_BYTES = 600


class SilentError(Exception):
    """The board said nothing."""


@dataclass
class SmpHost:
    """Asks and waits; time passes with each answer."""

    board: SmpBoard
    now_ms: int = 0
    said: list[Output] = field(default_factory=list)
    _sequence: int = 0

    def power_on(self) -> None:
        """Boot, and wait until the board listens."""
        self.said += self.board.boot(self.now_ms)
        self.wait()

    def wait(self, ms: int = 10_000) -> None:
        """Let time pass, and what is due happen."""
        self.now_ms += ms
        self.said += self.board.poll(self.now_ms)
        self.now_ms += ms

    def ask(
        self, op: Op, group: int, command: int, *, version: int = 1, **fields: object
    ) -> dict[Any, Any]:
        """The answer's map."""
        self._sequence = (self._sequence + 1) % 256
        sent = smp.message(op, group, command, fields, sequence=self._sequence)
        sent = smp.Message(sent.op, group, command, sent.body, sent.sequence, version)
        outputs = self.board.feed(smp.encode(sent), self.now_ms)
        items = smp.LineParser().feed(b"".join(output.payload for output in outputs))
        if not items:
            raise SilentError
        [item] = items
        assert isinstance(item, smp.Received)
        answer = item.message
        assert (answer.op, answer.group, answer.command) == (op + 1, group, command)
        assert (answer.sequence, answer.version) == (self._sequence, min(version, 1))
        self.now_ms = outputs[-1].at_ms
        found = answer.fields()
        assert found is not None
        return found

    def upload(self, image: bytes, **more: object) -> dict[Any, Any]:
        """Send a whole image; the last answer, or the first refusal."""
        offset = 0
        while True:
            first: dict[str, Any] = (
                {"len": len(image), "sha": sha256(image), **more} if offset == 0 else {}
            )
            piece = image[offset : offset + PIECE_BYTES]
            answer = self.ask(Op.WRITE, Group.IMAGE, 1, off=offset, data=piece, **first)
            offset = answer.get("off", len(image))
            if offset == len(image):
                return answer

    def states(self) -> list[dict[str, Any]]:
        """The slots as the board lists them."""
        found: list[dict[str, Any]] = self.ask(Op.READ, Group.IMAGE, 0)["images"]
        return found

    def set_state(self, digest: bytes | None = None, *, confirm: bool = False) -> dict[Any, Any]:
        """Ask for a test, a permanent swap, or confirm what runs."""
        named: dict[str, Any] = {} if digest is None else {"hash": digest}
        return self.ask(Op.WRITE, Group.IMAGE, 0, confirm=confirm, **named)

    def reset(self) -> None:
        """Ask for a reset, and wait until the board is back."""
        assert self.ask(Op.WRITE, Group.OS, 5) == {}
        self.wait()

    @property
    def version(self) -> str:
        """What runs."""
        start = self.board.start
        assert start is not None
        return str(getattr(getattr(start.image, "header", None), "version", start.image))
