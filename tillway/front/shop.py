"""What the front page knows of the stack: the tills, the phone, the operator's interface."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from protocol.errors import TillwayError
from tillway.demo.at_work import CarPark, Charger, VendingMachine
from tillway.demo.day_close import Clocks, china_day
from tillway.demo.machines import EXIT, VENDING, vending_of
from tillway.demo.opening import Doors
from tillway.demo.phone import Phone
from tillway.demo.phone_book import PHONE_FILE, phone_of
from tillway.demo.ports import HOST
from tillway.demo.sandbox import NETSUNION
from tillway.demo.stack import CHARGER, HUB, STORE, Stack
from tillway.demo.till import Till
from tillway.demo.till_staff import STAFF_FILE
from tillway.front import hops
from tillway.front.hops import TILL, Told, Way, way_of, way_of_charge, way_of_charge_ahead
from tillway.front.limits import PROBE_S
from tillway.front.parts import Keeper, Link, Note, Place
from tillway.front.skew import Skew
from tillway.json_api import JsonApi
from tillway.limits import CLEARING_RUN_S_MAX

_DEBITED = frozenset({"owed", "asked", "paid", "unsettled"})
"""States of a charge that was metered to its end and costs something."""
_KINDS = {EXIT: hops.EXIT, VENDING: hops.VENDING}
"""What a terminal is where it is no till."""
_SANDBOX = ("sandbox", NETSUNION)
"""The programs that the institutions are."""
_PAID_AHEAD = _DEBITED | {"running"}
"""States of a charge that was paid ahead by a code and has begun."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A running stack's people and programs. ``till`` is the one that the guide sells at."""

    till: Till
    tills: tuple[Till, ...]
    phone: Phone
    operator: JsonApi
    places: tuple[Place, ...]
    now_ms: Callable[[], int]
    hub: JsonApi
    clocks: Clocks
    charger: Charger
    car_park: CarPark
    vending: VendingMachine
    doors: Doors
    """Opens the wallet and the console by single-use links."""
    bank: JsonApi
    """The simulated banks' control interface."""
    keeper: Keeper
    """Who starts the programs anew that end."""
    skew: Skew = field(default_factory=Skew)
    """Of the backend's clock, which an operator may have moved."""

    def card_code(self) -> str:
        """The newest code that the bank of the phone's card has sent; empty before the first."""
        return self.bank.get(f"/control/texts/{self.phone.card_number()}")["code"] or ""

    def backend_day(self) -> str:
        """The business day by the backend's clock."""
        return china_day(int(self.operator.get("/operator/v1/clock")["now_ms"])).isoformat()

    def till_shows(self) -> dict[str, str]:
        """The title of the till's screen, by language."""
        shown: dict[str, str] = self.till.screen()["title"]
        return shown

    def last_way(self) -> Way | None:
        """The way of the newest payment of all tills, and of the chargers."""
        newest = [(sale, till.name) for till in self.tills for sale in _last_sale(till)]
        sale, name = max(newest, key=lambda one: int(one[0]["created_at_ms"]), default=(None, ""))
        charge = self._last_charge()
        if charge is not None and (sale is None or _newest_ms(charge) > sale["created_at_ms"]):
            return self._way(
                way_of_charge_ahead if charge["prepaid_minor"] else way_of_charge, charge
            )
        at = partial(way_of, place=_KINDS.get(name, TILL))
        return None if sale is None else self._way(at, sale)

    def _last_charge(self) -> Told | None:
        """What a mandate was asked for last, or was paid ahead; a silent hub tells of none."""
        try:
            charges = self.charger.charges()
        except TillwayError:
            return None
        asked = [
            one
            for one in charges
            if one["state"] in (_PAID_AHEAD if one["prepaid_minor"] else _DEBITED)
        ]
        return max(asked, key=_newest_ms, default=None)

    def _way(self, make: Callable[..., Way], sale: Told) -> Way:
        """The way of a sale or a charge, as far as the backend knows of it."""
        ahead_ms = self._ahead_ms()
        try:
            payment = self.operator.get(f"/operator/v1/payments/{sale['payment_id']}")
        except TillwayError as error:
            if error.code != "payment_not_found":
                raise
            return make(sale, None, [], [], ahead_ms=ahead_ms)
        sagas = self.operator.get(f"/operator/v1/sagas/{sale['payment_id']}")["sagas"]
        return make(
            sale,
            payment,
            sagas,
            self._entries(payment),
            ahead_ms=ahead_ms,
            passages=self._passages(payment["trace_id"]),
        )

    def _ahead_ms(self) -> int:
        asked_ms = self.now_ms()
        said_ms = int(self.operator.get("/operator/v1/clock")["now_ms"])
        return self.skew.learn(asked_ms=asked_ms, said_ms=said_ms, heard_ms=self.now_ms())

    def _passages(self, trace_id: str) -> list[dict[str, Any]]:
        """What the hub remembers of it; a silent hub tells no times."""
        try:
            found: list[dict[str, Any]] = self.hub.get(f"/passages/{trace_id}")["passages"]
        except TillwayError:
            return []
        return found

    def _entries(self, payment: Told) -> list[dict[str, Any]]:
        """The payment's transfers, as its payer's and its merchant's statements have them."""
        currency = payment["currency"]
        accounts = [f"C:MPEND:{payment['merchant_id']}:{currency}"]
        if payment["payer_id"]:
            accounts.append(f"C:CUST:{payment['payer_id']}:{currency}")
        since_ms, until_ms = payment["created_at_ms"] - 1, payment["updated_at_ms"] + 1
        found = []
        for account in accounts:
            path = f"/operator/v1/ledger/accounts/{account}/statement"
            try:
                statement = self.operator.get(f"{path}?from_ms={since_ms}&to_ms={until_ms}")
            except TillwayError as error:
                if error.code == "server_unreachable":
                    raise
                continue  # the account has not been opened yet
            found += [
                entry | {"account_id": account}
                for entry in statement["entries"]
                if entry["transfer_id"].partition(":")[0] == payment["payment_id"]
            ]
        return found


