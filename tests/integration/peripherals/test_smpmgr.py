"""Goal: ``imgtool`` signs and ``smpmgr`` updates the simulated controller board, both unmodified.

Method: both programs as their users call them, over a pty; ``smpmgr`` from its own environment.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.smp_board import KIND
from protocol.framing import mcuboot
from tests.support.firmware import SLOT_SECTORS, SigningRoom, body_of, open_signing_room

SMPMGR = Path(sys.prefix) / "foreign" / "bin" / "smpmgr"
BOOT_S = 5.0
SCREEN = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")

pytestmark = pytest.mark.skipif(
    not SMPMGR.exists(), reason="needs smpmgr (sh deploy/setup/foreign.sh)"
)


@dataclass(frozen=True)
class Bench:
    """A board on a pty that carries signed firmware 1.0.0, and who signs for it."""

    hosted: HostedBoard
    room: SigningRoom

    def smpmgr(self, *words: str) -> str:
        """Run the tool; what it printed."""
        port = self.hosted.paths["board"]
        done = subprocess.run(
            [SMPMGR, "--port", port, "--baudrate", "115200", "--timeout", "5", *words],
            capture_output=True, text=True, timeout=60, check=False,
            env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "NO_COLOR": "1", "TERM": "dumb"},
        )  # fmt: skip
        said = SCREEN.sub("", done.stdout + done.stderr)
        assert done.returncode == 0, said
        return said

    def version_after(self, boots: int) -> str:
        """The version that runs once the board has booted so many times."""
        until = time.monotonic() + BOOT_S
        while self.hosted.state("board")["boots"] != boots and time.monotonic() < until:
            time.sleep(0.02)
        state = self.hosted.state("board")
        assert state["boots"] == boots
        return str(state["version"])

    def press_reset(self) -> None:
        """The board's own button."""
        self.hosted.do("board", "reset")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    room = open_signing_room(tmp_path)
    factory = tmp_path / "factory.bin"
    factory.write_bytes(room.sign(body_of("old", 3000), "1.0.0", "-s", "1"))
    entry = KIND.entry.model_validate(
        {"kind": "smp_board", "image": str(factory), "key": str(room.public_pem),
         "slot_sectors": SLOT_SECTORS, "console": True}
    )  # fmt: skip
    file = BoardFile("controller", {"board": BoardDevice(KIND, entry)})
    with HostedBoard(file, pace=False) as hosted:
        yield Bench(hosted, room)


def test_smpmgr_uploads_tests_reverts_and_confirms(bench: Bench, tmp_path: Path) -> None:
    data = bench.room.sign(body_of("new", 6000), "1.1.0", "-s", "2")
    image = mcuboot.read_image(data)
    assert isinstance(image, mcuboot.Image)
    new, digest = tmp_path / "new.bin", image.digest.hex()
    new.write_bytes(data)

    assert "100.0%" in bench.smpmgr("image", "upload", str(new))
    assert bench.hosted.state("board")["second_slot"] == "1.1.0"
    states = bench.smpmgr("image", "state-read").replace("\n", "")
    assert digest.upper() in states.upper()
    bench.smpmgr("image", "state-write", digest)
    assert bench.hosted.state("board")["next_swap"] == "test"
    bench.smpmgr("os", "reset")
    assert bench.version_after(2) == "1.1.0"
    bench.press_reset()
    assert bench.version_after(3) == "1.0.0"  # nobody confirmed

    bench.smpmgr("image", "state-write", digest)
    bench.press_reset()
    assert bench.version_after(4) == "1.1.0"
    bench.smpmgr("image", "state-write", "--confirm")
    bench.press_reset()
    assert bench.version_after(5) == "1.1.0"
    assert bench.hosted.state("board")["next_swap"] == "none"


def test_smpclient_understands_every_answer(bench: Bench) -> None:
    script = Path(__file__).parents[2] / "support" / "smpclient_session.py"
    done = subprocess.run(
        [SMPMGR.parent / "python", script, bench.hosted.paths["board"]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    refused = {name for name, (kind, _) in answers.items() if kind != "ok"}
    assert refused == {"clock_unset", "no_such_hash"}
    assert "RTC_NOT_SET" in answers["clock_unset"][1]
    assert "HASH_NOT_FOUND" in answers["no_such_hash"][1]
    assert "2026-11-28T09:00:0" in answers["clock"][1]
