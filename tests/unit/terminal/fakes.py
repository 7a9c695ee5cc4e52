"""A terminal without a machine under it, and a backend that fits in a page."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from protocol import answers, envelope
from protocol.answers import Answer
from protocol.crypto.keys import SigningKey, VerifyKey, generate
from protocol.envelope import Envelope
from protocol.errors import advice
from protocol.trust import Trust
from terminal.agent import Agent
from terminal.effects import Effect, PrintReceipt, Transmit
from terminal.inputs import AnswerArrived, CodeScanned, Input, LinkUp, StartSale, Tick
from terminal.journal.store import Journal
from terminal.profile import Profile

DEVICE_KEY, BACKEND_KEY, HUB_KEY, STRANGER_KEY = (generate("Ed25519") for _ in range(4))
TID, STORE = "pos-1", "store-1"
CODE = "134567890123456789"


class VirtualClock:
    """Time that moves when told."""

    def __init__(self, now_ms: int = 1_790_000_000_000) -> None:
        self.wall = now_ms
        self.ticks = 0

    def now_ms(self) -> int:
        return self.wall

    def ticks_ms(self) -> int:
        return self.ticks

    def forward(self, ms: int) -> None:
        self.wall += ms
        self.ticks += ms


class SeededEntropy:
    """Randomness that a seed repeats."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def token_bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


def profile(**changes: Any) -> Profile:
    """A till, changed as wanted."""
    usual: dict[str, Any] = {
        "kind": "till",
        "tid": TID,
        "store": STORE,
        "merchant_id": "m-1",
        "merchant_zh": "小店",
        "merchant_en": "Corner Shop",
        "till": "1",
        "currency": "CNY",
        "reply_to": f"tw1/{STORE}/t/{TID}/res",
    }
    return Profile(**{**usual, **changes})


def trust() -> Trust:
    """The pinned keys."""
    return Trust(tid=TID, store=STORE, backend=[BACKEND_KEY.public], hubs=[HUB_KEY.public])


def sign(
    message_type: str,
    body: Mapping[str, Any],
    *,
    request_id: str = "",
    key: SigningKey = BACKEND_KEY,
    device: str = TID,
    store: str = STORE,
    at_ms: int = 1,
) -> bytes:
    """An answer, signed by whom the test wants."""
    answer = Answer(
        message_type=message_type,
        request_id=request_id,
        device=device,
        store=store,
        answered_at_ms=at_ms,
        body=body,
        trace_id="t",
    )
    return answers.seal_group([answer], key)[0]


def refusal(request_id: str, code: str, *, key: SigningKey = HUB_KEY, at_ms: int = 1) -> bytes:
    """A refusal, by the hub if the test does not say otherwise."""
    found = advice(code)
    error = {"code": code, "retry": found.retry, "zh": found.zh, "en": found.en}
    return sign("refusal", {"error": error}, request_id=request_id, key=key, at_ms=at_ms)


def opened(parcel: Transmit) -> Envelope:
    """The envelope on the wire, its signature checked."""
    sealed = envelope.unseal(parcel.sealed)
    sealed.verify(DEVICE_KEY.public)
    return sealed.envelope


class Bench:
    """One agent, its clock, and everything it wanted done."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        link_up: bool = True,
        seed: int = 1,
        has_reader: bool = False,
        key: SigningKey | VerifyKey | None = None,
        **changes: Any,
    ) -> None:
        self.path = path
        self.has_reader = has_reader
        self.key = key or DEVICE_KEY
        self.profile = profile(**changes)
        self.clock = VirtualClock()
        self.entropy = SeededEntropy(seed)
        self.sent: list[Transmit] = []
        self.receipts: list[PrintReceipt] = []
        self.others: list[Effect] = []
        self.boot(link_up=link_up)

    def boot(self, *, link_up: bool = True) -> None:
        """Start (again) on the same journal."""
        self.journal = Journal(self.path, tid=TID, now_ms=self.clock.now_ms())
        self.agent = Agent(
            profile=self.profile,
            key=self.key,
            trust=trust(),
            journal=self.journal,
            clock=self.clock,
            entropy=self.entropy,
            has_reader=self.has_reader,
        )
        self._note(self.agent.start())
        if link_up:
            self.feed(LinkUp())

    def power_cut(self) -> None:
        """What is not in the journal is gone."""
        self.journal.close()

    def feed(self, event: Input) -> None:
        """One turn."""
        self._note(self.agent.feed(event))

    def answer(self, data: bytes) -> None:
        """Bytes arrive from the hub."""
        self.feed(AnswerArrived(data))

    def wait(self, ms: int) -> None:
        """Let time pass, with a tick at each deadline on the way."""
        end = self.clock.ticks + ms
        while (due := self.agent.due_ms()) is not None and due <= end:
            self.clock.forward(max(due - self.clock.ticks, 0))
            self.feed(Tick())
        self.clock.forward(end - self.clock.ticks)
        self.feed(Tick())

    def result(self, state: str, *, to: Transmit | None = None, **fields: Any) -> bytes:
        """The backend's result for the latest sale."""
        sale = self.agent.recent(1)[0]
        body: dict[str, Any] = {
            "payment_id": sale.payment_id,
            "state": state,
            "amount_minor": sale.amount_minor,
            "currency": sale.currency,
            "method": sale.method,
            **fields,
        }
        return sign("payment.result", body, request_id=to.request_id if to else "")

    def sent_of(self, message_type: str) -> list[Transmit]:
        """The parcels of one type, in order."""
        return [parcel for parcel in self.sent if parcel.message_type == message_type]

    @property
    def kind(self) -> str:
        """The screen's kind."""
        return self.agent.screen().kind

    def printed(self) -> list[str]:
        """The kinds of the receipts, in order."""
        return [receipt.facts["kind"] for receipt in self.receipts]

    def _note(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Transmit):
                self.sent.append(effect)
            elif isinstance(effect, PrintReceipt):
                self.receipts.append(effect)
            else:
                self.others.append(effect)


def sell(bench: Bench, amount_minor: int = 1280, method: str = "pay_code") -> Transmit:
    """Start a sale and let it go out."""
    bench.feed(StartSale(amount_minor=amount_minor, currency="CNY", method=method))
    if method == "pay_code":
        shown = bench.agent.screen()
        bench.feed(CodeScanned(shown.subject or "", CODE))
    return bench.sent_of("payment.create")[-1]