def _last_sale(till: Till) -> Sequence[Told]:
    """A silent till tells of none; the parts say that it is silent."""
    try:
        return till.recent(1)
    except TillwayError:
        return []


def _newest_ms(charge: Told) -> int:
    """When a charge was last heard of as something paid: its end, or before that its beginning."""
    return int(charge["ended_at_ms"] or charge["began_at_ms"])


def shop_of(stack: Stack, keeper: Keeper) -> Shop:
    """The shop of a stack that has left its addresses and a phone."""
    found = [name for name in stack.programs if (stack.root / name / "control.token").exists()]
    names = sorted(found, key=lambda name: (f"{name}-board" not in stack.programs, name))
    tills = tuple(stack.till(name) for name in names)
    return Shop(
        till=next(till for till in tills if till.board is not None),
        tills=tills,
        phone=phone_of(stack.root),
        operator=stack.operator,
        places=tuple(_places(stack, names)),
        now_ms=_now_ms,
        hub=_http(stack, HUB),
        clocks=Clocks(
            replace(stack.operator, timeout_s=CLEARING_RUN_S_MAX),
            tuple(stack.sandbox.controls().values()),
        ),
        charger=Charger(_http(stack, f"{CHARGER}-machine"), stack.hub_control),
        car_park=CarPark(stack.till(EXIT)),
        vending=VendingMachine(vending_of(stack)),
        doors=Doors(wallet=phone_of(stack.root).api, operator=stack.operator),
        bank=replace(stack.sandbox.api(NETSUNION), timeout_s=PROBE_S),
        keeper=keeper,
    )


def wallet_url(stack: Stack) -> str:
    """The wallet's pages, by the name under which a browser lets a page ask for a finger."""
    return f"https://localhost:{stack.programs['backend'].port('public')}/wallet"


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _places(stack: Stack, tills: list[str]) -> list[Place]:
    places = [_till_place(stack, name) for name in tills]
    for board in stack.programs:
        if board.endswith(("-board", "-machine")):
            api = _http(stack, board)
            links = (Link("bench", f"{api.url}/bench"),)
            log = _log_of(stack, board)
            places.append(Place("board", board, (api,), links, log=log, programs=(board,)))
    hub = _http(stack, HUB)
    links = (Link("open", f"{hub.url}/"),)
    log = _log_of(stack, HUB)
    places.append(Place("hub", f"{HUB} · {STORE}", (hub,), links, log=log, programs=(HUB,)))
    operator = replace(stack.operator, timeout_s=PROBE_S)
    pages = (
        Link("open", f"{operator.url}/"),
        Link("console", f"{operator.url}/console"),
        Link("wallet", wallet_url(stack)),
    )
    command = Path(sys.executable).with_name("tillway")
    notes = (
        Note("shell", f"{_shown(command)} open operator --directory {_shown(stack.root)}"),
        Note("token", _shown(stack.root / PHONE_FILE)),
    )
    log = _log_of(stack, "backend")
    places.append(Place("backend", "backend", (operator,), pages, notes, log, ("backend",)))
    sandbox = stack.sandbox
    institutions = tuple(replace(sandbox.api(name), timeout_s=PROBE_S) for name in sandbox.said)
    log = _log_of(stack, "sandbox")
    places.append(
        Place("institution", ", ".join(sandbox.said), institutions, log=log, programs=_SANDBOX)
    )
    return places


def _till_place(stack: Stack, name: str) -> Place:
    api = _http(stack, name)
    links = (Link("open", f"{api.url}/"), Link("customer_side", f"{api.url}/customer"))
    notes = (Note("pins", _shown(stack.root / STAFF_FILE)),) if name == "pos-1" else ()
    return Place(_KINDS.get(name, TILL), name, (api,), links, notes, _log_of(stack, name), (name,))


def _log_of(stack: Stack, name: str) -> str:
    return _shown(stack.root / "logs" / f"{name}.log")


def _shown(path: Path) -> str:
    """As it is named from where the stack was started, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _http(stack: Stack, name: str) -> JsonApi:
    return JsonApi(f"http://{HOST}:{stack.programs[name].port('http')}", timeout_s=PROBE_S)
