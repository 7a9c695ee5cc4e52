"""Two backends over one PostgreSQL and one Redis know one state of features."""

from collections.abc import Iterator
from functools import partial

import pytest

from backend.db.reading import Reader
from backend.risk.cases.model import CaseClock
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.memory import rebuild
from backend.risk.judging.records import vector_of
from backend.risk.judging.remembered import Remembered
from backend.risk.judging.repository import DecisionRepository
from backend.risk.judging.scoring import Scoring
from backend.risk.judging.shared_log import SharedLog
from backend.risk.judging.shared_memory import begin_shared
from backend.risk.labels.repository import LabelRepository
from backend.risk.labels.service import LabelPayment
from tests.support.postgres import Cluster
from tests.support.redis import RedisServer, running_redis
from tests.support.shop import Shop

pytestmark = pytest.mark.postgres
PAYERS_COUNT = PAYMENT.names.index("payer.count_1h")


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with running_redis() as server:  # of this test alone, which ends it
        yield server


def copy(reader: Reader, now_ms: int) -> Remembered:
    memory, _ = rebuild(DecisionRepository(reader), LabelRepository(reader), now_ms=now_ms)
    return memory


def test_what_one_backend_judged_and_learned_the_other_knows_until_redis_is_gone(
    postgres_cluster: Cluster, postgres_template: str, redis: RedisServer
) -> None:
    url = postgres_cluster.create_database("risk_rivals", template=postgres_template)
    reader, shops = Reader.open(url), []
    for _ in range(2):
        open_log = partial(SharedLog.at, redis.url, "test", timeout_s=10)
        memory = begin_shared(open_log, partial(copy, reader, 0))
        clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3_600_000)
        desk = RiskDesk(memory=memory, scoring=Scoring(lambda: 0))  # nothing is late
        shops.append(Shop(url, engine=Engine(desk, clock)))
    here, there = shops
    here.add_merchant()
    payer = here.add_payer(balance_minor=100_000)

    def pay(shop: Shop, number: int) -> tuple[dict[str, object], dict[str, object]]:
        here.clock.at_ms += 1_000
        body = here.create_body("pay_code", 1_000 + number, pay_code=here.code(payer))
        there.clock.at_ms = here.clock.at_ms
        answer = shop.ask("payment.create", body)
        *_, last = DecisionRepository(reader).since(0)
        return answer, last

    for number in range(6):
        answer, decision = pay(shops[number % 2], number)
        assert answer["state"] == "captured"
        assert vector_of(decision)[PAYERS_COUNT] == number
        assert not decision["trouble"]
    paid = str(answer["payment_id"])
    for is_fraud in (True, False):
        for shop in shops:
            shop.clock.at_ms += 1_000
        there.do(LabelPayment(label_id=here.id("lbl"), payment_id=paid, is_fraud=is_fraud,
                              by="李雷", reason="持卡人来电"))  # fmt: skip
        answer, _ = pay(here, 50)
        assert answer.get("state", "declined") == ("declined" if is_fraud else "captured")
    redis.stop()
    answer, decision = pay(there, 99)
    assert answer["state"] == "captured"  # judged by what it knows itself, and marked
    assert decision["trouble"] == "features_unshared"
    assert vector_of(decision)[PAYERS_COUNT] == 7.0, "it had not yet heard of the eighth"
    for shop in shops:
        shop.close()
    reader.close()
