"""What the journal gives back after a power cut. The process is really killed."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from protocol import envelope
from protocol.errors import CallerError
from terminal.inputs import ReceiptPrinted, StartSale
from terminal.journal.store import Journal
from tests.unit.terminal.fakes import BACKEND_KEY, DEVICE_KEY, TID, Bench, opened, refusal

ROOT = Path(__file__).resolve().parents[3]


def crash(path: Path, point: str) -> bytes:
    """Run a till until the point; the envelope that left it."""
    keys = (DEVICE_KEY.private_bytes().hex(), BACKEND_KEY.private_bytes().hex())
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.terminal.crashing_till", str(path), point, *keys],
        cwd=ROOT, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    said = [line for line in done.stdout.decode().splitlines() if line.startswith("sent:")]
    return bytes.fromhex(said[0].removeprefix("sent:")) if said else b""


@pytest.mark.parametrize("point", ["stored", "sent"])
def test_a_sale_cut_off_is_unknown_and_recovered_with_exactly_the_same_ids(
    tmp_path: Path, point: str
) -> None:
    path = tmp_path / "journal.db"
    left = crash(path, point)
    bench = Bench(path, seed=2)
    assert bench.kind == "unknown"
    assert bench.agent.screen().is_recovered
    sale = bench.agent.recent(1)[0]
    row = bench.journal.latest_request(sale.payment_id, "payment.create")
    assert row is not None
    last = bench.journal.last_envelope(row.request_id)
    assert last is not None
    if point == "sent":
        assert last == left
    query = bench.sent_of("payment.query")[-1]
    assert opened(query).body == {"payment_id": sale.payment_id}
    first = envelope.unseal(last).envelope
    assert opened(query).position > first.position
    # The backend has never heard of it: the same create goes again.
    bench.answer(refusal(query.request_id, "payment_not_found", key=BACKEND_KEY))
    again = opened(bench.sent_of("payment.create")[-1])
    assert (again.request_id, dict(again.body)) == (first.request_id, dict(first.body))
    bench.answer(bench.result("captured", to=bench.sent_of("payment.create")[-1]))
    assert bench.kind == "paid"
    assert bench.receipts[-1].facts["is_recovered"] is True
    bench.power_cut()


def test_a_receipt_that_was_not_printed_is_printed_once_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    crash(path, "answered")
    bench = Bench(path, seed=2)
    assert [receipt.facts["kind"] for receipt in bench.receipts] == ["paid"]
    assert bench.receipts[0].facts["is_recovered"] is True
    bench.feed(ReceiptPrinted(bench.receipts[0].receipt_id))
    bench.power_cut()
    bench.receipts.clear()
    bench.boot()
    assert bench.receipts == []
    bench.power_cut()


def test_a_request_that_never_left_is_given_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db", link_up=False)
    bench.feed(StartSale(amount_minor=1, currency="CNY", method="merchant_qr"))
    bench.power_cut()
    bench.boot()
    assert bench.kind == "keypad"
    assert bench.sent_of("payment.create") == []
    bench.power_cut()


def test_each_start_has_a_higher_epoch_and_counters_never_fall(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "journal.db")
    bench.power_cut()
    bench.boot()  # in the same second
    bench.clock.wall -= 10_000_000  # the clock went back
    bench.power_cut()
    bench.boot()
    positions = [opened(parcel).position for parcel in bench.sent]
    assert positions == sorted(set(positions))
    bench.power_cut()


def test_a_lost_journal_still_goes_on_above_what_the_hub_has_seen(tmp_path: Path) -> None:
    first = Journal(None, tid=TID, now_ms=1_790_000_000_000)
    second = Journal(None, tid=TID, now_ms=1_790_000_009_000)
    assert second.boot_epoch > first.boot_epoch
    first.close()
    second.close()


def test_a_journal_of_another_device_is_not_used(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.db", tid=TID, now_ms=1).close()
    with pytest.raises(CallerError) as refused:
        Journal(tmp_path / "journal.db", tid="pos-9", now_ms=1)
    assert refused.value.code == "config_invalid"


def test_the_journal_is_private_and_syncs_every_commit(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = Journal(path, tid=TID, now_ms=1)
    assert path.stat().st_mode & 0o077 == 0
    assert journal._db.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert journal._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    journal.close()
    with sqlite3.connect(path) as found:
        assert found.execute("PRAGMA user_version").fetchone()[0] == 16
    found.close()
