"""A shop behind the front page that is all fakes."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from protocol.crypto import generate
from protocol.errors import CallerError, TillwayError
from tillway.demo.at_work import Car, CarPark, Charger, VendingMachine
from tillway.demo.day_close import Clocks
from tillway.demo.opening import Doors
from tillway.demo.phone import Phone, draw_qr, read_qr
from tillway.demo.stack import BIOMETRIC_ABOVE_MINOR
from tillway.demo.till import Till
from tillway.front.parts import Link, Note, Place
from tillway.front.shop import Shop
from tillway.json_api import JsonApi
from tillway.revival import TRIES_MAX, End, Phase, Revival

START_MS = 1_795_872_452_000
ENDED = Revival("hub-1").ended(End(-9, tail=("no <room> left",)), 0)
GAVE_UP = Revival("hub-1", Phase.FAILED, TRIES_MAX, 6, End(3, tail=("port is taken",)))
PAYMENT = "pay_01M8H5DVHY52HT5B2K0AEV066C"
PAY_CODE = "100123456789012345"
TITLE = {"zh": "请扫描付款码", "en": "Scan the payer's code"}
CHARGE: dict[str, Any] = {
    "payment_id": PAYMENT, "state": "running", "energy_wh": 413, "cost_minor": 62,
    "currency": "CNY", "prepaid_minor": 0, "began_at_ms": START_MS, "ended_at_ms": 0,
    "error_code": None,
}  # fmt: skip
BILL: dict[str, Any] = {
    "payment_id": PAYMENT, "amount_minor": 62, "currency": "CNY",
    "explanation": {
        "reason": "ended", "began_at_ms": START_MS, "ended_at_ms": START_MS + 10_000,
        "lines": [
            {"what": "energy", "quantity": 413, "unit": "Wh", "price_minor": 150,
             "amount_minor": 62},
        ],
    },
}  # fmt: skip
DAYS = ("2026-11-28", "2026-11-29", "2026-11-30")
SALE: dict[str, Any] = {
    "payment_id": PAYMENT, "state": "paid", "method": "pay_code", "amount": "12.80",
    "amount_minor": 1280, "currency": "CNY", "error_code": None, "created_at_ms": START_MS,
    "sent_at_ms": START_MS + 300, "settled_at_ms": START_MS + 335,
}  # fmt: skip


def payment(ahead_ms: int = 0) -> dict[str, Any]:
    """What the backend says about the payment, by a clock that is ahead."""
    at_ms = START_MS + 320 + ahead_ms
    return {
        "payment_id": PAYMENT, "merchant_id": "mch-1", "payer_id": "pyr_1", "currency": "CNY",
        "trace_id": "ab" * 16, "created_at_ms": at_ms, "updated_at_ms": at_ms,
        "verdict": {"action": "allow", "rule": "none"},
        "timeline": [{"event": "PaymentCaptured", "at_ms": at_ms, "actor": "device:pos-1"}],
    }  # fmt: skip


def entries(ahead_ms: int = 0) -> list[dict[str, Any]]:
    """Both statements' entries of it."""
    at_ms = START_MS + 320 + ahead_ms
    payer, merchant = "C:CUST:pyr_1:CNY", "C:MPEND:mch-1:CNY"
    rows = [
        (merchant, f"{PAYMENT}:1", payer, 1280),
        (merchant, f"{PAYMENT}:2", "C:UNSWEPT:CNY", -8),
        (payer, f"{PAYMENT}:1", merchant, -1280),
    ]
    return [
        {
            "account_id": account, "transfer_id": transfer, "counter_account": counter,
            "amount_minor": amount, "rule": "balance_paid", "at_ms": at_ms,
        }
        for account, transfer, counter, amount in rows
    ]  # fmt: skip


