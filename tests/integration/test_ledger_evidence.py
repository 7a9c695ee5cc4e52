"""Statements and proofs as an operator and an auditor use them: over HTTP, and from the command
line with nothing but a proof file and a public key."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from typer.testing import CliRunner, Result

from backend.ledger.cli import app
from backend.ledger.follower import Follower
from backend.ledger.rules import Event, balance_paid, top_up
from protocol.errors import CallerError
from tests.support.backend import Served, served
from tests.support.books import DATE, Post

ANN = "C:CUST:ann:CNY"
FOLLOWED_S_MAX = 20


def event(name: str) -> Event:
    return Event(name, "CNY", DATE)


async def trade(server: Served) -> None:
    """Money in and three payments, each in a group of its own."""
    submit = server.backend.writer.submit
    money = top_up(event("fund"), user_id="ann", channel_id="NUCC", settlement_date=DATE,
                   amount_minor=10_000)  # fmt: skip
    assert await submit(Post(money))
    for number in range(3):
        paid = balance_paid(event(f"pay_{number}"), user_id="ann", merchant_id="shop",
                            amount_minor=1_000, fee_minor=6)  # fmt: skip
        assert await submit(Post(paid))


async def resting(_: Follower) -> None:
    """The backend signs nothing by itself: only what the operator asks for is there."""
    await asyncio.Event().wait()


class Operator:
    """Calls the operator's routes."""

    def __init__(self, server: Served, token: str, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._headers = {"authorization": f"Bearer {token}"}
        self._session = session

    async def __call__(self, method: str, path: str, **query: Any) -> tuple[int, Any]:
        url = self._server.url("public", f"/operator/v1/ledger{path}")
        async with self._session.request(
            method, url, ssl=self._server.anonymous(), headers=self._headers, params=query
        ) as answer:
            return answer.status, await answer.json()


@pytest.mark.asyncio
async def test_the_operator_asks_for_statements_and_proofs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Follower, "run", resting)
    async with served(tmp_path) as (server, token), aiohttp.ClientSession() as session:
        ask = Operator(server, token, session)
        await trade(server)
        now_ms = server.backend.clock.now_ms()
        status, found = await ask("GET", f"/accounts/{ANN}/balance", at_ms=now_ms)
        assert (status, found["balance_minor"], found["available_minor"]) == (200, 7_000, 7_000)
        status, page = await ask(
            "GET", f"/accounts/{ANN}/statement", from_ms=now_ms, to_ms=now_ms + 1, limit=3
        )
        assert status == 200
        assert page["opening"]["balance_minor"] == 0
        assert page["closing"]["balance_minor"] == 7_000
        assert [one["amount_minor"] for one in page["entries"]] == [10_000, -1_000, -1_000]
        _, rest = await ask(
            "GET", f"/accounts/{ANN}/statement", from_ms=now_ms, to_ms=now_ms + 1,
            after=page["next_after"],
        )  # fmt: skip
        assert [one["transfer_id"] for one in rest["entries"]] == ["pay_2:1"]
        assert rest["next_after"] is None
        status, kept = await ask("POST", "/checkpoints")
        assert (status, kept["size"]) == (201, 4)
        _, listed = await ask("GET", "/checkpoints")
        assert listed[0] == kept
        status, proof = await ask("GET", "/transfers/pay_1:2/proof")
        assert status == 200
        assert proof["checkpoint"] == kept["note"]
        assert (await ask("GET", "/key"))[1]["key"] == kept["key"]
        await server.backend.writer.submit(
            Post(balance_paid(event("pay_9"), user_id="ann", merchant_id="shop", amount_minor=1,
                              fee_minor=0))
        )  # fmt: skip
        await ask("POST", "/checkpoints")
        status, consistent = await ask("GET", "/consistency", old=4, new=5)
        assert (status, consistent["old"]) == (200, kept["note"])
        for path, query in (
            ("/accounts/C:CUST:CNY/balance", {"at_ms": 1}),
            ("/transfers/pay_8:1/proof", {}),
            ("/consistency", {"old": 3, "new": 5}),
            (f"/accounts/{ANN}/statement", {"from_ms": 1, "to_ms": 2, "after": "x"}),
            (f"/accounts/{ANN}/balance", {"at_ms": -1}),
        ):
            status, refused = await ask("GET", path, **query)
            assert 400 <= status < 500, (path, refused)
        status, report = await ask("GET", "/verify")
        assert report["is_whole"], report["breaks"]
        assert (report["checkpoints"], report["first_bad_transfer"]) == (2, None)


@pytest.mark.asyncio
async def test_the_backend_follows_and_signs_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.ledger.follower.FOLLOW_PAUSE_MS", 5)
    async with served(tmp_path) as (server, token), aiohttp.ClientSession() as session:
        ask = Operator(server, token, session)
        await trade(server)
        async with asyncio.timeout(FOLLOWED_S_MAX):
            while not (await ask("GET", "/checkpoints"))[1]:
                pass
        _, report = await ask("GET", "/verify")
        assert report["is_whole"], report["breaks"]
        assert report["balances"] > 0


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.asyncio
async def test_an_auditor_checks_a_proof_without_the_database(tmp_path: Path) -> None:
    async with served(tmp_path) as (server, _token):
        await trade(server)
    state = tmp_path / "state"
    database = ("--database", f"sqlite:///{state / 'backend.db'}")
    said = run("balance", ANN, *database).output
    assert said == "7000 (7000 available)\n"
    shown = run("statement", ANN, "--from", "2020-01-01", "--to", "2100-01-01T00:00:00+08:00",
                "--limit", "2", *database).output  # fmt: skip
    assert "pay_0:1" in shown
    assert "more: --after" in shown
    first = run("checkpoint", "--state", str(state), *database, "--out", str(tmp_path / "old"))
    assert first.exit_code == 0
    key = run("key", "--state", str(state)).output.strip()
    proof, later = tmp_path / "proof.json", tmp_path / "later.json"
    run("prove", "pay_1:2", *database, "--out", str(proof))
    run("consistency", str(tmp_path / "old"), "4", *database, "--out", str(later))
    assert run("consistency", "4", "4", *database).output == later.read_text()
    assert "backend/ledger/main\n4\n" in run("checkpoints", *database).output
    assert run("follow", "--afresh", *database).output == "4 groups followed\n"
    assert run("verify", *database, "--key", key).exit_code == 0
    (state / "backend.db").unlink()
    for file in (proof, later):
        held = run("check", str(file), "--key", key)
        assert held.exit_code == 0, held.output
        assert "holds in backend/ledger/main, 4 groups" in held.output
    assert (
        "C:MPEND:shop:CNY -> C:UNSWEPT:CNY 6 CNY" in run("check", str(proof), "--key", key).output
    )
    forged = json.loads(proof.read_text())
    forged["transfers"][0]["amount_minor"] = 1
    proof.write_text(json.dumps(forged))
    refused = run("check", str(proof), "--key", key)
    assert refused.exit_code == 1
    assert "does NOT hold" in refused.output
    with pytest.raises(CallerError, match="config_invalid"):
        run("checkpoint", "--state", str(tmp_path / "nowhere"), *database)
