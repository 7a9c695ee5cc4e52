"""Goal: the suite finds a running board's device sound with nobody beside it.

Method: ``tillway sim run`` as a program; its people act through its control API.
"""

import os
from collections.abc import Iterator

import pytest

from firmware_sim.conformance import telium
from firmware_sim.conformance.check import Check
from firmware_sim.conformance.registry import checks_of
from firmware_sim.conformance.running import bench_of, run_checks
from protocol.errors import CallerError, OperatingError
from tests.kit.command_line import tillway
from tests.support.sim_bench import running_sim

BOARD = """
name: counter
devices:
  pad: {kind: telium}
  left: {kind: cd5220}
  right: {kind: cd5220}
  printer: {kind: escpos}
  nowhere: {kind: gm65, transport: "memory:nowhere"}
  cabled: {kind: ssi, transport: "serial:CABLE"}
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The control API's port of a board that runs."""
    folder = tmp_path_factory.mktemp("sim")
    file = folder / "board.yaml"
    far, near = os.openpty()
    file.write_text(BOARD.replace("CABLE", os.ttyname(near)))
    try:
        with running_sim(folder, str(file)) as sim:
            yield sim.url.rpartition(":")[2]
    finally:
        os.close(far)
        os.close(near)


def _red(kind: str, device: str, checks: tuple[Check, ...]) -> list[tuple[str, str]]:
    with bench_of(kind, device) as bench:
        outcomes = list(run_checks(bench, checks))
    assert len(outcomes) == len(checks)
    return [(one.name, one.reason) for one in outcomes if one.verdict != "passed"]


def test_cards_are_held_and_keys_pressed_by_nobody(port: str) -> None:
    assert _red("telium", f"bench:{port}", telium.CHECKS) == []


def test_a_display_is_read_by_its_name(port: str) -> None:
    assert _red("cd5220", f"bench:{port}/right", checks_of("cd5220")[:3]) == []


def test_what_the_device_made_is_shown(port: str) -> None:
    cut = tuple(one for one in checks_of("escpos") if one.id == "escpos.cut")
    with bench_of("escpos", f"bench:{port}") as bench:
        (case,) = run_checks(bench, cut)
    ((title, png),) = case.pictures
    assert title == "printer 1"
    assert png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("cd5220", "", "has to name a cd5220 of the board at port .*; it has: left, right"),
        ("cd5220", "/pad", "it has: left, right"),
        ("ef01", "", "it has: none"),
    ],
)
def test_which_device_is_meant_must_be_clear(port: str, kind: str, name: str, why: str) -> None:
    with pytest.raises(CallerError, match=why):
        bench_of(kind, f"bench:{port}{name}").__enter__()


def test_a_board_that_is_not_there_and_a_device_without_a_port_are_told(port: str) -> None:
    with pytest.raises(OperatingError, match="nowhere has no port to open"):
        bench_of("gm65", f"bench:{port}").__enter__()
    with pytest.raises(OperatingError, match="no simulated board answers at port 1"):
        bench_of("gm65", "bench:1").__enter__()
    with pytest.raises(CallerError, match=r"is not bench:PORT\[/NAME\]"):
        bench_of("gm65", "bench:pad").__enter__()


def test_the_simulator_s_own_end_of_a_cable_is_not_opened(port: str) -> None:
    with pytest.raises(OperatingError) as refused:
        bench_of("ssi", f"bench:{port}/cabled").__enter__()
    assert refused.value.code == "port_taken"
    assert refused.value.detail.startswith("cabled speaks at serial:/dev/")
    assert "open the port at the cable's other end" in refused.value.detail
    assert refused.value.detail_zh.startswith("cabled 在 serial:/dev/")
    ended = tillway("sim", "conform", "ssi", "--device", f"bench:{port}")
    assert ended.returncode == 2
    assert ended.stderr.startswith("port_taken (cabled speaks at ")
    assert "模拟器自己占着" in ended.stderr
