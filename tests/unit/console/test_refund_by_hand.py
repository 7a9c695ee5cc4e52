"""A refund that an operator gives by a program or at the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from typer.testing import CliRunner

from backend.refunds.routes import REFUNDS
from protocol.errors import from_code
from tests.support.console_world import ConsoleWorld
from tests.support.shop import MERCHANT
from tests.support.wallet_http import OPERATOR
from tests.unit.console.test_console_http import paid
from tillway import operator_place, refund


def asked(http: TestClient, world: ConsoleWorld, of: str, **changes: Any) -> Response:
    wanted = {
        "refund_id": world.shop.id("rfd"), "payment_id": of, "amount_minor": 250,
        "currency": "CNY", "reason": "cold soup", "by": "wang", **changes,
    }  # fmt: skip
    return http.post(REFUNDS, json=wanted, headers=OPERATOR)


def test_money_goes_back_once_and_the_log_says_by_whom_and_why(world: ConsoleWorld) -> None:
    http, payment_id, refund_id = world.browser(), paid(world), world.shop.id("rfd")
    for _ in range(2):
        answer = asked(http, world, payment_id, refund_id=refund_id)
        assert (answer.status_code, answer.json()["state"]) == (201, "succeeded")
    [row] = world.shop.rows("SELECT amount_minor, cashier, reason FROM refund")
    assert row == {"amount_minor": 250, "cashier": "wang", "reason": "cold soup"}
    acts = world.shop.rows("SELECT * FROM audit_act WHERE kind = 'refund'")
    assert [(act["actor"], act["subject"], act["merchant_id"], act["reason"]) for act in acts] == [
        ("operator:wang", f"payment {payment_id}", MERCHANT, "cold soup")
    ]
    changed = asked(http, world, payment_id, refund_id=refund_id, amount_minor=1)
    assert changed.json()["error"]["code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount_minor": 1_001}, 400, "refund_exceeds"),
        ({"currency": "EUR"}, 400, "currency_mismatch"),
        ({"amount_minor": 0}, 400, "field_invalid"),
        ({"payment_id": f"pay_{'0' * 26}"}, 404, "payment_not_found"),
        ({"refund_id": "rfd_1"}, 400, "field_invalid"),
    ],
)
def test_what_cannot_be_given_back_is_refused(
    world: ConsoleWorld, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = asked(world.browser(), world, paid(world), **changes)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_nobody_else_gives_any(world: ConsoleWorld) -> None:
    assert world.browser().post(REFUNDS, json={}).status_code == 401


def test_a_command_tells_the_number_by_which_it_can_be_asked_again(
    world: ConsoleWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = world.browser()

    class Line:
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def get(self, path: str) -> Any:
            return _read(http.get(path, headers=OPERATOR))

        def post(self, path: str, body: dict[str, Any]) -> Any:
            return _read(http.post(path, json=body, headers=OPERATOR))

    monkeypatch.setattr(operator_place, "JsonApi", Line)
    (tmp_path / "token").write_text("operator")
    place = ["--url", "https://b", "--ca", "ca.crt", "--token-file", str(tmp_path / "token")]
    payment_id = paid(world)

    def give(*words: str) -> list[str]:
        run: Callable[..., Any] = CliRunner().invoke
        return str(run(refund.app, ["give", payment_id, *words, *place]).output).splitlines()

    refund_id, told = give("--amount", "2.50", "--reason", "cold soup")
    assert told == "succeeded  2.50 CNY"
    again = give("--amount", "2.50", "--reason", "cold soup", "--refund-id", refund_id)
    assert again == [refund_id, told]
    [row] = world.shop.rows("SELECT refunded_minor FROM payment")
    assert row["refunded_minor"] == 250


def _read(answer: Response) -> Any:
    if answer.status_code >= 400:
        raise from_code(answer.json()["error"]["code"], "the backend's answer")
    return answer.json()