class FakeTill(Till):
    """A till that sells at once; ``declines`` names why it does not."""

    def __init__(self, name: str = "pos-1") -> None:
        super().__init__(name, JsonApi("http://127.0.0.1:1"))
        self.state, self.declines, self.finger = "", "", ""

    def sell(self, amount_minor: int, method: str) -> str:
        self.state = {"pay_code": "scanning", "merchant_qr": "showing_qr"}[method]
        self.wants_finger = amount_minor > BIOMETRIC_ABOVE_MINOR
        self.amount = f"{amount_minor // 100}.{amount_minor % 100:02d}"
        return PAYMENT

    def sale(self, payment_id: str) -> dict[str, Any]:
        assert payment_id == PAYMENT
        shown = SALE | {"state": self.state, "amount": self.amount}
        if self.state in {"scanning", "showing_qr", "verifying"}:
            shown |= {"sent_at_ms": None, "settled_at_ms": None}
        return shown | {"error_code": self.declines or None}

    def screen(self) -> dict[str, Any]:
        subject = PAYMENT if self.state else None
        return {"kind": self.state or "keypad", "subject": subject, "title": TITLE}

    def present(self, picture: bytes) -> None:
        assert read_qr(picture) == PAY_CODE
        if self.wants_finger:
            self.state = "verifying"
        else:
            self.end()

    def reach_scanner(self) -> None:
        """It is there."""

    def choose(self, method: str) -> None:
        assert (self.state, method) == ("choosing", "pay_code")
        self.state, self.declines = "scanning", ""

    def lay_finger(self, finger: str) -> None:
        self.finger = finger
        self.end()

    def lift_finger(self) -> None:
        self.finger = ""

    def qr_picture(self) -> bytes:
        return draw_qr(f"https://pay.example/q/{PAYMENT}")

    def end(self) -> None:
        """The outcome has come."""
        self.state = "declined" if self.declines else "paid"

    def recent(self, count: int = 0) -> list[dict[str, Any]]:
        return [self.sale(PAYMENT)] if self.state else []

    def dismiss(self) -> None:
        self.state = ""

    def cancel(self) -> None:
        self.state = ""

    def receipts(self) -> list[dict[str, Any]]:
        return [{"number": 1, "codes": [PAYMENT], "text": "12.80"}]

    def picture(self, receipt: dict[str, Any]) -> bytes:
        png = io.BytesIO()
        Image.new("L", (384, 600), 255).save(png, "PNG")
        return png.getvalue()


@dataclass(frozen=True)
class FakeGate(JsonApi):
    """A car park's exit: who was let in, and where the arm is."""

    cars: list[int] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=lambda: {"arm": "down", "waiting": 0})

    def get(self, path: str) -> Any:
        return {"state": dict(self.state)}

    def post(self, path: str, body: Any = None) -> Any:
        act = path.rpartition("/")[2]
        if act == "arrive":
            if body["tag"] in self.cars:
                raise CallerError("field_invalid")
            self.cars.append(body["tag"])
        elif act == "drive_up":
            is_free = body["tag"] == Car.JUST_IN
            self.state.update({"arm": "up" if is_free else "down", "waiting": body["tag"]})
        else:
            if act == "drive_out":
                self.cars.remove(self.state["waiting"])
            self.state.update({"arm": "down", "waiting": 0})


class FakeExit(Till):
    """The exit's terminal: asks a car's mandate, or shows a code that is paid at once."""

    state = "keypad"
    cancels = 0

    @property
    def gate(self) -> FakeGate:
        assert isinstance(self.machine, FakeGate)
        return self.machine

    def next_sale(self, deed: Callable[[], object], what: str) -> str:
        deed()
        by_mandate = self.gate.state["waiting"] == Car.WITH_MANDATE
        self.state = "paid" if by_mandate else "showing_qr"
        self.gate.state["arm"] = "up" if by_mandate else "down"
        return PAYMENT

    def wait_sale(self, payment_id: str, *states: str) -> dict[str, Any]:
        return {"state": self.state, "amount": "9.40", "error_code": "payment_expired"}

    def qr_picture(self) -> bytes:
        return draw_qr("https://pay.example/p/exit")

    def pay(self) -> None:
        self.state, self.gate.state["arm"] = "paid", "up"

    def screen(self) -> dict[str, Any]:
        return {"subject": PAYMENT, "is_final": self.state == "paid"}

    def cancel(self) -> None:
        self.cancels += 1


