"""A fleet of devices over some weeks, with what honestly changes on them and with attacks: made
from a seed, in any of several ways of naming the attributes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from backend.risk.devices.judging import Devices, Trust
from backend.risk.devices.readings import plain_reading

ATTACKS = ("sd_clone", "board_swap", "emulator", "rooted", "peripheral_swap", "replay")

PLAIN_NAMES: dict[str, str] = {}
SHORT_NAMES = {
    "cpu_serial": "serial", "board_revision": "board_rev", "otp": "otp_rows", "kernel": "uname",
    "os_build": "image", "command_line": "cmdline_hash", "modules": "mods", "ethernet_mac": "eth0",
    "wifi_mac": "wlan0", "bluetooth_mac": "bt", "sd_cid": "cid", "root_uuid": "rootfs",
    "usb": "usb_tree", "scanner_serial": "scanner", "printer_serial": "printer", "nfc": "nfc_fw",
    "se_key": "se_kid", "tpm_ek": "ek_hash", "tls_key": "mtls_fp", "edid": "display_edid",
    "skew_ppm": "clk_skew", "boot_count": "boots", "temperature": "therm_curve",
    "jitter": "timer_p50_p95", "compute": "sha_ms", "ram_mb": "mem_total", "geo": "cell_id",
}  # fmt: skip
CAMEL_NAMES = {
    name: "".join(part.title() if n else part for n, part in enumerate(name.split("_")))
    for name in SHORT_NAMES
}
NUMBERED_NAMES = {name: f"a{n}" for n, name in enumerate((*SHORT_NAMES, "machine_id"))}
"""Names that say nothing."""
NAMINGS = {
    "plain": PLAIN_NAMES,
    "short": SHORT_NAMES,
    "camel": CAMEL_NAMES,
    "numbered": NUMBERED_NAMES,
}


@dataclass
class Device:
    """What a device is, and what it shows from day to day."""

    name: str
    luck: random.Random
    fixed: dict[str, Any] = field(default_factory=dict)
    skew: float = 0.0
    jitter: float = 0.0
    compute: float = 0.0
    heat: tuple[float, ...] = ()
    boots: int = 0
    past: list[dict[str, Any]] = field(default_factory=list)

    def be_made(self, build: int) -> None:
        luck = self.luck
        self.fixed = {
            **_board(luck),
            **_storage(luck),
            **_software(build),
            "usb": sorted(["1-1:0c2e:0b61", "1-2:04b8:0e15", "1-3:072f:2200"]),
            "scanner_serial": f"SC{luck.randrange(10**8)}",
            "printer_serial": f"PR{luck.randrange(10**8)}",
            "nfc": luck.choice(["1.6", "1.7"]),
            "tls_key": f"{luck.getrandbits(128):032x}",
            "edid": luck.choice(["e1", "e2", "e3"]),
            "geo": f"460-00-{luck.randrange(400)}",
        }
        self.be_measured_anew()
        self.boots = luck.randrange(5, 300)

    def be_measured_anew(self) -> None:
        luck = self.luck
        self.skew = luck.gauss(0, 12)
        self.jitter = luck.lognormvariate(4, 0.25)
        self.compute = luck.lognormvariate(3, 0.08)
        self.heat = tuple(luck.gauss(at, 3) for at in (42, 48, 55, 58))

    def read(self) -> dict[str, Any]:
        luck = self.luck
        warm = luck.gauss(0, 1.5)
        return self.fixed | {
            "skew_ppm": round(self.skew + 0.3 * warm + luck.gauss(0, 0.3), 3),
            "jitter": [round(self.jitter * luck.lognormvariate(0, 0.1) * k, 2) for k in (1, 3)],
            "compute": round(self.compute * luck.lognormvariate(0, 0.02), 4),
            "temperature": [round(at + warm + luck.gauss(0, 0.5), 1) for at in self.heat],
            "boot_count": self.boots,
        }


def _board(luck: random.Random) -> dict[str, Any]:
    return {
        "cpu_serial": f"{luck.getrandbits(64):016x}",
        "board_revision": luck.choice(["c03114", "c03115", "d03114"]),
        "otp": f"{luck.getrandbits(64):016x}",
        "ethernet_mac": f"dc:a6:32:{luck.getrandbits(24):06x}",
        "wifi_mac": f"dc:a6:33:{luck.getrandbits(24):06x}",
        "bluetooth_mac": f"dc:a6:34:{luck.getrandbits(24):06x}",
        "se_key": f"{luck.getrandbits(96):024x}",
        "tpm_ek": None if luck.random() < 0.7 else f"{luck.getrandbits(96):024x}",
        "ram_mb": luck.choice([1024, 2048, 4096]),
    }


def _storage(luck: random.Random) -> dict[str, Any]:
    return {
        "machine_id": f"{luck.getrandbits(128):032x}",
        "sd_cid": f"{luck.getrandbits(128):032x}",
        "root_uuid": f"{luck.getrandbits(128):032x}",
    }


def _software(build: int) -> dict[str, Any]:
    modules = ["i2c_bcm2835", "spi_bcm2835", "cfg80211", "brcmfmac", "usbserial", "pn533"]
    return {
        "kernel": f"6.1.{20 + build // 2}-rpi",
        "os_build": f"2026.{build:02d}",
        "command_line": f"{hash_of(build // 3)}",
        "modules": sorted([*modules, f"patch{build // 2}"]),
    }


def hash_of(number: int) -> str:
    return f"{(number + 1) * 2654435761 % 2**32:08x}"


@dataclass(frozen=True)
class Seen:
    """An observation and what it truly was: empty for an honest one."""

    line: dict[str, Any]
    attack: str


def observe_fleet(
    seed: int, *, devices: int, days: int, share_attacked: float = 0.017, naming: str = "plain"
) -> Iterator[Seen]:
    """Observations by day, each device about every fourth day."""
    luck = random.Random(seed)
    fleet = [Device(f"dev{n}", random.Random(luck.getrandbits(64))) for n in range(devices)]
    names, number = NAMINGS[naming], 0
    for device in fleet:
        device.be_made(build=0)
    for day in range(days):
        for device in fleet:
            is_enrolment = not device.past
            if not (day == 0 or luck.random() < 0.25):
                continue
            if not is_enrolment:
                _live(device, luck, day)
            attack = ""
            if not is_enrolment and luck.random() < share_attacked:
                attack = luck.choice(ATTACKS)
            attrs = _attacked(device, luck, attack) if attack else device.read()
            if not attack:
                _fail(attrs, luck)
                device.past.append(attrs)
            line = {
                "obs": f"o{number}", "claimed": device.name, "day": day, "enrol": is_enrolment,
                "attrs": {names.get(key, key): value for key, value in attrs.items()},
            }  # fmt: skip
            number += 1
            yield Seen(line, attack)


def _live(device: Device, luck: random.Random, day: int) -> None:
    """What happens to an honest device between two observations."""
    device.boots += luck.choice((0, 1, 1, 2))
    device.skew += luck.gauss(0, 0.15)
    build = day // 9
    if device.fixed["os_build"] != f"2026.{build:02d}" and luck.random() < 0.4:
        device.fixed |= _software(build)
    if luck.random() < 0.006:
        device.fixed["printer_serial"] = f"PR{luck.randrange(10**8)}"
        if luck.random() < 0.3:
            device.fixed["usb"] = sorted([*device.fixed["usb"][:2], "1-4:0519:0003"])
    if luck.random() < 0.004:
        device.fixed["scanner_serial"] = f"SC{luck.randrange(10**8)}"
    if luck.random() < 0.002:
        device.fixed |= _storage(luck)
    if luck.random() < 0.01:
        device.fixed["tls_key"] = f"{luck.getrandbits(128):032x}"
    if luck.random() < 0.01:
        device.fixed["geo"] = f"460-00-{luck.randrange(400)}"


def _fail(attrs: dict[str, Any], luck: random.Random) -> None:
    """A source now and then does not answer."""
    if luck.random() < 0.01:
        attrs[luck.choice(["edid", "nfc", "geo", "temperature", "scanner_serial"])] = None


def _attacked(device: Device, luck: random.Random, attack: str) -> dict[str, Any]:
    other = Device("other", random.Random(luck.getrandbits(64)))
    other.be_made(build=0)
    other.fixed |= {key: device.fixed[key] for key in _software(0)}
    other.boots = luck.randrange(5, 400)
    match attack:
        case "sd_clone":
            kept = (*_storage(luck), "tls_key")
            return other.read() | {key: device.fixed[key] for key in kept}
        case "board_swap":
            attrs = other.read() | {key: device.fixed[key] for key in device.fixed}
            return attrs | _board(luck)
        case "emulator":
            attrs = device.read()
            gone = ("se_key", "tpm_ek", "temperature", "usb", "scanner_serial", "printer_serial")
            attrs |= dict.fromkeys(gone)
            return attrs | {"skew_ppm": round(luck.gauss(0, 0.05), 3),
                            "compute": round(luck.lognormvariate(1, 0.1), 4)}  # fmt: skip
        case "rooted":
            attrs = device.read()
            attrs["modules"] = sorted([*attrs["modules"], f"hide{luck.randrange(99)}"])
            attrs["command_line"] = f"{luck.getrandbits(32):08x}"
            return attrs
        case "peripheral_swap":
            return device.read() | {
                "scanner_serial": f"SC{luck.randrange(10**8)}",
                "printer_serial": f"PR{luck.randrange(10**8)}",
            }
        case _:
            return dict(luck.choice(device.past))


def judged(seen: list[Seen]) -> list[Trust]:
    """What is said of each, in the order in which they were seen."""
    devices = Devices(settles_after_days=3)
    return [
        devices.observe(
            one.line["claimed"],
            plain_reading(one.line["attrs"]),
            day=one.line["day"],
            is_enrolment=one.line["enrol"],
        )
        for one in seen
    ]


def known_fleet(settles_after_days: int = 0) -> tuple[Devices, dict[str, Device]]:
    """Forty devices that are known well, and what they are."""
    luck = random.Random(11)
    fleet = {f"dev{n}": Device(f"dev{n}", random.Random(luck.getrandbits(64))) for n in range(40)}
    devices = Devices(settles_after_days=settles_after_days)
    for day in range(12):
        for device in fleet.values():
            if day == 0:
                device.be_made(build=0)
            device.boots += 1
            read = plain_reading(device.read())
            devices.observe(device.name, read, day=day, is_enrolment=day == 0)
    return devices, fleet
