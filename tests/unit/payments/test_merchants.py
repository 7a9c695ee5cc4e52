"""Merchants and their fee plans."""

from collections.abc import Sequence
from typing import Any

import pytest

from backend.db.engine import open_engine
from backend.db.open_store import open_store
from backend.db.store import Store
from backend.db.tables import Key, TableRef, Values
from backend.db.working_set import WorkingSet
from backend.merchants.model import FeeBounds, FeePlan, cycle_on
from backend.merchants.service import AddFeePlan, ChangeMerchant, merchant_reads, plan_in_force
from backend.merchants.tables import MERCHANT as MERCHANT_ROW
from protocol.errors import CallerError
from tests.support.shop import MERCHANT, START_MS, Shop


def test_creating_the_same_merchant_again_changes_nothing(shop: Shop) -> None:
    assert shop.add_merchant()["merchant_id"] == MERCHANT
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.add_merchant(name="另一家")
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.add_merchant(rate_bps=61)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"merchant_id": "a b"}, "field_invalid"),
        ({"name": ""}, "field_invalid"),
        ({"currency": "XXX"}, "currency_unsupported"),
        ({"settlement_cycle": "T+11"}, "settlement_cycle_unsupported"),
        ({"settlement_cycle": ""}, "settlement_cycle_unsupported"),
        ({"notify_url": "ftp://x/"}, "field_invalid"),
        ({"rate_bps": 59}, "fee_rate_out_of_range"),
        ({"rate_bps": 121}, "fee_rate_out_of_range"),
        ({"payout_account_no": ""}, "field_invalid"),
        ({"biometric_above_minor": -1}, "field_invalid"),
    ],
)
def test_a_merchant_with_bad_fields_is_refused(
    shop: Shop, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(CallerError, match=code):
        shop.add_merchant(**({"merchant_id": "mch_9"} | changes))


def test_a_new_fee_plan_counts_from_its_time_and_refunds_use_the_old_one(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=100_000)
    before = shop.pay(payer, 10_000)
    plan = AddFeePlan(
        merchant_id=MERCHANT, rate_bps=100, min_minor=0, cap_minor=0, valid_from_ms=START_MS + 1_000
    )
    assert shop.do(plan).version == 2
    assert shop.pay(payer, 10_000)["state"] == "captured"
    shop.clock.at_ms += 1_000
    shop.pay(payer, 10_000)
    assert [row["fee_minor"] for row in shop.rows("SELECT fee_minor FROM payment ORDER BY 1")] == [
        60, 60, 100,
    ]  # fmt: skip
    shop.refund(before["payment_id"], 10_000)
    assert shop.balance("C:UNSWEPT:CNY") == 160


def test_a_clock_that_is_put_back_stops_nobodys_payments(shop: Shop) -> None:
    """Back before the plan that had hidden all others: that plan is charged by."""
    payer = shop.add_payer(balance_minor=10_000)
    fields: dict[str, Any] = {"merchant_id": MERCHANT, "min_minor": 0, "cap_minor": 0}
    shop.do(AddFeePlan(rate_bps=100, valid_from_ms=START_MS + 60_000, **fields))
    shop.clock.at_ms = START_MS + 120_000
    shop.do(AddFeePlan(rate_bps=110, valid_from_ms=START_MS + 900_000, **fields))
    shop.clock.at_ms = START_MS + 1_000
    assert shop.pay(payer, 1_000)["state"] == "captured"
    shop.do(AddFeePlan(rate_bps=120, valid_from_ms=START_MS + 950_000, **fields))
    assert shop.pay(payer, 1_000)["state"] == "captured"
    charged = shop.rows("SELECT fee_minor, fee_plan_version FROM payment")
    assert [(row["fee_minor"], row["fee_plan_version"]) for row in charged] == [(10, 2)] * 2


def test_a_fee_plan_does_not_begin_in_the_past(shop: Shop) -> None:
    fields: dict[str, Any] = {
        "merchant_id": MERCHANT,
        "rate_bps": 60,
        "min_minor": 0,
        "cap_minor": 0,
    }
    with pytest.raises(CallerError, match="field_invalid"):
        shop.do(AddFeePlan(valid_from_ms=START_MS - 1, **fields))
    with pytest.raises(CallerError, match="merchant_unknown"):
        shop.do(AddFeePlan(valid_from_ms=START_MS, **(fields | {"merchant_id": "x"})))


def test_a_plan_that_ends_gives_way_to_the_one_before(shop: Shop) -> None:
    """60 bp, 120 bp for a minute, 60 bp again; refunds by the plan each was charged by."""
    payer = shop.add_payer(balance_minor=100_000)
    from_ms = START_MS + 60_000
    shop.do(plan(rate_bps=120, valid_from_ms=from_ms, valid_until_ms=from_ms + 60_000))
    paid = []
    for minutes in (0, 1, 2):
        shop.clock.at_ms = START_MS + minutes * 60_000
        paid.append(shop.pay(payer, 10_000)["payment_id"])
    fees = shop.rows("SELECT fee_minor, fee_plan_version FROM payment ORDER BY created_at_ms")
    assert [tuple(row.values()) for row in fees] == [(60, 1), (120, 2), (60, 1)]
    shop.refund(paid[1], 5_000)
    assert shop.balance("C:UNSWEPT:CNY") == 60 + 60 + 60
    with pytest.raises(CallerError, match="field_invalid"):
        shop.do(plan(valid_from_ms=shop.clock.at_ms, valid_until_ms=shop.clock.at_ms))


def test_a_payment_reads_no_plan_alone_and_no_plan_that_is_over(shop: Shop) -> None:
    """Of a hundred versions only those that can still come into force are read, all at once."""
    for number in range(1, 9):
        shop.clock.at_ms = START_MS + number * 1_000
        shop.do(plan(rate_bps=60 + number, valid_from_ms=shop.clock.at_ms))
    later_ms = shop.clock.at_ms + 10_000
    shop.do(plan(rate_bps=100, valid_from_ms=later_ms, valid_until_ms=later_ms + 1))
    engine = open_engine(shop.url)
    store = Counted(open_store(engine))
    store.begin()
    ws = WorkingSet(store)
    ws.prefetch([(MERCHANT_ROW, MERCHANT)])
    ws.prefetch(merchant_reads(ws, MERCHANT))
    store.asked.clear()
    merchant = ws.get(MERCHANT_ROW, MERCHANT)
    assert merchant is not None
    assert plan_in_force(ws, merchant, shop.clock.at_ms).rate_bps == 68
    assert plan_in_force(ws, merchant, later_ms).rate_bps == 100
    assert store.asked == []
    assert [key for _, key in merchant_reads(ws, MERCHANT)] == [(MERCHANT, 10), (MERCHANT, 9)]
    store.rollback()
    store.close()
    engine.dispose()


class Counted:
    """A store that remembers what was asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[str] = []

    def fetch(self, table: TableRef, keys: Sequence[Key]) -> list[Values]:
        self.asked.append(table.name)
        return self._store.fetch(table, keys)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_a_merchants_rate_lies_in_the_installations_bounds(shop: Shop) -> None:
    for rate_bps in (59, 121):
        with pytest.raises(CallerError, match="fee_rate_out_of_range"):
            shop.do(plan(rate_bps=rate_bps, valid_from_ms=START_MS))
    wide = FeeBounds(bps_min=0, bps_max=200)
    assert shop.do(plan(rate_bps=0, valid_from_ms=START_MS, fee_bounds=wide)).rate_bps == 0


def test_fifty_refunds_of_a_hundred_yuan_give_back_sixty_fen(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=10_000)
    paid = shop.pay(payer, 10_000)
    assert shop.balance("O:MDR:CNY") == 60
    for _ in range(50):
        assert shop.refund(paid["payment_id"], 200)["state"] == "succeeded"
    [row] = shop.rows("SELECT fee_returned_minor, state FROM payment")
    assert tuple(row.values()) == (60, "refunded")
    assert shop.balance("O:MDR:CNY") == shop.balance("C:UNSWEPT:CNY") == 0
    assert shop.payer_balance(payer) == 10_000


def test_the_fee_vectors_of_sixty_basis_points() -> None:
    found = FeePlan(version=1, rate_bps=60)
    assert [found.fee(amount) for amount in (1, 83, 84, 249, 250)] == [0, 0, 1, 1, 2]
    assert sum(found.fee(amount) for amount in range(1, 10_001)) == 300_040


def test_another_cycle_is_kept_with_its_first_date(shop: Shop) -> None:
    def change(cycle: str) -> ChangeMerchant:
        return ChangeMerchant(
            merchant_id=MERCHANT, settlement_cycle=cycle, business_date=shop.rules.business_date
        )

    assert shop.do(change("T+1"))["settlement_cycle"] == "T+1"
    assert shop.do(change("T+1"))["cycle_version"] == 2
    with pytest.raises(CallerError, match="settlement_cycle_unsupported"):
        shop.do(change("T+11"))
    shop.do(change("D+0"))
    rows = shop.rows(f"SELECT cycle, first_date FROM settlement_cycle"
                     f" WHERE merchant_id = '{MERCHANT}' ORDER BY version")  # fmt: skip
    steps = [(row["first_date"], row["cycle"]) for row in rows]
    assert steps == [("", "D+1"), ("2026-11-24", "T+1"), ("2026-11-24", "D+0")]
    assert cycle_on(steps, "2026-11-23") == "D+1"
    assert cycle_on(steps, "2026-11-24") == "D+0"
    assert shop.add_merchant()["settlement_cycle"] == "D+0"  # the same creation again
    with pytest.raises(CallerError, match="idempotency_conflict"):
        shop.add_merchant(settlement_cycle="D+0")


def test_a_status_that_there_is_not_is_refused_with_those_that_there_are(shop: Shop) -> None:
    wrong: Any = "paused"
    with pytest.raises(CallerError, match="field_invalid: status: active or closed"):
        shop.do(ChangeMerchant(merchant_id=MERCHANT, status=wrong))
    payer = shop.add_payer(balance_minor=1_000)
    assert shop.pay(payer, 1)["state"] == "captured"


def plan(**changes: Any) -> AddFeePlan:
    fields: dict[str, Any] = {
        "merchant_id": MERCHANT, "rate_bps": 60, "min_minor": 0, "cap_minor": 0,
    }  # fmt: skip
    return AddFeePlan(**(fields | changes))


def test_a_closed_merchant_is_paid_nothing(shop: Shop) -> None:
    payer = shop.add_payer(balance_minor=1_000)
    shop.do(ChangeMerchant(merchant_id=MERCHANT, status="closed"))
    answer = shop.pay(payer, 1)
    assert (answer["state"], answer["error"]["code"]) == ("declined", "merchant_unknown")
    assert shop.show_qr(1)["state"] == "declined"
    shop.do(ChangeMerchant(merchant_id=MERCHANT, status="active", biometric_above_minor=0))
    assert shop.pay(payer, 1)["state"] == "awaiting_payer"
