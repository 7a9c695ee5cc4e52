"""The whole decision on a payment: features, 500 rules, a forest of 100 trees ten deep with what
each feature gave, and the device's fingerprint; beside scikit-learn's own single-row call in the
same run; and what judging adds to a payment on its whole way to the disk.
"""

import random
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

from backend.db.migrate import upgrade
from backend.risk.cases.model import CaseClock
from backend.risk.devices.judging import Devices
from backend.risk.devices.readings import plain_reading
from backend.risk.features.catalogue import PAYMENT
from backend.risk.judging.desk import RiskDesk
from backend.risk.judging.engine import Engine
from backend.risk.judging.model import Attempt
from backend.risk.models.scorer import Scorer
from backend.risk.models.train import Inputs, Settings, train
from backend.risk.rules.compiled import Action, CompiledRules, Rule, Severity, compile_rules
from backend.risk.rules.facts import FIELDS
from backend.risk.rules.in_use import RulesInUse
from backend.risk.rules.language.fused import Fact
from backend.risk.rules.rule_file import shipped_rules
from bench.device_worlds import observe
from bench.result import Result
from bench.risk_features import payments
from tests.support.shop import Shop

SEED = 20_261_128
TAUGHT, JUDGED = 20_000, 20_000
RULES, BATCH = 500, 50
TREES, DEPTH = 100, 10
ROUNDS, PAID = 5, 60
TRUSTED: dict[str, Fact] = {
    "device.trust": 0.97, "device.verdict": "same", "device.reading_age_s": 60,
    "device.binding": "judged", "device.readings": 9,
}  # fmt: skip


def run(scale: float = 1.0) -> list[Result]:
    """All figures."""
    taught, judged = max(round(TAUGHT * scale), 3_000), max(round(JUDGED * scale), 1_000)
    attempts = list(_attempts(taught + 2 * judged))
    desk = RiskDesk()
    desk.use(RulesInUse(live=five_hundred()))
    matrix = _taught(desk, attempts[:taught])
    is_fraud = _frauds(matrix)
    desk.scoring.use(Scorer.load(_forest(matrix, is_fraud), PAYMENT.digest))
    single, grouped = attempts[taught : taught + judged], attempts[taught + judged :]
    taken = [_timed(partial(_judge, desk, one)) for one in single]
    read = _readings(len(single))
    both = [here + there for here, there in zip(taken, read, strict=False)]
    return [
        *_percentiles("risk, the whole decision", taken, "300 us p50, 2 ms p99"),
        Result("risk, decisions/s one by one", len(taken) / sum(taken), "1/s", "one core"),
        Result("risk, decisions/s in batches of 50", _batched(desk, grouped), "1/s",
               "one core; remembered together"),
        *_percentiles("risk, a device's reading judged", read, "28 attributes"),
        *_percentiles("risk, the decision and a reading", both, "300 us p50, 2 ms p99"),
        *_percentiles("scikit-learn predict_proba, one row", _plain(matrix, is_fraud, 300),
                      "the same rows, trees and depth; n_jobs=1"),
        *_whole_way(max(round(PAID * scale), 20)),
    ]  # fmt: skip


def five_hundred() -> CompiledRules:
    """The shipped rules, and others like them with limits of their own, to five hundred."""
    rules = [one.rule for one in shipped_rules(FIELDS)]
    counted = [name for name in PAYMENT.names if "count" in name or "ratio" in name]
    for number in range(RULES - len(rules)):
        name = counted[number % len(counted)]
        when = f"{name} >= {20 + number}.0 && payment.amount_minor >= {1_000 + number}"
        rule = Rule(rule_id=f"bench_{number}", when=when, action=Action.REVIEW,
                    severity=Severity.LOW, owner="bench", zh="测量。", en="Measured.")  # fmt: skip
        rules.append(rule)
    return compile_rules(rules, FIELDS)


def _attempts(size: int) -> Iterator[Attempt]:
    for number, (at_ms, row) in enumerate(sorted(payments(size), key=lambda one: one[0])):
        amount, payer, card, device, merchant, store = row[:6]
        yield Attempt(
            attempt_id=f"att{number}", payment_id=f"pay{number}", at_ms=at_ms,
            amount_minor=int(amount or 0), currency="CNY", payer_id=f"{payer}", card=f"{card}",
            device=f"{device}", merchant_id=f"{merchant}", store=f"{store}", method="card",
            entry="payer_code", is_confirmed=False,
        )  # fmt: skip


