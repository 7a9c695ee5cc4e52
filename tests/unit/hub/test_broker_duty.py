"""Of the hubs on one broker one takes requests: the one that can bring them to the backend."""

from hub.limits import BROKER_OTHER_HUB_SILENT_S, BROKER_STEADY_S
from hub.mqtt.duty import Duty, Word

LOW, HIGH = b"\x01", b"\x02"
NOW_S = 100.0


def said(kid: bytes, *, is_online: bool = True) -> Word:
    return Word(kid, is_online)


def a_hub(kid: bytes, *, is_online: bool = True) -> Duty:
    duty = Duty(kid)
    duty.says(is_online=is_online, now_s=NOW_S)
    return duty


def test_a_hub_alone_is_on_duty_however_it_is() -> None:
    for is_online in (True, False):
        assert a_hub(HIGH, is_online=is_online).is_on(NOW_S)


def test_of_two_that_are_online_one_is_on_duty_and_says_so_last() -> None:
    low, high = a_hub(LOW), a_hub(HIGH)
    assert low.hears(said(HIGH), NOW_S)
    assert not high.hears(said(LOW), NOW_S)
    assert (low.is_on(NOW_S), high.is_on(NOW_S)) == (True, False)


def test_the_other_takes_over_when_the_one_on_duty_is_cut_off_and_leaves_when_it_is_back() -> None:
    low, high = a_hub(LOW), a_hub(HIGH)
    high.hears(said(LOW), NOW_S)
    low.says(is_online=False, now_s=NOW_S)
    high.hears(said(LOW, is_online=False), NOW_S)
    low.hears(said(HIGH), NOW_S)
    assert (low.is_on(NOW_S), high.is_on(NOW_S)) == (False, True)
    low.says(is_online=True, now_s=NOW_S)
    back_s = NOW_S + BROKER_STEADY_S
    low.hears(said(HIGH), back_s)
    high.hears(said(LOW), back_s)
    assert (low.is_on(back_s), high.is_on(back_s)) == (True, False)


def test_a_line_that_comes_and_goes_moves_duty_once() -> None:
    low, high = a_hub(LOW), a_hub(HIGH)
    low.says(is_online=False, now_s=NOW_S)
    high.hears(said(LOW, is_online=False), NOW_S)
    low.hears(said(HIGH), NOW_S)
    for now_s in range(int(NOW_S), int(NOW_S) + 5 * BROKER_STEADY_S, 30):
        low.hears(said(HIGH), now_s)
        low.says(is_online=now_s // 30 % 2 == 0, now_s=now_s)
        assert (low.is_on(now_s), high.is_on(NOW_S)) == (False, True)
    low.hears(said(HIGH, is_online=False), now_s)
    assert low.is_on(now_s), "the other is cut off: it waits for nothing"


def test_two_that_begin_at_once_wait_for_nothing() -> None:
    low, high = a_hub(LOW), a_hub(HIGH)
    low.hears(said(HIGH), NOW_S)
    high.hears(said(LOW), NOW_S)
    assert (low.is_on(NOW_S), high.is_on(NOW_S)) == (True, False)


def test_two_that_are_cut_off_are_both_on_duty_and_do_not_answer_each_other() -> None:
    low, high = a_hub(LOW, is_online=False), a_hub(HIGH, is_online=False)
    assert not low.hears(said(HIGH, is_online=False), NOW_S)
    assert not high.hears(said(LOW, is_online=False), NOW_S)
    assert low.is_on(NOW_S)
    assert high.is_on(NOW_S)


def test_a_hub_that_has_gone_silent_is_not_counted_on() -> None:
    high = a_hub(HIGH)
    high.hears(said(LOW), NOW_S)
    assert not high.is_on(NOW_S + BROKER_OTHER_HUB_SILENT_S)
    assert high.is_on(NOW_S + BROKER_OTHER_HUB_SILENT_S + 1)


def test_its_own_word_tells_a_hub_nothing() -> None:
    high = a_hub(HIGH)
    assert not high.hears(said(HIGH), NOW_S)
    assert high.is_on(NOW_S)
