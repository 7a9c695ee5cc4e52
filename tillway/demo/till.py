"""A terminal with its simulated board, as people use them: press, present, lay a finger, read."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol.errors import CallerError, OperatingError
from tillway.json_api import JsonApi

POLL_GAP_S = 0.02
WAIT_S = 30
RECENT_MAX = 100
NO_LINE = "offline_not_this_way"

Shown = dict[str, Any]
ENDED = ("paid", "declined", "unknown", "cancelled")
"""How a sale may stand once nobody is asked anything more."""
GOODS = [
    {"code": "6901939621608", "zh": "可乐", "en": "Cola", "amount_minor": 300},
    {"code": "6902083886455", "zh": "矿泉水", "en": "Spring water", "amount_minor": 200},
    {"code": "6921734976505", "zh": "龙井茶", "en": "Longjing tea", "amount_minor": 850},
]
"""What a demonstration's till knows by its barcode."""


@dataclass(slots=True)
class Till:
    """One terminal's control API and, where it has one, its board's.

    The terminal of a vending machine or an exit has a ``machine`` instead; a vending machine's
    ``columns`` hold the items.
    """

    name: str
    api: JsonApi
    board: JsonApi | None = None
    machine: JsonApi | None = None
    columns: dict[str, int] = field(default_factory=dict)

    def sell(self, amount_minor: int, method: str) -> str:
        """Key in an amount; returns the payment's id. While the till has no line it refuses and
        has begun nothing: it is asked again, as its staff would."""
        asked = {"amount_minor": amount_minor, "method": method}

        def keyed() -> Shown:
            try:
                screen: Shown = self.api.post("/api/sales", asked)
            except CallerError as error:
                if error.code != NO_LINE:
                    raise
                return {"state": error.code}
            return screen

        begun = wait_for(keyed, lambda seen: "subject" in seen, f"{self.name}: {method}")
        return str(begun["subject"])

    def vend(self, item: str) -> str:
        """Press the machine's key for an item, once it is free; the payment that comes of it."""
        assert self.machine is not None
        wait_for(self.machine_state, lambda seen: seen["machine"] == "ready", "a free machine")
        machine = self.machine
        return self.next_sale(
            lambda: machine.post("/devices/mdb/acts/select", {"item": self.columns[item]}),
            f"a sale of {item}",
        )

    def next_sale(self, deed: Callable[[], object], what: str) -> str:
        """Do something; the payment that comes of it."""
        before = self._newest()
        deed()
        found = wait_for(
            lambda: {"payment_id": self._newest()},
            lambda seen: seen["payment_id"] != before,
            f"{self.name}: {what}",
        )
        return str(found["payment_id"])

    def machine_state(self) -> Shown:
        """What can be seen of the vending machine."""
        assert self.machine is not None
        state: Shown = self.machine.get("/devices/mdb")["state"]
        return state

    def _newest(self) -> str:
        recent = self.recent()
        return str(recent[0]["payment_id"]) if recent else ""

    def present(self, picture: bytes) -> None:
        """Hold a picture before the scanner."""
        assert self.board is not None
        png = base64.b64encode(picture).decode()
        self.board.post("/devices/scanner/acts/present", {"png": png})

    def reach_scanner(self) -> None:
        """See that the scanner is there; raises ``OperatingError`` where its board is not."""
        assert self.board is not None
        self.board.get("/devices/scanner")

    def choose(self, method: str) -> None:
        """Say once more how the payer pays."""
        self.api.post("/api/sales/current/method", {"method": method})

    def lay_finger(self, finger: str) -> None:
        """Lay a finger on the sensor."""
        assert self.board is not None
        self.board.post("/devices/fingerprint/acts/place", {"finger": finger})

    def lift_finger(self) -> None:
        """Take the finger off."""
        assert self.board is not None
        self.board.post("/devices/fingerprint/acts/remove")

    def qr_picture(self) -> bytes:
        """What the customer's side shows."""
        return self.api.call("GET", "/api/sales/current/qr.png")

    def screen(self) -> Shown:
        """The screen as it is."""
        shown: Shown = self.api.get("/api/screen")
        return shown

    def sale(self, payment_id: str) -> Shown:
        """One sale as the terminal's journal has it."""
        shown: Shown = self.api.get(f"/api/payments/{payment_id}")
        return shown

    def recent(self, count: int = RECENT_MAX) -> list[Shown]:
        """The terminal's last sales, newest first."""
        shown: list[Shown] = self.api.get(f"/api/payments?limit={count}")
        return shown

    def wait_sale(self, payment_id: str, *states: str) -> Shown:
        """The sale, once it is in one of the states."""
        return wait_for(
            lambda: self.sale(payment_id),
            lambda sale: sale["state"] in states,
            f"{self.name}: {payment_id} in {'/'.join(states)}",
        )

    def wait_screen(self, *kinds: str) -> Shown:
        """The screen, once it is of one of the kinds."""
        return wait_for(
            self.screen,
            lambda screen: screen["kind"] in kinds,
            f"{self.name}: screen {'/'.join(kinds)}",
        )

    def refund(self, payment_id: str, amount_minor: int | None = None) -> Shown:
        """Give money back and wait for the outcome: the refund as the terminal has it."""
        wanted: dict[str, Any] = {"payment_id": payment_id, "reason": "demo"}
        if amount_minor is not None:
            wanted["amount_minor"] = amount_minor
        self.api.post("/api/refunds", wanted)
        known = {refund["refund_id"] for refund in self.sale(payment_id)["refunds"][:-1]}

        def newest() -> Shown:
            refunds: list[Shown] = self.sale(payment_id)["refunds"]
            fresh = [refund for refund in refunds if refund["refund_id"] not in known]
            return fresh[-1] if fresh else {"state": ""}

        return wait_for(
            newest,
            lambda refund: refund["state"] in {"succeeded", "failed"},
            f"{self.name}: refund of {payment_id}",
        )

    def dismiss(self) -> None:
        """Go on to the next customer."""
        self.api.post("/api/sales/current/dismiss")

    def cancel(self) -> None:
        """Give the sale up; ``payment_state`` where it has ended by itself."""
        self.api.post("/api/sales/current/cancel")

    def receipts(self) -> list[Shown]:
        """What came out of the printer."""
        if self.board is None:
            return []
        printed: list[Shown] = self.board.get("/devices/printer")["state"]["receipts"]
        return printed

    def payer_sees(self) -> str:
        """What stands on the payer's display."""
        if self.board is None:
            return ""
        shown = self.board.get("/devices/display")["state"]
        return f"{shown['upper'].strip()} {shown['lower'].strip()}"

    def picture(self, receipt: Shown) -> bytes:
        """A printed receipt as a PNG."""
        assert self.board is not None
        return self.board.call("GET", f"/devices/printer/pictures/{receipt['number']}.png")

    def receipt_with(self, words: str) -> str:
        """The text of the newest receipt, once one with these words has come out."""
        printed = wait_for(
            lambda: {"texts": [str(receipt["text"]) for receipt in self.receipts()]},
            lambda seen: any(words in text for text in seen["texts"][-1:]),
            f"{self.name}: a receipt that says {words}",
        )
        return str(printed["texts"][-1])


def wait_for(look: Callable[[], Shown], is_there: Callable[[Shown], bool], what: str) -> Shown:
    """Look until it is there; ``OperatingError("timeout")`` names what never came."""
    deadline = time.monotonic() + WAIT_S
    while True:
        seen = look()
        if is_there(seen):
            return seen
        if time.monotonic() > deadline:
            raise OperatingError("timeout", f"{what}; last seen: {seen.get('state') or seen}")
        time.sleep(POLL_GAP_S)


def copy_receipts(till: Till, folder: Path) -> list[str]:
    """Put a till's printed receipts (text and PNG) into a folder; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for receipt in till.receipts():
        stem = f"{till.name}-{receipt['number']:06d}"
        for suffix, content in (("txt", receipt["text"].encode()), ("png", till.picture(receipt))):
            target = folder / f"{stem}.{suffix}"
            target.write_bytes(content)
            paths.append(str(target))
    return paths
