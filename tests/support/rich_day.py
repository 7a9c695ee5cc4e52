"""A day with every kind of secret in it: ``python -m tests.support.rich_day FOLDER SECRETS``.

What it writes is below the folder, what it prints is a program's log, and the secrets that were
used stand in the JSON file, by name. Each is used rightly, wrongly, and where something breaks.
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from fastapi.testclient import TestClient

from backend.clock import SystemEntropy
from backend.devices.model import DeviceKind
from firmware_sim.board import Board
from firmware_sim.board_file import load_board
from firmware_sim.control import build_control
from firmware_sim.faults import Fault, FaultKind
from firmware_sim.hosting import HostedBoard
from firmware_sim.workplace import Workplace
from hub.coap.given_keys import KEYS_NAME, KeyBook, libcoap_text
from protocol.crypto.keys import generate
from protocol.enrolment_code import read_code
from protocol.errors import TillwayError
from terminal.adapters.gm65_scanner import Gm65Scanner
from terminal.adapters.pn532_reader import Pn532Reader
from terminal.adapters.telium_pinpad import TeliumPinPad
from terminal.counter.staffing import hire
from terminal.domain.pin import PinStep
from terminal.domain.staff import Role
from tests.kit.patience import PATIENCE_S
from tests.support import backend as backend_kit
from tests.support.backend import (
    HUB,
    TILL,
    Machine,
    Served,
    StepClock,
    clock_ms,
    enrol,
    mint,
    served,
)
from tests.support.console_world import code_of
from tests.support.shop import confirmed_top_up
from tests.support.tills import Till, running_till
from tests.unit.terminal.fakes import SeededEntropy
from tillway import join as joining
from transport import logs

STAFF_PIN, WRONG_STAFF_PIN, NEXT_STAFF_PIN = "73915826", "73915827", "60482715"
PAYER_PIN, WRONG_PAYER_PIN = "739158", "850926"
PASSWORD, WRONG_PASSWORD = "correct horse battery staple", "incorrect horse battery"
CARD_PIN, WRONG_CARD_PIN = "4827159360", "4827159361"
PAN, TAPPED_PAN = "4532015112830366", "4242424242424242"
SCANNED, TYPED, REFUSED, TAPPED = (
    "134711234908172635", "119028374650192837", "128374650918273645", "145566778899001122",
)  # fmt: skip
PASSPHRASE = b"a passphrase of the till's owner"

Secrets = dict[str, str]


def play(folder: Path) -> Secrets:
    """The whole day; the secrets by name."""
    logs.configure()
    backend_kit.CountingEntropy = SystemEntropy  # type: ignore[misc, assignment]  # no zeros here
    secrets = {
        "a cashier's PIN": STAFF_PIN, "a cashier's wrong PIN": WRONG_STAFF_PIN,
        "a cashier's next PIN": NEXT_STAFF_PIN, "a payer's PIN": PAYER_PIN,
        "a payer's wrong PIN": WRONG_PAYER_PIN, "a password": PASSWORD,
        "a wrong password": WRONG_PASSWORD, "a card's PIN": CARD_PIN,
        "a card's wrong PIN": WRONG_CARD_PIN, "a card's number": PAN,
        "a tapped card's number": TAPPED_PAN, "a scanned code": SCANNED, "a typed code": TYPED,
        "a refused code": REFUSED, "a tapped code": TAPPED, "a passphrase": PASSPHRASE.decode(),
        "half of a torn code": SCANNED[2:8], "its other half": SCANNED[9:15],
    }  # fmt: skip
    for part in ("board", "till", "backend", "hub"):
        (folder / part).mkdir(parents=True)
    _at_the_board(folder / "board")
    asyncio.run(_at_the_till(folder / "till"))
    secrets |= asyncio.run(_at_the_backend(folder / "backend"))
    secrets |= _at_the_hub(folder / "hub")
    return secrets


def _keep(folder: Path, name: str, shown: Any) -> None:
    """A page or an answer, as a person or a scraper may store it."""
    content = shown if isinstance(shown, bytes) else json.dumps(shown).encode()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"page-{name.strip('/').replace('/', '-')}").write_bytes(content)


# --- simulated devices, recorded


def _at_the_board(folder: Path) -> None:
    file = load_board("pos")
    cards = {"visa": {"number": PAN, "pin": CARD_PIN}}
    pinpad = file.devices["pinpad"]
    entry = pinpad.kind.entry.model_validate(
        {"kind": "telium", "cards": cards, "contactless_minor_max": 100}
    )
    file.devices["pinpad"] = type(pinpad)(pinpad.kind, entry)
    with HostedBoard(file, state_dir=folder, pace=False) as hosted:
        place = hosted.call(lambda board: Workplace.at(board, folder))
        hosted.call(lambda _: place.traces.start("day"))
        asyncio.run(_use_devices(hosted))
        hosted.call(lambda board: _keep_pages(board, place, folder / "pages"))
        hosted.call(lambda _: place.close())


async def _use_devices(hosted: HostedBoard) -> None:
    """Scanned, torn and damaged codes; a card, its PIN wrong and right; a tap of each kind."""
    scanner = Gm65Scanner(hosted.paths["scanner"])
    for fault in (None, FaultKind.NOISE, FaultKind.DROP):
        if fault is not None:
            hosted.set_fault("scanner", Fault(fault, at=9, repeat=True))
        hosted.do("scanner", "present", text=SCANNED)
        await _tried(scanner.scan(2))
        hosted.do("scanner", "take_away")
    await scanner.aclose()

    pinpad = TeliumPinPad(hosted.paths["pinpad"])
    for pins in ((WRONG_CARD_PIN, CARD_PIN), (CARD_PIN,)):
        paying = asyncio.create_task(_tried(pinpad.pay(12_800, "CNY", timeout_s=5)))
        await _until(lambda: hosted.state("pinpad")["phase"] == "card")
        hosted.do("pinpad", "present", card="visa", by="chip")
        for pin in pins:
            await _until(lambda: hosted.state("pinpad")["phase"] == "pin")
            hosted.do("pinpad", "enter_pin", pin=pin)
        await paying
        hosted.do("pinpad", "take_card")
    await pinpad.aclose()

    reader = Pn532Reader(hosted.paths["reader"])
    hosted.do("reader", "present", text=TAPPED)
    await _tried(reader.scan(2))
    hosted.do("reader", "remove")
    hosted.do("reader", "present", card="visa")
    await _tried(reader.read_card(2))
    await reader.aclose()


async def _tried(work: Any) -> Any:
    """What a device says, or its refusal: both are part of the day."""
    try:
        return await work
    except TillwayError as refused:
        return refused


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110  # another loop's state
            await asyncio.sleep(0.02)


def _keep_pages(board: Board, place: Workplace, folder: Path) -> None:
    with TestClient(build_control(place), base_url="http://127.0.0.1") as http:
        paths = ["/", "/metrics", "/devices", "/wire", "/traces"]
        paths += [f"/devices/{name}" for name in board.links]
        for path in paths:
            _keep(folder, path, http.get(path).content)


# --- the till


async def _at_the_till(folder: Path) -> None:
    async with running_till(folder, biometric_above_minor=1_000_000) as till:
        entropy = SeededEntropy()
        for name, role in (("王店长", Role.SUPERVISOR), ("小李", Role.CASHIER)):
            hire(
                till.people, entropy, name=name, role=role, pin=STAFF_PIN, step=PinStep.CHOOSE,
                by_name="owner",
            )  # fmt: skip
        await _sign_in(till)
        await _sell(till)
        for path in ("", "customer", "settings", "log", "api/log", "metrics", "api/payments"):
            _keep(folder / "pages", path, await till.get(path))
        _stumble(till)


async def _sign_in(till: Till) -> None:
    page = (await till.get("")).decode()
    token = page.split('name="page-token" content="')[1].split('"')[0]
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"x-page-token": token}) as browser:
        await browser.get(till.base)
        for said in (
            {"staff_id": 2, "pin": WRONG_STAFF_PIN},
            {"staff_id": 2, "pin": [WRONG_STAFF_PIN]},
            {"staff_id": 2, "pin": STAFF_PIN, "new_pin": NEXT_STAFF_PIN},
            {"staff_id": 2, "pin": NEXT_STAFF_PIN},
        ):
            await browser.post(f"{till.base}/api/session", json=said)


async def _sell(till: Till) -> None:
    """Scanned and paid; typed and declined; scanned and refused by the till itself."""
    await till.post("shift/open", float_minor=0)
    for code, screen in ((SCANNED, "paid"), (TYPED, "declined"), (f"6{REFUSED}", "choosing")):
        is_declined = screen == "declined"
        till.backend.state = "declined" if is_declined else "captured"
        till.backend.fields = {"error_code": "pay_code_expired"} if is_declined else {}
        await till.post("sales", amount_minor=1_280, method="pay_code")
        if screen == "paid":
            till.scanner.show(code)
        else:
            await till.post("sales/current/code", code={"code": code})
            await till.post("sales/current/code", code=code)
        await till.screen(screen)
        await till.post("sales/current/dismiss")
    await till.post("sales/current/cancel")


def _stumble(till: Till) -> None:
    """A bug whose own words hold a code."""
    seen: dict[str, str] = {}
    try:
        seen[TYPED]
    except KeyError:
        structlog.get_logger().exception("input_broken", device=till.base)


# --- the backend


async def _at_the_backend(folder: Path) -> Secrets:
    async with served(folder, clock_control=True, joins_per_minute_max=600) as (server, token):
        clock = StepClock(clock_ms())
        hub = Machine(HUB, kind=DeviceKind.HUB, clock=clock)
        till = Machine(TILL, clock=clock)
        await enrol(server.backend, hub, till)
        caller = _Caller(server, token)
        secrets = {"the operator's token": token}
        secrets |= await _payers(caller, hub, till)
        secrets |= await _console(caller)
        secrets |= await _joining(caller, folder)
        for path in ("/metrics", "/readyz", "/operator/v1/payments", "/operator/v1/acts"):
            _, content = await caller.call("GET", path)
            _keep(folder / "pages", path, content)
        await _break_database(caller, folder)
    key = server.backend.state
    secrets["the backend's key"] = key.identity.signing_key.private_bytes().hex()
    return secrets


class _Caller:
    """Whoever calls the backend."""

    def __init__(self, server: Served, token: str) -> None:
        self.server, self.token = server, token

    async def call(
        self, method: str, path: str, *, listener: str = "public", token: str = "", **said: Any
    ) -> tuple[int, bytes]:
        tls = self.server.client("hub", HUB) if listener == "hub" else self.server.anonymous()
        headers = {"authorization": f"Bearer {token or self.token}"}
        url = self.server.url(listener, path)
        async with (
            asyncio.timeout(PATIENCE_S),
            aiohttp.ClientSession() as session,
            session.request(
                method, url, ssl=tls, headers=headers, allow_redirects=False, **said
            ) as answer,
        ):
            return answer.status, await answer.read()

    async def told(self, path: str, body: Any, *, token: str = "") -> dict[str, Any]:
        _, content = await self.call("POST", path, json=body, token=token)
        found: dict[str, Any] = json.loads(content)
        return found


async def _payers(caller: _Caller, hub: Machine, till: Machine) -> Secrets:
    """A payer's codes at a till, used, used again and wrong; the PIN wrong and right."""
    key, payer_id = generate("Ed25519"), mint("pyr", 1)
    payer = {
        "payer_id": payer_id, "name": "韩梅梅", "pin": PAYER_PIN, "key_suite": key.suite.name,
        "key_public": key.public.public.hex(),
    }  # fmt: skip
    made = await caller.told("/operator/v1/payers", payer)
    for command in confirmed_top_up(mint("top", 1), payer_id, 100_000):
        await caller.server.backend.writer.submit(command)
    token = made["token"]
    code = (await caller.told("/wallet/v1/pay-code", {}, token=token))["pay_code"]
    wrong = f"{code[:-2]}{(int(code[-2:]) + 1) % 100:02d}"
    for number, one in enumerate((code, code, wrong, REFUSED), start=1):
        body = _payment(number, method="pay_code", pay_code=one)
        await _send(caller, hub, till.envelope("payment.create", body))
    await _send(caller, hub, till.envelope("payment.create", _payment(9)))
    for pin in (WRONG_PAYER_PIN, PAYER_PIN):
        confirmation = {"payment_id": mint("pay", 9), "attempt_id": mint("att", 9), "pin": pin}
        await caller.told("/wallet/v1/confirm", confirmation, token=token)
    await caller.told("/wallet/v1/confirm", {"pin": [PAYER_PIN]}, token=token)
    await caller.call("GET", "/wallet/v1/balance", token=f"{token}x")
    return {
        "a payer's token": token, "a payer's code secret": made["code_secret"],
        "a wallet's code": code, "a wrong code": wrong,
        "a payer's key": key.private_bytes().hex(),
    }  # fmt: skip


