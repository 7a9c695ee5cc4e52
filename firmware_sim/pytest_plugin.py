"""The pytest plugin: a simulated board, or the real thing, for each test that asks for it.

``pytest --tillway-board=pos.yaml`` gives every test its own board through the fixtures
``tillway_board`` and ``tillway_ports``. With ``--tillway-port scanner=/dev/ttyUSB0`` the port of
that device is the real one, so that the same tests run on hardware; what people do to a real device
is then asked for nowhere, and tests that need ``tillway_board`` are skipped.

A failed test shows the board's seed and the last frames, decoded.
"""

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from firmware_sim.hosting import HostedBoard
    from firmware_sim.recording.recorder import Recorder

_HEARD: "pytest.StashKey[tuple[HostedBoard, Recorder]]" = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("tillway", "simulated devices")
    group.addoption(
        "--tillway-board", default="pos", metavar="BOARD",
        help="a built-in board or a board file (YAML); 'pos' if not said",
    )  # fmt: skip
    group.addoption(
        "--tillway-seed", type=int, default=None, metavar="N",
        help="the seed of all chance on the board, in place of the board file's",
    )  # fmt: skip
    group.addoption(
        "--tillway-port", action="append", default=[], metavar="DEVICE=PORT",
        help="a real device in place of the simulated one, such as scanner=/dev/ttyUSB0",
    )  # fmt: skip


@pytest.fixture
def tillway_board(request: pytest.FixtureRequest) -> "Iterator[HostedBoard]":
    """A board that has just started, on ptys; gone after the test."""
    from firmware_sim.hosting import HostedBoard
    from firmware_sim.recording import recorder
    from protocol.errors import TillwayError

    if _real_ports(request.config):
        pytest.skip("this test moves the devices' hands, and --tillway-port names real ones")
    name, seed = (
        request.config.getoption("--tillway-board"),
        request.config.getoption("--tillway-seed"),
    )
    try:
        hosted = HostedBoard(name, seed=seed)
    except TillwayError as error:
        pytest.fail(f"--tillway-board: {error.detail}", pytrace=False)
    with hosted as board:
        heard = board.call(lambda one: recorder.Recorder(one, one.now_ms))
        request.node.stash[_HEARD] = board, heard
        yield board


@pytest.fixture
def tillway_ports(request: pytest.FixtureRequest) -> dict[str, str]:
    """What a driver opens, by device: real ports where they were named, else the board's."""
    real = _real_ports(request.config)
    if real:
        return real
    board: HostedBoard = request.getfixturevalue("tillway_board")
    return board.paths


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what was said last to the report of a test that failed."""
    report = yield
    heard = item.stash.get(_HEARD, None)
    if heard is not None and report.when == "call" and report.failed:
        board, recorder = heard
        board.call(lambda _: recorder.end())
        rows = [event.describe() for event in list(recorder.recent)] or ["nothing was said"]
        title = f"tillway board {recorder.head.board}, seed {recorder.head.seed}"
        report.sections.append((title, "\n".join(rows)))
    return report


def _real_ports(config: pytest.Config) -> dict[str, str]:
    pairs: list[str] = config.getoption("--tillway-port")
    ports = {}
    for pair in pairs:
        device, equals, port = pair.partition("=")
        if not (device and equals and port):
            raise pytest.UsageError(f"--tillway-port takes DEVICE=PORT, not {pair!r}")
        ports[device] = port
    return ports
