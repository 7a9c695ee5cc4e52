"""A device is known by what it is, forgiven what honestly changes, and caught when it lies."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.risk.devices.attributes import Group, attribute_of
from backend.risk.devices.judging import Devices, Trust, Verdict
from backend.risk.devices.readings import ReadingError, plain_reading
from bench.device_worlds import observe
from tests.support.device_fleet import (
    ATTACKS,
    NAMINGS,
    Device,
    hash_of,
    judged,
    known_fleet,
    observe_fleet,
)

DAYS = 40


@pytest.fixture(scope="module")
def known() -> tuple[Devices, dict[str, Device]]:
    """A fleet that is known well, and its devices."""
    return known_fleet()


def shown(known: tuple[Devices, dict[str, Device]], **changed: object) -> Trust:
    """What is said of a reading of one device with something changed."""
    devices, fleet = copy.deepcopy(known)
    device = fleet["dev7"]
    device.boots += 1
    attrs = device.read() | changed
    return devices.observe("dev7", plain_reading(attrs), day=13, is_enrolment=False)


@pytest.mark.parametrize("naming", ["plain", "short", "camel"])
def test_attacks_are_found_at_one_false_alarm_in_a_hundred(naming: str) -> None:
    seen = list(observe_fleet(5, devices=150, days=DAYS, share_attacked=0.03, naming=naming))
    trusts = judged(seen)
    honest = sorted(t.trust for s, t in zip(seen, trusts, strict=True) if not s.attack)
    limit = honest[len(honest) // 100]
    attacks = [(s.attack, t) for s, t in zip(seen, trusts, strict=True) if s.attack]
    assert {attack for attack, _ in attacks} == set(ATTACKS)
    assert sum(t.trust < limit for _, t in attacks) >= 0.9 * len(attacks)
    assert all(t.reasons for _, t in attacks if t.trust < limit)


@pytest.mark.parametrize("seed", [1, 5])
def test_attacks_are_found_in_fleets_of_another_make(seed: int) -> None:
    devices = Devices(settles_after_days=3)
    honest: list[float] = []
    attacked: list[float] = []
    for line, attack in observe(seed, devices=140, days=40, attacks=40):
        trust = devices.observe(
            line["claimed"],
            plain_reading(line["attrs"]),
            day=line["day"],
            is_enrolment=line["enrol"],
        )
        (attacked if attack else honest).append(trust.trust)
    limit = sorted(honest)[len(honest) // 100]
    assert sum(trust < limit for trust in attacked) >= 0.85 * len(attacked)


def test_names_that_say_nothing_are_judged_by_how_they_behave() -> None:
    seen = list(observe_fleet(5, devices=200, days=DAYS, share_attacked=0.03, naming="numbered"))
    trusts = judged(seen)
    honest = sorted(t.trust for s, t in zip(seen, trusts, strict=True) if not s.attack)
    limit = honest[len(honest) // 100]
    for attack in ("sd_clone", "board_swap", "emulator"):
        found = [t.trust < limit for s, t in zip(seen, trusts, strict=True) if s.attack == attack]
        assert sum(found) >= 0.9 * len(found), attack


def test_a_later_observation_changes_no_earlier_verdict() -> None:
    seen = list(observe_fleet(6, devices=30, days=20, share_attacked=0.1))
    assert judged(seen[:150]) == judged(seen)[:150]


def test_a_device_that_only_went_on_is_the_same(known: tuple[Devices, dict[str, Device]]) -> None:
    assert shown(known).verdict is Verdict.SAME


def test_an_update_is_drift_and_so_is_a_new_printer(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    update = shown(
        known, os_build="2026.03", kernel="6.1.22-rpi", command_line=hash_of(4),
        modules=["i2c_bcm2835", "spi_bcm2835", "cfg80211", "brcmfmac", "usbserial", "pn533", "new"],
    )  # fmt: skip
    printer = shown(known, printer_serial="PR99")
    for trust in (update, printer):
        assert trust.verdict is Verdict.DRIFTED
        assert trust.trust > 0.5
    assert "kernel" in update.changed
    assert printer.changed == ("printer_serial",)


def test_a_key_copied_to_other_hardware_is_a_clone(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    other = Device("other", random.Random(99))
    other.be_made(build=0)
    mine = known[1]["dev7"].fixed
    kept = {name: mine[name] for name in ("machine_id", "sd_cid", "root_uuid", "tls_key")}
    trust = shown(known, **(other.read() | kept))
    assert trust.verdict is Verdict.CLONE
    assert trust.trust < 0.01
    assert any(reason.startswith("hardware_changed:") for reason in trust.reasons)


def test_software_that_changes_outside_an_update_is_tampering(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    trust = shown(known, command_line="feedbeef", modules=["hide"])
    assert trust.verdict is Verdict.TAMPERED


def test_a_driver_that_others_have_says_less_than_one_that_nobody_has(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    modules = [*known[1]["dev7"].fixed["modules"]]
    devices = copy.deepcopy(known)
    for name in ("dev1", "dev2"):
        attrs = devices[1][name].read() | {"modules": [*modules, "uvcvideo"]}
        devices[0].accept(name, plain_reading(attrs))
    usual = shown(devices, modules=[*modules, "uvcvideo"])
    unheard = shown(devices, modules=[*modules, "rootkit"])
    assert unheard.trust < usual.trust
    assert unheard.changed == usual.changed == ("modules",)


@pytest.mark.parametrize("settles_after_days", [0, 3])
def test_what_several_devices_go_on_showing_is_known_where_nobody_can_be_asked(
    known: tuple[Devices, dict[str, Device]], settles_after_days: int
) -> None:
    devices, fleet = copy.deepcopy(known)
    devices.settles_after_days = settles_after_days
    modules = [*fleet["dev7"].fixed["modules"], "late_driver"]

    def verdict(name: str, day: int) -> Verdict:
        fleet[name].boots += 1
        read = plain_reading(fleet[name].read() | {"modules": modules})
        return devices.observe(name, read, day=day, is_enrolment=False).verdict

    for day in range(13, 17):
        for name in ("dev1", "dev2", "dev3"):
            first = verdict(name, day)
            assert day > 15 or first is Verdict.TAMPERED, (name, day)
    expected = Verdict.DRIFTED if settles_after_days else Verdict.TAMPERED
    assert verdict("dev7", 17) is expected


def test_one_source_that_falls_silent_and_answers_again_is_no_attack(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    devices, fleet = copy.deepcopy(known)
    for change in ({"bluetooth_mac": None}, {}):
        fleet["dev7"].boots += 1
        read = plain_reading(fleet["dev7"].read() | change)
        trust = devices.observe("dev7", read, day=13, is_enrolment=False)
        assert trust.verdict in {Verdict.SAME, Verdict.DRIFTED}


def test_some_measures_that_repeat_are_no_replay_when_others_do_not(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    devices, fleet = copy.deepcopy(known)
    before = fleet["dev7"].read()
    devices.observe("dev7", plain_reading(before), day=13, is_enrolment=False)
    again = {name: before[name] for name in ("skew_ppm", "compute")}
    assert shown((devices, fleet), **again).verdict is Verdict.SAME


def test_two_peripherals_at_once_are_tampering(known: tuple[Devices, dict[str, Device]]) -> None:
    trust = shown(known, scanner_serial="SC1", printer_serial="PR1")
    assert trust.verdict is Verdict.TAMPERED
    assert any(reason.startswith("peripherals_changed_at_once") for reason in trust.reasons)


def test_silent_hardware_is_an_emulator(known: tuple[Devices, dict[str, Device]]) -> None:
    gone = ("se_key", "otp", "temperature", "usb", "scanner_serial", "printer_serial", "wifi_mac")
    trust = shown(known, **dict.fromkeys(gone), skew_ppm=0.0)
    assert trust.verdict is Verdict.EMULATOR


def test_an_old_reading_sent_again_is_known_by_its_noise(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    devices, fleet = copy.deepcopy(known)
    old = plain_reading(fleet["dev7"].read())
    assert devices.observe("dev7", old, day=13, is_enrolment=False).verdict is Verdict.SAME
    fleet["dev7"].boots += 4
    devices.observe("dev7", plain_reading(fleet["dev7"].read()), day=14, is_enrolment=False)
    again = devices.observe("dev7", old, day=15, is_enrolment=False)
    assert again.verdict is Verdict.CLONE
    assert any(reason.startswith("reading_repeated") for reason in again.reasons)


def test_a_counter_that_fell_lowers_trust(known: tuple[Devices, dict[str, Device]]) -> None:
    trust = shown(known, boot_count=1)
    assert "counter_fell:boot_count" in trust.reasons
    assert trust.trust < shown(known).trust


def test_an_enrolment_with_the_hardware_of_another_is_a_clone(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    devices, fleet = copy.deepcopy(known)
    read = plain_reading(fleet["dev7"].read())
    trust = devices.observe("new", read, day=13, is_enrolment=True)
    assert trust.verdict is Verdict.CLONE
    assert "new" not in devices.profiles


def test_a_refused_change_is_not_learned_until_somebody_accepts_it(
    known: tuple[Devices, dict[str, Device]],
) -> None:
    devices, fleet = copy.deepcopy(known)
    swapped = {"scanner_serial": "SC1", "printer_serial": "PR1"}
    for day in (13, 14, 15, 16, 17):
        read = plain_reading(fleet["dev7"].read() | swapped)
        trust = devices.observe("dev7", read, day=day, is_enrolment=False)
        assert trust.verdict is Verdict.TAMPERED
    devices.accept("dev7", read)
    read = plain_reading(fleet["dev7"].read() | swapped)
    assert devices.observe("dev7", read, day=18, is_enrolment=False).verdict is Verdict.SAME


def test_every_naming_means_the_same_attributes() -> None:
    for name, spoken in NAMINGS["short"].items():
        assert attribute_of(spoken).group is attribute_of(name).group, (name, spoken)
    for name, spoken in NAMINGS["camel"].items():
        assert attribute_of(spoken) == attribute_of(name)
    assert attribute_of("a7").group is Group.OTHER


@pytest.mark.parametrize(
    ("attrs", "why"),
    [
        ("text", "not an object"),
        ({"x": float("nan")}, "x: nan"),
        ({"x": [1.0, float("inf")]}, "x: inf"),
        ({"x": [10**400, 1]}, "x: inf"),
        ({"x": ["a"] * 600}, "members"),
        ({"x": "y" * 2000}, "characters"),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, "nested"),
        ({f"x{n}": 1 for n in range(200)}, "attributes"),
    ],
)
def test_a_reading_that_cannot_be_is_refused(attrs: object, why: str) -> None:
    with pytest.raises(ReadingError, match=why):
        plain_reading(attrs)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8), st.lists(st.text(max_size=3), max_size=4),
    st.lists(st.floats(-1e9, 1e9), max_size=4),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(["kernel", "boots", "x", "skew"]), VALUES),
                max_size=12))  # fmt: skip
def test_any_reading_is_judged(readings: list[dict[str, object]]) -> None:
    devices = Devices(settles_after_days=2)
    for day, attrs in enumerate(readings):
        trust = devices.observe("a", plain_reading(attrs), day=day, is_enrolment=False)
        assert 0 <= trust.trust <= 1
