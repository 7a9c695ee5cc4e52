"""Goal: the simulator as a program: ready line, control API, receipts on disk, clean end."""

import asyncio
import base64
import io
import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import qrcode
import zxingcpp
from PIL import Image

from protocol.money import Money
from terminal.adapters.ef01_fingerprint import Ef01FingerprintSensor
from terminal.adapters.escpos_printer import EscPosSerialPrinter
from terminal.adapters.gm65_scanner import Gm65Scanner
from terminal.receipt import ReceiptContent, build_receipt
from tests.kit.drivers import Opened

CODE = "134567890123456789"


@dataclass(frozen=True, slots=True)
class Sim:
    """A running simulator."""

    ready: dict[str, Any]
    state_dir: Path
    program: "subprocess.Popen[str]"

    def ask(
        self, path: str, body: object = None, *, method: str = "", origin: str = ""
    ) -> tuple[int, Any]:
        """A request to the control API; bytes go as they are, all else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ready['ports']['http']}{path}",
            data=None if body is None else content,
            method=method or ("GET" if body is None else "POST"),
            headers={"content-type": "application/json"} | ({"origin": origin} if origin else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, _parsed(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, _parsed(refusal.read())


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def _start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tillway", "sim", "run", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def sim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sim]:
    """``tillway sim run --board pos``, stopped by SIGTERM, which must end it cleanly."""
    state_dir = tmp_path_factory.mktemp("sim")
    logs = state_dir / "log"  # not a pipe: a full one that nobody reads would stop the program
    with logs.open("w") as errors:
        words = [sys.executable, "-m", "tillway", "sim", "run"]
        program = subprocess.Popen(
            [*words, "--board", "pos", "--state-dir", str(state_dir)],
            stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    assert program.stdout is not None
    yield Sim(json.loads(program.stdout.readline()), state_dir, program)
    program.send_signal(signal.SIGTERM)
    out, _ = program.communicate(timeout=10)
    assert program.returncode == 0, logs.read_text()
    assert out == ""


def _shown(words: str) -> dict[str, str]:
    stream = io.BytesIO()
    qrcode.make(words).save(stream)
    return {"png": base64.b64encode(stream.getvalue()).decode()}


def test_the_ready_line_names_ports_and_devices(sim: Sim) -> None:
    assert sim.ready["ready"] is True
    assert set(sim.ready["devices"]) == {
        "scanner", "printer", "fingerprint", "reader", "pinpad", "display",
    }  # fmt: skip
    for name, path in sim.ready["devices"].items():
        assert Path(path).exists()
        assert (sim.state_dir / "dev" / name).resolve() == Path(path)
    assert sim.ask("/healthz")[1]["ok"] is True
    assert sim.ask("/readyz")[0] == 200


@pytest.mark.asyncio
async def test_a_picture_presented_over_http_is_scanned_by_our_driver(
    sim: Sim, opened: Opened
) -> None:
    scanner = opened(Gm65Scanner(sim.ready["devices"]["scanner"]))
    status, answer = await asyncio.to_thread(sim.ask, "/devices/scanner/acts/present", _shown(CODE))
    assert status == 200
    assert answer["state"]["pictures_waiting"] == 1
    assert await scanner.scan(5) == CODE


@pytest.mark.asyncio
async def test_a_receipt_becomes_text_json_and_picture_on_disk(sim: Sim, opened: Opened) -> None:
    printer = opened(EscPosSerialPrinter(sim.ready["devices"]["printer"]))
    content = ReceiptContent(
        merchant="晨光咖啡", till="1", state="paid", amount=Money(1280, "CNY"),
        payment_id="pay_01JZ8Q4W3T5Y7V9X1B2C3D4E5F", at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    await printer.print(build_receipt(content))
    shown = (await asyncio.to_thread(sim.ask, "/devices/printer"))[1]
    receipt = shown["state"]["receipts"][-1]
    assert "￥12.80" in receipt["text"]
    kept = sim.state_dir / "receipts" / "000001"
    assert "支付成功 PAID" in await asyncio.to_thread(kept.with_suffix(".txt").read_text)
    drawn = (
        await asyncio.to_thread(sim.ask, f"/devices/printer/pictures/{receipt['number']}.png")
    )[1]
    assert await asyncio.to_thread(kept.with_suffix(".png").read_bytes) == drawn
    with Image.open(io.BytesIO(drawn)) as picture:
        assert zxingcpp.read_barcodes(picture)[0].text == content.payment_id


@pytest.mark.asyncio
async def test_a_finger_enrolled_and_placed_over_http_matches(sim: Sim, opened: Opened) -> None:
    sensor = opened(Ef01FingerprintSensor(sim.ready["devices"]["fingerprint"]))
    enrolled = await asyncio.to_thread(
        sim.ask, "/devices/fingerprint/acts/enroll", {"finger": "dora", "slot": 9}
    )
    assert enrolled[1]["state"]["slots"] == [1, 2, 9]
    await asyncio.to_thread(sim.ask, "/devices/fingerprint/acts/place", {"finger": "dora"})
    match = await sensor.identify(5)
    assert match is not None
    assert match.slot == 9
    await asyncio.to_thread(sim.ask, "/devices/fingerprint/acts/remove", {})
    state = (await asyncio.to_thread(sim.ask, "/devices/fingerprint"))[1]["state"]
    assert state["finger"] is None


def test_paper_cover_and_drawer_are_moved_over_http(sim: Sim) -> None:
    def after(act: str, **words: int) -> dict[str, Any]:
        state: dict[str, Any] = sim.ask(f"/devices/printer/acts/{act}", words)[1]["state"]
        return state

    assert after("load_paper", millimetres=0)["paper"] == "end"
    assert sim.ask("/devices/printer")[1]["state"]["online"] is False
    assert after("load_paper", millimetres=30_000)["paper"] == "adequate"
    assert after("open_cover")["cover_open"] is True
    assert after("close_cover")["cover_open"] is False
    assert after("close_drawer")["drawer_open"] is False


def test_devices_are_unplugged_and_plugged_over_http(sim: Sim) -> None:
    assert sim.ask("/devices/scanner/unplug", {})[1]["path"] is None
    assert sim.ask("/readyz")[0] == 503
    assert not (sim.state_dir / "dev" / "scanner").is_symlink()
    path = sim.ask("/devices/scanner/plug", {})[1]["path"]
    assert (sim.state_dir / "dev" / "scanner").resolve() == Path(path)
    sim.ready["devices"]["scanner"] = path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/devices/scanner/acts/present", {"png": "bm90IGEgcGljdHVyZQ=="}),
        ("/devices/scanner/acts/present", {"png": "!"}),
        ("/devices/scanner/acts/present", {}),
        ("/devices/scanner/acts/swallow", {}),
        ("/devices/fingerprint/acts/place", {"finger": ""}),
        ("/devices/fingerprint/acts/place", {"thumb": "x"}),
        ("/devices/fingerprint/acts/enroll", {"finger": "x", "slot": 5000}),
        ("/devices/printer/acts/load_paper", {"millimetres": -1}),
        ("/devices/printer/acts/load_paper", {"millimetres": "much"}),
        ("/devices/toaster/unplug", {}),
        ("/devices/printer/acts/open_cover", b"\xff\xfe{"),
    ],
)
def test_wrong_requests_are_refused_in_both_languages(sim: Sim, path: str, body: object) -> None:
    status, answer = sim.ask(path, body)
    assert 400 <= status < 500
    assert answer["error"]["code"] == "field_invalid"
    assert answer["error"]["zh"]
    assert answer["error"]["en"]
    assert answer["error"]["detail"]


def test_a_picture_too_large_is_refused(sim: Sim) -> None:
    assert sim.ask("/devices/scanner/acts/present", bytes(12 * 1024 * 1024))[0] == 400


def test_faults_and_power_are_set_over_http(sim: Sim) -> None:
    faults = [{"kind": "drop", "at": 3}, {"kind": "silent", "side": "host"}]
    shown = sim.ask("/devices/printer/faults", {"faults": faults}, method="PUT")[1]
    assert [(fault["kind"], fault["side"]) for fault in shown["faults"]] == [
        ("silent", "host"), ("drop", "device"),
    ]  # fmt: skip
    assert sim.ask("/devices/printer/faults", {"faults": []}, method="PUT")[1]["faults"] == []
    wrong = {"faults": [{"kind": "gremlin"}]}
    assert sim.ask("/devices/printer/faults", wrong, method="PUT")[0] == 422
    assert sim.ask("/devices/printer/power-off", {})[1]["is_powered"] is False
    assert sim.ask("/devices/printer/power-on", {})[1]["is_powered"] is True


@pytest.mark.parametrize(("origin", "status"), [("http://evil.example", 403), ("null", 403)])
def test_another_sites_page_moves_no_device(sim: Sim, origin: str, status: int) -> None:
    path = "/devices/printer/acts/open_cover"
    assert sim.ask(path, {}, origin=origin)[0] == status
    assert sim.ask(path, {}, origin=f"http://127.0.0.1:{sim.ready['ports']['http']}")[0] == 200
    assert sim.ask("/devices/printer/acts/close_cover", {})[0] == 200


def test_metrics_count_bytes_and_deeds(sim: Sim) -> None:
    text = sim.ask("/metrics")[1].decode()
    assert 'tillway_sim_deeds_total{deed="receipts_cut",device="printer"}' in text


def test_a_taken_port_is_named_and_ends_with_2(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        program = _start("--state-dir", str(tmp_path), "--http-port", str(port))
        _, err = program.communicate(timeout=20)
    assert program.returncode == 2
    assert f"127.0.0.1:{port}" in err
    assert "The port is taken" in err


def test_an_unknown_board_ends_with_2(tmp_path: Path) -> None:
    program = _start("--board", "kiosk", "--state-dir", str(tmp_path))
    _, err = program.communicate(timeout=20)
    assert program.returncode == 2
    assert "pos" in err
