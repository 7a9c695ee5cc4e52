"""Whatever happens, in whatever order, the till never shows paid without a captured answer that
the backend signed, and never loses a captured payment.

A model backend carries requests out as the real one does (idempotent by request id, one payment
per id, a reversal of what never arrived is remembered); hypothesis loses, delays, repeats and
reorders everything between the two, and cuts the till's power.
"""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from protocol import envelope
from protocol.errors import CallerError
from terminal.domain.sale import SaleState
from terminal.inputs import (
    Cancel,
    Dismiss,
    LinkDown,
    LinkUp,
    Query,
    Reverse,
    StartSale,
    Undelivered,
)
from tests.unit.terminal.fakes import HUB_KEY, STRANGER_KEY, Bench, refusal, sign


class ModelBackend:
    """What the backend is to a till: payments by id, first answers by request id."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.money: dict[str, dict[str, Any]] = {}
        self.first: dict[str, tuple[str, dict[str, Any]]] = {}
        self.captured_ever: set[str] = set()

    def carry_out(self, data: bytes, create_state: str) -> bytes | None:
        asked = envelope.unseal(data).envelope
        if not asked.message_type.startswith("payment."):
            return None
        if asked.request_id not in self.first or asked.message_type == "payment.query":
            self.first[asked.request_id] = self._decide(asked, create_state)
        message_type, body = self.first[asked.request_id]
        return sign(message_type, body, request_id=asked.request_id)

    def push(self, payment_id: str) -> bytes:
        return sign(*self._result(payment_id))

    def set_state(self, payment_id: str, state: str) -> None:
        self.states[payment_id] = state
        if state == "captured":
            self.captured_ever.add(payment_id)

    def _decide(self, asked: envelope.Envelope, create_state: str) -> tuple[str, dict[str, Any]]:
        payment_id = asked.body["payment_id"]
        known = self.states.get(payment_id)
        if asked.message_type == "payment.create":
            if known is None:
                fields = ("amount_minor", "currency", "method")
                self.money[payment_id] = {name: asked.body[name] for name in fields}
                self.set_state(payment_id, create_state)
        elif known is None and asked.message_type != "payment.reverse":
            error = CallerError("payment_not_found").to_wire()
            return "refusal", {"error": error}
        elif known is None:
            self.states[payment_id] = "reversed"
        elif asked.message_type == "payment.close" and known == "awaiting_payer":
            self.states[payment_id] = "closed"
        elif asked.message_type == "payment.reverse" and known in {"awaiting_payer", "captured"}:
            self.states[payment_id] = "reversed"
        return self._result(payment_id)

    def _result(self, payment_id: str) -> tuple[str, dict[str, Any]]:
        state = self.states[payment_id]
        unknown = {"amount_minor": 1280, "currency": "CNY", "method": "unknown"}
        body = {"payment_id": payment_id, "state": state, **self.money.get(payment_id, unknown)}
        if state == "awaiting_payer":
            body["code_url"] = "tillway://p"
        return "payment.result", body


HUB_CODES = [
    "busy", "envelope_stale", "envelope_replayed", "backend_unreachable", "timeout",
    "device_revoked", "signature_invalid",
]  # fmt: skip
NEVER_HEARD = {"busy", "envelope_stale", "device_revoked", "signature_invalid"}


class TillMachine(RuleBasedStateMachine):
    """The till, the model, and everything between them."""

    @initialize()
    def start(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.bench = Bench(Path(self._folder.name) / "journal.db")
        self.backend = ModelBackend()
        self.delivered = 0
        self.answers: list[bytes] = []
        self.told_captured: set[str] = set()

    def _waiting(self) -> bool:
        return self.delivered < len(self.bench.sent)

    # Between the two

    @precondition(_waiting)
    @rule(state=st.sampled_from(["captured", "awaiting_payer", "declined"]))
    def envelope_arrives(self, state: str) -> None:
        parcel = self.bench.sent[self.delivered]
        self.delivered += 1
        answer = self.backend.carry_out(parcel.sealed, state)
        if answer is not None:
            self.answers.append(answer)

    @precondition(_waiting)
    @rule(code=st.sampled_from(HUB_CODES), is_copy=st.booleans())
    def hub_refuses(self, code: str, is_copy: bool) -> None:
        parcel = self.bench.sent[self.delivered]
        self.delivered += 1
        if code not in NEVER_HEARD and (code != "envelope_replayed" or is_copy):
            # Spooled (or seen twice on the line): the backend hears it, its answer comes later or
            # never.
            answer = self.backend.carry_out(parcel.sealed, "captured")
            if answer is not None:
                self.answers.append(answer)
        self.bench.answer(refusal(parcel.request_id, code, at_ms=self.delivered))

    @precondition(_waiting)
    @rule()
    def envelope_is_lost(self) -> None:
        parcel = self.bench.sent[self.delivered]
        self.delivered += 1
        self.bench.feed(Undelivered(parcel.request_id))

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def answer_arrives(self, data: st.DataObject) -> None:
        index = data.draw(st.integers(0, len(self.answers) - 1))
        answer = self.answers[index] if data.draw(st.booleans()) else self.answers.pop(index)
        self._tell(answer)

    def _tell(self, answer: bytes) -> None:
        from protocol import answers

        told = answers.unseal(answer).answer
        if told.body.get("state") == "captured":
            self.told_captured.add(told.body["payment_id"])
        self.bench.answer(answer)

    @precondition(lambda self: self.backend.states)
    @rule(data=st.data())
    def backend_pushes(self, data: st.DataObject) -> None:
        payment_id = data.draw(st.sampled_from(sorted(self.backend.states)))
        if self.bench.agent.sale(payment_id) is not None:
            self._tell(self.backend.push(payment_id))

    @precondition(lambda self: "awaiting_payer" in self.backend.states.values())
    @rule()
    def payer_pays(self) -> None:
        waiting = [p for p, state in self.backend.states.items() if state == "awaiting_payer"]
        self.backend.set_state(waiting[0], "captured")

    @rule(key=st.sampled_from([STRANGER_KEY, HUB_KEY]))
    def somebody_forges(self, key: Any) -> None:
        for sale in self.bench.agent.recent(3):
            body = {
                "payment_id": sale.payment_id, "state": "captured", "method": sale.method,
                "amount_minor": sale.amount_minor, "currency": sale.currency,
            }  # fmt: skip
            self.bench.answer(sign("payment.result", body, key=key))

    @rule(noise=st.binary(max_size=60))
    def noise_arrives(self, noise: bytes) -> None:
        self.bench.answer(noise)

    # The shop

    @rule()
    def cashier_sells(self) -> None:
        self._try(StartSale(amount_minor=1280, currency="CNY", method="merchant_qr"))

    @rule(wish=st.sampled_from([Cancel(), Query(), Reverse(), Dismiss()]))
    def cashier_taps(self, wish: Any) -> None:
        self._try(wish)

    def _try(self, wish: Any) -> None:
        try:
            self.bench.feed(wish)
        except CallerError as refused:
            assert refused.code in {"payment_state", "payment_not_found", "busy"}, refused

    @rule(ms=st.integers(1, 70_000))
    def time_passes(self, ms: int) -> None:
        self.bench.wait(ms)

    @rule(event=st.sampled_from([LinkUp(), LinkDown()]))
    def line_changes(self, event: Any) -> None:
        self.bench.feed(event)

    @rule(link_up=st.booleans())
    def power_is_cut(self, link_up: bool) -> None:
        self.bench.power_cut()
        self.delivered = len(self.bench.sent)
        self.bench.boot(link_up=link_up)

    # What must hold

    @invariant()
    def paid_is_shown_only_for_a_captured_answer(self) -> None:
        shown = self.bench.agent.screen()
        if shown.kind == "paid":
            assert shown.subject in self.told_captured
        for sale in self.bench.agent.recent(20):
            if sale.state is SaleState.PAID:
                assert sale.payment_id in self.told_captured

    @invariant()
    def positions_rise(self) -> None:
        positions = [envelope.unseal(p.sealed).envelope.position for p in self.bench.sent]
        assert positions == sorted(set(positions))

    @invariant()
    def one_body_per_request(self) -> None:
        bodies: dict[str, Any] = {}
        for parcel in self.bench.sent:
            asked = envelope.unseal(parcel.sealed).envelope
            first = bodies.setdefault(asked.request_id, (asked.message_type, dict(asked.body)))
            assert first == (asked.message_type, dict(asked.body))

    def teardown(self) -> None:
        """The line mends and everything is answered: the till and the books agree."""
        if not hasattr(self, "bench"):
            return
        try:
            self.bench.feed(LinkUp())
            for _ in range(40):
                self.bench.wait(61_000)
                while self._waiting():
                    self.envelope_arrives_at_last()
            for sale in self.bench.agent.recent(50):
                self._agree(sale.payment_id, sale.state)
        finally:
            self.bench.power_cut()
            self._folder.cleanup()

    def envelope_arrives_at_last(self) -> None:
        parcel = self.bench.sent[self.delivered]
        self.delivered += 1
        answer = self.backend.carry_out(parcel.sealed, "declined")
        if answer is not None:
            self._tell(answer)

    def _agree(self, payment_id: str, state: SaleState) -> None:
        truth = self.backend.states.get(payment_id)
        expected = {
            "captured": {SaleState.PAID},
            "declined": {SaleState.DECLINED, SaleState.CANCELLED},
            "closed": {SaleState.CANCELLED},
            "reversed": {SaleState.CANCELLED, SaleState.DECLINED},
            "awaiting_payer": {SaleState.SHOWING_QR, SaleState.WAITING},
            None: {SaleState.DECLINED, SaleState.CANCELLED},
        }[truth]
        assert state in expected, (payment_id, truth, state)


TestTill = TillMachine.TestCase
TestTill.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
)
