"""Rules and models that two persons have brought to use; for the console's page of them."""

from functools import cache

import numpy as np

from backend.risk.features.catalogue import PAYMENT
from backend.risk.models.lifecycle import ModelCommand
from backend.risk.models.service import PAYMENT as PURPOSE
from backend.risk.models.service import MoveModel, RegisterModel
from backend.risk.models.train import Inputs, Settings, train
from backend.risk.rules.lifecycle import SetCommand
from backend.risk.rules.service import DraftRules, MoveRules
from backend.risk.rules.suppression import ConfirmSuppression, SuppressRule
from tests.support.shop import Shop

LI, HAN = "李雷", "韩梅梅"
HOUR_MS = 3_600_000
SHARE_BPS = 500
_RULE = """
[[rule]]
id = "{name}"
when = "payment.amount_minor > {above}"
action = "decline"
severity = "medium"
owner = "risk"
zh = "金额过大。"
en = "Too much."
fires = {{ "payment.amount_minor" = 100000000 }}
holds = {{ "payment.amount_minor" = 1 }}
"""


def rules_and_models(shop: Shop) -> dict[str, str]:
    """A live set, a canary of a twentieth and a draft, a suppressed rule, a champion, a challenger
    and a model that was only registered; their ids by these names."""
    sets = [_drafted(shop, number) for number in range(3)]
    live, canary, draft = sets
    for word, by in (
        ("shadow", LI), ("propose_canary", LI), ("confirm_canary", HAN), ("propose_live", LI),
        ("confirm_live", HAN),
    ):  # fmt: skip
        _move(shop, live, word, by)
    for word, by in (("shadow", LI), ("propose_canary", LI), ("confirm_canary", HAN)):
        _move(shop, canary, word, by)
    until_ms = shop.clock.at_ms + 8 * HOUR_MS
    wrong = {"rule_id": "very_large_0", "until_ms": until_ms}
    shop.do(SuppressRule(**wrong, by=LI, words="促销日"))  # type: ignore[arg-type]
    shop.do(ConfirmSuppression(**wrong, by=HAN, words="促销日"))  # type: ignore[arg-type]
    models = [_registered(shop, seed) for seed in range(3)]
    for word, by in (("challenge", LI), ("propose", LI), ("confirm", HAN)):
        shop.do(MoveModel(model_id=models[0], command=ModelCommand(word), by=by, words="回测更好"))
    challenge = ModelCommand.CHALLENGE
    shop.do(MoveModel(model_id=models[1], command=challenge, by=LI, words="新数据"))
    names = ("live", "canary", "draft", "champion", "challenger", "registered")
    return dict(zip(names, (live, canary, draft, *models), strict=True))


def _drafted(shop: Shop, number: int) -> str:
    text = _RULE.format(name=f"very_large_{number}", above=(number + 1) * 10_000_000)
    return str(shop.do(DraftRules.checked(text, by=LI, words="大额"))["set_id"])


def _move(shop: Shop, set_id: str, word: str, by: str) -> None:
    command = SetCommand(word)
    shop.do(MoveRules(set_id=set_id, command=command, by=by, words="大额", share_bps=SHARE_BPS))


def _registered(shop: Shop, seed: int) -> str:
    command = RegisterModel.checked(_model(seed), purpose=PURPOSE, by=LI, words="按月训练")
    return str(shop.do(command)["model_id"])


@cache
def _model(seed: int) -> bytes:
    """A shallow tree of what payments have: large ones were frauds, with exceptions."""
    luck = np.random.default_rng(seed)
    matrix = np.full((1_000, len(PAYMENT.names)), np.nan)
    amounts = luck.uniform(100, 8_000, len(matrix))
    matrix[:, PAYMENT.names.index("payment.amount_minor")] = amounts
    is_fraud = (amounts > 6_000) ^ (luck.random(len(matrix)) < 0.05)
    inputs = Inputs(PAYMENT.names, PAYMENT.digest, matrix, is_fraud)
    settings = Settings(kind="decision_tree", leaf_rows_min=20, depth_max=3, honest_min=500)
    return train(inputs, settings, trained_at="2026-11-01T00:00:00Z")
