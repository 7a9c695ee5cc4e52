"""Goal: our update brings a controller board to new firmware through power cuts at any flash write
and any lost message, and never confirms what the board does not run.

Method: the driver's own code against the simulated board, in virtual time.
"""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.devices.smp_board.board import SmpBoard
from protocol.crypto.image_keys import image_key_from_pem
from protocol.errors import CallerError, OperatingError
from protocol.framing import mcuboot, smp
from protocol.framing.smp import Group, Op
from terminal.adapters import smp_board
from terminal.adapters.smp_board import SmpSerialBoard
from terminal.board_renewal import BoardRenewal
from terminal.board_update import BoardUpdate, Updated
from terminal.domain.firmware import FirmwareStep
from terminal.effects import RenewBoard
from terminal.inputs import BoardStep
from tests.support.firmware import SigningRoom, body_of, open_signing_room

SLOT_SECTORS = 4


class VirtualDialogue:
    """A line to the board on which nothing is waited for: time is a number."""

    def __init__(self, board: SmpBoard) -> None:
        self.board = board
        self.now_ms = 0
        self.said = b""
        self.loses: set[int] = set()
        self._messages = 0

    def discard_input(self) -> None:
        self.said = b""

    def send(self, data: bytes) -> None:
        self._messages += 1
        self.now_ms += 5
        outputs = self.board.feed(data, self.now_ms)
        self.now_ms = max([self.now_ms, *(output.at_ms for output in outputs)])
        if self._messages not in self.loses:
            self.said += b"".join(output.payload for output in outputs)

    def receive(self, until: float) -> bytes:
        said, self.said = self.said, b""
        return said

    def pass_time(self, ms: int) -> None:
        for _ in range(3):
            self.now_ms += ms
            self.board.poll(self.now_ms)


class VirtualBoard(SmpSerialBoard):
    """The driver without its port's thread."""

    def __init__(self, dialogue: VirtualDialogue) -> None:
        self._sequence = 0
        self.dialogue = dialogue

    async def _ask(self, op: Op, group: Group, command: int, fields: Mapping[str, object], *,
                   attempts: int = 2, reply_s: float = 2.0) -> Mapping[int | str, Any]:  # fmt: skip
        self._sequence = (self._sequence + 1) % 256
        asked = smp.message(op, group, command, fields, sequence=self._sequence)
        return smp_board.ask(self.dialogue, asked=asked, attempts=attempts, reply_s=reply_s)  # type: ignore[arg-type]

    async def aclose(self) -> None:
        """No port."""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> SigningRoom:
    return open_signing_room(tmp_path_factory.mktemp("signing"))


@pytest.fixture(scope="module")
def old(room: SigningRoom) -> bytes:
    return room.sign(body_of("old", 3000), "1.0.0", "-s", "1")


@pytest.fixture(scope="module")
def new(room: SigningRoom) -> bytes:
    return room.sign(body_of("new", 6500), "1.1.0", "-s", "2")


Plug = Callable[[], VirtualDialogue]


@pytest.fixture
def plug(room: SigningRoom, old: bytes) -> Plug:
    key = image_key_from_pem(room.public_pem.read_bytes())

    def make() -> VirtualDialogue:
        board = SmpBoard(SLOT_SECTORS, key)
        board.load(old)
        board.boot(-10_000)
        return VirtualDialogue(board)

    return make


def _run(dialogue: VirtualDialogue, data: bytes) -> Updated:
    async def pause(seconds: float) -> None:
        dialogue.pass_time(int(seconds * 1000))

    return _finished(BoardUpdate(VirtualBoard(dialogue), data, pause).run())


