"""Goal: what was said until the very end is in a trace, also the half of an answer after which
nothing came: that is what people record for.
"""

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import serial

from firmware_sim.recording.file import load_trace
from firmware_sim.recording.trace import Said

ASK = bytes.fromhex("7E000701000A01EE8A")
HALF = bytes.fromhex("020000")


def _sim(log: Path, *words: str) -> "subprocess.Popen[str]":
    with log.open("w") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "tillway", "sim", *words],
            stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip


def _first_line(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline()


def _ended_by_term(program: "subprocess.Popen[str]", log: Path) -> None:
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=60)
    assert program.returncode == 0, log.read_text()


def _asked(path: str) -> bytes:
    with serial.Serial(path, 9600, timeout=60) as port:
        port.write(ASK)
        return port.read(len(HALF))


def _put(http: int, path: str, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    at = f"http://127.0.0.1:{http}{path}"
    request = urllib.request.Request(at, data=body, method="PUT", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert answer.status == 200


def _last_said(trace: Path) -> tuple[Said, Said]:
    asked, last = [one for one in load_trace(trace).events if isinstance(one, Said)]
    return asked, last


def _is_half(trace: Path) -> bool:
    asked, last = _last_said(trace)
    told = (last.name, last.hex, last.fields)
    return asked.hex == ASK.hex() and told == ("junk", HALF.hex(), {"why": "unfinished"})


def test_between_a_driver_and_a_device_that_dies_in_an_answer(tmp_path: Path) -> None:
    out, log = tmp_path / "bug.jsonl", tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def be_the_device() -> None:
            line, _ = listener.accept()
            with line:
                if line.recv(len(ASK), socket.MSG_WAITALL) == ASK:
                    line.sendall(HALF)
                line.recv(1)  # until the recorder hangs up

        device = threading.Thread(target=be_the_device, daemon=True)
        device.start()
        at = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        program = _sim(log, "record", "gm65", "--device", at, "--out", str(out))
        said = _first_line(program)
        assert said.startswith("your driver opens "), log.read_text()
        assert _asked(said.split()[-1]) == HALF
        _ended_by_term(program, log)
        device.join(60)
    assert _is_half(out)


def test_on_a_simulated_board_that_is_stopped(tmp_path: Path) -> None:
    board, out, log = tmp_path / "eye.yaml", tmp_path / "day.jsonl", tmp_path / "log"
    board.write_text("name: eye\ndevices:\n  eye: {kind: gm65}\n")
    folder = str(tmp_path / "state")
    program = _sim(
        log, "run", "--board", str(board), "--record", str(out), "--state-dir", folder,
    )  # fmt: skip
    ready = json.loads(_first_line(program))
    fault = json.dumps({"faults": [{"kind": "truncate", "at": len(HALF)}]})
    _put(ready["ports"]["http"], "/devices/eye/faults", fault.encode())
    assert _asked(ready["devices"]["eye"]) == HALF
    _ended_by_term(program, log)
    assert _is_half(out)
