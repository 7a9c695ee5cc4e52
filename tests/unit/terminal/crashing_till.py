"""A till that loses its power at a named point: run as a process of its own, killed by SIGKILL.

``stored``: the request is committed, nothing was handed to the link.
``sent``: the envelope was handed to the link (printed here), no answer has come.
``answered``: the answer is committed, the receipt was not printed.
"""

import os
import signal
import sys
from pathlib import Path

from terminal.effects import Transmit
from terminal.inputs import AnswerArrived, StartSale
from tests.unit.terminal import fakes


def main(path: str, point: str, device: str, backend: str) -> None:
    """Sell, and die at the point."""
    from protocol.crypto.keys import SigningKey

    fakes.DEVICE_KEY = SigningKey.from_private("Ed25519", bytes.fromhex(device))
    fakes.BACKEND_KEY = SigningKey.from_private("Ed25519", bytes.fromhex(backend))
    bench = fakes.Bench(Path(path))
    effects = bench.agent.feed(StartSale(amount_minor=1280, currency="CNY", method="merchant_qr"))
    if point == "stored":
        die()
    create = next(effect for effect in effects if isinstance(effect, Transmit))
    sys.stdout.write(f"sent:{create.sealed.hex()}\n")
    sys.stdout.flush()
    if point == "sent":
        die()
    asked = fakes.opened(create)
    money = {
        name: asked.body[name] for name in ("payment_id", "amount_minor", "currency", "method")
    }
    answer = fakes.sign(
        "payment.result",
        {**money, "state": "captured"},
        request_id=asked.request_id,
        key=fakes.BACKEND_KEY,
    )
    bench.agent.feed(AnswerArrived(answer))
    die()


def die() -> None:
    """As a power cut: no cleanup of any kind."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
