"""What a machine is made of, read from a tree of files that stands in for it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import cbor
from protocol.limits import FINGERPRINT_BYTES_MAX
from protocol.messages import DeviceFingerprint
from terminal.adapters.device_reader import WholeReader, fitting
from terminal.adapters.host_reader import HostReader
from terminal.adapters.limits import SKEW_SPAN_NS_MIN, SLEEP_NS
from terminal.adapters.measuring_reader import MeasuringReader
from terminal.adapters.simulated_reader import SimulatedReader
from terminal.adapters.system import SystemEntropy
from terminal.ports import Value
from tests.unit.terminal.fakes import SeededEntropy

CPU = "Features\t: fp asimd\n\nHardware\t: BCM2835\nRevision\t: c03115\nSerial\t\t: 10000000aa\n"
PI: dict[str, str | bytes] = {
    "proc/cpuinfo": CPU,
    "proc/device-tree/serial-number": b"10000000c0ffee\x00",
    "proc/device-tree/model": b"Raspberry Pi 4 Model B Rev 1.5\x00",
    "proc/sys/kernel/osrelease": "6.12.47+rpt-rpi-v8\n",
    "proc/sys/kernel/tainted": "0\n",
    "proc/cmdline": "console=tty1 root=PARTUUID=1c1a-02 rootwait quiet cgroup_enable=memory\n",
    "proc/modules": "spi_bcm2835 24576 0 - Live 0x0\nbrcmfmac 335872 0 - Live 0x0\n",
    "proc/meminfo": "MemTotal:        3884376 kB\nMemFree: 1 kB\n",
    "etc/machine-id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0\n",
    "etc/os-release": 'ID=debian\nVERSION_ID="13"\nBUILD_ID=20261101\nNAME="x"\n',
    "sys/class/net/eth0/address": "dc:a6:32:00:00:01\n",
    "sys/class/net/wlan0/address": "dc:a6:32:00:00:02\n",
    "sys/class/net/docker0/address": "02:42:00:00:00:01\n",
    "sys/class/bluetooth/hci0/address": "dc:a6:32:00:00:03\n",
    "sys/block/mmcblk0/device/cid": "035344534331323880aa\n",
    "sys/bus/usb/devices/1-1.1/idVendor": "0403\n",
    "sys/bus/usb/devices/1-1.1/idProduct": "6001\n",
    "sys/bus/nvmem/devices/rpi-otp0/nvmem": b"\x00\x00\x01\x02",
    "sys/class/drm/card0-HDMI-A-1/edid": b"\x00\xff\xffedid",
    "sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "sys/devices/usb1/1-1.1/serial": "A50285BI\n",
    "sys/devices/usb1/1-1.1/ttyUSB0/name": "x",
    "sys/class/thermal/thermal_zone0/temp": "48312\n",
}


def machine(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


@pytest.fixture
def pi(tmp_path: Path) -> Path:
    root = machine(tmp_path / "pi", PI)
    (root / "sys/class/tty/ttyUSB0").mkdir(parents=True)
    (root / "sys/class/tty/ttyUSB0/device").symlink_to(root / "sys/devices/usb1/1-1.1/ttyUSB0")
    return root


def test_a_pi_says_what_it_is_made_of(pi: Path) -> None:
    found = HostReader(pi, scanner="/dev/ttyUSB0", printer="tcp:127.0.0.1:9100").read()
    expected: dict[str, Value] = {
        "cpu_serial": "10000000c0ffee",
        "board_revision": "c03115",
        "board_model": "Raspberry Pi 4 Model B Rev 1.5",
        "machine_id": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "kernel": "6.12.47+rpt-rpi-v8",
        "kernel_tainted": "0",
        "os_build": "debian 13 20261101",
        "modules": ["brcmfmac", "spi_bcm2835"],
        "eth_mac": "dc:a6:32:00:00:01",
        "wifi_mac": "dc:a6:32:00:00:02",
        "bt_mac": "dc:a6:32:00:00:03",
        "sd_cid": "035344534331323880aa",
        "rootfs_uuid": "PARTUUID=1c1a-02",
        "usb_topology": ["1-1.1=0403:6001"],
        "scanner_serial": "A50285BI",
        "printer_serial": None,
        "tpm_ek_hash": None,
        "ram_kib": "3884376",
        "hypervisor": "no",
        "virtio_devices": "0",
        "hwmon_devices": "1",
        "dmi_vendor": None,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["otp_hash"]
    assert found["display_edid"]


def test_a_virtual_machine_gives_itself_away(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        {
            "proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu vme hypervisor lahf_lm\n",
            "sys/bus/virtio/devices/virtio0/device": "1",
            "sys/class/dmi/id/sys_vendor": "QEMU\n",
            "sys/bus/nvmem/devices/otp0/nvmem": b"\x00" * 8,
        },
    )
    found = HostReader(root).read()
    assert (found["hypervisor"], found["virtio_devices"], found["dmi_vendor"]) == (
        "yes",
        "1",
        "QEMU",
    )
    assert found["otp_hash"] is found["cpu_serial"] is found["usb_topology"] is None


def test_a_machine_that_shows_nothing_is_read_all_the_same(tmp_path: Path) -> None:
    found = HostReader(tmp_path, scanner="/dev/ttyUSB9").read()
    counted = {"hypervisor": "no", "virtio_devices": "0", "hwmon_devices": "0"}
    assert {name: value for name, value in found.items() if value is not None} == counted


def test_what_differs_from_start_to_start_is_left_out_of_the_command_line(tmp_path: Path) -> None:
    def hash_of(line: str) -> Value:
        return HostReader(machine(tmp_path, {"proc/cmdline": line})).read()["cmdline_hash"]

    usual = hash_of("root=PARTUUID=1 console=tty1 quiet bootid=7")
    assert hash_of("root=PARTUUID=2 console=tty1 bootid=8") == usual
    assert hash_of("root=PARTUUID=1 console=tty1 init_on_free=0") != usual


def clock(*times: int) -> Iterator[int]:
    return itertools.chain(times, itertools.repeat(times[-1]))


def test_the_crystals_error_is_told_when_time_enough_has_passed(pi: Path) -> None:
    span = 2 * SKEW_SPAN_NS_MIN
    steered, raw = clock(0, span + span // 50_000), clock(0, span)
    reader = MeasuringReader(pi, lambda: next(steered), lambda: next(raw), lambda _s: None)
    found = reader.read()
    assert found["clock_skew_ppb"] == 20_000
    assert found["temperature_mc"] == [48_312, 48_312]
    fresh = MeasuringReader(pi, lambda: 5, lambda: 5, lambda _s: None)
    assert fresh.read()["clock_skew_ppb"] is None


def test_a_real_measure_is_never_quite_the_same_twice() -> None:
    reader = MeasuringReader()
    first, second = reader.read(), reader.read()
    assert first["timer_jitter_ns"] != second["timer_jitter_ns"]
    over = first["timer_jitter_ns"]
    assert isinstance(over, list)
    assert all(isinstance(one, int) and 0 <= one < 1_000 * SLEEP_NS for one in over)


def test_a_pretended_device_is_itself_for_ever_and_scatters_like_a_real_one() -> None:
    one, other = (SimulatedReader(name, SeededEntropy()) for name in ("pos-1", "pos-2"))
    first, second, stranger = one.read(), one.read(), other.read()
    measured = {name for name in first if name.endswith(("_ppb", "_mc", "_ns"))}
    assert {name for name in first if first[name] != second[name]} == measured
    for name in ("cpu_serial", "machine_id", "eth_mac", "sd_cid", "scanner_serial"):
        assert first[name] != stranger[name]
    DeviceFingerprint.from_map({"attrs": first})


def test_a_source_that_fails_is_left_out_and_the_rest_is_told() -> None:
    class Broken:
        def read(self) -> dict[str, Value]:
            raise OSError("gone")

    reader = WholeReader(
        [Broken(), SimulatedReader("a", SystemEntropy())], lambda: {"boot_count": 7}
    )
    found = reader.read()
    assert found["boot_count"] == 7
    assert found["cpu_serial"]


def test_what_is_too_much_for_an_envelope_is_told_as_a_digest() -> None:
    large = [f"module_{number:04}" for number in range(250)]
    attrs: dict[str, Value] = {"modules": large, "usb_topology": large, "kernel": "6.12"}
    found = fitting(attrs)
    assert len(cbor.encode(found)) <= FINGERPRINT_BYTES_MAX
    assert found["kernel"] == "6.12"
    assert fitting(attrs) == found
    assert fitting({**attrs, "modules": [*large, "hide"]}) != found
