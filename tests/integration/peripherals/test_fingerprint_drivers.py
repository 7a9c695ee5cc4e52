"""Goal: the R503 library and Adafruit's fixed-length reader work unmodified with the R503.

Method: over a pty, unpaced. ``r503`` opens ``/dev/ttyUSB<n>`` by number, so the port it opens is
another; ``adafruit_fingerprint`` runs in its own environment.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from r503 import R503

from firmware_sim.board_file import BoardDevice, BoardFile
from firmware_sim.devices.ef01.finger import image_of, template_of
from firmware_sim.devices.ef01.profiles import R503 as PROFILE
from firmware_sim.hosting import HostedBoard
from firmware_sim.kinds.ef01 import KIND

FOREIGN = Path(sys.prefix) / "foreign" / "bin" / "python"
USER = Path(__file__).with_name("adafruit_fingerprint_user.py")
QUIET_S = 0.03


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[HostedBoard]:
    """A board that carries an R503."""
    entry = KIND.entry.model_validate({"kind": "ef01", "profile": "r503"})
    file = BoardFile("fingers", {"sensor": BoardDevice(KIND, entry)})
    with HostedBoard(file, state_dir=tmp_path, pace=False) as board:
        yield board


class PromptPort(serial.Serial):
    """Ends a read when the line has been quiet, where the library waits out its whole second."""

    def read(self, size: int = 1) -> bytes:
        data = super().read(1)
        heard_at = time.monotonic()
        while len(data) < size and time.monotonic() - heard_at < QUIET_S:
            if self.in_waiting:
                data += super().read(min(self.in_waiting, size - len(data)))
                heard_at = time.monotonic()
            else:
                time.sleep(0.002)
        return bytes(data)


@pytest.fixture
def sensor(hosted: HostedBoard, monkeypatch: pytest.MonkeyPatch) -> Iterator[R503]:
    """The third party's reader on the board's port."""
    path = hosted.paths["sensor"]
    monkeypatch.setattr(
        "r503.serial.Serial",
        lambda _, baudrate, timeout: PromptPort(path, baudrate, timeout=timeout),
    )
    found = R503(port=0)
    yield found
    found.ser_close()


def test_r503_reads_what_the_sensor_is(sensor: R503) -> None:
    assert sensor.verify_pw() == 0
    assert sensor.handshake() == 0
    assert sensor.check_sensor() == 0
    parameters = sensor.read_sys_para_decode()
    assert (parameters["finger_library_size"], parameters["baud_rate"]) == (200, 57_600)
    product = sensor.read_prod_info_decode()
    assert (product["module type"], product["image width"]) == ("R503", 192)
    assert (product["template size"], product["fp database size"]) == (1536, 200)
    assert sensor.get_fw_ver()[1].startswith(b"TILLWAY SIM R503")
    assert sensor.get_alg_ver()[0] == 0
    assert sensor.get_random_code() != sensor.get_random_code()


def test_r503_writes_its_notepad_and_changes_parameters(sensor: R503) -> None:
    assert sensor.write_notepad(3, "till 4") == 0
    assert sensor.read_notepad(3)[1].rstrip(b"\x00") == b"till 4"
    assert sensor.set_security(5) == 0
    assert sensor.set_pkg_length(64) == 0
    assert sensor.set_baud(115_200) == 0
    parameters = sensor.read_sys_para_decode()
    assert (parameters["security_level"], parameters["data_packet_size"]) == (5, 64)
    assert parameters["baud_rate"] == 115_200


def test_r503_enrols_by_four_touches_and_finds_and_deletes(
    hosted: HostedBoard, sensor: R503
) -> None:
    hosted.do("sensor", "place", finger="alice", quality=90)
    sensor.manual_enroll(location=12, loop_delay=0)
    assert hosted.state("sensor")["slots"] == [12]
    code, slot, score = sensor.search()
    assert (code, slot) == (0, 12)
    assert score > 0
    assert sensor.read_index_table() == [12]
    assert sensor.read_valid_template_num() == 1
    assert sensor.get_available_location() == 0
    hosted.do("sensor", "place", finger="mallory")
    assert sensor.search()[0] == 9
    assert sensor.delete_char(12) == 0
    assert sensor.read_index_table() == []


def test_r503_takes_a_picture_out_and_puts_it_back(hosted: HostedBoard, sensor: R503) -> None:
    hosted.do("sensor", "enroll", finger="alice", slot=2)
    hosted.do("sensor", "place", finger="alice")
    assert sensor.get_image_ex() == 0
    pieces = sensor.up_image()
    assert b"".join(pieces) == image_of("alice", PROFILE)
    sensor.down_image(pieces)
    assert sensor.img2tz(1) == 0
    assert b"".join(sensor.up_char()) == template_of("alice", PROFILE)


def test_r503_has_the_sensor_enrol_and_identify_by_itself(
    hosted: HostedBoard, sensor: R503
) -> None:
    hosted.do("sensor", "enroll", finger="alice", slot=2)
    hosted.do("sensor", "place", finger="alice")
    slot, score = sensor.auto_identify()
    assert slot == 2
    assert score > 0
    assert hosted.state("sensor")["colour"] == "green"
    assert sensor.auto_enroll(5) == 0
    assert hosted.state("sensor")["is_waiting"]
    assert sensor.cancel() == 0
    assert not hosted.state("sensor")["is_waiting"]


def test_r503_lights_the_ring_and_resets(hosted: HostedBoard, sensor: R503) -> None:
    assert sensor.led_control(ctrl=2, speed=50, color=3, cycles=0) == 0
    state = hosted.state("sensor")
    assert (state["light"], state["colour"]) == ("flashing", "purple")
    assert sensor.soft_reset() == 0
    assert hosted.state("sensor")["light"] == "off"


@pytest.mark.skipif(
    not FOREIGN.exists(), reason="needs other people's drivers (sh deploy/setup/foreign.sh)"
)
def test_adafruits_reader_of_fixed_lengths_does_everything_once(hosted: HostedBoard) -> None:
    hosted.do("sensor", "place", finger="alice")
    done = subprocess.run(
        [FOREIGN, USER, hosted.paths["sensor"]], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "checked": True, "library": 200, "missed": [9, 0, 0, 9, 0, 0], "enrolled": [0] * 6,
        "found": [0, 7, 200, 0, 7, 200], "slots": [7], "count": 1, "picture": 18_432,
        "template": 1536, "compared": 0, "led": 0, "deleted": [0, 0],
    }  # fmt: skip
