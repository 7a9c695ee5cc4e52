"""Fleets that differ in everything a judge of devices cannot know: names and shapes of attributes,
how often what changes, how loud the measures are, how well an attacker copies. From a seed.

It shares no code and no constants with the fleet of the tests: what is tuned to one shows here.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

ATTACKS = ("sd_clone", "board_swap", "emulator", "rooted", "peripheral_swap", "replay")
Attrs = dict[str, Any]

NAMES: dict[str, Sequence[str]] = {
    "cpu_serial": ("cpu_serial", "soc_serial", "cpuSerial", "serial_number"),
    "board_rev": ("board_revision", "board_rev", "revision", "boardRevision"),
    "otp": ("otp", "otp_hash", "otpRows", "otp_key_present"),
    "machine_id": ("machine_id", "machine-id", "machineId", "etc_machine_id"),
    "kernel": ("kernel", "kernel_release", "osrelease", "kernelVersion"),
    "os_build": ("os_build", "os_image", "osBuild", "image_build"),
    "cmdline": ("cmdline_hash", "cmdline", "cmdlineHash", "kernel_cmdline"),
    "modules": ("modules", "module_set", "kernelModules", "loaded_modules"),
    "eth_mac": ("eth_mac", "mac_eth", "ethMac", "ethernet_mac"),
    "wifi_mac": ("wifi_mac", "mac_wifi", "wifiMac", "wlan_mac"),
    "bt_mac": ("bt_mac", "mac_bt", "btMac", "bluetooth_mac"),
    "sd_cid": ("sd_cid", "cid", "sdCid", "emmc_cid"),
    "rootfs": ("rootfs_uuid", "root_uuid", "rootfsUuid", "verity_root_hash"),
    "usb": ("usb_topology", "usb", "usbTopology", "usb_devices"),
    "scanner": ("scanner_serial", "scanner", "scannerSerial", "scanner_sn"),
    "printer": ("printer_serial", "printer", "printerSerial", "printer_sn"),
    "nfc": ("nfc_fw", "nfc_firmware", "nfcFirmware", "nfc"),
    "se_key": ("se_key_id", "se_key", "seKeyId", "secure_element_key"),
    "tpm_ek": ("tpm_ek", "tpm_ek_hash", "tpmEk", "tpm"),
    "tls": ("tls_fp", "tls_key_fp", "tlsKeyFingerprint", "client_key_fp"),
    "edid": ("edid", "edid_hash", "edidHash", "display_edid"),
    "skew": ("clock_skew_ppm", "skew_ppm", "clockSkew", "clock_skew"),
    "boots": ("boot_count", "boots", "bootCount", "counter"),
    "temp": ("temp_curve", "temperature", "tempCurve", "thermal"),
    "jitter": ("timer_jitter", "jitter_us", "timerJitter", "jitter"),
    "compute": ("compute_sig", "sha_ms", "computeSignature", "sha256_time"),
    "ram": ("ram_mb", "ram_size", "ramSize", "mem_total_kb"),
    "geo": ("geo_cell", "cell", "geoCell", "cell_id"),
}
GROUPS = {
    "hardware": ("cpu_serial", "board_rev", "otp", "se_key", "tpm_ek", "ram"),
    "network": ("eth_mac", "wifi_mac", "bt_mac"),
    "behaviour": ("skew", "temp", "jitter", "compute", "boots"),
}
"""How a nested source sorts a part of its attributes."""


@dataclass(frozen=True, slots=True)
class World:
    """What one fleet is like."""

    style: int
    """Which of each attribute's names."""
    is_nested: bool
    curve_points: int
    """Of the temperature; 0: one value."""
    jitter_points: int
    decimals: int
    boots_per_reading: tuple[int, ...]
    update_days: int
    update_share: float
    """Of devices, a day, once there is an update."""
    modules_with_update: float
    cmdline_with_update: float
    module_alone: float
    """Honest changes per reading, each."""
    printer: float
    scanner: float
    sd_card: float
    tls: float
    geo: float
    silent: float
    skew_noise: float
    skew_by_heat: float
    loudness: float
    has_tpm: float
    has_se: float
    is_copying_counter: bool
    """Whether an attacker goes on with the counter."""
    root_traces: int
    """What a rooted device shows of it: one to three attributes."""

    @classmethod
    def of(cls, luck: random.Random) -> "World":
        """Any world."""
        return cls(
            style=luck.randrange(4),
            is_nested=luck.random() < 0.25,
            curve_points=luck.choice([0, 3, 5, 8]),
            jitter_points=luck.choice([0, 2]),
            decimals=luck.choice([2, 3, 4]),
            boots_per_reading=luck.choice([(0, 0, 1), (0, 1, 1, 2), (1, 2, 3)]),
            update_days=luck.choice([14, 21, 30]),
            update_share=luck.choice([0.08, 0.2, 0.5]),
            modules_with_update=luck.choice([0.0, 0.3, 1.0]),
            cmdline_with_update=luck.choice([0.0, 0.2]),
            module_alone=luck.choice([0.0, 0.002, 0.005]),
            printer=luck.choice([0.002, 0.005, 0.01]),
            scanner=luck.choice([0.001, 0.003]),
            sd_card=luck.choice([0.0, 0.001]),
            tls=luck.choice([0.005, 0.01, 0.02]),
            geo=luck.choice([0.01, 0.03, 0.06]),
            silent=luck.choice([0.0, 0.01, 0.03]),
            skew_noise=luck.choice([0.2, 0.5, 1.0]),
            skew_by_heat=luck.choice([0.02, 0.05, 0.1]),
            loudness=luck.choice([0.01, 0.03, 0.06]),
            has_tpm=luck.choice([0.0, 0.3, 1.0]),
            has_se=luck.choice([0.5, 1.0]),
            is_copying_counter=luck.random() < 0.5,
            root_traces=luck.choice([1, 2, 3]),
        )


