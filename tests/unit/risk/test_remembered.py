"""The memory of one backend, whatever it is told."""

from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.limits import ATTEMPTS_PER_PAYMENT_MAX
from backend.risk.judging.remembered import Remembered, Tried

START_MS = 1_790_000_000_000
PAYERS_COUNT_1H = PAYMENT.names.index("payer.count_1h")


def test_of_a_payment_that_is_tried_again_and_again_the_latest_attempts_are_known() -> None:
    memory, row = Remembered(PAYMENT), (100, "payer", *(None,) * 7)
    told = [Tried(f"a{number}", "p", START_MS + number, row) for number in range(200)]
    for one in (*told, *told[-ATTEMPTS_PER_PAYMENT_MAX:]):
        memory.remember(one)
    assert memory.measure(START_MS + 1_000, row)[PAYERS_COUNT_1H] == 200
    assert len(memory._payments["p"].attempt_ids) == ATTEMPTS_PER_PAYMENT_MAX
