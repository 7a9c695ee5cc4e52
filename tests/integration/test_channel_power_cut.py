"""Kill -9 at every step of what goes through a channel (a payment, a refund, a top-up, a
withdrawal, a payment that goes on to another channel), then run on: one true end, explained.

The steps are not listed here: a clean run of each story counts its boundaries (before the first
commit or call to the channel, and after each), then the story is told again once for each of them.
The other institutions are processes of their own and survive.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from backend.channels.model import CUP, NUCC
from backend.channels.signed_http import key_text
from backend.sandbox.unionpay.program import LINE
from backend.sandbox.unionpay.terminals import key_path
from protocol.crypto.keys import generate
from tests.integration.dying_backend import AMOUNT_MINOR, REFUND_MINOR, TOPUP_MINOR, WITHDRAWN_MINOR
from tests.support.iso8583_messages import MID, TID
from tests.support.migrated import migrated_sqlite
from tests.support.shop import Shop
from tillway import processes
from tillway.json_api import JsonApi

pytestmark = pytest.mark.xdist_group("channel_power_cut")
ROOT = Path(__file__).resolve().parents[2]
TOKEN, ACCOUNT = "tok_payers_card", "6217000000000000001"
OPENING_MINOR, BALANCE_MINOR = 100_000_000, 50_000
NOWHERE = "http://127.0.0.1:1"
AFTER_A_RESTART_MS = 30_000
IDS_PER_STORY = 1_000
STANS_PER_STORY = 200
PAID = {"captured", "partially_refunded"}


@dataclass
class Stage:
    """The institutions, the program that gives birth to dying backends, and a database to begin
    with. ``known``: what every life is told about them."""

    root: Path
    clearing_house: JsonApi
    switch: JsonApi
    nursery: subprocess.Popen[str]
    known: dict[str, Any]
    payers: dict[str, dict[str, Any]]
    told: int = field(default=0)

    def warm_up(self) -> None:
        """The life that all others are born of."""
        assert self._live(self._job("pay", None)) == 0

    def play(self, script: str, faults: dict[str, int], die_at: int | None) -> dict[str, Any]:
        """Tell a story, the power going off once if it shall; what is true in the end."""
        job = self._job(script, die_at)
        result = Path(job["result"])
        is_down = "no_connection" in faults
        counts = {name: count for name, count in faults.items() if name != "no_connection"}
        self.clearing_house.post("/control/faults", counts)
        if is_down:
            job |= {"url": NOWHERE, **self.payers["of two channels"]}
        before = self.on_card()
        ended = self._live(job)
        if die_at is not None:
            assert ended == -signal.SIGKILL
            assert not result.exists()
            again = {"die_at": None, "later_ms": AFTER_A_RESTART_MS, "url": self.known["url"]}
            ended = self._live(job | again)
        assert ended == 0
        return {**json.loads(result.read_text()), "charged": before - self.on_card()}

    def _job(self, script: str, die_at: int | None) -> dict[str, Any]:
        self.told += 1
        database, result = self.root / f"{self.told}.db", self.root / f"{self.told}.json"
        shutil.copyfile(self.root / "first.db", database)
        # Every story has a terminal number range of its own: the switch sees them all.
        with sqlite3.connect(database) as connection:
            numbers = (TID, 1, self.told * STANS_PER_STORY + 1)
            connection.execute("INSERT INTO unionpay_terminal VALUES (?, ?, ?, 0)", numbers)
        connection.close()
        return {
            "script": script, "die_at": die_at, "database": str(database), "result": str(result),
            "first_id": self.told * IDS_PER_STORY, "later_ms": 0, **self.known,
            **self.payers["of one channel"],
        }  # fmt: skip

    def on_card(self) -> int:
        """What the payers have at the bank and on the card."""
        at_bank = self.clearing_house.get(f"/control/accounts/{ACCOUNT}")["balance_minor"]
        on_card = self.switch.get(f"/control/cards/{ACCOUNT}")["balance_minor"]
        return int(at_bank) + int(on_card)

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
    programs = {
        name: processes.start(name, ["sandbox", "run", name], log_dir=root / "logs", env=env)
        for name in ("netsunion", "unionpay")
    }
    apis = {
        name: JsonApi(f"http://127.0.0.1:{program.port('http')}")
        for name, program in programs.items()
    }
    _open_accounts(apis)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.dying_backend"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as nursery:  # fmt: skip
        known = {
            "url": apis["netsunion"].url,
            "witness_url": apis["netsunion"].url,
            "peer": str(programs["netsunion"].ready["key"]),
            "key": ours.private_bytes().hex(),
            "switch": ["127.0.0.1", programs["unionpay"].port(LINE)],
            "terminal": TID,
            "merchant": MID,
            "master_key": key_path(root / "sandbox" / "unionpay", TID).read_text().strip(),
            "token": TOKEN,
        }
        stage = Stage(
            root, apis["netsunion"], apis["unionpay"], nursery, known, _first_database(root)
        )
        stage.warm_up()
        yield stage
        assert nursery.stdin is not None
        nursery.stdin.close()
    for program in programs.values():
        processes.stop(program)


def _open_accounts(apis: dict[str, JsonApi]) -> None:
    """A bank account with agreements for two payers, and a card for one of them."""
    opening = {"account": ACCOUNT, "name": "李雷", "opening_minor": OPENING_MINOR}
    apis["netsunion"].post("/control/accounts", opening)
    for token in (TOKEN, f"{TOKEN}_2"):
        apis["netsunion"].post("/control/tokens", {"token": token, "account": ACCOUNT})
    apis["unionpay"].post("/control/cards", opening | {"token": f"{TOKEN}_2"})


def _first_database(root: Path) -> dict[str, dict[str, Any]]:
    """A shop with a payer whose card one channel serves, and one whose card two do."""
    url = migrated_sqlite(root / "first.db")
    shop = Shop(url)
    shop.add_merchant()
    payers = {}
    for name, token, channels in (
        ("of one channel", TOKEN, (NUCC,)),
        ("of two channels", f"{TOKEN}_2", (NUCC, CUP)),
    ):
        payer = shop.add_payer(balance_minor=BALANCE_MINOR if channels == (NUCC,) else 0)
        instrument = shop.add_instrument(payer, "card", token=token, channels=channels)
        payers[name] = {"payer": payer, "route": shop.routes[payer], "instrument": instrument}
    shop.close()
    return payers


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


@pytest.mark.parametrize(
    ("script", "faults", "state"),
    [
        pytest.param("top_up", {}, "succeeded", id="topped up"),
        pytest.param("top_up", {"refuse_order": 1}, "failed", id="top-up refused"),
        pytest.param("top_up", {"drop_answer_after_commit": 1}, "succeeded", id="answer lost"),
        pytest.param("withdraw", {}, "succeeded", id="withdrawn"),
        pytest.param("withdraw", {"drop_answer_after_commit": 1}, "succeeded", id="word lost"),
        pytest.param("withdraw", {"be_down": 1}, "succeeded", id="not heard at first"),
    ],
)
def test_the_power_may_go_off_at_any_step_of_a_payer_s_own_money(
    stage: Stage, script: str, faults: dict[str, int], state: str
) -> None:
    clean = stage.play(script, faults, None)
    check(clean, {None})
    own = clean["topup_id"] if script == "top_up" else clean["withdrawal_id"]
    assert clean["own"][own] == state
    for step in range(1, clean["boundaries"] + 1):
        told = stage.play(script, faults, step)
        check(told, {None})
        own = told["topup_id"] if script == "top_up" else told["withdrawal_id"]
        assert told["own"][own] in ({state, "failed"} if script == "top_up" else {state})


def test_the_power_may_go_off_at_any_step_from_one_channel_to_the_other(stage: Stage) -> None:
    """The clearing house cannot be reached until the restart; the card network takes it, or, where
    it was not known any more whether something had been sent, it is settled first."""
    faults = {"no_connection": 1}
    clean = stage.play("pay", faults, None)
    check(clean, {"captured"})
    assert (clean["channel"], clean["order"]) == ("CUP", None)
    ends = set()
    for step in range(1, clean["boundaries"] + 1):
        told = stage.play("pay", faults, step)
        check(told, {"captured", "reversed"})
        ends.add((told["channel"], told["payment"]))
    assert ("CUP", "captured") in ends


def check(told: dict[str, Any], states: set[str | None]) -> None:
    """One true end: in the ledger, in our tables and at the channels, and the way there is told."""
    assert told["is_whole"]
    assert told["pending"] == 0
    assert told["payment"] in states
    is_paid = told["payment"] in PAID
    is_at_house = is_paid and told["channel"] == NUCC
    assert (told["order"] == "succeeded") == is_at_house
    refunded = REFUND_MINOR if told["refund_at_channel"] == "succeeded" else 0
    filled = TOPUP_MINOR * (told["own"].get(told["topup_id"]) == "succeeded")
    taken_out = WITHDRAWN_MINOR * (told["own"].get(told["withdrawal_id"]) == "succeeded")
    assert told["charged"] == AMOUNT_MINOR * is_paid - refunded + filled - taken_out
    assert (told["payment"] == "partially_refunded") == bool(refunded)
    assert ("succeeded" in told["refunds"]) == bool(refunded)
    books = told["accounts"]
    owed = sum(v for name, v in books.items() if name.startswith("C:CH:"))
    assert owed - BALANCE_MINOR == told["charged"]
    open_accounts = ("C:REFUND", "C:LONG", "C:PAYOUT")
    assert not any(v for name, v in books.items() if name.startswith(open_accounts))
    if told["payment"] is not None:
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