@dataclass(slots=True)
class Made:
    """One device: what stands still, what it is like when measured, and what it has sent."""

    name: str
    still: Attrs
    skew: float
    jitter: float
    compute: float
    heat: float
    boots: int
    build: int = 0
    sent: list[Attrs] = field(default_factory=list)


def observe(seed: int, *, devices: int, days: int, attacks: int) -> Iterator[tuple[Attrs, str]]:
    """Lines of a file, in order of days, each with its attack or an empty text."""
    luck = random.Random(seed)
    world = World.of(luck)
    fleet = [_make(world, luck, f"dev-{number:05}") for number in range(devices)]
    joins = {one.name: 0 if luck.random() < 0.8 else luck.randrange(days // 2) for one in fleet}
    share = attacks / (devices * days * 0.25)
    number = 0
    for day in range(days):
        for one in fleet:
            if day < joins[one.name] or not (day == joins[one.name] or luck.random() < 0.25):
                continue
            is_enrolment = not one.sent
            if not is_enrolment:
                _live(world, one, luck, day)
            attack = ""
            if not is_enrolment and luck.random() < share:
                attack = luck.choice(ATTACKS)
            attrs = _attack(world, one, luck, attack) if attack else _read(world, one, luck)
            if not attack:
                _fall_silent(world, attrs, luck)
                one.sent.append(attrs)
            number += 1
            line = {"obs": number, "claimed": one.name, "day": day, "enrol": is_enrolment}
            yield {**line, "attrs": _told(world, attrs)}, attack


def _hex(luck: random.Random, digits: int) -> str:
    return f"{luck.getrandbits(4 * digits):0{digits}x}"


def _make(world: World, luck: random.Random, name: str) -> Made:
    model = luck.randrange(4)
    still: Attrs = {
        "cpu_serial": _hex(luck, 16),
        "board_rev": ("a02082", "c03114", "c03115", "d04170")[model],
        "otp": _hex(luck, 16) if world.style != 3 else True,
        "machine_id": _hex(luck, 32),
        "eth_mac": _mac(luck),
        "wifi_mac": _mac(luck),
        "bt_mac": _mac(luck),
        "sd_cid": _hex(luck, 32),
        "rootfs": _hex(luck, 12),
        "usb": ["1-1:0424:9514", "1-1.2:05f9:2216", "1-1.3:04b8:0202", "1-1.4:072f:2200"],
        "scanner": f"S{luck.randrange(10**7):07}",
        "printer": f"P{luck.randrange(10**7):07}",
        "nfc": luck.choice(["PN532 1.6", "PN532 1.7"]),
        "se_key": _hex(luck, 16) if luck.random() < world.has_se else None,
        "tpm_ek": _hex(luck, 32) if luck.random() < world.has_tpm else None,
        "tls": _hex(luck, 40),
        "edid": luck.choice(["7f1e", "88aa", "c0de"]),
        "ram": (1024, 2048, 4096, 8192)[model],
        "geo": f"{luck.randrange(300):04x}",
        **_software(0, has_modules=True, has_cmdline=True),
    }
    return Made(
        name, still,
        skew=luck.gauss(0, 15), jitter=luck.lognormvariate(4, 0.3),
        compute=(9.5, 5.1, 4.9, 2.2)[model] * luck.lognormvariate(0, 0.03),
        heat=luck.gauss(50, 4), boots=luck.randrange(3, 400),
    )  # fmt: skip


def _mac(luck: random.Random) -> str:
    oui = luck.choice(["b8:27:eb", "dc:a6:32", "e4:5f:01"])
    return oui + "".join(f":{luck.randrange(256):02x}" for _ in range(3))


def _software(build: int, *, has_modules: bool, has_cmdline: bool) -> Attrs:
    found: Attrs = {
        "kernel": f"6.6.{31 + 3 * build}+rpt-rpi-v8",
        "os_build": f"pos-{2026_01 + build}",
    }
    if has_modules:
        base = ["bcm2835_v4l2", "brcmfmac", "cdc_acm", "fuse", "i2c_dev", "snd_bcm2835", "spidev"]
        found["modules"] = sorted([*base, *(f"drv{number}" for number in range(build))])
    if has_cmdline:
        found["cmdline"] = f"{(build + 7) * 48_271 % 2**31:08x}"
    return found


def _live(world: World, one: Made, luck: random.Random, day: int) -> None:
    """What honestly happens to a device between two readings."""
    one.boots += luck.choice(world.boots_per_reading)
    newest = day // world.update_days
    if one.build < newest and luck.random() < 1 - (1 - world.update_share) ** 4:
        one.build = newest
        one.still |= _software(
            newest,
            has_modules=luck.random() < world.modules_with_update,
            has_cmdline=random.Random(newest).random() < world.cmdline_with_update,
        )
    if luck.random() < world.module_alone:
        one.still["modules"] = sorted(
            {*one.still["modules"], luck.choice(["uvcvideo", "ftdi_sio"])}
        )
    if luck.random() < world.printer:
        one.still["printer"] = f"P{luck.randrange(10**7):07}"
        if luck.random() < 0.4:
            one.still["usb"] = [*one.still["usb"][:2], "1-1.3:0519:0003", one.still["usb"][3]]
    elif luck.random() < world.scanner:
        one.still["scanner"] = f"S{luck.randrange(10**7):07}"
    if luck.random() < world.sd_card:
        one.still |= {
            "sd_cid": _hex(luck, 32),
            "machine_id": _hex(luck, 32),
            "rootfs": _hex(luck, 12),
        }
    if luck.random() < world.tls:
        one.still["tls"] = _hex(luck, 40)
    if luck.random() < world.geo:
        one.still["geo"] = f"{luck.randrange(300):04x}"


def _read(world: World, one: Made, luck: random.Random) -> Attrs:
    warm, places = luck.gauss(0, 4), world.decimals
    compute = one.compute * luck.lognormvariate(0, world.loudness / 3)
    jitter = one.jitter * luck.lognormvariate(0, world.loudness * 3)
    points = [
        one.heat + 4 * at + warm + luck.gauss(0, 0.6) for at in range(world.curve_points or 1)
    ]
    skew = one.skew + world.skew_by_heat * warm + luck.gauss(0, world.skew_noise)
    ends = [jitter, jitter * luck.lognormvariate(1.1, 0.05)]
    return one.still | {
        "skew": round(skew, places),
        "boots": one.boots,
        "temp": [round(at, 1) for at in points] if world.curve_points else round(points[0], 1),
        "jitter": (
            [round(end, places) for end in ends[: world.jitter_points]]
            if world.jitter_points
            else round(jitter, 2)
        ),
        "compute": round(compute, places),
    }  # fmt: skip


def _fall_silent(world: World, attrs: Attrs, luck: random.Random) -> None:
    """Now and then a source does not answer."""
    if luck.random() < world.silent:
        attrs[
            luck.choice(["edid", "nfc", "geo", "temp", "scanner", "printer", "bt_mac", "usb"])
        ] = None


def _attack(world: World, one: Made, luck: random.Random, attack: str) -> Attrs:
    other = _make(world, luck, "")
    other.boots = one.boots + 1 if world.is_copying_counter else other.boots
    match attack:
        case "sd_clone":  # the card's image in another board
            copied = ("machine_id", "rootfs", "tls", "kernel", "os_build", "cmdline", "modules")
            return _read(world, other, luck) | {name: one.still[name] for name in copied}
        case "board_swap":  # the device's card and peripherals on another board
            kept = ("machine_id", "rootfs", "sd_cid", "tls", "kernel", "os_build", "cmdline",
                    "modules", "scanner", "printer", "nfc", "usb", "edid", "geo")  # fmt: skip
            return _read(world, other, luck) | {name: one.still[name] for name in kept}
        case "emulator":  # every value that can be copied is
            gone = ("se_key", "tpm_ek", "temp", "usb", "nfc")
            faked = _read(world, one, luck) | dict.fromkeys(luck.sample(gone, 3))
            faked["skew"] = round(luck.gauss(0, 0.05), world.decimals)
            faked["compute"] = round(luck.lognormvariate(-0.5, 0.2), world.decimals)
            return faked | {"boots": other.boots}
        case "rooted":
            attrs = _read(world, one, luck)
            traces: list[Attrs] = [
                {"modules": sorted([*attrs["modules"], f"rk{luck.randrange(50)}"])},
                {"cmdline": _hex(luck, 8)},
                {"kernel": attrs["kernel"] + "-custom"},
            ]
            for trace in traces[: world.root_traces]:
                attrs |= trace
            return attrs
        case "peripheral_swap":
            return _read(world, one, luck) | {
                "scanner": f"S{luck.randrange(10**7):07}", "printer": f"P{luck.randrange(10**7):07}"
            }  # fmt: skip
        case _:
            old = dict(luck.choice(one.sent))
            return old | {"boots": one.boots} if world.is_copying_counter else old


def _told(world: World, attrs: Attrs) -> Attrs:
    """As this world's source names and shapes them."""
    named = {NAMES[name][world.style]: value for name, value in attrs.items()}
    if not world.is_nested:
        return named
    nested: Attrs = {}
    for group, names in GROUPS.items():
        nested[group] = {
            NAMES[name][world.style]: named.pop(NAMES[name][world.style]) for name in names
        }
    return named | nested