class FakeVending(Till):
    """A vending machine's terminal: a gift box is beyond its mandate."""

    state, fallen = "keypad", 0
    cancels = 0
    takes_codes = True

    def vend(self, item: str) -> str:
        beyond = "showing_qr" if self.takes_codes else "declined"
        self.state = beyond if item == "box" else "paid"
        self.fallen += self.state == "paid"
        return PAYMENT

    def recent(self, count: int = 0) -> list[dict[str, Any]]:
        if self.state == "keypad":
            return []
        times = {"sent_at_ms": None, "settled_at_ms": None}
        told = {"state": self.state, "amount": "50.00", "error_code": "mandate_limit_payment"}
        return [SALE | times | told | {"method": "merchant_qr"}]

    def wait_sale(self, payment_id: str, *states: str) -> dict[str, Any]:
        return self.recent()[0] | {"error_code": "payment_expired"}

    def machine_state(self) -> dict[str, Any]:
        return {"machine": "ready", "given": self.fallen}

    def qr_picture(self) -> bytes:
        return draw_qr("https://pay.example/p/vend")

    def pay(self) -> None:
        self.state, self.fallen = "paid", self.fallen + 1

    def screen(self) -> dict[str, Any]:
        return {"subject": PAYMENT, "is_final": self.state == "paid"}

    def cancel(self) -> None:
        self.cancels += 1


@dataclass(frozen=True, slots=True)
class FakePhone(Phone):
    """A wallet with one code, before one till."""

    till: FakeTill = field(default_factory=FakeTill)
    exit_: FakeExit = field(default_factory=lambda: FakeExit("exit-1", JsonApi("")))
    vending: FakeVending = field(default_factory=lambda: FakeVending("vend-1", JsonApi("")))

    def bill(self, payment_id: str) -> dict[str, Any]:
        assert payment_id == PAYMENT
        return BILL

    def pay_merchant_code(self, picture: bytes, *, now_ms: int) -> dict[str, Any]:
        shown_by: dict[str, FakeExit | FakeVending] = {"exit": self.exit_, "vend": self.vending}
        shown_by[read_qr(picture).rpartition("/")[2]].pay()
        return {"payment_id": PAYMENT, "state": "captured"}

    def pay_code(self) -> str:
        return PAY_CODE

    def scan(self, content: str) -> dict[str, Any]:
        assert content.endswith(PAYMENT)
        return {"payment_id": PAYMENT, "merchant_name": "晨光便利店", "amount_minor": 2350}

    def confirm(self, payment_id: str, *, now_ms: int) -> dict[str, Any]:
        assert (payment_id, now_ms) == (PAYMENT, START_MS + 400)
        if refused := self.till.declines:
            return {"payment_id": PAYMENT, "state": "declined", "error": {"code": refused}}
        self.till.end()
        return {"payment_id": PAYMENT, "state": "captured"}


@dataclass(frozen=True)
class FakeOperator(JsonApi):
    """The backend's interface, with one payment; ``asked`` is what it was told to do."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def nights(self) -> int:
        """How often its clock was put forward."""
        return sum(path.endswith("/clock") for path, _ in self.asked)

    @property
    def now_ms(self) -> int:
        """Its time."""
        gone = [body["advance_ms"] for path, body in self.asked if path.endswith("/clock")]
        return START_MS + 400 + sum(gone)

    def post(self, path: str, body: Any = None) -> Any:
        self.asked.append((path, body))
        return report(path.split("/")[4]) if path.endswith("/run") else {}

    def get(self, path: str) -> Any:
        if path.startswith("/operator/v1/clock"):
            return {"now_ms": self.now_ms}
        if path == "/operator/v1/clearing":
            return {"today": DAYS[self.nights], "earliest_open_day": None}
        if path.endswith("/progress"):
            return {}
        if path.startswith("/operator/v1/payments/"):
            return payment()
        if path.startswith("/operator/v1/sagas/"):
            return {"sagas": []}
        account = path.split("/")[5]
        return {"entries": [entry for entry in entries() if entry["account_id"] == account]}


def report(day: str) -> dict[str, Any]:
    """What a run of the clearing says of a day."""
    return {
        "day": day, "state": "closed", "swept_minor": 8, "reserve_test": {"passed": True},
        "payouts": [{"amount_minor": 1272, "state": "confirmed"}],
        "reconciliation": {"matched": 3, "breaks": 0},
    }  # fmt: skip


def passages() -> list[dict[str, Any]]:
    """What the hub remembers of the payment's request."""
    steps = {"received": 302, "spooled": 305, "forwarded": 306, "answered": 330, "handed_over": 336}
    return [{f"{step}_at_ms": START_MS + ms for step, ms in steps.items()}]