def _payment(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "payment_id": mint("pay", number), "attempt_id": mint("att", number),
        "method": "merchant_qr", "amount_minor": 1_280, "currency": "CNY",
        "merchant_id": "merchant-1", "till": "1", **changes,
    }  # fmt: skip


async def _send(caller: _Caller, hub: Machine, envelope: bytes) -> None:
    await caller.call("POST", "/hub/v1/batches", listener="hub", data=hub.batch([envelope]))


async def _console(caller: _Caller) -> Secrets:
    """A password and a second factor, wrong and right."""
    wanted = {"name": "li.na", "role": "operator", "rank": "owner", "password": PASSWORD}
    made = await caller.told("/operator/v1/console/users", wanted)
    code = code_of(made, caller.server.backend.services.clock.now_ms())
    for password in (WRONG_PASSWORD, PASSWORD):
        form = {"name": "li.na", "password": password, "code": code}
        await caller.call("POST", "/console/sign-in", data=form)
    return {"a second factor": made["totp_uri"].split("secret=")[1].split("&")[0]}


async def _joining(caller: _Caller, folder: Path) -> Secrets:
    """A machine joins with its code; the same code again is refused."""
    grant = {"tid": "till-2", "kind": "terminal", "store": "store-1"}
    text = (await caller.told("/operator/v1/enrolment-codes", grant))["code"]
    for name in ("till-2", "till-3"):
        work = asyncio.to_thread(
            joining.join, folder / name, url=caller.server.url("public"), code=read_code(text),
            suite="ES256", passphrase=PASSPHRASE,
        )  # fmt: skip
        joined = await _tried(work)
        if name == "till-2":
            private = joined.signing_key.private_bytes().hex()
    plain = text.replace("-", "")
    return {"an enrolment code": text, "an enrolment secret": plain[4:16], "a till's key": private}


async def _break_database(caller: _Caller, folder: Path) -> None:
    """Tables are gone under the running backend: all who ask meet the bug with what they know."""
    with sqlite3.connect(folder / "state" / "backend.db") as database:
        names = [
            row[0]
            for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for name in names:
            if name.startswith(("payer", "console_", "wallet", "session")):
                database.execute(f'ALTER TABLE "{name}" RENAME TO "gone_{name}"')
    await caller.call("GET", "/wallet/v1/balance", token="no token of ours")
    form = {"name": "li.na", "password": PASSWORD, "code": "123456"}
    await caller.call("POST", "/console/sign-in", data=form)


# --- the hub


def _at_the_hub(folder: Path) -> Secrets:
    """A device is given an OSCORE key."""
    book = KeyBook(folder / KEYS_NAME, lambda: PASSPHRASE)
    key = book.give("till-9", now_ms=1)
    made = book.secrets(key)
    assert made.master_secret.hex() in libcoap_text(key, made)
    book.close()
    return {"an OSCORE secret": made.master_secret.hex()}


if __name__ == "__main__":
    found = play(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")