def _finished(work: Awaitable[Updated]) -> Updated:
    """Nothing in it waits for a loop."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as done:
        updated: Updated = done.value
        return updated
    raise AssertionError("it waited")


def _runs(dialogue: VirtualDialogue) -> str:
    start = dialogue.board.start
    assert start is not None
    assert isinstance(start.image, mcuboot.Image)
    return str(start.image.header.version)


def test_new_firmware_is_uploaded_tried_and_confirmed(plug: Plug, new: bytes) -> None:
    dialogue = plug()
    updated = _run(dialogue, new)
    assert (updated.version, updated.was_there) == ("1.1.0", False)
    dialogue.board.boot(dialogue.now_ms)
    assert _runs(dialogue) == "1.1.0"
    writes = dialogue.board.flash.writes
    assert _run_again(dialogue, new).was_there
    assert dialogue.board.flash.writes == writes


def _run_again(dialogue: VirtualDialogue, data: bytes) -> Updated:
    dialogue.pass_time(1000)
    return _run(dialogue, data)


@pytest.mark.parametrize("is_torn", [False, True], ids=["before", "torn"])
def test_a_power_cut_at_any_write_delays_the_update_and_no_more(
    plug: Plug, new: bytes, is_torn: bool
) -> None:
    cuts = 0
    while True:
        dialogue = plug()
        before = dialogue.board.flash.writes
        dialogue.board.cut_power(0, after_writes=cuts, is_torn=is_torn, off_ms=300)
        assert _run(dialogue, new).version == "1.1.0"
        if not dialogue.board.power_failures:
            break
        dialogue.board.boot(dialogue.now_ms)
        assert _runs(dialogue) == "1.1.0", cuts
        cuts += 1
    assert cuts == dialogue.board.flash.writes - before


def test_any_lost_answer_delays_the_update_and_no_more(plug: Plug, new: bytes) -> None:
    whole = plug()
    _run(whole, new)
    for number in range(1, whole._messages + 1):
        dialogue = plug()
        dialogue.loses = {number}
        assert _run(dialogue, new).version == "1.1.0", number
        dialogue.board.boot(dialogue.now_ms)
        assert _runs(dialogue) == "1.1.0", number


def test_an_update_that_was_stopped_goes_on_in_a_new_program(plug: Plug, new: bytes) -> None:
    dialogue = plug()
    dialogue.loses = set(range(12, 200))
    with pytest.raises(OperatingError, match="device_no_reply"):
        _run(dialogue, new)
    dialogue.loses = set()
    assert _run(dialogue, new).version == "1.1.0"


class Killed(BaseException):
    """The program is no more."""


class Mortal(VirtualBoard):
    """A driver whose program is killed at its call of this number, before or after it has counted
    at the board."""

    def __init__(self, dialogue: VirtualDialogue, *, at: int, is_heard: bool) -> None:
        super().__init__(dialogue)
        self.left, self.is_heard = at, is_heard

    async def _ask(self, *words: Any, **options: Any) -> Mapping[int | str, Any]:
        self.left -= 1
        if self.left < 0 and not self.is_heard:
            raise Killed
        found = await super()._ask(*words, **options)
        if self.left < 0:
            raise Killed
        return found


@pytest.mark.parametrize("has_power", [True, False], ids=["powered", "power lost too"])
@pytest.mark.parametrize("is_heard", [False, True], ids=["before", "after"])
def test_a_program_killed_at_any_step_leaves_old_or_new_and_the_next_one_ends_it(
    plug: Plug, new: bytes, is_heard: bool, has_power: bool
) -> None:
    ran, at = set(), 0
    while True:
        dialogue = plug()
        mortal = Mortal(dialogue, at=at, is_heard=is_heard)

        async def pause(seconds: float, dialogue: VirtualDialogue = dialogue) -> None:
            dialogue.pass_time(int(seconds * 1000))

        try:
            _finished(BoardUpdate(mortal, new, pause).run())
            break
        except Killed:
            dialogue.pass_time(60_000)
        if not has_power:
            dialogue.board.boot(dialogue.now_ms)
            dialogue.pass_time(60_000)
        ran.add(_runs(dialogue))
        updated = _run(dialogue, new)
        assert updated.version == "1.1.0", at
        dialogue.board.boot(dialogue.now_ms)
        assert _runs(dialogue) == "1.1.0", at
        at += 1
    assert ran == {"1.0.0", "1.1.0"}
    assert at > 20


def test_firmware_of_another_key_is_never_started_and_the_board_keeps_the_old(
    plug: Plug, tmp_path: Path
) -> None:
    dialogue = plug()
    foreign = open_signing_room(tmp_path / "foreign").sign(body_of("evil", 2000), "9.0.0")
    with pytest.raises(CallerError, match="firmware_refused"):
        _run(dialogue, foreign)
    assert _runs(dialogue) == "1.0.0"
    dialogue.board.boot(dialogue.now_ms)
    assert _runs(dialogue) == "1.0.0"


def test_firmware_that_does_not_answer_is_not_confirmed(plug: Plug, new: bytes) -> None:
    """It hangs as soon as it runs: a watchdog would reset it, and so does a person here."""
    dialogue = plug()

    class Hanging(VirtualDialogue):
        def receive(self, until: float) -> bytes:
            said = super().receive(until)
            return b"" if self.board.has_power and _runs(self) == "1.1.0" else said

    hung = Hanging(dialogue.board)
    with pytest.raises(OperatingError, match="device_no_reply"):
        _run(hung, new)
    hung.board.boot(hung.now_ms)
    assert _runs(hung) == "1.0.0"


def test_what_is_no_image_or_is_not_taken_is_refused(plug: Plug, new: bytes) -> None:
    with pytest.raises(CallerError, match="no_image"):
        _run(plug(), b"not firmware")
    dialogue = plug()
    too_large = mcuboot.pack_image(bytes(SLOT_SECTORS * 4096), mcuboot.Version(2))
    with pytest.raises(CallerError, match="rc 30"):
        _run(dialogue, too_large)
    assert _runs(dialogue) == "1.0.0"


def on_trial(dialogue: VirtualDialogue, data: bytes) -> None:
    """The board has started this firmware, and nobody has confirmed it."""
    driver = VirtualBoard(dialogue)

    async def pause(seconds: float) -> None:
        dialogue.pass_time(int(seconds * 1000))

    update = BoardUpdate(driver, data, pause)
    with contextlib.suppress(StopIteration):
        next(update._upload().__await__())
        raise AssertionError
    with contextlib.suppress(StopIteration):
        next(driver.try_out(update._image.digest).__await__())
        raise AssertionError
    dialogue.board.boot(dialogue.now_ms)
    dialogue.pass_time(1000)


def test_a_trial_that_is_taken_back_half_way_ends_with_the_firmware_of_before(
    plug: Plug, old: bytes, new: bytes
) -> None:
    """A rollout is stopped after the board has started the new one and before it is kept."""
    dialogue = plug()
    on_trial(dialogue, new)
    assert _runs(dialogue) == "1.1.0"
    updated = _run(dialogue, old)
    assert (updated.version, _runs(dialogue)) == ("1.0.0", "1.0.0")
    dialogue.board.boot(dialogue.now_ms)
    assert _runs(dialogue) == "1.0.0"


def test_another_trial_under_way_is_left_alone(plug: Plug, new: bytes, room: SigningRoom) -> None:
    dialogue = plug()
    on_trial(dialogue, new)
    newer = room.sign(body_of("newer", 2000), "1.2.0", "-s", "2")
    with pytest.raises(CallerError, match="rc 9"):
        _run(dialogue, newer)
    assert _runs(dialogue) == "1.1.0"


def pending(plug: Plug, data: bytes, *, erases_pending: bool) -> VirtualDialogue:
    """The board would try this firmware at its next boot."""
    dialogue = plug()
    dialogue.board.erases_pending = erases_pending
    dialogue.board.boot(dialogue.now_ms)
    dialogue.pass_time(1000)
    driver = VirtualBoard(dialogue)
    update = BoardUpdate(driver, data, no_pause)
    for work in (update._upload(), driver.try_out(update._image.digest)):
        with contextlib.suppress(StopIteration):
            next(work.__await__())
            raise AssertionError
    return dialogue


async def no_pause(_: float) -> None:
    """Nothing is waited for."""


async def taken_back(board: Any) -> BoardStep:
    said: list[BoardStep] = []

    async def tell(step: BoardStep) -> None:
        said.append(step)

    renewal = BoardRenewal(None, board, is_idle=lambda: True, pause=no_pause)
    await renewal.take_back(RenewBoard(2, "", 0), tell)
    [step] = said
    return step


@pytest.mark.asyncio
async def test_a_trial_that_is_wanted_no_more_is_erased_where_the_board_lets_go_of_it(
    plug: Plug, new: bytes
) -> None:
    dialogue = pending(plug, new, erases_pending=True)
    dialogue.loses = {dialogue._messages + 1, dialogue._messages + 3}
    step = await taken_back(VirtualBoard(dialogue))
    assert (step.version, step.step, step.code) == (2, FirmwareStep.LET_GO, "")
    for _ in range(2):
        dialogue.board.boot(dialogue.now_ms)
        assert _runs(dialogue) == "1.0.0"


@pytest.mark.asyncio
async def test_a_board_that_does_not_let_go_of_a_trial_is_named_and_goes_back_after_it(
    plug: Plug, new: bytes
) -> None:
    dialogue = pending(plug, new, erases_pending=False)
    step = await taken_back(VirtualBoard(dialogue))
    assert (step.step, step.code, step.detail) == (FirmwareStep.LINGER, "firmware_lingers", "1.1.0")
    for version in ("1.1.0", "1.0.0", "1.0.0"):
        dialogue.board.boot(dialogue.now_ms)
        dialogue.pass_time(1000)
        assert _runs(dialogue) == version
    assert (await taken_back(VirtualBoard(dialogue))).step is FirmwareStep.LET_GO


@pytest.mark.asyncio
async def test_what_runs_on_trial_is_not_erased_and_what_a_revert_needs_neither(
    plug: Plug, new: bytes
) -> None:
    dialogue = plug()
    on_trial(dialogue, new)
    writes = dialogue.board.flash.writes
    assert (await taken_back(VirtualBoard(dialogue))).step is FirmwareStep.LET_GO
    assert dialogue.board.flash.writes == writes
    dialogue.board.boot(dialogue.now_ms)
    assert _runs(dialogue) == "1.0.0"
