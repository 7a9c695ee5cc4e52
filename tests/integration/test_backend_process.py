"""The backend as a process: a shop is set up through its front door, then the power goes off."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backend.clock import SystemClock
from protocol import batch, cbor, envelope
from protocol.answers import Answer, unseal
from protocol.batch import Batch, BatchItem
from protocol.enrolment_code import read_code
from protocol.envelope import Envelope
from protocol.errors import CallerError
from protocol.identity import Identity
from protocol.tls import joining_context
from protocol.topics import reply_address
from tests.kit.command_line import tillway
from tests.kit.foreign_tls import client_context
from tests.kit.patience import PATIENCE_S
from tests.support.backend import mint
from tillway import processes
from tillway.join import join
from tillway.processes import Program

pytestmark = pytest.mark.xdist_group("backend_process")
PASSPHRASE = b"a passphrase of this test"
MERCHANT = {
    "merchant_id": "merchant-1",
    "name": "A shop",
    "payout_bank": "ICBC",
    "payout_account_name": "A shop",
    "payout_account_no": "6222000000000001",
}


@dataclass
class Installation:
    """A state directory and, while it runs, the process on it."""

    root: Path
    token: str
    program: Program | None = None

    @property
    def env(self) -> dict[str, str]:
        return {
            "TILLWAY_BACKEND_STATE_DIR": str(self.root / "state"),
            "TILLWAY_BACKEND_PUBLIC_PORT": "0",
            "TILLWAY_BACKEND_HUB_PORT": "0",
        }

    def start(self) -> None:
        self.program = processes.start(
            "backend", ["backend", "run"], log_dir=self.root / "logs", env=self.env
        )

    def url(self) -> str:
        assert self.program is not None
        return f"https://127.0.0.1:{self.program.port('public')}"

    def operator(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        tls = joining_context((self.root / "state" / "ca" / "ca.crt").read_text())
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        status, content = self.call("public", "POST", path, tls, json.dumps(body), headers)
        return status, json.loads(content)

    def call(
        self,
        listener: str,
        method: str,
        path: str,
        tls: ssl.SSLContext,
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, bytes]:
        assert self.program is not None
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.program.port(listener), timeout=PATIENCE_S, context=tls
        )
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def enrol(self, tid: str, kind: str) -> Identity:
        wanted = {"tid": tid, "kind": kind, "store": "store-1"}
        status, said = self.operator("/operator/v1/enrolment-codes", wanted)
        assert status == 201
        code = read_code(said["code"])
        return join(
            self.root / tid, url=self.url(), code=code, suite="SM2-SM3", passphrase=PASSPHRASE
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """As ``tillway backend init`` leaves it."""
    found = Installation(tmp_path_factory.mktemp("installation"), "")
    done = subprocess.run(
        [sys.executable, "-m", "tillway", "backend", "init"],
        env={**os.environ, **found.env},
        capture_output=True,
        text=True,
        check=True,
    )
    found.token = json.loads(done.stdout)["operator_token"]
    return found


@pytest.fixture(scope="module")
def running(installed: Installation) -> Iterator[Installation]:
    """One for the whole file, because a start costs seconds: each test has devices of its own."""
    installed.start()
    assert installed.operator("/operator/v1/merchants", MERCHANT)[0] == 201
    store = {"store": "store-1", "merchant_id": "merchant-1", "name": "First"}
    assert installed.operator("/operator/v1/stores", store)[0] == 201
    yield installed
    assert installed.program is not None
    processes.stop(installed.program)


@pytest.fixture
def installation(running: Installation) -> Installation:
    """It runs, also after a test that ended it."""
    assert running.program is not None
    if running.program.process.poll() is not None:
        running.start()
    return running


def request(till: Identity, counter: int, message_type: str, body: dict[str, Any]) -> bytes:
    made = Envelope(
        message_type=message_type,
        request_id=mint("req", counter, till.name),
        device=till.name,
        store=till.store,
        boot_epoch=1,
        counter=counter,
        sent_at_ms=SystemClock().now_ms(),
        nonce=counter.to_bytes(12, "big"),
        reply_to=reply_address(till.store, till.name, "mqtt"),
        body=body,
        trace_id=f"trace-{counter}",
    )
    return envelope.seal(made, till.signing_key)


def batch_of(hub: Identity, *envelopes: bytes) -> bytes:
    now_ms = SystemClock().now_ms()
    items = tuple(BatchItem(now_ms, one) for one in envelopes)
    return batch.seal(Batch(hub.name, "batch-1", now_ms, items), hub.signing_key)


def answers(installation: Installation, hub: Identity, sent: bytes) -> list[Answer]:
    status, content = installation.call(
        "hub", "POST", "/hub/v1/batches", client_context(hub.tls), sent
    )
    assert status == 200, content
    sealed = [unseal(one) for one in cbor.decode(content, bytes_max=2**20)]
    return [one.verify(hub.backend_key(one.kid)) for one in sealed]


def bodies(found: list[Answer]) -> list[tuple[str, str, Any]]:
    return [(one.message_type, one.request_id, one.body) for one in found]


def enrol_pair(installation: Installation, number: int) -> tuple[Identity, Identity]:
    """A hub and a till that no other test has."""
    return (
        installation.enrol(f"hub-{number}", "hub"),
        installation.enrol(f"till-{number}", "terminal"),
    )


def create(number: int, amount_minor: int = 1280, currency: str = "CNY") -> dict[str, Any]:
    return {
        "payment_id": mint("pay", number),
        "attempt_id": mint("att", number),
        "method": "merchant_qr",
        "amount_minor": amount_minor,
        "currency": currency,
        "merchant_id": "merchant-1",
        "till": "1",
    }


def test_after_the_power_fails_the_same_batch_gets_the_same_answers(
    installation: Installation,
) -> None:
    hub, till = enrol_pair(installation, 1)
    sent = batch_of(
        hub,
        request(till, 1, "payment.create", create(1)),
        request(till, 2, "payment.create", create(2, amount_minor=0)),
        request(till, 3, "payment.create", create(3, currency="XXX")),
        request(till, 4, "payment.query", {"payment_id": mint("pay", 9)}),
        request(till, 1, "payment.create", create(1)),
    )
    first = bodies(answers(installation, hub, sent))
    assert [kind for kind, _, _ in first] == [
        "payment.result", "refusal", "refusal", "refusal", "payment.result",
    ]  # fmt: skip
    assert first[0][2]["state"] == "awaiting_payer"
    assert first[4] == first[0]
    codes = [body["error"]["code"] for _, _, body in first[1:4]]
    assert codes == ["amount_invalid", "currency_unsupported", "payment_not_found"]
    assert installation.program is not None
    processes.kill(installation.program)
    installation.start()
    assert bodies(answers(installation, hub, sent)) == first


def test_a_revoked_till_is_refused_and_its_hub_is_told(installation: Installation) -> None:
    hub, till = enrol_pair(installation, 2)
    path = "/operator/v1/devices/till-2/revoke"
    status, row = installation.operator(path, {"reason": "stolen"})
    assert (status, row["status"]) == (200, "revoked")
    [refused] = answers(
        installation, hub, batch_of(hub, request(till, 1, "payment.create", create(1)))
    )
    assert refused.body["error"]["code"] == "device_revoked"
    tls = client_context(hub.tls)
    _, content = installation.call("hub", "GET", "/hub/v1/pushes?after=0&wait_s=0", tls)
    rows = cbor.decode(content, bytes_max=2**20)
    last = [row for row in rows if row[2] == "till-2"][-1]
    assert (last[1], last[3]["status"]) == ("registry", "revoked")


def test_a_code_is_good_once(installation: Installation) -> None:
    wanted = {"tid": "till-3", "kind": "terminal", "store": "store-1"}
    _, said = installation.operator("/operator/v1/enrolment-codes", wanted)
    code, url = read_code(said["code"]), installation.url()
    join(installation.root / "a", url=url, code=code, suite="SM2-SM3", passphrase=PASSPHRASE)
    with pytest.raises(CallerError) as refused:
        join(installation.root / "b", url=url, code=code, suite="SM2-SM3", passphrase=PASSPHRASE)
    assert refused.value.code == "enrol_code_invalid"


def test_a_clean_stop_ends_with_zero(installation: Installation) -> None:
    program = installation.program
    assert program is not None
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(timeout=PATIENCE_S) == 0


def test_a_taken_port_is_named_and_ends_with_two(
    installed: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Installation(tmp_path, installed.token)
    shutil.copytree(installed.root / "state", copy.root / "state")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        for name, value in {**copy.env, "TILLWAY_BACKEND_HUB_PORT": str(port)}.items():
            monkeypatch.setenv(name, value)
        ended = tillway("backend", "run")
    assert ended.returncode == 2
    assert "port_taken" in ended.stderr
    assert str(port) in ended.stderr
    assert not ended.stdout


def test_the_interface_is_printed_as_json_and_nothing_else(installed: Installation) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tillway", "backend", "openapi"],
        env={**os.environ, **installed.env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "/v3/pay/transactions/native" in json.loads(done.stdout)["paths"]
