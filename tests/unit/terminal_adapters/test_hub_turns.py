"""Which hub a link tries next, and when."""

from terminal.adapters.hub_turns import HubTurns
from terminal.limits import HUB_USELESS_S, RECONNECT_GAPS_MS, RECONNECT_JITTER_PERCENT

ONE, TWO = ("hub-1.shop", 8883), ("hub-2.shop", 8883)


def fits(pause_s: float, gap_ms: int) -> bool:
    spread = gap_ms * RECONNECT_JITTER_PERCENT / 100
    return gap_ms - spread <= pause_s * 1000 <= gap_ms + spread


def test_a_lost_hub_is_left_for_the_next_one_at_once() -> None:
    turns = HubTurns([ONE, TWO])
    assert turns.current == ONE
    assert fits(turns.next_after(was_up=True), RECONNECT_GAPS_MS[0])
    assert turns.current == TWO


def test_pauses_grow_with_each_round_in_which_nobody_was_there() -> None:
    turns = HubTurns([ONE, TWO])
    pauses = [turns.next_after(was_up=False) for _ in range(6)]
    for pause, gap in zip(pauses, [0, 1, 1, 2, 2, 3], strict=True):
        assert fits(pause, RECONNECT_GAPS_MS[gap])
    assert fits(turns.next_after(was_up=True), RECONNECT_GAPS_MS[0])


def test_one_hub_is_tried_again_and_again() -> None:
    turns = HubTurns([ONE])
    turns.next_after(was_up=False)
    assert turns.current == ONE


class Watch:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_hub_without_a_backend_is_left_once_a_while() -> None:
    watch = Watch()
    turns = HubTurns([ONE, TWO], watch)
    assert turns.leave()
    turns.next_after(was_up=True)
    assert turns.current == TWO
    assert not turns.leave(), "the first said so a moment ago"
    watch.now_s += HUB_USELESS_S - 1
    assert not turns.leave()
    watch.now_s += 1
    assert turns.leave(), "the first may have its line again"


def test_a_hub_without_a_backend_is_kept_while_the_other_is_away() -> None:
    turns = HubTurns([ONE, TWO], Watch())
    assert turns.leave()
    turns.next_after(was_up=True)
    turns.next_after(was_up=False)
    assert turns.current == ONE
    assert not turns.leave()


def test_the_only_hub_is_never_left() -> None:
    assert not HubTurns([ONE], Watch()).leave()
