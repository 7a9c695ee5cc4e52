"""What a till forgets of the answers that were signed for it: what is over for long, and of what is
not over what says the same again."""

from typing import Any

import pytest

from protocol.errors import CallerError
from terminal.domain.refund import RefundState
from terminal.domain.sale import SaleState
from terminal.effects import Transmit
from terminal.inputs import Dismiss, StartRefund
from terminal.journal import forgetting
from terminal.limits import (
    ANSWERS_FORGOTTEN_MAX,
    ANSWERS_KEPT_DAYS,
    ANSWERS_KEPT_DAYS_MIN,
    ANSWERS_REPEATED_KEPT_MS,
    DAY_MS,
)
from tests.unit.terminal.fakes import BACKEND_KEY, Bench, opened, refusal, sell, sign

STEP_DAYS = 5


def word(bench: Bench, to: Transmit, state: str = "captured", *, ahead_ms: int = 0) -> bytes:
    """The backend's word about a sale, at the time that it is; ``ahead_ms``: the till's clock."""
    body = opened(to).body
    kept = {name: body[name] for name in ("payment_id", "amount_minor", "currency", "method")}
    at_ms = bench.clock.now_ms() - ahead_ms
    return sign("payment.result", {**kept, "state": state}, request_id=to.request_id, at_ms=at_ms)


def sell_once(bench: Bench) -> str:
    create = sell(bench)
    bench.answer(word(bench, create))
    bench.feed(Dismiss())
    return str(opened(create).body["payment_id"])


def live(bench: Bench, days: int) -> None:
    """Sales go on."""
    for _ in range(days // STEP_DAYS):
        sell_once(bench)
        bench.clock.forward(STEP_DAYS * DAY_MS)


def answers_about(bench: Bench, subject: str) -> list[int]:
    """When the answers came, oldest first."""
    query = "SELECT at_ms FROM answers WHERE subject = ? ORDER BY at_ms"
    return [row["at_ms"] for row in bench.journal.database.execute(query, (subject,))]


def count(bench: Bench) -> int:
    return int(bench.journal.database.execute("SELECT count(*) FROM answers").fetchone()[0])


def test_a_till_keeps_the_answers_of_two_years_and_no_more(tmp_path: Any) -> None:
    bench = Bench(tmp_path / "journal.db")
    live(bench, ANSWERS_KEPT_DAYS)
    first = bench.agent.recent(1_000)[-1].payment_id
    assert len(answers_about(bench, first)) == 1, "two years are not over"
    live(bench, 2 * ANSWERS_KEPT_DAYS)
    assert answers_about(bench, first) == []
    assert count(bench) <= ANSWERS_KEPT_DAYS // STEP_DAYS + 2
    assert bench.agent.sale(first) is not None, "the sale's own record stays"
    bench.power_cut()
    bench.boot()
    live(bench, 4 * STEP_DAYS)
    assert count(bench) <= ANSWERS_KEPT_DAYS // STEP_DAYS + 2


def test_how_long_may_be_set() -> None:
    bench = Bench(answers_kept_days=ANSWERS_KEPT_DAYS_MIN)
    live(bench, 2 * ANSWERS_KEPT_DAYS_MIN)
    assert count(bench) <= ANSWERS_KEPT_DAYS_MIN // STEP_DAYS + 2


def test_of_too_many_what_is_over_goes_before_its_time_but_no_earlier_than_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forgetting, "ANSWERS_MAX", 20)
    bench = Bench()
    live(bench, ANSWERS_KEPT_DAYS)
    least = ANSWERS_KEPT_DAYS_MIN // STEP_DAYS
    assert least <= count(bench) <= least + 2


