"""A reading is compared in one pass and an attribute's kind is settled once; neither changes a
word of a judgement."""

import hashlib
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.risk.devices.attributes import Group
from backend.risk.devices.fleet import EXPECTED_WEIGHT, Habit
from backend.risk.devices.judging import Devices, Trust
from backend.risk.devices.readings import Curve, Number, Plain, plain_reading
from bench.device_worlds import observe

PLAIN_WAY = {
    (1, 0): "8065e2722fd75ece",
    (4, 3): "a59f676e2d1b7502",
    (6, 0): "1865a2bca2591ab9",
    (6, 3): "b9d79db67f7ef141",
}
"""By seed and days to settle: the digest of all that is said. What only makes judging quicker
leaves it as it is; what judges otherwise is seen here."""
WILD = "748f74807d5ef97b"
SHAPES: tuple[object, ...] = (
    None, "", "a", "b", "c", 0, 1, 2, 0.25, 0.5, [], [0.25], [0.25, 0.5], ["x"], ["x", "y"], True,
    1 << 60,
)  # fmt: skip
NAMES = ("a", "boot_count", "zz", "temp", "serial", "os_build", "kernel", "usb", "w1", "w2", "w3")


def said(trusts: Iterator[Trust]) -> str:
    digest = hashlib.sha256()
    for one in trusts:
        words = (f"{one.trust:.9g}", one.verdict.value, one.reasons, one.changed)
        digest.update(repr(words).encode())
    return digest.hexdigest()[:16]


def of_a_world(seed: int, settles_after_days: int) -> Iterator[Trust]:
    """A small fleet with attacks; a person accepts some of what was refused."""
    devices = Devices(settles_after_days=settles_after_days)
    for number, (line, _) in enumerate(observe(seed, devices=90, days=30, attacks=40)):
        reading = plain_reading(line["attrs"])
        trust = devices.observe(
            line["claimed"], reading, day=line["day"], is_enrolment=line["enrol"]
        )
        yield trust
        if trust.trust < 0.3 and number % 7 == 0:
            devices.accept(line["claimed"], reading, is_anew=number % 2 == 0)


def of_wild_readings() -> Iterator[Trust]:
    """Attributes that come, go and change their shapes."""
    luck, devices = random.Random(3), Devices(settles_after_days=2)
    for number in range(3_000):
        names = luck.sample(NAMES, luck.randrange(1, len(NAMES)))
        reading = plain_reading({name: luck.choice(SHAPES) for name in names})
        name, is_enrolment = f"d{luck.randrange(20)}", luck.random() < 0.05
        yield devices.observe(name, reading, day=number // 50, is_enrolment=is_enrolment)


@pytest.mark.parametrize(("seed", "settles_after_days"), PLAIN_WAY)
def test_a_fleet_is_judged_in_the_words_of_the_plain_way(
    seed: int, settles_after_days: int
) -> None:
    assert said(of_a_world(seed, settles_after_days)) == PLAIN_WAY[seed, settles_after_days]


def test_readings_of_any_shape_are_judged_in_the_words_of_the_plain_way() -> None:
    assert said(of_wild_readings()) == WILD


shown = st.one_of(
    st.none(),
    st.just("a name"),
    st.builds(Number, st.integers(0, 3).map(float), st.booleans()),
    st.builds(Curve, st.tuples(st.integers(0, 2).map(float))),
)


@given(st.sampled_from(Group), st.lists(shown, max_size=30), st.integers(1, 300))
def test_what_a_number_is_is_always_what_all_numbers_before_it_say(
    group: Group, values: list[Plain], times: int
) -> None:
    habit, before = Habit(group), None
    for value in [*values, *values[:1] * times]:
        if isinstance(value, Number | Curve):
            habit.learn_number(before, value)
        before = value
        assert (habit.is_counter, habit.is_measured, habit.is_numeric) == kind_of(habit)


def kind_of(habit: Habit) -> tuple[bool, bool, bool]:
    """The definitions, asked anew."""
    enough = habit.numbers >= EXPECTED_WEIGHT
    rises = habit.rises > 0.2 * habit.numbers and habit.falls <= 0.005 * habit.numbers
    is_counter = habit.group is Group.COUNTER or (enough and rises)
    is_place = habit.group is Group.PLACE
    is_measured = not is_counter and not is_place and habit.equals_rate() < 0.5
    is_open = habit.group is Group.OTHER and not enough
    return is_counter, is_measured, is_counter or is_measured or is_open
