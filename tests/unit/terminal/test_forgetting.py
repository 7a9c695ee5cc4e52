"""What a till forgets of its requests: nothing that it, its hub or its backend can still need."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

from protocol.errors import CallerError
from terminal.domain.refund import RefundState
from terminal.domain.sale import SaleState
from terminal.effects import Transmit
from terminal.inputs import Dismiss, LinkDown, LinkUp, Query, Reverse, StartRefund
from terminal.journal.forgetting import forget_requests
from terminal.journal.rows import RequestState
from terminal.limits import REQUESTS_FORGOTTEN_MAX, REQUESTS_KEPT_MS
from tests.unit.terminal.fakes import BACKEND_KEY, Bench, opened, refusal, sell, sign

DAY_MS = 24 * 3_600_000
TABLES = ("sales", "refunds", "receipts", "answers", "device")
Step = Callable[[Bench, random.Random], None]


def request_count(bench: Bench) -> int:
    return int(bench.journal.database.execute("SELECT count(*) FROM requests").fetchone()[0])


def captured(parcel: Transmit, state: str = "captured") -> bytes:
    """The backend's result for the create in this envelope, whenever it comes."""
    body = opened(parcel).body
    kept = {name: body[name] for name in ("payment_id", "amount_minor", "currency", "method")}
    return sign("payment.result", {**kept, "state": state}, request_id=parcel.request_id)


def given_back(parcel: Transmit) -> bytes:
    """The backend's result for the refund in this envelope."""
    body = opened(parcel).body
    kept = {name: body[name] for name in ("refund_id", "payment_id", "amount_minor", "currency")}
    return sign("refund.result", {**kept, "state": "succeeded"}, request_id=parcel.request_id)


def is_fresh(bench: Bench, parcel: Transmit) -> bool:
    """Whether a hub may still say no to it, or the backend that it has nothing."""
    return bench.clock.now_ms() - opened(parcel).sent_at_ms < REQUESTS_KEPT_MS


def start(bench: Bench, luck: random.Random) -> None:
    bench.feed(Dismiss())
    sell(bench, luck.randrange(1, 10_000))


def end(bench: Bench, luck: random.Random) -> None:
    """The newest sale gets an answer: by backend or hub, for good or bad."""
    create = bench.sent_of("payment.create")[-1]
    kind = luck.choice(["captured", "declined", "busy", "backend_unreachable", "payment_too_late"])
    if kind in {"captured", "declined"}:
        bench.answer(captured(create, kind))
    elif is_fresh(bench, create):
        bench.answer(refusal(create.request_id, kind))


def come_late(bench: Bench, luck: random.Random) -> None:
    """A hub gives an answer, however old, for the first time or once more."""
    bench.answer(captured(luck.choice(bench.sent_of("payment.create"))))


def refund(bench: Bench, luck: random.Random) -> None:
    paid = [one for one in bench.agent.recent(50) if one.state is SaleState.PAID]
    bench.feed(Dismiss())
    bench.feed(StartRefund(payment_id=luck.choice(paid).payment_id, amount_minor=1))


def end_refund(bench: Bench, luck: random.Random) -> None:
    bench.answer(given_back(luck.choice(bench.sent_of("refund.create"))))


def ask(bench: Bench, luck: random.Random) -> None:
    bench.feed(Query(luck.choice(bench.agent.recent(50)).payment_id))


def deny(bench: Bench, luck: random.Random) -> None:
    """The backend has nothing of what was last asked about."""
    query = bench.sent_of("payment.query")[-1]
    if is_fresh(bench, query):
        bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))


def undo(bench: Bench, luck: random.Random) -> None:
    bench.feed(Reverse(luck.choice(bench.agent.recent(50)).payment_id))


def pass_days(bench: Bench, luck: random.Random) -> None:
    bench.clock.forward(luck.randrange(1, 25) * DAY_MS)
    bench.wait(1_000)


def pass_seconds(bench: Bench, luck: random.Random) -> None:
    bench.wait(luck.randrange(1, 90) * 1_000)


def cut(bench: Bench, luck: random.Random) -> None:
    bench.power_cut()
    bench.clock.forward(luck.randrange(1, 60) * 1_000)
    bench.boot(link_up=luck.random() < 0.8)


def lose_line(bench: Bench, luck: random.Random) -> None:
    bench.feed(LinkDown())


def find_line(bench: Bench, luck: random.Random) -> None:
    bench.feed(LinkUp())


STEPS: tuple[Step, ...] = (
    start, start, start, end, end, end, come_late, refund, end_refund, ask, deny, undo,
    pass_days, pass_seconds, cut, lose_line, find_line, find_line,
)  # fmt: skip


def taken(step: Step, bench: Bench, seed: int) -> str:
    """Do it; what was refused, if anything."""
    try:
        step(bench, random.Random(seed))
    except (CallerError, IndexError) as refused:
        return str(refused)
    return ""


