"""The risk engine in a backend that is a process: what a person says of a payment decides the next
one, also after the power went off; and the command line explains both."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.clock import SystemClock
from protocol.crypto import generate
from protocol.paycode import make_code
from tests.integration.test_backend_process import (
    MERCHANT,
    Installation,
    answers,
    batch_of,
    create,
    enrol_pair,
    request,
)
from tests.kit.patience import PATIENCE_S
from tests.support.backend import mint
from tillway import processes

pytestmark = pytest.mark.xdist_group("backend_process")
LISTS, LABELS = "/operator/v1/risk/lists", "/operator/v1/risk/labels"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    found = Installation(tmp_path_factory.mktemp("risk"), "")
    done = tillway(found, "backend", "init")
    found.token = json.loads(done.stdout)["operator_token"]
    found.start()
    assert found.operator("/operator/v1/merchants", MERCHANT)[0] == 201
    store = {"store": "store-1", "merchant_id": "merchant-1", "name": "First"}
    assert found.operator("/operator/v1/stores", store)[0] == 201
    yield found
    assert found.program is not None
    processes.stop(found.program)


def tillway(installation: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tillway", *words],
        env={**os.environ, **installation.env, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )


class Till:
    """A till behind its hub, and payers who have no money: judging comes before the balance."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.hub, self.till = enrol_pair(installation, 7)
        self.number = 0

    def payer(self, number: int) -> dict[str, Any]:
        key = generate("Ed25519").public
        wanted = {"payer_id": mint("pyr", number), "name": "Li Na", "pin": "482913",
                  "key_suite": key.suite.name, "key_public": key.public.hex()}  # fmt: skip
        status, made = self.installation.operator("/operator/v1/payers", wanted)
        assert status == 201, made
        return made | {"payer_id": wanted["payer_id"]}

    def pay(self, payer: dict[str, Any]) -> tuple[str, str]:
        """The payment's id and the code with which it was declined."""
        self.number += 1
        code = make_code(
            bytes.fromhex(payer["code_secret"]),
            route=int(payer["code_route"]),
            at_ms=SystemClock().now_ms(),
            counter=self.number,
        )
        body = create(700 + self.number) | {"method": "pay_code", "pay_code": code}
        sent = batch_of(self.hub, request(self.till, self.number, "payment.create", body))
        [answer] = answers(self.installation, self.hub, sent)
        return body["payment_id"], str(answer.body["error"]["code"])


def explained(installation: Installation, payment_id: str) -> str:
    token = installation.root / "token"
    token.write_text(installation.token)
    ca: Path = installation.root / "state" / "ca" / "ca.crt"
    place = ("--url", installation.url(), "--ca", str(ca), "--token-file", str(token))
    return tillway(installation, "risk", "explain", payment_id, *place).stdout


def test_a_fraud_that_a_person_named_is_declined_also_after_the_power_went_off(
    installation: Installation,
) -> None:
    till = Till(installation)
    payer, other = till.payer(1), till.payer(2)
    paid, code = till.pay(payer)
    assert code == "insufficient_balance"  # the engine let it through
    label = {"label_id": mint("lbl", 1), "payment_id": paid, "is_fraud": True, "by": "李雷",
             "reason": "盗刷"}  # fmt: skip
    assert installation.operator(LABELS, label)[0] == 201
    assert installation.program is not None
    installation.program.process.send_signal(signal.SIGKILL)
    installation.program.process.wait(timeout=PATIENCE_S)
    installation.start()
    again, code = till.pay(payer)
    assert code == "risk_declined"
    told = explained(installation, again)
    assert "decline by payer_known_fraud" in told
    assert "NOT the same" not in told
    assert "judged again: the same" in told
    block = {"is_on": True, "reason": "reported stolen phone"}
    path = f"/operator/v1/payers/{other['payer_id']}/block"
    assert installation.operator(path, block)[0] == 200
    value = {"kind": "payer", "value": other["payer_id"]}
    status, entry = installation.operator(f"{LISTS}/look_up", value)
    assert (status, entry["list_name"], entry["reason"]) == (200, "block", block["reason"])
    blocked, code = till.pay(other)
    assert code == "risk_declined"
    assert "guard payer_blocked; judged again: the same" in explained(installation, blocked)
