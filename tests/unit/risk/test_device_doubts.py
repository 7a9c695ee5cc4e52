"""Where nobody can be asked: what honest devices are refused for is forgiven in time, and what
attackers do is not."""

import random
from typing import Any

import pytest

from backend.risk.devices.attributes import Group
from backend.risk.devices.fleet import (
    REFUSED_DEVICES_MIN,
    Habit,
    Outcome,
    Total,
    Update,
)
from backend.risk.devices.judging import Devices, Trust, Verdict
from backend.risk.devices.readings import plain_reading
from tests.support.device_fleet import Device, known_fleet

HONEST = {Verdict.SAME, Verdict.DRIFTED}


class Told:
    """A fleet that is known well, in a file: a change stays believed after three later days."""

    def __init__(self) -> None:
        self.devices, self.fleet = known_fleet(settles_after_days=3)

    def __call__(self, name: str, day: int, **changed: Any) -> Trust:
        device = self.fleet[name]
        device.boots += 1
        read = plain_reading(device.read() | changed)
        return self.devices.observe(name, read, day=day, is_enrolment=False)


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_chip_that_is_silent_now_and_then_on_many_devices_is_no_emulator(told: Told) -> None:
    verdicts = [told(f"dev{n}", 13 + n, se_key=None).verdict for n in range(30)]
    assert verdicts[0] is Verdict.EMULATOR
    assert set(verdicts[15:]) <= HONEST
    gone = ("se_key", "otp", "temperature", "usb", "scanner_serial", "printer_serial", "wifi_mac")
    assert told("dev35", 50, **dict.fromkeys(gone), skew_ppm=0.0).verdict is Verdict.EMULATOR


def test_memory_that_was_exchanged_is_believed_when_it_stays(told: Told) -> None:
    ram = {"ram_mb": 512}
    trusts = [told("dev7", day, **ram) for day in (13, 14, 15, 16)]
    assert trusts[0].verdict not in HONEST
    assert [t.trust for t in trusts] == sorted(t.trust for t in trusts)
    assert trusts[-1].verdict in HONEST
    assert told("dev7", 17, **ram).verdict is Verdict.SAME


def test_what_honestly_changes_while_a_driver_is_doubted_is_not_added_to_the_doubt(
    told: Told,
) -> None:
    fleet = told.fleet
    late = {"modules": [*fleet["dev7"].fixed["modules"], "late_driver"]}
    doubted = [told("dev7", day, **late) for day in (13, 14)]
    assert {trust.verdict for trust in doubted} == {Verdict.TAMPERED}
    fleet["dev7"].fixed |= {"printer_serial": "PR1"}
    told("dev7", 15, **late)
    fleet["dev7"].fixed |= {"tls_key": "another", "geo": "460-00-7"}
    told("dev7", 16, **late)
    assert told("dev7", 17, **late).trust == pytest.approx(doubted[1].trust, abs=0.05)


def test_other_hardware_is_never_believed_however_long_it_stays(told: Told) -> None:
    other = Device("other", random.Random(99))
    other.be_made(build=0)
    mine = told.fleet["dev7"].fixed
    kept = {name: mine[name] for name in ("machine_id", "sd_cid", "root_uuid", "tls_key")}
    for day in range(13, 23):
        assert told("dev7", day, **(other.read() | kept)).verdict is Verdict.CLONE


def test_a_chip_of_another_is_never_believed_however_long_it_stays(told: Told) -> None:
    for day in range(13, 23):
        assert told("dev7", day, se_key="0badcafe").verdict is Verdict.CLONE


def test_the_device_itself_is_believed_at_once_after_an_attack_in_its_name(told: Told) -> None:
    assert told("dev7", 13, se_key="0badcafe", otp="1badcafe").verdict is Verdict.CLONE
    assert told("dev7", 13).verdict is Verdict.SAME


def test_a_refused_reading_that_is_sent_again_is_known_by_its_noise(told: Told) -> None:
    told.fleet["dev7"].boots += 1
    read = plain_reading(told.fleet["dev7"].read() | {"ram_mb": 512})
    for day in (13, 14):
        trust = told.devices.observe("dev7", read, day=day, is_enrolment=False)
        assert trust.verdict not in HONEST
    assert any(reason.startswith("reading_repeated") for reason in trust.reasons)


@pytest.mark.parametrize("settles_after_days", [0, 3])
def test_what_the_enrolment_could_not_read_is_read_the_next_time(settles_after_days: int) -> None:
    devices, _ = known_fleet(settles_after_days)
    device = Device("new", random.Random(5))
    device.be_made(build=0)
    first = plain_reading(device.read() | {"se_key": None, "otp": None})
    devices.observe("new", first, day=12, is_enrolment=True)
    device.boots += 1
    trust = devices.observe("new", plain_reading(device.read()), day=13, is_enrolment=False)
    assert trust.verdict in HONEST
    assert trust.trust > 0.9


def test_a_cell_is_a_place_and_no_measure_even_as_a_number() -> None:
    luck = random.Random(3)
    devices = Devices(settles_after_days=3)
    for day in range(30):
        for n in range(20):
            cell = 1_000 * n + luck.randrange(3)
            read = plain_reading({"cpu_serial": f"s{n}", "geo_cell": cell})
            trust = devices.observe(f"d{n}", read, day=day, is_enrolment=day == 0)
    moved = plain_reading({"cpu_serial": "s3", "geo_cell": 90_000})
    trust = devices.observe("d3", moved, day=31, is_enrolment=False)
    assert trust.verdict is Verdict.DRIFTED
    assert trust.changed == ("geo_cell",)


def test_the_first_refused_for_software_teach_nothing_and_the_silent_do() -> None:
    software, chip = Habit(Group.SOFTWARE), Habit(Group.ROOT)
    for _ in range(REFUSED_DEVICES_MIN):
        software.learn_refused(Update.NONE, Outcome.NOVEL)
        chip.learn_refused(Update.NONE, Outcome.VANISHED)
    assert software.outcomes[Update.NONE, Outcome.NOVEL] == 0
    assert chip.outcomes[Update.NONE, Outcome.VANISHED] == REFUSED_DEVICES_MIN
    software.learn_refused(Update.NONE, Outcome.NOVEL)
    assert software.outcomes[Update.NONE, Outcome.NOVEL] == 1


def test_a_sum_that_many_readings_reach_weighs_only_as_much_as_it_is_rare() -> None:
    rare, usual = Total(), Total()
    for number in range(2_000):
        rare.learn(0.0)
        usual.learn(7.0 if number % 50 == 0 else 0.0)
    assert rare.share_of(7.0) == 1
    assert 7 * usual.share_of(7.0) < 4
    weights = [total * usual.share_of(total) for total in (0.5, 1, 3, 6, 9, 12)]
    assert weights == sorted(weights)


def test_a_counter_that_never_fell_in_thousands_of_readings_says_more_when_it_does() -> None:
    devices = Devices(settles_after_days=3)
    for day in range(150):
        for n in range(20):
            read = plain_reading({"cpu_serial": f"s{n}", "boot_count": 100 * n + day})
            devices.observe(f"d{n}", read, day=day, is_enrolment=day == 0)
    fallen = plain_reading({"cpu_serial": "s3", "boot_count": 301})
    trust = devices.observe("d3", fallen, day=151, is_enrolment=False)
    assert trust.reasons == ("counter_fell:boot_count",)
    assert trust.trust < 0.2