def _judge(desk: RiskDesk, attempt: Attempt) -> tuple[float, ...]:
    judgement = desk.judge(attempt, TRUSTED)
    assert judgement.vector
    desk.remember(attempt)
    return tuple(judgement.vector)


def _taught(desk: RiskDesk, attempts: list[Attempt]) -> NDArray[np.float64]:
    return np.array([_judge(desk, one) for one in attempts])


def _frauds(matrix: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Frauds that no single feature tells, so that the trees grow as deep as they may."""
    luck = np.random.default_rng(SEED)
    odds = np.nan_to_num(matrix) @ luck.normal(0, 1, matrix.shape[1]) * 1e-5
    odds += luck.normal(0, 1, len(matrix))
    return odds > np.quantile(odds, 0.9)


def _forest(matrix: NDArray[np.float64], is_fraud: NDArray[np.bool_]) -> bytes:
    inputs = Inputs(PAYMENT.names, PAYMENT.digest, matrix, is_fraud)
    settings = Settings(trees=TREES, depth_max=DEPTH, honest_min=1_000)
    return train(inputs, settings, trained_at="2026-11-28T00:00:00Z")


def _batched(desk: RiskDesk, attempts: list[Attempt]) -> float:
    """Groups of commands: each is judged, and all are remembered once they are durable. These are
    later than what was judged before: nothing is late, and every one has its features."""
    begin = time.perf_counter()
    for at in range(0, len(attempts), BATCH):
        group = attempts[at : at + BATCH]
        for attempt, found in [(one, desk.judge(one, TRUSTED)) for one in group]:
            assert found.scored.model_id, found.scored.trouble
            desk.remember(attempt)
    return len(attempts) / (time.perf_counter() - begin)


def _readings(size: int) -> list[float]:
    devices, taken = Devices(settles_after_days=0), []
    for number, (line, _) in enumerate(observe(SEED, devices=size // 5, days=30, attacks=0)):
        if number >= size:
            break
        reading = plain_reading(line["attrs"])
        begin = time.perf_counter()
        devices.observe(line["claimed"], reading, day=line["day"], is_enrolment=line["enrol"])
        taken.append(time.perf_counter() - begin)
    return taken


def _plain(matrix: NDArray[np.float64], is_fraud: NDArray[np.bool_], calls: int) -> list[float]:
    forest = RandomForestClassifier(TREES, max_depth=DEPTH, random_state=0, n_jobs=1)
    rows = matrix.astype(np.float32)
    with warnings.catch_warnings(action="ignore"):
        forest.fit(rows, is_fraud)
        return [_timed(partial(forest.predict_proba, rows[at : at + 1])) for at in range(calls)]


def _whole_way(paid: int) -> list[Result]:
    """A payment's command on SQLite, alone in its group, with and without the engine."""
    with _shop(None) as plain, _shop(RiskDesk()) as judged:
        without, with_engine = [], []
        for _ in range(ROUNDS):
            without += _paid(plain, paid)
            with_engine += _paid(judged, paid)
    added = median(with_engine) - median(without)
    alone = "processor's time; SQLite, a group of its own"
    return [
        Result("a payment without the risk engine, p50", median(without) * 1e6, "us", alone),
        Result("what the risk engine adds to a payment, p50", added * 1e6, "us", alone),
    ]


@contextmanager
def _shop(desk: RiskDesk | None) -> Iterator[Shop]:
    clock = CaseClock(lambda day: day.weekday() < 5, 8 * 3600 * 1000)
    with tempfile.TemporaryDirectory(prefix="tillway-bench-") as name:
        url = f"sqlite:///{Path(name) / 'backend.db'}"
        upgrade(url)
        shop = Shop(url, engine=Engine(desk, clock) if desk else None)
        shop.add_merchant()
        yield shop
        shop.close()


def _paid(shop: Shop, number: int) -> list[float]:
    luck = random.Random(SEED)
    payers = [shop.add_payer(balance_minor=1_000_000) for _ in range(4)]
    taken = []
    for turn in range(number):
        shop.clock.at_ms += 20_000
        code = shop.code(payers[turn % len(payers)])
        body = shop.create_body("pay_code", luck.randrange(100, 9_000), pay_code=code)
        command = shop.command(shop.request("payment.create", body))
        begin = time.process_time()
        shop.apply(command)
        taken.append(time.process_time() - begin)
    return taken


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def _percentiles(name: str, taken: list[float], against: str) -> list[Result]:
    found = quantiles(taken, n=100)
    return [Result(f"{name}, p{at}", found[at - 1] * 1e6, "us", against) for at in (50, 99)]