def remembered(bench: Bench) -> dict[str, list[tuple[object, ...]]]:
    """All that a till keeps, but its requests."""
    return {
        name: sorted(
            (tuple(row) for row in bench.journal.database.execute(f"SELECT * FROM {name}")),
            key=repr,
        )
        for name in TABLES
    }


@pytest.mark.parametrize("seed", range(8))
def test_a_till_that_forgets_does_all_that_one_does_that_keeps_everything(
    tmp_path: Path, seed: int
) -> None:
    luck = random.Random(seed)
    forgetful, keeper = Bench(tmp_path / "a.db"), Bench(tmp_path / "b.db")
    for number in range(250):
        step = luck.choice(STEPS)
        step_seed = luck.randrange(2**32)
        with ExitStack() as memory:
            memory.enter_context(patch("terminal.courier.forget_requests"))
            kept = taken(step, keeper, step_seed)
        trace = f"seed {seed}, step {number}: {step.__name__}"
        assert taken(step, forgetful, step_seed) == kept, trace
        assert forgetful.sent == keeper.sent, trace
        assert forgetful.agent.screen() == keeper.agent.screen(), trace
        assert forgetful.agent.due_ms() == keeper.agent.due_ms(), trace
        assert forgetful.agent.refused_answers == keeper.agent.refused_answers, trace
    assert remembered(forgetful) == remembered(keeper)
    opens = [
        {row.request_id for row in bench.journal.open_requests() if "device" not in row.subject}
        for bench in (forgetful, keeper)
    ]
    assert opens[0] <= opens[1]
    assert request_count(forgetful) < request_count(keeper)


def test_a_till_that_sells_for_a_year_keeps_the_requests_of_a_month() -> None:
    bench = Bench()
    per_day = 4
    for _ in range(365):
        for _ in range(per_day):
            bench.answer(captured(sell(bench)))
            bench.feed(Dismiss())
        bench.clock.forward(DAY_MS)
    month = REQUESTS_KEPT_MS // DAY_MS * per_day
    assert request_count(bench) <= month + 2 * per_day + REQUESTS_FORGOTTEN_MAX
    assert bench.journal.database.execute("SELECT count(*) FROM sales").fetchone()[0] == 365 * 4
    assert bench.journal.database.execute("SELECT count(*) FROM answers").fetchone()[0] == 365 * 4


def test_what_is_open_is_never_forgotten_however_old(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db")
    create = sell(bench)
    bench.wait(10_000)
    assert bench.kind == "unknown"
    bench.feed(Dismiss())
    for _ in range(40):
        bench.clock.forward(10 * DAY_MS)
        bench.answer(captured(sell(bench)))
        bench.feed(Dismiss())
    bench.power_cut()
    bench.boot()
    row = bench.journal.request(create.request_id)
    assert row is not None
    assert row.body is not None
    assert bench.journal.last_envelope(create.request_id) is not None
    query = [one for one in bench.sent_of("payment.query") if "payment_id" in opened(one).body][-1]
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    # Too late to make it again, and nothing of it is with the backend: it ends.
    assert bench.agent.sale(row.subject).state is SaleState.DECLINED  # type: ignore[union-attr]


def test_a_question_stays_until_it_is_answered_however_old() -> None:
    bench = Bench()
    sell(bench)
    bench.wait(10_000)
    asked = bench.sent_of("payment.query")[-1].request_id
    ever_ms = bench.clock.now_ms() + 1
    forget_requests(bench.journal.database, before_ms=ever_ms)
    assert bench.journal.request(asked) is not None
    bench.journal.set_request_state(asked, RequestState.ANSWERED)
    forget_requests(bench.journal.database, before_ms=ever_ms)
    assert bench.journal.request(asked) is None


def test_the_backend_s_late_word_about_what_was_forgotten_is_the_truth_still() -> None:
    bench = Bench()
    create = sell(bench)
    bench.answer(captured(create, "declined"))
    sale_id = str(opened(create).body["payment_id"])
    bench.feed(Dismiss())
    for _ in range(3):
        bench.clock.forward(20 * DAY_MS)
        bench.answer(captured(sell(bench)))
        bench.feed(Dismiss())
    assert bench.journal.request(create.request_id) is None
    bench.answer(sign("refusal", {}, request_id=create.request_id))
    assert bench.agent.refused_answers["identity_mismatch"] == 1
    bench.answer(captured(create))
    assert bench.agent.sale(sale_id).state is SaleState.PAID  # type: ignore[union-attr]
    stays = bench.journal.database.execute(
        "SELECT count(*) FROM answers WHERE request_id = ?", (create.request_id,)
    ).fetchone()[0]
    assert stays == 2
    assert RefundState.SUCCEEDED not in {one.state for one in bench.agent.refunds_of(sale_id)}