def test_what_is_not_over_keeps_its_answers_however_old(tmp_path: Any) -> None:
    bench = Bench(tmp_path / "journal.db")
    unknown = sell(bench)
    bench.answer(word(bench, unknown, "unknown"))
    unknown_id = str(opened(unknown).body["payment_id"])
    bench.feed(Dismiss())
    paid_id = sell_once(bench)
    bench.feed(StartRefund(payment_id=paid_id, amount_minor=1))
    bench.feed(Dismiss())
    over_id = sell_once(bench)
    uncertain_id = sell_once(bench)
    bench.journal.database.execute(
        "UPDATE sales SET delivery = 'uncertain' WHERE payment_id = ?", (uncertain_id,)
    )
    for _ in range(3):
        live(bench, ANSWERS_KEPT_DAYS)
        for kept in (unknown_id, paid_id, uncertain_id):
            assert answers_about(bench, kept), kept
    assert answers_about(bench, over_id) == []
    assert bench.agent.sale(unknown_id).state is SaleState.UNKNOWN  # type: ignore[union-attr]
    [refund] = bench.agent.refunds_of(paid_id)
    assert refund.state is not RefundState.SUCCEEDED


def test_of_what_is_asked_about_for_ever_the_first_word_the_newest_and_the_last_days_stay() -> None:
    bench = Bench()
    unknown = sell(bench)
    unknown_id = str(opened(unknown).body["payment_id"])
    began_ms = bench.clock.now_ms()
    for _ in range(100):
        bench.answer(word(bench, unknown, "unknown"))
        bench.clock.forward(DAY_MS // 2)
    kept = answers_about(bench, unknown_id)
    assert kept[0] == began_ms
    assert kept[-1] == began_ms + 99 * DAY_MS // 2
    since_ms = kept[-1] - ANSWERS_REPEATED_KEPT_MS
    assert [at_ms for at_ms in kept[1:] if at_ms < since_ms - DAY_MS] == []
    assert len(kept) >= 1 + ANSWERS_REPEATED_KEPT_MS // (DAY_MS // 2)
    assert bench.agent.sale(unknown_id).state is not SaleState.PAID  # type: ignore[union-attr]


def test_a_till_whose_clock_is_years_ahead_forgets_nothing() -> None:
    bench = Bench()
    first = sell_once(bench)
    ahead_ms = 5 * ANSWERS_KEPT_DAYS * DAY_MS
    bench.clock.forward(ahead_ms)
    for _ in range(3):
        create = sell(bench)
        bench.answer(word(bench, create, ahead_ms=ahead_ms))
        bench.feed(Dismiss())
    assert len(answers_about(bench, first)) == 1


def test_a_word_that_was_forgotten_and_comes_again_moves_nothing() -> None:
    bench = Bench()
    create = sell(bench)
    said = word(bench, create)
    bench.answer(said)
    bench.feed(Dismiss())
    sale_id = str(opened(create).body["payment_id"])
    before = bench.agent.sale(sale_id)
    live(bench, ANSWERS_KEPT_DAYS + 30)
    assert answers_about(bench, sale_id) == []
    printed = len(bench.receipts)
    bench.answer(said)
    assert bench.agent.sale(sale_id) == before
    assert len(bench.receipts) == printed
    assert bench.agent.current() is None
    no = refusal(create.request_id, "payment_not_found", key=BACKEND_KEY)
    bench.answer(no)
    assert bench.agent.refused_answers["identity_mismatch"] == 1


def test_an_old_journal_grows_no_more() -> None:
    """Each answer lets some old ones go, so a till that was updated gets rid of its past."""
    bench = Bench()
    live(bench, 40 * STEP_DAYS)
    bench.clock.forward(2 * ANSWERS_KEPT_DAYS * DAY_MS)
    for _ in range(2 + 40 // ANSWERS_FORGOTTEN_MAX):
        sell_once(bench)
    assert count(bench) <= 2 + 40 // ANSWERS_FORGOTTEN_MAX


def test_less_than_a_refund_or_a_dispute_takes_cannot_be_set(tmp_path: Any) -> None:
    from terminal.config import load

    file = tmp_path / "terminal.toml"
    file.write_text(
        f"answers_kept_days = {ANSWERS_KEPT_DAYS_MIN - 1}\n"
        '[merchant]\nid = "m"\nzh = "店"\nen = "Shop"\n'
    )
    with pytest.raises(CallerError, match="answers_kept_days"):
        load(file)