class FakeHub(JsonApi):
    """The hub's status port."""

    def get(self, path: str) -> Any:
        assert path == f"/passages/{'ab' * 16}"
        return {"passages": passages()}


@dataclass(frozen=True)
class FakeInstitution(JsonApi):
    """An institution's clock, which is behind the backend's."""

    asked: list[int] = field(default_factory=list)

    def get(self, path: str) -> Any:
        assert path == "/control/clock"
        return {"now_ms": START_MS}

    def post(self, path: str, body: Any = None) -> Any:
        assert path == "/control/clock"
        self.asked.append(body["advance_ms"])


@dataclass(frozen=True)
class FakeBank(JsonApi):
    """The bank of the phone's card, which has sent these codes."""

    codes: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Any:
        return {"code": self.codes.get(path.removeprefix("/control/texts/"))}


OPENED_AT = "https://127.0.0.1:8443"


@dataclass(frozen=True)
class FakeDoor(JsonApi):
    """Mints links, as the backend does."""

    asked: list[tuple[str, Any]] = field(default_factory=list)

    def post(self, path: str, body: Any = None) -> Any:
        self.asked.append((path, body))
        return {"code": "0f" * 24, "expires_at_ms": START_MS + 120_000}


@dataclass(frozen=True, slots=True)
class FakeCharger(Charger):
    """A charger whose charges cost 0.62 and are paid; its acts are kept."""

    said: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def charges(self) -> list[dict[str, Any]]:
        return [dict(self.state)] if self.state else []

    def newest(self) -> dict[str, Any]:
        return dict(self.state)

    def plug_in(self) -> dict[str, Any]:
        self.said.append("plug")
        self.state.clear()
        self.state.update(CHARGE)
        return self.newest()

    def pull_out(self) -> dict[str, Any]:
        self.said.append("pull")
        self.state["state"] = self.state.pop("ends_as", "paid")
        self.state["ended_at_ms"] = START_MS + 295
        return self.newest()


class Program:
    """A program that says it is well, until it is stopped."""

    url = "http://127.0.0.1:8480"
    error: TillwayError | None = None

    def call(self, method: str, path: str) -> bytes:
        if self.error is not None:
            raise self.error
        return b'{"ready": true, "connected": 1, "spool_rows": 0}'


class FakeKeeper:
    """Looks after one program, the hub."""

    def __init__(self, hub: Revival | None = None) -> None:
        self.hub = hub or Revival("hub-1")

    def told(self) -> dict[str, Revival]:
        return {"hub-1": self.hub}

    def start(self, name: str) -> None:
        if name != "hub-1" or not self.hub.may_be_asked:
            raise CallerError("field_invalid", name)
        self.hub = self.hub.asked(0)


def fake_shop(program: Program) -> Shop:
    """One till, one phone, a hub, a charger, a car park, a vending machine."""
    till, key = FakeTill(), generate("Ed25519")
    exit_ = FakeExit("exit-1", JsonApi(""), None, FakeGate(""))
    vending = FakeVending("vend-1", JsonApi(""))
    phone = FakePhone(
        payer_id="pyr_1", name="", api=JsonApi(""), key=key, pin="", code_secret=b"",
        code_route=0, till=till, exit_=exit_, vending=vending,
    )  # fmt: skip
    clocks = Clocks(FakeOperator("https://backend.example"), (FakeInstitution(""),))
    links, notes = (Link("open", f"{program.url}/"),), (Note("token", "/up/phone.json"),)
    places = (Place("hub", "hub-1", (program,), links, notes, programs=("hub-1",)),)
    return Shop(
        till=till, tills=(till,), phone=phone, operator=clocks.operator, places=places,
        now_ms=lambda: START_MS + 400, hub=FakeHub(""), clocks=clocks,
        charger=FakeCharger(JsonApi(""), JsonApi("")), car_park=CarPark(exit_),
        vending=VendingMachine(vending),
        doors=Doors(wallet=FakeDoor(OPENED_AT), operator=FakeDoor(OPENED_AT)), bank=FakeBank(""),
        keeper=FakeKeeper(),
    )  # fmt: skip
