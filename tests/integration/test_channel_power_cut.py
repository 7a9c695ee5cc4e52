"""Kill -9 at every step of a payment through a channel, then run on: one true end, explained.

The steps are not listed here: a clean run of each story counts its boundaries (before the first
commit or call to the channel, and after each), then the story is told again once for each of them.
The other institution is a process of its own and survives.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backend.channels.signed_http import key_text
from backend.db.migrate import upgrade
from protocol.crypto.keys import generate
from tests.integration.dying_backend import AMOUNT_MINOR, REFUND_MINOR
from tests.support.shop import Shop
from tillway import processes
from tillway.json_api import JsonApi

ROOT = Path(__file__).resolve().parents[2]
TOKEN, ACCOUNT = "tok_payers_card", "CARD-1"
AFTER_A_RESTART_MS = 30_000
IDS_PER_STORY = 1_000
PAID = {"captured", "partially_refunded"}


@dataclass
class Stage:
    """The sandbox, the program that gives birth to dying backends, and a database to begin with."""

    root: Path
    sandbox: JsonApi
    nursery: subprocess.Popen[str]
    peer: str
    key: str
    payer: str
    route: int
    told: int = field(default=0)

    def warm_up(self) -> None:
        """The life that all others are born of."""
        assert self._live(self._job("pay", None)) == 0

    def play(self, script: str, faults: dict[str, int], die_at: int | None) -> dict[str, Any]:
        """Tell a story, the power going off once if it shall; what is true in the end."""
        job = self._job(script, die_at)
        result = Path(job["result"])
        self.sandbox.post("/control/faults", faults)
        before = self.on_card()
        ended = self._live(job)
        if die_at is not None:
            assert ended == -signal.SIGKILL
            assert not result.exists()
            ended = self._live(job | {"die_at": None, "later_ms": AFTER_A_RESTART_MS})
        assert ended == 0
        return {**json.loads(result.read_text()), "charged": before - self.on_card()}

    def _job(self, script: str, die_at: int | None) -> dict[str, Any]:
        self.told += 1
        database, result = self.root / f"{self.told}.db", self.root / f"{self.told}.json"
        shutil.copyfile(self.root / "first.db", database)
        return {
            "script": script, "die_at": die_at, "database": str(database), "result": str(result),
            "first_id": self.told * IDS_PER_STORY, "url": self.sandbox.url, "peer": self.peer,
            "key": self.key, "payer": self.payer, "route": self.route, "later_ms": 0,
        }  # fmt: skip

    def on_card(self) -> int:
        return int(self.sandbox.get(f"/control/accounts/{ACCOUNT}")["balance_minor"])

    def _live(self, job: dict[str, Any]) -> int:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps(job) + "\n")
        self.nursery.stdin.flush()
        return int(self.nursery.stdout.readline())


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    root = tmp_path_factory.mktemp("power-cut")
    ours = generate("ES256")
    env = {
        "TILLWAY_SANDBOX_STATE_DIR": str(root / "sandbox"),
        "TILLWAY_SANDBOX_INSTITUTION_KEYS": json.dumps([key_text(ours.public)]),
    }
    program = processes.start(
        "sandbox", ["sandbox", "run", "institutions"], log_dir=root / "logs", env=env
    )
    sandbox = JsonApi(f"http://127.0.0.1:{program.port('http')}")
    opening = {"account": ACCOUNT, "name": "李雷", "opening_minor": 100_000_000}
    sandbox.post("/control/accounts", opening)
    sandbox.post("/control/tokens", {"channel": "card", "token": TOKEN, "account": ACCOUNT})
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.dying_backend"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as nursery:  # fmt: skip
        payer, route = _first_database(root)
        peer, key = str(program.ready["key"]), ours.private_bytes().hex()
        stage = Stage(root, sandbox, nursery, peer, key, payer, route)
        stage.warm_up()
        yield stage
        assert nursery.stdin is not None
        nursery.stdin.close()
    processes.stop(program)


def _first_database(root: Path) -> tuple[str, int]:
    """A shop with a payer whose pay codes a card pays."""
    url = f"sqlite:///{root / 'first.db'}"
    upgrade(url)
    shop = Shop(url)
    shop.add_merchant()
    payer = shop.add_payer()
    shop.add_instrument(payer, "card", token=TOKEN)
    shop.close()
    return payer, shop.routes[payer]


@pytest.mark.parametrize(
    ("script", "faults", "state"),
    [
        pytest.param("pay", {}, "captured", id="success"),
        pytest.param("pay", {"refuse_order": 1}, "declined", id="refused"),
        pytest.param("pay", {"drop_answer_after_commit": 1}, "captured", id="answer lost"),
        pytest.param("pay", {"be_down": 1}, "reversed", id="never arrived"),
        pytest.param(
            "reverse_under_way",
            {"drop_answer_after_commit": 1},
            "reversed",
            id="reversed by the till under way",
        ),
        pytest.param("reverse_paid", {}, "reversed", id="reversed by the till when paid"),
        pytest.param("refund", {}, "partially_refunded", id="refunded"),
        pytest.param("refund", {"refuse_refund": 1}, "captured", id="refund refused"),
    ],
)
def test_the_power_may_go_off_at_any_step_of_a_payment_through_a_channel(
    stage: Stage, script: str, faults: dict[str, int], state: str
) -> None:
    """What was *sent* when the power went off and never arrived is reversed, not sent again."""
    clean = stage.play(script, faults, None)
    check(clean, {state})
    assert clean["boundaries"] >= 5
    ends = []
    for step in range(1, clean["boundaries"] + 1):
        told = stage.play(script, faults, step)
        check(told, {state, "captured", "reversed"})
        ends.append(told["payment"])
    assert state in ends


def check(told: dict[str, Any], states: set[str]) -> None:
    """One true end: in the ledger, in our tables and at the channel, and the way there is told."""
    assert told["is_whole"]
    assert told["pending"] == 0
    assert told["payment"] in states
    is_paid = told["payment"] in PAID
    assert (told["order"] == "succeeded") == is_paid
    refunded = REFUND_MINOR if told["refund_at_channel"] == "succeeded" else 0
    assert told["charged"] == AMOUNT_MINOR * is_paid - refunded
    assert (told["payment"] == "partially_refunded") == bool(refunded)
    assert ("succeeded" in told["refunds"]) == bool(refunded)
    books = told["accounts"]
    assert sum(v for name, v in books.items() if name.startswith("C:CH:")) == told["charged"]
    assert not any(v for name, v in books.items() if name.startswith(("C:REFUND", "C:LONG")))
    explained(told["payment_events"], told["payment"])
    for saga in told["sagas"]:
        assert saga["next_try_ms"] is None
        explained(saga["timeline"], saga["state"])


def explained(events: list[dict[str, Any]], state: str) -> None:
    """A timeline without a gap, from the beginning to the present state."""
    assert [event["number"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["state_after"] == state
    for before, after in pairwise(events):
        assert before["state_after"] == after["state_before"]
