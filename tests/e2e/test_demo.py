"""The product's front door: the demo plays the whole day with real processes and accounts for it.

Once with what Python brings, once on PostgreSQL, RabbitMQ, Redis and Mosquitto, which settings
choose and nothing else.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aio_pika
import psycopg
import pytest
from redis import Redis

from tests.support.postgres import Cluster
from tests.support.rabbitmq import Broker
from tests.support.redis import RedisServer
from tests.support.stack_secrets import leaks_of
from tillway.demo.mosquitto import PROGRAM as MOSQUITTO

pytestmark = pytest.mark.xdist_group("demo")
"""A day at a time: each starts fifteen programs."""

TIMEOUT_S = 600
"""Ends a day that hangs: it takes a minute on two idle cores."""
ACTS = (
    "pay code", "merchant QR", "vending", "fingerprint", "insufficient", "revoked", "replayed",
    "expired", "risk", "cut line", "power cut", "offline", "refund", "day end",
    "bank card", "money-market fund", "coupon", "Alipay", "UnionPay", "charging", "parking",
)  # fmt: skip


def play(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tillway", "demo", "--once", "--directory", str(directory), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
        env={**os.environ, "COLUMNS": "130"},
    )


def processes_of(directory: Path) -> list[str]:
    """The command lines of every process that was started for this directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(directory) in line and "tillway demo " not in line:
            found.append(line)
    return found


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT_S + 30)
def test_the_day_is_played_as_expected_and_nothing_is_left_running(tmp_path: Path) -> None:
    play_whole(tmp_path / "demo")
    assert leaks_of(tmp_path / "demo", tmp_path / "demo" / "state") == []


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.rabbitmq
@pytest.mark.mosquitto
@pytest.mark.timeout(TIMEOUT_S + 30)
def test_the_same_day_is_played_on_the_servers_that_a_chain_has(
    postgres_cluster: Cluster,
    rabbitmq_broker: Broker,
    redis_server: RedisServer,
    tmp_path: Path,
) -> None:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    database_url = postgres_cluster.create_database("chain")
    redis = Redis.from_url(redis_server.url)
    redis.flushall()
    directory = tmp_path / "demo"
    play_whole(
        directory, "--database-url", database_url, "--queue-url", rabbitmq_broker.url,
        "--redis-url", redis_server.url, "--mosquitto",
    )  # fmt: skip

    assert payments_in(postgres_cluster.dsn("chain")) > 40
    assert asyncio.run(has_queue(rabbitmq_broker.url, "tillway.callbacks.dead"))
    assert sum(redis.xlen(key) for key in redis.scan_iter("{tillway:*}:log")) > 40
    said = (directory / "state" / "logs" / "mosquitto.log").read_text()
    assert all(f" as {name} " in said for name in ("hub-1", "pos-1", "pos-2", "exit-1"))
    assert not (directory / "state" / "backend" / "backend.db").exists()


def play_whole(directory: Path, *words: str) -> None:
    done = play(directory, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every expectation held" in done.stdout
    check_summary(json.loads((directory / "summary.json").read_text()), directory)
    assert processes_of(directory) == []
    printed = directory / "printed.txt"
    printed.write_text(done.stdout + done.stderr)


def payments_in(dsn: str) -> int:
    with psycopg.connect(dsn) as line:
        found = line.execute("SELECT count(*) FROM payment").fetchone()
    assert found is not None
    return int(found[0])


async def has_queue(url: str, name: str) -> bool:
    async with await aio_pika.connect(url) as line:
        channel = await line.channel()
        return (await channel.declare_queue(name, passive=True)).name == name


def check_summary(summary: dict[str, Any], directory: Path) -> None:
    assert summary["ok"] is True
    assert len(summary["cases"]) > 40
    assert all(set(case) == {"name", "expected", "actual", "ok"} for case in summary["cases"])
    names = " ".join(case["name"] for case in summary["cases"])
    for act in ACTS:
        assert act in names
    assert summary["ledger"]["balanced"] is True
    assert summary["ledger"]["reserve_equation"] is True
    assert summary["ledger"]["transfers"] > 100
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p99"]
    pictures = [path for path in summary["receipts"] if path.endswith(".png")]
    assert len(pictures) > 10
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert all(Path(path).is_relative_to(directory) for path in summary["receipts"])


@pytest.mark.timeout(TIMEOUT_S)
def test_a_taken_port_ends_the_demo_with_a_sentence_that_names_it(tmp_path: Path) -> None:
    import socket

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        directory = tmp_path / "demo"
        done = play(directory, "--backend-port", str(port))
    assert done.returncode == 1
    assert "port_taken" in done.stdout
    assert str(port) in done.stdout
    assert processes_of(directory) == []
