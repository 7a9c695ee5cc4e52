"""A pretended device for terminals that share a machine: always the same one for a name, with a
real one's noise."""

import hashlib
from dataclasses import dataclass

from protocol.clock import Entropy
from terminal.ports import Value

_MODULES = ["brcmfmac", "cfg80211", "i2c_bcm2835", "spi_bcm2835", "usbserial"]


@dataclass(frozen=True, slots=True)
class SimulatedReader:
    """The board that a terminal of this name would have."""

    tid: str
    entropy: Entropy

    def read(self) -> dict[str, Value]:
        """What it is made of, and what it measures this time."""
        return {**self._still(), **self._measured()}

    def _still(self) -> dict[str, Value]:
        mac = self._of("mac")
        return {
            "cpu_serial": self._of("cpu")[:16],
            "board_revision": "c03115",
            "board_model": "Raspberry Pi 4 Model B",
            "otp_hash": self._of("otp"),
            "machine_id": self._of("machine"),
            "kernel": "6.12.47-simulated",
            "kernel_tainted": "0",
            "os_build": "tillway 1",
            "cmdline_hash": hashlib.sha256(b"simulated").hexdigest()[:32],
            "modules": list(_MODULES),
            "eth_mac": _mac(mac[:6]),
            "wifi_mac": _mac(mac[6:12]),
            "bt_mac": _mac(mac[12:18]),
            "sd_cid": self._of("sd"),
            "rootfs_uuid": self._of("rootfs"),
            "usb_topology": ["1-1.1=0403:6001", "1-1.2=04b8:0e15"],
            "scanner_serial": self._of("scanner")[:10],
            "printer_serial": self._of("printer")[:10],
            "tpm_ek_hash": None,
            "display_edid": self._of("edid"),
            "ram_kib": "3884376",
            "hypervisor": "no",
            "virtio_devices": "0",
            "hwmon_devices": "2",
        }

    def _measured(self) -> dict[str, Value]:
        own = int(self._of("measures"), 16)
        skew, jitter, compute = own % 40_000 - 20_000, 60_000 + own // 7 % 40_000, 9_000_000
        compute += own // 11 % 3_000_000
        heat = 41_000 + own // 13 % 9_000
        return {
            "clock_skew_ppb": skew + self._noise(150),
            "temperature_mc": [heat + self._noise(900), heat + 2_500 + self._noise(900)],
            "timer_jitter_ns": [jitter + self._noise(2_500), 3 * jitter + self._noise(12_000)],
            "compute_ns": [compute + self._noise(40_000), compute // 20 + self._noise(30_000)],
        }

    def _noise(self, width: int) -> int:
        """Four uniform draws summed: a bell about zero, at most four widths wide."""
        draws = self.entropy.token_bytes(8)
        total = sum(int.from_bytes(draws[at : at + 2], "big") for at in range(0, 8, 2))
        return (total - 131_070) * width // 32_768

    def _of(self, what: str) -> str:
        return hashlib.sha256(f"{self.tid}\n{what}".encode()).hexdigest()[:32]


def _mac(digits: str) -> str:
    return "dc:a6:32:" + ":".join(digits[at : at + 2] for at in range(0, 6, 2))
